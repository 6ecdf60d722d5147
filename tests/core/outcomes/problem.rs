use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::rules::cors::Preflight;
use serde_json::json;

use crate::support::{parsed, relay};

#[test]
fn bodies() {
    for code in Code::ALL {
        let refusal = Refusal::new(*code, "the reason");
        let body: serde_json::Value = serde_json::from_str(&refusal.body("0af7", false)).unwrap();
        assert_eq!(body["code"], code.as_str());
        assert_eq!(body["status"], code.status());
        assert_eq!(body["type"], format!("urn:problem-type:access-relay:{}", code.as_str()));
        assert_eq!(body["trace_id"], "0af7");
        assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty());
        assert_eq!(body.get("reason"), None);
        let debugged: serde_json::Value = serde_json::from_str(&refusal.body("0af7", true)).unwrap();
        assert_eq!(debugged["reason"], "the reason");
    }
}

#[test]
fn reasons_are_bounded() {
    let of = |reason: String| Refusal::new(Code::Internal, reason).redacted(["s3cr3t-value"].into_iter()).reason;
    assert_eq!(of("é".repeat(10_000)).chars().count(), 500);
    // What is secret is hidden before a cut could leave the half of it.
    let cut = of(format!("{}s3cr3t-value", "x".repeat(494)));
    assert_eq!(cut, format!("{}(not s", "x".repeat(494)));
}

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
