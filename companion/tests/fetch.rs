//! What a browser does for a page, and concludes, against answers that are written by hand. Source: Fetch standard, "CORS protocol".

use access_relay_companion::fetch::{Ask, Blocked, Site, is_forbidden_header, normalized, unsafe_names};
use access_relay_companion::headers::Headers;
use access_relay_core::syntax::origin::Origin;

const PAGE: &str = "https://a.example";

fn ask(include: bool, method: &str, headers: &[(&str, &str)]) -> Ask {
    Ask {
        origin: PAGE.to_owned(),
        method: method.to_owned(),
        headers: headers.iter().copied().collect(),
        include,
        trustworthy: true,
    }
}

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().copied().collect()
}

#[test]
fn some_headers_need_no_asking() {
    let long = "a".repeat(128);
    let longer = "a".repeat(129);
    for (name, value, is_asked) in [
        ("accept", "text/html, */*;q=0.8", false),
        ("accept", "text/html<", true),
        ("accept", "a\tb", false),
        ("accept", "a\u{1}b", true),
        ("accept", "a\u{1f}", true),
        ("accept", "a\u{7f}", true),
        ("accept", &long, false),
        ("accept", &longer, true),
        ("accept-language", "en-GB,en;q=0.5", false),
        ("accept-language", "en_GB", true),
        ("content-language", "de", false),
        ("content-type", "text/plain;charset=utf-8", false),
        ("content-type", "Application/X-WWW-Form-URLEncoded", false),
        ("content-type", "multipart/form-data; boundary=x", false),
        ("content-type", "multipart/form-data; boundary=\"x\"", true),
        ("content-type", "application/json", true),
        ("range", "bytes=0-", false),
        ("range", "bytes=0-499", false),
        ("range", "bytes=-5", true),
        ("range", "bytes=10-5", true),
        ("range", "bytes=a-", true),
        ("authorization", "x", true),
        ("x-a", "", true),
    ] {
        assert_eq!(!unsafe_names(&headers(&[(name, value)])).is_empty(), is_asked, "{name}: {value}");
    }
    // Together, they may be 1,024 bytes long.
    let eight: Vec<(&str, &str)> = vec![("accept", long.as_str()); 8];
    assert!(unsafe_names(&headers(&eight)).is_empty());
    let nine: Vec<(&str, &str)> = vec![("accept", long.as_str()); 9];
    assert_eq!(unsafe_names(&headers(&nine)), ["accept"]);
    assert_eq!(unsafe_names(&headers(&[("X-B", "1"), ("a", "1"), ("x-b", "2")])), ["a", "x-b"]);
}

#[test]
fn methods_and_forbidden_headers() {
    for (written, sent) in
        [("get", "GET"), ("Delete", "DELETE"), ("patch", "patch"), ("PATCH", "PATCH"), ("options", "OPTIONS")]
    {
        assert_eq!(normalized(written), sent);
    }
    for (name, is_forbidden) in [
        ("Cookie", true),
        ("sec-x", true),
        ("Proxy-A", true),
        ("set-cookie", true),
        ("via", true),
        ("origin", true),
        ("authorization", false),
        ("user-agent", false),
    ] {
        assert_eq!(is_forbidden_header(name), is_forbidden, "{name}");
    }
}

#[test]
fn who_may_read_an_answer() {
    let origin = |value: &'static str| ("access-control-allow-origin", value);
    let with = ("access-control-allow-credentials", "true");
    for (include, lines, reads) in [
        (false, vec![], false),
        (false, vec![origin("*")], true),
        (false, vec![origin(PAGE)], true),
        (false, vec![origin("https://b.example")], false),
        (false, vec![origin("https://a.example, *")], false),
        (false, vec![origin("null")], false),
        (true, vec![origin("*"), with], false),
        (true, vec![origin(PAGE)], false),
        (true, vec![origin(PAGE), with], true),
        (true, vec![origin(PAGE), ("access-control-allow-credentials", "True")], false),
    ] {
        assert_eq!(ask(include, "GET", &[]).check(&headers(&lines)).is_ok(), reads, "{include} {lines:?}");
    }
}

