//! A page and an API, looked at: what is asked, and what the answers mean.

use access_relay_companion::addresses::{Addresses, Place, Said};
use access_relay_companion::look::{Report, judge};
use access_relay_companion::metadata;
use access_relay_companion::view::Seen;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

const NOW: i64 = 1_790_000_000;
const TEAM: &str = "acme.cloudflareaccess.com";
const PAGE_AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const PATH_AUD: &str = "5714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const API_AUD: &str = "b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5";

fn token(claims: &Value) -> String {
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" });
    format!("{}.{}.{}", encoded(&header), encoded(claims), BASE64URL_NOPAD.encode(&[1; 256]))
}

fn claims(hostname: &str, aud: &str) -> Value {
    json!({ "type": "match", "hostname": hostname, "auth_domain": TEAM, "aud": aud, "app_hostname": hostname, "iat": NOW })
}

/// Access's signed word, and its login for strangers.
fn covered(place: &str, hostname: &str, aud: &str) -> Value {
    json!({ "place": place, "metadata": { "token": token(&claims(hostname, aud)), "unproven": null }, "answer": login(aud) })
}

fn login(aud: &str) -> Value {
    let location = format!("https://{TEAM}/cdn-cgi/access/login/app.example.com?kid={aud}&redirect_url=%2F&meta=x");
    json!({ "status": 302, "headers": { "location": location } })
}

fn answered(place: &str, answer: Value) -> Value {
    json!({ "place": place, "metadata": null, "answer": answer })
}

fn ok() -> Value {
    json!({ "status": 200, "headers": { "content-type": "text/html" } })
}

fn said(page: &str, api: &str, path: &str) -> Said {
    Said { page: page.to_owned(), api: api.to_owned(), path: path.to_owned(), ..Said::default() }
}

fn parse(page: &str, api: &str, path: &str) -> Result<Addresses, Vec<String>> {
    Addresses::parse(&said(page, api, path))
}

/// What becomes of this for page, path, below, and API.
fn judged(seen: [Value; 4]) -> Report {
    judged_as(&said("https://app.example.com", "https://api.example.com", "/api"), seen)
}

fn judged_as(said: &Said, seen: [Value; 4]) -> Report {
    let seen: Vec<Seen> = seen.into_iter().map(|seen| serde_json::from_value(seen).unwrap()).collect();
    judge(said, &Addresses::parse(said).unwrap(), &seen, NOW)
}

/// Mistakes, then warnings.
fn told(report: &Report) -> Vec<String> {
    [report.mistakes.clone(), report.warnings.clone()].concat()
}

fn sound() -> [Value; 4] {
    let app = |place| covered(place, "app.example.com", PAGE_AUD);
    [app("page"), app("path"), app("below"), covered("api", "api.example.com", API_AUD)]
}

fn with(place: usize, seen: Value) -> [Value; 4] {
    let mut all = sound();
    all[place] = seen;
    all
}

#[test]
fn addresses_are_read_as_people_write_them() {
    for (page, api, expected) in [
        ("https://app.example.com", "https://api.example.com", ("https://app.example.com", "https://api.example.com")),
        ("app.example.com", "api.example.com/v1/", ("https://app.example.com", "https://api.example.com/v1")),
        (
            " HTTPS://App.Example.Com:443/login ",
            "https://api.example.com:8443",
            ("https://app.example.com", "https://api.example.com:8443"),
        ),
        ("localhost:8700", "http://127.0.0.1:8701", ("http://localhost:8700", "http://127.0.0.1:8701")),
        (
            "app.example.localhost:80",
            "https://api.example.com",
            ("http://app.example.localhost", "https://api.example.com"),
        ),
    ] {
        let addresses = parse(page, api, "/api").unwrap_or_else(|errors| panic!("{page} {api}: {errors:?}"));
        assert_eq!((addresses.page.as_str(), &*addresses.upstream()), expected);
    }
}

