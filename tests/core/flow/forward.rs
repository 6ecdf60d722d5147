//! What the API gets: exactly these headers, with our credentials alone.

use access_relay_core::flow::forward::question;
use access_relay_core::flow::gateway::Action;
use serde_json::{Value, json};

use crate::support::answers::owned;
use crate::support::config::{open, parsed, relay};
use crate::support::heads::Lines;
use crate::support::requests::{decide, send};
use crate::support::tokens::{issuer_key, person, program, token};

const TRACEPARENT: &str = "00-07070707070707070707070707070707-0707070707070707-00";

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
fn what_health_asks_an_api() {
    let config = parsed(&relay(|value| value["routes"][0]["upstream"] = json!("https://api.example.com/v2")));
    let edits = question(&config.routes[0]);
    assert_eq!(edits.url(), "https://api.example.com/v2/");
    let asked = Lines::default().apply(&edits);
    let expected = [
        ("access-relay-loop", config.routes[0].id.as_str()),
        ("cf-access-client-id", "0123.access"),
        ("cf-access-client-secret", "s3cr3t-value"),
    ];
    assert_eq!(asked.0, owned(&expected));
}

#[test]
fn only_what_changes_nothing_is_sent_once_more() {
    let relay = relay(|value| value["routes"][0]["retries"] = json!(2));
    let token = token();
    for (method, retries) in
        [("GET", 2), ("HEAD", 2), ("POST", 0), ("PUT", 0), ("DELETE", 0), ("OPTIONS", 0), ("get", 0)]
    {
        let url = "https://app.example.com/api/notes";
        let headers = [("Cf-Access-Jwt-Assertion", token.as_str()), ("Sec-Fetch-Site", "same-origin")];
        let (decision, _) = decide(&relay, method, url, &headers);
        let Action::Forward(forward) = decision.action else { panic!("{decision:?}") };
        assert_eq!(forward.retries, retries, "{method}");
    }
}
