//! The whole flow: request in; refused, answered, or forwarded with exactly these headers.

use access_relay::access::Gate;
use access_relay::gateway::{self, Action, Decision};
use access_relay::problem::Code;
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
    // Nothing else is upgraded to.
    for upgrade in ["websocket", "h2c, WebSocket"] {
        let headers = [("connection", "Upgrade"), ("upgrade", upgrade), ("sec-websocket-key", "x")];
        let (_, lines) = send(&open(), "GET", "https://app.example.com/api", &headers).forwarded();
        assert_eq!((lines.get("upgrade").as_deref(), lines.get("connection")), (Some("websocket"), None));
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
