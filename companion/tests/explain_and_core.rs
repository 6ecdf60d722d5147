//! An explanation never disagrees with the core's decision, nor with a browser's: both are asked the same.

use access_relay_companion::check;
use access_relay_companion::explain::asked::Question;
use access_relay_companion::explain::explanation::{Explanation, explain};
use access_relay_core::caller::gate::Gate;
use access_relay_core::caller::jwk::Jwk;
use access_relay_core::flow::gateway::{self, Action};
use access_relay_core::flow::settle::settle;
use jwt_compact::alg::RsaPublicKey;
use jwt_compact::jwk::JsonWebKey;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::support::browser::{Ask, Got, fetch};
use crate::support::cases::cases;
use crate::support::config::{AUD, ISSUER, parse, parsed, relay, secrets};
use crate::support::heads::Lines;
use crate::support::issuer::{LocalKeys, rs256_holds};
use crate::support::requests::{Outcome, send};
use crate::support::tasks::now;
use crate::support::tokens::{NOW, issuer_key, other_key, person, program};

/// Verifies with a library that the companion does not have.
pub fn verify(key: &Jwk, signed: &[u8], signature: &[u8]) -> bool {
    let text = json!({ "kty": "RSA", "n": key.n, "e": key.e }).to_string();
    let jwk: JsonWebKey = serde_json::from_str(&text).unwrap();
    RsaPublicKey::try_from(&jwk).is_ok_and(|key| rs256_holds(&key, signed, signature))
}

/// A wrangler file, in JSON.
pub fn file(relay: &Value) -> String {
    json!({ "name": "relay", "vars": { "RELAY": relay } }).to_string()
}

fn explained(relay: &Value, question: &Question) -> Explanation {
    explain(question, &[], "wrangler.json", &file(relay), None, &verify).unwrap()
}

const ORIGINS: [&str; 5] =
    ["https://app.example.com", "https://admin.example.com", "https://a.b.example", "https://evil.example", "null"];
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];

fn policies() -> impl Strategy<Value = Value> {
    let origins = prop_oneof![
        Just(json!(["*"])),
        subsequence(vec!["https://admin.example.com", "https://*.b.example"], 1..=2).prop_map(|list| json!(list)),
    ];
    let methods = subsequence(vec!["PUT", "DELETE", "PATCH"], 0..=3);
    let headers = prop_oneof![
        Just(json!(["*"])),
        Just(json!(["*", "authorization"])),
        subsequence(vec!["content-type", "authorization", "x-a"], 0..=3).prop_map(|list| json!(list)),
    ];
    let rest = (any::<bool>(), any::<bool>(), any::<bool>());
    (origins, methods, headers, rest).prop_map(|(origins, methods, headers, (credentials, excluded, upstream))| {
        let all = origins == json!(["*"]) || headers.as_array().is_some_and(|list| list.contains(&json!("*")));
        let mut policy = json!({
            "allowed_origins": origins, "allowed_methods": methods, "allowed_headers": headers,
            "allow_credentials": credentials && !all,
        });
        if excluded {
            policy["excluded_paths"] = json!(["/api/own"]);
        }
        if upstream {
            policy["preflight"] = json!("upstream");
            policy
                .as_object_mut()
                .unwrap()
                .retain(|key, _| !["allowed_methods", "allowed_headers"].contains(&key.as_str()));
        }
        policy
    })
}

fn relays() -> impl Strategy<Value = Value> {
    let access = select(vec![
        json!({ "issuer": ISSUER, "audience": [AUD] }),
        json!({ "issuer": ISSUER, "audience": [AUD], "max_token_age_seconds": 600, "identity_headers": false }),
        json!({ "dangerously_allow_anyone": true }),
    ]);
    let keys = (
        select(vec!["none", "navigations", "all"]),
        subsequence(vec!["theme", "lang"], 0..=2),
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(policies()),
        proptest::option::of(policies()),
    );
    let relays = (access, keys).prop_map(|(access, (foreign, cookies, strip, debug, global, own))| {
        relay(|relay| {
            relay["access"] = access;
            relay["debug"] = json!(debug);
            relay["health_path"] = json!("/healthz");
            relay["routes"][0]["foreign_requests"] = json!(foreign);
            relay["routes"][0]["request_cookies"] = json!(cookies);
            relay["routes"][0]["strip_prefix"] = json!(strip);
            relay["routes"][0]["callback_paths"] = json!(["/api/callback"]);
            if let Some(global) = global {
                relay["cors"] = global;
            }
            if let Some(mut own) = own {
                own.as_object_mut().unwrap().remove("excluded_paths");
                relay["routes"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({ "path": "/other", "upstream": "https://other.example.net/base", "cors": own }));
            }
        })
    });
    relays.prop_filter("it serves", |relay| parse(relay, &secrets()).is_ok())
}

