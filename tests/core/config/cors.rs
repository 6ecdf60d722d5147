//! `cors`: what can be wrong with a policy, and a route's own one.

use access_relay_core::rules::cors::Callers;
use serde_json::{Value, json};

use crate::support::config::{parsed, relay, set};

/// Policies that are wrong, each with what is said of it; the test in parse.rs takes them all.
#[rustfmt::skip]
pub fn mistakes() -> Vec<(Value, &'static str)> {
    let cors = |policy: Value| relay(|value| value["cors"] = policy);
    let cors_with = |key: &str, new: Value| {
        let mut policy = json!({ "allowed_origins": ["https://a.example"] });
        policy[key] = new;
        cors(policy)
    };
    let with_credentials = |key: &str, new: Value| {
        let mut policy = json!({ "allowed_origins": ["https://a.example"], "allow_credentials": true });
        policy[key] = new;
        cors(policy)
    };
    vec![
        (cors(json!({})), "cors.allowed_origins: found no origin"),
        (cors(json!({ "allowed_origins": [] })), "cors.allowed_origins: found no origin"),
        (cors(json!({ "allowed_origins": "*" })), "cors.allowed_origins: found the text \"*\"; write a list"),
        (cors(json!({ "allowed_origins": ["https://a.example/"] })), "cors.allowed_origins[0]: found \"https://a.example/\"; leave out everything after"),
        (cors(json!({ "allowed_origins": ["null"] })), "cors.allowed_origins[0]: found \"null\"; leave it out"),
        (cors(json!({ "allowed_origins": ["*", "https://a.example"] })), "cors.allowed_origins: found \"*\" among others"),
        (cors(json!({ "allowed_origins": ["*"], "allow_credentials": true })), "cors.allowed_origins: found \"*\"; name them one by one"),
        (cors(json!({ "allowed_origins": ["http://a.example"], "allow_credentials": true })), "cors.allowed_origins[0]: found \"http://a.example\"; use https"),
        (cors(json!({ "allowed_origins": ["https://a.example", "https://a.example"] })), "cors.allowed_origins[1]: found \"https://a.example\" once more"),
        (cors_with("allowed_methods", json!(["get me"])), "cors.allowed_methods[0]: found \"get me\"; write a method's name"),
        (cors_with("allowed_methods", json!(["TRACE"])), "cors.allowed_methods[0]: found \"TRACE\"; leave it out"),
        (cors_with("allowed_methods", json!(["patch"])), "cors.allowed_methods[0]: found \"patch\"; write \"PATCH\""),
        (cors_with("allowed_methods", json!(["*", "PUT"])), "cors.allowed_methods: found \"*\" among others"),
        (with_credentials("allowed_methods", json!(["*"])), "cors.allowed_methods: found \"*\"; name them one by one"),
        (cors_with("allowed_headers", json!(["x y"])), "cors.allowed_headers[0]: found \"x y\"; write a header's name"),
        (cors_with("allowed_headers", json!(["X-A", "x-a"])), "cors.allowed_headers[1]: found \"x-a\" once more"),
        (cors_with("allowed_headers", json!(["*", "x-a"])), "cors.allowed_headers: found \"*\" among others"),
        (with_credentials("allowed_headers", json!(["*"])), "cors.allowed_headers: found \"*\""),
        (with_credentials("allowed_headers", json!(["*", "authorization"])), "cors.allowed_headers: found \"*\""),
        (with_credentials("exposed_headers", json!(["*"])), "cors.exposed_headers: found \"*\""),
        (cors_with("exposed_headers", json!([""])), "cors.exposed_headers[0]: found \"\""),
        (cors_with("allow_credentials", json!("true")), "cors.allow_credentials: found the text \"true\""),
        (cors_with("max_age", json!(86_401)), "cors.max_age: found the number 86401; write a whole number of seconds from -1 to 86400"),
        (cors_with("max_age", json!(-2)), "cors.max_age: found the number -2"),
        (cors_with("preflight", json!("both")), "cors.preflight: found \"both\"; write \"edge\" or \"upstream\""),
        (cors_with("allowed_origins", json!(["https://a.*.example"])), "cors.allowed_origins[0]: found \"https://a.*.example\"; let * stand for the first labels of the host"),
        (cors_with("allowed_origins", json!(["https://*"])), "cors.allowed_origins[0]: found \"https://*\"; let * stand"),
        (cors_with("allowed_origins", json!(["https://a.example:8443:*"])), "cors.allowed_origins[0]: found \"https://a.example:8443:*\"; leave out the port, or write * in its place"),
        (cors_with("allowed_origins", json!(["https://a*.example"])), "cors.allowed_origins[0]: found \"https://a*.example\"; let * stand"),
        (cors_with("allowed_origins", json!(["https://*.*.example"])), "cors.allowed_origins[0]: found \"https://*.*.example\"; let * stand"),
        (cors_with("allowed_origins", json!(["https://a.example:80*"])), "cors.allowed_origins[0]: found \"https://a.example:80*\"; let * stand"),
        (cors_with("allowed_origins", json!(["*.example.com"])), "cors.allowed_origins[0]: found \"*.example.com\"; start it with a scheme"),
        (cors_with("allowed_origins", json!(["*://a.example"])), "cors.allowed_origins[0]: found \"*://a.example\"; let * stand"),
        (cors_with("allowed_origins", json!(["capacitor://*.example"])), "cors.allowed_origins[0]: found \"capacitor://*.example\"; name the origins one by one: patterns are for https and http"),
        (cors_with("allowed_origins", json!(["https://*.127.0.0.1"])), "cors.allowed_origins[0]: found \"https://*.127.0.0.1\"; leave out the *: an IP address has no subdomains"),
        (cors_with("allowed_origins", json!(["https://*.[::1]"])), "cors.allowed_origins[0]: found \"https://*.[::1]\"; leave out the *"),
        (cors_with("allowed_origins", json!(["https://*.a.example."])), "cors.allowed_origins[0]: found \"https://*.a.example.\"; leave out the dot"),
        (cors_with("allowed_origins", json!(["https://*.a.example/"])), "cors.allowed_origins[0]: found \"https://*.a.example/\"; leave out everything after"),
        (cors_with("allowed_origins", json!(["https://*.A.example"])), "cors.allowed_origins[0]: found \"https://*.A.example\"; write the host in lower case"),
        (cors_with("allowed_origins", json!(["https://*.a.example:443"])), "cors.allowed_origins[0]: found \"https://*.a.example:443\"; leave out the port"),
        (cors_with("allowed_origins", json!(["htps://a.example"])), "cors.allowed_origins[0]: found \"htps://a.example\"; write https:// or http://"),
        (cors_with("allowed_origins", json!(["https://a.example", "https://a.example"])), "cors.allowed_origins[1]: found \"https://a.example\" once more"),
        (cors_with("allowed_origins", json!(["wss://a.example"])), "cors.allowed_origins[0]: found \"wss://a.example\"; write https:// or http://"),
        (cors_with("allowed_origins", json!(["https://user:hunter2@a.example"])), "cors.allowed_origins[0]: found \"a.example\"; leave out the user name"),
        (cors_with("excluded_paths", json!(["/api/a;b"])), "cors.excluded_paths[0]: found \"/api/a;b\"; leave out the ;"),
        (cors_with("excluded_paths", json!(["/ap/admin"])), "cors.excluded_paths: found \"/ap/admin\"; name a path that a route"),
        (with_credentials("allowed_origins", json!(["https://*.amazonaws.com"])), "cors.allowed_origins[0]: found \"https://*.amazonaws.com\"; name the origins"),
        (with_credentials("allowed_origins", json!(["https://*.windows.net"])), "cors.allowed_origins[0]: found \"https://*.windows.net\"; name the origins"),
        (cors(json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream", "allowed_methods": [] })), "cors.allowed_methods: found a value beside"),
        (cors_with("allowed_origins", json!(["https://a.example", "https://a.example", "https://B.example"])), "cors.allowed_origins[2]: found \"https://B.example\"; write the host"),
        (cors_with("allowed_origins", json!(["https://a.example", 5])), "cors.allowed_origins[1]: found the number 5"),
        (with_credentials("allowed_origins", json!(["http://*.example.com"])), "cors.allowed_origins[0]: found \"http://*.example.com\"; use https"),
        (with_credentials("allowed_origins", json!(["http://a.example:*"])), "cors.allowed_origins[0]: found \"http://a.example:*\"; use https"),
        (with_credentials("allowed_origins", json!(["https://*.com"])), "cors.allowed_origins[0]: found \"https://*.com\"; name the origins one by one, or a domain of your own: anybody can have a name below com"),
        (with_credentials("allowed_origins", json!(["https://*.co.uk"])), "cors.allowed_origins[0]: found \"https://*.co.uk\"; name the origins"),
        (with_credentials("allowed_origins", json!(["https://*.github.io"])), "cors.allowed_origins[0]: found \"https://*.github.io\"; name the origins"),
        (with_credentials("allowed_origins", json!(["https://*.unheardof"])), "cors.allowed_origins[0]: found \"https://*.unheardof\"; name the origins"),
        (cors_with("allowed_headers", json!(["Cookie"])), "cors.allowed_headers[0]: found \"Cookie\"; leave it out: browsers send cookies by themselves"),
        (cors_with("allowed_headers", json!(["x-a", "host"])), "cors.allowed_headers[1]: found \"host\"; leave it out: browsers let no page set it"),
        (cors_with("allowed_headers", json!(["Sec-Fetch-Site"])), "cors.allowed_headers[0]: found \"Sec-Fetch-Site\"; leave it out: browsers let no page"),
        (cors_with("allowed_headers", json!(["proxy-authorization"])), "cors.allowed_headers[0]: found \"proxy-authorization\"; leave it out"),
        (cors_with("allowed_headers", json!(["access-control-allow-origin"])), "cors.allowed_headers[0]: found \"access-control-allow-origin\"; leave it out: it belongs to answers"),
        (cors_with("exposed_headers", json!(["Set-Cookie"])), "cors.exposed_headers[0]: found \"Set-Cookie\"; leave it out: browsers show it to no page"),
        (cors_with("exposed_headers", json!(["access-control-max-age"])), "cors.exposed_headers[0]: found \"access-control-max-age\"; leave it out: it is the relay's word"),
        (cors_with("exposed_headers", json!(["origin"])), "cors.exposed_headers[0]: found \"origin\"; leave it out"),
        (cors_with("excluded_paths", json!(["admin"])), "cors.excluded_paths[0]: found \"admin\"; start the path with a slash"),
        (cors_with("excluded_paths", json!(["/api/admin/*"])), "cors.excluded_paths[0]: found \"/api/admin/*\"; leave out the star"),
        (set("/routes/0/cors", json!({ "allowed_origins": ["https://a.example"], "excluded_paths": ["/other"] })), "routes[0].cors.excluded_paths[0]: found \"/other\"; name a path below this route's, /api"),
        (cors(json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream", "allowed_methods": ["PUT"] })), "cors.allowed_methods: found a value beside preflight = \"upstream\"; leave it out: the API says it"),
        (cors(json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream", "allowed_headers": ["x-a"] })), "cors.allowed_headers: found a value beside"),
        (cors(json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream", "max_age": 5 })), "cors.max_age: found a value beside"),
        (relay(|value| { value["cors"] = json!({ "allowed_origins": ["https://a.example"], "preflight": "upstream" }); value["routes"][0]["credentials"] = json!("caller-token"); }), "routes[0].credentials: found \"caller-token\" beside preflight = \"upstream\""),
        (cors_with("origins", json!([])), "cors.origins: found an unknown key; the keys here are allowed_origins, allowed_methods"),
    ]
}

#[test]
fn a_route_closes_itself_with_an_empty_list() {
    let config = parsed(&relay(|value| {
        value["cors"] = json!({ "allowed_origins": ["https://a.example"] });
        value["routes"][0]["cors"] = json!({ "allowed_origins": [] });
    }));
    assert_eq!(config.routes[0].cors.origins, Callers::Nobody);
}
