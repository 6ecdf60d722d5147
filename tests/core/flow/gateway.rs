//! The whole flow: request in; refused, answered, or forwarded with exactly these headers.

use access_relay_core::caller::gate::Gate;
use access_relay_core::flow::gateway;
use access_relay_core::flow::gateway::{Action, Decision};
use access_relay_core::outcomes::problem::Code;
use serde_json::{Value, json};

use crate::support::{Lines, LocalKeys, issuer_key, now, parsed, person, program, relay};

const TRACEPARENT: &str = "00-07070707070707070707070707070707-0707070707070707-00";

/// What became of a request.
#[derive(Debug)]
enum Outcome {
    /// Status, code and headers of an answer of the relay's own, and its body.
    Answered(u16, Option<Code>, Lines, Option<Value>),
    /// URL and headers of the request to the API.
    Forwarded(String, Lines),
    /// A report on everything.
    Health,
}

impl Outcome {
    fn code(&self) -> Option<&'static str> {
        match self {
            Outcome::Answered(_, code, ..) => code.map(Code::as_str),
            Outcome::Forwarded(..) | Outcome::Health => None,
        }
    }

    fn forwarded(self) -> (String, Lines) {
        match self {
            Outcome::Forwarded(url, lines) => (url, lines),
            answered => panic!("{answered:?}"),
        }
    }
}

fn decide(relay: &Value, method: &str, url: &str, headers: &[(&str, &str)]) -> (Decision, Lines) {
    let config = parsed(relay);
    let lines = Lines::of(headers);
    let gate = Gate::new(LocalKeys::publishing(&[&issuer_key().jwk]));
    (lines.asked(method, url, |head| now(gateway::decide(&config, &gate, head))), lines)
}

fn send(relay: &Value, method: &str, url: &str, headers: &[(&str, &str)]) -> Outcome {
    let (decision, lines) = decide(relay, method, url, headers);
    match decision.action {
        Action::Answer(answer) => {
            let body = answer.body.map(|body| serde_json::from_str(&body).unwrap());
            Outcome::Answered(
                answer.status,
                answer.refusal.map(|refusal| refusal.code),
                Lines::default().apply(&answer.headers),
                body,
            )
        }
        Action::Forward(forward) => Outcome::Forwarded(forward.edits.url().to_owned(), lines.apply(&forward.edits)),
        Action::Health => Outcome::Health,
    }
}

fn token() -> String {
    issuer_key().sign(&person())
}

fn open() -> Value {
    relay(|value| value["access"] = json!({ "dangerously_allow_anyone": true }))
}

