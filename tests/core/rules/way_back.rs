//! The way back: what a browser is told in place of a URL that an API names.

use access_relay_core::rules::way_back::WayBack;
use access_relay_core::syntax::target::Target;
use proptest::prelude::*;

use crate::support::cases::cases;
use crate::support::paths::{hostile_path, prefix, upstream, url};

/// What a browser is told in place of a URL that an API names, which was asked for `url`.
fn led_back(path: &str, to: &str, strip_prefix: bool, url: &str, reference: &str) -> Option<String> {
    let (upstream, prefix) = (upstream(to), prefix(path));
    let back = WayBack { upstream: &upstream, prefix: &prefix, strip_prefix, target: Target::of(url).unwrap() };
    back.url(reference)
}

#[test]
fn urls_lead_back_to_the_relay() {
    const ASKED: &str = "https://app.example.com/api/notes/7";
    #[rustfmt::skip]
    let table = [
        // path, upstream, strip_prefix, what the API says, what the browser is told (None: as it is)
        ("/api", "https://api.example.com", false, "https://api.example.com/api/notes/1?x#y", Some("/api/notes/1?x#y")),
        ("/api", "https://api.example.com", false, "HTTPS://API.example.com/api/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", false, "/api/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", false, "/login", Some("https://api.example.com/login")),
        ("/api", "https://api.example.com", false, "https://api.example.com/login", None),
        ("/api", "https://api.example.com", false, "https://api.example.com", None),
        ("/api", "https://api.example.com", true, "https://api.example.com", Some("/api/")),
        ("/api", "https://api.example.com", true, "https://api.example.com?x", Some("/api/?x")),
        ("/api", "https://api.example.com", true, "/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com/v1", true, "/v1/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com/v1", true, "/v1", Some("/api")),
        ("/api", "https://api.example.com/v1", true, "/v10/notes", Some("https://api.example.com/v10/notes")),
        ("/api", "https://api.example.com/v1", true, "https://api.example.com/v2/notes", None),
        ("/", "https://api.example.com", false, "/notes", Some("/notes")),
        ("/", "https://api.example.com/v1", true, "/v1", Some("/")),
        // The API's host, whatever the scheme and however its port is written.
        ("/api", "https://api.example.com", true, "http://api.example.com/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", true, "https://api.example.com:443/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", true, "http://api.example.com:80/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", true, "//api.example.com/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com:8443", true, "https://api.example.com:8443/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com:8443", true, "https://api.example.com/notes/1", None),
        // The relay's own host, of an API that believes X-Forwarded-Host.
        ("/api", "https://api.example.com", true, "https://app.example.com/notes/1?x", Some("/api/notes/1?x")),
        ("/api", "https://api.example.com", true, "http://app.example.com/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", true, "//app.example.com/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com/v1", true, "https://app.example.com/v1/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com/v1", false, "https://app.example.com/v1/api/notes", Some("/api/notes")),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/notes/1", Some("/api/notes/1")),
        // It may be another page there.
        ("/api", "https://api.example.com", false, "https://app.example.com/dashboard", None),
        ("/api", "https://api.example.com/v1", true, "https://app.example.com/dashboard", None),
        // An API that believes X-Forwarded-Prefix, too.
        ("/api", "https://api.example.com", true, "https://app.example.com/api/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", true, "/api/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com/v1", true, "/api/notes/1", Some("/api/notes/1")),
        ("/api", "https://api.example.com", true, "https://api.example.com/api/notes/1", Some("/api/api/notes/1")),
        // Other hosts stand.
        ("/api", "https://api.example.com", false, "https://api.example.com.evil.example/api", None),
        ("/api", "https://api.example.com", false, "https://api.example.com@evil.example/api", None),
        ("/api", "https://api.example.com", false, "https://api.example.com:8443/api", None),
        ("/api", "https://api.example.com", true, "https://app.example.com.evil.example/x", None),
        ("/api", "https://api.example.com", true, "https://evil.example/", None),
        ("/api", "https://api.example.com", true, "//evil.example/x", None),
        ("/api", "https://api.example.com", true, "/\\evil.example/x", None),
        ("/api", "https://api.example.com", true, "https://api.example.com\\@evil.example/x", Some("/api/@evil.example/x")),
        ("/api", "https://api.example.com", true, "mailto:ada@example.com", None),
        ("/api", "https://api.example.com", true, "javascript:alert(1)", None),
        // A colon makes a scheme only where one can stand.
        ("/api", "https://api.example.com", true, "/login?next=https://app.example.com/", Some("/api/login?next=https://app.example.com/")),
        ("/api", "https://api.example.com", true, "/login#https://x", Some("/api/login#https://x")),
        ("/api", "https://api.example.com", true, "/a:b", Some("/api/a:b")),
        ("/api", "https://api.example.com", true, "1:/../../../tags", Some("/api/tags")),
        ("/api", "https://api.example.com", true, "a_b:/../../../tags", Some("/api/tags")),
        ("/api", "https://api.example.com", true, "a+b:/../../../tags", None),
        // As browsers read it.
        ("/api", "https://api.example.com", true, "\\jobs\\1", Some("/api/jobs/1")),
        ("/api", "https://api.example.com", true, "/jo\tbs/1", Some("/api/jobs/1")),
        ("/api", "https://api.example.com", true, "https:/jobs/1", Some("/api/jobs/1")),
        ("/api", "https://api.example.com", true, "http:/jobs/1", None),
        ("/api", "https://api.example.com", true, "/a/../jobs/./1", Some("/api/jobs/1")),
        ("/api", "https://api.example.com", true, "https://api.example.com/a/../jobs/1", Some("/api/jobs/1")),
        ("/api", "https://api.example.com/v1", true, "/v1/../other", Some("https://api.example.com/other")),
        // The root of the relay's own host is a page's.
        ("/api", "https://api.example.com", true, "https://app.example.com/", None),
        ("/api", "https://api.example.com", true, "https://app.example.com?x", None),
        // Nobody is told a prefix that is empty.
        ("/", "https://api.example.com/v1", true, "/other", Some("https://api.example.com/other")),
        // References that mean the same to both stand, and those that do not are spelled out.
        ("/api", "https://api.example.com", false, "8", None),
        ("/api", "https://api.example.com", true, "8", None),
        ("/api", "https://api.example.com", true, "../tags", None),
        ("/api", "https://api.example.com", true, "../../tags", Some("/api/tags")),
        ("/api", "https://api.example.com", true, "../../../tags?x", Some("/api/tags?x")),
        ("/api", "https://api.example.com", false, "../../tags", Some("https://api.example.com/tags")),
        ("/api", "https://api.example.com/v1", true, "../../tags", Some("https://api.example.com/tags")),
        ("/api", "https://api.example.com", false, "?page=2", None),
        ("/api", "https://api.example.com", true, "#x", None),
        ("/api", "https://api.example.com", false, "", None),
        // What would climb, or become another host's address, does not get a relay's path.
        ("/api", "https://api.example.com", true, "https://api.example.com//evil.example", None),
        ("/api", "https://api.example.com", true, "https://app.example.com//evil.example", None),
        ("/", "https://api.example.com", true, "https://app.example.com//evil.example", None),
        ("/api", "https://api.example.com/v1", true, "https://api.example.com/v1/../v2", None),
        ("/", "https://api.example.com", true, "https://api.example.com//evil.example", None),
    ];
    for (path, to, strip_prefix, reference, expected) in table {
        let url = if path == "/" { "https://app.example.com/notes/7" } else { ASKED };
        let relayed = led_back(path, to, strip_prefix, url, reference);
        assert_eq!(relayed.as_deref(), expected, "{path} {to} {strip_prefix} {reference}");
    }
    // At the route's own path the API sees another folder than the browser does.
    let root = "https://app.example.com/api";
    assert_eq!(led_back("/api", "https://api.example.com", true, root, "users").as_deref(), Some("/api/users"));
    assert_eq!(led_back("/api", "https://api.example.com", true, root, "./users?x").as_deref(), Some("/api/users?x"));
    assert_eq!(
        led_back("/api", "https://api.example.com", false, root, "users").as_deref(),
        Some("https://api.example.com/users")
    );
    assert_eq!(led_back("/api", "https://api.example.com", true, "https://app.example.com/api/", "users"), None);
}