#[test]
fn addresses_that_are_none_say_what_to_write() {
    for (page, api, path, expected) in [
        ("", "https://api.example.com", "/api", "PAGE_URL: found \"\"; name a host without empty labels"),
        (
            "http://app.example.com",
            "https://api.example.com",
            "/api",
            "PAGE_URL: found \"http://app.example.com\"; use https",
        ),
        (
            "ftp://app.example.com",
            "https://api.example.com",
            "/api",
            "PAGE_URL: found \"ftp://app.example.com\"; write https:// or http://",
        ),
        (
            "https://app.example.com",
            "https://api.example.com/?a=s3cret",
            "/api",
            "API_URL: found \"https://api.example.com/?\" and more (not shown); leave out what follows",
        ),
        (
            "https://app.example.com",
            "https://ada:s3cret@api.example.com",
            "/api",
            "API_URL: found an address with a user's name (not shown); leave out the user name",
        ),
        (
            "https://app.example.com",
            "https://app.example.com/v1",
            "/api",
            "API_URL: found \"https://app.example.com/v1\"; name the API's own host",
        ),
        ("https://app.example.com", "https://api.example.com", "api", "--path: found \"api\""),
        ("https://app.example.com", "https://api.example.com", "/a/../b", "--path: found"),
        ("https://app..example.com", "https://api.example.com", "/api", "PAGE_URL: found \"https://app..example.com\""),
    ] {
        let errors = parse(page, api, path).unwrap_err();
        assert!(errors.len() == 1 && errors[0].starts_with(expected), "{errors:?}");
        assert!(!errors[0].contains("s3cret"), "{errors:?}");
    }
    assert_eq!(parse("ftp://a", "ftp://b", "x").unwrap_err().len(), 3);
}

#[test]
fn what_is_asked() {
    let asked = |page, api, path| -> Vec<String> {
        parse(page, api, path).unwrap().asks().into_iter().map(|ask| ask.url).collect()
    };
    let page = "https://app.example.com/";
    let below = "https://app.example.com/api/access-relay-init";
    // The API at the place that the relay calls.
    assert_eq!(
        asked("app.example.com", "api.example.com", "/api"),
        [page, "https://app.example.com/api", below, "https://api.example.com/api/access-relay-init"]
    );
    assert_eq!(
        asked("https://app.example.com/a/b", "https://api.example.com/v1/", "/"),
        [
            "https://app.example.com/a/b",
            "https://app.example.com/access-relay-init",
            "https://api.example.com/v1/access-relay-init"
        ]
    );
    let stripped = Said { strip_prefix: true, ..said("app.example.com", "https://api.example.com/v1", "/api") };
    let asks = Addresses::parse(&stripped).unwrap().asks();
    assert_eq!(asks.last().unwrap().url, "https://api.example.com/v1/access-relay-init");
}

#[test]
fn a_sound_set_up_tells_issuer_and_audience_and_warns_of_nothing() {
    let report = judged(sound());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert_eq!(report.issuer.as_deref(), Some("https://acme.cloudflareaccess.com"));
    assert_eq!(report.audience.as_deref(), Some(PAGE_AUD));
    assert_eq!(report.seen.len(), 4);
    let page = &report.seen[0];
    assert_eq!((page.place, &*page.url), (Place::Page, "https://app.example.com/"));
    assert_eq!(
        page.application,
        format!(
            "Access application app.example.com of https://acme.cloudflareaccess.com (signed by Access), AUD tag {PAGE_AUD}"
        )
    );
    assert_eq!(page.strangers, "strangers get 302 to Access's login page");
}

