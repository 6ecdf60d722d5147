//! `explain`: questions as people ask them, and what they are told.

use access_relay_companion::explain::asked::{Asked, Question};
use access_relay_companion::explain::explanation::{Explanation, Failure, explain};
use access_relay_companion::explain::flow::State;
use access_relay_companion::explain::request::Request;
use access_relay_companion::explain::shell::words;
use access_relay_companion::explain::told::told;
use access_relay_companion::explain::words::{Case, Words};
use access_relay_companion::explain::{curl, recorded, upstream};
use access_relay_companion::fetch::Blocked;
use access_relay_companion::har::console::{Why, messages};
use access_relay_core::messages::crossing::NOT_THE_CALLERS;
use serde_json::{Value, json};

use crate::explain_and_core::{file, verify};
use crate::support::config::{AUD, ISSUER, minimal, relay};
use crate::support::tokens::{NOW, issuer_key, other_key, person};

const URL: &str = "https://app.example.com/api/notes";

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_line_becomes_words_as_a_shell_has_them() {
    for (line, expected) in [
        ("curl 'https://a.example/x' -H 'a: b'", vec!["curl", "https://a.example/x", "-H", "a: b"]),
        ("curl 'a' \\\n  -H 'b' \\\r\n  --compressed", vec!["curl", "a", "-H", "b", "--compressed"]),
        (r"curl 'it'\''s' a\ b", vec!["curl", "it's", "a b"]),
        (r#"curl "a \"b\" \$c \x" """#, vec!["curl", r#"a "b" $c \x"#, ""]),
        (r"--data-raw $'a\'b\n\u0021\x41\tc'", vec!["--data-raw", "a'b\n!A\tc"]),
        ("a'b'\"c\"d", vec!["abcd"]),
        (r"$'\041\x2'", vec!["!\u{2}"]),
        ("curl a # a comment\n -I", vec!["curl", "a", "-I"]),
        ("curl a#b -I", vec!["curl", "a#b", "-I"]),
        // Only before a line feed does a carriage return end a line.
        ("curl a\\\rb", vec!["curl", "a\rb"]),
        (
            "curl 'a' --data-raw '{\"re\":\"^\"}' -H 'x: y ^'",
            vec!["curl", "a", "--data-raw", "{\"re\":\"^\"}", "-H", "x: y ^"],
        ),
        // `cmd`, as Chromium writes it.
        (
            "curl ^\"https://a.example/x?a=1^&b=2^\" ^\r\n  -H ^\"accept: */*^\"",
            vec!["curl", "https://a.example/x?a=1&b=2", "-H", "accept: */*"],
        ),
        (
            "curl ^\"a^\" --data-raw ^\"^{^\\^\"k^\\^\":^\\^\"50^%^ off^\\^\"^}^\"",
            vec!["curl", "a", "--data-raw", r#"{"k":"50% off"}"#],
        ),
        ("curl ^\"a^\" -d ^\"C:^\\^\\dir^\"", vec!["curl", "a", "-d", r"C:\\dir"]),
        ("curl ^\"a^\" -d ^\"one^\n\ntwo^\"", vec!["curl", "a", "-d", "one\ntwo"]),
        ("curl ^\"a^\" -d ^\"one^\r\n\r\ntwo^\"", vec!["curl", "a", "-d", "one\r\ntwo"]),
        ("curl ^\"a^\" -d ^\"one^\rtwo^\"", vec!["curl", "a", "-d", "one\rtwo"]),
        // As older ones did.
        (
            "curl \"https://a.example/^x\" ^\n -H \"b: \"\"c\"\"\"",
            vec!["curl", "https://a.example/^x", "-H", "b: \"c\""],
        ),
    ] {
        assert_eq!(words(line).unwrap(), texts(&expected), "{line}");
    }
    for (line, part) in [
        ("curl 'a", "' that nothing closes"),
        ("curl \"a", "\" that nothing closes"),
        ("curl $'a", "$' that nothing closes"),
        ("curl ^\"a", "\" that nothing closes"),
        ("curl $TOKEN", "only your shell can expand"),
        ("curl \"$(cat token)\"", "only your shell can expand"),
        ("curl a | jq", "found |"),
        ("curl a; rm -r x", "found ;"),
        ("Invoke-WebRequest -Uri \"https://a.example/\"", "choose \"Copy as cURL (bash)\""),
        ("$session = New-Object", "choose \"Copy as cURL (bash)\""),
        ("fetch(\"https://a.example/\")", "choose \"Copy as cURL (bash)\""),
    ] {
        let error = words(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
}

fn of_curl(line: &str) -> Result<Request, String> {
    words(line).and_then(|words| curl::request(&words))
}

#[test]
fn a_curl_command_becomes_a_request() {
    for (line, method, url, headers) in [
        ("curl https://a.example/x", "GET", "https://a.example/x", vec![]),
        ("curl a.example/x", "GET", "http://a.example/x", vec![]),
        ("curl https://A.example", "GET", "https://a.example/", vec![]),
        (
            "npx access-relay explain curl https://u:p@a.example:443/a/./b/../c#d",
            "GET",
            "https://a.example/a/c",
            vec![],
        ),
        ("curl https://a.example/a/b/%2E.", "GET", "https://a.example/a/", vec![]),
        ("curl https://a.example/a/b/.", "GET", "https://a.example/a/b/", vec![]),
        ("/usr/bin/curl --path-as-is https://a.example/a/../b", "GET", "https://a.example/a/../b", vec![]),
        (r"curl 'https://a.example/\{id\}?f\[a\]=1 2'", "GET", "https://a.example/{id}?f[a]=1%202", vec![]),
        (r"curl -g 'https://a.example/\{id\}'", "GET", "https://a.example//{id/}", vec![]),
        ("curl wss://a.example/socket", "GET", "https://a.example/socket", vec![]),
        (
            "curl -G 'https://a.example/#f' --data-urlencode 'q=a b&c/#x' --url-query y=2",
            "GET",
            "https://a.example/?y=2&q=a%20b%26c%2F%23x",
            vec![],
        ),
        ("curl -T file https://a.example/", "PUT", "https://a.example/", vec![]),
        (
            "curl https://a.example/ -d a -H 'content-type:' --tlsv1.2 --max-redirs 3",
            "POST",
            "https://a.example/",
            vec![],
        ),
        ("curl -X PUT --url https://a.example/", "PUT", "https://a.example/", vec![]),
        ("curl -XPATCH https://a.example/", "PATCH", "https://a.example/", vec![]),
        ("curl -sSXPUT https://a.example/", "PUT", "https://a.example/", vec![]),
        ("curl --request=PUT https://a.example/", "PUT", "https://a.example/", vec![]),
        ("curl -I https://a.example/", "HEAD", "https://a.example/", vec![]),
        (
            "curl https://a.example/ --data-raw '{}' -H 'Content-Type: application/json'",
            "POST",
            "https://a.example/",
            vec![("content-type", "application/json")],
        ),
        (
            "curl https://a.example/ -d a=1 -d b=2",
            "POST",
            "https://a.example/",
            vec![("content-type", "application/x-www-form-urlencoded")],
        ),
        ("curl -G https://a.example/?x=1 -d a=1 -d b=2", "GET", "https://a.example/?x=1&a=1&b=2", vec![]),
        (
            "curl https://a.example/ --json '{}'",
            "POST",
            "https://a.example/",
            vec![("accept", "application/json"), ("content-type", "application/json")],
        ),
        (
            "curl https://a.example/ -F f=@x",
            "POST",
            "https://a.example/",
            vec![("content-type", "multipart/form-data")],
        ),
        (
            "curl https://a.example/ -b 'a=1; b=2' -A x -e https://b.example/",
            "GET",
            "https://a.example/",
            vec![("cookie", "a=1; b=2"), ("user-agent", "x"), ("referer", "https://b.example/")],
        ),
        (
            "curl https://a.example/ -H 'accept:' -H 'x-empty;' -H 'a:b:c'",
            "GET",
            "https://a.example/",
            vec![("x-empty", ""), ("a", "b:c")],
        ),
        (
            "curl https://a.example/ -o out -m 5 --compressed --insecure -L -v --http2",
            "GET",
            "https://a.example/",
            vec![],
        ),
        (
            "curl https://a.example/ -u me:secret",
            "GET",
            "https://a.example/",
            vec![("authorization", "Basic (not read)")],
        ),
        (
            "curl https://a.example/ --oauth2-bearer x -r 0-99",
            "GET",
            "https://a.example/",
            vec![("authorization", "Bearer x"), ("range", "bytes=0-99")],
        ),
    ] {
        let found = of_curl(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let found_headers: Vec<(&str, &str)> = found.headers.iter().collect();
        assert_eq!((found.method.as_str(), found.url.as_str(), found_headers), (method, url, headers), "{line}");
    }
    for (line, error) in [
        ("curl", "curl: found no address; copy the whole command"),
        ("curl a b", "curl: found a second address; explain one request at a time"),
        ("curl a -H", "curl: found nothing after --header; copy the whole command"),
        (
            "curl a --parallel",
            "curl: \"--parallel\" is not an option that is known here; leave it out, and what it takes",
        ),
        ("curl a --as person", "curl: --as is an option of explain; write it before curl"),
        ("curl a -H @file", "curl: --header names a file, which is not read; write the headers themselves"),
        ("curl a -sZ", "curl: \"-Z\" is not an option that is known here; leave it out, and what it takes"),
        ("curl a -b jar.txt", "curl: --cookie names a file, which is not read; write the cookies themselves"),
        (
            "curl a -H 'cfast_secretsecretsecret'",
            "--header: found a text (not shown), which is no header; write a name, a colon and a value, as in 'accept: text/html'",
        ),
    ] {
        assert_eq!(of_curl(line).unwrap_err(), error, "{line}");
    }
}

#[test]
fn an_entry_of_a_recording_becomes_a_request() {
    let entry = |url: &str, status: u16, extra: Value| {
        json!({
            "startedDateTime": "2027-01-15T09:00:00.123+01:00",
            "request": { "method": "GET", "url": url, "headers": [{ "name": ":method", "value": "GET" }, { "name": "Accept", "value": "*/*" }], "cookies": null },
            "response": { "status": status, "headers": extra, "content": { "text": "x" } },
            "_resourceType": "fetch",
        })
    };
    let login = json!([{ "name": "location", "value": "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=1" }]);
    let both =
        json!({ "log": { "entries": [entry(&format!("{URL}?token=s"), 0, json!([])), entry(URL, 302, login)] } })
            .to_string();
    let first = recorded::request(both.as_bytes(), Some(1)).unwrap();
    assert_eq!((first.method.as_str(), first.at, first.recorded.as_ref().unwrap().status), ("GET", Some(NOW), 0));
    assert_eq!(first.headers.iter().collect::<Vec<_>>(), [("accept", "*/*")]);
    let second = recorded::request(format!("\u{feff}{both}").as_bytes(), Some(2)).unwrap().recorded.unwrap();
    assert_eq!((second.status, second.access.as_deref()), (302, Some("302 to Access's login page")));
    for (which, line) in [
        (None, "--entry: the recording has several; write the number of one:"),
        (Some(3), "--entry: found no entry 3; write one of these:"),
    ] {
        let listed = recorded::request(both.as_bytes(), which).unwrap_err();
        assert_eq!(listed, [line, &format!("   1  GET 0 {URL}"), &format!("   2  GET 302 {URL}")]);
    }
    let odd = json!({ "log": { "pages": null, "entries": [{ "request": null, "response": { "status": "404", "headers": null, "content": null }, "startedDateTime": null }] } });
    assert_eq!(recorded::request(odd.to_string().as_bytes(), None).unwrap().recorded.unwrap().status, 404);
    let secret = "{\"log\": {\"entries\": [{\"request\": \"GET https://a.example/?token=s3cret\"}]}}";
    assert_eq!(recorded::request(secret.as_bytes(), None).unwrap().url, "");
    let broken = recorded::request(&secret.as_bytes()[..70], None).unwrap_err();
    assert_eq!(
        broken,
        ["--har: found no HAR 1.2, at line 1, column 70; save one with the network panel's \"Export HAR\""]
    );
    for text in ["", "[]", "{\"log\": 1}", "{}"] {
        assert!(recorded::request(text.as_bytes(), None).unwrap_err()[0].starts_with("--har: found no "), "{text}");
    }
}

#[test]
fn a_long_recording_is_listed_in_part() {
    let listed = |entries: usize| {
        let entry = json!({ "request": { "method": "GET", "url": URL }, "response": { "status": 200 } });
        let har = json!({ "log": { "entries": vec![entry; entries] } }).to_string();
        recorded::request(har.as_bytes(), None).unwrap_err()
    };
    for (entries, lines, last) in [
        (200, 201, format!(" 200  GET 200 {URL}")),
        (201, 202, "  and 1 more".to_owned()),
        (300, 202, "  and 100 more".to_owned()),
    ] {
        let found = listed(entries);
        assert_eq!((found.len(), found.last()), (lines, Some(&last)), "{entries}");
    }
}

fn question(method: &str, url: &str, headers: &[&str], said: &[&str]) -> Question {
    Question {
        method: Some(method.to_owned()),
        url: Some(url.to_owned()),
        headers: texts(headers),
        r#as: texts(said),
        now: NOW,
        ..Question::default()
    }
}

fn explained(relay: &Value, question: &Question) -> Explanation {
    explain(question, &[], "wrangler.json", &file(relay), None, &verify).unwrap_or_else(|failure| panic!("{failure:?}"))
}

#[test]
fn what_is_asked_has_to_be_clear() {
    let url = Some(URL.to_owned());
    for (question, error) in [
        (
            Question::default(),
            "found no request; write --url, a curl command after all options, or --har FILE --entry N",
        ),
        (
            question("GET", "/api", &[], &[]),
            "--url: found no whole address; write one, as in https://app.example.com/api/notes",
        ),
        (
            question("GET", "ftp://a.example/", &[], &[]),
            "--url: found no whole address; write one, as in https://app.example.com/api/notes",
        ),
        (
            question("GET", "capacitor://localhost/", &[], &[]),
            "--url: found no whole address; write one, as in https://app.example.com/api/notes",
        ),
        (question("GE T", URL, &[], &[]), "--method: found \"GE T\"; write a method, such as GET"),
        (
            question("GET", URL, &["a"], &[]),
            "--header: found a text (not shown), which is no header; write a name, a colon and a value, as in 'accept: text/html'",
        ),
        (question("GET", URL, &[], &["me"]), "--as: found \"me\"; write nobody, person, program or page:ORIGIN"),
        (question("GET", URL, &[], &["person", "program"]), "--as: found two of nobody, person and program; write one"),
        (
            question("GET", URL, &[], &["page:https://a.example", "page:https://b.example"]),
            "--as: found two pages; write one",
        ),
        (
            question("TRACE", URL, &[], &["page:https://a.example"]),
            "--method: browsers let no page send \"TRACE\"; leave --as page out",
        ),
        (
            question("GET", URL, &["Cookie: a=1"], &["page:https://a.example"]),
            "--header: browsers let no page set \"cookie\"; leave it out, or --as page",
        ),
        (
            Question { curl: Some(texts(&["curl", "a"])), recorded: true, ..Question::default() },
            "found more than one request: write a curl command or --har, and not both",
        ),
        (
            Question { line: Some("curl 'a".to_owned()), url, ..Question::default() },
            "curl: found ' that nothing closes: copy the whole command",
        ),
    ] {
        assert_eq!(Asked::read(&question, &[]).unwrap_err(), [error]);
    }
    let error = Asked::read(&question("GET", URL, &[], &["page:a.example"]), &[]).unwrap_err();
    assert!(error[0].starts_with("--as page: found \"a.example\"; "), "{error:?}");
    let error = Asked::read(&question("GET", URL, &[], &["page:https://u:secret@a.example"]), &[]).unwrap_err();
    assert!(!error[0].contains("secret"), "{error:?}");
}

#[test]
fn each_box_says_what_became_of_it_and_by_which_key() {
    let relay = relay(|relay| {
        relay["routes"] = json!([
            { "path": "/other", "upstream": "https://other.example.net/v1", "strip_prefix": true, "cors": { "allowed_origins": ["https://o.example"], "allow_credentials": true, "preflight": "upstream" } },
            { "path": "/api", "upstream": "https://api.example.com", "callback_paths": ["/api/callback"] },
        ]);
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "excluded_paths": ["/api/own"] });
    });
    let link = ["sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document"];
    let other = "https://app.example.com/other/x?q=1";
    #[rustfmt::skip]
    let table: &[(&str, &str, &[&str], &[&str], [(&str, Option<&str>); 5])] = &[
        ("GET", URL, &[], &["person"], [("ok", Some("routes[1].path")), ("ok", None), ("ok", None), ("ok", Some("access.audience")), ("ok", Some("routes[1].upstream"))]),
        ("GET", URL, &[], &["nobody"], [("ok", Some("routes[1].path")), ("ok", None), ("ok", None), ("refused", None), ("-", None)]),
        ("GET", "https://app.example.com/x", &[], &["person"], [("refused", Some("routes")), ("-", None), ("-", None), ("-", None), ("-", None)]),
        ("GET", "https://app.example.com/api/%00x", &[], &["person"], [("refused", None), ("-", None), ("-", None), ("-", None), ("-", None)]),
        ("GET", other, &link, &["program"], [("ok", Some("routes[0].path")), ("ok", None), ("ok", Some("routes[0].foreign_requests")), ("ok", Some("access.audience")), ("ok", Some("routes[0].upstream"))]),
        ("POST", other, &["origin: https://o.example"], &["person"], [("ok", Some("routes[0].path")), ("ok", None), ("ok", Some("routes[0].cors.allowed_origins")), ("ok", Some("access.audience")), ("ok", Some("routes[0].upstream"))]),
        ("POST", other, &["origin: https://x.example"], &["person"], [("ok", Some("routes[0].path")), ("ok", None), ("refused", Some("routes[0].cors.allowed_origins")), ("-", None), ("-", None)]),
        ("POST", URL, &["origin: https://admin.example.com"], &["person"], [("ok", Some("routes[1].path")), ("ok", None), ("refused", Some("cors.allow_credentials")), ("-", None), ("-", None)]),
        ("POST", "https://app.example.com/api/callback", &["origin: https://x.example", link[0], link[1], link[2]], &["person"], [("ok", Some("routes[1].path")), ("ok", None), ("ok", Some("routes[1].callback_paths")), ("ok", Some("access.audience")), ("ok", Some("routes[1].upstream"))]),
        ("OPTIONS", URL, &["origin: https://admin.example.com", "access-control-request-method: GET"], &[], [("ok", Some("routes[1].path")), ("done", Some("cors.allowed_origins")), ("-", None), ("-", None), ("-", None)]),
        ("OPTIONS", other, &["origin: https://o.example", "access-control-request-method: GET"], &[], [("ok", Some("routes[0].path")), ("ok", Some("routes[0].cors.preflight")), ("ok", None), ("ok", None), ("ok", Some("routes[0].upstream"))]),
        ("OPTIONS", "https://app.example.com/api/own", &["origin: https://admin.example.com", "access-control-request-method: GET"], &[], [("ok", Some("routes[1].path")), ("refused", Some("cors.excluded_paths")), ("-", None), ("-", None), ("-", None)]),
    ];
    for (method, url, headers, said, boxes) in table {
        let found = explained(&relay, &question(method, url, headers, said));
        let steps = found.request.unwrap().boxes;
        let found: Vec<(&str, Option<&str>)> = steps
            .iter()
            .map(|step| {
                let state = match step.state {
                    State::Passed => "ok",
                    State::Answered => "done",
                    State::Refused => "refused",
                    State::Unreached => "-",
                };
                (state, step.key.as_deref())
            })
            .collect();
        assert_eq!(found, boxes, "{method} {url} {headers:?} {said:?}");
    }
}

#[test]
fn each_box_says_why_in_words() {
    let of = |change: &dyn Fn(&mut Value)| relay(change);
    let base = of(&|relay| {
        relay["routes"][0]["callback_paths"] = json!(["/api/callback"]);
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": true });
    });
    let root = of(&|relay| relay["routes"] = json!([{ "path": "/", "upstream": "https://api.example.com/v1" }]));
    let anyone = of(&|relay| relay["access"] = json!({ "dangerously_allow_anyone": true }));
    let platform = of(&|relay| relay["access"] = json!({ "platform": true, "groups": true }));
    let health = of(&|relay| relay["health_path"] = json!("/healthz"));
    let bound = of(&|relay| {
        relay["routes"][0] = json!({ "path": "/api", "upstream": "https://api.example.com", "binding": "API" })
    });
    let upstream = relay_with_upstream_preflights();
    let admin = ["origin: https://admin.example.com", "access-control-request-method: GET"];
    let link = ["sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document"];
    let callback = ["origin: https://idp.example", link[0], link[1], link[2]];
    let (at_callback, at_health) = ("https://app.example.com/api/callback", "https://app.example.com/healthz");
    #[rustfmt::skip]
    let table: &[(&Value, &str, &str, &[&str], &[&str], &[(usize, &str)])] = &[
        (&base, "GET", URL, &[], &["person"], &[
            (0, "/api leads to https://api.example.com"), (1, "it is none"), (2, "nothing says that a page of another origin asks"),
            (3, r#"a person: sub "made-up-person", email "person@made-up.invalid""#), (4, "GET https://api.example.com/api/notes"),
        ]),
        (&base, "GET", URL, &[], &["program"], &[(3, r#"a program: common_name "made-up-program.access""#)]),
        (&base, "POST", URL, &["origin: https://app.example.com"], &["person"], &[(2, "a page of the relay's own origin asks")]),
        (&base, "POST", URL, &admin[..1], &["person"], &[(2, r#"the policy allows "https://admin.example.com""#)]),
        (&base, "POST", at_callback, &callback, &["person"], &[(2, "callback_paths has the path")]),
        (&base, "GET", URL, &link, &["person"], &[(2, "foreign_requests lets it pass")]),
        (&base, "GET", "https://app.example.com/x", &[], &["person"], &[(0, "404 not_found: no route's path covers this one"), (1, "not reached"), (4, "not reached")]),
        (&base, "OPTIONS", URL, &admin, &[], &[(1, "204: the policy allows what it asks"), (2, "not reached")]),
        (&upstream, "OPTIONS", URL, &admin, &[], &[
            (1, "the API answers it: its origin passes"), (2, "not for a preflight"), (3, "not for a preflight"), (4, "OPTIONS https://api.example.com/api/notes"),
        ]),
        (&root, "GET", URL, &[], &["person"], &[(0, "/ leads to https://api.example.com/v1")]),
        (&bound, "GET", URL, &[], &["person"], &[(4, "GET https://api.example.com/api/notes through the binding API")]),
        (&anyone, "GET", URL, &[], &["person"], &[(3, "everybody may call")]),
        (&platform, "GET", URL, &[], &["person"], &[(3, r#"a person: sub "made-up-person", email "person@made-up.invalid""#)]),
        (&platform, "GET", URL, &[], &["program"], &[(3, "a program")]),
        (&health, "GET", at_health, &[], &[], &[(0, "health_path takes it: a report on everything"), (1, "not reached")]),
    ];
    for (relay, method, url, headers, said, texts) in table {
        let boxes = explained(relay, &question(method, url, headers, said)).request.unwrap().boxes;
        for (at, text) in *texts {
            assert_eq!(boxes[*at].text, *text, "{method} {url} {headers:?} {said:?}");
        }
    }
}

#[test]
fn the_runtimes_word_counts_for_somebody_made_up_only() {
    let platform = relay(|relay| relay["access"] = json!({ "platform": true, "groups": true }));
    for (said, code) in [
        (&["person"][..], None),
        (&["program"], None),
        (&["nobody"], Some("unauthenticated")),
        (&[], Some("unauthenticated")),
    ] {
        let found = explained(&platform, &question("GET", URL, &[], said));
        assert_eq!(found.code, code, "{said:?}");
        if code.is_none() {
            assert_eq!(found.request.unwrap().boxes[3].key.as_deref(), Some("access.platform"));
        } else {
            assert_eq!(found.advice.len(), 1, "{found:?}");
        }
    }
}

/// Table, key and value of each change.
fn changes(found: &Explanation) -> Vec<(String, Value)> {
    found
        .changes
        .iter()
        .map(|change| {
            (format!("{}.{}", change.table.strip_prefix("vars.RELAY.").unwrap(), change.key), change.value.clone())
        })
        .collect()
}

#[test]
fn it_says_what_to_write_as_far_as_that_goes() {
    let admin = "page:https://admin.example.com";
    let json_body = &["content-type: application/json"][..];
    let none = relay(|_| {});
    let with = |policy: Value| relay(|relay| relay["cors"] = policy);
    #[rustfmt::skip]
    let table: &[(Value, &str, &[&str], &[&str], &[(&str, Value)])] = &[
        (none.clone(), "PUT", json_body, &[admin], &[
            ("cors.allowed_origins", json!(["https://admin.example.com"])), ("cors.allowed_methods", json!(["PUT"])),
            ("cors.allowed_headers", json!(["content-type"])), ("cors.allow_credentials", json!(true)),
        ]),
        (none.clone(), "GET", &[], &[admin, "nobody"], &[("cors.allowed_origins", json!(["https://admin.example.com"]))]),
        (with(json!({ "allowed_origins": ["https://a.example"], "allow_credentials": true })), "GET", &[], &[admin], &[("cors.allowed_origins", json!(["https://a.example", "https://admin.example.com"]))]),
        (with(json!({ "allowed_origins": ["https://admin.example.com"], "allowed_headers": ["X-A"], "allow_credentials": true })), "POST", &["x-b: 1", "x-a: 1", "authorization: Bearer x"], &[admin], &[("cors.allowed_headers", json!(["X-A", "authorization", "x-b"]))]),
        (with(json!({ "allowed_origins": ["https://admin.example.com"] })), "GET", &[], &[admin], &[("cors.allow_credentials", json!(true))]),
        (none.clone(), "GET", &["sec-fetch-site: cross-site", "sec-fetch-mode: no-cors", "sec-fetch-dest: image"], &["person"], &[("routes[0].foreign_requests", json!("all"))]),
        (relay(|relay| relay["routes"][0]["foreign_requests"] = json!("none")), "GET", &["sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document"], &["person"], &[("routes[0].foreign_requests", json!("navigations"))]),
        (relay(|relay| relay["routes"][0]["cors"] = json!({ "allowed_origins": ["https://a.example"] })), "GET", &[], &[admin, "nobody"], &[("routes[0].cors.allowed_origins", json!(["https://a.example", "https://admin.example.com"]))]),
        (none.clone(), "POST", &["origin: https://idp.example", "sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document"], &["person"], &[("routes[0].callback_paths", json!(["/api/notes"]))]),
        (none.clone(), "GET", &["sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: iframe"], &["person"], &[("routes[0].foreign_requests", json!("all"))]),
        (with(json!({ "allowed_origins": ["https://admin.example.com"], "allowed_methods": ["PUT"], "allow_credentials": true })), "PATCH", &[], &[admin], &[("cors.allowed_methods", json!(["PUT", "PATCH"]))]),
        // Nothing that can be written.
        (none.clone(), "POST", &["sec-fetch-site: cross-site"], &["person"], &[]),
        (none.clone(), "POST", &["origin: https://evil.example", "sec-fetch-site: cross-site", "sec-fetch-mode: no-cors"], &["person"], &[]),
        (none.clone(), "OPTIONS", &["origin: https://app.example.com", "access-control-request-method: PUT"], &[], &[]),
        (with(json!({ "allowed_origins": ["https://admin.example.com"], "excluded_paths": ["/api"] })), "GET", &[], &[admin], &[]),
        (none.clone(), "GET", &[], &["nobody"], &[]),
        (none.clone(), "POST", &["origin: null"], &["person"], &[]),
        (none.clone(), "GET", &[], &["person"], &[]),
    ];
    for (relay, method, headers, said, expected) in table {
        let found = explained(relay, &question(method, URL, headers, said));
        let expected: Vec<(String, Value)> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        assert_eq!(changes(&found), expected, "{method} {headers:?} {said:?}");
        assert!(found.served || !found.changes.is_empty() || !found.advice.is_empty());
    }
    let refused = explained(&none, &question("POST", URL, &["origin: null"], &["person"]));
    assert!(refused.advice[0].starts_with("cors.allowed_origins[0]: "), "the core says why not: {:?}", refused.advice);
    let all = with(json!({ "allowed_origins": ["*"] }));
    let refused = explained(&all, &question("GET", URL, &[], &[admin]));
    assert_eq!(changes(&refused), []);
    assert!(refused.advice[0].starts_with("cors."), "* never goes with credentials: {:?}", refused.advice);
    let methods = |listed: &str| {
        with(
            json!({ "allowed_origins": ["https://admin.example.com"], "allowed_methods": [listed], "allow_credentials": true }),
        )
    };
    #[rustfmt::skip]
    let table: &[(Value, &str, &[&str], &[&str], &str)] = &[
        (none.clone(), "POST", &["sec-fetch-site: cross-site"], &["person"], "it names no Origin, which a policy could list"),
        (none.clone(), "POST", &["origin: https://evil.example", "sec-fetch-site: cross-site", "sec-fetch-mode: no-cors"], &["person"], "no CORS policy is for such a request: "),
        (none.clone(), "OPTIONS", &["origin: https://app.example.com", "access-control-request-method: PUT"], &[], "its Origin is the relay's own: "),
        (methods("PATCH"), "patch", &[], &[admin], r#"the page has to write "PATCH" in its call, not "patch": methods are case-sensitive"#),
        (methods("PUT"), "patch", &[], &[admin], "cors.allowed_methods"),
    ];
    for (relay, method, headers, said, advice) in table {
        let found = explained(relay, &question(method, URL, headers, said));
        assert_eq!(changes(&found), [], "{method} {headers:?}");
        assert!(found.advice[0].starts_with(advice), "{advice}: {:?}", found.advice);
    }
}

#[test]
fn a_refusal_that_no_change_mends_comes_with_what_to_do() {
    let passed = explained(&minimal(), &question("GET", URL, &[], &["person"])).request.unwrap().upstream.unwrap();
    let id = passed.headers.into_iter().find(|line| line.name == "access-relay-loop").unwrap().value;
    let (again, many) = (format!("access-relay-loop: {id}"), format!("connection: {}", "x".repeat(9000)));
    let root = relay(|relay| relay["routes"][0]["path"] = json!("/"));
    let excluded =
        relay(|relay| relay["cors"] = json!({ "allowed_origins": ["https://a.example"], "excluded_paths": ["/api"] }));
    #[rustfmt::skip]
    let table: &[(&Value, &str, &str, &[&str], &[&str], &str)] = &[
        (&minimal(), "GET", "https://app.example.com/x", &[], &["person"], "call a path that a route covers (/api), or write a route for this one"),
        (&root, "GET", "https://app.example.com/cdn-cgi/x", &[], &["person"], "call another path: Cloudflare itself answers below /cdn-cgi/"),
        (&minimal(), "GET", "https://app.example.com/api/%00x", &[], &["person"], "write the path without dot segments, backslashes and control characters, encoded ones too"),
        (&minimal(), "GET", URL, &[&many], &["person"], "name fewer headers in connection"),
        (&minimal(), "TRACE", URL, &[], &["person"], "use another method"),
        (&minimal(), "GET", URL, &[&again], &["person"], "name the API's own host as the route's upstream, not one that leads to this relay"),
        (&excluded, "GET", URL, &[], &["page:https://a.example", "nobody"], "call the path from the page's own origin: excluded_paths keeps all others out"),
        (&minimal(), "OPTIONS", "https://app.example.com/x", &[], &[], "call a path that a route covers (/api), or write a route for this one"),
    ];
    for (relay, method, url, headers, said, advice) in table {
        let found = explained(relay, &question(method, url, headers, said));
        assert_eq!((found.served, found.advice), (false, vec![(*advice).to_owned()]), "{method} {url}");
    }
    // Two keys of one name are none.
    let twice = |key: &Value| {
        let mut key = key.clone();
        key["kid"] = json!("kid-1");
        key
    };
    let keys = json!({ "keys": [twice(&issuer_key().jwk), twice(&other_key().jwk)] }).to_string();
    let token = format!("cf-access-jwt-assertion: {}", issuer_key().sign(&person()));
    let found = explained(&minimal(), &Question { keys: Some(keys), ..question("GET", URL, &[token.as_str()], &[]) });
    assert_eq!((found.code, found.advice.len()), (Some("keys_unavailable"), 1));
    assert!(found.advice[0].starts_with("--keys: "), "{:?}", found.advice);
}

#[test]
fn what_lies_around_the_relay_is_told_where_it_matters() {
    let policy = |access: &Value| {
        relay(|relay| {
            let origins = ["https://admin.example.com", "https://admin.example.net"];
            relay["cors"] =
                json!({ "allowed_origins": origins, "allowed_methods": ["PUT"], "allow_credentials": true });
            relay["access"] = access.clone();
        })
    };
    let tokens = policy(&minimal()["access"]);
    let platform = policy(&json!({ "platform": true }));
    let anyone = policy(&json!({ "dangerously_allow_anyone": true }));
    let (sibling, other) = ("page:https://admin.example.com", "page:https://admin.example.net");
    let asks = ["origin: https://admin.example.com", "access-control-request-method: PUT"];
    let preflights = "in front of the relay, Access itself refuses preflights";
    let cookies = "Safari and Firefox keep cookies of other sites back";
    let table: &[(&Value, &str, &[&str], &[&str], &[&str])] = &[
        (&tokens, "GET", &[], &[sibling], &[]),
        (&tokens, "PUT", &[], &[sibling], &[preflights]),
        (&platform, "PUT", &[], &[sibling], &[preflights]),
        (&anyone, "PUT", &[], &[sibling], &[]),
        (&tokens, "OPTIONS", &asks, &[], &[preflights]),
        (&tokens, "GET", &[], &[other], &[cookies]),
        (&tokens, "PUT", &[], &[other], &[preflights, cookies]),
        (&anyone, "GET", &[], &[other], &[]),
        // Nobody has no cookies to keep back.
        (&anyone, "GET", &[], &[other, "nobody"], &[]),
    ];
    for (relay, method, headers, said, advice) in table {
        let found = explained(relay, &question(method, URL, headers, said));
        assert!(found.served, "{method} {said:?}: {found:?}");
        let is_told = found.advice.iter().zip(*advice).all(|(found, begins)| found.starts_with(begins));
        assert!(is_told && found.advice.len() == advice.len(), "{method} {said:?}: {:?}", found.advice);
    }
    let found = explained(&minimal(), &question("GET", URL, &[], &[sibling, "nobody"]));
    assert_eq!((found.served, found.advice.len()), (false, 0), "its change says it all: {:?}", found.advice);
    let found = explained(&tokens, &question("GET", URL, &[], &[other, "nobody"]));
    assert_eq!(found.advice.len(), 1, "{:?}", found.advice);
    assert!(found.advice[0].starts_with("have Access protect the path"), "{:?}", found.advice);
}

#[test]
fn a_token_is_taken_apart_and_checked() {
    let keys = Some(json!({ "keys": [issuer_key().jwk] }).to_string());
    let good = issuer_key().sign(&person());
    let other = other_key().sign(&person());
    let mut claims = person();
    claims["aud"] = json!(["other-application"]);
    let elsewhere = issuer_key().sign(&claims);
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    for (token, keys, code, key, checked) in [
        (&good, None, None, Some("access.audience"), false),
        (&good, keys.clone(), None, Some("access.audience"), true),
        (&forged, None, None, Some("access.audience"), false),
        (&forged, keys.clone(), Some("unauthenticated"), None, true),
        (&other, keys.clone(), Some("unauthenticated"), Some("access.issuer"), true),
        (&elsewhere, None, Some("unauthenticated"), Some("access.audience"), false),
    ] {
        for header in [format!("cf-access-jwt-assertion: {token}"), format!("cookie: a=b; CF_Authorization={token}")] {
            let found =
                explained(&minimal(), &Question { keys: keys.clone(), ..question("GET", URL, &[&header], &[]) });
            assert_eq!((found.code, found.signatures_checked), (code, checked));
            assert_eq!(found.request.as_ref().unwrap().boxes[3].key.as_deref(), key);
            let shown = told(&found, "wrangler.json", false) + &serde_json::to_string(&found).unwrap();
            assert!(!shown.contains(token.rsplit('.').next().unwrap()) && !shown.contains(&token[..40]), "{shown}");
            assert!(
                shown.contains("  iss: https://acme.cloudflareaccess.com\n") && shown.contains("ada@example.com"),
                "{shown}"
            );
        }
    }
    let found = explained(&minimal(), &question("GET", URL, &[&format!("cf-access-jwt-assertion: {good}")], &[]));
    let said = &found.tokens[0].claims;
    assert!(
        said.contains(&("exp".to_owned(), "2027-01-15 09:00:00 UTC, 60 minutes after the request".to_owned())),
        "{said:?}"
    );
    assert!(
        said.contains(&("iat".to_owned(), "2027-01-15 07:59:00 UTC, 60 seconds before the request".to_owned())),
        "{said:?}"
    );
    // Somebody made up has no need of keys, and a token that is there counts no more.
    let made_up =
        explained(&minimal(), &Question { keys, ..question("GET", URL, &["cf-access-jwt-assertion: x"], &["person"]) });
    assert!(made_up.served && made_up.tokens.is_empty());
    let nobody =
        explained(&minimal(), &question("GET", URL, &[&format!("cookie: a=b; CF_Authorization={good}")], &["nobody"]));
    assert_eq!(nobody.code, Some("unauthenticated"));
}

#[test]
fn nothing_secret_is_shown() {
    const SECRETS: [&str; 13] = [
        "in-a-cookie",
        "in-authorization",
        "in-x-api-key",
        "in-the-query",
        "in-client-secret",
        "in-csrf",
        "in-user",
        "in-userinfo",
        "cfast_0123456789abcdef",
        "in-referer",
        "in-sub-key",
        "in-own",
        "in-pwd",
    ];
    let line = "curl 'https://me:in-userinfo@app.example.com/api/x?access_token=in-the-query&PWD=in-pwd&q=1#in-own' -H 'cookie: theme=in-a-cookie' -H 'x-api-key: in-x-api-key' \
                -H 'cf-access-client-secret: in-client-secret' -H 'x-csrf-token: in-csrf' -H 'x-note: cfast_0123456789abcdef' -H 'referer: https://a.example/?x=in-referer' -H 'ocp-apim-subscription-key: in-sub-key' -H 'authorization: Bearer in-authorization'";
    let relay = relay(|relay| relay["routes"][0]["request_cookies"] = json!(["theme"]));
    for said in [&[][..], &["person"]] {
        let question = Question { line: Some(line.to_owned()), r#as: texts(said), now: NOW, ..Question::default() };
        let found = explained(&relay, &question);
        let shown = told(&found, "wrangler.json", true) + &serde_json::to_string_pretty(&found).unwrap();
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert_eq!(found.served, said == ["person"]);
        if found.served {
            for part in [
                "theme=(not shown)",
                "Bearer (not shown)",
                "access_token=(not shown)&PWD=(not shown)&q=(not shown)",
                "(the secret CF_ACCESS_CLIENT_SECRET)",
            ] {
                assert!(shown.contains(part), "{part} in {shown}");
            }
        }
    }
}

#[test]
fn every_pattern_of_what_is_left_out_has_its_reason() {
    for pattern in NOT_THE_CALLERS {
        let name = pattern.replace('*', "x");
        let header = format!("{name}: 1");
        let request = question("GET", URL, &[&header], &["person"]);
        let found = explained(&minimal(), &request);
        let left: Vec<upstream::LeftOut> = found.request.unwrap().upstream.unwrap().left_out;
        let why = &left.iter().find(|left| left.name == name).unwrap_or_else(|| panic!("{name} passes")).why;
        let is_ours = why == "the relay's own takes its place";
        assert!(
            is_ours || (why.ends_with(&format!(" ({pattern})")) && !why.starts_with("it is not the caller's")),
            "{pattern}: {why}"
        );
    }
}

#[test]
fn an_environment_is_explained_by_its_own_table() {
    let file = json!({ "env": { "staging": { "vars": { "RELAY": minimal() } }, "bare": {} } }).to_string();
    let asked = question("GET", URL, &[], &["person"]);
    let of = |environment: Option<&str>| explain(&asked, &[], "wrangler.json", &file, environment, &verify);
    let found = of(Some("staging")).unwrap();
    assert!(found.served);
    assert_eq!(found.places["routes[0].path"].line, 1);
    let refused = explain(
        &question("GET", URL, &[], &["page:https://a.example", "nobody"]),
        &[],
        "wrangler.json",
        &file,
        Some("staging"),
        &verify,
    )
    .unwrap();
    assert_eq!(refused.changes[0].table, "env.staging.vars.RELAY.cors");
    assert!(told(&refused, "wrangler.json", false).contains(
        "  in env.staging.vars.RELAY.cors (wrangler.json:1):  \"allowed_origins\": [\"https://a.example\"]\n"
    ));
    for (environment, error) in [
        (None, "found no [vars.RELAY]; name one by --env: staging"),
        (Some("bare"), "found no RELAY in env \"bare\"; name one by --env: staging"),
        (Some("other"), "found no RELAY in env \"other\"; name one by --env: staging"),
    ] {
        assert_eq!(of(environment), Err(Failure::Unclear(texts(&[error]))));
    }
    for unsound in ["{", "{\"vars\": {\"RELAY\": {}}}", "{\"vars\": {\"RELAY\": \"{\"}}"] {
        assert_eq!(explain(&asked, &[], "wrangler.json", unsound, None, &verify), Err(Failure::Unsound), "{unsound}");
    }
}

#[test]
fn a_page_asks_as_its_browser_does() {
    let relay = relay(|relay| {
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allowed_methods": ["PUT"], "allow_credentials": true });
    });
    // A page of the relay's own origin needs no policy.
    let own = explained(&relay, &question("put", URL, &["x-a: 1"], &["page:https://app.example.com"]));
    assert!(own.served && own.preflight.is_none() && own.browser.is_none());
    assert_eq!(own.request.unwrap().method, "PUT");
    let asks = explained(&relay, &question("put", URL, &[], &["page:https://admin.example.com"]));
    assert!(asks.served && asks.browser.unwrap().reads);
    assert_eq!(asks.preflight.unwrap().method, "OPTIONS");
    // fetch() leaves this one as it is written, and methods are case-sensitive.
    let patch = explained(&relay, &question("patch", URL, &[], &["page:https://admin.example.com"]));
    assert_eq!(patch.code, Some("method_not_allowed"));
    assert!(patch.request.is_none());
    let mixed =
        explained(&relay, &question("GET", "http://app.example.com/api/x", &[], &["page:https://admin.example.com"]));
    assert!(!mixed.served && mixed.request.is_none() && mixed.advice == ["write https:// in the page's call"]);
    let upstream = self::relay_with_upstream_preflights();
    let asks = explained(&upstream, &question("PUT", URL, &[], &["page:https://admin.example.com"]));
    assert!(
        asks.served && asks.advice.iter().any(|advice| advice.starts_with("which methods and headers pass")),
        "{asks:?}"
    );
    let refused = explained(&relay, &question("GET", URL, &[], &["page:https://admin.example.com", "nobody"]));
    assert_eq!((refused.code, refused.served), (Some("unauthenticated"), false));
    assert_eq!(refused.browser.unwrap().text, "the page can read the refusal, with its status 401");
    let served = explained(&relay, &question("GET", URL, &[], &["page:https://admin.example.com"]));
    assert_eq!(served.browser.unwrap().text, "the page can read the answer");
    // What nobody could have kept from being read is not told from where it was asked for (Fetch Metadata §2).
    for (url, page, said) in [
        (URL, "https://admin.example.com", true),
        ("http://localhost:8787/api/x", "https://admin.example.com", true),
        ("http://app.example.com/api/x", "http://admin.example.com", false),
    ] {
        let way = explained(&relay, &question("PUT", url, &[], &[&format!("page:{page}")])).preflight.unwrap();
        assert_eq!(way.asks.iter().any(|line| line.name == "sec-fetch-site"), said, "{url}: {:?}", way.asks);
    }
}

#[test]
fn a_url_alone_is_a_get() {
    let asked = Question { url: Some(URL.to_owned()), r#as: texts(&["person"]), now: NOW, ..Question::default() };
    let found = explained(&minimal(), &asked);
    assert_eq!((found.served, found.request.unwrap().method.as_str()), (true, "GET"));
}

#[test]
fn what_is_said_by_itself_goes_before_what_a_curl_command_has() {
    let curl = texts(&["curl", "-X", "PUT", "-H", "accept: text/html", URL]);
    let asked = Question { curl: Some(curl), r#as: texts(&["person"]), now: NOW, ..Question::default() };
    let of = |asked: &Question| Asked::read(asked, &[]).unwrap().request;
    let (method, accept) = (of(&asked).method, of(&asked).headers.get("accept"));
    assert_eq!((method.as_str(), accept.as_deref()), ("PUT", Some("text/html")));
    let asked = Question {
        method: Some("POST".to_owned()),
        url: Some("https://app.example.com/api/other".to_owned()),
        headers: texts(&["Accept: */*"]),
        origin: Some("https://admin.example.com".to_owned()),
        ..asked
    };
    let Request { method, url, headers, .. } = of(&asked);
    assert_eq!((method.as_str(), url.as_str()), ("POST", "https://app.example.com/api/other"));
    let headers: Vec<(&str, &str)> = headers.iter().collect();
    assert_eq!(headers, [("accept", "*/*"), ("origin", "https://admin.example.com")]);
}

#[test]
fn who_asks_is_said_in_words() {
    const ADMIN: &str = "page:https://admin.example.com";
    let anyone = relay(|relay| relay["access"] = json!({ "dangerously_allow_anyone": true }));
    let browser = ["user-agent: Mozilla/5.0", "origin: https://admin.example.com"];
    let and = |header: &'static str| vec![browser[0], browser[1], header];
    let page = "a page of https://admin.example.com that calls fetch()";
    let include = ", with credentials: \"include\"";
    #[rustfmt::skip]
    let table: Vec<(Value, &str, Vec<&str>, &[&str], String)> = vec![
        (minimal(), "GET", vec![], &[], String::new()),
        (minimal(), "GET", vec![], &["nobody"], "nobody whom Access knows".to_owned()),
        (minimal(), "GET", vec![], &["person"], "a person who is logged in".to_owned()),
        (minimal(), "GET", vec![], &["program"], "a program with a service token".to_owned()),
        (anyone.clone(), "GET", vec![], &["person"], String::new()),
        (minimal(), "GET", vec![], &[ADMIN], format!("{page}, for a person who is logged in{include}")),
        (minimal(), "GET", vec![], &[ADMIN, "nobody"], format!("{page}, for nobody whom Access knows")),
        (minimal(), "GET", vec![], &["page:https://app.example.com"], "a page of https://app.example.com that calls fetch(), for a person who is logged in".to_owned()),
        (anyone, "GET", vec![], &[ADMIN], format!("{page}{include}")),
        // What a browser has sent: with credentials, where there are some.
        (minimal(), "GET", browser.to_vec(), &[], page.to_owned()),
        (minimal(), "GET", and("cookie: a=1"), &[], format!("{page}{include}")),
        (minimal(), "GET", and("cookie: a=1"), &["nobody"], format!("{page}, for nobody whom Access knows")),
        (minimal(), "OPTIONS", browser.to_vec(), &[], page.to_owned()),
        // And what no page calls with fetch().
        (minimal(), "OPTIONS", and("access-control-request-method: PUT"), &[], String::new()),
        (minimal(), "TRACE", browser.to_vec(), &[], String::new()),
        (minimal(), "POST", and("sec-fetch-mode: navigate"), &[], String::new()),
        (minimal(), "GET", and("upgrade: websocket"), &[], String::new()),
        (minimal(), "POST", vec![browser[0], "origin: https://app.example.com"], &[], String::new()),
    ];
    for (relay, method, headers, said, by) in table {
        let found = explained(&relay, &question(method, URL, &headers, said));
        assert_eq!(found.by, by, "{method} {headers:?} {said:?}");
    }
}

fn relay_with_upstream_preflights() -> Value {
    relay(|relay| {
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "preflight": "upstream", "allow_credentials": true });
    })
}

#[test]
fn what_a_browser_has_recorded_is_a_page_that_calls() {
    let relay = relay(|relay| {
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": true })
    });
    let browsers = [
        "user-agent: Mozilla/5.0",
        "priority: u=1, i",
        "cache-control: no-cache",
        "sec-fetch-site: same-site",
        "sec-fetch-mode: cors",
        "referer: https://admin.example.com/",
    ];
    // The browser's own headers are not the page's: nothing has to be asked.
    let get = explained(&relay, &question("GET", URL, &browsers, &["person"]));
    assert!(get.served && get.preflight.is_none() && get.browser.unwrap().reads, "{:?}", get.request);
    let put = explained(&relay, &question("PUT", URL, &browsers, &["person"]));
    assert_eq!(
        (put.code, changes(&put)),
        (Some("method_not_allowed"), vec![("cors.allowed_methods".to_owned(), json!(["PUT"]))])
    );
    // No browser: nothing is concluded.
    let plain = explained(&relay, &question("GET", URL, &["origin: https://admin.example.com"], &["person"]));
    assert!(plain.served && plain.browser.is_none());
    let entry = json!({ "log": { "entries": [{
        "startedDateTime": "2027-01-15T08:00:00Z",
        "request": { "method": "PUT", "url": URL, "headers": [{ "name": "referer", "value": "https://admin.example.com/" }, { "name": "content-type", "value": "application/json" }] },
        "response": { "status": 0 },
    }] } })
    .to_string();
    let asked = Question { recorded: true, r#as: texts(&["person"]), now: 1, ..Question::default() };
    let found = explain(&asked, entry.as_bytes(), "wrangler.json", &file(&relay), None, &verify).unwrap();
    assert_eq!(found.code, Some("method_not_allowed"));
    assert_eq!(found.changes.len(), 2);
}

#[test]
fn what_never_comes_to_the_relay_is_said() {
    let file = json!({ "routes": [{ "pattern": "app.example.com/api*" }, "*.preview.example.com/*"], "vars": { "RELAY": minimal() } }).to_string();
    for (url, part) in [
        (
            "https://api.example.com/notes",
            Some("https://api.example.com is the API itself, not the relay: have the page call /api on its own host"),
        ),
        (
            "https://other.example.com/api/x",
            Some(
                "no route of the Worker is for other.example.com: its routes are for app.example.com, *.preview.example.com",
            ),
        ),
        ("https://a.preview.example.com/api/x", None),
        (URL, None),
        ("http://localhost:8787/api/x", None),
    ] {
        let found =
            explain(&question("GET", url, &[], &["person"]), &[], "wrangler.json", &file, None, &verify).unwrap();
        assert_eq!(found.advice.first().map(String::as_str), part, "{url}");
        assert!(found.changes.is_empty());
    }
    // An environment has the routes of the top level, unless it has its own.
    let vars = json!({ "RELAY": minimal() });
    let file = json!({ "routes": ["app.example.com/api*"], "env": {
        "own": { "routes": ["own.example.com/api*"], "vars": vars },
        "single": { "route": "single.example.com/api*", "vars": vars },
        "heir": { "vars": vars },
    } })
    .to_string();
    for (environment, host) in
        [("own", "own.example.com"), ("single", "single.example.com"), ("heir", "app.example.com")]
    {
        let advice = |url: &str| {
            let question = question("GET", url, &[], &["person"]);
            explain(&question, &[], "wrangler.json", &file, Some(environment), &verify).unwrap().advice
        };
        assert_eq!(advice(&format!("https://{host}/api/x")), [""; 0], "{environment}");
        let other = format!("no route of the Worker is for other.example.com: its routes are for {host}");
        assert_eq!(advice("https://other.example.com/api/x"), [other], "{environment}");
    }
}

#[test]
fn an_explanation_is_told_box_by_box_with_what_to_write() {
    let toml = format!(
        r#"
[vars.RELAY.access]
issuer = "{ISSUER}"
audience = ["{AUD}"]

[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
"#
    );
    let told_of = |question: &Question| {
        told(&explain(question, &[], "wrangler.toml", &toml, None, &verify).unwrap(), "wrangler.toml", false)
    };
    let put = told_of(&question("PUT", URL, &["content-type: application/json"], &["page:https://admin.example.com"]));
    assert_eq!(
        put,
        r#"OPTIONS https://app.example.com/api/notes
the browser's preflight

  ok    route              /api leads to https://api.example.com
                           (routes[0].path, wrangler.toml:7:8)
  STOP  preflight          403 origin_not_allowed: cors.allowed_origins does not list "https://admin.example.com"
                           (cors.allowed_origins, wrangler.toml:2:7)
        cross-origin rule  not reached
        caller check       not reached
        forward            not reached

The browser
  network error: the preflight's answer has no Access-Control-Allow-Origin; the request is never sent

To let it pass, write
  in vars.RELAY.cors (wrangler.toml:2):  allowed_origins = ["https://admin.example.com"]
  in vars.RELAY.cors (wrangler.toml:2):  allowed_methods = ["PUT"]
  in vars.RELAY.cors (wrangler.toml:2):  allowed_headers = ["content-type"]
  in vars.RELAY.cors (wrangler.toml:2):  allow_credentials = true   # pages of all listed origins then call with the person's login

Know, too
  in front of the relay, Access itself refuses preflights with 403, unless the application of the page's host has "Bypass OPTIONS requests to origin" switched on
"#
    );
}

#[test]
fn what_is_served_is_told_with_what_the_api_gets() {
    let relay = relay(|relay| {
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.net"], "allow_credentials": true })
    });
    let found = explained(&relay, &question("GET", URL, &[], &["page:https://admin.example.net"]));
    // Which id a route has, and where its keys stand, is told by other tests.
    let text = told(&found, "wrangler.json", false);
    let kept = |line: &&str| !line.contains("access-relay-loop") && !line.contains("wrangler.json");
    assert_eq!(
        text.lines().filter(kept).collect::<Vec<_>>().join("\n"),
        r#"GET https://app.example.com/api/notes
by a page of https://admin.example.net that calls fetch(), for a person who is logged in, with credentials: "include"

  ok    route              /api leads to https://api.example.com
  ok    preflight          it is none
  ok    cross-origin rule  the policy allows "https://admin.example.net"
  ok    caller check       a person: sub "made-up-person", email "person@made-up.invalid"
  ok    forward            GET https://api.example.com/api/notes

The API gets
  GET https://api.example.com/api/notes
  the caller's:
    origin: https://admin.example.net
    sec-fetch-dest: empty
    sec-fetch-mode: cors
    sec-fetch-site: cross-site
  the relay's:
    cf-access-client-id: (the secret CF_ACCESS_CLIENT_ID)
    cf-access-client-secret: (the secret CF_ACCESS_CLIENT_SECRET)
    traceparent: (the request's trace)
    x-forwarded-email: person@made-up.invalid
    x-forwarded-host: app.example.com
    x-forwarded-proto: https
    x-forwarded-user: made-up-person
  left out:
    cf-access-jwt-assertion: They are Access's credentials, and Access's word on who calls (cf-access-*)

To an answer of the API in JSON, the relay adds
  access-control-allow-credentials: true
  access-control-allow-origin: https://admin.example.net
  cdn-cache-control: no-store
  cross-origin-resource-policy: same-origin
  vary: Origin

The browser
  the page can read the answer

Know, too
  Safari and Firefox keep cookies of other sites back, and Chromium may: there, nobody is logged in for such a page"#
    );
    // Nothing has a heading of which there is nothing.
    let own = told(&explained(&minimal(), &question("GET", URL, &[], &["person"])), "wrangler.json", false);
    for heading in ["  the caller's:", "The browser", "To let it pass, write", "Know, too", "What to do"] {
        assert!(!own.contains(heading), "{heading} in {own}");
    }
}

#[test]
fn a_refusal_is_told_in_red_with_what_to_do() {
    let nobody = told(&explained(&minimal(), &question("GET", URL, &[], &["nobody"])), "wrangler.json", true);
    assert!(nobody.contains("\n  \u{1b}[31mSTOP\u{1b}[0m  caller check       401 unauthenticated: "), "{nobody}");
    assert!(nobody.contains("\n        forward            not reached\n"), "{nobody}");
    assert!(nobody.contains("\n\nWhat to do\n  have Access protect the path on the page's host: "), "{nobody}");
    // Where nobody is named, no line says by whom it is.
    let unnamed = told(&explained(&minimal(), &question("GET", URL, &[], &[])), "wrangler.json", false);
    assert!(unnamed.starts_with(&format!("GET {URL}\n\n  ok    route ")), "{unnamed}");
}

#[test]
fn a_caller_who_is_not_let_in_is_told_what_helps() {
    let token = |change: &dyn Fn(&mut Value)| {
        let mut claims = person();
        change(&mut claims);
        format!("cf-access-jwt-assertion: {}", issuer_key().sign(&claims))
    };
    let expired = token(&|claims| claims["exp"] = json!(NOW - 100));
    let session = token(&|claims| claims["type"] = json!("org"));
    let ends_now = token(&|claims| (claims["type"], claims["exp"]) = (json!("org"), json!(NOW)));
    let old = token(&|claims| claims["iat"] = json!(NOW - 1000));
    let elsewhere = token(&|claims| claims["aud"] = json!(["other"]));
    let foreign = token(&|claims| claims["iss"] = json!("https://other.cloudflareaccess.com"));
    let platform = relay(|relay| relay["access"] = json!({ "platform": true, "max_token_age_seconds": 600 }));
    let short = relay(|relay| relay["access"]["max_token_age_seconds"] = json!(600));
    for (relay, header, said, part) in [
        (minimal(), expired.as_str(), &[][..], "log in again: reload the page"),
        (minimal(), &ends_now, &[], "compare what the token says with what the relay asks of one"),
        (short, &old, &[], "the session is older than access.max_token_age_seconds allows"),
        (minimal(), &session, &[], "compare what the token says with what the relay asks of one"),
        (minimal(), &elsewhere, &[], "compare the token's aud"),
        (minimal(), &foreign, &[], "compare the token's iss"),
        (minimal(), "cookie: CF_Authorization=garbage", &[], "the cookie CF_Authorization holds no token"),
        (minimal(), "cf-access-client-id: 1.access", &[], "add --as program"),
        (minimal(), "accept: */*", &[], "add --as person"),
        (minimal(), "accept: */*", &["nobody"], "have Access protect the path"),
        (platform.clone(), "accept: */*", &[], "no request shows the runtime's word"),
        (platform, "accept: */*", &["program"], "let programs in by access.issuer"),
    ] {
        let found = explained(&relay, &question("GET", URL, &[header], said));
        assert_eq!((found.code, found.advice.len()), (Some("unauthenticated"), 1), "{:?}", found.advice);
        assert!(found.advice[0].contains(part), "{part}: {:?}", found.advice);
    }
}

#[test]
fn what_is_left_out_is_told_with_its_reason_and_what_the_log_would_say() {
    let mut claims = person();
    claims["email"] = json!("é@example.com");
    let token = format!("cf-access-jwt-assertion: {}", issuer_key().sign(&claims));
    let headers = [
        token.as_str(),
        "connection: close, x-hop",
        "x-hop: 1",
        "cookie: theme=1; other=2",
        "cf~ray: 1",
        "tracestate: a=1",
        "cf-access-client-id: 88bf.access",
        "accept: */*",
    ];
    let relay = relay(|relay| relay["routes"][0]["request_cookies"] = json!(["theme"]));
    let found = explained(&relay, &question("GET", URL, &headers, &[]));
    let way = found.request.as_ref().unwrap();
    assert_eq!(way.warnings, ["x-forwarded-email is left out: the claim cannot be a header's value"]);
    let left: Vec<(&str, &str)> =
        way.upstream.as_ref().unwrap().left_out.iter().map(|left| (left.name.as_str(), left.why.as_str())).collect();
    assert_eq!(
        left,
        [
            ("cf-access-client-id", "the relay's own takes its place"),
            ("cf-access-jwt-assertion", "They are Access's credentials, and Access's word on who calls (cf-access-*)"),
            ("cf~ray", "a server could take its name for that of a header that is Cloudflare's, or the body's"),
            ("connection", "They are for one connection, or for a proxy (RFC 9110 §7.6.1) (connection)"),
            ("cookie", "request_cookies of the route does not name all of them"),
            ("tracestate", "it belongs to no trace that the relay goes on with"),
            ("x-hop", "connection names it: it is for one connection (RFC 9110 §7.6.1)"),
        ]
    );
    let text = told(&found, "wrangler.json", false);
    for part in [
        "  note x-forwarded-email is left out",
        "    cookie: theme=(not shown)\n",
        "    cf-access-client-id: (the secret CF_ACCESS_CLIENT_ID)\n",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("88bf.access"));
    // Of a preflight that the API answers, nothing passes but what it asks.
    let headers =
        ["origin: https://admin.example.com", "access-control-request-method: PUT", "cookie: a=1", "accept: */*"];
    let found = explained(&relay_with_upstream_preflights(), &question("OPTIONS", URL, &headers, &[]));
    let left = found.request.unwrap().upstream.unwrap().left_out;
    let left: Vec<(&str, &str)> = left.iter().map(|left| (left.name.as_str(), left.why.as_str())).collect();
    let why = "an API gets no more of a preflight than it asks";
    assert_eq!(left, [("accept", why), ("cookie", why)]);
    let found = explained(&minimal(), &question("GET", URL, &["cookie: a=1"], &["person"]));
    let left = found.request.unwrap().upstream.unwrap().left_out;
    let cookie = left.iter().find(|left| left.name == "cookie").unwrap();
    assert_eq!(cookie.why, "request_cookies of the route names none of them");
}

#[test]
fn each_header_that_the_api_gets_is_the_callers_or_the_relays() {
    let websocket =
        ["connection: Upgrade", "upgrade: WebSocket", "sec-websocket-version: 13", "cookie: theme=1", "accept: */*"];
    let relay = relay(|relay| {
        relay["routes"][0]["request_cookies"] = json!(["theme"]);
        relay["routes"][0]["credentials"] = json!("caller-token");
    });
    let token = format!("cf-access-jwt-assertion: {}", issuer_key().sign(&person()));
    let found = explained(&relay, &question("GET", URL, &[&websocket[..], &[&token]].concat(), &[]));
    let way = found.request.unwrap();
    let upstream = way.upstream.unwrap();
    let of = |from: upstream::From| -> Vec<(&str, &str)> {
        let lines = upstream.headers.iter().filter(|line| line.from == from);
        lines.map(|line| (line.name.as_str(), line.value.as_str())).collect()
    };
    assert_eq!(
        of(upstream::From::Caller),
        [("accept", "*/*"), ("cookie", "theme=(not shown)"), ("sec-websocket-version", "13"), ("upgrade", "websocket"),]
    );
    let relays = of(upstream::From::Relay);
    assert_eq!(
        relays.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        [
            "access-relay-loop",
            "cf-access-token",
            "traceparent",
            "x-forwarded-email",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-forwarded-user",
        ]
    );
    for line in [("cf-access-token", "(the caller's token)"), ("traceparent", "(the request's trace)")] {
        assert!(relays.contains(&line), "{relays:?}");
    }
    assert!(!upstream.left_out.iter().any(|left| left.name == "upgrade"), "it goes on, as the standard writes it");
}

#[test]
fn times_are_told_as_people_count() {
    for (far, told) in [
        (0, "0 seconds after"),
        (-59, "59 seconds before"),
        (-119, "119 seconds before"),
        (120, "2 minutes after"),
        (7199, "119 minutes after"),
        (7200, "2 hours after"),
        (172_799, "47 hours after"),
        (172_800, "2 days after"),
    ] {
        let mut claims = person();
        claims["exp"] = json!(NOW + far);
        let header = format!("cookie: CF_Authorization={}", issuer_key().sign(&claims));
        let found = explained(&minimal(), &question("GET", URL, &[&header], &[]));
        let exp = &found.tokens[0].claims.iter().find(|(name, _)| name == "exp").unwrap().1;
        assert!(exp.ends_with(&format!(" UTC, {told} the request")), "{exp}");
    }
}

#[test]
fn a_page_by_https_may_ask_this_machine_by_http() {
    let local = relay(|relay| {
        relay["cors"] = json!({ "allowed_origins": ["https://admin.example.com"], "allow_credentials": true })
    });
    let found =
        explained(&local, &question("GET", "http://localhost:8787/api/x", &[], &["page:https://admin.example.com"]));
    assert!(found.served, "{found:?}");
    let third = explained(&local, &question("GET", URL, &[], &["page:https://admin.example.net"]));
    assert!(
        third.advice.iter().any(|advice| advice.starts_with("Safari and Firefox keep cookies of other sites back")),
        "{:?}",
        third.advice
    );
    let sibling = explained(&local, &question("GET", URL, &[], &["page:https://admin.example.com"]));
    assert_eq!((sibling.served, sibling.advice.len()), (true, 0));
}

#[test]
fn what_a_console_says_is_what_a_log_is_read_by() {
    let origin = "https://admin.example.com";
    let named = |value: &str| value.to_owned();
    for (why, preflight, status, read, webkits) in [
        (Blocked::NoOrigin, false, 200, Why::NoOrigin, Why::NoOrigin),
        (Blocked::NoOrigin, true, 403, Why::NoOrigin, Why::PreflightStatus),
        (Blocked::Wildcard, false, 200, Why::Wildcard, Why::Wildcard),
        (Blocked::OtherOrigin(named("https://b.example")), false, 200, Why::OtherOrigin, Why::NoOrigin),
        (Blocked::NoCredentials, true, 204, Why::NoCredentials, Why::NoCredentials),
        (Blocked::Status(403), true, 403, Why::PreflightStatus, Why::PreflightStatus),
        (Blocked::Method(named("PATCH")), true, 204, Why::Method, Why::Method),
        (Blocked::Header(named("x-api-key")), true, 204, Why::Header, Why::Header),
    ] {
        let Words { chromium, firefox, webkit } =
            Words::of(Case { why: &why, preflight, status, url: "https://app.example.com/api/notes", origin });
        // Chromium alone says that it was the preflight's answer which lacks the header.
        let chromiums = if preflight && read == Why::NoOrigin { Why::PreflightStatus } else { read };
        for (log, expected) in [(&chromium, chromiums), (&firefox, read), (&webkit, webkits)] {
            let messages = messages(log);
            assert_eq!(messages.first().map(|message| message.why), Some(expected), "{log}");
        }
        // Firefox quotes the URL in one message alone.
        assert_eq!(firefox.contains("\u{2018}https://app"), why == Blocked::Wildcard, "{firefox}");
        for url in [messages(&chromium), messages(&firefox)].concat().iter().map(|message| &message.url) {
            assert_eq!(url, "https://app.example.com/api/notes", "{why:?}");
        }
        let name = messages(&chromium).first().and_then(|message| message.name.clone());
        assert_eq!(name.is_some(), matches!(why, Blocked::Method(_) | Blocked::Header(_)), "{chromium}");
    }
}
