//! `har` against what nobody would record on purpose: members of a wrong type, files that are no UTF-8, secrets wherever a text may stand, and
//! recordings in which nothing failed.

use access_relay_companion::har::file::Har;
use access_relay_companion::har::private::without_people;
use access_relay_companion::har::report::{Report, report};
use access_relay_companion::har::safe;
use access_relay_companion::har::told::told;
use serde_json::{Value, json};

const KID: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

fn login() -> String {
    format!("https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid={KID}&meta=left-out")
}

/// An entry that shows the end of a session, with every member that is read.
fn expired() -> Value {
    json!({
        "startedDateTime": "2026-11-26T09:00:01.000Z",
        "_resourceType": "fetch",
        "_initiator": { "url": "https://app.example.com/app.js" },
        "_fetchType": "Network Load",
        "request": { "method": "GET", "url": "https://app.example.com/api/x", "headers": [{ "name": "sec-fetch-site", "value": "same-origin" }] },
        "response": {
            "status": 302, "headers": [{ "name": "location", "value": login() }], "redirectURL": login(), "_error": null,
            "_failureText": null, "_fetchedViaServiceWorker": false, "content": { "mimeType": "text/html", "text": "" },
        },
    })
}

fn recording(entries: &[Value]) -> Value {
    json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" }, "entries": entries } })
}

fn of(har: &str) -> Report {
    report(har.as_bytes(), "", None).unwrap()
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.causes.iter().map(|found| found.code).collect()
}

/// Every place in a value, as a path of keys and numbers.
fn places(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut all: Vec<String> = Vec::new();
    for (name, child) in children {
        all.push(format!("/{name}"));
        all.extend(places(child).into_iter().map(|place| format!("/{name}{place}")));
    }
    all
}

#[test]
fn one_wrong_member_loses_itself_alone() {
    let whole = recording(&[expired(), expired()]);
    let deep = serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(100), "]".repeat(100))).unwrap();
    let wrong = [
        json!(null),
        json!(7),
        json!(-1.5e300),
        json!(true),
        json!("x"),
        json!([]),
        json!({}),
        json!({ "a": [1] }),
        json!([[1], {}]),
        deep,
    ];
    for place in places(&whole["log"]["entries"][0]) {
        for value in &wrong {
            let mut har = whole.clone();
            *har["log"]["entries"][0].pointer_mut(&place).unwrap() = value.clone();
            let report = of(&har.to_string());
            // The second entry is whole. Of an answer without a status, it says that nobody knows why.
            assert_eq!((report.entries, codes(&report)[0]), (2, "access::session_expired"), "{place} {value}");
            assert!(report.causes[0].entries.contains(&2), "{place} {value}");
            assert!(codes(&report)[1..].iter().all(|code| *code == "unclear"), "{place} {value}");
        }
    }
    for value in &wrong {
        let report = of(&recording(&[value.clone(), expired()]).to_string());
        assert_eq!((report.entries, &report.causes[0].entries), (2, &vec![2]), "{value}");
        let mut har = recording(&[expired()]);
        har["log"]["creator"] = value.clone();
        har["log"]["pages"] = value.clone();
        assert_eq!(codes(&of(&har.to_string())), ["access::session_expired"], "{value}");
    }
}

