//! Which requests of foreign pages are refused.

use access_relay_core::rules::cors::Policy;
use access_relay_core::rules::cross_origin::{Facts, ForeignRequests, check};
use serde_json::json;

use crate::support::config::cors_policy;

/// What a request of a page on the relay's own host says.
const OWN: Facts = Facts {
    method: "GET",
    websocket: false,
    site: None,
    mode: None,
    dest: None,
    prefetch: false,
    origin: None,
    scheme: "https",
    host: "app.example.com",
    carries_credentials: true,
    foreign_requests: ForeignRequests::Navigations,
    callback: false,
};

#[test]
fn requests_that_pass_and_requests_that_do_not() {
    let none = Policy::default();
    let credentialed =
        cors_policy(json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": true }));
    let plain = cors_policy(json!({ "allowed_origins": ["https://admin.example.com"] }));
    let open = cors_policy(json!({ "allowed_origins": ["*"] }));
    let own = Some("https://app.example.com");
    let admin = Some("https://admin.example.com");
    let evil = Some("https://evil.example");
    #[rustfmt::skip]
    let table: &[(&str, bool, Option<&str>, Option<&str>, bool, &Policy, bool)] = &[
        // method, websocket, sec-fetch-site, origin, carries credentials, policy, passes
        // CORS requests that the policy does not allow are refused, whatever the method.
        ("GET", false, Some("cross-site"), evil, true, &none, false),
        ("HEAD", false, None, evil, false, &none, false),
        ("OPTIONS", false, Some("cross-site"), evil, true, &none, false),
        ("GET", false, Some("cross-site"), Some("null"), false, &none, false),
        ("GET", false, Some("same-origin"), own, true, &none, true),
        ("GET", false, None, own, true, &none, true),
        ("GET", false, Some("same-site"), admin, true, &credentialed, true),
        ("GET", false, Some("same-site"), admin, true, &plain, false),
        ("GET", false, Some("same-site"), admin, false, &plain, true),
        ("GET", false, Some("cross-site"), evil, false, &open, true),
        ("POST", false, Some("same-origin"), own, true, &none, true),
        ("POST", false, Some("none"), None, true, &none, true),
        ("POST", false, None, None, true, &none, true),
        ("POST", false, None, own, true, &none, true),
        ("POST", false, None, Some("https://APP.example.com"), true, &none, true),
        ("POST", false, Some("same-origin"), evil, true, &none, true),
        // The relay's own origin passes whatever Sec-Fetch-Site says: a page cannot set Origin.
        ("POST", false, Some("cross-site"), own, true, &none, true),
        ("POST", false, Some("same-origin, cross-site"), own, true, &none, true),
        ("POST", false, Some(""), own, true, &none, true),
        ("GET", true, Some("cross-site"), own, true, &none, true),
        // Its scheme counts.
        ("POST", false, None, Some("http://app.example.com"), true, &none, false),
        ("POST", false, None, Some("capacitor://app.example.com"), true, &none, false),
        ("POST", false, Some("same-site"), Some("http://app.example.com"), true, &none, false),
        ("GET", true, None, Some("http://app.example.com"), true, &none, false),
        ("GET", false, None, Some("ionic://app.example.com"), true, &none, false),
        ("POST", false, None, Some("https://app.example.com:443"), true, &none, true),
        ("POST", false, Some("cross-site"), evil, true, &none, false),
        ("POST", false, Some("cross-site"), None, true, &none, false),
        ("POST", false, Some("same-site"), admin, true, &none, false),
        ("POST", false, None, evil, true, &none, false),
        ("POST", false, None, Some("null"), true, &none, false),
        ("POST", false, None, Some(""), true, &none, false),
        ("POST", false, None, Some("https://app.example.com:8443"), true, &none, false),
        ("POST", false, None, Some("https://app.example.com.evil.example"), true, &none, false),
        ("PUT", false, Some("cross-site"), evil, true, &none, false),
        ("DELETE", false, Some("cross-site"), evil, true, &none, false),
        ("PATCH", false, Some("cross-site"), evil, true, &none, false),
        ("get", false, Some("cross-site"), evil, true, &none, false),
        ("BREW", false, Some("cross-site"), evil, true, &none, false),
        // WebSockets.
        ("GET", true, Some("same-origin"), own, true, &none, true),
        ("GET", true, None, own, true, &none, true),
        ("GET", true, Some("cross-site"), evil, true, &none, false),
        ("GET", true, None, evil, true, &none, false),
        ("GET", true, Some("same-site"), admin, true, &credentialed, true),
        // Allowed origins; those of a policy without credentials only with none.
        ("POST", false, Some("same-site"), admin, true, &credentialed, true),
        ("POST", false, None, admin, true, &credentialed, true),
        ("POST", false, Some("cross-site"), evil, true, &credentialed, false),
        ("POST", false, Some("same-site"), admin, true, &plain, false),
        ("POST", false, Some("same-site"), admin, false, &plain, true),
        ("POST", false, Some("cross-site"), evil, false, &plain, false),
        ("POST", false, Some("cross-site"), evil, true, &open, false),
        ("POST", false, Some("cross-site"), evil, false, &open, true),
        ("POST", false, Some("cross-site"), None, false, &open, false),
    ];
    for row @ (method, websocket, site, origin, carries_credentials, policy, passes) in table {
        let (websocket, carries_credentials) = (*websocket, *carries_credentials);
        let facts = Facts { method, websocket, site: *site, origin: *origin, carries_credentials, ..OWN };
        let result = check(facts, policy);
        assert_eq!(result.is_ok(), *passes, "{row:?}");
        assert!(result.is_ok() || result.unwrap_err().code.as_str() == "cross_origin_blocked");
    }
}

#[test]
fn a_page_behind_tls_that_ended_before_the_relay_is_its_own() {
    let of = |origin| {
        check(
            Facts { method: "POST", origin: Some(origin), scheme: "http", host: "app.localhost:8700", ..OWN },
            &Policy::default(),
        )
    };
    assert!(of("http://app.localhost:8700").is_ok() && of("https://app.localhost:8700").is_ok());
    assert!(of("ws://app.localhost:8700").is_err() && of("https://app.localhost").is_err());
}

/// What pages of other sites make a browser ask for without `Origin`: facts of three engines (Chromium, Firefox, WebKit).
#[test]
fn reads_of_foreign_pages() {
    use ForeignRequests::{All, Navigations, None as Nothing};
    #[rustfmt::skip]
    let table: &[(&str, &str, &str, [bool; 3])] = &[
        // method, mode, dest; whether it passes with "none", "navigations", "all"
        ("GET", "navigate", "document", [false, true, true]), // a link, a GET form, window.open
        ("GET", "no-cors", "script", [false, false, true]),
        ("GET", "no-cors", "style", [false, false, true]),
        ("GET", "no-cors", "image", [false, false, true]),
        ("GET", "no-cors", "video", [false, false, true]),
        ("GET", "no-cors", "font", [false, false, true]), // WebKit
        ("GET", "no-cors", "empty", [false, false, true]), // fetch, prefetch, service workers
        ("GET", "navigate", "iframe", [false, false, true]),
        ("GET", "navigate", "frame", [false, false, true]),
        ("GET", "navigate", "object", [false, false, true]),
        ("GET", "navigate", "embed", [false, false, true]),
        ("GET", "nested-navigate", "document", [false, false, true]),
        ("GET", "no-cors", "document", [false, false, true]),
        ("GET", "navigate", "empty", [false, false, true]),
        ("GET", "", "", [false, false, true]),
        ("HEAD", "navigate", "document", [false, false, true]),
        ("POST", "navigate", "document", [false, false, false]),
        ("DELETE", "navigate", "document", [false, false, false]),
        ("OPTIONS", "no-cors", "empty", [false, false, false]),
    ];
    for site in ["cross-site", "same-site", "", "something-new"] {
        for (method, mode, dest, passes) in table {
            for (foreign_requests, passes) in [Nothing, Navigations, All].into_iter().zip(passes) {
                let said = |text: &'static str| (!text.is_empty()).then_some(text);
                let facts =
                    Facts { method, site: Some(site), mode: said(mode), dest: said(dest), foreign_requests, ..OWN };
                assert_eq!(
                    check(facts, &Policy::default()).is_ok(),
                    *passes,
                    "{site} {foreign_requests:?} {method} {mode} {dest}"
                );
                // A WebSocket is no read; what a browser only prepares for was followed by nobody.
                let facts = Facts { websocket: true, ..facts };
                assert!(check(facts, &Policy::default()).is_err());
                let facts = Facts { websocket: false, prefetch: true, ..facts };
                let passes = *passes && foreign_requests == All;
                assert_eq!(check(facts, &Policy::default()).is_ok(), passes, "prefetch {method} {mode} {dest}");
            }
        }
    }
    for site in ["same-origin", "none"] {
        let facts =
            Facts { site: Some(site), mode: Some("no-cors"), dest: Some("script"), foreign_requests: Nothing, ..OWN };
        assert!(check(facts, &Policy::default()).is_ok());
    }
}

/// Chromium calls what speculation rules have it prepare `none`, as what somebody types, also where a sibling host has them.
#[test]
fn what_a_browser_prepares_is_nobodys_link() {
    use ForeignRequests::{All, Navigations, None as Nothing};
    for (foreign_requests, passes) in [(Nothing, false), (Navigations, false), (All, true)] {
        let facts = Facts { mode: Some("navigate"), dest: Some("document"), foreign_requests, ..OWN };
        let of = |site, prefetch| check(Facts { site: Some(site), prefetch, ..facts }, &Policy::default()).is_ok();
        assert_eq!(of("none", true), passes, "{foreign_requests:?}");
        assert!(of("none", false) && of("same-origin", true));
    }
}

#[test]
fn callbacks_of_identity_providers() {
    let post = Facts {
        method: "POST",
        site: Some("cross-site"),
        mode: Some("navigate"),
        dest: Some("document"),
        callback: true,
        ..OWN
    };
    let of = |facts| check(facts, &Policy::default()).is_ok();
    for origin in [Some("https://idp.example"), Some("null"), None] {
        assert!(of(Facts { origin, ..post }));
        assert!(!of(Facts { origin, callback: false, ..post }));
        assert!(!of(Facts { origin, dest: Some("iframe"), ..post }));
        assert!(!of(Facts { origin, mode: Some("no-cors"), dest: Some("empty"), ..post }));
        assert!(!of(Facts { origin, method: "PUT", ..post }));
        assert!(!of(Facts { origin, websocket: true, ..post }));
    }
    // Without Sec-Fetch headers nobody says that it is a top-level POST.
    assert!(!of(Facts { origin: Some("https://idp.example"), site: None, mode: None, dest: None, ..post }));
}

#[test]
fn an_allowed_origin_is_told_what_was_too_much() {
    let plain = cors_policy(json!({ "allowed_origins": ["https://admin.example.com"] }));
    let reason =
        |origin| check(Facts { site: Some("same-site"), origin: Some(origin), ..OWN }, &plain).unwrap_err().reason;
    assert_eq!(
        reason("https://admin.example.com"),
        "cors.allow_credentials is false, and a cookie or an Access token came along"
    );
    assert_eq!(reason("https://evil.example"), "sec-fetch-site is \"same-site\"");
    let image = Facts { site: Some("same-site"), mode: Some("no-cors"), dest: Some("image"), ..OWN };
    assert_eq!(
        check(image, &plain).unwrap_err().reason,
        "sec-fetch-site is \"same-site\", sec-fetch-mode \"no-cors\", sec-fetch-dest \"image\": foreign_requests of the route decides"
    );
}
