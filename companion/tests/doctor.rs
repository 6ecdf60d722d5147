//! A live deployment, looked at from outside: what is asked, what the answers mean, and what is never sent.

use std::collections::BTreeMap;

use access_relay_companion::doctor::came::Came;
use access_relay_companion::doctor::check::State;
use access_relay_companion::doctor::code::Code;
use access_relay_companion::doctor::plan::{Ask, MOST, With};
use access_relay_companion::doctor::report::{Next, Report, next};
use access_relay_companion::doctor::seen::Answers;
use access_relay_companion::doctor::subject::{Failure, Said, Subject};
use access_relay_companion::doctor::told::told;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::committed;

const NOW: i64 = 1_790_000_000;
const TEAM: &str = "acme.cloudflareaccess.com";
const PAGE_AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const API_AUD: &str = "b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5";
const OTHER_AUD: &str = "5714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const ECHO: &str = "s3cret-cookie-value";

fn token(claims: &Value) -> String {
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" });
    format!("{}.{}.{}", encoded(&header), encoded(claims), BASE64URL_NOPAD.encode(&[1; 256]))
}

fn word(hostname: &str, aud: &str) -> Value {
    changed_word(hostname, aud, &json!({}))
}

fn changed_word(hostname: &str, aud: &str, change: &Value) -> Value {
    let mut claims = json!({ "type": "match", "hostname": hostname, "auth_domain": TEAM, "aud": aud, "app_hostname": hostname, "iat": NOW });
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({ "status": 200, "headers": {}, "metadata": { "token": token(&claims), "unproven": null } })
}

fn login() -> Value {
    let location =
        format!("https://{TEAM}/cdn-cgi/access/login/app.example.com?kid={PAGE_AUD}&redirect_url=%2F&meta=x");
    json!({ "status": 302, "headers": { "location": location } })
}

fn marks(status: u16, aud: &str) -> Value {
    json!({ "status": status, "headers": { "cf-access-aud": aud, "cf-access-domain": "x" } })
}

fn xhr_401() -> Value {
    json!({ "status": 401, "headers": { "www-authenticate": "Cloudflare-Access resource_metadata=\"x\"" } })
}

fn plain(status: u16) -> Value {
    json!({ "status": status, "headers": { "content-type": "text/html", "x-echo": ECHO }, "body": "<html>hello" })
}

fn problem(code: &str, status: u16) -> Value {
    let body = json!({ "type": format!("urn:problem-type:access-relay:{code}"), "code": code }).to_string();
    json!({ "status": status, "headers": { "content-type": "application/problem+json" }, "body": body })
}

fn failed(why: &str) -> Value {
    json!({ "failed": why })
}

fn cloudflare(status: u16, error: u16) -> Value {
    json!({ "status": status, "headers": { "server": "cloudflare" }, "body": format!("error code: {error}") })
}

fn keys() -> Value {
    json!({ "status": 200, "headers": {}, "body": json!({ "keys": [{ "kid": "k1", "kty": "RSA" }] }).to_string() })
}

/// What comes of a question where everything is as it has to be: one application covers the page and the path, another one the API.
fn sound(ask: &Ask) -> Value {
    let (spot, question) = ask.id.split_once('.').unwrap();
    let is_api = spot.starts_with("api");
    match (spot, question) {
        (_, "word") if is_api => word("api.example.com", API_AUD),
        (_, "word") => word("app.example.com", PAGE_AUD),
        (_, "get") if is_api => marks(403, API_AUD),
        (_, "get") if spot.starts_with("door") => plain(404),
        (_, "get") => login(),
        (_, "xhr") => xhr_401(),
        (_, "preflight") => marks(403, PAGE_AUD),
        (_, "foreign") => login(),
        (_, "keys") => keys(),
        (_, "http") => json!({ "status": 301, "headers": { "location": "https://app.example.com/" } }),
        (_, "health") => login(),
        (_, "madeup") => marks(401, API_AUD),
        (_, "service" | "as_person") => plain(404),
        (_, "as_foreign") => problem("cross_origin_blocked", 403),
        _ => panic!("{}", ask.id),
    }
}

/// The same where strangers pass to the relay at its path.
fn bypassed(ask: &Ask) -> Value {
    match ask.id.as_str() {
        "path0.word" | "below0.word" => plain(401),
        "path0.get" | "below0.get" | "below0.xhr" => problem("unauthenticated", 401),
        "below0.preflight" => problem("origin_not_allowed", 403),
        "below0.foreign" => problem("cross_origin_blocked", 403),
        "page.health" => json!({ "status": 200, "headers": {}, "body": r#"{"status":"ok","checks":[]}"# }),
        _ => sound(ask),
    }
}

fn file(relay: &Value, around: &Value) -> String {
    let mut file = json!({ "name": "x", "main": "x.js", "workers_dev": false, "routes": ["app.example.com/api*"], "vars": { "RELAY": relay } });
    file.as_object_mut().unwrap().extend(around.as_object().unwrap().clone());
    file.to_string()
}

fn relay() -> Value {
    json!({
        "access": { "issuer": format!("https://{TEAM}"), "audience": [PAGE_AUD] },
        "routes": [{ "path": "/api", "upstream": "https://api.example.com" }],
    })
}

fn with(change: &[(&str, Value)]) -> Value {
    let mut relay = relay();
    for (pointer, value) in change {
        match relay.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                relay.pointer_mut(parent).unwrap()[key] = value.clone();
            }
        }
    }
    relay
}

fn said(relay: &Value) -> Said {
    Said { file: Some("wrangler.json".to_owned()), text: file(relay, &json!({})), ..Said::default() }
}

/// With a service token and a person's token at hand.
fn equipped(relay: &Value) -> Said {
    let person = token(&json!({ "aud": [PAGE_AUD], "exp": NOW + 60, "type": "app" }));
    let secrets = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"].map(str::to_owned).to_vec();
    Said { secrets, person: Some(person), ..said(relay) }
}

/// Looks until there is a report: what it says, and all that was asked.
fn look(said: &Said, answer: &dyn Fn(&Ask) -> Value) -> (Report, Vec<Ask>) {
    let subject = Subject::of(said).unwrap();
    let mut answers: Answers = BTreeMap::new();
    let mut asked = Vec::new();
    loop {
        match next(&subject, &answers, NOW) {
            Next::Report(report) => return (report, asked),
            Next::Asks(asks) => {
                for ask in asks {
                    assert!(!answers.contains_key(&ask.id), "{} twice", ask.id);
                    answers.insert(ask.id.clone(), serde_json::from_value(answer(&ask)).unwrap());
                    asked.push(ask);
                }
            }
        }
    }
}

fn wrong(report: &Report) -> Vec<&'static str> {
    report.checks.iter().filter(|check| check.state == State::Wrong).map(|check| check.code.as_str()).collect()
}

fn state(report: &Report, code: Code) -> Option<State> {
    report.checks.iter().rfind(|check| check.code == code).map(|check| check.state)
}

