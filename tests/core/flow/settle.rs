//! The API's answer in; what the browser gets, or why it gets a refusal, out.

use access_relay_core::flow::known::Known;
use access_relay_core::flow::settle;
use access_relay_core::messages::head::Destination;
use serde_json::json;

use crate::support::answers::{URL, header, known, owned, settle, settle_as, unchanged};
use crate::support::config::{parsed, relay};
use crate::support::heads::Lines;

#[test]
fn answers_are_scrubbed() {
    let plain = relay(|_| {});
    let headers = [
        ("content-type", "application/json"),
        ("set-cookie", "session=1; Domain=api.example.com"),
        ("set-cookie", "CF_Authorization=jwt"),
        ("clear-site-data", "\"*\""),
        ("strict-transport-security", "max-age=1"),
        ("nel", "{}"),
        ("cf-access-client-secret", "an echo"),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-private-network", "true"),
        ("access-control-anything", "1"),
        ("access-control-expose-headers", "x-a"),
        ("access-control-max-age", "5"),
        ("location", "https://api.example.com/api/notes/1"),
        ("etag", "\"x\""),
        ("vary", "Accept"),
    ];
    let scrubbed = owned(&[
        ("content-type", "application/json"),
        ("etag", "\"x\""),
        ("vary", "Accept"),
        ("location", "/api/notes/1"),
    ]);
    assert_eq!(settle(&plain, None, 201, &headers), Ok(scrubbed));
    let generous = relay(|value| {
        value["routes"][0]["response_cookies"] = json!(["session", "lang"]);
        value["cors"] = json!({ "allowed_origins": ["https://admin.example.com"] });
    });
    let expected = owned(&[
        ("content-type", "application/json"),
        ("etag", "\"x\""),
        ("vary", "Accept"),
        ("set-cookie", "session=1"),
        ("location", "/api/notes/1"),
        ("vary", "Origin"),
        ("access-control-allow-origin", "https://admin.example.com"),
    ]);
    assert_eq!(settle(&generous, Some("https://admin.example.com"), 201, &headers), Ok(expected));
}

#[test]
fn an_answer_that_nobody_could_keep_is_handed_on_as_it_is() {
    let plain = relay(|_| {});
    let of = |headers: &[(&str, &str)]| {
        let lines = Lines::of(headers);
        let config = parsed(&plain);
        lines.answered(200, |head| settle::settle(&known(&config), URL, head)).unwrap().edits.as_str().to_owned()
    };
    assert_eq!(
        of(&[("cache-control", "no-store"), ("content-type", "application/json"), ("etag", "x"), ("x-a", "1")]),
        ""
    );
    assert_ne!(of(&[("cache-control", "private"), ("content-type", "application/json")]), "");
}

#[test]
fn what_holds_the_service_token_does_not_come_back() {
    let headers = [
        ("x-echo", "secret: s3cr3t-value"),
        ("location", "/x?s=s3cr3t-value"),
        ("x-other", "1"),
        ("cache-control", "no-store"),
    ];
    let (lines, warnings) = settle_as(&relay(|_| {}), &unchanged, 200, &headers).unwrap();
    assert!(!format!("{lines:?}").contains("s3cr3t"), "{lines:?}");
    assert_eq!(lines.get("x-other").as_deref(), Some("1"));
    let left_out =
        |name| format!("the API's answer holds a credential that the relay sent: its header {name} is left out");
    assert_eq!(warnings, ["location", "x-echo"].map(left_out));
    // Also where it would be led back, or passed on as a cookie.
    let relay = relay(|value| {
        value["routes"][0]["strip_prefix"] = json!(true);
        value["routes"][0]["response_cookies"] = json!(["session"]);
    });
    let headers = [
        ("link", "</x?s3cr3t-value>; rel=a"),
        ("set-cookie", "session=s3cr3t-value"),
        ("refresh", "1; url=/x?s3cr3t-value"),
        ("vary", "x-forwarded-user, s3cr3t-value"),
    ];
    let (lines, _) = settle_as(&relay, &unchanged, 200, &headers).unwrap();
    assert!(!format!("{lines:?}").contains("s3cr3t"), "{lines:?}");
}

