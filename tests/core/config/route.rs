//! `routes`: what of one may be cached, and what a binding changes.

use access_relay_core::config::secrets::{binding_names, secret_names};
use access_relay_core::rules::route::Credentials;
use serde_json::{Value, json};

use crate::config::sound::cached;
use crate::support::config::{errors, parse, relay, secrets, set};

#[test]
fn what_is_cached_depends_on_nobody() {
    let found = |value: &Value| {
        parse(value, &secrets()).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    for (value, expected) in cached() {
        match (found(&value), expected) {
            (Ok(config), None) => assert!(config.routes[0].cache),
            (Err(errors), Some(beside)) => {
                let [error] = &errors[..] else { panic!("{errors:?}") };
                assert!(error.starts_with(&format!("routes[0].cache: found true beside {beside}; leave")), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_binding_may_lead_to_plain_http_and_need_no_secret() {
    let bound = |change: &dyn Fn(&mut Value)| {
        relay(|value| {
            value["routes"][0]["binding"] = json!("API");
            value["routes"][0]["upstream"] = json!("http://api.internal/v1");
            change(value);
        })
    };
    let config = parse(&bound(&|_| {}), &secrets()).unwrap();
    let route = &config.routes[0];
    assert_eq!(route.binding.as_deref(), Some("API"));
    assert_eq!((route.upstream.origin.as_str(), route.upstream.base_path.as_str()), ("http://api.internal", "/v1"));
    assert!(
        matches!(route.credentials, Credentials::ServiceToken(_)),
        "the service token is sent unless it is said otherwise"
    );

    let none = bound(&|value| value["routes"][0]["credentials"] = json!("none"));
    let config = parse(&none, &Vec::new()).unwrap();
    assert_eq!(config.routes[0].credentials, Credentials::Nothing);
    assert_eq!(config.secrets().count(), 0);
    assert!(secret_names(&none).is_empty());
    assert_eq!(binding_names(&none), [(0, "API")]);
    assert!(binding_names(&json!({ "routes": [{}, { "binding": 5 }, "x"] })).is_empty());
    let secret = format!("cfast_{}", "5eC4e7C0".repeat(5));
    assert!(binding_names(&json!({ "routes": [{ "binding": "my-api" }, { "binding": secret }] })).is_empty());
    // Callers are still checked, and may bring the token themselves.
    let callers = bound(&|value| value["routes"][0]["credentials"] = json!("caller-token"));
    assert_eq!(parse(&callers, &secrets()).unwrap().routes[0].credentials, Credentials::CallerToken);
}

#[test]
fn a_callback_path_is_told_nothing_of_what_is_below_it() {
    // A route's path covers more than itself, and is told so.
    let told = |pointer: &str, path: Value| errors(&set(pointer, path)).concat();
    let whole = told("/routes/0/callback_paths", json!(["/api/cb/"]));
    assert_eq!(whole, "routes[0].callback_paths[0]: found \"/api/cb/\"; leave out the slash at the end");
    assert!(
        told("/routes/0/path", json!("/api/"))
            .ends_with("at the end: \"/api\" covers \"/api\" and everything below it")
    );
}