#[test]
fn files_of_other_programs() {
    let plain = recording(&[expired()]).to_string();
    let deep =
        plain.replacen("{\"log\"", &format!("{{\"x\":{}{},\"log\"", "[".repeat(100_000), "]".repeat(100_000)), 1);
    let twice = plain.replacen("\"method\"", "\"method\":\"POST\",\"method\"", 1);
    let half = plain.replacen("\"mimeType\"", "\"text\":\"\\ud800\",\"x\\ud800\":1,\"mimeType\"", 1);
    let escaped = plain.replacen("\"entries\"", "\"entr\\u0069es\"", 1);
    let charles = plain.replace("302", "\"302\"").replace("\"_error\":null,", "");
    let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let other_end: Vec<u8> = plain.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut broken = plain.replacen("text/html", "text/@html", 1).into_bytes();
    let at = broken.iter().position(|byte| *byte == b'@').unwrap();
    broken[at] = 0xe9;
    for (name, bytes) in [
        ("as it is", plain.clone().into_bytes()),
        ("with a mark", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("UTF-16", [&b"\xff\xfe"[..], &utf16].concat()),
        ("UTF-16, the other way round", [&b"\xfe\xff"[..], &other_end].concat()),
        ("UTF-16, cut", [&b"\xff\xfe"[..], &utf16, b"\0"].concat()),
        ("Latin-1", broken),
        ("nested", deep.into_bytes()),
        ("keys twice", twice.into_bytes()),
        ("half a pair", half.into_bytes()),
        ("escaped keys", escaped.into_bytes()),
        ("numbers as texts", charles.into_bytes()),
        ("JSONP", format!("onInputData({plain});\n").into_bytes()),
    ] {
        let report = report(&bytes, "", None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(codes(&report), ["access::session_expired"], "{name}");
    }
    for (bytes, wrong) in [
        (&b""[..], "found no HAR 1.2, at line 1, column 0"),
        (b"\xff\xfe", "found no HAR 1.2"),
        (b"null", "found no entry"),
        (b"[]", "found no entry"),
        (b"{\"log\":{\"entries\":{}}}", "found no entry"),
        (b"{\"log\":{\"entries\":[{}", "found no HAR 1.2"),
        (b"{\"a\":1}\n{\"a\":2}", "found no HAR 1.2, at line 2"),
    ] {
        let error = report(bytes, "", None).unwrap_err();
        assert!(error.starts_with(wrong), "{error}");
    }
}

#[test]
fn half_a_letter_loses_itself_alone() {
    let half = recording(&[expired()]).to_string().replacen("WebInspector", "Web\\ud800Inspector", 1);
    let creator = of(&half).creator;
    assert!(creator.contains('\u{fffd}'), "{creator}");
    assert_eq!(creator.replace('\u{fffd}', ""), "WebInspector 537.36");
}

#[test]
fn what_a_copy_holds() {
    let names = vec!["x-a-name"; 100].join(", ");
    let mut refused = entry("https://ada:s3cret@app.example.com/api/x?a=s3cret", &[("/response/status", json!(401))]);
    refused["response"]["headers"] = lines(&[
        ("Content-Type", "application/problem+json"),
        ("cf-access-aud", KID),
        ("cf-access-domain", "ada@example.com"),
        ("location", "/x?a=s3cret&u=ada@example.com"),
        ("access-control-allow-headers", &names),
        ("x-own", "s3cret"),
    ]);
    refused["response"]["content"] = json!({
        "mimeType": "application/problem+json; charset=utf-8",
        "text": r#"{ "type": "urn:problem-type:access-relay:unauthenticated", "detail": "s3cret" }"#,
    });
    let mut failed = expired();
    failed["response"]["_error"] = json!("net::ERR_FAILED of ada@example.com");
    failed["response"]["_fetchedViaServiceWorker"] = json!(true);
    let copy = safe::copy(&Har::read(&recording(&[expired(), refused, failed]).to_string()).unwrap());
    // An entry stands on a line.
    assert_eq!(copy.lines().filter(|line| line.contains("startedDateTime")).count(), 3, "{copy}");
    let copy: Value = serde_json::from_str(&copy).unwrap();
    assert_eq!(copy["log"]["creator"], json!({ "name": "WebInspector 537.36", "version": "" }));
    let login = login().replace("left-out", "(not shown)");
    let nothing = json!({ "size": -1, "mimeType": "" });
    let whole = json!({
        "startedDateTime": "2026-11-26T09:00:01.000Z",
        "time": 0,
        "request": {
            "method": "GET", "url": "https://app.example.com/api/x", "httpVersion": "", "cookies": [],
            "headers": [{ "name": "sec-fetch-site", "value": "same-origin" }],
            "queryString": [], "headersSize": -1, "bodySize": -1,
        },
        "response": {
            "status": 302, "statusText": "", "httpVersion": "", "cookies": [],
            "headers": [{ "name": "location", "value": login }],
            "content": nothing, "redirectURL": login, "headersSize": -1, "bodySize": -1, "_error": null,
        },
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
        "_resourceType": "fetch",
        "_initiator": { "type": "preflight", "url": "https://app.example.com/app.js" },
    });
    let entries = &copy["log"]["entries"];
    assert_eq!(entries[0], whole);
    // What nobody has recorded, nobody is told.
    let second = &entries[1];
    let members: Vec<&String> = second.as_object().unwrap().keys().collect();
    assert_eq!(members, ["cache", "request", "response", "startedDateTime", "time", "timings"]);
    assert_eq!(second["request"]["url"], "https://app.example.com/api/x?a=(not shown)");
    assert_eq!(
        second["response"]["content"],
        json!({
            "size": -1, "mimeType": "application/problem+json",
            "text": r#"{"type":"urn:problem-type:access-relay:unauthenticated"}"#,
        })
    );
    assert_eq!(
        second["response"]["headers"],
        lines(&[
            ("content-type", "application/problem+json"),
            ("cf-access-aud", KID),
            ("cf-access-domain", "(address)"),
            ("location", "/x?a=(not shown)&u=(not shown)"),
            // All of the names: causes are found by them.
            ("access-control-allow-headers", &names),
            ("x-own", "(not shown)"),
        ])
    );
    assert_eq!(second["response"].get("_error"), None);
    assert_eq!(second["response"].get("_fetchedViaServiceWorker"), None);
    let third = &entries[2]["response"];
    assert_eq!(third["_error"], "net::ERR_FAILED of (address)");
    assert_eq!(third["_fetchedViaServiceWorker"], true);
}

#[test]
fn people_and_programs_are_left_out_of_a_text() {
    let id = "0123456789abcdef0123456789ABCDEF";
    for (text, left) in [
        ("to ada.l+x@example.com, and back".to_owned(), "to (address), and back"),
        ("/users/ada%40example.com/x".to_owned(), "/users/(address)/x"),
        ("a@b.c@d".to_owned(), "(address)@d"),
        // These are no addresses.
        ("@media print".to_owned(), "@media print"),
        ("x @ y".to_owned(), "x @ y"),
        ("ada@ once".to_owned(), "ada@ once"),
        ("by @ada".to_owned(), "by @ada"),
        ("%40".to_owned(), "%40"),
        (format!("{id}.access is refused"), "(not shown) is refused"),
        (format!("/{id}.access/{id}.access"), "/(not shown)/(not shown)"),
        // These are no Client IDs.
        ("example.access".to_owned(), "example.access"),
        ("of a whole sentence, the last word is .access".to_owned(), "of a whole sentence, the last word is .access"),
        (format!("{}.access", &id[1..]), &format!("{}.access", &id[1..])),
        (format!("{id}.accessible"), &format!("{id}.accessible")),
    ] {
        assert_eq!(without_people(&text), left, "{text}");
    }
}

/// Each of them stands where a browser or a person could have put it. AUD tags are no secrets.
#[test]
fn no_secret_shows_wherever_it_stands() {
    let secrets = [
        "s-query",
        "s-fragment",
        "s-user",
        "s-password",
        "s-cookie",
        "s-header",
        "s-body",
        "s-title",
        "s-data",
        "s-blob",
        "s-state",
        "s-socket",
        "ada@example.com",
        "ada%40example.com",
        "0123456789abcdef0123456789abcdef.access",
        "cfast_0123456789abcdefghijklmnopqrstuvwxyzABCD01234567",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSIsImVtYWlsIjoieCJ9.c2lnbmF0dXJl",
    ];
    let [jwt, client_id, client_secret] = [secrets[16], secrets[14], secrets[15]];
    let urls = [
        "https://s-user:s-password@app.example.com/x".to_owned(),
        "https://app.example.com/users/ada@example.com/x?t=s-query#s-fragment".to_owned(),
        "https://app.example.com/users/ada%40example.com?s-query".to_owned(),
        format!("https://app.example.com/{client_id}/{client_secret}/{jwt}"),
        format!("https://app.example.com/?{jwt}&{client_secret}=1&x={client_id}"),
        "data:text/plain,s-data".to_owned(),
        "blob:https://app.example.com/s-blob".to_owned(),
        "wss://app.example.com/socket?token=s-socket".to_owned(),
        format!("{}&state=s-state", login()),
    ];
    let mut entries = Vec::new();
    for url in &urls {
        for (status, error) in [(0, "net::ERR_FAILED"), (200, "net::ERR_FAILED"), (302, ""), (403, "")] {
            let mut entry = expired();
            entry["_initiator"]["url"] = json!(url);
            entry["request"]["url"] = json!(url);
            entry["request"]["headers"] = json!([
                { "name": "origin", "value": "https://page.example.net" }, { "name": "cookie", "value": "CF_Authorization=s-cookie" },
                { "name": "cf-access-client-id", "value": client_id }, { "name": "cf-access-client-secret", "value": client_secret },
                { "name": "x-own", "value": "s-header" }, { "name": "referer", "value": url }, { "name": "accept", "value": jwt },
                { "name": format!("x-{jwt}"), "value": "1" },
            ]);
            entry["request"]["postData"] = json!({ "text": "s-body" });
            entry["response"]["status"] = json!(status);
            entry["response"]["_error"] =
                json!(if error.is_empty() { format!("failed with {jwt}") } else { error.to_owned() });
            entry["response"]["headers"] = json!([
                { "name": "location", "value": url }, { "name": "cf-access-domain", "value": "ada@example.com" },
                { "name": "access-control-allow-origin", "value": format!("https://ada@example.com {jwt}") },
                { "name": "set-cookie", "value": "a=s-cookie" }, { "name": "content-location", "value": url },
            ]);
            entry["response"]["content"] = json!({ "mimeType": "text/html", "text": "s-body" });
            entries.push(entry);
        }
    }
    let mut har = recording(&entries);
    har["log"]["creator"] = json!({ "name": format!("ada@example.com {jwt}"), "version": client_id });
    har["log"]["pages"] = json!([{ "title": "s-title" }]);
    har["log"]["comment"] = json!("s-title");
    let har = har.to_string();
    let console: String = urls
        .iter()
        .flat_map(|url| {
            [
                format!("Access to fetch at '{url}' (redirected from '{url}') from origin 'https://page.example.net' has been blocked by CORS policy: Request header field {jwt} is not allowed by Access-Control-Allow-Headers in preflight response.\n"),
                format!("Access to fetch at '{url}' from origin 'https://page.example.net' has been blocked by CORS policy: Method {client_secret} is not allowed by Access-Control-Allow-Methods in preflight response. ada@example.com\n"),
                format!("[Error] Fetch API cannot load {url} due to access control checks.\n"),
                format!("GET {url} net::ERR_NAME_NOT_RESOLVED\n"),
            ]
        })
        .collect();
    let report = report(har.as_bytes(), &console, None).unwrap();
    let copy = safe::copy(&Har::read(&har).unwrap());
    let shown = [told(&report, true), serde_json::to_string(&report).unwrap(), copy.clone()].concat();
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} in {}", shown.lines().find(|line| line.contains(secret)).unwrap());
    }
    assert!(copy.contains(&format!("kid={KID}")));
    // The copy is a recording, of which the same is told.
    assert!(serde_json::from_str::<Value>(&copy).is_ok());
    assert_eq!(codes(&of(&copy)), codes(&of(&har)));
}

