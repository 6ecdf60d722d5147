use access_relay::problem::{Code, Refusal};

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
    assert_eq!(Refusal::new(Code::Internal, "é".repeat(10_000)).reason.chars().count(), 500);
}
