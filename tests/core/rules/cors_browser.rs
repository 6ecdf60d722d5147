//! Policy and request in; what a browser concludes, and whether the API was called, out.

use access_relay_core::caller::gate::Gate;
use access_relay_core::config::types::Config;
use access_relay_core::flow::gateway::{self, Action};
use access_relay_core::flow::settle::settle;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::browser::{Ask, Got, Server, fetch};
use crate::support::config::{parsed, relay};
use crate::support::heads::Lines;
use crate::support::issuer::LocalKeys;
use crate::support::tasks::now;
use crate::support::tokens::issuer_key;

/// The relay with a policy, in front of an API that answers everything, and says more about CORS than it should.
struct Relay {
    config: Config,
    path: &'static str,
    /// The methods that the API saw, preflights as `preflight`.
    seen: Vec<String>,
    /// The last answer.
    last: (u16, Lines),
}

impl Relay {
    fn with(policy: Value) -> Self {
        let value = relay(|relay| {
            relay["cors"] = policy;
            relay["access"] = json!({ "dangerously_allow_anyone": true });
        });
        Self { config: parsed(&value), path: "/api/notes", seen: Vec::new(), last: (0, Lines::default()) }
    }
}

impl Server for Relay {
    fn answer(&mut self, method: &str, headers: &Lines) -> (u16, Lines) {
        let url = format!("https://app.example.com{}", self.path);
        let gate = Gate::new(LocalKeys::publishing(&[&issuer_key().jwk]));
        let decision = headers.asked(method, &url, |head| now(gateway::decide(&self.config, &gate, head, None)));
        self.last = match decision.action {
            Action::Answer(answer) => (answer.status, Lines::default().apply(&answer.headers)),
            Action::Health => panic!("nobody asked"),
            Action::Forward(_) => {
                self.seen.push(if decision.known.preflight { "preflight".to_owned() } else { method.to_owned() });
                let own = Lines::of(&[
                    ("content-type", "application/json"),
                    ("x-total", "3"),
                    ("x-other", "4"),
                    ("vary", "Accept-Encoding"),
                    ("set-cookie", "session=1"),
                    ("access-control-allow-origin", "*"),
                    ("access-control-allow-credentials", "true"),
                    ("access-control-allow-methods", "PUT"),
                    ("access-control-allow-headers", "x-api"),
                    ("access-control-expose-headers", "x-other"),
                    ("access-control-max-age", "9"),
                ]);
                let settled = own.answered(200, |head| settle(&decision.known, "https://app.example.com/api/x", head));
                let edits = settled.unwrap().edits;
                // A preflight's answer has what the decision says, and nothing else.
                let kept = if decision.known.preflight { Lines::default() } else { own.clone() };
                (200, kept.apply(&edits))
            }
        };
        self.last.clone()
    }
}

fn ask(origin: &str, include: bool, method: &str, headers: &[(&str, &str)]) -> Ask {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ask { origin: origin.to_owned(), include, method: method.to_owned(), headers }
}

