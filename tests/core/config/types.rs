//! The configuration, once it is parsed: its secrets are known, and not printed.

use serde_json::json;

use crate::support::config::{minimal, parsed, relay};

#[test]
fn the_secrets_of_a_configuration() {
    let config = parsed(&relay(|value| {
        value["routes"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "path": "/b", "upstream": "https://b.example", "credentials": "caller-token" }));
    }));
    assert_eq!(config.secrets().collect::<Vec<_>>(), ["s3cr3t-value", "0123.access"]);
}

#[test]
fn a_secret_is_not_printed_with_its_configuration() {
    let printed = format!("{:?}", parsed(&minimal()));
    assert!(printed.contains("CF_ACCESS") && !printed.contains("s3cr3t-value"), "{printed}");
}
