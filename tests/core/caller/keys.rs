//! The issuer's keys: when they are fetched, and what serves until then.

use access_relay_core::caller::gate::Gate;
use access_relay_core::caller::keys::{KeyCache, Lookup};
use access_relay_core::caller::runtime::Source;
use access_relay_core::outcomes::problem::Code;
use serde_json::{Value, json};

use crate::support::issuer::LocalKeys;
use crate::support::tasks::{in_turns, now};
use crate::support::tokens::{NOW, SigningKey, issuer_key, other_key, person, policy};

/// A person's claims of a token that is made at this time, unlike any other's.
fn person_at(at: i64) -> Value {
    let mut claims = person();
    (claims["iat"], claims["nbf"], claims["exp"]) = (json!(at), json!(at), json!(at + 3600));
    claims
}

#[test]
fn one_odd_key_does_not_take_down_the_set() {
    let keys = LocalKeys::publishing(&[&json!("x"), &json!({ "kty": "EC", "kid": "kid-1" }), &issuer_key().jwk]);
    assert!(now(Gate::new(keys).identify(&issuer_key().sign(&person()), &policy())).is_ok());
    // The same key twice is no doubt; its name for another key is, and hurts no third.
    let mut impostor = other_key().jwk.clone();
    impostor["kid"] = json!("kid-1");
    for (set, statuses) in [
        (vec![&issuer_key().jwk, &issuer_key().jwk, &other_key().jwk], [true, true]),
        (vec![&impostor, &issuer_key().jwk, &other_key().jwk], [false, true]),
    ] {
        let gate = Gate::new(LocalKeys::publishing(&set));
        let opens = [issuer_key(), other_key()].map(|key| now(gate.identify(&key.sign(&person()), &policy())).is_ok());
        assert_eq!(opens, statuses);
    }
}

#[test]
fn without_a_key_nobody_can_be_told() {
    let token = issuer_key().sign(&person());
    for answer in [
        Err("down".to_owned()),
        Ok(String::new()),
        Ok("<html>".to_owned()),
        Ok("{}".to_owned()),
        Ok(r#"{"keys":[]}"#.to_owned()),
        Ok(r#"{"keys":{}}"#.to_owned()),
    ] {
        let keys = LocalKeys::answering(answer);
        let gate = Gate::new(keys.clone());
        let refusal = now(gate.identify(&token, &policy())).unwrap_err();
        assert_eq!(refusal.code, Code::KeysUnavailable);
        assert!(refusal.reason.starts_with("signing keys: "), "{}", refusal.reason);
        // Asked again at once, the endpoint is left alone; a little later it is tried again.
        keys.clock.set(NOW + 1);
        assert_eq!(now(gate.identify(&token, &policy())).unwrap_err().code, Code::KeysUnavailable);
        assert_eq!(keys.fetches.get(), 1);
        *keys.answer.borrow_mut() = Ok(json!({ "keys": [issuer_key().jwk] }).to_string());
        keys.clock.set(NOW + 2);
        assert!(now(gate.identify(&token, &policy())).is_ok());
    }
}

#[test]
fn a_fetch_that_fails_late_has_failed() {
    let keys = LocalKeys::answering(Err("no answer in time".to_owned()));
    keys.fetch_seconds.set(5);
    let gate = Gate::new(keys.clone());
    for fetches in [1, 1, 2] {
        let refusal = now(gate.identify(&issuer_key().sign(&person()), &policy())).unwrap_err();
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::KeysUnavailable, "signing keys: no answer in time"));
        assert_eq!(keys.fetches.get(), fetches);
        keys.clock.set(keys.clock.get() + 1);
    }
}

#[test]
fn a_rotated_key_is_fetched_once_it_is_needed() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let identify = |key: &SigningKey, seconds| {
        keys.clock.set(NOW + seconds);
        now(gate.identify(&key.sign(&person()), &policy())).is_ok()
    };
    assert!(identify(issuer_key(), 0));
    *keys.answer.borrow_mut() = Ok(json!({ "keys": [other_key().jwk, issuer_key().jwk] }).to_string());
    // At once: that the isolate has just started does not count.
    assert!(identify(other_key(), 0));
    assert!(identify(issuer_key(), 1));
    assert_eq!(keys.fetches.get(), 2);
}

#[test]
fn keys_may_come_out_of_a_cache_and_what_it_lacks_comes_from_the_issuer_at_once() {
    let keys = LocalKeys::publishing(&[&other_key().jwk, &issuer_key().jwk]);
    // As it was before a rotation.
    *keys.cached.borrow_mut() = Some(json!({ "keys": [issuer_key().jwk] }).to_string());
    let gate = Gate::new(keys.clone());
    let identify = |key: &SigningKey, seconds| {
        keys.clock.set(NOW + seconds);
        now(gate.identify(&key.sign(&person_at(NOW + seconds)), &policy())).is_ok()
    };
    assert!(identify(issuer_key(), 0));
    assert_eq!(*keys.sources.borrow(), [Source::Cache]);
    assert!(identify(other_key(), 1));
    assert_eq!(*keys.sources.borrow(), [Source::Cache, Source::Issuer]);
    // Another isolate, whose first caller has the new key.
    let gate = Gate::new(keys.clone());
    assert!(now(gate.identify(&other_key().sign(&person_at(NOW + 2)), &policy())).is_ok());
    assert_eq!(keys.sources.borrow()[2..], [Source::Cache, Source::Issuer]);
    // An hour later, a cache will do again.
    keys.clock.set(NOW + 3700);
    assert!(now(gate.identify(&issuer_key().sign(&person_at(NOW + 3700)), &policy())).is_ok());
    assert_eq!(keys.sources.borrow()[4..], [Source::Cache]);
}

