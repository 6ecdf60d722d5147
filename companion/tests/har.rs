//! `har`: what failed in a recording, and why.

use access_relay_companion::explain::explanation;
use access_relay_companion::har::cause::Cause;
use access_relay_companion::har::console::{Why, messages};
use access_relay_companion::har::file::Har;
use access_relay_companion::har::report::{Report, report};
use access_relay_companion::har::safe;
use access_relay_companion::har::told::told;
use serde_json::{Value, json};

use crate::support::config::{AUD, minimal};

fn sample(file: &str) -> String {
    crate::committed(&format!("companion/tests/samples/har/{file}"))
}

fn found(har: &str, console: &str) -> Report {
    report(har.as_bytes(), console, None).unwrap()
}

fn codes(report: &Report) -> Vec<(&'static str, Vec<usize>)> {
    report.causes.iter().map(|found| (found.code, found.entries.clone())).collect()
}

#[test]
fn recordings_and_consoles_of_browsers() {
    for (har, console, expected) in [
        (
            "chrome-cors-preflight.har",
            "",
            vec![("access::preflight_blocked", vec![2]), ("cors::error_answer", vec![3])],
        ),
        ("chrome-access-expired.har", "", vec![("access::session_expired", vec![1])]),
        ("firefox-cors.har", "", vec![("access::preflight_blocked", vec![2])]),
        (
            "firefox-cors.har",
            "console-firefox.txt",
            vec![
                ("access::session_expired", vec![]),
                ("access::preflight_blocked", vec![2]),
                ("cors::preflight_unanswered", vec![]),
                ("cors::error_answer", vec![]),
            ],
        ),
        (
            "chrome-access-expired.har",
            "console-chrome.txt",
            vec![
                ("access::session_expired", vec![1]),
                ("cors::preflight_unanswered", vec![]),
                ("cors::error_answer", vec![]),
            ],
        ),
    ] {
        let console = if console.is_empty() { String::new() } else { sample(console) };
        assert_eq!(codes(&found(&sample(har), &console)), expected, "{har}");
    }
}

