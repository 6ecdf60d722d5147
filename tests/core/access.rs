//! The caller check: tokens that pass, and attacks that do not.

use access_relay::access::{Caller, Gate, token_of};
use access_relay::config::JwtPolicy;
use access_relay::problem::{Code, Refusal};
use serde_json::{Value, json};

use crate::support::{AUD, ISSUER, Lines, LocalKeys, NOW, base64url, issuer_key, now, other_key, person, program};

fn policy() -> JwtPolicy {
    JwtPolicy {
        issuer: ISSUER.to_owned(),
        certs_url: format!("{ISSUER}/cdn-cgi/access/certs"),
        audience: vec!["first".to_owned(), AUD.to_owned()],
        identity_headers: true,
    }
}

fn identify(token: &str) -> Result<Caller, Refusal> {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    now(Gate::new(&keys).identify(token, &policy(), NOW)).map(|caller| (*caller).clone())
}

fn with(mut claims: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut claims);
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn callers_who_belong() {
    let user = Caller::User {
        sub: "7335d417-61da-459d-899c-0a01c76a2f94".to_owned(),
        email: Some("ada@example.com".to_owned()),
    };
    let service = Caller::Service { common_name: "88bf.access".to_owned() };
    #[rustfmt::skip]
    let table = [
        (person(), &user),
        (program(), &service),
        (with(person(), |claims| claims["aud"] = json!(AUD)), &user),
        (with(person(), |claims| claims["aud"] = json!(["x", "first"])), &user),
        (with(program(), |claims| claims["aud"] = json!([AUD])), &service),
        (with(person(), |claims| claims["custom"] = json!({ "groups": ["a"] })), &user),
        (without(person(), "nbf"), &user),
        (without(person(), "iat"), &user),
        // A clock may be a minute off.
        (with(person(), |claims| claims["exp"] = json!(NOW - 60)), &user),
        (with(person(), |claims| claims["nbf"] = json!(NOW + 60)), &user),
        (with(person(), |claims| claims["iat"] = json!(NOW + 60)), &user),
    ];
    for (claims, caller) in table {
        assert_eq!(identify(&issuer_key().sign(&claims)).as_ref(), Ok(caller), "{claims}");
    }
}

