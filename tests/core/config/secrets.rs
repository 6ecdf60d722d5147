//! The secrets: which ones a table asks for, and what is said where they are not there.

use access_relay_core::config::secrets::secret_names;
use serde_json::{Value, json};

use crate::support::config::{errors_with, minimal, relay, secrets_of};

#[test]
fn the_secrets_a_table_asks_for() {
    let names = |value: Value| secret_names(&value);
    let default = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];
    assert_eq!(names(minimal()), default);
    assert_eq!(
        names(json!({ "routes": [{}, {}, { "service_token": "B" }, { "credentials": "caller-token" }] })),
        [&default[..], &["B_CLIENT_ID", "B_CLIENT_SECRET"]].concat()
    );
    for odd in [json!(null), json!(1), json!({ "routes": 1 }), json!({ "routes": [1, "x", null] })] {
        let _ = names(odd);
    }
}

#[test]
fn secrets_are_asked_for_where_a_route_sends_a_service_token() {
    let names =
        |credentials: &str| secret_names(&relay(|value| value["routes"][0]["credentials"] = json!(credentials)));
    assert_eq!(names("service-token"), ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"]);
    assert!(names("caller-token").is_empty());
}

#[test]
fn secrets_that_cannot_work() {
    for (id, secret, expected) in [
        ("", "s3cr3t", "CF_ACCESS_CLIENT_ID: found no secret of that name"),
        ("0123.access", "", "CF_ACCESS_CLIENT_SECRET: found no secret of that name"),
        ("0123.access\n", "s3cr3t", "CF_ACCESS_CLIENT_ID: found a space, a line break"),
        ("0123.access", "CF-Access-Client-Secret: s3cr3t", "CF_ACCESS_CLIENT_SECRET: found a space, a line break"),
        ("s3cr3t", "0123.access", "CF_ACCESS_CLIENT_SECRET: found a Client ID; swap the two"),
    ] {
        let found = errors_with(&minimal(), &secrets_of(id, secret)).join("\n");
        assert!(found.starts_with(expected), "{found}");
        assert!(!found.contains("s3cr3t") && !found.contains("0123"), "a secret is shown: {found}");
    }
}