#[test]
fn what_a_browser_concludes() {
    const A: &str = "https://a.example";
    let plain = json!({ "allowed_origins": [A, "https://*.b.example"], "allowed_methods": ["PUT"], "allowed_headers": ["content-type", "X-A"], "exposed_headers": ["X-Total"] });
    let with = json!({ "allowed_origins": [A, "https://*.b.example:*"], "allowed_methods": ["PUT", "PATCH"], "allowed_headers": ["content-type"], "allow_credentials": true });
    let open = json!({ "allowed_origins": ["*"], "allowed_methods": ["*"], "allowed_headers": ["*"], "exposed_headers": ["*"] });
    let open_authorization = json!({ "allowed_origins": ["*"], "allowed_headers": ["*", "authorization"] });
    let upstream = json!({ "allowed_origins": [A], "preflight": "upstream", "allow_credentials": true });
    let json_type = ("content-type", "application/json");
    let readable = |names: &[&str]| {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.push("content-type".to_owned());
        names.sort_unstable();
        Got::Readable(200, names)
    };
    let everything = [
        "access-control-allow-origin",
        "access-control-expose-headers",
        "cross-origin-resource-policy",
        "vary",
        "x-other",
        "x-total",
    ];
    let blocked = Got::NetworkError;
    #[rustfmt::skip]
    let table: &[(&Value, Ask, Got, &[&str])] = &[
        (&plain, ask(A, false, "GET", &[]), readable(&["x-total"]), &["GET"]),
        (&plain, ask("https://x.y.b.example", false, "GET", &[]), readable(&["x-total"]), &["GET"]),
        (&plain, ask("https://b.example", false, "GET", &[]), blocked("no allow-origin"), &[]),
        (&plain, ask("null", false, "GET", &[]), blocked("no allow-origin"), &[]),
        (&plain, ask(A, true, "GET", &[]), blocked("no allow-credentials"), &[]),
        (&plain, ask(A, false, "put", &[]), readable(&["x-total"]), &["PUT"]),
        (&plain, ask(A, false, "patch", &[]), blocked("no allow-origin"), &[]),
        (&plain, ask(A, false, "POST", &[json_type, ("x-a", "1")]), readable(&["x-total"]), &["POST"]),
        (&plain, ask(A, false, "POST", &[("content-type", "text/plain")]), readable(&["x-total"]), &["POST"]),
        (&plain, ask(A, false, "GET", &[("x-b", "1")]), blocked("no allow-origin"), &[]),
        (&with, ask(A, true, "PATCH", &[json_type]), readable(&[]), &["PATCH"]),
        (&with, ask("https://x.b.example:8443", true, "PUT", &[]), readable(&[]), &["PUT"]),
        (&with, ask("https://evil.example", true, "POST", &[("content-type", "text/plain")]), blocked("no allow-origin"), &[]),
        (&open, ask("https://any.example", false, "BREW", &[("x-any", "1"), json_type]), readable(&everything), &["BREW"]),
        (&open, ask("null", false, "DELETE", &[]), readable(&everything), &["DELETE"]),
        (&open, ask("https://any.example", false, "GET", &[("authorization", "x")]), blocked("no allow-origin"), &[]),
        (&open, ask("https://any.example", true, "GET", &[]), blocked("allow-origin is another"), &[]),
        (&open_authorization, ask("https://any.example", false, "GET", &[("authorization", "x")]), readable(&[]), &["GET"]),
        // The API answers for methods and headers, the policy for origins.
        (&upstream, ask(A, true, "PUT", &[("x-api", "1")]), readable(&[]), &["preflight", "PUT"]),
        (&upstream, ask(A, true, "DELETE", &[]), blocked("preflight: method"), &["preflight"]),
        (&upstream, ask("https://b.example", true, "PUT", &[]), blocked("no allow-origin"), &[]),
    ];
    for (policy, ask, got, seen) in table {
        let mut relay = Relay::with((*policy).clone());
        assert_eq!(fetch(ask, &mut relay), *got, "{policy} {ask:?}");
        assert_eq!(relay.seen, *seen, "{policy} {ask:?}");
    }
}

