//! What may be shown of a message.

use access_relay_companion::shown::{clean, url, value};

use crate::support::config::AUD;

#[test]
fn of_headers_only_what_is_harmless_shows() {
    for (name, text, shown) in [
        ("accept-language", "de", "de"),
        ("sec-fetch-mode", "cors", "cors"),
        ("cookie", "a=s3cret; b", "a=(not shown); b=(not shown)"),
        ("authorization", "Bearer s3cret", "Bearer (not shown)"),
        ("authorization", "s3cret", "(not shown)"),
        ("x-own", "s3cret", "(not shown)"),
        ("referer", "https://a.example/x?t=s3cret#s3cret", "https://a.example/x?t=(not shown)"),
        ("location", "/x?t=s3cret", "/x?t=(not shown)"),
        ("content-location", "https://ada:s3cret@a.example", "https://a.example"),
        // Nothing but an AUD tag looks like one.
        ("cf-access-aud", AUD, AUD),
        ("cf-access-aud", "s3cret", "(not shown)"),
    ] {
        assert_eq!(value(name, text), shown, "{name}: {text}");
    }
}

#[test]
fn of_a_url_its_address_shows_and_of_its_query_the_names() {
    for (text, shown) in [
        ("https://a.example/x", "https://a.example/x"),
        ("https://a.example?s3cret&a=s3cret&", "https://a.example?(not shown)&a=(not shown)&"),
        ("/x/y?a=s3cret", "/x/y?a=(not shown)"),
        ("?a=s3cret", "?a=(not shown)"),
        ("", ""),
        ("data:text/plain,s3cret", "(not shown)"),
        ("extension://a/x", "extension://a/x"),
        ("s3cret-s3c://a/x", "(not shown)"),
        (&*format!("/?kid={AUD}"), &*format!("/?kid={AUD}")),
        ("/?kid=s3cret", "/?kid=(not shown)"),
    ] {
        assert_eq!(url(text), shown, "{text}");
    }
}

#[test]
fn a_long_text_is_cut() {
    let long = "ä".repeat(300);
    assert_eq!(clean(&long), long);
    assert_eq!(clean(&format!("{long}ä")), format!("{long}…"));
}
