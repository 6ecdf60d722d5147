use access_relay::headers::{Name, Present, connection_options, is_plain_value, lists};

use crate::support::told;

#[test]
fn names_are_known_by_one_list() {
    for name in Name::ALL {
        assert_eq!(name.as_str(), name.as_str().to_ascii_lowercase());
        assert!(Present::of(&told(name.as_str())).has(*name));
        assert!(!Present::of("").has(*name));
    }
}

#[test]
fn what_a_caller_cannot_say_to_the_api() {
    for name in [
        "cf-access-client-id",
        "cf_access_client_secret",
        "cf-access_jwt-assertion",
        "cf-access-token",
        "cf-access-authenticated-user-email",
        "x-forwarded-for",
        "x_forwarded_user",
        "x-forwarded-email",
        "x-forwarded-anything",
        "forwarded",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "proxy-connection",
        "proxy-authorization",
        "proxy-anything",
        "proxy",
        "x.forwarded.user",
        "x-forwarded.user",
        "cf.access_client-id",
    ] {
        assert_eq!(Present::of(&told(&format!("accept\n{name}\nx-a"))).dropped, [name]);
    }
    let kept = "accept\nauthorization\ncf-accessory\ncf-connecting-ip\ncontent-length\ncookie\norigin\nx-forwarded\nforwarded-x\nx-real-ip";
    assert!(Present::of(&told(kept)).dropped.is_empty());
}

#[test]
fn lists_and_values() {
    assert_eq!(connection_options("close, X-Hop ,,bad name"), ["close", "x-hop"]);
    assert!(lists("Accept-Encoding, ORIGIN", "origin") && !lists("original, x-origin", "origin"));
    assert!(is_plain_value("ada@example.com") && is_plain_value("a b"));
    for bent in ["", " a", "a ", "a\r\nb: c", "a\tb", "é", "\u{7f}"] {
        assert!(!is_plain_value(bent), "{bent:?}");
    }
}
