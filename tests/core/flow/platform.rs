//! Where Access protects the Worker itself: who gets in by the runtime's word, and what the API is told.

use access_relay_core::caller::platform::Word;
use serde_json::{Value, json};

use crate::support::config::{AUD, ISSUER, relay};
use crate::support::issuer::Known;
use crate::support::requests::{Outcome, decide_vouched, send_vouched};
use crate::support::tokens::{issuer_key, other_key, person, program, token};

const URL: &str = "https://app.example.com/api/x";

/// `minimal()` that goes by the runtime's word, with other keys of `access`.
fn platform(keys: Value) -> Value {
    relay(|value| {
        value["access"] = json!({ "platform": true });
        value["access"].as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    })
}

/// The same, and by tokens where the runtime has no word.
fn either() -> Value {
    platform(json!({ "issuer": ISSUER, "audience": [AUD] }))
}

fn word() -> Option<Word<Known>> {
    let identity =
        json!({ "user_uuid": "uuid-1", "email": "ada@example.com", "groups": [{ "id": "1", "name": "eng" }] });
    Some(Word { aud: AUD.to_owned(), access: Ok(Some(identity.to_string())) })
}

fn code(relay: &Value, word: Option<Word<Known>>, headers: &[(&str, &str)]) -> Option<&'static str> {
    send_vouched(relay, word, "GET", URL, headers).code()
}

