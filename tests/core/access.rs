//! The caller check around the token: where it is looked for, and what is remembered. tests/core/attacks.rs has the
//! tokens themselves.

use std::borrow::Cow;

use access_relay::access::{Gate, token_of};
use access_relay::problem::Code;
use serde_json::json;

use crate::support::{Lines, LocalKeys, NOW, issuer_key, now, other_key, person, policy};

#[test]
fn a_good_token_is_remembered_and_a_bad_one_never() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let good = issuer_key().sign(&person());
    let forged =
        format!("{}.{}", good.rsplit_once('.').unwrap().0, other_key().sign(&person()).rsplit('.').next().unwrap());
    for _ in 0..3 {
        assert!(now(gate.identify(&good, &policy())).is_ok());
        assert!(now(gate.identify(&forged, &policy())).is_err());
    }
    assert_eq!((keys.fetches.get(), keys.verifications.get()), (1, 1 + 3));
    // Remembered only as long as it is valid.
    keys.clock.set(NOW + 3600 + 61);
    assert!(now(gate.identify(&good, &policy())).is_err());
}

#[test]
fn a_withdrawn_key_opens_nothing_after_an_hour_of_remembering() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let mut claims = person();
    claims["exp"] = json!(NOW + 30 * 24 * 3600);
    let token = issuer_key().sign(&claims);
    assert!(now(gate.identify(&token, &policy())).is_ok());
    *keys.answer.borrow_mut() = Ok(json!({ "keys": [other_key().jwk] }).to_string());
    keys.clock.set(NOW + 3599);
    assert!(now(gate.identify(&token, &policy())).is_ok());
    assert_eq!(keys.verifications.get(), 1);
    keys.clock.set(NOW + 3600);
    assert!(now(gate.identify(&token, &policy())).is_err());
    assert_eq!(keys.fetches.get(), 2);
}

#[test]
fn a_token_that_is_signed_well_but_opens_nothing_is_not_remembered() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let mut claims = person();
    claims["aud"] = json!("other");
    let token = issuer_key().sign(&claims);
    for _ in 0..2 {
        assert!(now(gate.identify(&token, &policy())).is_err());
    }
    assert_eq!(keys.verifications.get(), 2);
}

#[test]
fn a_caller_with_long_texts_is_served_and_not_remembered() {
    for (sub, email, verifications) in [(400, 100, 1), (600, 0, 2), (300, 300, 2), (0, 600, 2)] {
        let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
        let gate = Gate::new(keys.clone());
        let mut claims = person();
        claims["sub"] = json!(format!("s{}", "s".repeat(sub)));
        claims["email"] = json!("e".repeat(email));
        let token = issuer_key().sign(&claims);
        for _ in 0..2 {
            assert!(now(gate.identify(&token, &policy())).is_ok());
        }
        assert_eq!(keys.verifications.get(), verifications);
    }
}

#[test]
fn whether_tokens_can_be_checked_at_all() {
    let keys = LocalKeys::answering(Err("down".to_owned()));
    let gate = Gate::new(keys.clone());
    assert_eq!(now(gate.has_keys(&policy())).unwrap_err().code, Code::KeysUnavailable);
    *keys.answer.borrow_mut() = Ok(json!({ "keys": [issuer_key().jwk] }).to_string());
    keys.clock.set(NOW + 2);
    assert_eq!(now(gate.has_keys(&policy())), Ok(()));
    assert_eq!((now(gate.has_keys(&policy())), keys.fetches.get()), (Ok(()), 2));
}

#[test]
fn where_the_token_is_looked_for() {
    let of = |lines: &[(&str, &str)]| {
        Lines::of(lines).asked("GET", "https://app.example.com/api", |head| token_of(head).ok().map(Cow::into_owned))
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
    assert_eq!(of(&[("cookie", "CF_Authorization=c; CF_Authorization=")]), None);
    assert_eq!(of(&[("cookie", "cf_authorization=c")]), None);
    assert_eq!(of(&[("authorization", "Bearer x"), ("cf-access-token", "x"), ("cookie", "a=1")]), None);
    assert_eq!(of(&[]), None);
}
