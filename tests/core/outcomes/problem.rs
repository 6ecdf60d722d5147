//! Refusals: what their bodies say, and how long a reason may be.

use access_relay_core::outcomes::problem::{Code, Refusal};

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