#[test]
fn the_runtimes_word_opens_and_nothing_else_does() {
    let alone = platform(json!({}));
    let listed = platform(json!({ "audience": [AUD] }));
    let token = token();
    let headers = [("cf-access-jwt-assertion", token.as_str())];
    let cookie = format!("CF_Authorization={token}");
    let elsewhere = || Some(Word { aud: "other".to_owned(), ..word().unwrap() });
    for relay in [&alone, &listed, &either()] {
        assert_eq!(code(relay, word(), &[]), None);
        assert_eq!(code(relay, None, &[]), Some("unauthenticated"));
    }
    // Without an issuer, no token is looked at: nobody could tell whether it is good.
    for relay in [&alone, &listed] {
        assert_eq!(code(relay, None, &headers), Some("unauthenticated"));
        assert_eq!(code(relay, None, &[("cookie", &cookie)]), Some("unauthenticated"));
        assert_eq!(code(relay, None, &[("mf-access-blob", r#"{"app_aud":"x"}"#)]), Some("unauthenticated"));
    }
    assert_eq!(code(&alone, elsewhere(), &[]), None);
    assert_eq!(code(&listed, elsewhere(), &[]), Some("unauthenticated"));
    // It is the runtime's word that counts, where there is one.
    assert_eq!(code(&either(), elsewhere(), &headers), Some("unauthenticated"));
    assert_eq!(code(&either(), word(), &[("cf-access-jwt-assertion", "x")]), None);
    // Where there is none, the token decides.
    assert_eq!(code(&either(), None, &headers), None);
    assert_eq!(code(&either(), None, &[("cookie", &cookie)]), None);
    let forged = other_key().sign(&person());
    assert_eq!(code(&either(), None, &[("cf-access-jwt-assertion", &forged)]), Some("unauthenticated"));
    // And where the configuration does not go by it, it opens nothing.
    assert_eq!(code(&relay(|_| {}), word(), &[]), Some("unauthenticated"));
}

#[test]
fn whoever_debugs_reads_why_there_is_no_word() {
    let relay = relay(|value| {
        value["access"] = json!({ "platform": true });
        value["debug"] = json!(true);
    });
    let Outcome::Answered(401, _, _, Some(body)) = send_vouched(&relay, None, "GET", URL, &[]) else { panic!() };
    let reason = body["reason"].as_str().unwrap();
    assert!(reason.starts_with("ctx.access is not there: Access does not protect this Worker, or"), "{reason}");
}

/// Who calls, as the API is told and as the log has it.
fn told(relay: &Value, word: Option<Word<Known>>, headers: &[(&str, &str)]) -> ([Option<String>; 4], &'static str) {
    let trace = access_relay_core::messages::trace::Trace::new(None, [7; 24]);
    let (decision, lines) = decide_vouched(relay, word.clone(), "GET", URL, headers);
    let caller = decision.known.record("GET", 200, &trace, None).caller;
    let Outcome::Forwarded(_, sent) = send_vouched(relay, word, "GET", URL, headers) else { panic!("{lines:?}") };
    let names = ["x-forwarded-user", "x-forwarded-email", "x-forwarded-client-id", "x-forwarded-groups"];
    (names.map(|name| sent.get(name)), caller)
}

#[test]
fn the_api_is_told_what_the_runtime_says() {
    let texts = |texts: [&str; 4]| texts.map(|text| (!text.is_empty()).then(|| text.to_owned()));
    let token = token();
    // What a token or a caller says beside it counts for nothing.
    let headers = [
        ("cf-access-jwt-assertion", token.as_str()),
        ("x-forwarded-user", "evil"),
        ("x-forwarded-groups", "admins"),
        ("x_forwarded_groups", "admins"),
        ("mf-access-blob", "evil"),
        ("mf_access_blob", "evil"),
    ];
    let of = |keys: Value| told(&platform(keys), word(), &headers);
    assert_eq!(of(json!({})), (texts(["uuid-1", "ada@example.com", "", ""]), "user"));
    assert_eq!(of(json!({ "groups": true })), (texts(["uuid-1", "ada@example.com", "", "eng"]), "user"));
    assert_eq!(of(json!({ "groups": true, "identity_headers": false })), (texts(["", "", "", "eng"]), "user"));
    assert_eq!(of(json!({ "identity_headers": false })), (texts([""; 4]), "somebody"));
    let (decision, lines) = decide_vouched(&platform(json!({})), word(), "GET", URL, &headers);
    let access_relay_core::flow::gateway::Action::Forward(forward) = decision.action else { panic!() };
    let sent = lines.apply(&forward.edits);
    assert!(
        sent.0.iter().all(|(name, value)| value != "evil" && value != "admins" && !name.starts_with("mf")),
        "{sent:?}"
    );

    // What was left out is said.
    let odd = json!({ "user_uuid": "u", "email": "\u{f6}@example.com", "groups": ["a,b"] }).to_string();
    let odd = Some(Word { aud: AUD.to_owned(), access: Ok(Some(odd)) });
    let (decision, _) = decide_vouched(&platform(json!({ "groups": true })), odd, "GET", URL, &[]);
    assert_eq!(decision.known.warnings.len(), 2);

    // A program: by its verified token, or without a name.
    let nameless = || Some(Word { aud: AUD.to_owned(), access: Ok(None) });
    let ci = issuer_key().sign(&program());
    let by_token = [("cf-access-jwt-assertion", ci.as_str())];
    assert_eq!(told(&either(), nameless(), &by_token), (texts(["", "", "88bf.access", ""]), "service"));
    assert_eq!(told(&either(), nameless(), &[]), (texts([""; 4]), "service"));
    assert_eq!(told(&platform(json!({})), nameless(), &by_token), (texts([""; 4]), "service"));
    // Where the token decides, it tells what it always tells.
    assert_eq!(told(&either(), None, &by_token), (texts(["", "", "88bf.access", ""]), "service"));
    let groups = platform(json!({ "issuer": ISSUER, "audience": [AUD], "groups": true }));
    let sub = person()["sub"].as_str().unwrap().to_owned();
    assert_eq!(told(&groups, None, &headers), (texts([&sub, "ada@example.com", "", ""]), "user"));
}

#[test]
fn nobody_is_forwarded_while_nobody_says_who_it_is() {
    let silent = |access: Known| Some(Word { aud: AUD.to_owned(), access });
    for identity in [Err("down".to_owned()), Ok(Some("{}".to_owned()))] {
        assert_eq!(code(&platform(json!({})), silent(identity.clone()), &[]), Some("identity_unavailable"));
        assert_eq!(code(&platform(json!({ "identity_headers": false })), silent(identity), &[]), None);
    }
}

#[test]
fn a_token_that_goes_on_is_verified_whatever_the_runtime_says() {
    let relay = relay(|value| {
        value["access"] = either()["access"].clone();
        value["routes"][0]["credentials"] = json!("caller-token");
    });
    let token = token();
    let (_, sent) = send_vouched(&relay, word(), "GET", URL, &[("cf-access-jwt-assertion", &token)]).forwarded();
    assert_eq!(sent.get("cf-access-token"), Some(token));
    for headers in [&[][..], &[("cf-access-jwt-assertion", "a.b.c")][..]] {
        assert_eq!(code(&relay, word(), headers), Some("unauthenticated"));
    }
}

#[test]
fn whom_access_let_in_came_with_credentials() {
    let open = |credentials: bool| {
        let mut relay = platform(json!({}));
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": credentials });
        relay
    };
    let foreign = [("origin", "https://admin.example.com"), ("sec-fetch-site", "same-site")];
    // The cookie by which Access let it in need not be there any more.
    assert_eq!(code(&open(true), word(), &foreign), None);
    assert_eq!(code(&open(false), word(), &foreign), Some("cross_origin_blocked"));
    let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    for method in ["GET", "POST", "DELETE"] {
        let outcome = send_vouched(&open(true), word(), method, URL, &evil);
        assert_eq!(outcome.code(), Some("cross_origin_blocked"));
    }
    // A stranger without credentials is told of the login that is missing.
    assert_eq!(code(&open(false), None, &foreign), Some("unauthenticated"));
}