/// Tokens: good, and wrong in one way each.
fn tokens() -> Vec<Option<String>> {
    let changed = |mut claims: Value, claim: &str, value: Value| {
        claims[claim] = value;
        claims
    };
    vec![
        None,
        Some(issuer_key().sign(&person())),
        Some(issuer_key().sign(&program())),
        Some(issuer_key().sign(&changed(person(), "exp", json!(NOW - 100)))),
        Some(issuer_key().sign(&changed(person(), "iat", json!(NOW - 1000)))),
        Some(issuer_key().sign(&changed(person(), "aud", json!(["other"])))),
        Some(issuer_key().sign(&changed(person(), "type", json!("org")))),
        Some(other_key().sign(&person())),
        Some(format!("{}AAAA", issuer_key().sign(&person()).trim_end_matches(|c: char| c != '.'))),
        Some("x".to_owned()),
    ]
}

type Asked = (String, &'static str, Vec<(String, String)>);

fn requests() -> impl Strategy<Value = Asked> {
    let urls = select(vec![
        "https://app.example.com/api/notes",
        "https://app.example.com/api/own/x?q=1",
        "https://app.example.com/api/callback",
        "https://app.example.com/api",
        "https://app.example.com/other/x",
        "https://app.example.com/nowhere",
        "https://app.example.com/healthz",
        "https://app.example.com/api/%00x",
    ]);
    let line = |name: &'static str, values: Vec<&'static str>| {
        proptest::option::of(select(values))
            .prop_map(move |value| value.map(|value| (name.to_owned(), value.to_owned())))
    };
    let browsers = (
        line("origin", ORIGINS.to_vec()),
        line("sec-fetch-site", vec!["same-origin", "same-site", "cross-site", "none"]),
        line("sec-fetch-mode", vec!["navigate", "cors", "no-cors"]),
        line("sec-fetch-dest", vec!["document", "empty", "script", "iframe"]),
        line("access-control-request-method", METHODS.to_vec()),
        line("access-control-request-headers", vec!["content-type", "authorization,x-a", "x-b"]),
    );
    let others = (
        line("cookie", vec!["theme=dark; other=1", "CF_Session=1", "lang=en"]),
        line("x-forwarded-email", vec!["somebody@example.com"]),
        line("connection", vec!["close, x-hop", "upgrade"]),
        line("x-hop", vec!["1"]),
        line("cf~connecting-ip", vec!["203.0.113.1"]),
        line("traceparent", vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "junk"]),
        line("upgrade", vec!["websocket"]),
        (select(tokens()), any::<bool>()).prop_map(|(token, in_cookie)| {
            token.map(|token| match in_cookie {
                true => ("cookie".to_owned(), format!("CF_Authorization={token}")),
                false => ("cf-access-jwt-assertion".to_owned(), token),
            })
        }),
    );
    (urls, select(METHODS.to_vec()), browsers, others).prop_map(
        |(url, method, (a, b, c, d, e, f), (g, h, i, j, k, l, m, n))| {
            let headers: Vec<(String, String)> =
                [a, b, c, d, e, f, g, h, i, j, k, l, m, n].into_iter().flatten().collect();
            // The last one of a name counts, as with the options of a command.
            let mut lines: Vec<(String, String)> = Vec::new();
            for (name, value) in headers {
                lines.retain(|(known, _)| *known != name);
                lines.push((name, value));
            }
            (method.to_owned(), url, lines)
        },
    )
}

fn asks() -> impl Strategy<Value = Ask> {
    let headers = subsequence(
        vec![
            ("Content-Type", "application/json"),
            ("X-A", "1"),
            ("authorization", "Bearer x"),
            ("accept", "*/*"),
            ("content-type", "text/plain"),
        ],
        0..=3,
    );
    let methods = select(vec!["get", "post", "put", "patch", "PATCH", "DELETE", "OPTIONS"]);
    (select(ORIGINS[1..4].to_vec()), any::<bool>(), methods, headers).prop_map(|(origin, include, method, headers)| {
        let mut lines: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            lines.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            lines.push((name.to_owned(), value.to_owned()));
        }
        Ask { origin: origin.to_owned(), include, method: method.to_owned(), headers: lines }
    })
}

