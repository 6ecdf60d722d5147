//! Tables that serve, and those that serve unless something stands beside. The tests of the schema take them, too.

use serde_json::{Value, json};

use crate::support::config::{AUD, ISSUER, minimal, relay, set};

/// All that serve.
pub fn sound() -> impl Iterator<Item = Value> {
    let cached = cached().into_iter().filter(|(_, beside)| beside.is_none()).map(|(value, _)| value);
    let warned_of = warned_of().into_iter().map(|(value, _)| value);
    [every_key_set()].into_iter().chain(others()).chain(warned_of).chain(cached)
}

/// A table with every key.
pub fn every_key_set() -> Value {
    json!({
        "access": { "issuer": ISSUER, "audience": [AUD, "other"], "max_token_age_seconds": 3600, "identity_headers": false, "dangerously_allow_anyone": false },
        "routes": [
            { "path": "/api", "upstream": "https://api.example.com/v1/", "strip_prefix": true, "service_token": "CF_ACCESS",
              "timeout_ms": 5000, "retries": 2, "cache": true, "foreign_requests": "all", "documents": "allow",
              "callback_paths": ["/api/callback", "/api"], "cors": { "allowed_origins": ["*"] } },
            { "path": "/api/files", "upstream": "http://127.0.0.1:8701", "credentials": "caller-token", "request_cookies": ["*"],
              "foreign_requests": "none", "documents": "sandbox" },
            { "path": "/login", "upstream": "https://login.example.com", "foreign_requests": "navigations",
              "request_cookies": ["theme", ".AspNetCore.Cookies*", "prefs[lang]", "CF_*"], "response_cookies": ["session", "sb-x-auth-token.*"] },
        ],
        "cors": {
            "allowed_origins": ["https://b.example", "https://a.example", "capacitor://localhost"], "allowed_methods": ["PUT", "PURGE"],
            "allowed_headers": ["Content-Type"], "exposed_headers": ["x-total-count", "x-b"], "allow_credentials": true, "max_age": -1,
            "excluded_paths": [], "preflight": "edge",
        },
        "log": "requests", "debug": true, "server_timing": true, "health_path": "/healthz",
    })
}

/// Tables that serve, each with what is warned of.
#[rustfmt::skip]
pub fn warned_of() -> Vec<(Value, Option<&'static str>)> {
    let issuer = |issuer: &str| relay(|value| value["access"]["issuer"] = json!(issuer));
    let audience = |tag: &str| relay(|value| value["access"]["audience"] = json!([AUD, tag]));
    let cors = |cors: Value| relay(|value| value["cors"] = cors);
    let listed = || json!({ "allowed_origins": ["https://a.example"] });
    let with_credentials = || json!({ "allowed_origins": ["https://a.example"], "allow_credentials": true });
    let open = |value: &mut Value| value["access"] = json!({ "dangerously_allow_anyone": true });
    vec![
        (minimal(), None),
        (issuer("https://acme.fed.cloudflareaccess.com"), None),
        (issuer("http://127.0.0.1:8702"), None),
        (issuer("http://localhost:8702"), None),
        (issuer("https://login.example.com"), Some("access.issuer: found \"https://login.example.com\"; tokens of Access come from https://<team>.cloudflareaccess.com")),
        (issuer("https://cloudflareaccess.com"), Some("access.issuer: found")),
        (issuer("https://acme.cloudflareaccess.com.evil.example"), Some("access.issuer: found")),
        (issuer("https://acme.cloudflareaccess.com:8443"), Some("access.issuer: found")),
        (issuer("https://a.b.cloudflareaccess.com"), Some("access.issuer: found")),
        (audience(&AUD.to_uppercase()), Some("access.audience[1]: found a text of 64 characters (not shown); an AUD tag of Access is 64")),
        (audience("my-app"), Some("access.audience[1]: found a text of 6 characters (not shown)")),
        (relay(|value| value["access"] = json!({ "issuer": "http://127.0.0.1:8702", "audience": ["x"] })), None),
        (cors(with_credentials()), None),
        (cors(listed()), Some("cors.allow_credentials: found false, so that no listed origin can call; write true: every caller is checked")),
        (cors(json!({ "allowed_origins": ["*"] })), Some("cors.allow_credentials: found false, so that no listed origin can call; name the origins one by one, with")),
        (relay(|value| value["routes"][0]["cors"] = listed()), Some("routes[0].cors.allow_credentials: found false")),
        (relay(|value| value["routes"][0]["cors"] = json!({ "allowed_origins": [] })), None),
        (relay(|value| { open(value); value["cors"] = listed(); }), None),
    ]
}

