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
    let login =
        "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=1&meta=x&to=https://b.example/x";
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
        (format!("Quellübergreifende (Cross-Origin) Anfrage blockiert: Die Gleiche-Quelle-Regel verbietet das Lesen der externen Ressource auf {url}. (Grund: Zugangsdaten werden nicht unterstützt, wenn der CORS-Header 'Access-Control-Allow-Origin' '*' ist)."), Why::Wildcard, None, None),
    ] {
        let found = messages(&line);
        assert_eq!(found.len(), 1, "{line}");
        let origin = line.contains("from origin").then_some(APP);
        assert_eq!(found[0].origin.as_deref(), origin, "{line}");
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
    // Chromium tells the status in a second line, if it is about the same request.
    let first = chromium("No 'Access-Control-Allow-Origin' header is present on the requested resource.");
    for (second, status) in [(url, Some(400)), ("https://api.example.com/notes/2", None)] {
        let found = messages(&format!("{first}\nGET {second} net::ERR_FAILED 400 (Bad Request)"));
        assert_eq!((found.len(), found[0].status), (1, status), "{second}");
    }
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
        // Lines that stand beside each other, and are no parts of one.
        (
            format!("Preflight response is not successful. Status code: 403\n{}", chromium("nobody knows why.")),
            &[Why::PreflightStatus, Why::Other],
        ),
        (
            format!("Access to storage is not allowed from this context.\n{missing}\n{}", first.replace("/1", "/2")),
            &[Why::NoOrigin, Why::NoOrigin],
        ),
        (
            "Failed at 'app.js'\nMethod PUT is not allowed by Access-Control-Allow-Methods.\nPreflight response is not successful."
                .to_owned(),
            &[Why::Method, Why::PreflightStatus],
        ),
        (
            "Access to storage is denied\nMethod PUT is not allowed by Access-Control-Allow-Methods.\nPreflight response is not successful."
                .to_owned(),
            &[Why::Method, Why::PreflightStatus],
        ),
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
    let vary = ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    let sso = ("location", "https://sso.example.com/login?to=x");
    let problem = ("content-type", "application/problem+json");
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
        // What the browser says of it counts more than where it comes from; else that.
        (&[("fetch", get, &[own, ("origin", "https://proxy.example.net")], 302, &[LOGIN])], &[("access::session_expired", false)]),
        (&[("fetch", api, &[("sec-fetch-site", "cross-site")], 302, &[LOGIN])], &[("access::direct_call", false)]),
        (&[("fetch", api, &[("origin", APP)], 302, &[LOGIN])], &[("access::direct_call", false)]),
        (&[("fetch", get, &[("origin", APP)], 302, &[LOGIN])], &[("access::session_expired", false)]),
        (&[("fetch", api, &page, 403, &[denied])], &[("access::direct_call", false)]),
        (&[("fetch", "GET https://api.other.net/x", &[("origin", APP), ("sec-fetch-site", "cross-site")], 302, &[LOGIN]), ("document", "GET https://app.example.com/", &[("cookie", "a=1")], 200, &[])], &[("access::direct_call", false), ("browser::third_party_cookies", true)]),
        (&[("preflight", question, &asks, 403, &[denied])], &[("access::preflight_blocked", false)]),
        (&[("preflight", question, &asks, 403, &[edge])], &[("access::preflight_blocked", true)]),
        (&[("preflight", question, &asks, 302, &[LOGIN])], &[("access::preflight_blocked", false)]),
        (&[("preflight", question, &asks, 404, &[edge])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 403, &[])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 403, &[edge, ("access-control-allow-origin", "*")])], &[("cors::preflight_unanswered", false)]),
        (&[("fetch", api, &[("cf-access-client-id", "1.access")], 403, &[denied])], &[("access::service_token_refused", false)]),
        (&[("fetch", api, &[("cf-access-client-id", "1.access")], 302, &[LOGIN])], &[("access::service_token_refused", false)]),
        (&[("fetch", get, &[own], 502, &[("code", "upstream_access_denied")])], &[("access::service_token_refused", false)]),
        (&[("fetch", get, &[own], 403, &[("cf-access-aud", AUD)])], &[("access::denied", false)]),
        (&[("fetch", get, &[own], 401, &[("code", "unauthenticated")])], &[("relay::refused", false)]),
        (&[("preflight", "OPTIONS https://app.example.com/api/x", &asks, 403, &[vary, problem])], &[("relay::preflight_refused", false)]),
        // Others have such a Vary, too.
        (&[("preflight", "OPTIONS https://app.example.com/api/x", &asks, 204, &[vary])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 403, &[vary])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 403, &[problem])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 404, &[vary, problem])], &[("cors::preflight_unanswered", false)]),
        (&[("fetch", get, &[own], 403, &[vary, problem])], &[]),
        (&[("preflight", question, &asks, 204, &[("access-control-allow-origin", "*")])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 404, &[])], &[("cors::preflight_unanswered", false)]),
        (&[("preflight", question, &asks, 204, &[("access-control-allow-origin", "*"), ("access-control-allow-methods", "PUT")])], &[]),
        (&[("fetch", api, &page, 200, &[("access-control-allow-origin", "*"), ("error", "net::ERR_FAILED")])], &[("cors::credentials", true)]),
        (&[("fetch", api, &page, 200, &[("access-control-allow-origin", "*")])], &[]),
        (&[("fetch", api, &page, 200, &[])], &[("cors::no_headers", false)]),
        // By http, nobody says that it is a call that the page means to read.
        (&[("fetch", api, &[("origin", APP)], 200, &[])], &[("cors::no_headers", true)]),
        (&[("fetch", api, &[("origin", APP)], 200, &[("error", "net::ERR_FAILED")])], &[("cors::no_headers", false)]),
        (&[("fetch", api, &page, 500, &[("error", "net::ERR_FAILED")])], &[("cors::error_answer", false)]),
        (&[("fetch", get, &[own], 302, &[sso, ("error", "null")]), ("fetch", "GET https://sso.example.com/login?to=x", &page, 200, &[("error", "net::ERR_FAILED")])], &[("cors::redirected", false)]),
        (&[("manifest", "GET https://app.example.com/app.webmanifest", &[], 302, &[LOGIN])], &[("browser::without_cookies", false)]),
        (&[("manifest", "GET https://app.example.com/app.webmanifest", &[], 200, &[])], &[]),
        (&[("manifest", "GET https://app.example.com/app.webmanifest", &[], 302, &[sso]), ("manifest", "GET https://sso.example.com/login?to=x", &[], 200, &[])], &[("browser::without_cookies", false)]),
        (&[("manifest", "GET https://app.example.com/app.webmanifest", &[], 302, &[sso]), ("manifest", "GET https://sso.example.com/login?to=x", &[], 200, &[("error", "null")])], &[]),
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
        // A page that is refused, or that nobody answers for.
        (&[("document", "GET https://app.example.com/", &[], 403, &[("cf-access-aud", AUD)])], &[("access::denied", false)]),
        (&[("document", "GET https://app.example.com/", &[], 522, &[edge])], &[("cloudflare::error", false)]),
        (&[("document", "GET https://app.example.com/", &[], 401, &[("code", "unauthenticated")])], &[("relay::refused", false)]),
        // Others than Chromium do not say what it is: its headers do.
        (&[("", "GET https://app.example.com/", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], 302, &[LOGIN])], &[("access::not_logged_in", false)]),
        (&[("", "GET https://app.example.com/", &[("accept", "text/html,*/*")], 302, &[LOGIN])], &[("access::not_logged_in", false)]),
        (&[("", "GET https://app.example.com/app.webmanifest", &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "manifest")], 302, &[LOGIN])], &[("browser::without_cookies", false)]),
        (&[("", question, &asks, 403, &[denied])], &[("access::preflight_blocked", false)]),
        (&[("", question, &page, 200, &[])], &[("cors::no_headers", false)]),
        (&[("", get, &[("accept", "application/json")], 0, &[])], &[("unclear", true)]),
        (&[("", get, &[("origin", APP)], 0, &[])], &[("unclear", true)]),
        (&[("", get, &[("accept", "image/png")], 0, &[])], &[]),
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
    let cause = |rows: &[Row], debug: bool| of(rows, &|relay| relay["debug"] = json!(debug))[0].0;
    assert_eq!(
        (cause(refused, true), cause(refused, false)),
        ("relay::preflight_refused", "cors::preflight_unanswered")
    );
    // The answer is like other servers', so it is not certain whose it is.
    let mut relay = minimal();
    relay["debug"] = json!(true);
    let file = json!({ "vars": { "RELAY": relay } }).to_string();
    let config = explanation::config("wrangler.json", &file, None);
    assert!(report(recording(refused).as_bytes(), "", config.as_ref()).unwrap().causes[0].inferred);
    // No other status, and no other Vary, is the relay's.
    let [(kind, asked, sent, status, got)] = refused else { panic!() };
    for row in [(*kind, *asked, *sent, 200, *got), (*kind, *asked, *sent, *status, &got[1..])] {
        assert_eq!(cause(&[row], true), "cors::preflight_unanswered", "{row:?}");
    }
    let direct: &[Row] = &[(
        "preflight",
        "OPTIONS https://api.example.com/x",
        &[("origin", APP), ("access-control-request-method", "PUT")],
        403,
        &[("cf-access-domain", "x")],
    )];
    let codes: Vec<&str> = of(direct, &|_| {}).iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["access::direct_call", "access::preflight_blocked"]);
    // A preflight is always another origin's, be it that of a sandbox; a call may be the API's own page's.
    let (null, own) = ([("origin", "null"), asks[1]], [("sec-fetch-site", "same-origin")]);
    let sandboxed: &[Row] = &[("preflight", "OPTIONS https://api.example.com/x", &null, 403, &[])];
    assert_eq!(of(sandboxed, &|_| {})[0].0, "access::direct_call");
    let of_the_api: &[Row] = &[("fetch", "GET https://api.example.com/x", &own, 0, &[])];
    assert_eq!(of(of_the_api, &|_| {})[0].0, "unclear");
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
    // A call that nobody answers says nothing of who asks: the API's own pages call it, too.
    let log = "GET https://api.example.com/x net::ERR_NAME_NOT_RESOLVED";
    let codes: Vec<_> = report(b"", log, config.as_ref()).unwrap().causes.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["network::no_answer"]);
}

