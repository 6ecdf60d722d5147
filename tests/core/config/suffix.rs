//! Public suffixes: whoever reads a policy may know more of them.

use serde_json::json;

use crate::support::config::{parse, relay, secrets};

#[test]
fn whoever_reads_a_policy_may_know_more_public_suffixes_than_the_worker() {
    let policy = json!({ "allowed_origins": ["https://*.kobe.jp:*"], "allow_credentials": true });
    let relay = relay(|value| value["cors"] = policy);
    assert!(parse(&relay, &secrets()).is_ok());
    let told = access_relay_core::config::parse::parse(&relay, &secrets(), |host| host == "kobe.jp").unwrap_err();
    assert!(
        told[0].to_string().starts_with("cors.allowed_origins[0]: found \"https://*.kobe.jp:*\"; name the origins")
    );
}
