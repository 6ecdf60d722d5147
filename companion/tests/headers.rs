//! A message's headers, as the core decides on them.

use access_relay_companion::headers::Headers;
use access_relay_core::flow::denial::access_denial;
use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::messages::name::Name;
use access_relay_core::messages::present::Read as _;
use access_relay_core::messages::trace::Trace;

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().copied().collect()
}

#[test]
fn one_character_more_than_decisions_look_at_is_told() {
    for name in Name::ALL.iter().filter(|name| name.longest() < 10_000) {
        for (length, told) in [(0, 0), (name.longest(), name.longest()), (20_000, name.longest() + 1)] {
            let headers = headers(&[(name.as_str(), &*"é".repeat(length))]);
            let trace = Trace::new(None, [7; 24]);
            let count = |value: &str| value.chars().count();
            let of_a_request = headers
                .asked("GET", "https://a.example/", &trace, |head| head.header(*name).map(|value| count(&value)));
            let of_an_answer = headers.answered(200, |head| head.header(*name).map(|value| count(&value)));
            assert_eq!((of_a_request, of_an_answer), (Some(told), Some(told)), "{name:?} {length}");
        }
    }
}

/// What the core is told of a header is a line of a text, whose first letter says which it is.
#[test]
fn no_name_and_no_value_is_taken_for_another_header() {
    let mark = Name::AccessAud.place().to_string();
    for (name, value) in [
        (mark.as_str(), "x"),
        (&*format!("{mark}-a"), "x"),
        (&*format!("x-a\n{mark}"), "x"),
        ("x-a", &*format!("a\n{mark}x")),
        ("vary", &*format!("Origin\n{mark}x")),
        ("set-cookie", &*format!("a=1\n{mark}=2")),
        ("server", &*format!("a\r\n{mark}x")),
    ] {
        assert_eq!(headers(&[(name, value)]).answered(403, access_denial), None, "{name:?}: {value:?}");
    }
    assert!(headers(&[("CF-Access-Aud", "x")]).answered(403, access_denial).is_some());
}

#[test]
fn cookies_that_are_set_are_read_line_by_line() {
    let lines = headers(&[("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2026"), ("x-a", "1"), ("set-cookie", "b=2")]);
    assert_eq!(lines.set_cookies(), ["a=1; Expires=Thu, 01 Jan 2026", "b=2"]);
    // As Chromium records them.
    assert_eq!(headers(&[("set-cookie", "a=1\r\nb=2\n")]).set_cookies(), ["a=1", "b=2"]);
    assert_eq!(headers(&[("cookie", "a=1")]).set_cookies(), Vec::<String>::new());
}

#[test]
fn what_edits_make_of_headers() {
    let sent = || headers(&[("origin", "https://a.example"), ("x-a", "1"), ("x-b", "2"), ("vary", "a"), ("vary", "b")]);
    #[rustfmt::skip]
    let table: &[(&[Edit], &[(&str, &str)])] = &[
        (&[], &[("origin", "https://a.example"), ("x-a", "1"), ("x-b", "2"), ("vary", "a"), ("vary", "b")]),
        (&[Edit::RemoveAll("")], &[]),
        (&[Edit::RemoveAll("x-")], &[("origin", "https://a.example"), ("vary", "a"), ("vary", "b")]),
        (&[Edit::Delete("x-a"), Edit::Remove(Name::Vary)], &[("origin", "https://a.example"), ("x-b", "2")]),
        (&[Edit::RemoveAll(""), Edit::Set(Name::Vary, "c"), Edit::Append(Name::Vary, "d")], &[("vary", "c"), ("vary", "d")]),
        (&[Edit::RemoveAll("x-"), Edit::Set(Name::Vary, "c")], &[("origin", "https://a.example"), ("vary", "c")]),
    ];
    for (changes, expected) in table {
        let mut edits = Edits::new();
        changes.iter().for_each(|change| edits.push(*change));
        assert_eq!(sent().edited(&edits), headers(expected), "{changes:?}");
    }
}