#[test]
fn paths_of_cookies_lead_back() {
    let of = |to, strip_prefix, path| {
        let (upstream, prefix) = (upstream(to), prefix("/api"));
        let target = Target::of("https://app.example.com/api/x").unwrap();
        WayBack { upstream: &upstream, prefix: &prefix, strip_prefix, target }.path(path)
    };
    let api = "https://api.example.com";
    assert_eq!(of(api, true, "/users").as_deref(), Some("/api/users"));
    assert_eq!(of(api, true, "/api/users").as_deref(), Some("/api/users"));
    assert_eq!(of(api, false, "/api/users").as_deref(), Some("/api/users"));
    assert_eq!(of(api, false, "/users"), None);
    assert_eq!(of("https://api.example.com/v1", true, "/v1/users").as_deref(), Some("/api/users"));
    assert_eq!(of("https://api.example.com/v1", false, "/v1/api").as_deref(), Some("/api"));
    assert_eq!(of("https://api.example.com/v1", true, "/other"), None);
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn nothing_panics(start in "|https://app.example.com/api|/api/", rest in ".{0,80}", location in ".{0,80}") {
        let request = [start, rest].concat();
        // What is forwarded at all goes to the API, below its base path.
        if let Ok(url) = url("/api", "https://api.example.com/base", true, &request) {
            prop_assert!(url.starts_with("https://api.example.com/base"), "{request} -> {url}");
        }
        let _ = led_back("/api", "https://api.example.com/base", true, "https://app.example.com/api/x", &location);
    }

    #[test]
    fn a_url_of_the_api_never_leads_to_a_third_host(rest in hostile_path(), host in "https://(api|app).example.com|", strip_prefix: bool) {
        let reference = format!("{host}{rest}");
        for path in ["/", "/api"] {
            let asked = "https://app.example.com/api/x";
            if let Some(relayed) = led_back(path, "https://api.example.com", strip_prefix, asked, &reference) {
                let own_path = relayed.starts_with('/') && !relayed.starts_with("//") && !relayed.starts_with("/\\");
                // What the route does not reach is the API's, as it said.
                let rest = relayed.strip_prefix("https://api.example.com");
                prop_assert!(own_path || rest.is_some_and(|rest| rest.starts_with('/')), "{reference} -> {relayed}");
            }
        }
    }
}
