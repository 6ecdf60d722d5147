//! Texts that are quoted for whoever reads on, looked through, taken apart, and put in order.

use access_relay_core::rules::cors::Preflight;
use access_relay_core::syntax::text::{
    contains_ignoring_case, has_placeholder, is_base64url, is_lower_hex, places_ignoring_case, push_hex, quoted,
    sorted, split_before,
};
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

#[test]
fn a_value_is_cut_after_a_hundred_characters_and_no_byte_of_one() {
    assert_eq!(quoted("a\"b\n"), r#""a\"b\n""#);
    assert_eq!(quoted(&"é".repeat(100)), format!("\"{}\"", "é".repeat(100)));
    assert_eq!(quoted(&"é".repeat(101)), format!("\"{}…\"", "é".repeat(100)));
}

#[test]
fn what_is_to_be_filled_in_stands_between_angle_brackets() {
    for text in ["<team>", "https://<team>.cloudflareaccess.com", "a<>", "<a> b", "a > b <c>"] {
        assert!(has_placeholder(text), "{text}");
    }
    for text in ["", "team", "<team", "team>", "a > b", "a > b < c", ">team<"] {
        assert!(!has_placeholder(text), "{text}");
    }
}

#[test]
fn a_text_ends_before_the_first_of_its_ends() {
    let ends = |byte| matches!(byte, b'?' | b'#');
    for (text, expected) in [
        ("/a?b#c", ("/a", "?b#c")),
        ("/a#b?c", ("/a", "#b?c")),
        ("?", ("", "?")),
        ("/a", ("/a", "")),
        ("", ("", "")),
        ("/é#", ("/é", "#")),
    ] {
        assert_eq!(split_before(text, ends), expected, "{text}");
    }
}

#[test]
fn parts_are_found_in_whatever_case() {
    for (text, part, places) in [
        ("abcABCaBc", "aBc", vec![0, 3, 6]),
        ("aaa", "aa", vec![0, 1]),
        ("abc", "abcd", vec![]),
        ("abc", "x", vec![]),
        ("", "a", vec![]),
    ] {
        assert_eq!(places_ignoring_case(text, part).collect::<Vec<_>>(), places, "{text}, {part}");
        assert_eq!(contains_ignoring_case(text, part), !places.is_empty(), "{text}, {part}");
    }
}

#[test]
fn letters_of_base64url_and_hexadecimal_digits() {
    let all = (0..=u8::MAX).filter(|byte| is_base64url(*byte)).map(char::from).collect::<String>();
    assert_eq!(all, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
    assert!(is_lower_hex("0123456789abcdef") && is_lower_hex(""));
    for text in ["A", "g", "0x1", "a ", "é", "/", ":", "`"] {
        assert!(!is_lower_hex(text), "{text}");
    }
    let mut text = "=".to_owned();
    push_hex(&mut text, &[0x00, 0x09, 0x0a, 0x9f, 0xa0, 0xff]);
    assert_eq!(text, "=00090a9fa0ff");
}

#[test]
fn lists_are_put_in_order() {
    assert_eq!(sorted(vec![3, 1, 2, 1]), [1, 1, 2, 3]);
    assert!(sorted(Vec::<u8>::new()).is_empty());
}