#[test]
fn the_audience_is_that_of_the_application_whose_token_a_caller_brings() {
    let below = |answer: Value| {
        let mut seen = covered("below", "app.example.com", PATH_AUD);
        seen["answer"] = answer;
        judged(with(2, seen))
    };
    // An application of its own stands in front of the path, and asks for its own token.
    assert_eq!(below(login(PATH_AUD)).audience.as_deref(), Some(PATH_AUD));
    // It lets everybody pass: then callers have the page's.
    let bypass = below(ok());
    assert_eq!(bypass.audience.as_deref(), Some(PAGE_AUD));
    assert!(bypass.warnings.iter().any(|line| line.contains("Access lets strangers pass here")), "{bypass:?}");
    // Where Access says that an application covers it, a 401 without a sign may be Access's, too.
    assert_eq!(below(json!({ "status": 401, "headers": {} })).audience.as_deref(), Some(PATH_AUD));
    // Of one application, the answer that says more of it counts: who has signed it, or which team it is of.
    let marks = || answered("below", json!({ "status": 403, "headers": { "cf-access-aud": PAGE_AUD } }));
    let redirects = |place| answered(place, login(PAGE_AUD));
    for (seen, warnings) in [
        (with(2, marks()), 0),
        (with(0, redirects("page")), 0),
        ([redirects("page"), redirects("path"), marks(), covered("api", "api.example.com", API_AUD)], 1),
    ] {
        let report = judged(seen);
        assert_eq!(report.issuer.as_deref(), Some("https://acme.cloudflareaccess.com"), "{report:?}");
        assert_eq!((report.audience.as_deref(), report.warnings.len()), (Some(PAGE_AUD), warnings), "{report:?}");
    }
}

#[test]
fn what_is_told() {
    let failed = json!({ "failed": "its name does not resolve" });
    let open = |place: &str| answered(place, ok());
    let marks = |status: u16| json!({ "status": status, "headers": { "cf-access-aud": API_AUD, "cf-access-domain": "api.example.com" } });
    let plain = |status: u16| json!({ "status": status, "headers": { "location": "https://api.example.com/login?next=s3cret" } });
    let signed = |place: &str, answer: Value| {
        let (hostname, aud) = if place == "api" { ("api.example.com", API_AUD) } else { ("app.example.com", PAGE_AUD) };
        let mut seen = covered(place, hostname, aud);
        seen["answer"] = answer;
        seen
    };
    let nothing = || [open("page"), open("path"), open("below"), covered("api", "api.example.com", API_AUD)];
    let api = "https://api.example.com/api/access-relay-init";
    let below = "https://app.example.com/api/access-relay-init";
    #[rustfmt::skip]
    let table: Vec<([Value; 4], Vec<String>, usize)> = vec![
        (sound(), vec![], 0),
        (with(3, open("api")), vec![format!("{api}: no Access application covers the API (strangers get 200, not from Access): everybody can call it")], 1),
        (with(3, answered("api", json!({ "status": 401, "headers": { "www-authenticate": "Bearer realm=\"x\"" } }))), vec![format!("{api}: no Access application covers the API (strangers get 401")], 1),
        (with(3, answered("api", plain(302))), vec![format!("{api}: no Access application covers the API (strangers get 302 to https://api.example.com/login, not from Access)")], 1),
        (with(3, answered("api", marks(403))), vec![], 0),
        // Access says that an application covers it, and whoever answered lets nobody pass: strict mode, Managed OAuth, a custom deny URL.
        (with(3, signed("api", plain(401))), vec![], 0),
        (with(3, signed("api", plain(403))), vec![], 0),
        (with(3, signed("api", plain(302))), vec![], 0),
        // A policy lets everybody pass.
        (with(3, signed("api", ok())), vec![format!("{api}: the API's Access application lets everybody pass (strangers get 200, not from Access)")], 1),
        (with(3, answered("api", failed.clone())), vec![format!("{api}: no answer: its name does not resolve; nothing could be seen there")], 0),
        (with(3, covered("api", "api.example.com", PAGE_AUD)), vec![format!("{api}: the API and the page are one Access application")], 0),
        (nothing(), vec!["https://app.example.com/: no Access application covers the page (strangers get 200, not from Access), so nobody has a token".to_owned()], 1),
        (with(1, open("path")), vec!["https://app.example.com/api: Access lets strangers pass here".to_owned()], 0),
        (with(2, open("below")), vec![format!("{below}: Access lets strangers pass here")], 0),
        (with(2, signed("below", plain(401))), vec![], 0),
        // An application of the path alone, and one for what is below it alone.
        (with(2, covered("below", "app.example.com", PATH_AUD)), vec![format!("{below}: another Access application covers it than the page"), "https://app.example.com/api: another Access application covers it than what is below it".to_owned()], 0),
        // Access answers, and names nobody.
        (with(2, answered("below", json!({ "status": 401, "headers": { "www-authenticate": "Cloudflare-Access resource_metadata=\"x\"" } }))), vec![format!("{below}: Access answers here, and does not say for which application")], 0),
        // Its marks alone name no team: it may be the page's.
        (with(2, answered("below", json!({ "status": 403, "headers": { "cf-access-aud": PAGE_AUD } }))), vec![], 0),
        // Unsigned: told by the redirect alone.
        ([answered("page", login(PAGE_AUD)), answered("path", login(PAGE_AUD)), answered("below", login(PAGE_AUD)), covered("api", "api.example.com", API_AUD)], vec!["access.issuer = https://acme.cloudflareaccess.com and access.audience = 4714c1358e65".to_owned()], 0),
    ];
    for (index, (seen, expected, mistakes)) in table.into_iter().enumerate() {
        let report = judged(seen);
        let found = told(&report);
        assert_eq!(found.len(), expected.len(), "{index}: {found:?}");
        assert!(found.iter().zip(&expected).all(|(found, expected)| found.starts_with(expected)), "{index}: {found:?}");
        assert_eq!(report.mistakes.len(), mistakes, "{index}: {found:?}");
        assert!(!found.iter().any(|line| line.contains("s3cret")), "{index}: {found:?}");
    }
    let report = judged(nothing());
    assert_eq!((report.issuer, report.audience, report.unseen), (None, None, false));
    let all_failed = judged(["page", "path", "below", "api"].map(|place| answered(place, failed.clone())));
    // Once for the page's host, once for the API.
    assert_eq!((all_failed.warnings.len(), all_failed.unseen), (2, true), "{:?}", all_failed.warnings);
}