#[test]
fn what_a_cache_had_in_place_of_keys_is_not_asked_for_again() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    *keys.cached.borrow_mut() = Some("<html>".to_owned());
    let gate = Gate::new(keys.clone());
    let token = issuer_key().sign(&person());
    assert_eq!(now(gate.identify(&token, &policy())).unwrap_err().code, Code::KeysUnavailable);
    keys.clock.set(NOW + 2);
    assert!(now(gate.identify(&token, &policy())).is_ok());
    assert_eq!(*keys.sources.borrow(), [Source::Cache, Source::Issuer]);
    // Nor is the issuer asked twice for a kid that it has not.
    let gate = Gate::new(keys.clone());
    let unknown = other_key().sign(&person());
    assert_eq!(now(gate.identify(&unknown, &policy())).unwrap_err().code, Code::KeysUnavailable);
    keys.clock.set(NOW + 4);
    assert_eq!(now(gate.identify(&unknown, &policy())).unwrap_err().code, Code::Unauthenticated);
    assert_eq!(keys.sources.borrow()[2..], [Source::Cache, Source::Issuer]);
}

#[test]
fn unknown_kids_do_not_load_the_endpoint() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let stranger = other_key().sign(&person());
    for second in 0..60 {
        keys.clock.set(NOW + second);
        assert_eq!(now(gate.identify(&stranger, &policy())).unwrap_err().code, Code::Unauthenticated);
    }
    // The first, the one that the first unknown kid causes, and one half a minute later.
    assert_eq!(keys.fetches.get(), 3);
}

#[test]
fn old_keys_serve_while_the_endpoint_fails_and_the_log_says_so_once() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let identify = |key: &SigningKey, at: i64| {
        keys.clock.set(at);
        now(gate.identify(&key.sign(&person_at(at)), &policy()))
    };
    assert_eq!(identify(issuer_key(), NOW).unwrap().warnings, [""; 0]);
    *keys.answer.borrow_mut() = Err("down".to_owned());
    let warnings =
        [0, 1, 29, 30, 31].map(|second| identify(issuer_key(), NOW + 3600 + second).unwrap().warnings.is_empty());
    assert_eq!(warnings, [false, true, true, false, true]);
    assert_eq!(identify(issuer_key(), NOW + 3700).unwrap().warnings, ["signing keys: down; older keys serve"]);
    // Whoever is served next is told, though the one that fetched was refused.
    let forged = |at: i64| {
        keys.clock.set(at);
        let good = issuer_key().sign(&person_at(at));
        now(gate.identify(&format!("{}AAAA", &good[..good.len() - 4]), &policy())).is_err()
    };
    assert!(forged(NOW + 3731) && forged(NOW + 3732));
    assert!(!identify(issuer_key(), NOW + 3733).unwrap().warnings.is_empty());
    assert_eq!(identify(issuer_key(), NOW + 3734).unwrap().warnings, [""; 0]);
    // For a kid that is known; and for a day.
    assert_eq!(identify(other_key(), NOW + 3735).unwrap_err().code, Code::KeysUnavailable);
    assert!(identify(issuer_key(), NOW + 24 * 3600 - 1).is_ok());
    assert_eq!(identify(issuer_key(), NOW + 24 * 3600).unwrap_err().code, Code::KeysUnavailable);
    *keys.answer.borrow_mut() = Ok(json!({ "keys": [issuer_key().jwk] }).to_string());
    assert_eq!(identify(issuer_key(), NOW + 24 * 3600 + 30).unwrap().warnings, [""; 0]);
}

#[test]
fn a_cold_start_fetches_once_and_all_are_served() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    keys.slow.set(true);
    let gate = Gate::new(keys.clone());
    let tokens: Vec<String> = (0..100).map(|number| issuer_key().sign(&person_at(NOW + number))).collect();
    let policy = policy();
    keys.clock.set(NOW + 100);
    let requests = tokens.iter().map(|token| gate.identify(token, &policy));
    let answers = in_turns(requests, |round| {
        if round == 5 {
            keys.slow.set(false);
        }
        true
    });
    assert!(answers.iter().all(|answer| matches!(answer, Some(Ok(_)))));
    assert_eq!(keys.fetches.get(), 1);
    assert!(keys.pauses.get() >= 99);
}

