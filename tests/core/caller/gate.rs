//! The caller check around the token: where it is looked for, and what is remembered. `token` has the tokens themselves.

use std::borrow::Cow;

use access_relay_core::caller::gate::{Gate, tokens_of};
use access_relay_core::caller::runtime::Source;
use access_relay_core::outcomes::problem::Code;
use serde_json::{Value, json};

use crate::support::heads::Lines;
use crate::support::issuer::LocalKeys;
use crate::support::tasks::now;
use crate::support::tokens::{NOW, issuer_key, other_key, person, policy};

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
    // At the start; and then the cache may lack the key, so that the issuer is asked past it.
    assert_eq!(*keys.sources.borrow(), [Source::Cache, Source::Cache, Source::Issuer]);
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
        Lines::of(lines).asked("GET", "https://app.example.com/api", |head| {
            tokens_of(head).map(|tokens| tokens.into_iter().map(Cow::into_owned).collect::<Vec<_>>())
        })
    };
    // Of the length that a signature by RS256 has.
    let long = |start: &str| format!("{start}.{}", "s".repeat(342));
    let (cde, fgh) = (long("c.d"), long("f.g"));
    let one = |token: &str| Ok(vec![token.to_owned()]);
    let header = ("cf-access-jwt-assertion", "h");
    assert_eq!(of(&[header]), one("h"));
    let login = format!("CF_Authorization={cde}");
    assert_eq!(of(&[("cookie", &format!("a=1; {login}"))]), one(&cde));
    assert_eq!(of(&[header, ("cookie", &login)]), one("h"));
    // A header that is there but bad is not saved by the cookie; repeated ones make one that is bad.
    assert_eq!(of(&[("cf-access-jwt-assertion", ""), ("cookie", &login)]), one(""));
    assert_eq!(of(&[header, header]), one("h, h"));
    // What could not be signed does not count beside one that may be.
    let short = format!("a.b.{}", "s".repeat(341));
    for planted in ["", "x", "a.b", "a.b.c", "a.b.c.d", &short, &long("a.b.c"), &long("a")] {
        for cookie in [format!("{login}; CF_Authorization={planted}"), format!("CF_Authorization={planted}; {login}")] {
            assert_eq!(of(&[("cookie", &cookie)]), one(&cde), "{cookie}");
        }
    }
    assert_eq!(of(&[("cookie", &format!("CF_Authorization; {login}"))]), one(&cde));
    assert_eq!(of(&[("cookie", &format!("{login}; {login}"))]), one(&cde));
    let two = format!("{login}; CF_Authorization={fgh}");
    assert_eq!(of(&[("cookie", &two)]).map(|tokens| tokens.len()), Ok(2));
    // Two lines arrive joined.
    assert_eq!(of(&[("cookie", "theme=dark"), ("cookie", &login)]), one(&cde));
    assert_eq!(of(&[("cookie", &login), ("cookie", "theme=dark")]), one(&cde));
    let many: Vec<String> = (0..40).map(|n| format!("CF_Authorization={}", long(&format!("{n}.b")))).collect();
    assert_eq!(of(&[("cookie", &many[..32].join("; "))]).map(|tokens| tokens.len()), Ok(32));
    assert_eq!(of(&[("cookie", &many.join("; "))]), Err("too many CF_Authorization cookies that differ"));
    let junk: Vec<String> = (0..5000).map(|n| format!("CF_Authorization={n}.b.c")).collect();
    assert_eq!(of(&[("cookie", &format!("{}; {login}", junk.join("; ")))]), one(&cde));
    let none = Err("no cf-access-jwt-assertion header and no CF_Authorization cookie");
    assert_eq!(of(&[("cookie", &login.to_ascii_lowercase())]), none);
    assert_eq!(of(&[("authorization", "Bearer x"), ("cf-access-token", "x"), ("cookie", "a=1")]), none);
    assert_eq!(of(&[]), none);
    let no_jwt = Err("no CF_Authorization cookie holds a JWT with a signature by RS256");
    assert_eq!(of(&[("cookie", "CF_Authorization=x; CF_Authorization=")]), no_jwt);
}

#[test]
fn of_several_tokens_the_good_ones_must_name_one_caller() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys);
    let sign = |change: &dyn Fn(&mut Value)| {
        let mut claims = person();
        change(&mut claims);
        issuer_key().sign(&claims)
    };
    let ada = sign(&|_| {});
    let ada_again = sign(&|claims| claims["identity_nonce"] = json!("other"));
    let eve = sign(&|claims| claims["sub"] = json!("eve-1"));
    let expired = sign(&|claims| claims["exp"] = json!(NOW - 3600));
    let forged = other_key().sign(&person());
    let junk = "a.b.c".to_owned();
    let of = |tokens: &[&String]| {
        let tokens = tokens.iter().map(|token| Cow::Owned((*token).clone())).collect();
        now(gate.identify_one(tokens, &policy())).map(|(_, token)| token.into_owned()).map_err(|refusal| refusal.reason)
    };
    for bad in [&expired, &forged, &junk] {
        assert_eq!(of(&[&ada, bad]), Ok(ada.clone()));
        assert_eq!(of(&[bad, &ada]), Ok(ada.clone()));
    }
    assert_eq!(of(&[&junk, &forged, &ada_again, &ada]), Ok(ada_again.clone()));
    let several = Err("several good CF_Authorization cookies name different callers".to_owned());
    assert_eq!(of(&[&ada, &eve]), several);
    assert_eq!(of(&[&eve, &junk, &ada]), several);
    assert_eq!(of(&[&expired, &junk]), Err("exp is in the past".to_owned()));

    // Also where no key is there yet, or all are stale: the first one fetches them, for all.
    for hours in [0, 2] {
        let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
        let gate = Gate::new(keys.clone());
        if hours > 0 {
            assert!(now(gate.identify(&ada, &policy())).is_ok());
        }
        keys.clock.set(NOW + hours * 1800);
        let tokens = || vec![Cow::Borrowed(eve.as_str()), Cow::Borrowed(ada_again.as_str())];
        let refused = now(gate.identify_one(tokens(), &policy())).map(|_| ()).map_err(|refusal| refusal.reason);
        assert_eq!(refused, several.clone().map(|_| ()), "after {hours} half hours");
    }
}

#[test]
fn one_token_that_cannot_be_checked_does_not_shut_out_a_good_one() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let good = issuer_key().sign(&person());
    assert!(now(gate.identify(&good, &policy())).is_ok());
    *keys.answer.borrow_mut() = Err("down".to_owned());
    let unknown = other_key().sign(&person());
    let tokens = vec![Cow::Owned(unknown.clone()), Cow::Owned(good.clone())];
    assert_eq!(now(gate.identify_one(tokens, &policy())).unwrap().1, good);
    // Nor does it have its caller wait: the one whose key is known comes first.
    assert_eq!((keys.fetches.get(), keys.pauses.get()), (1, 0));
    let code = now(gate.identify_one(vec![Cow::Borrowed("a.b.c"), Cow::Owned(unknown)], &policy())).unwrap_err().code;
    assert_eq!(code, Code::KeysUnavailable);
}
