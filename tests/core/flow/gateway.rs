//! The whole flow: request in; refused, answered, or forwarded.

use access_relay_core::config::keys::ALL;
use access_relay_core::flow::gateway::Action;
use access_relay_core::outcomes::problem::Code;
use access_relay_core::rules::cross_origin::Grounds;
use serde_json::{Value, json};

use crate::support::config::{open, relay};
use crate::support::requests::{Outcome, decide, send};
use crate::support::tokens::{NOW, issuer_key, other_key, person, token};

#[test]
fn health_is_asked_at_its_path_and_nowhere_else() {
    let on = relay(|value| value["health_path"] = json!("/healthz"));
    let asked = |relay: &Value, method: &str, path: &str| {
        matches!(send(relay, method, &format!("https://app.example.com{path}"), &[]), Outcome::Health)
    };
    assert!(asked(&on, "GET", "/healthz") && asked(&on, "HEAD", "/healthz?x=1"));
    for (method, path) in [
        ("POST", "/healthz"),
        ("GET", "/healthz/"),
        ("GET", "/Healthz"),
        ("GET", "/health%7a"),
        ("GET", "/api/healthz"),
    ] {
        assert!(!asked(&on, method, path), "{method} {path}");
    }
    assert!(!asked(&relay(|_| {}), "GET", "/healthz"));
}