#[test]
fn what_a_console_says() {
    let url = "https://api.example.com/notes/1";
    let login = "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=1&meta=x";
    let chromium = |reason: &str| {
        format!(
            "app.js:1 Access to fetch at '{url}' from origin 'https://app.example.com' has been blocked by CORS policy: {reason}"
        )
    };
    let preflight = "Response to preflight request doesn't pass access control check: ";
    let firefox = |reason: &str| {
        format!(
            "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}. (Reason: {reason})."
        )
    };
    for (line, why, status, name) in [
        (chromium("No 'Access-Control-Allow-Origin' header is present on the requested resource."), Why::NoOrigin, None, None),
        (chromium(&format!("{preflight}It does not have HTTP ok status.")), Why::PreflightStatus, None, None),
        (chromium(&format!("{preflight}Redirect is not allowed for a preflight request.")), Why::PreflightRedirect, None, None),
        (chromium("Method DELETE is not allowed by Access-Control-Allow-Methods in preflight response."), Why::Method, None, Some("DELETE")),
        (chromium("Request header field x-a is not allowed by Access-Control-Allow-Headers in preflight response."), Why::Header, None, Some("x-a")),
        (chromium("The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'."), Why::Wildcard, None, None),
        (chromium("The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' when the request's credentials mode is 'include'."), Why::NoCredentials, None, None),
        (chromium("The 'Access-Control-Allow-Origin' header has a value 'https://b.example' that is not equal to the supplied origin."), Why::OtherOrigin, None, None),
        (chromium("Permission was denied for this request to access the `loopback` address space. (local network)"), Why::LocalNetwork, None, None),
        (firefox("CORS header \u{2018}Access-Control-Allow-Origin\u{2019} missing") + " Status code: 400.", Why::NoOrigin, Some(400), None),
        (firefox("CORS preflight response did not succeed") + " Status code: 403.", Why::PreflightStatus, Some(403), None),
        (firefox("CORS request did not succeed") + " Status code: (null).", Why::NoAnswer, None, None),
        (firefox("Did not find method in CORS header \u{2018}Access-Control-Allow-Methods\u{2019}"), Why::Method, None, None),
        (firefox("header \u{2018}x-a\u{2019} is not allowed according to header \u{2018}Access-Control-Allow-Headers\u{2019} from CORS preflight response"), Why::Header, None, Some("x-a")),
        (firefox("Credential is not supported if the CORS header \u{2018}Access-Control-Allow-Origin\u{2019} is \u{2018}*\u{2019}"), Why::Wildcard, None, None),
        (firefox("expected \u{2018}true\u{2019} in CORS header \u{2018}Access-Control-Allow-Credentials\u{2019}"), Why::NoCredentials, None, None),
        // In another language: the URL, the header's name and the number stay.
        (format!("已拦截跨源请求：同源策略禁止读取位于 {url} 的远程资源。（原因：CORS 头缺少 'Access-Control-Allow-Origin'）。状态码：403。").replace('（', "("), Why::NoOrigin, Some(403), None),
    ] {
        let found = messages(&line);
        assert_eq!(found.len(), 1, "{line}");
        assert_eq!((found[0].why, found[0].url.as_str(), found[0].status, found[0].name.as_deref()), (why, url, status, name), "{line}");
    }
    // WebKit tells the reason and the address in two lines.
    for (line, why, status) in [
        (
            "Origin https://app.example.com is not allowed by Access-Control-Allow-Origin. Status code: 200",
            Why::NoOrigin,
            Some(200),
        ),
        ("Preflight response is not successful. Status code: 403", Why::PreflightStatus, Some(403)),
        ("Method PATCH is not allowed by Access-Control-Allow-Methods.", Why::Method, None),
        ("Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\".", Why::NoCredentials, None),
        ("Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.", Why::Wildcard, None),
    ] {
        let found = messages(line);
        assert_eq!((found[0].why, found[0].url.as_str(), found[0].status), (why, "", status), "{line}");
    }
    // WebKit tells in the second line what was called, and in the first one where that has led to.
    let lines = format!(
        "Cross-origin redirection to {login} denied by Cross-Origin Resource Sharing policy: Origin https://app.example.com is not allowed by Access-Control-Allow-Origin. Status code: 302\nFetch API cannot load {url} due to access control checks."
    );
    let found = messages(&lines);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].url.as_str(), found[0].redirected_from.as_deref(), found[0].status),
        (login, Some(url), Some(302))
    );
    // Firefox tells a preflight that failed by a second line, and a redirect as well.
    let missing = firefox("CORS header \u{2018}Access-Control-Allow-Origin\u{2019} missing");
    let second = firefox("CORS request did not succeed") + " Status code: (null).";
    for (lines, whys) in [
        (format!("{missing} Status code: 403.\n{second}"), &[Why::PreflightStatus][..]),
        (format!("{missing} Status code: 200.\n{second}\n{second}"), &[Why::PreflightStatus, Why::NoAnswer]),
        (format!("{missing} Status code: 302.\n{second}"), &[Why::NoOrigin, Why::NoAnswer]),
        (
            format!("{missing} Status code: 403.\n{}", second.replace("notes/1", "notes/2")),
            &[Why::NoOrigin, Why::NoAnswer],
        ),
        (format!("{second}\n{missing} Status code: 403."), &[Why::NoAnswer, Why::NoOrigin]),
    ] {
        let found: Vec<Why> = messages(&lines).iter().map(|message| message.why).collect();
        assert_eq!(found, whys, "{lines}");
    }
    let redirected = format!(
        "Access to fetch at '{login}' (redirected from 'https://app.example.com/api/notes') from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present"
    );
    let found = messages(&redirected).remove(0);
    assert_eq!(
        (found.url.as_str(), found.redirected_from.as_deref(), found.origin.as_deref()),
        (login, Some("https://app.example.com/api/notes"), Some("https://app.example.com"))
    );
    for line in [
        "",
        "Uncaught (in promise) TypeError: Failed to fetch",
        "loaded https://a.example/",
        "GET https://a.example/ 404 (Not Found)",
    ] {
        assert_eq!(messages(line), [], "{line}");
    }
}

