//! Request targets: which paths are refused, in whatever spelling they climb.

use access_relay_core::syntax::target::Target;

#[test]
fn paths_that_are_refused() {
    for path in [
        "/api/..",
        "/api/../x",
        "/api/x/../y",
        "/api/./x",
        "/api/.",
        "/../api/x",
        "/api/%2e%2e/x",
        "/api/%2E%2E/x",
        "/api/.%2e/x",
        "/api/%2e./x",
        "/api/%2e/x",
        "/api/..%2fx",
        "/api/a%2f..%2fb",
        "/api/a%2F%2e%2E%2Fb",
        "/api/%2e%2e%5cx",
        "/api/..%5c..%5cx",
        "/api/a%5c..",
        "/api/..;/x",
        "/api/..;v=1/x",
        "/api/%2e%2e;/x",
        "/api/..%3b/x",
        "/api/a%2f..;%2fb",
        "/api\\x",
        "/api/..\\x",
        "\\api\\x",
        "/api/x\\",
        "/api/%00",
        "/api/x%00.json",
        "/api/%01",
        "/api/%0b",
        "/api/%1f",
        // Were it read once more by a URL parser, which leaves tabs and line breaks out.
        "/api/.%0a./x",
        "/api/%2e%09%2e/x",
        "/api/a%2f.%0d.%2fb",
        "/api/%7f",
        "/api/\u{1}",
        "/api/x\ty",
        "/api/\u{7f}",
    ] {
        let request = format!("https://app.example.com{path}");
        assert!(Target::of(&request).is_err(), "{path:?}");
    }
    // Targets that are no path: `*` and authority-form, as workerd hands them over.
    for request in ["http://host*", "http://host", "http://host?x", "", "http://", "host:80"] {
        assert!(Target::of(request).is_err(), "{request:?}");
    }
}

#[test]
fn paths_that_pass_as_they_are() {
    for path in ["/", "/api/a b.txt", "/api/a%20b.txt", "/api/a%09b%0ac%0dd", "/api/a%7eb~", "/api/...", "/api/a..b"] {
        let request = format!("https://app.example.com{path}?q#f");
        assert_eq!(Target::of(&request).map(|target| (target.path, target.query)), Ok((path, "?q")), "{path:?}");
    }
}
