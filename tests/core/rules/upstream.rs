//! The URL at the API: what a path becomes there, and that no spelling changes the host or climbs.

use access_relay_core::rules::upstream::Upstream;
use proptest::prelude::*;

use crate::support::cases::cases;
use crate::support::paths::{hostile_path, url};

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

proptest! {
    #![proptest_config(cases(20_000))]

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