/// An entry: what it is, what is asked, the request's headers, the status, and the answer's headers.
type Row<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)], u16, &'r [(&'r str, &'r str)]);

fn recording(rows: &[Row]) -> String {
    let lines = |headers: &[(&str, &str)]| {
        headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>()
    };
    let entry = |(at, (kind, asked, sent, status, got)): (usize, &Row)| {
        let (method, url) = asked.split_once(' ').unwrap();
        let body = got
            .iter()
            .find(|(name, _)| *name == "code")
            .map(|(_, code)| json!({ "type": format!("urn:problem-type:access-relay:{code}") }).to_string());
        let mut entry = json!({
            "startedDateTime": format!("2026-11-26T09:00:{at:02}.000Z"),
            "_resourceType": kind,
            "request": { "method": method, "url": url, "headers": lines(sent) },
            "response": {
                "status": status, "headers": lines(got),
                "content": { "mimeType": body.as_ref().map(|_| "application/problem+json"), "text": body },
            },
        });
        // Chromium writes null where nothing failed; other browsers write nothing.
        if let Some((_, error)) = got.iter().find(|(name, _)| *name == "error") {
            entry["response"]["_error"] = if *error == "null" { Value::Null } else { json!(error) };
        }
        entry
    };
    json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "1" }, "entries": rows.iter().enumerate().map(entry).collect::<Vec<_>>() } }).to_string()
}

const APP: &str = "https://app.example.com";
const LOGIN: (&str, &str) = (
    "location",
    "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2",
);

