//! Which headers cross, in both directions.

use access_relay_core::messages::crossing::{
    NEVER_TO_THE_API, NEVER_TO_THE_BROWSER, NOT_THE_APIS, NOT_THE_CALLERS, beginnings, in_answer, in_request,
    is_listed, never_crosses_to_the_api, never_crosses_to_the_browser,
};
use access_relay_core::messages::edits::Edit;
use access_relay_core::messages::name::{Name, Names};

use crate::support::heads::Lines;

/// Every character of a token that is neither a letter nor a digit (RFC 9110 §5.6.2).
const DASHES: &str = "!#$%&'*+-.^_`|~";

#[test]
fn the_known_names_that_never_cross_are_listed() {
    let never = |crosses_not: fn(&str) -> bool| Name::ALL.iter().filter(move |name| crosses_not(name.as_str()));
    assert!(never(never_crosses_to_the_api).eq(NEVER_TO_THE_API));
    let to_the_browser = |name: &str| is_listed(name, NOT_THE_APIS);
    assert!(never(to_the_browser).eq(NEVER_TO_THE_BROWSER));
}

#[test]
fn what_a_caller_cannot_say_to_the_api() {
    let named = [
        "cf-access-authenticated-user-email",
        "cf-access-client-id",
        "cf-access-client-secret",
        "cf-access-jwt-assertion",
        "cf-access-token",
        "connection",
        "cookie2",
        "fastly-client-ip",
        "forwarded",
        "keep-alive",
        "proxy",
        "proxy-anything",
        "proxy-authorization",
        "proxy-connection",
        "remote-user",
        "te",
        "trailer",
        "transfer-encoding",
        "true-client-ip",
        "upgrade",
        "x-auth-request-email",
        "x-auth-request-user",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-forwarded",
        "x-forwarded-anything",
        "x-forwarded-email",
        "x-forwarded-for",
        "x-forwarded-prefix",
        "x-host",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-host",
        "x-original-url",
        "x-real-ip",
        "x-remote-user",
        "x-rewrite-url",
        "x-webauth-user",
        "access-relay-loop",
    ];
    let listed = NOT_THE_CALLERS.iter().map(|pattern| pattern.replace('*', "any"));
    for plain in named.iter().map(|name| (*name).to_owned()).chain(listed) {
        // However a server may fold it.
        for dash in DASHES.chars() {
            let name = plain.replace('-', &dash.to_string());
            let told = Lines::of(&[("accept", ""), (&name, ""), ("x-a", "")]).told();
            let present = in_request(&told);
            let dropped = |set| present.dropped(NEVER_TO_THE_API, set).collect::<Vec<_>>();
            let known = Name::ALL.iter().find(|known| known.as_str() == name);
            let expected = [known.map_or(Edit::Delete(&name), |known| Edit::Remove(*known))];
            assert_eq!(dropped(Names::default()), expected, "{name}");
            let mut all = Names::default();
            Name::ALL.iter().for_each(|name| all.insert(*name));
            // What is set in its place is not removed; what is only spelled like it goes all the same.
            let rest = if known.is_some() { vec![] } else { vec![Edit::Delete(&name)] };
            assert_eq!(dropped(all), rest, "{name}");
        }
    }
    let kept = [
        "accept",
        "authorization",
        "cf-accessory",
        "cf-connecting-ip",
        "cf-ipcountry",
        "content-length",
        "cookie",
        "host",
        "if-none-match",
        "origin",
        "referer",
        "sec-fetch-site",
        "user-agent",
        "x-forwarder",
        "forwarded-x",
        "x-requested-with",
        "x-api-key",
        "x-original-filename",
        "x-remote",
        "te2",
        "tea",
        "upgrade-insecure-requests",
        "x-hosting",
        "cookie3",
    ];
    for name in kept {
        let told = Lines::of(&[(name, "")]).told();
        assert!(in_request(&told).dropped(NEVER_TO_THE_API, Names::default()).next().is_none(), "{name}");
    }
    // Cloudflare's word in another spelling than its own is the caller's.
    for name in ["cf_connecting_ip", "cf-connecting_ip", "cf.ray", "cf~ipcountry"] {
        let told = Lines::of(&[(name, "")]).told();
        let dropped: Vec<_> = in_request(&told).dropped(NEVER_TO_THE_API, Names::default()).collect();
        assert_eq!(dropped, [Edit::Delete(name)]);
    }
}

#[test]
fn what_an_api_cannot_say_to_the_pages_host() {
    let named = [
        "set-cookie",
        "clear-site-data",
        "strict-transport-security",
        "public-key-pins",
        "public-key-pins-report-only",
        "expect-ct",
        "nel",
        "report-to",
        "reporting-endpoints",
        "service-worker-allowed",
        "set-login",
        "secure-session-registration",
        "secure-session-challenge",
        "sec-session-registration",
        "alt-svc",
        "accept-ch",
        "critical-ch",
        "origin-agent-cluster",
        "activate-storage-access",
        "timing-allow-origin",
        "access-control-allow-origin",
        "access-control-anything",
        "cf-access-client-secret",
        "cf-access-token",
    ];
    let listed = NOT_THE_APIS.iter().map(|pattern| pattern.replace('*', "any"));
    for name in named.iter().map(|name| (*name).to_owned()).chain(listed) {
        let told = Lines::of(&[("etag", ""), (&name, ""), ("x-a", "")]).told_by_the_api(&[]);
        let present = in_answer(&told);
        let dropped: Vec<_> = present.dropped(NEVER_TO_THE_BROWSER, Names::default()).collect();
        let known = Name::ALL.iter().find(|known| known.as_str() == name);
        assert_eq!(dropped, [known.map_or(Edit::Delete(&name), |known| Edit::Remove(*known))], "{name}");
    }
    for name in [
        "age",
        "accept-ranges",
        "cache-control",
        "content-disposition",
        "content-language",
        "content-security-policy",
        "date",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "permissions-policy",
        "referrer-policy",
        "retry-after",
        "server",
        "server-timing",
        "vary",
        "www-authenticate",
        "x-content-type-options",
        "x-request-id",
    ] {
        assert!(!never_crosses_to_the_browser(name), "{name}");
    }
}

#[test]
fn a_name_that_matters_begins_with_two_characters_that_are_told_once() {
    for beginnings in beginnings() {
        let all: Vec<&[u8]> = beginnings.as_bytes().chunks(2).collect();
        let each: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), each.len(), "{beginnings}");
        // A sign, or a known name's place, begins a line of another kind.
        assert!(all.iter().all(|two| two.len() == 2 && two[0].is_ascii_lowercase()), "{beginnings}");
    }
}
