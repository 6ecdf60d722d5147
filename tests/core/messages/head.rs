//! What a head says at a glance.

use access_relay_core::messages::head::Destination;
use access_relay_core::messages::name::Name;

use crate::support::heads::Lines;

const URL: &str = "https://app.example.com/api";

#[test]
fn what_a_request_asks_for() {
    const UPGRADE: (&str, &str) = ("Upgrade", "websocket");
    const ORIGIN: (&str, &str) = ("Origin", "https://a.example");
    const METHOD: (&str, &str) = ("Access-Control-Request-Method", "PUT");
    #[rustfmt::skip]
    let table: &[(&str, &[(&str, &str)], bool, bool)] = &[
        // method, headers, whether it asks for a WebSocket, whether it is a preflight
        ("GET", &[UPGRADE], true, false),
        ("GET", &[("upgrade", " WebSocket ")], true, false),
        ("POST", &[UPGRADE], false, false),
        ("get", &[UPGRADE], false, false),
        ("GET", &[("Upgrade", "h2c")], false, false),
        ("GET", &[("Upgrade", "websocket, h2c")], false, false),
        ("GET", &[], false, false),
        ("OPTIONS", &[ORIGIN, METHOD], false, true),
        ("OPTIONS", &[ORIGIN], false, false),
        ("OPTIONS", &[METHOD], false, false),
        ("OPTIONS", &[], false, false),
        ("GET", &[ORIGIN, METHOD], false, false),
        ("options", &[ORIGIN, METHOD], false, false),
    ];
    for (method, headers, websocket, preflight) in table {
        let found = Lines::of(headers).asked(method, URL, |head| (head.is_websocket(), head.is_preflight()));
        assert_eq!(found, (*websocket, *preflight), "{method} {headers:?}");
    }
}

#[test]
fn values_come_along_or_are_read() {
    let lines = Lines::of(&[("Origin", "https://a.example"), ("Upgrade", "h2c"), ("Accept", "a"), ("Accept", "b")]);
    lines.asked("GET", URL, |head| {
        let value = |name| head.header(name).map(String::from);
        assert_eq!(value(Name::Origin).as_deref(), Some("https://a.example"));
        assert_eq!(value(Name::Upgrade).as_deref(), Some("h2c"));
        assert_eq!((value(Name::Traceparent), value(Name::Cookie)), (None, None));
    });
    let lines = Lines::of(&[("Vary", "Accept"), ("Content-Type", "a s3cr3t-value"), ("Location", "/x")]);
    lines.answered(200, |head| {
        assert_eq!(head.header(Name::Vary).as_deref(), Some("Accept"));
        assert_eq!(head.header(Name::Location).as_deref(), Some("/x"));
        assert_eq!((head.header(Name::CacheControl), head.header(Name::Link)), (None, None));
        // Of what holds a secret, nothing is left.
        assert_eq!((head.left(Name::Vary), head.left(Name::ContentType)), (Some("Accept"), None));
    });
}

#[test]
fn what_a_browser_makes_of_an_answer() {
    for dest in ["document", "iframe", "frame", "fencedframe", "embed", "object"] {
        assert_eq!(Destination::of(Some(dest)), Destination::Document, "{dest}");
    }
    for dest in ["empty", "image", "script", "", "Document"] {
        assert_eq!(Destination::of(Some(dest)), Destination::Other, "{dest}");
    }
    assert_eq!(Destination::of(None), Destination::Unknown);
}