#[test]
fn what_goes_for_the_secret_in_it_decides_nothing() {
    let relay = relay(|value| value["cors"] = json!({ "allowed_origins": ["https://a.example"] }));
    let headers = [
        ("cache-control", "private, x=s3cr3t-value"),
        ("vary", "Origin, s3cr3t-value"),
        ("content-type", "text/plain; a=s3cr3t-value"),
    ];
    let (lines, _) = settle_as(&relay, &unchanged, 200, &headers).unwrap();
    assert_eq!(lines.get("cdn-cache-control").as_deref(), Some("no-store"));
    assert_eq!(lines.get("vary").as_deref(), Some("Sec-Fetch-Site, Origin"));
    assert_eq!(lines.get("content-security-policy").as_deref(), Some("sandbox"));
}

#[test]
fn an_answer_to_a_preflight_holds_no_service_token_either() {
    let relay =
        relay(|value| value["cors"] = json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream" }));
    let ask = |known: &mut Known| (known.preflight, known.origin) = (true, Some("https://a.example".to_owned()));
    for name in ["access-control-allow-headers", "access-control-allow-methods", "access-control-max-age"] {
        let config = parsed(&relay);
        let mut known = known(&config);
        ask(&mut known);
        let settled = Lines::of(&[(name, "x-a, S3CR3T-value")]).answered(204, |head| settle::settle(&known, URL, head));
        let settle::Settled { edits, warnings } = settled.unwrap();
        assert!(!edits.as_str().to_ascii_lowercase().contains("s3cr3t"), "{edits:?}");
        assert_eq!(warnings.len(), 1);
    }
}

#[test]
fn a_101_that_nobody_asked_for_is_no_answer() {
    let plain = relay(|_| {});
    let of = |change: &dyn Fn(&mut Known)| settle_as(&plain, change, 101, &[("upgrade", "websocket")]).err();
    assert_eq!(of(&|known| known.websocket = false), Some("upstream_unreachable"));
    assert_eq!(of(&|known| known.preflight = true), Some("upstream_unreachable"));
    assert_eq!(of(&|known| known.websocket = true), None);
}

#[test]
fn a_status_that_no_answer_has_is_no_answer() {
    let plain = relay(|_| {});
    let of = |status| settle_as(&plain, &|_: &mut Known| (), status, &[]).err();
    for status in [0, 100, 102, 103, 199, 600, 999] {
        assert_eq!(of(status), Some("upstream_unreachable"), "{status}");
    }
    for status in [200, 204, 304, 404, 500, 599] {
        assert_eq!(of(status), None, "{status}");
    }
}

#[test]
fn every_url_of_an_answer_leads_back() {
    let relay = relay(|value| {
        value["routes"][0]["strip_prefix"] = json!(true);
        value["routes"][0]["response_cookies"] = json!(["session"]);
    });
    let headers = [
        ("location", "https://api.example.com/jobs/1"),
        ("content-location", "/notes/7"),
        ("operation-location", "https://app.example.com/operations/9"),
        ("link", "</notes?page=2>; rel=\"next\", <https://other.example/x>; rel=\"help\""),
        ("refresh", "5; url=/jobs/1"),
        ("set-cookie", "session=1; Path=/users"),
    ];
    let expected = [
        ("location", "/api/jobs/1"),
        ("content-location", "/api/notes/7"),
        ("operation-location", "/api/operations/9"),
        ("link", "</api/notes?page=2>; rel=\"next\", <https://other.example/x>; rel=\"help\""),
        ("refresh", "5; url=/api/jobs/1"),
        ("set-cookie", "session=1; Path=/api/users"),
    ];
    for status in [200, 201, 202, 302, 307, 503] {
        let (lines, _) = settle_as(&relay, &unchanged, status, &headers).unwrap();
        for (name, value) in expected {
            assert_eq!(lines.get(name).as_deref(), Some(value), "{status} {name}");
        }
    }
    // And each where it stands alone.
    for (header, (name, value)) in headers.into_iter().zip(expected) {
        let (lines, _) = settle_as(&relay, &unchanged, 200, &[header]).unwrap();
        assert_eq!(lines.get(name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn an_answer_that_depends_on_who_calls_varies_by_what_browsers_send() {
    let plain = relay(|_| {});
    #[rustfmt::skip]
    let table = [
        ("X-Forwarded-Email", "Cookie"), ("x-forwarded-user, Accept", "Accept, Cookie"), ("Cf-Access-Jwt-Assertion", "Cookie"),
        ("Cookie, X-Forwarded-User", "Cookie"), ("X-Forwarded-Email, X-Forwarded-User", "Cookie"), ("*, X-Forwarded-User", "*"),
        ("X_Forwarded_Email", "Cookie"), ("Accept, Origin", "Accept, Origin"), ("Authorization", "Authorization"), ("", ""),
    ];
    for (vary, expected) in table {
        assert_eq!(header(&plain, &unchanged, &[("vary", vary)], "vary").as_deref(), Some(expected), "{vary}");
    }
    // Who frames a document is seen by no other header.
    let document = |known: &mut Known| known.destination = Destination::Document;
    for (vary, expected) in [
        ("Accept", "Accept, Sec-Fetch-Site"),
        ("", "Sec-Fetch-Site"),
        ("sec-fetch-site", "sec-fetch-site"),
        ("*", "*"),
        ("x-forwarded-user", "Cookie, Sec-Fetch-Site"),
    ] {
        assert_eq!(header(&plain, &document, &[("vary", vary)], "vary").as_deref(), Some(expected), "{vary}");
    }
    let html = [("content-type", "text/html")];
    assert_eq!(header(&plain, &unchanged, &html, "vary").as_deref(), Some("Sec-Fetch-Site"));
    assert_eq!(header(&plain, &unchanged, &[("content-type", "application/json")], "vary"), None);
    let all = relay(|value| value["routes"][0]["foreign_requests"] = json!("all"));
    assert_eq!((header(&all, &document, &[], "vary"), header(&all, &unchanged, &html, "vary")), (None, None));
    let with_policy = relay(|value| value["cors"] = json!({ "allowed_origins": ["https://a.example"] }));
    assert_eq!(
        header(&with_policy, &unchanged, &[("vary", "X-Forwarded-User")], "vary").as_deref(),
        Some("Cookie, Origin")
    );
}

#[test]
fn no_shared_cache_may_keep_what_a_checked_caller_got() {
    let plain = relay(|_| {});
    let nobody = |known: &mut Known| known.caller = None;
    #[rustfmt::skip]
    let table: &[(&str, Option<&str>)] = &[
        ("public, max-age=60", Some("no-store")), ("s-maxage=9", Some("no-store")), ("no-cache", Some("no-store")), ("", Some("no-store")),
        ("private=\"x-a\", max-age=60", Some("no-store")), ("ext=\"a, private, b\", public, max-age=60", Some("no-store")), ("private, public, max-age=1", Some("no-store")), ("max-age=60, x-private", Some("no-store")),
        // These could not be kept anyway.
        ("private, max-age=60", None), ("no-store", None), ("PRIVATE", None), ("max-age=60 , No-Store", None),
    ];
    for (cache_control, expected) in table {
        let headers = [
            ("cache-control", *cache_control),
            ("cdn-cache-control", "max-age=60"),
            ("cloudflare-cdn-cache-control", "max-age=60"),
            ("any-cdn-cache-control", "max-age=60"),
            ("surrogate-control", "max-age=60"),
        ];
        for checked in [true, false] {
            let (lines, _) = settle_as(&plain, if checked { &unchanged } else { &nobody }, 200, &headers).unwrap();
            assert_eq!(
                lines.get("cache-control").as_deref(),
                Some(*cache_control),
                "the browser's own is the API's to say"
            );
            let targeted =
                ["cdn-cache-control", "cloudflare-cdn-cache-control", "any-cdn-cache-control", "surrogate-control"]
                    .map(|name| lines.get(name));
            let kept = || Some("max-age=60".to_owned());
            let expected = if checked {
                [expected.map(str::to_owned), None, None, None]
            } else {
                [kept(), kept(), kept(), kept()]
            };
            assert_eq!(targeted, expected, "{cache_control} {checked}");
        }
    }
    assert_eq!(header(&plain, &unchanged, &[], "cdn-cache-control").as_deref(), Some("no-store"));
}

#[test]
fn no_page_of_another_site_gets_at_an_answer_without_asking() {
    let relay_with = |foreign: &str| relay(|value| value["routes"][0]["foreign_requests"] = json!(foreign));
    let of = |foreign: &str, destination, headers: &[_]| {
        header(&relay_with(foreign), &|known| known.destination = destination, headers, "cross-origin-resource-policy")
    };
    let same = || Some("same-origin".to_owned());
    for foreign in ["navigations", "none"] {
        for destination in [Destination::Other, Destination::Document, Destination::Unknown] {
            assert_eq!(of(foreign, destination, &[("cross-origin-resource-policy", "cross-origin")]), same());
            assert_eq!(of(foreign, destination, &[("cache-control", "private, max-age=60")]), same());
        }
        // A browser that keeps nothing and says who asks has to ask each time; one that is too old says nothing.
        assert_eq!(of(foreign, Destination::Other, &[("cache-control", "no-store")]), None);
        assert_eq!(of(foreign, Destination::Unknown, &[("cache-control", "no-store")]), same());
    }
    assert_eq!(of("all", Destination::Unknown, &[]), None);
    assert_eq!(
        of("all", Destination::Other, &[("cross-origin-resource-policy", "cross-origin")]).as_deref(),
        Some("cross-origin")
    );
}

#[test]
fn documents_of_the_api_get_an_origin_of_their_own() {
    use Destination::{Document, Other, Unknown};
    let sandboxed = |documents: &str, destination, headers: &[(&str, &str)]| {
        let relay = relay(|value| value["routes"][0]["documents"] = json!(documents));
        let policy = header(&relay, &|known| known.destination = destination, headers, "content-security-policy");
        policy.is_some_and(|policy| policy.split(',').any(|policy| policy.trim() == "sandbox"))
    };
    #[rustfmt::skip]
    let table = [
        // content type, shown as a document, fetched as data
        ("text/html; charset=utf-8", true, true), ("TEXT/HTML", true, true), ("image/svg+xml", true, true), ("application/xhtml+xml", true, true),
        ("text/xml", true, true), ("multipart/mixed", true, true), ("", true, true), ("nonsense", true, true), ("text/vnd.x", true, true),
        // Of several a browser takes the last; what is no type is sniffed.
        ("text/plain; charset=utf-8, text/html", true, true), ("image/png, text/html", true, true), ("image/", true, true), ("image/png x", true, true),
        ("application/json", true, false), ("application/problem+json", true, false), ("text/plain;charset=utf-8", true, false), ("image/png", true, false),
        ("text/javascript", true, false), ("application/ecmascript", true, false), ("application/octet-stream", true, false),
        ("audio/ogg", true, false), ("font/woff2", true, false), ("video/mp4", true, false),
    ];
    for (kind, document, data) in table {
        for (destination, expected) in [(Document, document), (Other, data), (Unknown, data)] {
            // Also what is kept nowhere may be shown, by a service worker.
            for cache_control in ["max-age=60", "no-store"] {
                let headers = [("content-type", kind), ("cache-control", cache_control)];
                assert_eq!(sandboxed("sandbox", destination, &headers), expected, "{kind} {destination:?}");
                assert!(!sandboxed("allow", destination, &headers));
            }
        }
    }
    // A 304 takes nothing away from the policy of what is kept.
    let of_304 = |headers: &[_]| {
        let settled = settle_as(&relay(|_| {}), &|known| known.destination = Document, 304, headers).unwrap();
        settled.0.get("content-security-policy")
    };
    assert_eq!(of_304(&[]), None);
    assert_eq!(
        of_304(&[("content-security-policy", "default-src 'self'")]).as_deref(),
        Some("default-src 'self', sandbox")
    );
    // The API's own policy stays, beside.
    let own = [("content-type", "text/html"), ("content-security-policy", "default-src 'self'")];
    let policy = header(&relay(|_| {}), &|known| known.destination = Document, &own, "content-security-policy");
    assert_eq!(policy.as_deref(), Some("default-src 'self', sandbox"));
    assert!(sandboxed("sandbox", Document, &[]) && sandboxed("sandbox", Other, &[]));
}
