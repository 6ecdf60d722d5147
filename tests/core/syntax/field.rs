//! What the values of header fields are made of: lists, plain values, challenges.

use access_relay_core::syntax::field::{challenges, connection_options, is_plain_value, lists, parameter};

#[test]
fn lists_and_values() {
    assert_eq!(connection_options("close, X-Hop ,,bad name"), ["close", "x-hop"]);
    assert!(lists("Accept-Encoding, ORIGIN", "origin") && !lists("original, x-origin", "origin"));
    assert!(is_plain_value("ada@example.com") && is_plain_value("a b"));
    for bent in ["", " a", "a ", "a\r\nb: c", "a\tb", "é", "\u{7f}"] {
        assert!(!is_plain_value(bent), "{bent:?}");
    }
}

#[test]
fn challenges_of_several_schemes() {
    let all = |value| challenges(value).collect::<Vec<_>>();
    assert_eq!(all("Bearer"), ["Bearer"]);
    assert_eq!(all("Bearer realm=\"a, b\", error=\"x\""), ["Bearer realm=\"a, b\", error=\"x\""]);
    assert_eq!(
        all("Basic realm=\"x\", Cloudflare-Access resource_metadata=\"https://x\", Bearer"),
        ["Basic realm=\"x\",", "Cloudflare-Access resource_metadata=\"https://x\",", "Bearer"]
    );
    assert_eq!(
        all("Basic realm=\"Cloudflare-Access x, Cloudflare-Access y\""),
        ["Basic realm=\"Cloudflare-Access x, Cloudflare-Access y\""]
    );
    assert_eq!(all("Negotiate, Basic"), ["Negotiate,", "Basic"]);
    // A quote that is escaped ends nothing, and a backslash that is escaped escapes nothing.
    assert_eq!(all(r#"Basic realm="a\", Bearer x", Bearer"#), [r#"Basic realm="a\", Bearer x","#, "Bearer"]);
    assert_eq!(all(r#"Basic realm="a\\", Bearer"#), [r#"Basic realm="a\\","#, "Bearer"]);
    assert!(all("").is_empty() && all(" , ").is_empty());
    assert_eq!(all("Cloudflare-Access x=\"y"), ["Cloudflare-Access x=\"y"]);
}

#[test]
fn parameters_of_challenges() {
    let of = |challenge| parameter(challenge, "resource_metadata");
    assert_eq!(
        of("Bearer realm=\"a, resource_metadata=b\", Resource_Metadata = \"https://x/,y\""),
        Some("https://x/,y")
    );
    assert_eq!(of("Bearer resource_metadata=https://x"), Some("https://x"));
    assert_eq!((of("Bearer"), of("Bearer realm=\"resource_metadata=x\""), of("")), (None, None, None));
}
