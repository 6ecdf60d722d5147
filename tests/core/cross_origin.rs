//! Which requests of foreign pages are refused.

use access_relay::cors::Policy;
use access_relay::cross_origin::{Facts, applies, check};
use serde_json::json;

use crate::support::{parsed, relay};

fn policy(value: serde_json::Value) -> Policy {
    Policy::clone(
        &parsed(&relay(|relay| {
            relay["cors"] = value;
            relay["access"] = json!({ "dangerously_allow_anyone": true });
        }))
        .cors,
    )
}

#[test]
fn requests_that_pass_and_requests_that_do_not() {
    let none = Policy::default();
    let credentialed = policy(json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": true }));
    let plain = policy(json!({ "allowed_origins": ["https://admin.example.com"] }));
    let open = policy(json!({ "allowed_origins": ["*"] }));
    let own = Some("https://app.example.com");
    let admin = Some("https://admin.example.com");
    let evil = Some("https://evil.example");
    #[rustfmt::skip]
    let table: &[(&str, bool, Option<&str>, Option<&str>, bool, &Policy, bool)] = &[
        // method, websocket, sec-fetch-site, origin, carries credentials, policy, passes
        // Links, images and scripts of other pages carry no Origin: safe methods pass.
        ("GET", false, Some("cross-site"), None, true, &none, true),
        ("HEAD", false, Some("cross-site"), None, true, &none, true),
        // CORS requests that the policy does not allow are refused, whatever the method.
        ("GET", false, Some("cross-site"), evil, true, &none, false),
        ("HEAD", false, None, evil, false, &none, false),
        ("OPTIONS", false, Some("cross-site"), evil, true, &none, false),
        ("GET", false, Some("cross-site"), Some("null"), false, &none, false),
        ("GET", false, Some("same-origin"), own, true, &none, true),
        ("GET", false, None, own, true, &none, true),
        ("GET", false, Some("same-site"), admin, true, &credentialed, true),
        ("GET", false, Some("same-site"), admin, true, &plain, false),
        ("GET", false, Some("same-site"), admin, false, &plain, true),
        ("GET", false, Some("cross-site"), evil, false, &open, true),
        ("POST", false, Some("same-origin"), own, true, &none, true),
        ("POST", false, Some("none"), None, true, &none, true),
        ("POST", false, None, None, true, &none, true),
        ("POST", false, None, own, true, &none, true),
        ("POST", false, None, Some("http://APP.example.com"), true, &none, true),
        // Sec-Fetch-Site speaks first: a page cannot set it.
        ("POST", false, Some("same-origin"), evil, true, &none, true),
        ("POST", false, Some("cross-site"), own, true, &none, false),
        ("POST", false, Some("cross-site"), evil, true, &none, false),
        ("POST", false, Some("cross-site"), None, true, &none, false),
        ("POST", false, Some("same-site"), admin, true, &none, false),
        ("POST", false, Some("same-origin, cross-site"), own, true, &none, false),
        ("POST", false, Some(""), own, true, &none, false),
        ("POST", false, None, evil, true, &none, false),
        ("POST", false, None, Some("null"), true, &none, false),
        ("POST", false, None, Some(""), true, &none, false),
        ("POST", false, None, Some("https://app.example.com:8443"), true, &none, false),
        ("POST", false, None, Some("https://app.example.com.evil.example"), true, &none, false),
        ("PUT", false, Some("cross-site"), evil, true, &none, false),
        ("DELETE", false, Some("cross-site"), evil, true, &none, false),
        ("PATCH", false, Some("cross-site"), evil, true, &none, false),
        ("get", false, Some("cross-site"), evil, true, &none, false),
        ("BREW", false, Some("cross-site"), evil, true, &none, false),
        // WebSockets.
        ("GET", true, Some("same-origin"), own, true, &none, true),
        ("GET", true, None, own, true, &none, true),
        ("GET", true, Some("cross-site"), evil, true, &none, false),
        ("GET", true, None, evil, true, &none, false),
        ("GET", true, Some("same-site"), admin, true, &credentialed, true),
        // Allowed origins; those of a policy without credentials only with none.
        ("POST", false, Some("same-site"), admin, true, &credentialed, true),
        ("POST", false, None, admin, true, &credentialed, true),
        ("POST", false, Some("cross-site"), evil, true, &credentialed, false),
        ("POST", false, Some("same-site"), admin, true, &plain, false),
        ("POST", false, Some("same-site"), admin, false, &plain, true),
        ("POST", false, Some("cross-site"), evil, false, &plain, false),
        ("POST", false, Some("cross-site"), evil, true, &open, false),
        ("POST", false, Some("cross-site"), evil, false, &open, true),
        ("POST", false, Some("cross-site"), None, false, &open, false),
    ];
    for row @ (method, websocket, site, origin, carries_credentials, policy, passes) in table {
        let facts =
            Facts { site: *site, origin: *origin, host: "app.example.com", carries_credentials: *carries_credentials };
        let result = if applies(method, *websocket, origin.is_some()) { check(facts, policy) } else { Ok(()) };
        assert_eq!(result.is_ok(), *passes, "{row:?}");
        assert!(result.is_ok() || result.unwrap_err().code.as_str() == "cross_origin_blocked");
    }
}

#[test]
fn an_allowed_origin_is_told_what_was_too_much() {
    let plain = policy(json!({ "allowed_origins": ["https://admin.example.com"] }));
    let facts = |origin| Facts {
        site: Some("same-site"),
        origin: Some(origin),
        host: "app.example.com",
        carries_credentials: true,
    };
    let reason = |origin| check(facts(origin), &plain).unwrap_err().reason;
    assert_eq!(
        reason("https://admin.example.com"),
        "cors.allow_credentials is false, and a cookie or an Access token came along"
    );
    assert_eq!(reason("https://evil.example"), "sec-fetch-site is \"same-site\"");
}