/// Whether a browser can read the relay's answer, or the API's, by a model of its own and the core's decision.
fn reads(relay: &Value, ask: &Ask) -> bool {
    let config = parsed(relay);
    let mut server = |method: &str, headers: &Lines| {
        let url = "https://app.example.com/api/notes";
        let gate = Gate::new(LocalKeys::publishing(&[&issuer_key().jwk]));
        let decision = headers.asked(method, url, |head| now(gateway::decide(&config, &gate, head, None)));
        match decision.action {
            Action::Answer(answer) => (answer.status, Lines::default().apply(&answer.headers)),
            Action::Health => panic!("nobody asked"),
            Action::Forward(_) => {
                let own = Lines::of(&[("content-type", "application/json")]);
                let edits = own.answered(200, |head| settle(&decision.known, url, head)).unwrap().edits;
                (200, own.apply(&edits))
            }
        }
    };
    matches!(fetch(ask, &mut server), Got::Readable(..))
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn it_says_what_the_core_decides(relay in relays(), (method, url, lines) in requests()) {
        let headers: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let question = Question {
            method: Some(method.clone()),
            url: Some(url.to_owned()),
            headers: lines.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
            keys: Some(json!({ "keys": [issuer_key().jwk] }).to_string()),
            now: NOW,
            ..Question::default()
        };
        let found = explained(&relay, &question);
        // What a browser has sent for a page of another origin is explained as that page's call.
        prop_assume!(!found.by.starts_with("a page of"));
        let way = found.request.as_ref().unwrap();
        match send(&relay, &method, url, &headers) {
            Outcome::Answered(status, code, lines, _) => {
                let answer = way.answer.as_ref().unwrap();
                prop_assert_eq!((answer.status, answer.code), (status, code.map(access_relay_core::outcomes::problem::Code::as_str)));
                prop_assert!(way.upstream.is_none());
                let names: Vec<&str> = answer.headers.iter().map(|line| line.name.as_str()).collect();
                let mut wanted: Vec<&str> = lines.0.iter().map(|(name, _)| name.as_str()).collect();
                wanted.sort_unstable();
                wanted.dedup();
                prop_assert_eq!(names, wanted);
                prop_assert_eq!(found.served, code.is_none() && found.browser.as_ref().is_none_or(|verdict| verdict.reads));
            }
            Outcome::Forwarded(to, lines) => {
                let (url, headers) = way.sent.as_ref().unwrap();
                prop_assert_eq!(url, &to);
                let ours = |name: &str| matches!(name, "cf-access-client-id" | "cf-access-client-secret" | "traceparent");
                let sent: Vec<(&str, &str)> = headers.iter().filter(|(name, _)| !ours(name)).collect();
                let wanted: Vec<(&str, &str)> =
                    lines.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| !ours(name)).collect();
                prop_assert_eq!(sent, wanted);
                prop_assert!(way.answer.is_none() && way.refusal.is_none());
                // Each header of the caller's is told once: it passes, it is replaced, or it is left out.
                let upstream = way.upstream.as_ref().unwrap();
                for name in question.headers.iter().filter_map(|line| line.split(": ").next()) {
                    let passes = ours(name) || headers.get(name) == lines.get(name);
                    prop_assert!(passes);
                    let told = upstream.headers.iter().any(|line| line.name == name) || upstream.left_out.iter().any(|left| left.name == name);
                    prop_assert!(told, "{}", name);
                }
            }
            Outcome::Health => prop_assert_eq!((way.boxes[0].state, &way.answer, &way.upstream), (access_relay_companion::explain::flow::State::Answered, &None, &None)),
        }
    }

    #[test]
    fn it_says_what_a_browser_concludes(mut relay in relays(), ask in asks()) {
        relay["access"] = json!({ "dangerously_allow_anyone": true });
        relay["debug"] = json!(false);
        prop_assume!(relay["cors"]["preflight"] != "upstream");
        let question = Question {
            method: Some(ask.method.clone()),
            url: Some("https://app.example.com/api/notes".to_owned()),
            headers: ask.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
            r#as: vec![if ask.include { "person" } else { "nobody" }.to_owned(), format!("page:{}", ask.origin)],
            now: NOW,
            ..Question::default()
        };
        let found = explained(&relay, &question);
        prop_assert_eq!(found.browser.as_ref().unwrap().reads, reads(&relay, &ask), "{:?}", found.browser);
    }

    /// What it says to write lets the request pass, or gets it further; and `check` takes it.
    #[test]
    fn what_it_says_to_write_helps(relay in relays(), ask in asks()) {
        let question = Question {
            method: Some(ask.method.clone()),
            url: Some("https://app.example.com/api/notes".to_owned()),
            headers: ask.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
            r#as: vec![format!("page:{}", ask.origin)],
            now: NOW,
            ..Question::default()
        };
        let found = explained(&relay, &question);
        prop_assert!(found.changes.is_empty() || !found.served);
        let mut changed = relay.clone();
        for change in &found.changes {
            let table = match change.table.as_str() {
                "vars.RELAY.routes[0]" => &mut changed["routes"][0],
                "vars.RELAY.cors" => &mut changed["cors"],
                other => panic!("{other}"),
            };
            table[&change.key] = change.value.clone();
        }
        if found.changes.is_empty() {
            prop_assert!(found.served || !found.advice.is_empty(), "{:?}", found);
        } else {
            prop_assert_eq!(check::table_of(&changed).map(|_| ()), Ok(()));
            let after = explained(&changed, &question);
            let stuck = found.advice.iter().any(|advice| ["cors.", "the page has"].iter().any(|start| advice.starts_with(start)));
            prop_assert!(after.served || stuck, "{:?}\n{:?}\n{:?}", found.changes, found.advice, after);
        }
    }
}