#[test]
fn claims_that_do_not_open() {
    #[rustfmt::skip]
    let table = [
        with(person(), |claims| claims["exp"] = json!(NOW - 61)),
        with(person(), |claims| claims["exp"] = json!("1900000000")),
        with(person(), |claims| claims["exp"] = json!(u64::MAX)),
        with(person(), |claims| claims["exp"] = json!(-1)),
        with(person(), |claims| claims["exp"] = json!(null)),
        without(person(), "exp"),
        with(person(), |claims| claims["nbf"] = json!(NOW + 61)),
        with(person(), |claims| claims["nbf"] = json!("soon")),
        with(person(), |claims| claims["nbf"] = json!(i64::MIN)),
        with(person(), |claims| claims["iat"] = json!(i64::MAX)),
        with(person(), |claims| claims["iat"] = json!(NOW + 61)),
        with(person(), |claims| claims["iss"] = json!(format!("{ISSUER}/"))),
        with(person(), |claims| claims["iss"] = json!("https://acme.cloudflareaccess.com.evil.example")),
        with(person(), |claims| claims["iss"] = json!("https://evil.cloudflareaccess.com")),
        with(person(), |claims| claims["iss"] = json!([ISSUER])),
        without(person(), "iss"),
        with(person(), |claims| claims["aud"] = json!([])),
        with(person(), |claims| claims["aud"] = json!(["other"])),
        with(person(), |claims| claims["aud"] = json!(&AUD[..63])),
        with(person(), |claims| claims["aud"] = json!(format!("{AUD} first"))),
        with(person(), |claims| claims["aud"] = json!([[AUD]])),
        with(person(), |claims| claims["aud"] = json!({ "0": AUD })),
        without(person(), "aud"),
        // The global session token: same keys, same issuer.
        with(person(), |claims| claims["type"] = json!("org")),
        with(person(), |claims| claims["type"] = json!("APP")),
        without(person(), "type"),
        with(person(), |claims| claims["sub"] = json!("")),
        with(person(), |claims| claims["sub"] = json!(7)),
        without(person(), "sub"),
        with(program(), |claims| claims["common_name"] = json!("")),
        without(program(), "common_name"),
        json!([]),
        json!("x"),
    ];
    for claims in table {
        let token = issuer_key().sign_raw(r#"{"alg":"RS256","kid":"kid-1","typ":"JWT"}"#, &claims.to_string());
        assert_eq!(identify(&token).map_err(|refusal| refusal.code), Err(Code::Unauthenticated), "{claims}");
    }
}

#[test]
fn headers_that_do_not_open() {
    let claims = person().to_string();
    #[rustfmt::skip]
    let table = [
        r#"{"alg":"none","kid":"kid-1"}"#, r#"{"alg":"None","kid":"kid-1"}"#, r#"{"alg":"NONE","kid":"kid-1"}"#, r#"{"alg":"","kid":"kid-1"}"#,
        r#"{"alg":"HS256","kid":"kid-1"}"#, r#"{"alg":"PS256","kid":"kid-1"}"#, r#"{"alg":"ES256","kid":"kid-1"}"#,
        r#"{"alg":"RS512","kid":"kid-1"}"#, r#"{"alg":"rs256","kid":"kid-1"}"#, r#"{"alg":["RS256"],"kid":"kid-1"}"#, r#"{"kid":"kid-1"}"#,
        r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","kid":""}"#, r#"{"alg":"RS256","kid":"kid-2"}"#, r#"{"alg":"RS256","kid":"../kid-1"}"#,
        r#"{"alg":"RS256","kid":["kid-1"]}"#, r#"{"alg":"RS256","kid":"kid-1","crit":["exp"]}"#, r#"{"alg":"RS256","kid":"kid-1","crit":[]}"#, r#"{"alg":"RS256","kid":"kid-1","crit":null}"#,
        "{}", "[]", "", "RS256",
    ];
    for header in table {
        // Signed with the issuer's own key: only the header is wrong.
        let token = issuer_key().sign_raw(header, &claims);
        assert_eq!(identify(&token).map_err(|refusal| refusal.code), Err(Code::Unauthenticated), "{header}");
    }
    // A key in the header is not a key of the issuer.
    let header = json!({ "alg": "RS256", "kid": "kid-2", "jwk": other_key().jwk, "jku": "https://evil.example/certs" });
    assert!(identify(&other_key().sign_raw(&header.to_string(), &claims)).is_err());
    let header = json!({ "alg": "RS256", "kid": "kid-1", "jwk": other_key().jwk });
    assert!(identify(&other_key().sign_raw(&header.to_string(), &claims)).is_err());
    assert!(
        identify(&issuer_key().sign_raw(r#"{"alg":"RS256","kid":"kid-1","x5u":"https://evil.example"}"#, &claims))
            .is_ok()
    );
}

#[test]
fn texts_that_are_no_token() {
    let good = issuer_key().sign(&person());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let flipped: String = signature.chars().rev().collect();
    #[rustfmt::skip]
    let table = [
        String::new(), ".".into(), "..".into(), "x".into(), format!("{header}.{claims}"), format!("{header}.{claims}."), format!("{good}.x"),
        format!("{header}.{claims}.{signature}.{claims}.{signature}"), format!("{header}.{claims}.{}", &signature[..100]),
        format!("{header}.{claims}.{flipped}"), format!("{good}="), format!(" {good}"), format!("{good} "), format!("{good}\n"),
        format!("{header}=.{claims}.{signature}"), good.replace('.', "%2e"), good.replacen('e', "f", 3),
        format!("{header}.{}.{signature}", base64url(b"{}")), format!("Bearer {good}"), "é".repeat(50), "a".repeat(8 * 1024 + 1),
        format!("{header}.{}.{signature}", "A".repeat(9000)),
    ];
    for token in table {
        assert_eq!(identify(&token).map_err(|refusal| refusal.code), Err(Code::Unauthenticated), "{token}");
    }
    assert!(identify(&good).is_ok());
}

#[test]
fn reasons_hold_no_token() {
    let token = other_key().sign(&person());
    let signature = token.rsplit('.').next().unwrap();
    let refusal = identify(&token).unwrap_err();
    assert!(!refusal.reason.contains(signature) && !refusal.reason.contains(&token[..20]), "{}", refusal.reason);
}

#[test]
fn a_good_token_is_remembered_and_a_bad_one_never() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(&keys);
    let good = issuer_key().sign(&person());
    let forged =
        format!("{}.{}", good.rsplit_once('.').unwrap().0, other_key().sign(&person()).rsplit('.').next().unwrap());
    for _ in 0..3 {
        assert!(now(gate.identify(&good, &policy(), NOW)).is_ok());
        assert!(now(gate.identify(&forged, &policy(), NOW)).is_err());
    }
    assert_eq!((keys.fetches.get(), keys.verifications.get()), (1, 1 + 3));
    // Remembered only as long as it is valid.
    assert!(now(gate.identify(&good, &policy(), NOW + 3600 + 61)).is_err());
}

#[test]
fn where_the_token_is_looked_for() {
    let of = |lines: &[(&str, &str)]| {
        let lines = Lines::of(lines);
        token_of(&lines, |name| lines.get(name.as_str()).is_some()).ok()
    };
    let header = ("cf-access-jwt-assertion", "h");
    assert_eq!(of(&[header]), Some("h".to_owned()));
    assert_eq!(of(&[("cookie", "a=1; CF_Authorization=c")]), Some("c".to_owned()));
    assert_eq!(of(&[header, ("cookie", "CF_Authorization=c")]), Some("h".to_owned()));
    // A header that is there but bad is not saved by the cookie; repeated ones make one that is bad.
    assert_eq!(of(&[("cf-access-jwt-assertion", ""), ("cookie", "CF_Authorization=c")]), Some(String::new()));
    assert_eq!(of(&[header, header]), Some("h, h".to_owned()));
    assert_eq!(of(&[("cookie", "CF_Authorization=c; CF_Authorization=c")]), Some("c".to_owned()));
    assert_eq!(of(&[("cookie", "CF_Authorization=c; CF_Authorization=d")]), None);
    assert_eq!(of(&[("authorization", "Bearer x"), ("cf-access-token", "x"), ("cookie", "a=1")]), None);
    assert_eq!(of(&[]), None);
}