#[test]
fn excluded_paths_are_same_origin_only_in_every_spelling() {
    let policy = json!({ "allowed_origins": ["https://a.example"], "allowed_methods": ["PUT"], "excluded_paths": ["/api/admin"] });
    #[rustfmt::skip]
    let table = [
        ("/api/notes", true), ("/api/administrators", true), ("/api/x/admin", true), ("/api", true),
        ("/api/admin", false), ("/api/admin/", false), ("/api/admin/users?x", false), ("/api/Admin", false), ("/api/%61dmin", false),
        ("/api/%2561dmin", false), ("/api//admin", false), ("/api/./admin", false), ("/api%2fadmin", false), ("/api/admin;x=1/users", false),
        ("/API/ADMIN", false), ("/api/admin%2fusers", false), ("/api/x/%252e%252e/admin/users", false), ("/api/admin%3Fx", false), ("/api/admin%23", false),
        ("/api/admin.json", false), ("/api/admin.", false), ("/api/admin%20", false), ("/api/admin%2500", false), ("/api/%25252561dmin", false), ("/api/a.dmin", true),
    ];
    for (path, open) in table {
        let mut relay = Relay { path, ..Relay::with(policy.clone()) };
        let got = fetch(&ask("https://a.example", false, "PUT", &[]), &mut relay);
        assert_eq!(matches!(got, Got::Readable(200, _)), open, "{path}: {got:?}");
        let got = fetch(&ask("https://a.example", false, "GET", &[]), &mut relay);
        assert_eq!(matches!(got, Got::Readable(200, _)), open, "{path}: {got:?}");
        assert_eq!(relay.seen.is_empty(), !open, "{path}");
        // The relay's own pages call there as everywhere.
        let own = Lines::of(&[("origin", "https://app.example.com"), ("sec-fetch-site", "same-origin")]);
        relay.answer("PUT", &own);
        assert!(open || relay.seen == ["PUT"] || matches!(relay.last.0, 400 | 404), "{path}: {:?}", relay.last);
    }
}

#[test]
fn caches_are_told_what_an_answer_depends_on() {
    let listed = json!({ "allowed_origins": ["https://a.example"] });
    let open = json!({ "allowed_origins": ["*"] });
    for (policy, origin, vary) in [
        (&listed, Some("https://a.example"), "Accept-Encoding, Origin"),
        (&listed, None, "Accept-Encoding, Origin"),
        (&open, Some("https://a.example"), "Accept-Encoding"),
        (&open, None, "Accept-Encoding"),
    ] {
        let mut relay = Relay::with(policy.clone());
        let lines = origin.map_or_else(Lines::default, |origin| Lines::of(&[("origin", origin)]));
        assert_eq!(relay.answer("GET", &lines).1.get("vary").as_deref(), Some(vary), "{policy} {origin:?}");
    }
    // Refusals too.
    let mut relay = Relay::with(listed);
    let (status, lines) = relay.answer("GET", &Lines::of(&[("origin", "https://evil.example")]));
    assert_eq!((status, lines.get("vary").as_deref()), (403, Some("Origin")));
    assert_eq!(lines.get("access-control-allow-origin"), None);
}

prop_compose! {
    fn policies()(
        open in any::<bool>(), credentials in any::<bool>(), origins in proptest::sample::subsequence(ORIGINS.to_vec(), 1..4),
        pattern in any::<bool>(), methods in proptest::sample::subsequence(vec!["PUT", "DELETE", "PATCH", "patch", "BREW"], 0..4),
        all_methods in any::<bool>(), names in proptest::sample::subsequence(vec!["content-type", "X-A", "x-b", "authorization"], 0..4),
        all_names in 0..3,
    ) -> Value {
        let open = open && !credentials;
        let mut origins: Vec<&str> = if open { vec!["*"] } else { origins };
        if pattern && !open { origins.push("https://*.p.example"); }
        // What a browser does not send as its own method cannot be configured in another case.
        let methods: Vec<&str> = methods.into_iter().filter(|method| *method != "patch").collect();
        json!({
            "allowed_origins": origins, "allow_credentials": credentials,
            "allowed_methods": if all_methods && !credentials { vec!["*"] } else { methods },
            "allowed_headers": match all_names { 1 if !credentials => vec!["*"], 2 if !credentials => vec!["*", "authorization"], _ => names },
        })
    }
}

const ORIGINS: [&str; 4] =
    ["https://a.example", "https://a.example:8443", "http://localhost:3000", "https://x.p.example"];