#[test]
fn a_call_is_forwarded_with_our_credentials_alone() {
    let token = token();
    let (url, lines) = send(
        &relay(|_| {}),
        "GET",
        "https://app.example.com/api/notes?q=%20a",
        &[
            ("Accept", "application/json"),
            ("Authorization", "Basic eDp5"),
            ("CF-Connecting-IP", "203.0.113.9"),
            ("Cf-Access-Jwt-Assertion", &token),
            ("Cf-Access-Client-Id", "evil"),
            ("Cf_Access_Client_Secret", "evil"),
            ("Cf-Access-Authenticated-User-Email", "evil@example.com"),
            ("Cookie", "CF_Authorization=x; theme=dark"),
            ("Connection", "keep-alive, x-hop, accept"),
            ("Keep-Alive", "1"),
            ("TE", "trailers"),
            ("X-Hop", "1"),
            ("X-Forwarded-For", "198.51.100.1"),
            ("X-Forwarded-User", "evil"),
            ("X_Forwarded_Email", "evil@example.com"),
            ("X-Forwarded-Proto", "gopher"),
            ("Forwarded", "for=198.51.100.1"),
            ("Origin", "https://app.example.com"),
            ("Tracestate", "a=b"),
            ("Upgrade", "h2c"),
        ],
    )
    .forwarded();
    assert_eq!(url, "https://api.example.com/api/notes?q=%20a");
    let mut lines = lines.0;
    lines.sort();
    let expected = [
        ("authorization", "Basic eDp5"),
        ("cf-access-client-id", "0123.access"),
        ("cf-access-client-secret", "s3cr3t-value"),
        ("cf-connecting-ip", "203.0.113.9"),
        ("origin", "https://app.example.com"),
        ("traceparent", TRACEPARENT),
        ("x-forwarded-email", "ada@example.com"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "app.example.com"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-user", "7335d417-61da-459d-899c-0a01c76a2f94"),
    ];
    assert_eq!(lines.remove(0).0, "access-relay-loop");
    assert_eq!(lines, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_connection_header_cannot_take_our_credentials_away() {
    let token = token();
    let ours = [
        "cf-access-client-id",
        "cf-access-client-secret",
        "traceparent",
        "x-forwarded-email",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-user",
    ];
    let options = ours.join(", ");
    let mut headers = vec![("cf-access-jwt-assertion", token.as_str()), ("cf-connecting-ip", "203.0.113.7")];
    let sent = |headers: &[_]| {
        let (_, lines) = send(&relay(|_| {}), "GET", "https://app.example.com/api", headers).forwarded();
        ours.map(|name| lines.get(name).unwrap_or_else(|| panic!("no {name}")))
    };
    let expected = sent(&headers);
    headers.push(("connection", &options));
    assert_eq!(sent(&headers), expected);

    let callers = relay(|value| value["routes"][0]["credentials"] = json!("caller-token"));
    let headers = [("cf-access-jwt-assertion", token.as_str()), ("connection", "cf-access-token")];
    let (_, lines) = send(&callers, "GET", "https://app.example.com/api", &headers).forwarded();
    assert_eq!(lines.get("cf-access-token"), Some(token));
}

#[test]
fn who_calls_is_told_from_verified_claims() {
    let names = ["x-forwarded-user", "x-forwarded-email", "x-forwarded-client-id"];
    // What the API is told, and what the log is.
    let told = |relay: &Value, claims: &Value| {
        let token = issuer_key().sign(claims);
        let spoofed = [
            "X-Forwarded-User",
            "x_forwarded_user",
            "X-Forwarded_Email",
            "X-Forwarded-Client-Id",
            "x_forwarded-client_id",
        ];
        let mut headers = vec![("cf-access-jwt-assertion", token.as_str())];
        headers.extend(spoofed.map(|name| (name, "evil")));
        let (decision, lines) = decide(relay, "GET", "https://app.example.com/api", &headers);
        let Action::Forward(forward) = decision.action else { panic!("{decision:?}") };
        let lines = lines.apply(&forward.edits);
        assert!(lines.0.iter().all(|(_, value)| value != "evil"), "{lines:?}");
        (names.map(|name| lines.get(name)), decision.known.warnings)
    };
    let texts = |texts: [&str; 3]| texts.map(|text| (!text.is_empty()).then(|| text.to_owned()));
    let ada = "7335d417-61da-459d-899c-0a01c76a2f94";
    assert_eq!(told(&relay(|_| {}), &person()), (texts([ada, "ada@example.com", ""]), vec![]));
    // A program is nobody that `x-forwarded-user` could name.
    assert_eq!(told(&relay(|_| {}), &program()), (texts(["", "", "88bf.access"]), vec![]));
    for bent in ["ada@example.com\r\nx-admin: 1", "ada@exämple.com", " ada@example.com", "ada@example.com\u{0}"] {
        let mut claims = person();
        claims["email"] = json!(bent);
        let warning = "x-forwarded-email is left out: the claim cannot be a header's value".to_owned();
        assert_eq!(told(&relay(|_| {}), &claims), (texts([ada, "", ""]), vec![warning]));
    }
    let silent = relay(|value| value["access"]["identity_headers"] = json!(false));
    assert_eq!(told(&silent, &person()), (texts(["", "", ""]), vec![]));
    assert_eq!(told(&silent, &program()), (texts(["", "", ""]), vec![]));
    assert_eq!(told(&open(), &person()), (texts(["", "", ""]), vec![]));
}

#[test]
fn the_callers_own_token_can_be_the_credential() {
    let relay = relay(|value| value["routes"][0]["credentials"] = json!("caller-token"));
    let token = token();
    let headers = [
        ("cookie", &*format!("CF_Authorization={token}")),
        ("cf-access-token", "evil"),
        ("cf-access-client-id", "evil"),
    ];
    let (_, lines) = send(&relay, "GET", "https://app.example.com/api", &headers).forwarded();
    assert_eq!(lines.get("cf-access-token"), Some(token));
    assert!(
        ["cf-access-client-id", "cf-access-client-secret", "cf-access-jwt-assertion", "cookie"]
            .iter()
            .all(|name| lines.get(name).is_none())
    );
}

#[test]
fn cookies_cross_by_name() {
    for (rule, expected) in
        [(json!([]), None), (json!(["theme"]), Some("theme=dark")), (json!(["*"]), Some("a=1; theme=dark"))]
    {
        let relay = relay(|value| value["routes"][0]["request_cookies"] = rule);
        let cookie = format!("a=1; CF_Authorization={}; theme=dark", token());
        let (_, lines) = send(&relay, "GET", "https://app.example.com/api", &[("cookie", &cookie)]).forwarded();
        assert_eq!(lines.get("cookie").as_deref(), expected);
    }
}

#[test]
fn traces_are_continued_or_begun() {
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (_, lines) =
        send(&open(), "GET", "https://app.example.com/api", &[("traceparent", caller), ("tracestate", "a=b")])
            .forwarded();
    assert_eq!(lines.get("traceparent").as_deref(), Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0707070707070707-01"));
    assert_eq!(lines.get("tracestate").as_deref(), Some("a=b"));
    let (_, lines) =
        send(&open(), "GET", "https://app.example.com/api", &[("traceparent", "junk"), ("tracestate", "a=b")])
            .forwarded();
    assert_eq!((lines.get("traceparent").as_deref(), lines.get("tracestate")), (Some(TRACEPARENT), None));
}

#[test]
fn websockets_keep_their_upgrade() {
    // Nothing else is upgraded to, and who offers several protocols gets none.
    #[rustfmt::skip]
    let table = [
        ("GET", "websocket", Some("websocket")), ("GET", " WebSocket ", Some("websocket")), ("GET", "h2c, websocket", None),
        ("GET", "websocket, h2c", None), ("GET", "h2c", None), ("GET", "", None), ("POST", "websocket", None),
    ];
    for (method, upgrade, expected) in table {
        let headers = [("connection", "Upgrade"), ("upgrade", upgrade), ("sec-websocket-key", "x")];
        let (_, lines) = send(&open(), method, "https://app.example.com/api", &headers).forwarded();
        assert_eq!((lines.get("upgrade").as_deref(), lines.get("connection")), (expected, None), "{method} {upgrade}");
    }
}

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
    // A list without an end is nobody's.
    assert_eq!(back(&open(), "app.example.com", &"x, ".repeat(300)).code(), Some("loop_detected"));
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
fn the_api_is_told_the_prefix_that_it_does_not_see() {
    let of = |strip_prefix: bool, path: &str| {
        let relay = relay(|value| {
            value["access"] = json!({ "dangerously_allow_anyone": true });
            value["routes"][0]["strip_prefix"] = json!(strip_prefix);
            value["routes"][0]["path"] = json!(path);
        });
        let (_, lines) =
            send(&relay, "GET", "https://app.example.com/api/x", &[("x-forwarded-prefix", "/evil")]).forwarded();
        lines.get("x-forwarded-prefix")
    };
    assert_eq!(of(true, "/api").as_deref(), Some("/api"));
    assert_eq!((of(false, "/api"), of(true, "/")), (None, None));
}

#[test]
fn a_second_cookie_line_hides_no_login_and_rides_along_in_no_value() {
    let relay = relay(|value| value["routes"][0]["request_cookies"] = json!(["theme"]));
    let token = token();
    let login = format!("CF_Authorization={token}");
    let of = |cookies: &[&str]| {
        let headers: Vec<(&str, &str)> = cookies.iter().map(|cookie| ("cookie", *cookie)).collect();
        send(&relay, "GET", "https://app.example.com/api", &headers).forwarded().1.get("cookie")
    };
    assert_eq!(of(&["theme=dark", "sid=SECRET", &login]), None);
    assert_eq!(of(&[&login, "sid=SECRET; theme=dark"]).as_deref(), Some("theme=dark"));
    assert_eq!(of(&["theme=dark", &login]), None);
    assert_eq!(of(&["theme=dark; lang=en", &login]).as_deref(), Some("theme=dark"));
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