/// Tables whose first route may be cached, and those where it may not: with what stands in the way.
pub fn cached() -> Vec<(Value, Option<&'static str>)> {
    let named = || json!({ "issuer": ISSUER, "audience": [AUD] });
    let checked = || json!({ "issuer": ISSUER, "audience": [AUD], "identity_headers": false });
    let anyone = || json!({ "dangerously_allow_anyone": true });
    let table = [
        (checked(), json!({}), None),
        (anyone(), json!({}), None),
        (named(), json!({}), Some("access.identity_headers")),
        (json!({ "platform": true }), json!({}), Some("access.identity_headers")),
        (json!({ "platform": true, "identity_headers": false }), json!({}), None),
        (json!({ "platform": true, "identity_headers": false, "groups": true }), json!({}), Some("access.groups")),
        (checked(), json!({ "request_cookies": ["a"] }), Some("request_cookies")),
        (checked(), json!({ "request_cookies": ["*"] }), Some("request_cookies")),
        (anyone(), json!({ "request_cookies": ["a*"] }), Some("request_cookies")),
        (anyone(), json!({ "response_cookies": ["a"] }), Some("response_cookies")),
        (checked(), json!({ "credentials": "caller-token" }), Some("credentials = \"caller-token\"")),
        (
            named(),
            json!({ "credentials": "caller-token", "request_cookies": ["a"] }),
            Some("credentials = \"caller-token\""),
        ),
    ];
    let table = table.into_iter().map(|(access, route, beside): (Value, Value, _)| {
        let value = relay(|value| {
            value["access"] = access;
            for (key, setting) in route.as_object().unwrap() {
                value["routes"][0][key] = setting.clone();
            }
            value["routes"][0]["cache"] = json!(true);
        });
        (value, beside)
    });
    table.collect()
}

/// What other tests say in passing.
#[rustfmt::skip]
fn others() -> Vec<Value> {
    let bound = |credentials: &str| relay(|value| {
        value["routes"][0] = json!({ "path": "/api", "upstream": "http://api.internal/v1", "binding": "API", "credentials": credentials });
    });
    vec![
        relay(|value| value["cors"] = json!({ "allowed_origins": ["https://*.github.io", "http://*.example.com"] })),
        set("/access", json!({ "dangerously_allow_anyone": true })),
        set("/access", json!({ "platform": true })),
        set("/access", json!({ "platform": true, "audience": [AUD], "groups": true, "identity_headers": false, "max_token_age_seconds": 600 })),
        set("/access", json!({ "platform": true, "audience": [AUD], "issuer": ISSUER, "groups": true })),
        set("/access", json!({ "platform": true, "audience": ["dev"] })),
        bound("service-token"),
        bound("caller-token"),
        bound("none"),
        relay(|value| { value["routes"][0]["path"] = json!("/"); value["health_path"] = json!("/healthz"); }),
        relay(|value| { value["cors"] = json!({ "allowed_origins": ["https://a.example"] }); value["routes"][0]["cors"] = json!({ "allowed_origins": [] }); }),
        relay(|value| value["cors"] = json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream", "exposed_headers": ["*"] })),
        relay(|value| value["cors"] = json!({ "allowed_origins": ["https://a.example:*"], "allowed_methods": ["*"], "allowed_headers": ["*", "Authorization"] })),
        relay(|value| value["cors"] = json!({ "allowed_origins": ["http://localhost:5173", "https://*.example.com"], "allowed_methods": [], "allowed_headers": [], "exposed_headers": [], "allow_credentials": true })),
        relay(|value| value["routes"][0]["upstream"] = json!("http://[::1]:8080/v1/")),
    ]
}