#[test]
fn a_sound_deployment_is_sound_and_what_cannot_be_seen_is_told() {
    let (report, asked) = look(&said(&relay()), &sound);
    assert_eq!((wrong(&report), report.first.clone(), report.unseen), (vec![], None, false), "{report:#?}");
    assert_eq!(report.page, "https://app.example.com");
    for code in [
        Code::PageApplication,
        Code::Issuer,
        Code::Audience,
        Code::Keys,
        Code::ApiOpen,
        Code::SameApplication,
        Code::Preflight,
        Code::Https,
        Code::ExpiredSession,
    ] {
        assert_eq!(state(&report, code), Some(State::Ok), "{code:?}");
    }
    for code in [Code::Relay, Code::ServiceToken, Code::Caller] {
        assert_eq!(state(&report, code), Some(State::CannotTell), "{code:?}");
    }
    assert!(asked.iter().all(|ask| ask.with == With::Nothing && ["GET", "HEAD", "OPTIONS"].contains(&ask.method)));
    assert!(asked.iter().flat_map(|ask| &ask.headers).all(|(name, _)| !name.starts_with("cf-access-client")));

    let (report, asked) = look(&equipped(&relay()), &sound);
    assert_eq!((wrong(&report), report.first.clone()), (vec![], None), "{report:#?}");
    for code in [Code::ServiceToken, Code::StrictMode, Code::Caller, Code::ForeignOrigin] {
        assert_eq!(state(&report, code), Some(State::Ok), "{code:?}");
    }
    let with_service: Vec<&str> =
        asked.iter().filter(|ask| matches!(ask.with, With::Service { .. })).map(|ask| ask.url.as_str()).collect();
    assert_eq!(with_service, ["https://api.example.com/api/access-relay-doctor"]);
    let with_person: Vec<&str> =
        asked.iter().filter(|ask| matches!(ask.with, With::Person { .. })).map(|ask| ask.url.as_str()).collect();
    assert_eq!(with_person, ["https://app.example.com/api/access-relay-doctor"; 2]);

    let (report, _) = look(&said(&relay()), &bypassed);
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{report:#?}");
    assert_eq!(state(&report, Code::Relay), Some(State::Ok));
}

#[test]
fn each_thing_that_is_wrong_is_named_first_and_alone() {
    let cors = || with(&[("/cors", json!({ "allowed_origins": ["https://admin.example.com"] }))]);
    let other_zone = || with(&[("/routes/0/upstream", json!("https://api.example.net"))]);
    let health = || with(&[("/health_path", json!("/healthz"))]);
    let linked = || with(&[("/routes/0/credentials", json!("caller-token"))]);
    let word_of = |hostname: &'static str| move |change: Value| changed_word(hostname, PAGE_AUD, &change);
    let page_word = word_of("app.example.com");
    let unproven = |why: &str| {
        let mut word = word("app.example.com", PAGE_AUD);
        word["metadata"]["unproven"] = json!(why);
        word
    };
    let allow = json!({ "status": 204, "headers": { "access-control-allow-origin": "https://admin.example.com" } });
    let by_access = json!({ "status": 200, "headers": { "access-control-allow-origin": "https://admin.example.com" } });
    let challenge = json!({ "status": 403, "headers": { "cf-mitigated": "challenge", "server": "cloudflare" } });
    let failing = json!({ "status": 503, "headers": {}, "body": r#"{"status":"failing","checks":[{"check":"route /api","status":"failing","code":"upstream_access_denied"}]}"# });
    let allowing =
        json!({ "status": 204, "headers": { "access-control-allow-origin": "https://access-relay-doctor.invalid" } });
    type Row<'r> = (&'r str, Value, &'r dyn Fn(&Ask) -> Value, Vec<(&'r str, Value)>);
    #[rustfmt::skip]
    let table: Vec<Row<'_>> = vec![
        ("doctor::metadata", relay(), &sound, vec![("page.word", page_word(json!({ "hostname": "evil.example" })))]),
        ("doctor::metadata", relay(), &sound, vec![("page.word", page_word(json!({ "iat": NOW - 90_000 })))]),
        ("doctor::metadata", relay(), &sound, vec![("page.word", unproven("its signature does not hold"))]),
        ("doctor::metadata", relay(), &sound, vec![("api0.word", changed_word("api.example.com", API_AUD, &json!({ "auth_domain": "evil.example" })))]),
        ("doctor::page_application", relay(), &bypassed, vec![("page.word", plain(200)), ("page.get", plain(200))]),
        ("doctor::issuer", with(&[("/access/issuer", json!("https://acmee.cloudflareaccess.com"))]), &sound, vec![("team.keys", plain(404))]),
        ("doctor::keys", relay(), &sound, vec![("team.keys", plain(404))]),
        ("doctor::keys", relay(), &sound, vec![("team.keys", json!({ "status": 200, "headers": {}, "body": "{\"keys\":[]}" }))]),
        ("doctor::other_application", relay(), &sound, vec![("path0.word", word("app.example.com", OTHER_AUD)), ("below0.word", word("app.example.com", OTHER_AUD))]),
        ("doctor::path_uneven", relay(), &sound, vec![("path0.word", plain(200)), ("path0.get", problem("unauthenticated", 401))]),
        ("doctor::path_uneven", relay(), &bypassed, vec![("path0.word", word("app.example.com", PAGE_AUD)), ("path0.get", login())]),
        ("doctor::audience", with(&[("/access/audience", json!([OTHER_AUD]))]), &sound, vec![]),
        ("doctor::audience", with(&[("/access/audience", json!([API_AUD]))]), &bypassed, vec![]),
        ("doctor::api_open", relay(), &sound, vec![("api0.word", plain(200)), ("api0.get", plain(200))]),
        ("doctor::api_open", relay(), &sound, vec![("api0.word", plain(401)), ("api0.get", plain(401))]),
        ("doctor::api_open", relay(), &sound, vec![("api0.get", plain(200))]),
        ("doctor::same_application", relay(), &sound, vec![("api0.word", word("api.example.com", PAGE_AUD))]),
        ("doctor::misconfigured", health(), &bypassed, ["path0.get", "below0.get", "below0.xhr", "below0.preflight", "below0.foreign", "page.health"].map(|id| (id, problem("misconfigured", 500))).to_vec()),
        ("doctor::not_routed", health(), &bypassed, ["path0.get", "below0.get", "below0.xhr", "below0.preflight", "below0.foreign", "page.health"].map(|id| (id, plain(200))).to_vec()),
        ("doctor::relay", relay(), &bypassed, ["below0.get", "below0.xhr", "below0.preflight", "below0.foreign"].map(|id| (id, problem("not_found", 404))).to_vec()),
        ("doctor::cloudflare_error", relay(), &bypassed, ["path0.get", "below0.get", "below0.xhr", "below0.preflight", "below0.foreign"].map(|id| (id, cloudflare(500, 1101))).to_vec()),
        ("doctor::cloudflare_error", relay(), &sound, vec![("api0.get", cloudflare(530, 1033))]),
        ("doctor::expired_session", relay(), &sound, vec![("below0.xhr", login())]),
        ("doctor::expired_session", relay(), &sound, vec![("below0.xhr", marks(403, PAGE_AUD)), ("below0.get", marks(403, PAGE_AUD)), ("path0.get", marks(403, PAGE_AUD)), ("page.get", marks(403, PAGE_AUD))]),
        ("doctor::preflight", cors(), &sound, vec![]),
        ("doctor::preflight", cors(), &sound, vec![("below0.preflight", by_access)]),
        ("doctor::preflight", cors(), &bypassed, vec![]),
        ("doctor::preflight", relay(), &bypassed, vec![("below0.preflight", allowing)]),
        ("doctor::foreign_origin", relay(), &bypassed, vec![("below0.foreign", problem("unauthenticated", 401))]),
        ("doctor::https", relay(), &sound, vec![("page.http", plain(200))]),
        ("doctor::health", health(), &bypassed, vec![("page.health", failing)]),
        ("doctor::service_token", relay(), &sound, vec![("api0.service", marks(401, API_AUD))]),
        ("doctor::service_token", relay(), &sound, vec![("api0.service", marks(403, API_AUD))]),
        ("doctor::service_token", relay(), &sound, vec![("api0.madeup", login()), ("api0.service", login())]),
        ("doctor::service_token", relay(), &sound, vec![("api0.madeup", plain(302)), ("api0.service", plain(302)), ("api0.get", plain(302))]),
        ("doctor::caller", relay(), &sound, vec![("below0.as_person", problem("unauthenticated", 401))]),
        ("doctor::not_routed", relay(), &sound, vec![("below0.as_foreign", plain(200)), ("below0.as_person", plain(200))]),
        ("doctor::misconfigured", relay(), &sound, vec![("below0.as_foreign", problem("misconfigured", 500)), ("below0.as_person", problem("misconfigured", 500))]),
        ("doctor::upstream_access_denied", relay(), &sound, vec![("below0.as_person", problem("upstream_access_denied", 502))]),
        ("doctor::linked_app_token", linked(), &sound, vec![("below0.as_person", problem("upstream_access_denied", 502))]),
        ("doctor::same_zone", relay(), &sound, vec![("below0.as_person", problem("upstream_unreachable", 502))]),
        ("doctor::upstream", other_zone(), &sound, vec![("api0.word", word("api.example.net", API_AUD)), ("below0.as_person", problem("upstream_timeout", 504))]),
        ("doctor::cloudflare_error", relay(), &sound, vec![("below0.as_foreign", cloudflare(500, 1102)), ("below0.as_person", cloudflare(500, 1102))]),
        // Nothing is wrong, as far as can be told.
        ("", relay(), &sound, vec![("api0.word", failed("no answer within 10 seconds")), ("api0.get", plain(401))]),
        ("", relay(), &sound, vec![("page.word", failed("no answer within 10 seconds")), ("page.get", plain(200))]),
        ("", relay(), &sound, vec![("page.word", plain(302)), ("path0.word", plain(302)), ("below0.word", plain(302)), ("api0.word", plain(401)), ("api0.get", plain(401))]),
        ("", cors(), &sound, vec![("below0.preflight", allow)]),
        ("", linked(), &sound, vec![]),
        ("", health(), &bypassed, vec![]),
        ("", relay(), &sound, vec![("api0.get", challenge)]),
        ("", relay(), &sound, vec![("api0.get", plain(302))]),
        ("", relay(), &sound, vec![("api0.get", json!({ "status": 401, "headers": { "www-authenticate": "Bearer realm=\"OAuth\", resource_metadata=\"https://api.example.com/x\"" } }))]),
        ("", relay(), &sound, vec![("page.word", plain(302)), ("path0.word", plain(302)), ("below0.word", plain(302)), ("api0.word", plain(403))]),
        ("", relay(), &sound, vec![("team.keys", failed("no answer within 10 seconds"))]),
    ];
    for (index, (code, relay, answer, changes)) in table.into_iter().enumerate() {
        let answers = |ask: &Ask| {
            let changed = changes.iter().find(|(id, _)| *id == ask.id).map(|(_, value)| value.clone());
            changed.unwrap_or_else(|| answer(ask))
        };
        let (report, asked) = look(&equipped(&relay), &answers);
        let expected: Vec<&str> = Some(code).filter(|code| !code.is_empty()).into_iter().collect();
        let mut found = wrong(&report);
        found.dedup();
        assert_eq!(found, expected, "{index}: {report:#?}");
        assert_eq!(report.first.as_ref().map_or("", |first| first.code.as_str()), code, "{index}");
        assert!(asked.len() <= MOST, "{index}: {}", asked.len());
        let text = told(&report, false);
        assert!(!text.contains(ECHO) && !text.contains('\u{1b}'), "{text}");
        assert_eq!(text.contains("Do this first: "), !code.is_empty(), "{text}");
    }
}

