//! Tokens that must not open anything, each made here, and refused for the reason that it was made for.

use access_relay_core::caller::gate::Gate;
use access_relay_core::caller::identity::Caller;
use access_relay_core::caller::token::{Candidate, JwtPolicy};
use access_relay_core::outcomes::problem::{Code, Refusal};
use jwt_compact::alg::{Hs256, Hs256Key, Rsa};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

use crate::support::config::{AUD, ISSUER};
use crate::support::issuer::LocalKeys;
use crate::support::tasks::now;
use crate::support::tokens::{NOW, SigningKey, base64url, issuer_key, other_key, person, policy, program};

const HEADER: &str = r#"{"alg":"RS256","kid":"kid-1","typ":"JWT"}"#;

fn identify(token: &str) -> Result<Caller, Refusal> {
    identify_with(token, &policy())
}

fn identify_with(token: &str, policy: &JwtPolicy) -> Result<Caller, Refusal> {
    // The issuer publishes two good keys, one for another use, and one `kid` for two keys.
    let mut for_encryption = other_key().jwk.clone();
    for_encryption["kid"] = json!("kid-enc");
    for_encryption["use"] = json!("enc");
    let ambiguous = [issuer_key(), other_key()].map(|key| {
        let mut jwk = key.jwk.clone();
        jwk["kid"] = json!("kid-twice");
        jwk
    });
    let keys =
        LocalKeys::publishing(&[&issuer_key().jwk, &other_key().jwk, &for_encryption, &ambiguous[0], &ambiguous[1]]);
    now(Gate::new(keys).identify(token, policy)).map(|identity| (*identity.caller).clone())
}

/// Asserts that each is refused, and why; a reason must never hold a part of the token.
#[track_caller]
fn all_refused<T: AsRef<str>>(rows: &[(T, &str)]) {
    for (token, why) in rows {
        let token = token.as_ref();
        let refusal = identify(token).expect_err(token);
        assert_eq!(refusal.code, Code::Unauthenticated, "{token}");
        assert!(refusal.reason.contains(why), "refused, but not for {why:?}: {} ({token})", refusal.reason);
        let parts = token.split('.').filter(|part| part.len() > 20);
        assert!(parts.clone().all(|part| !refusal.reason.contains(part)), "{}", refusal.reason);
    }
}