/// Cloudflare's documentation, "Cloudflare 5xx errors"; 530 comes with a number of its own.
#[test]
fn each_status_of_cloudflares_is_told_in_words() {
    let edge = ("server", "cloudflare");
    for (status, words) in [
        (520, "520: the API closed the connection, or answered with nonsense"),
        (521, "521: the API's server refuses connections"),
        (522, "522: the API's server did not take the connection in time"),
        (523, "523: the API's server cannot be reached"),
        (524, "524: the API's server did not answer in time"),
        (525, "525 or 526: the API's server has no certificate that is good"),
        (526, "525 or 526: the API's server has no certificate that is good"),
        (530, "530: the host's name leads nowhere (1016), or its tunnel is down (1033)"),
    ] {
        let row: Row =
            ("fetch", "GET https://app.example.com/api/x", &[("sec-fetch-site", "same-origin")], status, &[edge]);
        let cause = found(&recording(&[row]), "").causes.remove(0);
        assert_eq!(cause.code, "cloudflare::error");
        assert!(cause.evidence.iter().any(|line| line.contains(words)), "{status}: {:?}", cause.evidence);
    }
    for status in [519, 527, 529, 531] {
        let row: Row =
            ("fetch", "GET https://app.example.com/api/x", &[("sec-fetch-site", "same-origin")], status, &[edge]);
        assert!(found(&recording(&[row]), "").causes.iter().all(|found| found.code != "cloudflare::error"), "{status}");
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

#[test]
fn what_a_console_says_besides() {
    let chromium = |kind: &str, url: &str, reason: &str| {
        format!("Access to {kind} at {url} from origin '{APP}' has been blocked by CORS policy: {reason}\n")
    };
    let firefox = |reason: &str| {
        format!(
            "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.example.com/x. (Reason: {reason}\n"
        )
    };
    let missing = "No 'Access-Control-Allow-Origin' header is present on the requested resource.";
    let gone = firefox("CORS request did not succeed). Status code: (null).");
    let login = "https://acme.cloudflareaccess.com/cdn-cgi/access/login";
    let unclear: Row = ("fetch", "GET https://api.example.com/x", &[], 0, &[("error", "net::ERR_BLOCKED_BY_RESPONSE")]);
    let told: Row =
        ("fetch", "GET https://api.example.com/x", &[("origin", APP), ("sec-fetch-mode", "cors")], 200, &[]);
    let expired = "the console: a call was redirected to Access's login page";
    let api = "the console: https://api.example.com/x";
    #[rustfmt::skip]
    let table: &[(&[Row], String, &[(&str, &[&str])])] = &[
        // What the recording shows is not told twice; what it does not show is.
        (&[told], chromium("fetch", "'https://api.example.com/x'", missing), &[("cors::no_headers", &["entry 1: GET https://api.example.com/x got 200; the answer has no Access-Control-Allow-Origin"])]),
        (&[unclear], chromium("fetch", "'https://api.example.com/x'", missing), &[("cors::no_headers", &[api]), ("unclear", &["entry 1: GET https://api.example.com/x: net::ERR_BLOCKED_BY_RESPONSE"])]),
        (&[], chromium("fetch", "'https://api.example.com/x'", missing).repeat(2) + &chromium("fetch", "'https://api.example.com/x?a=1'", missing), &[("cors::no_headers", &[api])]),
        // That it was blocked, or that no answer came, says nothing where more is said.
        (&[], chromium("fetch", "'https://api.example.com/x'", missing) + "Fetch API cannot load https://api.example.com/x due to access control checks.", &[("cors::no_headers", &[api])]),
        (&[], firefox("CORS header \u{2018}Access-Control-Allow-Origin\u{2019} missing). Status code: 403.") + &gone.repeat(2), &[("cors::preflight_unanswered", &["the console: https://api.example.com/x, status 403"])]),
        (&[], gone, &[("network::no_answer", &[api])]),
        (&[], firefox("CORS header \u{2018}Access-Control-Allow-Origin\u{2019} missing). Status code: 302."), &[("cors::redirected", &["the console: https://api.example.com/x, status 302"])]),
        // A login page tells by its address which application it is of.
        (&[], chromium("fetch", &format!("'{login}/api.example.com' (redirected from 'https://api.example.com/x')"), missing), &[("access::direct_call", &[expired])]),
        (&[], chromium("fetch", &format!("'{login}/app.example.com' (redirected from '{APP}/api/x')"), missing), &[("access::session_expired", &[expired])]),
        (&[], chromium("fetch", &format!("'{login}'"), missing), &[("access::session_expired", &[expired])]),
        (&[], chromium("manifest", &format!("'{login}/app.example.com' (redirected from '{APP}/m')"), missing), &[("browser::without_cookies", &["the console: https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com"])]),
        (&[], chromium("manifest", &format!("'https://sso.example.com/' (redirected from '{APP}/m')"), missing), &[("browser::without_cookies", &["the console: https://sso.example.com/"])]),
        (&[], chromium("manifest", "'https://cdn.example.com/m'", missing), &[("cors::no_headers", &["the console: https://cdn.example.com/m"])]),
        (&[], chromium("manifest", "'https://cdn.example.com/m' (redirected from 'https://cdn.example.com/n')", missing), &[("cors::no_headers", &["the console: https://cdn.example.com/m"])]),
        // What becomes of cookies is said of every site.
        (&[], format!("Cookie \u{201c}a\u{201d} has been rejected because it is in a cross-site context and its \u{201c}SameSite\u{201d} is \u{201c}Lax\u{201d}: {login}/app.example.com"), &[]),
    ];
    for (rows, console, expected) in table {
        let bytes = if rows.is_empty() { String::new() } else { recording(rows) };
        let report = report(bytes.as_bytes(), console, None).unwrap();
        let causes: Vec<(&str, Vec<&str>)> = report
            .causes
            .iter()
            .map(|found| (found.code, found.evidence.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(&str, Vec<&str>)> =
            expected.iter().map(|(code, evidence)| (*code, evidence.to_vec())).collect();
        assert_eq!(causes, expected, "{console}");
    }
}

#[test]
fn what_a_recording_cannot_tell() {
    const COOKIES: &str = "the recording holds no cookies, for browsers leave them out: that says nothing of a login";
    const CONSOLE: &str = "a recording does not name the reason of a CORS error; the console does: --console LOG";
    const ASKED: &str = "entry 1 needs a preflight, and the recording has none: the browser had its answer from before, or does not record preflights";
    let (get, put, post) =
        ("GET https://api.example.com/x", "PUT https://api.example.com/x", "POST https://api.example.com/x");
    let page = ("origin", APP);
    let failed = ("error", "net::ERR_CONNECTION_REFUSED");
    let json = ("content-type", "application/json");
    let form = ("content-type", "text/plain");
    let star = ("access-control-allow-origin", "*");
    #[rustfmt::skip]
    let table: &[(&[Row], &str, &[&str])] = &[
        (&[("fetch", get, &[page], 302, &[LOGIN])], "", &[COOKIES]),
        (&[("document", "GET https://app.example.com/", &[], 302, &[LOGIN])], "", &[COOKIES]),
        (&[("fetch", get, &[page], 302, &[LOGIN]), ("document", "GET https://app.example.com/", &[("cookie", "a=1")], 200, &[])], "", &[]),
        (&[("fetch", get, &[page], 0, &[failed])], "", &[]),
        (&[("fetch", get, &[page], 0, &[])], "", &[CONSOLE]),
        (&[("fetch", get, &[page], 200, &[])], " \n", &[CONSOLE]),
        (&[("fetch", get, &[page], 200, &[])], "app.js:1 started", &[]),
        (&[("fetch", put, &[page], 0, &[failed])], "", &[ASKED]),
        (&[("fetch", put, &[page], 0, &[failed]), ("preflight", "OPTIONS https://api.example.com/y", &[page, ("access-control-request-method", "PUT")], 204, &[star, ("access-control-allow-methods", "PUT")])], "", &[ASKED]),
        (&[("fetch", put, &[page], 0, &[failed]), ("preflight", "OPTIONS https://api.example.com/x?a=1", &[page, ("access-control-request-method", "PUT")], 204, &[star, ("access-control-allow-methods", "PUT")])], "", &[]),
        // Nothing failed; it was blocked; it is no call of a page's; it is of the page's own origin; it needs no asking.
        (&[("fetch", put, &[page], 200, &[star])], "", &[]),
        (&[("fetch", put, &[page], 0, &[("error", "net::ERR_BLOCKED_BY_CLIENT")])], "", &[]),
        (&[("other", put, &[page], 0, &[failed])], "", &[]),
        (&[("fetch", put, &[], 0, &[failed])], "", &[]),
        (&[("fetch", "PUT https://app.example.com/x", &[page], 0, &[failed])], "", &[]),
        (&[("fetch", post, &[page, form], 0, &[failed])], "", &[]),
        (&[("fetch", post, &[page, json], 0, &[failed])], "", &[ASKED]),
        (&[("fetch", get, &[page, ("authorization", "Bearer x")], 0, &[failed])], "", &[ASKED]),
        (&[("fetch", get, &[page, ("x-a", "1")], 0, &[failed])], "", &[ASKED]),
        // These may be the browser's own.
        (&[("fetch", get, &[page, ("x-requested-with", "org.example.app")], 0, &[failed])], "", &[]),
        (&[("fetch", get, &[page, ("cache-control", "no-cache"), ("user-agent", "x")], 0, &[failed])], "", &[]),
    ];
    for (rows, console, expected) in table {
        assert_eq!(found(&recording(rows), console).notes, *expected, "{rows:?}");
    }
}

#[test]
fn of_many_entries_the_first_ones_are_told() {
    let row: Row = ("fetch", "GET https://api.example.com/x", &[("origin", APP)], 302, &[LOGIN]);
    for (entries, rest) in [(8, None), (9, Some("   - and 1 entry more\n")), (11, Some("   - and 3 entries more\n"))] {
        let report = found(&recording(&vec![row; entries]), "");
        assert_eq!((report.causes[0].entries.len(), report.causes[0].evidence.len()), (entries, 8));
        let text = told(&report, false);
        assert!(text.starts_with(&format!("{entries} entries, recorded by WebInspector 1\n")), "{text}");
        assert!(rest.map_or(!text.contains(" more\n"), |rest| text.contains(rest)), "{text}");
    }
}

#[test]
fn what_people_read() {
    let page: Row = ("document", "GET https://app.example.com/", &[], 200, &[]);
    assert_eq!(
        told(&found(&recording(&[page]), ""), false),
        "1 entry, recorded by WebInspector 1\n\nNothing failed, as far as the recording tells.\n"
    );
    let call: Row = ("fetch", "GET https://app.example.com/api/x", &[("sec-fetch-site", "same-origin")], 302, &[LOGIN]);
    let expired = Cause::SessionExpired;
    assert_eq!(
        told(&found(&recording(&[page, call]), ""), false),
        format!(
            "2 entries, recorded by WebInspector 1\n\n1. {}  [{}]\n   - entry 2: GET https://app.example.com/api/x got 302, to \
             Access's login page\n   help: {}\n\nnote: the recording holds no cookies, for browsers leave them out: that says \
             nothing of a login\n",
            expired.title(),
            expired.code(),
            expired.advice()
        )
    );
    let unclear: Row = ("fetch", "GET https://app.example.com/api/x", &[("sec-fetch-site", "same-origin")], 0, &[]);
    let painted = told(&found(&recording(&[unclear]), ""), true);
    for part in [
        "1. \u{1b}[1mIt failed, and the recording does not tell why\u{1b}[0m (inferred)  [unclear]\n",
        "   \u{1b}[36mhelp:\u{1b}[0m Give the console's log",
        "\n\n\u{1b}[33mnote:\u{1b}[0m a recording does not name the reason",
    ] {
        assert!(painted.contains(part), "{painted:?}");
    }
}