#[test]
fn refusals() {
    let token = token();
    let with_cors = relay(|value| {
        value["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": true })
    });
    let url = "https://app.example.com/api/x";
    let origin = ("origin", "https://admin.example.com");
    let assertion = ("cf-access-jwt-assertion", token.as_str());
    #[rustfmt::skip]
    let table: &[(&str, &str, &[(&str, &str)], &str)] = &[
        ("GET", "https://app.example.com/other", &[assertion], "not_found"),
        ("GET", "https://app.example.com/api/../x", &[assertion], "bad_path"),
        ("GET", "http://host*", &[assertion], "bad_path"),
        ("GET", url, &[], "unauthenticated"),
        ("GET", url, &[("cookie", "CF_Authorization=x")], "unauthenticated"),
        ("GET", url, &[("cf-access-jwt-assertion", "x"), ("cookie", &format!("CF_Authorization={token}"))], "unauthenticated"),
        ("POST", url, &[assertion, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], "cross_origin_blocked"),
        // Refused before the caller check costs anything.
        ("POST", url, &[("cf-access-jwt-assertion", "x"), ("sec-fetch-site", "cross-site")], "cross_origin_blocked"),
        ("GET", url, &[assertion, ("upgrade", "WebSocket"), ("origin", "https://evil.example")], "cross_origin_blocked"),
        ("GET", url, &[assertion, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")], "cross_origin_blocked"),
        ("GET", url, &[assertion, ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], "cross_origin_blocked"),
        ("TRACE", url, &[assertion], "method_not_forwarded"),
        ("TRACK", url, &[assertion], "method_not_forwarded"),
        ("CONNECT", url, &[assertion], "method_not_forwarded"),
        ("trace", url, &[assertion], "method_not_forwarded"),
        ("TRACE", "https://app.example.com/other", &[assertion], "not_found"),
        ("GET", url, &[assertion, ("connection", &"x, ".repeat(400))], "bad_request"),
        ("OPTIONS", url, &[("origin", "https://evil.example"), ("access-control-request-method", "GET")], "origin_not_allowed"),
        ("OPTIONS", url, &[origin, ("access-control-request-method", "PUT")], "method_not_allowed"),
        ("OPTIONS", url, &[origin, ("access-control-request-method", "GET"), ("access-control-request-headers", "x-a")], "header_not_allowed"),
        ("OPTIONS", "https://app.example.com/other", &[origin, ("access-control-request-method", "GET")], "not_found"),
        // An OPTIONS that is no preflight is an ordinary request.
        ("OPTIONS", url, &[origin], "unauthenticated"),
        ("OPTIONS", url, &[("access-control-request-method", "GET")], "unauthenticated"),
    ];
    for (method, url, headers, code) in table {
        let outcome = send(&with_cors, method, url, headers);
        assert_eq!(outcome.code(), Some(*code), "{method} {url} {headers:?}");
        let Outcome::Answered(status, Some(code), lines, Some(body)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((status, &body["code"]), (code.status(), &json!(code.as_str())));
        assert_eq!(lines.get("content-type").as_deref(), Some("application/problem+json"));
        assert_eq!(lines.get("cache-control").as_deref(), Some("no-store"));
        assert_eq!(lines.get("www-authenticate").is_some(), status == 401);
        assert_eq!(lines.get("allow").is_some(), status == 405);
        assert!(lines.get("vary").is_some_and(|vary| vary.starts_with("Origin")), "{lines:?}");
        // A page whose origin is allowed can read it; a refused preflight says nothing of CORS.
        let preflight = *method == "OPTIONS" && status == 403;
        let allowed = headers.contains(&origin) && !preflight;
        assert_eq!(lines.get("access-control-allow-origin").is_some(), allowed, "{method} {url} {headers:?}");
        assert_eq!(body.get("reason"), None);
    }
}

#[test]
fn a_401_is_the_same_whatever_was_wrong() {
    let relay = relay(|_| {});
    let body = |headers: &[(&str, &str)]| match send(&relay, "GET", "https://app.example.com/api", headers) {
        Outcome::Answered(401, _, lines, Some(body)) => (lines.0, body),
        outcome => panic!("{outcome:?}"),
    };
    let nothing = body(&[]);
    for headers in
        [[("cookie", "CF_Authorization=x")], [("cf-access-jwt-assertion", "")], [("cf-access-jwt-assertion", "a.b.c")]]
    {
        assert_eq!(body(&headers), nothing);
    }
}

#[test]
fn debug_says_why() {
    let relay = relay(|value| {
        value["debug"] = json!(true);
        value["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allowed_methods": ["PUT"] });
    });
    let Outcome::Answered(401, _, _, Some(body)) = send(&relay, "GET", "https://app.example.com/api", &[]) else {
        panic!()
    };
    assert_eq!(body["reason"], "no cf-access-jwt-assertion header and no CF_Authorization cookie");
    let headers = [("origin", "https://admin.example.com"), ("access-control-request-method", "DELETE")];
    let Outcome::Answered(204, Some(Code::MethodNotAllowed), lines, None) =
        send(&relay, "OPTIONS", "https://app.example.com/api", &headers)
    else {
        panic!()
    };
    assert_eq!(lines.get("access-control-allow-origin").as_deref(), Some("https://admin.example.com"));
    assert!(lines.get("access-control-allow-methods").is_none());
}

#[test]
fn a_blocked_origin_is_explained_to_who_debugs() {
    let of = |debug: bool, origin: &str, cookie: Option<&str>| {
        let relay = relay(|relay| {
            relay["debug"] = json!(debug);
            relay["cors"] = json!({ "allowed_origins": ["https://a.example"] });
        });
        let headers: Vec<(&str, &str)> =
            [("origin", origin)].into_iter().chain(cookie.map(|cookie| ("cookie", cookie))).collect();
        let (decision, _) = decide(&relay, "POST", "https://app.example.com/api/x", &headers);
        let Action::Answer(answer) = decision.action else { panic!() };
        let refusal = answer.refusal.unwrap();
        (refusal.code, refusal.explanation.map(|explanation| explanation.rule))
    };
    let rule = Some("cors.allowed_origins".to_owned());
    assert_eq!(of(true, "https://evil.example", None), (Code::CrossOriginBlocked, rule));
    assert_eq!(of(false, "https://evil.example", None), (Code::CrossOriginBlocked, None));
    // An allowed one is blocked for what it carries: the reason has said it all.
    assert_eq!(of(true, "https://a.example", Some("a=1")), (Code::CrossOriginBlocked, None));
}

#[test]
fn trace_is_forwarded_by_no_kind_of_route() {
    for change in [
        json!({}),
        json!({ "credentials": "caller-token" }),
        json!({ "strip_prefix": true, "foreign_requests": "all", "documents": "allow" }),
        json!({ "cors": { "allowed_origins": ["https://a.example"], "allow_credentials": true, "preflight": "upstream" } }),
    ] {
        let checked = change["credentials"] == "caller-token";
        let relay = relay(|value| {
            if !checked {
                value["access"] = json!({ "dangerously_allow_anyone": true });
            }
            let route = value["routes"][0].as_object_mut().unwrap();
            route.extend(change.as_object().unwrap().clone());
        });
        let token = token();
        for method in ["TRACE", "TRACK", "CONNECT", "Trace"] {
            let headers = [("cf-access-jwt-assertion", token.as_str()), ("origin", "https://a.example")];
            let outcome = send(&relay, method, "https://app.example.com/api/x", &headers);
            assert_eq!(outcome.code(), Some("method_not_forwarded"), "{method} {change}");
        }
    }
}

#[test]
fn a_connection_header_is_read_whole_or_refused() {
    let longest = "x,".repeat(511) + "x-z";
    let of = |connection: &str| {
        send(&open(), "GET", "https://app.example.com/api", &[("connection", connection), ("x-z", "1"), ("x", "1")])
    };
    let shorter = &longest[1..];
    assert_eq!((longest.len(), shorter.len()), (1025, 1024));
    let (_, lines) = of(shorter).forwarded();
    assert_eq!((lines.get("x-z"), lines.get("x")), (None, None));
    assert_eq!(of(&longest).code(), Some("bad_request"));
}

#[test]
fn a_loop_ends_at_the_second_hop() {
    let (_, first) = send(&open(), "GET", "https://app.example.com/api/x", &[]).forwarded();
    let passed = first.get("access-relay-loop").unwrap();
    let back = |relay: &Value, host: &str, passed: &str| {
        send(relay, "GET", &format!("https://{host}/api/x"), &[("access-relay-loop", passed)])
    };
    // By whatever host of its own it comes back.
    for host in ["app.example.com", "other.example.com"] {
        assert_eq!(back(&open(), host, &passed).code(), Some("loop_detected"));
    }
    // Another relay lets it pass, and adds its name.
    let other = relay(|value| {
        value["access"] = json!({ "dangerously_allow_anyone": true });
        value["routes"][0]["upstream"] = json!("https://deeper.example.com");
    });
    let (_, second) = back(&other, "api.example.com", &passed).forwarded();
    let both = second.get("access-relay-loop").unwrap();
    assert!(both.starts_with(&passed) && both.len() > passed.len());
    for relay in [&open(), &other] {
        assert_eq!(back(relay, "app.example.com", &both).code(), Some("loop_detected"));
    }
    // A list without an end is nobody's: 640 bytes pass.
    back(&open(), "app.example.com", &"x".repeat(640)).forwarded();
    for passed in ["x".repeat(641), "x, ".repeat(300)] {
        assert_eq!(back(&open(), "app.example.com", &passed).code(), Some("loop_detected"));
    }
    // A preflight goes round no more than that.
    let preflight = [
        ("access-relay-loop", passed.as_str()),
        ("origin", "https://a.example"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(send(&open(), "OPTIONS", "https://app.example.com/api", &preflight).code(), Some("loop_detected"));
    // Another route of the same relay is no loop: an API may call it.
    let two = relay(|value| {
        value["access"] = json!({ "dangerously_allow_anyone": true });
        value["routes"] = json!([{ "path": "/api", "upstream": "https://api.example.com" }, { "path": "/other", "upstream": "https://other.example.com" }]);
    });
    let (_, onwards) = send(&two, "GET", "https://app.example.com/other", &preflight[..1]).forwarded();
    assert!(onwards.get("access-relay-loop").unwrap().starts_with(&passed));
}

#[test]
fn a_foreign_callback_reaches_its_paths_and_no_other() {
    let relay = relay(|value| value["routes"][0]["callback_paths"] = json!(["/api/auth/callback"]));
    let token = token();
    let of = |path: &str| {
        let headers = [
            ("cookie", &*format!("CF_Authorization={token}")),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        send(&relay, "POST", &format!("https://app.example.com{path}"), &headers).code()
    };
    assert_eq!((of("/api/auth/callback"), of("/api/auth/callback?state=x")), (None, None));
    for path in
        ["/api/auth", "/api/auth/callback/", "/api/auth/callback/x", "/api/AUTH/callback", "/api/auth/callbac%6b"]
    {
        assert_eq!(of(path), Some("cross_origin_blocked"), "{path}");
    }
}

#[test]
fn a_refusal_names_the_key_that_decided_and_what_passed_says_why() {
    let with_cors = relay(|value| {
        value["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "excluded_paths": ["/api/own"] });
    });
    let expired = issuer_key().sign(&changed(person(), "exp", json!(NOW - 61)));
    let elsewhere = issuer_key().sign(&changed(person(), "aud", json!(["other"])));
    let foreign = issuer_key().sign(&changed(person(), "iss", json!("https://other.cloudflareaccess.com")));
    let unknown = other_key().sign(&person());
    let token = token();
    let url = "https://app.example.com/api/x";
    let own = "https://app.example.com/api/own";
    let header = "cf-access-jwt-assertion";
    let [admin, evil] = ["https://admin.example.com", "https://evil.example"].map(|origin| ("origin", origin));
    let asks = ("access-control-request-method", "PUT");
    #[rustfmt::skip]
    let refused: &[(&str, &str, &[(&str, &str)], Option<&str>)] = &[
        ("GET", "https://app.example.com/other", &[], Some("routes")),
        ("GET", "https://app.example.com/api/../x", &[], None),
        ("TRACE", url, &[], None),
        ("GET", url, &[], None),
        ("GET", url, &[(header, &expired)], None),
        ("GET", url, &[(header, &elsewhere)], Some("access.audience")),
        ("GET", url, &[(header, &foreign)], Some("access.issuer")),
        ("GET", url, &[(header, &unknown)], Some("access.issuer")),
        ("OPTIONS", url, &[evil, asks], Some("cors.allowed_origins")),
        ("OPTIONS", own, &[admin, asks], Some("cors.excluded_paths")),
        ("OPTIONS", url, &[admin, asks], Some("cors.allowed_methods")),
        ("OPTIONS", url, &[admin, ("access-control-request-method", "GET"), ("access-control-request-headers", "x-a")], Some("cors.allowed_headers")),
        ("POST", url, &[evil], Some("cors.allowed_origins")),
        ("POST", own, &[admin], Some("cors.excluded_paths")),
        ("POST", url, &[admin, ("cookie", "a=1")], Some("cors.allow_credentials")),
        ("GET", url, &[("sec-fetch-site", "cross-site")], Some("routes.foreign_requests")),
    ];
    for (method, url, headers, key) in refused {
        let Action::Answer(answer) = decide(&with_cors, method, url, headers).0.action else { panic!("{headers:?}") };
        assert_eq!(answer.refusal.unwrap().key, *key, "{method} {url} {headers:?}");
        let is_known = |key: &&str| *key == "routes" || ALL.iter().any(|known| known.path().replace("[]", "") == **key);
        assert!(key.iter().all(is_known), "{key:?} is a key of RELAY");
    }
    let navigation = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let mut open = with_cors.clone();
    open["access"] = json!({ "dangerously_allow_anyone": true });
    open["routes"][0]["callback_paths"] = json!(["/api/callback"]);
    let form = [evil, navigation[0], navigation[1], navigation[2]];
    for (method, url, headers, grounds) in [
        ("POST", url, [(header, token.as_str())].as_slice(), Grounds::NotForeign),
        ("POST", url, &[("origin", "https://app.example.com")], Grounds::Own),
        ("POST", url, &[("sec-fetch-site", "same-origin")], Grounds::Own),
        ("POST", "https://app.example.com/api/callback", &form, Grounds::Callback),
        ("POST", url, &[admin], Grounds::Allowed),
        ("GET", url, &navigation, Grounds::Navigation),
    ] {
        let (decision, _) = decide(&open, method, url, headers);
        assert_eq!(decision.known.passed, Some(grounds), "{method} {url} {headers:?}");
        assert!(matches!(decision.action, Action::Forward(_)));
    }
}

/// Claims with another value.
fn changed(mut claims: Value, claim: &str, value: Value) -> Value {
    claims[claim] = value;
    claims
}
