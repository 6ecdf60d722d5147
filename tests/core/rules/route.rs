//! Routes: which one takes a path.

use proptest::prelude::*;
use serde_json::json;

use crate::support::cases::cases;
use crate::support::config::{parsed, relay};
use crate::support::requests::send;

#[test]
fn routes_by_their_deepest_path() {
    let relay = relay(|value| {
        value["access"] = json!({ "dangerously_allow_anyone": true });
        value["routes"] = json!([
            { "path": "/", "upstream": "https://root.example.com" },
            { "path": "/api", "upstream": "https://api.example.com", "strip_prefix": true },
            { "path": "/api/v2", "upstream": "https://v2.example.com/base", "strip_prefix": true },
        ]);
    });
    #[rustfmt::skip]
    let table = [
        ("/", "https://root.example.com/"), ("/apiary", "https://root.example.com/apiary"), ("/api", "https://api.example.com/"),
        ("/api/v1", "https://api.example.com/v1"), ("/api/v2", "https://v2.example.com/base"), ("/api/v2/x", "https://v2.example.com/base/x"),
        ("/api/%762/x", "https://v2.example.com/base/x"), ("/api/v20", "https://api.example.com/v20"),
        // Cloudflare's own is this name alone, where a host begins with it.
        ("/notifications", "https://root.example.com/notifications"), ("/cdn-cgix", "https://root.example.com/cdn-cgix"),
        ("/a/cdn-cgi/x", "https://root.example.com/a/cdn-cgi/x"), ("/api/v2/cdn-cgi/x", "https://v2.example.com/base/cdn-cgi/x"),
    ];
    for (path, expected) in table {
        let (url, _) = send(&relay, "GET", &format!("https://app.example.com{path}"), &[]).forwarded();
        assert_eq!(url, expected, "{path}");
    }
    for path in [
        "/cdn-cgi",
        "/cdn-cgi/access/logout",
        "/%63dn-cgi/x",
        "//cdn-cgi/x",
        "/api/cdn-cgi/access/logout",
        "/api//CDN-cgi",
    ] {
        assert_eq!(send(&relay, "GET", &format!("https://app.example.com{path}"), &[]).code(), Some("not_found"));
    }
}

proptest! {
    #![proptest_config(cases(5_000))]

    /// The route that is found is the one that a look at each finds: the deepest that covers the path.
    #[test]
    fn a_route_is_found_among_many(
        paths in proptest::collection::btree_set("(/[ab]{1,2}){1,3}|/", 1..20),
        asked in "(/([ab]{1,2}|%6[12]|ab%61)){0,4}/?",
    ) {
        let config = parsed(&relay(|value| {
            let route = |path: &String| json!({ "path": path, "upstream": "https://api.example.com" });
            value["routes"] = paths.iter().map(route).collect();
        }));
        let asked = if asked.is_empty() { "/" } else { &asked };
        let covering = config.routes.iter().filter_map(|route| Some((route.prefix.as_str(), route.prefix.strip(asked)?)));
        let deepest = covering.max_by_key(|(prefix, _)| if *prefix == "/" { 0 } else { prefix.matches('/').count() });
        let found = config.routes.find(asked).map(|(route, rest)| (route.prefix.as_str(), rest));
        prop_assert_eq!(found, deepest);
    }
}
