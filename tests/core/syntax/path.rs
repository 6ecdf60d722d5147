//! Paths: what is taken, what is refused, and what no spelling can do.

use access_relay_core::rules::upstream::{Upstream, upstream_url};
use access_relay_core::rules::way_back::WayBack;
use access_relay_core::syntax::path::Prefix;
use access_relay_core::syntax::target::Target;
use proptest::prelude::*;

fn upstream(text: &str) -> Upstream {
    Upstream::parse(text).unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

/// The URL at the API for a request, or why there is none.
fn url(path: &str, to: &str, strip_prefix: bool, request: &str) -> Result<String, &'static str> {
    let target = Target::of(request)?;
    let rest = prefix(path).strip(target.path).ok_or("no route")?;
    Ok(upstream_url(&upstream(to), target, rest, strip_prefix))
}

#[test]
fn plain_http_is_refused_with_what_it_is_for() {
    let why = "use https: plain http is for loopback hosts (localhost, 127.0.0.1, [::1]) only";
    assert_eq!(Upstream::parse("http://api.example.com"), Err(why.to_owned()));
    assert!(Upstream::parse("http://127.0.0.1:8080").is_ok());
}

#[test]
fn urls_at_the_api() {
    #[rustfmt::skip]
    let table = [
        // path, upstream, strip_prefix, request, URL at the API
        ("/api", "https://api.example.com", false, "https://app.example.com/api", "https://api.example.com/api"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/", "https://api.example.com/api/"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/x?a=1&b=%2F..", "https://api.example.com/api/x?a=1&b=%2F.."),
        ("/api", "https://api.example.com", false, "https://app.example.com/api?", "https://api.example.com/api?"),
        ("/api", "https://api.example.com", true, "https://app.example.com/api", "https://api.example.com/"),
        ("/api", "https://api.example.com", true, "https://app.example.com/api?q", "https://api.example.com/?q"),
        ("/api", "https://api.example.com", true, "https://app.example.com/api/users", "https://api.example.com/users"),
        ("/api", "https://api.example.com/v1", false, "https://app.example.com/api/users", "https://api.example.com/v1/api/users"),
        ("/api", "https://api.example.com/v1", true, "https://app.example.com/api/users", "https://api.example.com/v1/users"),
        ("/api", "https://api.example.com/v1/", true, "https://app.example.com/api", "https://api.example.com/v1"),
        ("/", "https://api.example.com", false, "https://app.example.com/users", "https://api.example.com/users"),
        ("/", "https://api.example.com/v1", true, "https://app.example.com/", "https://api.example.com/v1/"),
        // An id that holds an encoded slash, a dot that is no dot segment, and odd but harmless spellings.
        ("/api", "https://api.example.com", false, "https://app.example.com/api/projects/a%2Fb", "https://api.example.com/api/projects/a%2Fb"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/projects/a%2fb%5Cc", "https://api.example.com/api/projects/a%2fb%5Cc"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/a..b/...", "https://api.example.com/api/a..b/..."),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/50%", "https://api.example.com/api/50%"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/a b%20c", "https://api.example.com/api/a b%20c"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/%zz", "https://api.example.com/api/%zz"),
        ("/api", "https://api.example.com", true, "https://app.example.com/%61pi/users", "https://api.example.com/users"),
        ("/api", "https://api.example.com", false, "https://app.example.com/api/%252e%252e/x", "https://api.example.com/api/%252e%252e/x"),
        // What `encodeURIComponent` makes of a tab or a line break is data.
        ("/api", "https://api.example.com", false, "https://app.example.com/api/a%0Ab%0D%09c", "https://api.example.com/api/a%0Ab%0D%09c"),
        // Nothing of these is a host.
        ("/api", "https://api.example.com", true, "https://app.example.com/api//evil.example/x", "https://api.example.com//evil.example/x"),
        ("/api", "https://api.example.com", true, "https://app.example.com/api/@evil.example", "https://api.example.com/@evil.example"),
        ("/api", "https://api.example.com", true, "https://app.example.com/api/:80", "https://api.example.com/:80"),
        ("/api", "https://api.example.com", true, "http://evil.example/api/x", "https://api.example.com/x"),
        ("/api", "https://api.example.com", true, "https://app.example.com/api/x#@evil.example", "https://api.example.com/x"),
    ];
    for (path, to, strip_prefix, request, expected) in table {
        assert_eq!(
            url(path, to, strip_prefix, request).as_deref(),
            Ok(expected),
            "{path} {to} {strip_prefix} {request}"
        );
    }
}

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
fn prefixes_end_at_segments() {
    #[rustfmt::skip]
    let table = [
        ("/api", "/api", Some("")), ("/api", "/api/", Some("/")), ("/api", "/api/x", Some("/x")),
        ("/api", "/apiary", None), ("/api", "/ap", None), ("/api", "/API", None), ("/api", "/", None),
        ("/api", "/api%2Fx", None), ("/api", "/%61%70%69/x%2fy", Some("/x%2fy")), ("/api", "/%61piary", None),
        ("/api/v1", "/api/v1/x", Some("/x")), ("/api/v1", "/api/%76%31", Some("")), ("/api/v1", "/api%2Fv1", None),
        ("/", "/", Some("/")), ("/", "/x", Some("/x")),
    ];
    for (configured, path, rest) in table {
        assert_eq!(prefix(configured).strip(path), rest, "{configured} {path}");
    }
}

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

/// The segments of a path once dot segments are resolved. Backslashes are slashes, tabs and line breaks vanish; `dot`
/// says which spellings are a dot. Written from the URL standard, so as not to share code with what it checks.
fn resolved(path: &str, dot: &[&str]) -> Vec<String> {
    let cleaned: String = path.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let mut segments: Vec<String> = Vec::new();
    for segment in cleaned.trim_start_matches('/').split(['/', '\\']) {
        let spelled = dot.iter().fold(segment.to_ascii_lowercase(), |segment, dot| segment.replace(dot, "."));
        match spelled.as_str() {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment.to_owned()),
        }
    }
    segments
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = text.to_owned();
    for value in (1..=255u8).filter(|value| *value != b'%').chain([b'%']) {
        for escape in [format!("%{value:02x}"), format!("%{value:02X}")] {
            decoded = decoded.replace(&escape, &char::from(value).to_string());
        }
    }
    decoded
}

fn hostile_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/"),
        Just("//"),
        Just("\\"),
        Just("."),
        Just(".."),
        Just("%2e"),
        Just("%2E%2e"),
        Just("%2f"),
        Just("%5c"),
        Just("%00"),
        Just("%252e"),
        Just(";"),
        Just("@evil.example"),
        Just(":80"),
        Just("?"),
        Just("#"),
        Just("api"),
        Just("%61pi"),
        Just("v1"),
        Just("x"),
        Just("é"),
        Just(" "),
        Just("\t"),
        Just("%"),
        Just("https:"),
        Just("*"),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_path_changes_the_host_or_climbs(path in hostile_path(), strip_prefix: bool, absolute: bool) {
        let request = if absolute { format!("http://evil.example/api{path}") } else { format!("https://app.example.com/api{path}") };
        let Ok(url) = url("/api", "https://api.example.com/base", strip_prefix, &request) else { return Ok(()) };
        let rest = url.strip_prefix("https://api.example.com/base").expect("origin and base path stand first");
        let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
        prop_assert!(rest.is_empty() || rest.starts_with('/'), "{url}");
        prop_assert!(!rest.contains('#'), "{url}");
        // As the URL parser reads it, for which `%2e` is a dot, and as an API that decodes before it splits would.
        let path = format!("/base{rest}");
        for segments in [resolved(&path, &["%2e"]), resolved(&percent_decoded(&path), &[])] {
            prop_assert_eq!(segments.first().map(String::as_str), Some("base"), "{} read as {:?}", url, segments);
            // Nothing was resolved on the way: what is forwarded is what was asked for.
            prop_assert!(!segments.iter().any(|segment| segment == ".."));
        }
    }

    #[test]
    fn nothing_panics(request in ".{0,80}", location in ".{0,80}") {
        let _ = url("/api", "https://api.example.com/base", true, &request);
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