/// Each thing as it is told: a code, its state, and a part of what it means; or a code that is not told at all.
type Told<'t> = &'t [(Code, Option<(State, &'t str)>)];

/// Looks while these answers are others than those of `answer`, and asserts what is told.
fn assert_told(said: &Said, answer: &dyn Fn(&Ask) -> Value, changes: &[(&str, Value)], expected: Told<'_>) {
    let answers = |ask: &Ask| {
        changes.iter().find(|(id, _)| *id == ask.id).map_or_else(|| answer(ask), |(_, value)| value.clone())
    };
    let (report, _) = look(said, &answers);
    for (code, what) in expected {
        let of_code: Vec<_> = report.checks.iter().filter(|check| check.code == *code).collect();
        let is_told = match what {
            None => of_code.is_empty(),
            Some((state, part)) => of_code.iter().any(|check| check.state == *state && check.means.contains(part)),
        };
        assert!(is_told, "{code:?} {what:?}: {of_code:#?}\n{changes:?}");
    }
}

const OK: State = State::Ok;
const WRONG: State = State::Wrong;
const UNCLEAR: State = State::CannotTell;

#[test]
fn what_an_answer_means_is_told_and_no_more() {
    let cors = || with(&[("/cors", json!({ "allowed_origins": ["https://admin.example.com"] }))]);
    let by_api =
        || with(&[("/cors", json!({ "allowed_origins": ["https://admin.example.com"], "preflight": "upstream" }))]);
    let everybodys = || with(&[("/cors", json!({ "allowed_origins": ["*"] }))]);
    let access = |access: Value| with(&[("/access", access)]);
    let health = || with(&[("/health_path", json!("/healthz"))]);
    let linked = || with(&[("/routes/0/credentials", json!("caller-token"))]);
    let evil = |host: &str| changed_word(host, PAGE_AUD, &json!({ "hostname": "evil.example" }));
    let allowing =
        |status: u16, origin: &str| json!({ "status": status, "headers": { "access-control-allow-origin": origin } });
    let challenge = || json!({ "status": 403, "headers": { "cf-mitigated": "challenge", "server": "cloudflare" } });
    let no_answer = || failed("no answer within 10 seconds");
    let to = |url: &str| json!({ "status": 301, "headers": { "location": url } });
    let keys = |key: Value| json!({ "status": 200, "headers": {}, "body": json!({ "keys": [key] }).to_string() });
    let (admin, nobodys) = ("https://admin.example.com", "https://access-relay-doctor.invalid");
    let all_words = |word: &Value| ["page.word", "path0.word", "below0.word"].map(|id| (id, word.clone())).to_vec();
    type Row<'r> = (Value, &'r dyn Fn(&Ask) -> Value, Vec<(&'r str, Value)>, Told<'r>);
    #[rustfmt::skip]
    let table: Vec<Row<'_>> = vec![
        // The page.
        (relay(), &sound, all_words(&plain(302)), &[
            (Code::PageApplication, Some((UNCLEAR, "an application seems to cover the page"))), (Code::Issuer, Some((UNCLEAR, "it seems to be the team in access.issuer"))),
            (Code::Audience, Some((UNCLEAR, "it seems to be one of access.audience"))),
        ]),
        (relay(), &sound, vec![("page.word", no_answer()), ("page.get", plain(200))], &[(Code::PageApplication, Some((UNCLEAR, "nobody answered for the signed word")))]),
        (relay(), &sound, vec![("page.word", plain(200)), ("page.get", challenge())], &[(Code::PageApplication, Some((UNCLEAR, "nothing tells which application covers the page")))]),
        (access(json!({ "dangerously_allow_anyone": true })), &bypassed, vec![("page.word", plain(200)), ("page.get", plain(200)), ("below0.get", plain(200))], &[
            (Code::PageApplication, Some((UNCLEAR, "the configuration lets everybody in"))), (Code::Relay, Some((UNCLEAR, "the configuration lets everybody in"))), (Code::NotRouted, None),
        ]),
        (relay(), &sound, vec![("page.word", evil("app.example.com"))], &[(Code::Metadata, Some((WRONG, "a word in Access's name"))), (Code::PageApplication, None), (Code::Audience, None)]),
        (relay(), &sound, vec![("below0.word", evil("app.example.com"))], &[(Code::Metadata, Some((WRONG, ""))), (Code::OtherApplication, None), (Code::Audience, None)]),
        (relay(), &sound, vec![("path0.word", word("app.example.com", OTHER_AUD))], &[
            (Code::PathUneven, Some((WRONG, "another application covers https://app.example.com/api than https://app.example.com/api/access-relay-doctor"))),
        ]),
        (relay(), &sound, vec![("path0.word", plain(200)), ("path0.get", problem("unauthenticated", 401))], &[
            (Code::PathUneven, Some((WRONG, "Access keeps strangers from https://app.example.com/api/access-relay-doctor, and lets them pass to https://app.example.com/api"))),
        ]),
        (relay(), &sound, vec![("path0.word", word("app.example.com", OTHER_AUD)), ("below0.word", word("app.example.com", OTHER_AUD))], &[(Code::PathUneven, None), (Code::Audience, None)]),
        (relay(), &sound, vec![("below0.word", plain(302)), ("below0.get", xhr_401())], &[(Code::Audience, Some((OK, "it is one of access.audience")))]),
        (access(json!({ "platform": true })), &sound, vec![], &[(Code::Audience, None), (Code::Issuer, None), (Code::Keys, Some((OK, "")))]),
        (access(json!({ "platform": true, "audience": [OTHER_AUD] })), &sound, vec![], &[(Code::Audience, Some((WRONG, "another AUD tag")))]),
        (relay(), &sound, vec![("team.keys", no_answer())], &[(Code::Keys, Some((UNCLEAR, "the team's host cannot be reached from here")))]),
        (relay(), &sound, vec![("team.keys", keys(json!({ "kid": "k1", "kty": "EC" })))], &[(Code::Keys, Some((WRONG, "")))]),
        (relay(), &sound, vec![("team.keys", keys(json!({ "kty": "RSA" })))], &[(Code::Keys, Some((WRONG, "")))]),
        // The relay, to strangers.
        (relay(), &bypassed, vec![("below0.get", challenge())], &[(Code::Challenge, Some((UNCLEAR, "Cloudflare wants to see a browser first"))), (Code::NotRouted, None), (Code::Relay, None)]),
        (relay(), &bypassed, vec![], &[(Code::ExpiredSession, Some((OK, "the page reads a 401 of the relay's"))), (Code::Relay, Some((OK, "")))]),
        (relay(), &bypassed, vec![("below0.xhr", problem("misconfigured", 500))], &[(Code::ExpiredSession, None)]),
        (relay(), &bypassed, vec![("below0.xhr", plain(401))], &[(Code::ExpiredSession, None)]),
        (relay(), &bypassed, vec![("below0.xhr", plain(200))], &[(Code::ExpiredSession, None)]),
        (relay(), &sound, vec![("below0.xhr", plain(401))], &[(Code::ExpiredSession, Some((OK, "the page reads a 401, if it sends that header")))]),
        (relay(), &sound, vec![("below0.xhr", plain(200))], &[(Code::ExpiredSession, Some((UNCLEAR, "none of those that are known")))]),
        (relay(), &sound, vec![("below0.xhr", marks(403, PAGE_AUD))], &[(Code::ExpiredSession, Some((WRONG, "Access offers no login here")))]),
        (relay(), &sound, vec![("below0.xhr", login())], &[(Code::ExpiredSession, Some((WRONG, "Access redirects all the same")))]),
        // A preflight, of an origin that may call, and of one that may not.
        (cors(), &sound, vec![], &[(Code::Preflight, Some((WRONG, "Access refuses preflights before the relay is asked")))]),
        (cors(), &sound, vec![("below0.preflight", allowing(204, "*"))], &[(Code::Preflight, Some((OK, "which allows this origin")))]),
        (cors(), &sound, vec![("below0.preflight", allowing(204, admin))], &[(Code::Preflight, Some((OK, "which allows this origin")))]),
        (cors(), &sound, vec![("below0.preflight", allowing(204, nobodys))], &[(Code::Preflight, Some((UNCLEAR, "it does not show whether the relay was asked")))]),
        (cors(), &sound, vec![("below0.preflight", allowing(200, admin))], &[(Code::Preflight, Some((WRONG, "Access answers preflights by its own CORS settings")))]),
        (cors(), &sound, vec![("below0.preflight", plain(200))], &[(Code::Preflight, Some((UNCLEAR, "it does not show whether the relay was asked")))]),
        (cors(), &bypassed, vec![], &[(Code::Preflight, Some((WRONG, "which answers origin_not_allowed"))), (Code::ForeignOrigin, None)]),
        (cors(), &bypassed, vec![("below0.preflight", allowing(200, admin))], &[(Code::Preflight, Some((UNCLEAR, "it does not show whether the relay was asked")))]),
        (by_api(), &bypassed, vec![], &[(Code::Preflight, Some((UNCLEAR, "the relay hands preflights to the API")))]),
        (by_api(), &sound, vec![("below0.preflight", allowing(200, admin))], &[(Code::Preflight, Some((UNCLEAR, "it does not show whether the relay was asked")))]),
        (relay(), &sound, vec![], &[(Code::Preflight, Some((OK, "so none is missed"))), (Code::ForeignOrigin, None)]),
        (relay(), &bypassed, vec![], &[(Code::Preflight, Some((OK, "which refuses this origin"))), (Code::ForeignOrigin, Some((OK, "that its policy does not name")))]),
        (relay(), &bypassed, vec![("below0.preflight", allowing(204, nobodys))], &[(Code::Preflight, Some((WRONG, "the relay allows an origin that this file does not"))), (Code::ForeignOrigin, None)]),
        (relay(), &bypassed, vec![("below0.preflight", plain(204))], &[(Code::Preflight, Some((OK, "allows this origin nothing")))]),
        (relay(), &bypassed, vec![("below0.preflight", plain(200))], &[(Code::Preflight, Some((UNCLEAR, "it does not show whether the relay was asked")))]),
        (relay(), &bypassed, vec![("below0.get", plain(200))], &[(Code::NotRouted, Some((WRONG, ""))), (Code::Preflight, None), (Code::ForeignOrigin, None)]),
        (relay(), &bypassed, vec![("below0.foreign", problem("not_found", 404))], &[(Code::ForeignOrigin, Some((UNCLEAR, "it does not show whether the relay refuses that page")))]),
        (everybodys(), &bypassed, vec![("below0.preflight", allowing(204, "*")), ("below0.foreign", problem("unauthenticated", 401))], &[(Code::ForeignOrigin, None)]),
        // The API.
        (relay(), &sound, vec![("api0.get", challenge())], &[(Code::Challenge, Some((UNCLEAR, ""))), (Code::ApiOpen, None)]),
        (relay(), &sound, vec![("api0.get", plain(200))], &[(Code::ApiOpen, Some((WRONG, "the API's application lets everybody pass"))), (Code::ServiceToken, None)]),
        (relay(), &sound, vec![("api0.word", plain(200)), ("api0.get", plain(200))], &[(Code::ApiOpen, Some((WRONG, "no Access application covers the API")))]),
        (relay(), &sound, vec![("api0.word", plain(302)), ("api0.get", login())], &[(Code::ApiOpen, Some((UNCLEAR, "Access seems to keep strangers out")))]),
        (relay(), &sound, vec![("api0.word", no_answer())], &[(Code::ApiOpen, Some((UNCLEAR, "nobody answered for the signed word")))]),
        (relay(), &sound, [all_words(&plain(302)), vec![("api0.word", plain(401)), ("api0.get", plain(401))]].concat(), &[(Code::ApiOpen, Some((UNCLEAR, "somebody refuses strangers")))]),
        (relay(), &sound, [all_words(&plain(302)), vec![("api0.word", plain(200)), ("api0.get", plain(200))]].concat(), &[(Code::ApiOpen, Some((WRONG, "no Access application covers the API")))]),
        // Other addresses.
        (relay(), &sound, vec![], &[(Code::Https, Some((OK, "browsers are not told to remember it")))]),
        (relay(), &sound, vec![("page.http", no_answer())], &[(Code::Https, Some((OK, "nobody answers there")))]),
        (relay(), &sound, vec![("page.http", challenge())], &[(Code::Https, Some((UNCLEAR, "it does not show whether http leads to https")))]),
        (relay(), &sound, vec![("page.http", to("http://www.example.com/"))], &[(Code::Https, Some((WRONG, "the page can be had without https")))]),
        (relay(), &bypassed, vec![("page.get", json!({ "status": 200, "headers": { "strict-transport-security": "max-age=1" } }))], &[(Code::Https, Some((OK, "browsers remember it (HSTS)")))]),
        (health(), &bypassed, vec![], &[(Code::Health, Some((OK, "by the relay's own word")))]),
        (health(), &sound, vec![], &[(Code::Health, Some((UNCLEAR, "Access answers first: monitors cannot ask either")))]),
        (health(), &bypassed, vec![("page.health", no_answer())], &[(Code::Health, None)]),
        (health(), &bypassed, vec![("page.health", plain(404))], &[(Code::Health, Some((UNCLEAR, "it is no report of the relay's")))]),
        // What is wrong with the relay is told once.
        (health(), &bypassed, vec![("page.health", plain(404)), ("below0.get", problem("misconfigured", 500))], &[(Code::Misconfigured, Some((WRONG, ""))), (Code::Health, None)]),
        (health(), &bypassed, vec![("page.health", plain(404)), ("below0.get", plain(200))], &[(Code::NotRouted, Some((WRONG, ""))), (Code::Health, None)]),
        (health(), &bypassed, vec![("page.health", plain(404)), ("below0.get", cloudflare(500, 1101))], &[(Code::CloudflareError, Some((WRONG, ""))), (Code::Health, None)]),
    ];
    for (relay, answer, changes, expected) in table {
        assert_told(&said(&relay), answer, &changes, expected);
    }
    // With both tokens at hand.
    #[rustfmt::skip]
    let table: Vec<(Value, Vec<(&str, Value)>, Told<'_>)> = vec![
        (relay(), vec![], &[
            (Code::Relay, None), (Code::StrictMode, Some((OK, "as strict service token authentication has it"))), (Code::ServiceToken, Some((OK, "Access lets the token pass"))),
            (Code::ForeignOrigin, Some((OK, "whoever is logged in"))), (Code::Caller, Some((OK, "the relay takes the token"))), (Code::SameZone, Some((OK, "the call arrives"))),
        ]),
        (relay(), vec![("api0.service", marks(403, API_AUD))], &[(Code::ServiceToken, Some((WRONG, "the token is valid, and no policy")))]),
        (relay(), vec![("api0.service", marks(401, API_AUD))], &[(Code::ServiceToken, Some((WRONG, "Access does not know the token")))]),
        (relay(), vec![("api0.madeup", marks(403, API_AUD)), ("api0.service", marks(403, API_AUD))], &[
            (Code::ServiceToken, Some((WRONG, "the API's application does not take it"))), (Code::StrictMode, Some((OK, "as without strict mode"))),
        ]),
        (relay(), vec![("api0.madeup", login()), ("api0.service", login())], &[(Code::ServiceToken, Some((WRONG, "the API's application does not take it")))]),
        (relay(), vec![("api0.madeup", plain(403)), ("api0.service", plain(403))], &[(Code::ServiceToken, Some((WRONG, "a made-up token gets the same answer")))]),
        // Access has refused the made-up one, and the API answers the other one.
        (relay(), vec![("api0.madeup", marks(403, API_AUD)), ("api0.service", plain(403))], &[(Code::ServiceToken, Some((OK, "Access lets the token pass")))]),
        (relay(), vec![("api0.madeup", plain(403)), ("api0.service", plain(401))], &[(Code::ServiceToken, Some((OK, "Access lets the token pass")))]),
        (relay(), vec![("api0.service", cloudflare(500, 1101))], &[(Code::CloudflareError, Some((WRONG, "the Worker threw an exception"))), (Code::ServiceToken, None)]),
        (relay(), vec![("api0.service", challenge())], &[(Code::Challenge, Some((UNCLEAR, ""))), (Code::ServiceToken, None)]),
        (relay(), vec![("api0.madeup", plain(200))], &[(Code::StrictMode, Some((UNCLEAR, "no answer that is known of Access")))]),
        (relay(), vec![("api0.madeup", no_answer()), ("api0.service", no_answer())], &[
            (Code::StrictMode, Some((UNCLEAR, "nothing can be said of it"))), (Code::ServiceToken, Some((UNCLEAR, "nothing can be said of it"))),
        ]),
        (linked(), vec![], &[(Code::ServiceToken, None), (Code::LinkedAppToken, Some((OK, "takes the person's own token")))]),
        (relay(), vec![("below0.as_foreign", problem("unauthenticated", 401))], &[(Code::Caller, Some((OK, ""))), (Code::ForeignOrigin, None)]),
        (relay(), vec![("below0.as_foreign", plain(200)), ("below0.as_person", plain(200))], &[(Code::NotRouted, Some((WRONG, "whoever answers is not the relay"))), (Code::Caller, None)]),
    ];
    for (relay, changes, expected) in table {
        assert_told(&equipped(&relay), &sound, &changes, expected);
    }
    // Without a file, nobody knows who may call.
    let alone = Said { url: Some("https://app.example.com/api".to_owned()), ..Said::default() };
    #[rustfmt::skip]
    let table: Vec<(&dyn Fn(&Ask) -> Value, Vec<(&str, Value)>, Told<'_>)> = vec![
        (&sound, vec![], &[(Code::Preflight, Some((UNCLEAR, "pages of other origins cannot call"))), (Code::Door, None)]),
        (&bypassed, vec![("below0.preflight", allowing(204, nobodys))], &[(Code::Preflight, Some((OK, "which allows this origin")))]),
        (&bypassed, vec![("below0.foreign", problem("unauthenticated", 401))], &[(Code::ForeignOrigin, Some((UNCLEAR, "")))]),
    ];
    for (answer, changes, expected) in table {
        assert_told(&alone, answer, &changes, expected);
    }
}

#[test]
fn each_error_of_cloudflares_has_its_meaning() {
    for (status, error, means) in [
        (500, 1101, "the Worker threw an exception"),
        (503, 1102, "the Worker used too much CPU time"),
        (530, 1019, "the Worker calls itself in a loop"),
        (429, 1027, "the Worker's daily limit is reached"),
        (404, 1042, "a Worker called a Worker of its own zone"),
        (530, 1016, "Cloudflare does not find the server behind this host"),
        (530, 1033, "Cloudflare does not find the server behind this host"),
        (530, 0, "Cloudflare does not find the server behind this host"),
        (403, 1020, "a rule of Cloudflare's firewall blocks the request"),
        (429, 1015, "Cloudflare's rate limit is reached"),
        (520, 0, "Cloudflare gets no answer from the server behind this host"),
        (527, 0, "Cloudflare gets no answer from the server behind this host"),
        (403, 1999, "Cloudflare answers in the server's place"),
    ] {
        let changes = [("api0.get", cloudflare(status, error))];
        assert_told(&said(&relay()), &sound, &changes, &[(Code::CloudflareError, Some((WRONG, means)))]);
    }
}

#[test]
fn an_answer_is_told_by_whose_it_is() {
    let of = |status: u16, server: &str, body: &str| json!({ "status": status, "headers": { "server": server }, "body": body });
    let mut with_charset = problem("unauthenticated", 401);
    with_charset["headers"]["content-type"] = json!("application/problem+json; charset=utf-8");
    let mut no_problem = problem("unauthenticated", 401);
    no_problem["headers"]["content-type"] = json!("application/json");
    let (longest, longer) = ("a".repeat(39), "a".repeat(40));
    for (answer, told) in [
        (failed("its name does not resolve"), "no answer: its name does not resolve"),
        (problem("unauthenticated", 401), "401 unauthenticated, the relay's own problem+json"),
        (with_charset, "401 unauthenticated, the relay's own problem+json"),
        (no_problem, "401, application/json"),
        (problem(&longest, 401), &format!("401 {longest}, the relay's own problem+json")),
        (problem(&longer, 401), "401, application/problem+json"),
        (problem("", 401), "401, application/problem+json"),
        (problem("Not_1", 401), "401, application/problem+json"),
        (login(), "302 to Access's login page"),
        (
            json!({ "status": 403, "headers": { "cf-mitigated": "challenge" } }),
            "403, a challenge of Cloudflare's for browsers",
        ),
        (cloudflare(500, 1101), "500, Cloudflare's error 1101"),
        (of(522, "cloudflare", ""), "522, an error page of Cloudflare's"),
        // Not a page of Cloudflare's own: a good answer, another server's, or no number of an error.
        (of(400, "cloudflare", "error code: 1101"), "400, Cloudflare's error 1101"),
        (of(399, "cloudflare", "error code: 1101"), "399"),
        (of(200, "cloudflare", "error code: 1101"), "200"),
        (of(500, "nginx", "error code: 1101"), "500"),
        (of(503, "cloudflare", "error code: 99"), "503"),
        (
            json!({ "status": 302, "headers": { "location": "https://a.example/x?y=1#z", "content-type": "text/html" } }),
            "302 to https://a.example/x, text/html",
        ),
        (json!({ "status": 201, "headers": { "location": "https://a.example/x" } }), "201"),
    ] {
        let came: Came = serde_json::from_value(answer.clone()).unwrap();
        assert_eq!(came.told(), told, "{answer}");
    }
}

#[test]
fn the_same_fault_is_told_once_and_each_other_one_too() {
    let routes = ["/a", "/b"].map(|path| json!({ "path": path, "upstream": "https://api.example.com" }));
    let both = with(&[("/routes", json!(routes))]);
    let of = |report: &Report, code: Code| report.checks.iter().filter(|check| check.code == code).count();
    let unrouted = |ask: &Ask| {
        let (spot, question) = ask.id.split_once('.').unwrap();
        match (spot.trim_end_matches(|digit: char| digit.is_ascii_digit()), question) {
            ("path" | "below", "word") => plain(401),
            ("path" | "below", _) => plain(200),
            _ => sound(ask),
        }
    };
    let (report, _) = look(&said(&both), &unrouted);
    assert_eq!((of(&report, Code::NotRouted), of(&report, Code::ApiOpen)), (1, 2), "{report:#?}");
    let answers = |ask: &Ask| match ask.id.as_str() {
        "below0.get" => cloudflare(500, 1101),
        "api0.get" => cloudflare(530, 1033),
        _ => bypassed(ask),
    };
    let (report, _) = look(&said(&relay()), &answers);
    assert_eq!(of(&report, Code::CloudflareError), 2, "{report:#?}");
}

#[test]
fn a_question_holds_what_a_browser_or_a_program_would_send() {
    let relay = with(&[
        ("/cors", json!({ "allowed_origins": ["https://*.example.com:*"], "allow_credentials": true })),
        ("/health_path", json!("/healthz")),
    ]);
    let (_, asked) = look(&equipped(&relay), &sound);
    let lines = |ask: &Ask| -> String {
        let headers = ask.headers.iter().map(|(name, value)| format!("\n    {name}: {value}"));
        let body = if ask.body { ", and its body" } else { "" };
        format!("{} {} {}{body}{}", ask.id, ask.method, ask.url, headers.collect::<String>())
    };
    let text: Vec<String> = asked.iter().map(lines).collect();
    let zeros = "0".repeat(32);
    assert_eq!(
        text.join("\n"),
        format!(
            "page.word HEAD https://app.example.com/
    cf-access-metadata-request: true
page.get GET https://app.example.com/, and its body
api0.word HEAD https://api.example.com/api/access-relay-doctor
    cf-access-metadata-request: true
api0.get GET https://api.example.com/api/access-relay-doctor, and its body
path0.word HEAD https://app.example.com/api
    cf-access-metadata-request: true
path0.get GET https://app.example.com/api, and its body
below0.word HEAD https://app.example.com/api/access-relay-doctor
    cf-access-metadata-request: true
below0.get GET https://app.example.com/api/access-relay-doctor, and its body
below0.xhr GET https://app.example.com/api/access-relay-doctor, and its body
    x-requested-with: XMLHttpRequest
below0.preflight OPTIONS https://app.example.com/api/access-relay-doctor, and its body
    origin: https://access-relay-doctor.example.com:8443
    access-control-request-method: GET
below0.foreign GET https://app.example.com/api/access-relay-doctor, and its body
    origin: https://access-relay-doctor.invalid
    sec-fetch-site: cross-site
    sec-fetch-mode: cors
page.http GET http://app.example.com/
page.health GET https://app.example.com/healthz, and its body
team.keys GET https://acme.cloudflareaccess.com/cdn-cgi/access/certs, and its body
api0.madeup GET https://api.example.com/api/access-relay-doctor
    cf-access-client-id: {zeros}.access
    cf-access-client-secret: {zeros}{zeros}
api0.service GET https://api.example.com/api/access-relay-doctor, and its body
below0.as_foreign GET https://app.example.com/api/access-relay-doctor, and its body
    origin: https://access-relay-doctor.invalid
    sec-fetch-site: cross-site
    sec-fetch-mode: cors
below0.as_person GET https://app.example.com/api/access-relay-doctor, and its body"
        )
    );
}

/// A port that speaks https answers 400 to plain http, which would be taken for a page.
#[test]
fn http_is_asked_for_where_the_page_has_the_default_port() {
    for (url, is_asked) in [("https://app.example.com/api", true), ("https://app.example.com:8443/api", false)] {
        let (_, asked) = look(&Said { url: Some(url.to_owned()), ..Said::default() }, &sound);
        assert!(asked.iter().any(|ask| ask.url.starts_with(url)), "{asked:?}");
        assert_eq!(asked.iter().any(|ask| ask.url.starts_with("http:")), is_asked, "{url}");
    }
}

#[test]
fn a_persons_token_may_name_one_application_as_a_text() {
    for (aud, is_sent) in [(json!(PAGE_AUD), true), (json!(OTHER_AUD), false), (json!(null), false)] {
        let person = Some(token(&json!({ "aud": aud, "exp": NOW + 60, "type": "app" })));
        let (_, asked) = look(&Said { person, ..equipped(&relay()) }, &sound);
        assert_eq!(asked.iter().any(|ask| matches!(ask.with, With::Person { .. })), is_sent, "{aud}");
    }
}

#[test]
fn the_report_ends_with_what_is_wrong_and_the_one_thing_to_do_first() {
    let (report, _) = look(&said(&relay()), &sound);
    let text = told(&report, false);
    assert!(text.starts_with("https://app.example.com/api from outside\n\nok           "), "{text}");
    assert!(text.contains("  came       200, 1 key\n"), "{text}");
    let unsigned = "What Access has not signed is evidence, and no proof: anybody can write such an answer.\n";
    let summary = "\n\n15 questions, 13 requests: 11 ok, 0 wrong, 4 cannot tell\nNothing wrong was seen. ";
    assert!(text.ends_with(&[summary, unsigned].concat()), "{text}");
    let (ok, unclear) = (text.rfind("\nok  ").unwrap(), text.find("\ncannot tell  ").unwrap());
    assert!(ok < unclear && !text.contains("of 1 paths"), "{text}");

    let answers = |ask: &Ask| if ask.id == "page.http" { plain(200) } else { sound(ask) };
    let (report, _) = look(&said(&relay()), &answers);
    let text = told(&report, true);
    assert!(
        text.ends_with(
            "

\u{1b}[31mWRONG      \u{1b}[0m  does http lead to https? (doctor::https)
  asked      GET http://app.example.com/
  came       200, text/html
  means      the page can be had without https: whoever is in between can read and change it
  do         turn on Always Use HTTPS in the zone: SSL/TLS, Edge Certificates

15 questions, 13 requests: 10 ok, 1 wrong, 4 cannot tell
Do this first: turn on Always Use HTTPS in the zone: SSL/TLS, Edge Certificates (doctor::https: the page can be had without https: whoever is in between can read and change it)
"
        ),
        "{text}"
    );
    let answers = |ask: &Ask| if ask.url.contains("//api.") { failed("nothing listens there") } else { sound(ask) };
    let text = told(&look(&said(&relay()), &answers).0, false);
    assert!(text.ends_with("cannot tell\nA host gave no answer, so this says nothing of it.\n"), "{text}");
}

#[test]
fn the_service_token_is_never_asked_for_without_a_word_of_accesss_own_about_that_address() {
    let unproven = |why: &str| {
        let mut word = word("api.example.com", API_AUD);
        word["metadata"]["unproven"] = json!(why);
        word
    };
    let changed = |change: Value| changed_word("api.example.com", API_AUD, &change);
    #[rustfmt::skip]
    let table: Vec<(&str, Value, Value)> = vec![
        ("missing", plain(403), marks(403, API_AUD)),
        ("marks alone", plain(302), login()),
        ("wrongly signed", unproven("its signature does not hold"), marks(403, API_AUD)),
        ("keys not there", unproven("the team's keys are no JSON"), marks(403, API_AUD)),
        ("another host's", changed(json!({ "hostname": "other.example.com" })), marks(403, API_AUD)),
        ("too old", changed(json!({ "iat": NOW - 24 * 3600 - 1 })), marks(403, API_AUD)),
        ("from the future", changed(json!({ "iat": NOW + 301 })), marks(403, API_AUD)),
        ("of nobody's team", changed(json!({ "auth_domain": "evil.example" })), marks(403, API_AUD)),
        ("of another team", changed(json!({ "auth_domain": "evil.cloudflareaccess.com" })), marks(403, API_AUD)),
        ("no match", changed(json!({ "type": "app" })), marks(403, API_AUD)),
        ("open", word("api.example.com", API_AUD), plain(200)),
    ];
    for (name, word, get) in table {
        let answers = |ask: &Ask| match ask.id.as_str() {
            "api0.word" => word.clone(),
            "api0.get" => get.clone(),
            _ => sound(ask),
        };
        let (report, asked) = look(&equipped(&relay()), &answers);
        assert!(
            !asked.iter().any(|ask| matches!(ask.with, With::Service { .. }) || ask.id.ends_with("madeup")),
            "{name}"
        );
        assert_ne!(state(&report, Code::ServiceToken), Some(State::Ok), "{name}");
    }
    // Without a file, the page's team counts, if it has signed.
    let alone = |page: Value| {
        let url = Some("https://app.example.com/api".to_owned());
        let said = Said { url, api: Some("https://api.example.com".to_owned()), file: None, ..equipped(&relay()) };
        let answers = |ask: &Ask| if ask.id == "page.word" { page.clone() } else { sound(ask) };
        look(&said, &answers).1.iter().any(|ask| matches!(ask.with, With::Service { .. }))
    };
    assert!(alone(word("app.example.com", PAGE_AUD)));
    assert!(!alone(plain(200)));
    let others = json!({ "auth_domain": "other.cloudflareaccess.com" });
    assert!(!alone(changed_word("app.example.com", PAGE_AUD, &others)));
    // Nor the person's.
    for (name, word) in [("missing", plain(302)), ("another application's", word("app.example.com", OTHER_AUD))] {
        let answers =
            |ask: &Ask| if ask.id.ends_with(".word") && !ask.id.starts_with("api") { word.clone() } else { sound(ask) };
        let (report, asked) = look(&equipped(&relay()), &answers);
        assert!(!asked.iter().any(|ask| matches!(ask.with, With::Person { .. })), "{name}");
        assert_eq!(state(&report, Code::Caller), Some(State::CannotTell), "{name}");
    }
    let expired = token(&json!({ "aud": [PAGE_AUD], "exp": NOW }));
    let (_, asked) = look(&Said { person: Some(expired), ..equipped(&relay()) }, &sound);
    assert!(!asked.iter().any(|ask| matches!(ask.with, With::Person { .. })));
}

#[test]
fn a_door_is_shut_or_under_access_or_open() {
    let doors = Said { doors: vec!["https://x.acme.workers.dev".to_owned()], ..said(&relay()) };
    for (answer, expected) in [
        (plain(404), State::Ok),
        (login(), State::Ok),
        (failed("its name does not resolve"), State::Ok),
        (problem("unauthenticated", 401), State::Wrong),
        (plain(200), State::CannotTell),
    ] {
        let answers = |ask: &Ask| if ask.id == "door0.get" { answer.clone() } else { sound(ask) };
        let (report, asked) = look(&doors, &answers);
        assert_eq!(state(&report, Code::Door), Some(expected), "{answer}");
        assert!(asked.iter().any(|ask| ask.url == "https://x.acme.workers.dev/api/access-relay-doctor"));
    }
    // Nobody says where it is, and the file leaves it open.
    let open = Said { text: file(&relay(), &json!({ "workers_dev": true })), ..said(&relay()) };
    assert_eq!(state(&look(&open, &sound).0, Code::Door), Some(State::CannotTell));
    assert_eq!(state(&look(&said(&relay()), &sound).0, Code::Door), None);
    // Where somebody says it, that is what counts.
    let named = Said { doors: doors.doors, ..open };
    assert_eq!(state(&look(&named, &sound).0, Code::Door), Some(State::Ok));
}

#[test]
fn a_secrets_store_and_a_host_that_is_gone() {
    let store = json!({ "secrets_store_secrets": [{ "binding": "CF_ACCESS_CLIENT_SECRET", "store_id": "x", "secret_name": "y" }] });
    let stored = Said { text: file(&relay(), &store), ..equipped(&relay()) };
    assert_eq!(state(&look(&stored, &sound).0, Code::SecretsStore), Some(State::Ok));
    let answers = |ask: &Ask| if ask.id == "below0.as_person" { problem("misconfigured", 500) } else { sound(ask) };
    let (report, _) = look(&stored, &answers);
    assert_eq!(wrong(&report), ["doctor::secrets_store"]);
    let (report, _) = look(&Said { text: file(&relay(), &store), ..said(&relay()) }, &sound);
    assert_eq!(state(&report, Code::SecretsStore), Some(State::CannotTell));

    for host in ["//app.", "//api."] {
        let answers = |ask: &Ask| if ask.url.contains(host) { failed("nothing listens there") } else { sound(ask) };
        let (report, asked) = look(&equipped(&relay()), &answers);
        // Each question could take ten seconds.
        assert!(asked.iter().filter(|ask| ask.url.contains(host)).count() <= 2, "{asked:?}");
        assert_eq!((wrong(&report), report.unseen), (vec![], true), "{host}: {report:#?}");
        assert_eq!(report.checks.iter().filter(|check| check.code == Code::Unreachable).count(), 1);
    }
}

#[test]
fn a_url_alone_will_do() {
    let alone = Said { url: Some("https://app.example.com/inner".to_owned()), ..Said::default() };
    let (report, asked) = look(&alone, &sound);
    assert_eq!((report.paths.clone(), wrong(&report)), (vec!["/inner".to_owned()], vec![]));
    assert!(!asked.iter().any(|ask| ask.id.starts_with("api")));
    // The team that the page's signed word names.
    assert!(asked.iter().any(|ask| ask.url == format!("https://{TEAM}/cdn-cgi/access/certs")));
    let root =
        Said { url: Some("app.example.com".to_owned()), api: Some("api.example.com/v1".to_owned()), ..Said::default() };
    let (report, asked) = look(&root, &sound);
    assert_eq!(report.paths, ["/api"]);
    assert!(asked.iter().any(|ask| ask.url == "https://api.example.com/v1/api/access-relay-doctor"));
}

#[test]
fn what_is_not_clear_is_told() {
    let unclear = |said: &Said| match Subject::of(said) {
        Err(Failure::Unclear(errors)) => errors.join("\n"),
        other => panic!("{other:?}"),
    };
    assert!(unclear(&Said::default()).starts_with("the page's address is missing"));
    let secret = Said { url: Some("https://ada:s3cret@app.example.com".to_owned()), ..Said::default() };
    assert!(!unclear(&secret).contains("s3cret"));
    assert!(unclear(&Said { path: Some("/other".to_owned()), ..said(&relay()) }).contains("has no such route"));
    assert!(unclear(&Said { doors: vec!["x.dev".to_owned(); 4], ..said(&relay()) }).starts_with("--door"));
    let placeholder = Said { text: file(&relay(), &json!({ "routes": ["<host>/api*"] })), ..said(&relay()) };
    assert!(unclear(&placeholder).starts_with("the page's address is missing"));
    assert_eq!(Subject::of(&said(&json!({ "routes": [] }))).err(), Some(Failure::Unsound));
    assert_eq!(
        Subject::of(&Said { environment: Some("none".to_owned()), ..said(&relay()) }).err(),
        Some(Failure::Unsound)
    );
}

#[test]
fn an_environment_has_routes_and_a_relay_of_its_own() {
    let mut own = relay();
    own["routes"][0]["path"] = json!("/other");
    let text = file(
        &relay(),
        &json!({ "env": { "staging": { "routes": [{ "pattern": "staging.example.com", "custom_domain": true }], "vars": { "RELAY": own } } } }),
    );
    let subject = Subject::of(&Said { text, environment: Some("staging".to_owned()), ..said(&relay()) }).unwrap();
    assert_eq!((subject.page.as_str(), subject.paths[0].path.as_str()), ("https://staging.example.com", "/other"));
}

#[test]
fn many_paths_do_not_take_more_requests_than_are_allowed() {
    let routes: Vec<Value> =
        (0..9).map(|index| json!({ "path": format!("/p{index}"), "upstream": "https://api.example.com" })).collect();
    let many = Said {
        doors: vec!["https://x.acme.workers.dev".to_owned(); 3],
        ..equipped(&with(&[("/routes", json!(routes)), ("/health_path", json!("/healthz"))]))
    };
    let (report, asked) = look(&many, &sound);
    assert_eq!((report.paths.len(), report.all_paths), (2, 9));
    assert!(asked.len() <= MOST, "{}", asked.len());
    assert!(told(&report, false).contains("2 of 9 paths"));
}

#[test]
fn other_peoples_words_stay_on_one_line() {
    let odd = changed_word("app.example.com", PAGE_AUD, &json!({ "app_hostname": "a\n::error::x\u{1b}[31m" }));
    let answers = |ask: &Ask| if ask.id == "page.word" { odd.clone() } else { sound(ask) };
    let (report, _) = look(&said(&relay()), &answers);
    let text = told(&report, false);
    assert!(text.contains("a\\u000a::error::x\\u001b[31m"), "{text}");
}

#[test]
fn the_page_of_the_docs_has_every_code_and_no_other() {
    let page = committed("docs/doctor.md");
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|code| code.starts_with("doctor::"))
        .collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(rows, codes);
    for code in Code::ALL {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}`", code.as_str()))).unwrap();
        assert!(row.contains(&format!("| {} |", code.title())), "{row}");
    }
}