#[test]
fn what_access_has_signed_counts_more_than_what_it_has_not() {
    let evil = "eeeec1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
    let to = json!({ "status": 302, "headers": { "location": format!("https://evil.cloudflareaccess.com/cdn-cgi/access/login/x?kid={evil}") } });
    // What is behind the path, or behind the page itself, names a team of its own.
    let forged = answered("below", to.clone());
    let mut page = covered("page", "app.example.com", PAGE_AUD);
    page["answer"] = to.clone();
    for seen in [with(2, forged), with(0, page)] {
        let report = judged(seen);
        assert_eq!(report.issuer.as_deref(), Some("https://acme.cloudflareaccess.com"), "{report:?}");
        assert_eq!(report.audience.as_deref(), Some(PAGE_AUD), "{report:?}");
    }
    let report = judged(with(2, answered("below", to)));
    assert!(
        report
            .warnings
            .iter()
            .any(|line| line.contains("names another application than Access has signed for the page")),
        "{report:?}"
    );
}

#[test]
fn what_is_said_is_taken_and_what_contradicts_it_is_told() {
    let with = |issuer: Option<&str>, audience: Option<&str>| Said {
        issuer: issuer.map(str::to_owned),
        audience: audience.map(str::to_owned),
        ..said("https://app.example.com", "https://api.example.com", "/api")
    };
    let report = judged_as(&with(None, Some(API_AUD)), sound());
    assert_eq!(report.audience.as_deref(), Some(API_AUD));
    assert_eq!(
        report.warnings,
        [format!("--audience: found \"{API_AUD}\", but the page's application says {PAGE_AUD}")]
    );
    let report = judged_as(&with(Some("https://evil.cloudflareaccess.com"), Some(PAGE_AUD)), sound());
    assert_eq!(report.issuer.as_deref(), Some("https://evil.cloudflareaccess.com"));
    assert!(report.warnings[0].starts_with("--issuer: found \"https://evil."), "{report:?}");
    let team = Some("https://acme.cloudflareaccess.com");
    assert!(judged_as(&with(team, Some(PAGE_AUD)), sound()).warnings.is_empty());
    // What nobody has signed is to be compared, unless all of it is said.
    let unsigned = || {
        let login = |place| answered(place, login(PAGE_AUD));
        [login("page"), login("path"), login("below"), covered("api", "api.example.com", API_AUD)]
    };
    for (said, warnings) in [(with(team, None), 1), (with(None, Some(PAGE_AUD)), 1), (with(team, Some(PAGE_AUD)), 0)] {
        let told = judged_as(&said, unsigned()).warnings;
        assert_eq!(told.len(), warnings, "{told:?}");
        assert!(told.iter().all(|line| line.contains("is what an unsigned answer says")), "{told:?}");
    }
}

