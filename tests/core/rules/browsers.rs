//! What browsers never send, and never show.

use access_relay_core::rules::browsers::{FORBIDDEN, in_upper_case, why_no_method, why_not_allowed, why_not_exposed};

#[test]
fn methods_that_no_page_sends_and_methods_in_the_wrong_case() {
    for text in ["CONNECT", "connect", "TRACE", "Trace", "TRACK", "track"] {
        assert_eq!(why_no_method(text), Some("browsers never send it"), "{text}");
        assert_eq!(in_upper_case(text), None, "{text}");
    }
    for text in ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "PROPFIND", "propfind", "TRACER", ""] {
        assert_eq!((why_no_method(text), in_upper_case(text)), (None, None), "{text}");
    }
    for (text, meant) in
        [("put", "PUT"), ("Delete", "DELETE"), ("gET", "GET"), ("patch", "PATCH"), ("options", "OPTIONS")]
    {
        assert_eq!((why_no_method(text), in_upper_case(text)), (None, Some(meant)), "{text}");
    }
}

#[test]
fn headers_that_no_page_sends() {
    let is_for_a_reason = |name: &str, reason: &str| assert!(why_not_allowed(name).unwrap().contains(reason), "{name}");
    for name in ["cookie", "cookie2"] {
        is_for_a_reason(name, "cookies by themselves");
    }
    for name in FORBIDDEN.iter().filter(|name| !name.starts_with("cookie")) {
        is_for_a_reason(name, "no page set it");
    }
    for name in ["via", "proxy-authorization", "proxy-x", "sec-fetch-site", "sec-x"] {
        is_for_a_reason(name, "no page set it");
    }
    for name in ["set-cookie", "access-control-allow-origin", "access-control-x"] {
        is_for_a_reason(name, "belongs to answers");
    }
    for name in [
        "content-type",
        "authorization",
        "x-a",
        "via2",
        "xvia",
        "proxy",
        "sec",
        "set-cookie2",
        "access-control",
        "cookie3",
    ] {
        assert_eq!(why_not_allowed(name), None, "{name}");
    }
}

#[test]
fn headers_that_no_page_reads() {
    for (name, reason) in [
        ("set-cookie", "browsers show it to no page"),
        ("set-cookie2", "browsers show it to no page"),
        ("origin", "belongs to requests"),
        ("access-control-allow-origin", "not to the page"),
        ("access-control-x", "not to the page"),
    ] {
        assert!(why_not_exposed(name).unwrap().contains(reason), "{name}");
    }
    for name in ["content-type", "x-total", "cookie", "set-cookie3", "access-control", "origins", ""] {
        assert_eq!(why_not_exposed(name), None, "{name}");
    }
}
