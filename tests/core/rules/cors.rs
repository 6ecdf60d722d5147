//! CORS: policy and request in, exact headers out; what is not named here must be absent.

use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::rules::cors::{Policy, Preflight, is_no_browsers};
use serde_json::json;

use crate::support::config::cors_policy;

const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

fn lines(edits: &Edits) -> Vec<(&'static str, String)> {
    edits
        .iter()
        .map(|edit| match edit {
            Edit::Set(name, value) | Edit::Append(name, value) => (name.as_str(), value.to_owned()),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The headers of an allowed preflight besides `Vary`, or the code of the refusal and the headers gathered before it.
fn preflight(
    policy: &Policy,
    origin: &str,
    method: &str,
    headers: Option<&str>,
) -> Result<Vec<(&'static str, String)>, (&'static str, Vec<(&'static str, String)>)> {
    let (result, edits) = match policy.preflight(Preflight { origin, method, headers }) {
        Ok(edits) => (Ok(()), edits),
        Err(refused) => (Err(refused.refusal.code.as_str()), refused.gathered),
    };
    let mut lines = lines(&edits);
    assert_eq!(lines.remove(0), ("vary", PREFLIGHT_VARY.to_owned()));
    match result {
        Ok(()) => Ok(lines),
        Err(code) => Err((code, lines)),
    }
}

fn owned(lines: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    lines.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[test]
fn allowed_preflights() {
    let plain = cors_policy(json!({
        "allowed_origins": ["https://a.example", "https://b.example"], "allowed_methods": ["PUT", "DELETE", "QUERY"],
        "allowed_headers": ["Content-Type", "x-a", "X-B"], "exposed_headers": ["x-total"], "max_age": 600,
    }));
    let credentialed =
        cors_policy(json!({ "allowed_origins": ["https://a.example"], "allow_credentials": true, "max_age": 0 }));
    let open = cors_policy(json!({ "allowed_origins": ["*"], "allowed_methods": ["*"], "allowed_headers": ["*"] }));
    let open_authorization =
        cors_policy(json!({ "allowed_origins": ["*"], "allowed_headers": ["*", "Authorization"] }));
    #[rustfmt::skip]
    let table: &[(&Policy, &str, &str, Option<&str>, &[(&str, &str)])] = &[
        (&plain, "https://a.example", "GET", None, &[("access-control-allow-origin", "https://a.example"), ("access-control-max-age", "600")]),
        (&plain, "https://b.example", "POST", Some(""), &[("access-control-allow-origin", "https://b.example"), ("access-control-max-age", "600")]),
        (&plain, "https://a.example", "PUT", Some("content-type"), &[("access-control-allow-origin", "https://a.example"), ("access-control-allow-methods", "PUT"), ("access-control-allow-headers", "content-type"), ("access-control-max-age", "600")]),
        (&plain, "https://a.example", "QUERY", None, &[("access-control-allow-origin", "https://a.example"), ("access-control-allow-methods", "QUERY"), ("access-control-max-age", "600")]),
        // What gateways make of the line: order, case, spaces, empty elements, repetitions, several lines joined.
        (&plain, "https://a.example", "GET", Some("x-b, X-A ,,\tcontent-TYPE,, x-a"), &[("access-control-allow-origin", "https://a.example"), ("access-control-allow-headers", "content-type,x-a,x-b"), ("access-control-max-age", "600")]),
        (&credentialed, "https://a.example", "HEAD", None, &[("access-control-allow-origin", "https://a.example"), ("access-control-allow-credentials", "true"), ("access-control-max-age", "0")]),
        (&open, "https://any.example", "PATCH", Some("x-any,x-b"), &[("access-control-allow-origin", "*"), ("access-control-allow-methods", "*"), ("access-control-allow-headers", "*"), ("access-control-max-age", "1800")]),
        (&open, "null", "GET", None, &[("access-control-allow-origin", "*"), ("access-control-max-age", "1800")]),
        (&open_authorization, "https://any.example", "GET", Some("authorization,x-b"), &[("access-control-allow-origin", "*"), ("access-control-allow-headers", "*, authorization"), ("access-control-max-age", "1800")]),
    ];
    for (policy, origin, method, headers, expected) in table {
        assert_eq!(preflight(policy, origin, method, *headers), Ok(owned(expected)), "{origin} {method} {headers:?}");
    }
}

#[test]
fn refused_preflights() {
    let plain = cors_policy(
        json!({ "allowed_origins": ["https://a.example"], "allowed_methods": ["PUT"], "allowed_headers": ["x-a"] }),
    );
    let open = cors_policy(json!({ "allowed_origins": ["*"], "allowed_headers": ["*"] }));
    let origin = ("access-control-allow-origin", "https://a.example");
    let listed = ("access-control-allow-headers", "x-a");
    let (wide, many, long) = (format!("x-a{}", " ".repeat(9_000)), "x-a,".repeat(300), "x-a,".repeat(10_000));
    #[rustfmt::skip]
    let table: &[(&Policy, &str, &str, Option<&str>, &str, &[(&str, &str)])] = &[
        (&Policy::default(), "https://a.example", "GET", None, "origin_not_allowed", &[]),
        (&plain, "https://b.example", "GET", None, "origin_not_allowed", &[]),
        (&plain, "https://a.example.evil.example", "GET", None, "origin_not_allowed", &[]),
        (&plain, "https://a.example, https://b.example", "GET", None, "origin_not_allowed", &[]),
        (&plain, "http://a.example", "GET", None, "origin_not_allowed", &[]),
        (&plain, "https://A.example", "GET", None, "origin_not_allowed", &[]),
        (&plain, "https://a.example:443", "GET", None, "origin_not_allowed", &[]),
        (&plain, "null", "GET", None, "origin_not_allowed", &[]),
        (&plain, "", "GET", None, "origin_not_allowed", &[]),
        (&plain, "https://a.example", "DELETE", None, "method_not_allowed", &[origin]),
        (&plain, "https://a.example", "put", None, "method_not_allowed", &[origin]),
        (&plain, "https://a.example", "", None, "method_not_allowed", &[origin]),
        (&plain, "https://a.example", "GET, PUT", None, "method_not_allowed", &[origin]),
        (&plain, "https://a.example", "PUT", Some("x-a,x-c"), "header_not_allowed", &[origin, ("access-control-allow-methods", "PUT"), listed]),
        (&plain, "https://a.example", "GET", Some("content-type"), "header_not_allowed", &[origin, listed]),
        // No browser's: too long, too many elements, both.
        (&plain, "https://a.example", "GET", Some(&wide), "header_not_allowed", &[origin, listed]),
        (&plain, "https://a.example", "GET", Some(&many), "header_not_allowed", &[origin, listed]),
        (&plain, "https://a.example", "GET", Some(&long), "header_not_allowed", &[origin, listed]),
        (&open, "https://a.example", "GET", Some("x-a, Authorization"), "header_not_allowed", &[("access-control-allow-origin", "*")]),
        (&open, "https://a.example", "PUT", None, "method_not_allowed", &[("access-control-allow-origin", "*")]),
    ];
    for (policy, origin, method, headers, code, gathered) in table {
        assert_eq!(
            preflight(policy, origin, method, *headers),
            Err((*code, owned(gathered))),
            "{origin} {method} {headers:?}"
        );
    }
}

#[test]
fn a_reason_names_the_rule_or_says_that_no_browser_asks_so() {
    let policy = cors_policy(json!({ "allowed_origins": ["https://a.example"] }));
    let reason = |origin: &str, headers: &str| {
        policy.preflight(Preflight { origin, method: "GET", headers: Some(headers) }).unwrap_err().refusal.reason
    };
    assert_eq!(reason("https://a.example", "x-c"), "cors.allowed_headers does not list \"x-c\"");
    assert_eq!(
        reason("https://a.example", &"x,".repeat(256)),
        "access-control-request-headers has 512 bytes, or too many elements"
    );
    let list = "a,".repeat(300);
    assert!(reason(&list, "x-c").starts_with("cors.allowed_origins does not list \"a,a,"));

    for (asked, too_much) in
        [(",".repeat(255), false), (",".repeat(256), true), ("x".repeat(8192), false), ("x".repeat(8193), true)]
    {
        assert_eq!(is_no_browsers(&asked), too_much, "{}", asked.len());
    }
}

#[test]
fn headers_of_actual_answers() {
    let plain = cors_policy(json!({ "allowed_origins": ["https://a.example"], "exposed_headers": ["x-a", "x-b"] }));
    let credentialed = cors_policy(json!({ "allowed_origins": ["https://a.example"], "allow_credentials": true }));
    let open = cors_policy(json!({ "allowed_origins": ["*"], "exposed_headers": ["*"] }));
    let vary = ("vary", "Origin");
    let origin = ("access-control-allow-origin", "https://a.example");
    #[rustfmt::skip]
    let table: &[(&Policy, Option<&str>, &[(&str, &str)])] = &[
        (&Policy::default(), Some("https://a.example"), &[]),
        (&Policy::default(), None, &[]),
        (&plain, None, &[vary]),
        (&plain, Some("https://b.example"), &[vary]),
        (&plain, Some("https://a.example"), &[vary, origin, ("access-control-expose-headers", "x-a,x-b")]),
        (&credentialed, Some("https://a.example"), &[vary, origin, ("access-control-allow-credentials", "true")]),
        (&open, None, &[("access-control-allow-origin", "*"), ("access-control-expose-headers", "*")]),
        (&open, Some("https://any.example"), &[("access-control-allow-origin", "*"), ("access-control-expose-headers", "*")]),
    ];
    for (policy, origin, expected) in table {
        let mut answer = Edits::new();
        policy.add_response_headers(*origin, "Accept", &mut answer);
        assert_eq!(lines(&answer), owned(expected), "{origin:?}");
    }
}

#[test]
fn nothing_of_the_callers_is_echoed() {
    let plain = cors_policy(json!({ "allowed_origins": ["https://a.example"], "allowed_headers": ["x-a"] }));
    let answer =
        plain.preflight(Preflight { origin: "https://a.example", method: "GET", headers: Some("X-A") }).unwrap();
    assert!(!format!("{answer:?}").contains("X-A"));
}

#[test]
fn vary_names_the_origin_once() {
    let plain = cors_policy(json!({ "allowed_origins": ["https://a.example"] }));
    for (vary, appended) in [
        ("", true),
        ("Accept", true),
        ("Accept, X-Origin, Original", true),
        ("origin", false),
        ("Accept , ORIGIN", false),
        ("*", false),
        ("Accept, *", false),
    ] {
        let mut answer = Edits::new();
        plain.add_response_headers(None, vary, &mut answer);
        let expected: &[_] = if appended { &[("vary", "Origin")] } else { &[] };
        assert_eq!(lines(&answer), owned(expected), "{vary}");
    }
}
