//! URLs within the values of headers.

use access_relay_core::messages::links::{in_link, in_refresh};
use access_relay_core::syntax::field::challenges;
use proptest::prelude::*;

/// Leads `/x` to `/api/x`, and nothing else.
fn back(url: &str) -> Option<String> {
    url.starts_with('/').then(|| format!("/api{url}"))
}

#[test]
fn links() {
    #[rustfmt::skip]
    let table = [
        ("</notes?page=2>; rel=\"next\"", Some("</api/notes?page=2>; rel=\"next\"")),
        ("</a>; rel=next, </b>; rel=\"prev\"", Some("</api/a>; rel=next, </api/b>; rel=\"prev\"")),
        ("</a,b>; rel=next", Some("</api/a,b>; rel=next")),
        ("<https://other.example/a>; rel=next", None),
        ("<https://other.example/a>; rel=next, </b>", Some("<https://other.example/a>; rel=next, </api/b>")),
        // What stands in quotes is no link of its own, but for an anchor.
        ("</a>; title=\"</b>, </c>\"; rel=next", Some("</api/a>; title=\"</b>, </c>\"; rel=next")),
        ("</a>; title=\"a \\\" </b>\"", Some("</api/a>; title=\"a \\\" </b>\"")),
        ("</a>; anchor=\"/b\"; rel=x", Some("</api/a>; anchor=\"/api/b\"; rel=x")),
        ("</a>; Anchor = \"/b\"", Some("</api/a>; Anchor = \"/api/b\"")),
        ("", None), ("<", None), ("</a", None), ("</a>; title=\"", Some("</api/a>; title=\"")),
    ];
    for (value, expected) in table {
        assert_eq!(in_link(value, back).as_deref(), expected, "{value}");
    }
}

#[test]
fn refreshes() {
    #[rustfmt::skip]
    let table = [
        ("5; url=/x", Some("5; url=/api/x")), ("0;URL='/x'", Some("0;URL='/api/x'")), ("0,url = \"/x\" rest", Some("0,url = \"/api/x\" rest")),
        ("5; /x", Some("5; /api/x")), ("5 /x", Some("5 /api/x")), ("1.5; url=/x ", Some("1.5; url=/api/x ")),
        ("5; url=https://other.example/", None), ("5", None), ("", None), ("5; url=", None), ("5; url", None),
    ];
    for (value, expected) in table {
        assert_eq!(in_refresh(value, back).as_deref(), expected, "{value}");
    }
}

#[test]
fn long_values_take_no_longer_than_their_length_asks_for() {
    let began = std::time::Instant::now();
    let _ = in_link(&format!("</a>;{}{}", " ".repeat(60_000), "=\"\"".repeat(20_000)), back);
    let _ = challenges(&"a=\"b\", ".repeat(20_000)).count();
    // Quadratic work would take minutes; the bound only tells the two apart.
    assert!(began.elapsed().as_secs() < 5);
}

proptest! {
    #[test]
    fn nothing_panics(value in "[<>\"\\\\,;= a-z/é]{0,40}") {
        let _ = in_link(&value, back);
        let _ = in_refresh(&value, back);
        prop_assert!(challenges(&value).count() <= value.len() + 1);
    }
}