#[test]
fn other_peoples_words_stay_on_one_line() {
    let mut seen = covered("page", "app.example.com", PAGE_AUD);
    let mut claims = claims("app.example.com", PAGE_AUD);
    claims["app_hostname"] = json!("a\n::error::x\u{1b}[31m\u{202e}b");
    seen["metadata"]["token"] = json!(token(&claims));
    let application = &judged(with(0, seen)).seen[0].application;
    assert!(application.contains("a\\u000a::error::x\\u001b[31m\\u202eb of https"), "{application}");
}

#[test]
fn a_redirect_tells_the_team_only_if_it_leads_to_one() {
    let to = |location: &str| {
        judged([
            answered("page", json!({ "status": 302, "headers": { "location": location } })),
            answered("path", ok()),
            answered("below", ok()),
            answered("api", ok()),
        ])
    };
    let report = to(&format!("https://{TEAM}/cdn-cgi/access/login/app.example.com?redirect_url=%2F&kid={PAGE_AUD}"));
    assert_eq!(
        (report.issuer.as_deref(), report.audience.as_deref()),
        (Some("https://acme.cloudflareaccess.com"), Some(PAGE_AUD))
    );
    // Whose host is nobody's team, the team is not told.
    for location in ["https://evil.example", "https://cloudflareaccess.com.evil.example", "http://127.0.0.1:8702"] {
        let report = to(&format!("{location}/cdn-cgi/access/login/app.example.com?kid={PAGE_AUD}"));
        assert_eq!(report.issuer, None, "{location}");
    }
    // What is no AUD tag is none.
    assert_eq!(to(&format!("https://{TEAM}/cdn-cgi/access/login/app.example.com?kid=x")).audience, None);
    assert_eq!(to("https://app.example.com/login").audience, None);
}

