//! What counts as a signing key.

use access_relay_core::caller::jwk::Jwk;
use serde_json::{Value, json};

use crate::support::tokens::issuer_key;

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
        changed(|jwk| jwk["kid"] = json!("")),
        changed(|jwk| jwk["n"] = json!("A".repeat(171))),
        changed(|jwk| jwk["n"] = json!("A".repeat(1366))),
        changed(|jwk| jwk["e"] = json!("AQ\"AB")),
        Jwk::parse(&json!("x")),
        Jwk::parse(&json!(null)),
    ] {
        assert!(unfit.is_err(), "{unfit:?}");
    }
}
