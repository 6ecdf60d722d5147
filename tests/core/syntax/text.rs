//! Texts that are quoted for whoever reads on.

use access_relay_core::rules::cors::Preflight;
use serde_json::json;

use crate::support::config::{parsed, relay};

#[test]
fn what_is_quoted_says_where_it_was_cut() {
    let reason = |kid: &str| {
        let policy = parsed(&relay(|relay| relay["cors"] = json!({ "allowed_origins": ["https://a.example"] }))).cors;
        let asked = Preflight { origin: kid, method: "GET", headers: None };
        policy.preflight(asked).unwrap_err().refusal.reason
    };
    assert_eq!(reason("x\"y"), "cors.allowed_origins does not list \"x\\\"y\"");
    assert!(reason(&"x".repeat(100)).ends_with("x\""));
    assert!(reason(&"x".repeat(101)).ends_with("x…\""));
}
