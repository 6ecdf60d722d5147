//! Signing keys: which count, and when they are fetched.

use access_relay::access::Gate;
use access_relay::config::JwtPolicy;
use access_relay::keys::{Jwk, KeyCache, Lookup};
use access_relay::problem::Code;
use serde_json::{Value, json};

use crate::support::{AUD, ISSUER, LocalKeys, NOW, issuer_key, now, other_key, person};

fn policy() -> JwtPolicy {
    JwtPolicy {
        issuer: ISSUER.to_owned(),
        certs_url: format!("{ISSUER}/cdn-cgi/access/certs"),
        audience: vec![AUD.to_owned()],
        identity_headers: true,
    }
}

#[test]
fn what_counts_as_a_key() {
    let changed = |change: fn(&mut Value)| {
        let mut jwk = issuer_key().jwk.clone();
        change(&mut jwk);
        Jwk::parse(&jwk)
    };
    for fit in [
        changed(|_| {}),
        changed(|jwk| drop(jwk.as_object_mut().unwrap().remove("alg"))),
        changed(|jwk| drop(jwk.as_object_mut().unwrap().remove("use"))),
        changed(|jwk| jwk["key_ops"] = json!(["sign", "verify"])),
        changed(|jwk| jwk["x5c"] = json!(["…"])),
    ] {
        assert!(fit.is_ok(), "{fit:?}");
    }
    for unfit in [
        changed(|jwk| jwk["kty"] = json!("EC")),
        changed(|jwk| jwk["alg"] = json!("RS512")),
        changed(|jwk| jwk["alg"] = json!(null)),
        changed(|jwk| jwk["use"] = json!("enc")),
        changed(|jwk| jwk["key_ops"] = json!(["encrypt"])),
        changed(|jwk| jwk["key_ops"] = json!("verify")),
        changed(|jwk| drop(jwk.as_object_mut().unwrap().remove("kid"))),
        changed(|jwk| jwk["kid"] = json!(1)),
        changed(|jwk| jwk["n"] = json!("A".repeat(171))),
        changed(|jwk| jwk["n"] = json!("A".repeat(1366))),
        changed(|jwk| jwk["e"] = json!("AQ\"AB")),
        Jwk::parse(&json!("x")),
        Jwk::parse(&json!(null)),
    ] {
        assert!(unfit.is_err(), "{unfit:?}");
    }
}

#[test]
fn one_odd_key_does_not_take_down_the_set() {
    let keys = LocalKeys::publishing(&[&json!("x"), &json!({ "kty": "EC", "kid": "kid-1" }), &issuer_key().jwk]);
    assert!(now(Gate::new(&keys).identify(&issuer_key().sign(&person()), &policy(), NOW)).is_ok());
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
        let gate = Gate::new(&keys);
        assert_eq!(now(gate.identify(&token, &policy(), NOW)).unwrap_err().code, Code::KeysUnavailable);
        // Asked again at once, the endpoint is left alone; a little later it is tried again.
        assert_eq!(now(gate.identify(&token, &policy(), NOW + 1)).unwrap_err().code, Code::KeysUnavailable);
        assert_eq!(keys.fetches.get(), 1);
        *keys.answer.borrow_mut() = Ok(json!({ "keys": [issuer_key().jwk] }).to_string());
        assert!(now(gate.identify(&token, &policy(), NOW + 2)).is_ok());
    }
}

#[test]
fn a_rotated_key_is_fetched_once_it_is_needed() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(&keys);
    assert!(now(gate.identify(&issuer_key().sign(&person()), &policy(), NOW)).is_ok());
    *keys.answer.borrow_mut() = Ok(json!({ "keys": [other_key().jwk, issuer_key().jwk] }).to_string());
    assert!(now(gate.identify(&other_key().sign(&person()), &policy(), NOW + 31)).is_ok());
    assert_eq!(keys.fetches.get(), 2);
}

#[test]
fn unknown_kids_do_not_load_the_endpoint() {
    let keys = LocalKeys::publishing(&[&issuer_key().jwk]);
    let gate = Gate::new(&keys);
    let stranger = other_key().sign(&person());
    for second in 0..60 {
        assert_eq!(now(gate.identify(&stranger, &policy(), NOW + second)).unwrap_err().code, Code::Unauthenticated);
    }
    assert_eq!(keys.fetches.get(), 2);
}

#[test]
fn times() {
    let mut cache = KeyCache::default();
    assert_eq!(cache.lookup("a", 0), Lookup::Fetch { fallback: None });
    cache.begin_fetch(1000);
    // While the first fetch is under way, every other request of a cold start fetches for itself.
    assert_eq!(cache.lookup("a", 1000), Lookup::Fetch { fallback: None });
    cache.replace(vec![("a".to_owned(), 1)], 1000);
    assert_eq!(cache.lookup("a", 1000 + 3599), Lookup::Use(1));
    assert_eq!(cache.lookup("b", 1000 + 29), Lookup::Unknown);
    assert_eq!(cache.lookup("b", 1000 + 30), Lookup::Fetch { fallback: None });
    assert_eq!(cache.lookup("a", 1000 + 3600), Lookup::Fetch { fallback: Some(1) });
    // The endpoint fails: the stale key serves for a day, and is not asked for at every request.
    cache.begin_fetch(5000);
    cache.fail_fetch(5000);
    assert_eq!(cache.lookup("a", 5029), Lookup::Use(1));
    assert_eq!(cache.lookup("a", 5030), Lookup::Fetch { fallback: Some(1) });
    assert_eq!(cache.lookup("b", 5001), Lookup::Unavailable);
    let a_day_later = 1000 + 24 * 3600;
    assert_eq!(cache.lookup("a", a_day_later), Lookup::Fetch { fallback: None });
    cache.begin_fetch(a_day_later);
    cache.fail_fetch(a_day_later);
    assert_eq!(cache.lookup("a", a_day_later + 1), Lookup::Unavailable);
}