/// A header and claims as they are written, with what stands for a signature.
fn raw(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", base64url(&signature))
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = person();
    change(&mut claims);
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn good_tokens_open() {
    let user = Caller::User {
        sub: Some("7335d417-61da-459d-899c-0a01c76a2f94".to_owned()),
        email: Some("ada@example.com".to_owned()),
        groups: None,
    };
    let service = Caller::Service { common_name: Some("88bf.access".to_owned()) };
    #[rustfmt::skip]
    let table = [
        (person(), &user),
        (program(), &service),
        (changed(|claims| claims["aud"] = json!(AUD)), &user),
        (changed(|claims| claims["aud"] = json!(["x", "first"])), &user),
        (changed(|claims| claims["custom"] = json!({ "groups": ["a"], "twice": 1 })), &user),
        (changed(|claims| claims["common_name"] = json!("x.access")), &user),
        (without(person(), "nbf"), &user),
        (without(person(), "iat"), &user),
        // A clock may be a minute off.
        (changed(|claims| claims["exp"] = json!(NOW - 60)), &user),
        (changed(|claims| claims["nbf"] = json!(NOW + 60)), &user),
        (changed(|claims| claims["iat"] = json!(NOW + 60)), &user),
        (changed(|claims| claims["exp"] = json!(NOW + 31 * 24 * 3600)), &user),
        (changed(|claims| claims["exp"] = json!(NOW + 3660 * 24 * 3600)), &user),
    ];
    for (claims, caller) in table {
        assert_eq!(identify(&issuer_key().sign(&claims)).as_ref(), Ok(caller), "{claims}");
        let rotated = other_key().sign(&claims);
        assert_eq!(identify(&rotated).as_ref(), Ok(caller), "{claims}");
    }
    let nobodys_mail = changed(|claims| claims["email"] = json!(""));
    assert!(matches!(identify(&issuer_key().sign(&nobodys_mail)), Ok(Caller::User { email: None, .. })));
    // What a header says about keys is not looked at, whatever it says.
    for header in [
        r#"{"alg":"RS256","kid":"kid-1","x5u":"https://evil.example","x5c":["x"],"custom":{"a":[1]}}"#,
        r#"{"kid":"kid-1","alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"kid-1","jwk":{"kty":"oct"},"jku":"https://evil.example"}"#,
    ] {
        assert_eq!(identify(&issuer_key().sign_raw(header, &person().to_string())).as_ref(), Ok(&user), "{header}");
    }
}

#[test]
fn algorithms_are_not_the_tokens_to_choose() {
    let claims = person().to_string();
    let header = |alg: &str| format!(r#"{{"alg":{alg},"kid":"kid-1","typ":"JWT"}}"#);
    let alg = "only RS256 passes";
    let mut rows: Vec<(String, &str)> = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", "none ", "", "\\u006eone", "RS256 ", "rs256", "RS256\\u0000"] {
        let header = header(&format!("\"{none}\""));
        rows.push((raw(&header, &claims, |_| Vec::new()), alg));
        rows.push((issuer_key().sign_raw(&header, &claims), alg));
    }
    // The public key as an HMAC secret, in the forms that libraries have taken it in.
    let jwk = &issuer_key().jwk;
    for secret in [jwk["n"].as_str().unwrap().to_owned(), jwk.to_string(), String::new()] {
        let hmac = |signed: &[u8]| Hs256.sign(&Hs256Key::new(&secret), signed).as_bytes().into_owned();
        rows.push((raw(&header("\"HS256\""), &claims, hmac), alg));
        rows.push((raw(HEADER, &claims, hmac), "the signature does not match"));
    }
    for (name, algorithm) in
        [("PS256", Rsa::ps256()), ("RS512", Rsa::rs512()), ("RS384", Rsa::rs384()), ("PS512", Rsa::ps512())]
    {
        let sign = |signed: &[u8]| issuer_key().sign_with(&algorithm, signed);
        rows.push((raw(&header(&format!("{name:?}")), &claims, sign), alg));
        // Under the right name, it is a wrong signature.
        rows.push((raw(HEADER, &claims, sign), "the signature does not match"));
    }
    rows.push((raw(&header("\"ES256\""), &claims, |_| vec![7; 64]), alg));
    rows.push((raw(&header("\"EdDSA\""), &claims, |_| vec![7; 64]), alg));
    for no_text in ["null", "256", "[\"RS256\"]", "{\"alg\":\"RS256\"}", "true"] {
        rows.push((issuer_key().sign_raw(&header(no_text), &claims), "the header is not JSON, lacks alg"));
    }
    all_refused(&rows);
}

#[test]
fn keys_are_not_the_tokens_to_bring() {
    let claims = person().to_string();
    let mallory = SigningKey::make("kid-1");
    let (header, wrong, unknown) =
        ("the header", "the signature does not match", "no signing key of the issuer has the kid");
    let with = |value: Value| mallory.sign_raw(&value.to_string(), &claims);
    #[rustfmt::skip]
    all_refused(&[
        (with(json!({ "alg": "RS256", "kid": "kid-1" })), wrong),
        (with(json!({ "alg": "RS256", "kid": "kid-1", "jwk": mallory.jwk })), wrong),
        (with(json!({ "alg": "RS256", "kid": "kid-1", "jku": "https://evil.example/certs" })), wrong),
        (with(json!({ "alg": "RS256", "kid": "kid-1", "x5u": "https://evil.example/cert", "x5c": ["MIIB"] })), wrong),
        (with(json!({ "alg": "RS256", "jwk": mallory.jwk })), "the header has no kid"),
        (with(json!({ "alg": "RS256", "kid": "kid-3", "jwk": mallory.jwk, "jku": "https://evil.example" })), unknown),
        // Another key of the issuer's is not the one that the token names.
        (other_key().sign_raw(HEADER, &claims), wrong),
        (issuer_key().sign_raw(r#"{"alg":"RS256"}"#, &claims), "the header has no kid"),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":null}"#, &claims), "the header has no kid"),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":""}"#, &claims), unknown),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":"KID-1"}"#, &claims), unknown),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":"kid-1\u0000"}"#, &claims), unknown),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":"../../kid-1"}"#, &claims), unknown),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":"kid-1' OR '1'='1"}"#, &claims), unknown),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":["kid-1"]}"#, &claims), header),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":1}"#, &claims), header),
        // A key that the issuer publishes for another use, and two under one name.
        (other_key().sign_raw(r#"{"alg":"RS256","kid":"kid-enc"}"#, &claims), unknown),
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":"kid-twice"}"#, &claims), unknown),
        (other_key().sign_raw(r#"{"alg":"RS256","kid":"kid-twice"}"#, &claims), unknown),
    ]);
}

#[test]
fn headers_have_each_member_once_and_nothing_to_understand() {
    let claims = person().to_string();
    let (header, crit, content) = ("the header", "the header has crit extensions", "the content type is not JSON");
    #[rustfmt::skip]
    let table = [
        (r#"{"alg":"RS256","kid":"kid-1","crit":["exp"]}"#, crit), (r#"{"alg":"RS256","kid":"kid-1","crit":[]}"#, crit),
        (r#"{"alg":"RS256","kid":"kid-1","crit":null}"#, crit), (r#"{"alg":"RS256","kid":"kid-1","\u0063rit":["b64"],"b64":false}"#, crit),
        (r#"{"alg":"none","alg":"RS256","kid":"kid-1"}"#, header), (r#"{"alg":"RS256","alg":"RS256","kid":"kid-1"}"#, header),
        (r#"{"alg":"RS256","\u0061lg":"none","kid":"kid-1"}"#, header), (r#"{"alg":"RS256","kid":"kid-2","kid":"kid-1"}"#, header),
        (r#"{"alg":"RS256","kid":"kid-1","x":1,"x":2}"#, header), (r#"{"alg":"RS256","kid":"kid-1","x":1,"\u0078":2}"#, header),
        (r#"{"alg":"RS256","kid":"kid-1","typ":"JWT","typ":"JWT"}"#, header),
        (r#"{"alg":"RS256","kid":"kid-1","cty":"JWT"}"#, content), (r#"{"alg":"RS256","kid":"kid-1","enc":"A256GCM","cty":"cbor"}"#, content),
        (r#"{"alg":"RS256","kid":"kid-1"} "#, ""), (r#"{"alg":"RS256","kid":"kid-1"}{}"#, header), (r#"{"alg":"RS256","kid":"kid-1",}"#, header),
        (r#"{'alg':'RS256','kid':'kid-1'}"#, header), ("\u{feff}{\"alg\":\"RS256\",\"kid\":\"kid-1\"}", header),
        (r#"{"kid":"kid-1"}"#, header), ("{}", header), ("[]", header), ("null", header), ("", header), ("RS256", header), (r#""RS256""#, header),
        (r#"[{"alg":"RS256","kid":"kid-1"}]"#, header),
    ];
    // White space around JSON is JSON.
    let (spaces, bad): (Vec<_>, Vec<_>) = table.into_iter().partition(|(_, why)| why.is_empty());
    assert!(spaces.iter().all(|(header, _)| identify(&issuer_key().sign_raw(header, &claims)).is_ok()));
    all_refused(&bad.map_tokens(|header| issuer_key().sign_raw(header, &claims)));
    let many =
        format!(r#"{{"alg":"RS256","kid":"kid-1"{}}}"#, (0..101).map(|n| format!(r#","a{n}":0"#)).collect::<String>());
    all_refused(&[(issuer_key().sign_raw(&many, &claims), header)]);
}

trait MapTokens {
    fn map_tokens(self, token: impl Fn(&str) -> String) -> Vec<(String, &'static str)>;
}

impl MapTokens for Vec<(&'static str, &'static str)> {
    fn map_tokens(self, token: impl Fn(&str) -> String) -> Vec<(String, &'static str)> {
        self.into_iter().map(|(text, why)| (token(text), why)).collect()
    }
}

#[test]
fn claims_that_do_not_open() {
    let (times, aud, shape) = ("exp", "aud holds none of access.audience", "of the wrong type, or there twice");
    let (iss, kind, nobody) = ("not access.issuer", "not \"app\"", "neither sub nor common_name says who calls");
    let set = |name: &str, value: Value| changed(|claims| claims[name] = value).to_string();
    let text = |claims: &Value| claims.to_string();
    #[rustfmt::skip]
    let mut rows = vec![
        (set("exp", json!(NOW - 61)), "exp is in the past"), (set("exp", json!(0)), "exp is in the past"), (set("exp", json!(-1)), "exp is in the past"),
        (set("exp", json!(i64::MIN)), shape), (set("exp", json!(u64::MAX)), shape), (set("exp", json!(i64::MAX)), shape), (set("exp", json!(1e300)), shape),
        (set("exp", json!((NOW + 3600) * 1000)), "exp is more than ten years away"), (set("exp", json!(253_402_300_799_i64)), "exp is more than ten years away"), (set("exp", json!(NOW + 3660 * 24 * 3600 + 1)), "exp is more than ten years away"),
        (set("exp", json!(null)), shape), (text(&without(person(), "exp")), "exp is missing"),
        (set("exp", json!("1900000000")), shape), (set("exp", json!([NOW + 3600])), shape), (set("exp", json!({})), shape), (set("exp", json!(true)), shape),
        (set("nbf", json!(NOW + 61)), "nbf is in the future"), (set("nbf", json!("soon")), shape), (set("nbf", json!(i64::MIN)), shape), (set("nbf", json!([])), shape),
        (set("iat", json!(NOW + 61)), "iat is in the future"), (set("iat", json!(8_000_000_000_000_i64)), "iat is in the future"), (set("iat", json!(i64::MAX)), shape), (set("iat", json!(false)), shape),
        (set("iss", json!(format!("{ISSUER}/"))), iss), (set("iss", json!(format!("{ISSUER}.evil.example"))), iss), (set("iss", json!(format!("{ISSUER}@evil.example"))), iss),
        (set("iss", json!(ISSUER.to_uppercase())), iss), (set("iss", json!(format!(" {ISSUER}"))), iss), (set("iss", json!("")), iss), (set("iss", json!(null)), iss),
        // Another team's token, under a kid that is ours.
        (set("iss", json!("https://evil.cloudflareaccess.com")), iss), (set("iss", json!("http://acme.cloudflareaccess.com")), iss),
        (set("iss", json!([ISSUER])), shape), (set("iss", json!({ "0": ISSUER })), shape), (text(&without(person(), "iss")), iss),
        (set("aud", json!([])), aud), (set("aud", json!("")), aud), (set("aud", json!(["other"])), aud), (set("aud", json!(&AUD[..63])), aud), (set("aud", json!(&AUD[1..])), aud),
        (set("aud", json!(format!("{AUD} first"))), aud), (set("aud", json!(format!("{AUD},first"))), aud), (set("aud", json!([format!("{AUD}0")])), aud),
        (set("aud", json!(AUD.to_uppercase())), aud), (set("aud", json!("*")), aud), (text(&without(person(), "aud")), aud),
        (set("aud", json!([[AUD]])), shape), (set("aud", json!({ "0": AUD })), shape), (set("aud", json!([AUD, 1])), shape), (set("aud", json!([AUD, null])), shape),
        (set("aud", json!(1)), shape), (set("aud", json!(null)), shape),
        // The global session token: same keys, same issuer.
        (set("type", json!("org")), kind), (set("type", json!("APP")), kind), (set("type", json!("")), kind), (set("type", json!(null)), kind), (text(&without(person(), "type")), kind),
        (set("type", json!(["app"])), shape), (set("type", json!(1)), shape),
        (set("sub", json!("")), nobody), (set("sub", json!(null)), nobody), (text(&without(person(), "sub")), nobody), (set("sub", json!(7)), shape), (set("sub", json!(["x"])), shape),
        (set("email", json!(["ada@example.com"])), shape), (set("email", json!(1)), shape),
        (set("common_name", json!(1)), shape),
        (text(&without(program(), "common_name")), nobody), (text(&program()).replace("88bf.access", ""), nobody),
        ("[]".to_owned(), shape), ("\"x\"".to_owned(), shape), ("null".to_owned(), shape), (String::new(), shape), ("{}".to_owned(), times), (format!("[{}]", person()), shape),
        (format!("{}{{}}", person()), shape),
    ];
    // Each claim twice, and one that nobody reads.
    let once = person().to_string();
    for name in ["exp", "iat", "nbf", "aud", "iss", "type", "sub", "email", "country", "\\u0061ud"] {
        let value = &person()[name.replace("\\u0061", "a")];
        rows.push((format!("{},\"{name}\":{value}}}", once.trim_end_matches('}')), shape));
    }
    for (claims, why) in rows {
        all_refused(&[(issuer_key().sign_raw(HEADER, &claims), why)]);
    }
}

#[test]
fn texts_that_are_no_token() {
    let good = issuer_key().sign(&person());
    assert!(identify(&good).is_ok());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let reversed: String = signature.chars().rev().collect();
    // The last character of a signature of 256 bytes has four bits that say nothing: strict decoders want them empty.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sloppy = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let sloppy = format!("{}{sloppy}", &signature[..signature.len() - 1]);
    let standard = signature.replace('-', "+").replace('_', "/");
    assert_ne!(standard, signature, "make another key: this signature has no character to change");
    let zeros = base64url(&[0; 256]);
    let (parts, encoding, wrong) =
        ("it has not three parts", "a part is not base64url", "the signature does not match");
    #[rustfmt::skip]
    all_refused(&[
        (String::new(), parts), (".".into(), parts), ("x".into(), parts), (format!("{header}.{claims}"), parts), (format!("{good}.x"), parts), (format!("{good}."), parts),
        (format!(".{good}"), parts), (format!("{header}.{claims}.{signature}.{claims}.{signature}"), parts), (good.replace('.', "%2e"), parts), (good.replace('.', "。"), parts),
        ("é".repeat(50), parts), ("..".into(), "the header"), (format!(".{claims}.{signature}"), "the header"),
        // Blank and cut signatures.
        (format!("{header}.{claims}."), wrong), (format!("{header}.{claims}.{}", &signature[..100]), wrong), (format!("{header}.{claims}.{}", &signature[..340]), wrong),
        (format!("{header}.{claims}.{zeros}"), wrong), (format!("{header}.{claims}.AA"), wrong), (format!("{header}.{claims}.{reversed}"), ""),
        (format!("{header}.{claims}.{}{signature}", "AAAA"), wrong),
        // Padding, alphabet, white space.
        (format!("{good}="), encoding), (format!("{good}=="), encoding), (format!("{header}=.{claims}.{signature}"), encoding), (format!("{header}.{claims}=.{signature}"), encoding),
        (format!("{header}.{claims}.{standard}"), encoding), (format!("{header}.{claims}.{sloppy}"), encoding), (format!(" {good}"), encoding), (format!("{good} "), encoding),
        (format!("{good}\n"), encoding), (format!("{header}. {claims}.{signature}"), encoding), (format!("{good}\0"), encoding), (format!("Bearer {good}"), encoding),
        (format!("\"{good}\""), encoding), (format!("{good}, {good}"), parts),
        // Another payload under the same signature; the length cap.
        (format!("{header}.{}.{signature}", base64url(person().to_string().replace("ada@", "eve@").as_bytes())), wrong),
        ("a".repeat(8192), "three parts"), ("a".repeat(8193), "longer than 8192 bytes"), (format!("{header}.{}.{signature}", "A".repeat(9000)), "longer than 8192 bytes"),
        // A token within a token.
        (issuer_key().sign_raw(r#"{"alg":"RS256","kid":"kid-1","cty":"JWT"}"#, &good), "the content type is not JSON"),
        (issuer_key().sign_raw(HEADER, &good), "of the wrong type"),
    ]);
    // Whoever takes a text apart before its parts are counted is told the same of it.
    assert_eq!(Candidate::parse("x.y").err().as_deref(), Some("not a JWT"));
}

#[test]
fn a_tokens_age_can_be_limited() {
    let policy = JwtPolicy { max_token_age_seconds: Some(600), ..policy() };
    let aged = |seconds: i64| changed(|claims| claims["iat"] = json!(NOW - seconds));
    for (claims, why) in [
        (aged(0), None),
        (aged(660), None),
        (aged(661), Some("iat is longer ago than access.max_token_age_seconds = 600")),
        (changed(|claims| claims["iat"] = json!(-8_000_000_000_000_i64)), Some("iat is longer ago")),
        (without(person(), "iat"), Some("iat is missing")),
    ] {
        let refused = identify_with(&issuer_key().sign(&claims), &policy).err().map(|refusal| refusal.reason);
        assert_eq!(refused.is_some(), why.is_some(), "{claims}: {refused:?}");
        assert!(refused.is_none_or(|reason| reason.contains(why.unwrap())));
    }
    // It is remembered no longer than that.
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let token = issuer_key().sign(&aged(0));
    assert!(now(gate.identify(&token, &policy)).is_ok());
    keys.clock.set(NOW + 660);
    assert!(now(gate.identify(&token, &policy)).is_ok());
    keys.clock.set(NOW + 661);
    assert!(now(gate.identify(&token, &policy)).is_err());
}