#[test]
fn each_cause_is_told_from_the_others() {
    let own = ("sec-fetch-site", "same-origin");
    let page = [("origin", APP), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")];
    let asks = [("origin", APP), ("access-control-request-method", "PUT")];
    let denied = ("cf-access-domain", "api.example.com");
    let edge = ("server", "cloudflare");
    let api = "GET https://api.example.com/x";
    let get = "GET https://app.example.com/api/x";
    let question = "OPTIONS https://api.example.com/x";
    #[rustfmt::skip]
    let table: &[(&[Row], &[(&str, bool)])] = &[
        (&[("document", "GET https://app.example.com/", &[], 200, &[]), ("fetch", get, &[own], 302, &[LOGIN])], &[("access::session_expired", false)]),
        (&[("fetch", get, &[own, ("x-requested-with", "XMLHttpRequest")], 401, &[("cf-access-aud", AUD)])], &[("access::session_expired", false)]),
        (&[("document", "GET https://app.example.com/", &[], 302, &[LOGIN])], &[("access::not_logged_in", false)]),
        (&[("document", "GET https://app.example.com/", &[], 302, &[LOGIN]), ("fetch", get, &[own], 302, &[LOGIN])], &[("access::not_logged_in", false)]),
        // Who has logged in on the way to the page has had no trouble.
        (&[("document", "GET https://app.example.com/", &[], 302, &[LOGIN]), ("document", "GET https://app.example.com/", &[], 200, &[])], &[]),
        (&[("fetch", api, &page, 302, &[LOGIN])], &[("access::direct_call", false)]),
        (&[("fetch", api, &page, 403, &[denied])], &[("access::direct_call", false)]),
        (&[("fetch", "GET https://api.other.net/x", &[("origin", APP), ("sec-fetch-site", "cross-site")], 302, &[LOGIN]), ("document", "GET https://app.example.com/", &[("cookie", "a=1")], 200, &[])], &[("access::direct_call", false), ("browser::third_party_cookies", true)]),
        (&[("preflight", question, &asks, 403, &[denied])], &[("access::preflight_blocked", false)]),
        (&[("preflight", question, &asks, 403, &[edge])], &[("access::preflight_blocked", true)]),
        (&[("preflight", question, &asks, 302, &[LOGIN])], &[("access::preflight_blocked", false)]),
        (&[("fetch", api, &[("cf-access-client-id", "1.access")], 403, &[denied])], &[("access::service_token_refused", false)]),
        (&[("fetch", get, &[own], 502, &[("code", "upstream_access_denied")])], &[("access::service_token_refused", false)]),
        (&[("fetch", get, &[own], 403, &[("cf-access-aud", AUD)])], &[("access::denied", false)]),
        (&[("fetch", get, &[own], 401, &[("code", "unauthenticated")])], &[("relay::refused", false)]),
        (&[("preflight", "OPTIONS https://app.example.com/api/x", &asks, 403, &[("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"), ("content-type", "application/problem+json")])], &[("relay::preflight_refused", false)]),
        // Others have such a Vary, too.
        (&[("preflight", "OPTIONS https://app.example.com/api/x", &asks, 204, &[("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 204, &[("access-control-allow-origin", "*")])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 404, &[])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 204, &[("access-control-allow-origin", "*"), ("access-control-allow-methods", "PUT")])], &[]),
        (&[("fetch", api, &page, 200, &[("access-control-allow-origin", "*"), ("error", "net::ERR_FAILED")])], &[("cors::credentials", true)]),
        (&[("fetch", api, &page, 200, &[("access-control-allow-origin", "*")])], &[]),
        (&[("fetch", api, &page, 200, &[])], &[("cors::no_headers", false)]),
        (&[("fetch", api, &page, 500, &[("error", "net::ERR_FAILED")])], &[("cors::error_answer", false)]),
        (&[("fetch", get, &[own], 302, &[("location", "https://sso.example.com/login?to=x"), ("error", "null")]), ("fetch", "GET https://sso.example.com/login?to=x", &page, 200, &[("error", "net::ERR_FAILED")])], &[("cors::redirected", false)]),
        (&[("manifest", "GET https://app.example.com/app.webmanifest", &[], 302, &[LOGIN])], &[("browser::without_cookies", false)]),
        (&[("fetch", "GET https://ads.example.net/x", &page, 0, &[("error", "net::ERR_BLOCKED_BY_CLIENT")])], &[("browser::extension", false)]),
        (&[("fetch", "GET http://api.example.com/x", &[("referer", "https://app.example.com/")], 0, &[])], &[("browser::mixed_content", true)]),
        (&[("fetch", "GET http://192.168.0.1/x", &[], 0, &[("error", "net::ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS")])], &[("browser::local_network", false)]),
        (&[("fetch", get, &[own], 530, &[edge])], &[("cloudflare::error", false)]),
        (&[("fetch", get, &[own], 522, &[])], &[]),
        (&[("fetch", get, &[own], 403, &[("cf-mitigated", "challenge")])], &[("cloudflare::challenge", false)]),
        (&[("fetch", get, &[own, ("accept", "application/json")], 200, &[("content-type", "text/html")])], &[("page::html", true)]),
        (&[("fetch", get, &[own, ("accept", "text/html")], 200, &[("content-type", "text/html")])], &[]),
        (&[("fetch", get, &[own], 0, &[("error", "net::ERR_NAME_NOT_RESOLVED")])], &[("network::no_answer", false)]),
        (&[("fetch", get, &[own], 0, &[("error", "net::ERR_ABORTED")])], &[]),
        (&[("fetch", get, &[own], 0, &[])], &[("unclear", true)]),
        (&[("fetch", get, &[own], 404, &[])], &[]),
        // The request's own entry says no more than its preflight does.
        (&[("fetch", "PUT https://api.example.com/x", &[], 0, &[("error", "net::ERR_FAILED")]), ("preflight", question, &asks, 403, &[denied])], &[("access::preflight_blocked", false)]),
    ];
    let mut seen: Vec<&str> = Vec::new();
    for (rows, expected) in table {
        let report = found(&recording(rows), "");
        let causes: Vec<(&str, bool)> = report.causes.iter().map(|found| (found.code, found.inferred)).collect();
        assert_eq!(causes, *expected, "{rows:?}: {:?}", report.causes);
        seen.extend(causes.iter().map(|(code, _)| *code));
    }
    let unseen: Vec<&str> = Cause::ALL
        .iter()
        .map(|cause| cause.code())
        .filter(|code| !seen.contains(code) && *code != "access::wrong_application")
        .collect();
    assert_eq!(unseen, Vec::<&str>::new());
}

#[test]
fn a_configuration_tells_more() {
    let of = |rows: &[Row], change: &dyn Fn(&mut Value)| {
        let mut relay = minimal();
        change(&mut relay);
        let file = json!({ "vars": { "RELAY": relay } }).to_string();
        let config = explanation::config("wrangler.json", &file, None);
        assert!(config.is_some());
        let report = report(recording(rows).as_bytes(), "", config.as_ref()).unwrap();
        report.causes.iter().map(|found| (found.code, found.evidence.clone())).collect::<Vec<_>>()
    };
    let call: &[Row] =
        &[("fetch", "GET https://app.example.com/api/x", &[("sec-fetch-site", "same-origin")], 302, &[LOGIN])];
    let expired = (
        "access::session_expired",
        vec!["entry 1: GET https://app.example.com/api/x got 302, to Access's login page".to_owned()],
    );
    assert_eq!(of(call, &|_| {}), std::slice::from_ref(&expired));
    let other = of(call, &|relay| relay["access"]["audience"] = json!(["other"]));
    assert_eq!(
        other,
        [
            expired.clone(),
            (
                "access::wrong_application",
                vec![format!("entry 1: the login's AUD tag (kid) is {AUD}, which access.audience does not list")]
            )
        ]
    );
    let team = of(call, &|relay| relay["access"]["issuer"] = json!("https://other.cloudflareaccess.com"));
    assert_eq!(
        team[1].1,
        [
            "entry 1: the login is at https://acme.cloudflareaccess.com, and access.issuer is https://other.cloudflareaccess.com"
        ]
    );
    let vary = ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    let asks = [("origin", APP), ("access-control-request-method", "PUT")];
    let refused: &[Row] = &[(
        "preflight",
        "OPTIONS https://other.example.com/api/x",
        &asks,
        204,
        &[vary, ("access-control-allow-origin", APP)],
    )];
    let cause = |debug: bool| of(refused, &|relay| relay["debug"] = json!(debug))[0].0;
    assert_eq!((cause(true), cause(false)), ("relay::preflight_refused", "cors::preflight_unanswered"));
    let direct: &[Row] = &[(
        "preflight",
        "OPTIONS https://api.example.com/x",
        &[("origin", APP), ("access-control-request-method", "PUT")],
        403,
        &[("cf-access-domain", "x")],
    )];
    let codes: Vec<&str> = of(direct, &|_| {}).iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["access::direct_call", "access::preflight_blocked"]);
    // The console tells the same, alone and beside the recording, in the words of each engine.
    let file = json!({ "vars": { "RELAY": minimal() } }).to_string();
    let config = explanation::config("wrangler.json", &file, None);
    let call: &[Row] = &[("fetch", "GET https://api.example.com/x", &[], 0, &[])];
    for log in [
        "Access to fetch at 'https://api.example.com/x' from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.example.com/x. (Reason: CORS header \u{2018}Access-Control-Allow-Origin\u{2019} missing). Status code: 200.",
        "Origin https://app.example.com is not allowed by Access-Control-Allow-Origin. Status code: 200\nFetch API cannot load https://api.example.com/x due to access control checks.",
    ] {
        for bytes in ["", &recording(call)] {
            let first = report(bytes.as_bytes(), log, config.as_ref()).unwrap().causes.remove(0);
            assert_eq!((first.code, first.inferred), ("access::direct_call", false), "{log}");
            assert_eq!(first.evidence, ["https://api.example.com is the upstream of the route /api"]);
            let without = report(bytes.as_bytes(), log, None).unwrap();
            assert!(without.causes.iter().all(|found| found.code != "access::direct_call"), "{log}");
        }
        let elsewhere = log.replace("api.example.com", "api.example.net");
        let found = report(b"", &elsewhere, config.as_ref()).unwrap();
        assert!(found.causes.iter().all(|found| found.code != "access::direct_call"), "{elsewhere}");
    }
}

#[test]
fn nothing_secret_is_shown_nor_shared() {
    const SECRETS: [&str; 12] = [
        "s-cookie",
        "s-set-cookie",
        "s-authorization",
        "v-client-secret",
        "v-token",
        "s-query",
        "s-meta",
        "s-body",
        "somebody@example.com",
        "somebody%40example.com",
        "s-own-header",
        "eyJhbGciOiJSUzI1NiJ9",
    ];
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSIsImVtYWlsIjoieCJ9.c2lnbmF0dXJl";
    let rows: &[Row] = &[(
        "fetch",
        "GET https://app.example.com/api/somebody@example.com/x?token=s-query&user=somebody%40example.com#s-own-header",
        &[
            ("cookie", "CF_Authorization=s-cookie; b=s-cookie"),
            ("authorization", "Bearer s-authorization"),
            ("cf-access-client-secret", "v-client-secret"),
            ("cf-access-token", "v-token"),
            ("cf-access-jwt-assertion", jwt),
            ("x-own", "s-own-header"),
            ("referer", "https://app.example.com/?mail=somebody@example.com"),
        ],
        302,
        &[
            (
                "location",
                "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2&meta=s-meta&redirect_url=%2F%3Fmail=somebody%40example.com",
            ),
            ("set-cookie", "a=s-set-cookie"),
        ],
    )];
    let mut har: Value = serde_json::from_str(&recording(rows)).unwrap();
    har["log"]["entries"][0]["response"]["content"] = json!({ "mimeType": "text/html", "text": "s-body" });
    har["log"]["entries"][0]["request"]["postData"] = json!({ "text": "s-body" });
    har["log"]["entries"][0]["request"]["cookies"] = json!([{ "name": "a", "value": "s-cookie" }]);
    har["log"]["pages"] = json!([{ "title": "https://app.example.com/?mail=somebody@example.com&t=s-query" }]);
    let text = har.to_string();
    let console = format!(
        "Access to fetch at 'https://app.example.com/x?token=s-query&meta=s-meta' from origin '{APP}' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present {jwt}"
    );
    let report = found(&text, &console);
    let copy = safe::copy(&Har::read(&text).unwrap());
    let shown = told(&report, true) + &serde_json::to_string(&report).unwrap() + &copy;
    for secret in SECRETS {
        assert!(
            !shown.contains(secret) || (secret == "somebody@example.com" && !copy.contains(secret)),
            "{secret} in {shown}"
        );
    }
    // The copy tells the same.
    assert_eq!(codes(&found(&copy, "")), codes(&found(&text, "")));
    assert!(copy.contains("kid=4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"));
    for file in ["chrome-cors-preflight.har", "chrome-access-expired.har", "firefox-cors.har"] {
        let text = sample(file);
        let copy = safe::copy(&Har::read(&text).unwrap());
        assert_eq!(codes(&found(&copy, "")), codes(&found(&text, "")), "{file}");
    }
}

/// The page of the docs has every cause, in the same order and in the same words.
#[test]
fn the_docs_have_every_cause() {
    let row = |cause: &Cause| format!("| `{}` | {}. | {} |\n", cause.code(), cause.title(), cause.advice());
    let rows: String = Cause::ALL.iter().map(row).collect();
    let page = crate::committed("docs/har.md");
    let (_, table) = page.split_once("|---|---|---|\n").unwrap();
    assert_eq!(table, rows);
}

#[test]
fn a_consoles_log_tells_something_by_itself() {
    let log = "Access to fetch at 'https://api.example.com/x' from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.";
    let alone = report(b"", log, None).unwrap();
    assert_eq!((alone.entries, codes(&alone)), (0, vec![("cors::no_headers", vec![])]));
    assert!(told(&alone, false).starts_with("The console's log alone; a recording (HAR) tells more\n"));
    assert!(report(b"", " ", None).is_err());
}