#[test]
fn who_waits_for_anothers_fetch_waits_a_while_and_is_told() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    keys.slow.set(true);
    let gate = Gate::new(keys.clone());
    let (token, policy) = (issuer_key().sign(&person()), policy());
    let answers = in_turns((0..3).map(|_| gate.identify(&token, &policy)), |round| round < 50);
    assert!(answers[0].is_none(), "it waits for the endpoint, which the Worker ends after 5 seconds");
    assert!(
        answers[1..].iter().all(|answer| matches!(answer, Some(Err(refusal)) if refusal.code == Code::KeysUnavailable))
    );
    // The runtime may have given up the request that fetched: after a while, another one does.
    keys.slow.set(false);
    keys.clock.set(NOW + 7);
    assert!(now(gate.identify(&token, &policy)).is_ok());
    assert_eq!(keys.fetches.get(), 2);
}

#[test]
fn rotation_under_load_gives_no_wrong_answer() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(keys.clone());
    let policy = policy();
    assert!(now(gate.identify(&issuer_key().sign(&person()), &policy)).is_ok());
    *keys.answer.borrow_mut() = Ok(json!({ "keys": [other_key().jwk, issuer_key().jwk] }).to_string());
    keys.slow.set(true);
    let tokens: Vec<String> =
        (0..60).map(|number| [issuer_key(), other_key()][number % 2].sign(&person_at(NOW + number as i64))).collect();
    keys.clock.set(NOW + 60);
    let answers = in_turns(tokens.iter().map(|token| gate.identify(token, &policy)), |round| {
        if round == 4 {
            keys.slow.set(false);
        }
        true
    });
    assert!(answers.iter().all(|answer| matches!(answer, Some(Ok(_)))));
    assert_eq!(keys.fetches.get(), 2);
}

#[test]
fn times() {
    let mut cache = KeyCache::default();
    let key = |name: &str| Ok(vec![(name.to_owned(), 1)]);
    assert_eq!(cache.lookup(Some("a"), 0), Lookup::Fetch);
    cache.begin_fetch(1000);
    assert_eq!(cache.lookup(Some("a"), 1006), Lookup::Wait);
    assert_eq!(cache.lookup(Some("a"), 1007), Lookup::Fetch);
    cache.end_fetch(key("a"), 1000);
    assert_eq!(cache.lookup(Some("a"), 1000 + 3599), Lookup::Use(1));
    assert_eq!(cache.lookup(Some("b"), 1001), Lookup::Fetch);
    cache.begin_fetch(1001);
    assert_eq!((cache.lookup(Some("b"), 1001), cache.lookup(Some("a"), 1001)), (Lookup::Wait, Lookup::Use(1)));
    cache.end_fetch(key("a"), 1001);
    assert_eq!(cache.lookup(Some("b"), 1001 + 29), Lookup::Unknown);
    assert_eq!(cache.lookup(Some("b"), 1001 + 30), Lookup::Fetch);
    assert_eq!(cache.lookup(Some("a"), 1001 + 3600), Lookup::Fetch);
    // The endpoint fails: the stale key serves for a day, and is not asked for at every request.
    cache.begin_fetch(5000);
    assert_eq!((cache.lookup(Some("a"), 5000), cache.lookup(Some("b"), 5000)), (Lookup::Use(1), Lookup::Wait));
    cache.end_fetch(Err("down".to_owned()), 5000);
    assert_eq!(cache.failure(), Some("down"));
    assert_eq!(cache.lookup(Some("a"), 5029), Lookup::Use(1));
    assert_eq!(cache.lookup(Some("a"), 5030), Lookup::Fetch);
    assert_eq!(cache.lookup(Some("b"), 5001), Lookup::Unavailable);
    let a_day_later = 1001 + 24 * 3600;
    assert_eq!(cache.lookup(Some("a"), a_day_later), Lookup::Fetch);
    cache.begin_fetch(a_day_later);
    cache.end_fetch(Err("down".to_owned()), a_day_later);
    assert_eq!(cache.lookup(Some("a"), a_day_later + 1), Lookup::Unavailable);
    // With no key that serves, a failure is soon forgotten.
    assert_eq!(cache.lookup(Some("a"), a_day_later + 2), Lookup::Fetch);
    // A good fetch makes the failure forgotten at once. A kid that is not in it may be asked for once more.
    cache.end_fetch(key("a"), a_day_later);
    assert_eq!(cache.failure(), None);
    assert_eq!(cache.tell_failure(), None);
    assert_eq!(cache.lookup(Some("b"), a_day_later + 1), Lookup::Fetch);
    // A fetch for an unknown kid that was given up with its request counts for that kid, while the keys are fresh.
    cache.end_fetch(key("a"), 200_000);
    cache.begin_fetch(200_000 + 3590);
    assert_eq!(cache.lookup(Some("b"), 200_000 + 3599), Lookup::Unknown);
    assert_eq!(cache.lookup(Some("b"), 200_000 + 3600), Lookup::Fetch);
    cache.end_fetch(key("a"), a_day_later);
    // Any key will do for who asks whether there is one.
    assert_eq!(cache.lookup(None, a_day_later), Lookup::Use(1));
    assert_eq!(KeyCache::<i32>::default().lookup(None, 0), Lookup::Fetch);
}