#[test]
fn what_a_preflight_allows() {
    let all = ("access-control-allow-origin", "*");
    let own = [("access-control-allow-origin", PAGE), ("access-control-allow-credentials", "true")];
    let methods = |value: &'static str| ("access-control-allow-methods", value);
    let names = |value: &'static str| ("access-control-allow-headers", value);
    for (include, method, sent, status, lines, passes) in [
        (false, "PUT", vec![], 204, vec![all, methods("GET, PUT")], true),
        (false, "PUT", vec![], 200, vec![all, methods("*")], true),
        (false, "PUT", vec![], 204, vec![all, methods("put")], false),
        (false, "PUT", vec![], 204, vec![all], false),
        (false, "POST", vec![("x-a", "1")], 204, vec![all, names("X-A")], true),
        (false, "POST", vec![("x-a", "1")], 204, vec![all, names("*")], true),
        (false, "POST", vec![("authorization", "1")], 204, vec![all, names("*")], false),
        (false, "POST", vec![("authorization", "1")], 204, vec![all, names("*, Authorization")], true),
        (false, "PUT", vec![], 403, vec![all, methods("PUT")], false),
        (false, "PUT", vec![], 300, vec![all, methods("PUT")], false),
        (false, "PUT", vec![], 204, vec![methods("PUT")], false),
        (true, "PUT", vec![], 204, vec![own[0], own[1], methods("PUT")], true),
        (true, "PUT", vec![], 204, vec![own[0], own[1], methods("*")], false),
        (true, "POST", vec![("x-a", "1")], 204, vec![own[0], own[1], names("*")], false),
        (true, "PUT", vec![], 204, vec![own[0], methods("PUT")], false),
    ] {
        let found = ask(include, method, &sent).check_preflight(status, &headers(&lines));
        assert_eq!(found.is_ok(), passes, "{include} {method} {sent:?} {status} {lines:?}: {found:?}");
    }
}

#[test]
fn why_an_answer_is_kept_is_told_in_the_words_of_the_console() {
    for (why, told) in [
        (Blocked::NoOrigin, "has no Access-Control-Allow-Origin"),
        (Blocked::Wildcard, "has Access-Control-Allow-Origin: *, which counts for requests without credentials only"),
        (
            Blocked::OtherOrigin("https://b.example, \"*\"".to_owned()),
            "names \"https://b.example, \\\"*\\\"\" in Access-Control-Allow-Origin, and not the page's origin",
        ),
        (Blocked::NoCredentials, "has no Access-Control-Allow-Credentials: true, and the request has credentials"),
        (Blocked::Status(300), "has the status 300, and not one from 200 to 299"),
        (Blocked::Method("PUT".to_owned()), "does not list \"PUT\" in Access-Control-Allow-Methods"),
        (Blocked::Header("x-a".to_owned()), "does not list \"x-a\" in Access-Control-Allow-Headers"),
    ] {
        assert_eq!(why.to_string(), told);
    }
}

#[test]
fn what_a_browser_says_of_a_page() {
    let origin = |text: &str| Origin::parse(text).unwrap();
    for (page, server, site) in [
        ("https://a.example", "https://a.example", Site::SameOrigin),
        ("https://a.example:8443", "https://a.example", Site::SameSite),
        ("https://x.a.example", "https://y.a.example", Site::SameSite),
        ("http://x.a.example", "https://y.a.example", Site::CrossSite),
        ("https://a.co.uk", "https://b.co.uk", Site::CrossSite),
        ("https://x.pages.dev", "https://y.pages.dev", Site::CrossSite),
    ] {
        assert_eq!(Site::between(&origin(page), &origin(server)), site, "{page} {server}");
    }
    let lines = |headers: &Headers| headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>();
    let put = ask(true, "PUT", &[("x-b", "1"), ("authorization", "x"), ("accept", "*/*")]);
    let fetch = ["sec-fetch-site: cross-site", "sec-fetch-mode: cors", "sec-fetch-dest: empty"];
    let preflight = lines(&put.preflight(Site::CrossSite));
    assert_eq!(preflight[0], "origin: https://a.example");
    assert_eq!(preflight[1..4], fetch);
    assert_eq!(
        preflight[4..],
        ["access-control-request-method: PUT", "access-control-request-headers: authorization,x-b"]
    );
    assert!(put.needs_preflight() && !ask(true, "POST", &[("accept", "*/*")]).needs_preflight());
    // Of its own origin, a page that reads names none; and to plain http, a browser says nothing.
    let own = ask(true, "GET", &[]);
    assert_eq!(lines(&own.request(Site::SameOrigin))[0], "sec-fetch-site: same-origin");
    let plain = Ask { trustworthy: false, ..own };
    assert_eq!(lines(&plain.request(Site::CrossSite)), ["origin: https://a.example"]);
}