/// An entry: members of it, of its request and of its answer, by their paths.
fn entry(url: &str, changes: &[(&str, Value)]) -> Value {
    let mut entry = json!({
        "request": { "method": "GET", "url": url, "headers": [] },
        "response": { "status": 200, "headers": [], "content": {} },
    });
    for (path, value) in changes {
        let (parent, name) = path.rsplit_once('/').unwrap();
        entry.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    entry
}

fn lines(headers: &[(&str, &str)]) -> Value {
    headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// Nothing failed, or nothing that the page had a part in.
#[test]
fn sound_recordings() {
    let app = ("origin", "https://app.example.com");
    let cors = ("sec-fetch-mode", "cors");
    let empty = ("sec-fetch-dest", "empty");
    let cross = ("sec-fetch-site", "cross-site");
    let own = ("sec-fetch-site", "same-origin");
    let sent = |headers: &[(&str, &str)]| ("/request/headers", lines(headers));
    let got = |headers: &[(&str, &str)]| ("/response/headers", lines(headers));
    let status = |status: i32| ("/response/status", json!(status));
    let kind = |kind: &str| ("/_resourceType", json!(kind));
    let error = |error: &str| ("/response/_error", if error == "null" { Value::Null } else { json!(error) });
    let star = ("access-control-allow-origin", "*");
    let html = ("content-type", "text/html");
    for (name, entries) in [
        (
            "an extension's call, of which Chromium says nothing",
            vec![entry("https://api.example.net/x", &[kind("fetch"), sent(&[app, cors, cross]), error("null")])],
        ),
        ("a cached answer", vec![entry("https://api.example.net/x", &[sent(&[app, cors, cross, empty]), status(304)])]),
        (
            "from Chromium's cache",
            vec![entry(
                "https://api.example.net/x",
                &[
                    kind("fetch"),
                    ("/_fromCache", json!("disk")),
                    sent(&[app, cors, cross]),
                    got(&[star]),
                    error("null"),
                ],
            )],
        ),
        (
            "a service worker's answer",
            vec![entry(
                "https://api.example.net/x",
                &[kind("fetch"), sent(&[app, cors, cross]), ("/response/_fetchedViaServiceWorker", json!(true))],
            )],
        ),
        (
            "a service worker's answer in Safari",
            vec![entry(
                "https://api.example.net/x",
                &[("/_fetchType", json!("Service Worker")), sent(&[app, cors, cross, empty])],
            )],
        ),
        (
            "cancelled in Chromium",
            vec![entry(
                "https://api.example.net/x",
                &[kind("fetch"), sent(&[app]), status(0), error("net::ERR_ABORTED")],
            )],
        ),
        (
            "a preflight that was cancelled",
            vec![entry(
                "https://api.example.net/x",
                &[kind("preflight"), ("/request/method", json!("OPTIONS")), status(0), error("net::ERR_ABORTED")],
            )],
        ),
        (
            "cancelled in Safari",
            vec![entry(
                "https://app.example.com/x",
                &[sent(&[empty, own]), status(0), error("Load request cancelled")],
            )],
        ),
        (
            "cancelled in Playwright",
            vec![entry(
                "https://app.example.com/x",
                &[sent(&[empty, own]), status(-1), ("/response/_failureText", json!("NS_BINDING_ABORTED"))],
            )],
        ),
        (
            "an error page",
            vec![entry(
                "https://app.example.com/x",
                &[kind("document"), status(404), error("net::ERR_HTTP_RESPONSE_CODE_FAILURE")],
            )],
        ),
        (
            "opaque",
            vec![entry(
                "https://cdn.example.net/x",
                &[kind("fetch"), sent(&[app, ("sec-fetch-mode", "no-cors"), cross])],
            )],
        ),
        (
            "a beacon in Firefox",
            vec![entry(
                "https://ads.example.net/x",
                &[("/request/method", json!("POST")), sent(&[app, ("sec-fetch-mode", "no-cors"), cross, empty])],
            )],
        ),
        (
            "a redirect of the API's own",
            vec![
                entry(
                    "https://app.example.com/api/x",
                    &[
                        kind("fetch"),
                        sent(&[own, cors]),
                        status(301),
                        ("/response/redirectURL", json!("https://app.example.com/api/x/")),
                        error("null"),
                    ],
                ),
                entry("https://app.example.com/api/x/", &[kind("fetch"), sent(&[own, cors]), error("null")]),
            ],
        ),
        (
            "a redirect to where the page may read",
            vec![
                entry(
                    "https://app.example.com/file",
                    &[
                        kind("fetch"),
                        sent(&[own, cors]),
                        status(302),
                        ("/response/redirectURL", json!("https://files.example.net/1")),
                        error("null"),
                    ],
                ),
                entry(
                    "https://files.example.net/1",
                    &[kind("fetch"), sent(&[app, cors, cross]), got(&[star]), error("null")],
                ),
            ],
        ),
        (
            "within the browser, to https",
            vec![entry(
                "http://api.example.net/x",
                &[
                    kind("fetch"),
                    sent(&[app]),
                    status(307),
                    got(&[("non-authoritative-reason", "HSTS"), ("location", "https://api.example.net/x")]),
                    error("null"),
                ],
            )],
        ),
        (
            "events",
            vec![entry(
                "https://app.example.com/events",
                &[
                    kind("eventsource"),
                    sent(&[own, cors]),
                    got(&[("content-type", "text/event-stream")]),
                    error("null"),
                ],
            )],
        ),
        (
            "a socket",
            vec![entry("wss://app.example.com/socket", &[kind("websocket"), sent(&[app]), status(101), error("null")])],
        ),
        (
            "parts of a page",
            vec![entry(
                "https://app.example.com/part",
                &[
                    kind("fetch"),
                    sent(&[own, cors, ("accept", "*/*"), ("hx-request", "true")]),
                    got(&[html]),
                    error("null"),
                ],
            )],
        ),
        (
            "a preflight of others that passes",
            vec![entry(
                "https://ads.example.net/x",
                &[
                    kind("preflight"),
                    ("/request/method", json!("OPTIONS")),
                    status(200),
                    error("null"),
                    sent(&[
                        app,
                        ("access-control-request-method", "POST"),
                        ("access-control-request-headers", "content-type"),
                    ]),
                    got(&[
                        ("access-control-allow-origin", "https://app.example.com"),
                        ("access-control-allow-headers", "Content-Type, X-A"),
                    ]),
                ],
            )],
        ),
        (
            "a picture that was blocked",
            vec![entry(
                "https://ads.example.net/1.gif",
                &[kind("image"), status(0), error("net::ERR_BLOCKED_BY_CLIENT")],
            )],
        ),
        (
            "a program's requests, through a proxy",
            vec![entry(
                "https://api.example.net/x",
                &[sent(&[("accept", "application/json"), ("user-agent", "curl/8.0")]), status(500)],
            )],
        ),
    ] {
        let report = of(&recording(&entries).to_string());
        assert_eq!(codes(&report), Vec::<&str>::new(), "{name}: {:?}", report.causes);
    }
}

#[test]
fn what_failed_in_other_browsers() {
    let safari =
        [("origin", "https://app.example.com"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")];
    let status = |status: i32| ("/response/status", json!(status));
    for (name, entries, expected) in [
        // Safari records where a chain of redirects has ended, and no preflight.
        (
            "Safari, the session's end",
            vec![entry(&login(), &[("/request/headers", lines(&safari)), status(200)])],
            "access::session_expired",
        ),
        (
            "Safari, another application",
            vec![entry(
                "https://acme.cloudflareaccess.com/cdn-cgi/access/login/api.example.com?kid=1",
                &[("/request/headers", lines(&safari)), status(200)],
            )],
            "access::direct_call",
        ),
        (
            "Firefox says nothing",
            vec![entry("https://app.example.com/x", &[("/request/headers", lines(&safari)), status(0)])],
            "unclear",
        ),
        (
            "Playwright",
            vec![entry(
                "https://app.example.com/x",
                &[
                    ("/request/headers", lines(&safari)),
                    status(-1),
                    ("/response/_failureText", json!("net::ERR_CONNECTION_REFUSED")),
                ],
            )],
            "network::no_answer",
        ),
        (
            "a socket, after the session's end",
            vec![entry(
                "wss://app.example.com/socket",
                &[("/_resourceType", json!("websocket")), status(302), ("/response/redirectURL", json!(login()))],
            )],
            "access::session_expired",
        ),
        (
            "a status that is none",
            vec![entry("https://app.example.com/x", &[("/request/headers", lines(&safari)), status(1000)])],
            "unclear",
        ),
        (
            "kept by the browser",
            vec![entry(
                "https://app.example.com/x",
                &[
                    ("/_resourceType", json!("fetch")),
                    status(0),
                    ("/response/_error", json!("net::ERR_BLOCKED_BY_RESPONSE")),
                ],
            )],
            "unclear",
        ),
    ] {
        let report = of(&recording(&entries).to_string());
        assert_eq!(codes(&report), [expected], "{name}: {:?}", report.causes);
    }
}

/// Entries that all fail, at one address and at many, with a log that says nothing of them.
#[test]
fn many_entries_and_many_lines() {
    const MANY: usize = 4_000;
    let failed = |at: usize| {
        let url = format!("https://api.example.net/{}", at % 2 * at);
        entry(
            &url,
            &[
                ("/request/headers", lines(&[("origin", "https://app.example.com"), ("accept", "application/json")])),
                ("/response/status", json!(0)),
            ],
        )
    };
    let entries: Vec<Value> = (0..MANY).map(failed).collect();
    let line = |at: usize| {
        format!("[Error] Fetch API cannot load https://api.example.net/{at}?x={at} due to access control checks.\n")
    };
    let console: String = (0..MANY).map(line).collect();
    let report = report(recording(&entries).to_string().as_bytes(), &console, None).unwrap();
    assert_eq!((report.entries, codes(&report)), (MANY, vec!["unclear"]));
}