prop_compose! {
    fn asks()(
        origin in proptest::sample::select(vec!["https://a.example", "https://a.example:8443", "http://localhost:3000", "https://x.p.example", "https://y.x.p.example", "https://p.example", "https://evil.example", "null"]),
        include in any::<bool>(), method in proptest::sample::select(vec!["GET", "POST", "put", "DELETE", "PATCH", "patch", "BREW", "HEAD"]),
        headers in proptest::sample::subsequence(vec![("content-type", "application/json"), ("x-a", "1"), ("X-B", "2"), ("authorization", "Basic x"), ("accept", "text/html")], 0..5),
    ) -> Ask {
        ask(origin, include, method, &headers)
    }
}

/// What a policy says, read as its documentation has it; nothing of the relay's code is in it.
fn policy_allows(policy: &Value, ask: &Ask) -> bool {
    let has = |key: &str, value: &str| {
        policy[key].as_array().unwrap().iter().any(|listed| listed.as_str().unwrap().eq_ignore_ascii_case(value))
    };
    let below = |host: &str| ask.origin.strip_prefix("https://").is_some_and(|rest| rest.ends_with(host));
    let origin = has("allowed_origins", "*")
        || has("allowed_origins", &ask.origin)
        || (has("allowed_origins", "https://*.p.example") && below(".p.example"));
    let method = match ask.method.as_str() {
        "GET" | "HEAD" | "POST" => true,
        "put" => has("allowed_methods", "*") || has("allowed_methods", "PUT"),
        other => {
            has("allowed_methods", "*")
                || policy["allowed_methods"].as_array().unwrap().iter().any(|listed| listed == other)
        }
    };
    let headers = ask.headers.iter().all(|(name, value)| {
        let safe = name.eq_ignore_ascii_case("accept") || (name == "content-type" && value == "text/plain");
        safe || has("allowed_headers", name)
            || (has("allowed_headers", "*") && !name.eq_ignore_ascii_case("authorization"))
    });
    origin && method && headers && (!ask.include || policy["allow_credentials"] == true)
}

proptest! {
    /// Whatever the policy and the request: a page reads an answer exactly when the policy says so, the API is called
    /// exactly then, and nothing that the API says about CORS is believed.
    #[test]
    fn a_page_reads_exactly_what_the_policy_lets_it(policy in policies(), ask in asks()) {
        let mut relay = Relay::with(policy.clone());
        let got = fetch(&ask, &mut relay);
        let allowed = policy_allows(&policy, &ask);
        prop_assert_eq!(matches!(got, Got::Readable(200, _)), allowed, "{} {:?} {:?}", policy, ask, got);
        prop_assert_eq!(relay.seen.len(), usize::from(allowed), "{} {:?}", policy, ask);
        prop_assert_eq!(relay.last.1.get("set-cookie"), None);
    }

    /// Whatever a preflight says: nothing of it is echoed but what was configured, and no answer both allows everybody
    /// and takes credentials.
    #[test]
    fn hostile_preflights(policy in policies(), origin in "\\PC{0,40}", method in "\\PC{0,20}", names in "[a-zA-Z ,*\\t-]{0,200}") {
        let mut relay = Relay::with(policy);
        let (status, lines) = relay.answer("OPTIONS", &Lines::of(&[("origin", &origin), ("access-control-request-method", &method), ("access-control-request-headers", &names)]));
        prop_assert!(matches!(status, 204 | 403));
        prop_assert!(relay.seen.is_empty());
        let allow_origin = lines.get("access-control-allow-origin");
        let credentials = lines.get("access-control-allow-credentials");
        prop_assert!(!(allow_origin.as_deref() == Some("*") && credentials.is_some()));
        prop_assert!(allow_origin.is_none_or(|origin| origin == "*" || ORIGINS.contains(&origin.as_str()) || origin.ends_with(".p.example")));
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        prop_assert_eq!(lines.get("vary"), Some(vary.to_owned()));
    }
}