#[test]
fn a_word_that_is_not_accesss_own_counts_for_nothing() {
    let forged = |place: &str, unproven: Value, claims: Value, answer: Value| json!({ "place": place, "metadata": { "token": token(&claims), "unproven": unproven }, "answer": answer });
    let app = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims("app.example.com", PAGE_AUD);
        change(&mut claims);
        claims
    };
    let fit = |claims: &mut Value| claims["iat"] = json!(NOW);
    #[rustfmt::skip]
    let table: Vec<(Value, Value, &str)> = vec![
        (json!("its signature does not hold"), app(&fit), "its signature does not hold"),
        (Value::Null, app(&|claims| claims["type"] = json!("app")), "type is \"app\", not \"match\""),
        (Value::Null, app(&|claims| claims["hostname"] = json!("other.example.com")), "it is about \"other.example.com\""),
        (Value::Null, app(&|claims| claims["auth_domain"] = json!("evil.example")), "\"evil.example\" is no team of Access"),
        (Value::Null, app(&|claims| claims["auth_domain"] = json!("acme.cloudflareaccess.com.evil.example")), "is no team of Access"),
        (Value::Null, app(&|claims| claims["auth_domain"] = json!("127.0.0.1:8702")), "is no team of Access"),
        (Value::Null, app(&|claims| claims["auth_domain"] = json!("evil.example/acme.cloudflareaccess.com")), "is no team of Access"),
        (Value::Null, app(&|claims| claims["iat"] = json!(NOW - 24 * 3600 - 1)), "it was signed 86401 seconds ago"),
        (Value::Null, app(&|claims| claims["iat"] = json!(NOW + 301)), "it was signed -301 seconds ago"),
        (Value::Null, app(&|claims| drop(claims.as_object_mut().unwrap().remove("iat"))), "iat is missing"),
        (Value::Null, app(&|claims| drop(claims.as_object_mut().unwrap().remove("aud"))), "the claims are not those of such a token"),
        (Value::Null, app(&|claims| claims["aud"] = json!("")), "\"\" is no AUD tag"),
    ];
    for (unproven, claims, reason) in table {
        let report = judged([
            forged("page", unproven, claims, ok()),
            answered("path", ok()),
            answered("below", ok()),
            covered("api", "api.example.com", API_AUD),
        ]);
        assert_eq!((&report.issuer, &report.audience), (&None, &None), "{reason}");
        let warning = report.warnings.iter().find(|warning| warning.contains("is not its own word")).unwrap();
        assert!(warning.contains(reason), "{warning}");
    }
    for iat in [NOW - 24 * 3600, NOW + 300] {
        let seen = forged("page", Value::Null, app(&|claims| claims["iat"] = json!(iat)), ok());
        assert_eq!(judged(with(0, seen)).warnings, Vec::<String>::new());
    }
    // As older edges have it, and whatever the case of the team's name.
    for change in [("app_hostname", Value::Null), ("auth_domain", json!("ACME.cloudflareaccess.com"))] {
        let seen = forged("page", Value::Null, app(&|claims| claims[change.0] = change.1.clone()), ok());
        let page = &judged(with(0, seen)).seen[0];
        assert!(page.application.contains("app.example.com of https://acme.cloudflareaccess.com (signed"), "{page:?}");
    }
    // Host names have no case.
    let seen = forged("page", Value::Null, app(&|claims| claims["hostname"] = json!("App.Example.com")), ok());
    assert_eq!(judged(with(0, seen)).warnings, Vec::<String>::new());
}

#[test]
fn a_team_on_this_machine_speaks_for_this_machine_only() {
    let there = metadata::origin_of("http://127.0.0.1:8700/api").unwrap();
    let mut claims = claims("127.0.0.1", PAGE_AUD);
    claims["auth_domain"] = json!("127.0.0.1:8702");
    assert_eq!(
        metadata::issuer(&token(&claims), &there).map(|team| team.as_str().to_owned()),
        Ok("http://127.0.0.1:8702".to_owned())
    );
    claims["auth_domain"] = json!(TEAM);
    assert_eq!(
        metadata::issuer(&token(&claims), &there).map(|team| metadata::keys_url(&team)),
        Ok(format!("https://{TEAM}/cdn-cgi/access/certs"))
    );
}

#[test]
fn the_key_is_the_one_that_the_token_names() {
    let key = |kid: &str| json!({ "kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": "A".repeat(342), "e": "AQAB" });
    let token = token(&claims("app.example.com", PAGE_AUD));
    let set = |keys: Value| json!({ "keys": keys }).to_string();
    assert_eq!(metadata::key(&token, &set(json!([key("k0"), key("k1")]))).map(|key| key.kid), Ok("k1".to_owned()));
    let mut other = key("k1");
    other["n"] = json!("B".repeat(342));
    for (certs, reason) in [
        (set(json!([key("k0")])), "no key of that name"),
        (set(json!([key("k1"), other])), "no key of that name"),
        ("{}".to_owned(), "no JSON Web Key Set"),
        ("<html>".to_owned(), "no JSON"),
    ] {
        let error = metadata::key(&token, &certs).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    assert!(metadata::key("no token", &set(json!([]))).is_err());
}
