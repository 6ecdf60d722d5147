//! Why a preflight was refused, for who debugs.

use std::rc::Rc;

use access_relay_core::caller::gate::Gate;
use access_relay_core::flow::gateway::{self, Action};
use access_relay_core::rules::cors::{Policy, Preflight};
use serde_json::{Value, json};

use crate::support::config::{minimal, parsed, relay};
use crate::support::heads::Lines;
use crate::support::issuer::LocalKeys;
use crate::support::tasks::now;

#[test]
fn an_explanation_names_the_rule_what_was_seen_and_what_would_pass() {
    let mut relay = relay(|relay| {
        relay["cors"] = json!({ "allowed_origins": ["https://a.example", "https://*.b.example:*"], "allowed_methods": ["PUT"], "allowed_headers": ["*"] });
        relay["debug"] = json!(true);
    });
    let headers = |origin: &str, method: &str, names: &str| {
        Lines::of(&[
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", names),
        ])
    };
    #[rustfmt::skip]
    let table = [
        (headers("https://evil.example", "GET", ""), "cors.allowed_origins", "\"https://evil.example\"", vec!["https://a.example", "https://*.b.example:*"], "add the page's origin"),
        (headers("https://a.example", "put", ""), "cors.allowed_methods", "\"put\"", vec!["GET", "HEAD", "POST", "PUT"], "add the method, in the same case"),
        (headers("https://a.example", "PUT", "x-a,authorization"), "cors.allowed_headers", "\"authorization\"", vec!["*"], "add \"authorization\" by its name"),
    ];
    for (lines, rule, seen, passes, change) in &table {
        let config = parsed(&relay);
        let gate = Gate::new(LocalKeys::publishing(&[]));
        let url = "https://app.example.com/api";
        let decision = lines.asked("OPTIONS", url, |head| now(gateway::decide(&config, &gate, head, None)));
        let Action::Answer(answer) = decision.action else { panic!() };
        assert_eq!(answer.status, 204);
        let explanation = answer.refusal.unwrap().explanation.unwrap();
        assert_eq!(
            (explanation.rule.as_str(), explanation.seen.as_str(), &explanation.passes),
            (*rule, *seen, &passes.iter().map(ToString::to_string).collect())
        );
        assert!(explanation.change.starts_with(change), "{}", explanation.change);
    }
    // An excluded path, and no policy at all, say so.
    let why = |relay: &Value| {
        let asked = Preflight { origin: "https://a.example", method: "GET", headers: None };
        let policy = Policy::of_path(&parsed(relay).cors, "/api/admin");
        let refused = policy.preflight(asked).unwrap_err();
        (refused.refusal.reason, policy.explain(refused.refusal.code, asked).rule)
    };
    let listed =
        ("cors.allowed_origins does not list \"https://a.example\"".to_owned(), "cors.allowed_origins".to_owned());
    assert_eq!(why(&minimal()), listed);
    relay["cors"]["excluded_paths"] = json!(["/api/admin"]);
    assert_eq!(why(&relay), ("cors.excluded_paths lists the path".to_owned(), "cors.excluded_paths".to_owned()));
    // A route's own policy is named as the route's.
    relay["cors"]["excluded_paths"] = json!([]);
    relay["routes"][0]["cors"] = json!({ "allowed_origins": ["https://c.example"] });
    let policy = Rc::clone(&parsed(&relay).routes[0].cors);
    assert_eq!(policy.path, "routes[0].cors");
    relay["routes"][0]["cors"]["excluded_paths"] = json!(["/api/admin"]);
    let policy = Rc::clone(&parsed(&relay).routes[0].cors);
    assert_eq!(Policy::of_path(&policy, "/api/admin").key("cors.excluded_paths"), "routes[0].cors.excluded_paths");
}
