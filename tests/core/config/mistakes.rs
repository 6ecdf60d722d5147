//! Tables with one mistake each. The tests of the schema take them, too.

use serde_json::{Value, json};

use crate::support::config::{AUD, ISSUER, minimal, relay, set};

/// All of them, each with what is said of it.
pub fn mistakes() -> impl Iterator<Item = (Value, &'static str)> {
    [of_access_and_the_rest(), of_routes(), of_cors()].into_iter().flatten()
}

/// Tables that are wrong beside routes and policies, each with what is said of it.
#[rustfmt::skip]
fn of_access_and_the_rest() -> Vec<(Value, &'static str)> {
    vec![
        // The table itself, and access.
        (Value::Null, "RELAY: found nothing; write the tables [vars.RELAY.access]"),
        (json!("x"), "RELAY: found something else than a table"),
        (json!({ "routes": minimal()["routes"] }), "access: found nothing; say who may call"),
        (set("/access", json!(true)), "access: found the boolean true; write a table, [vars.RELAY.access]"),
        (set("/access", json!({ "audience": [AUD] })), "access.issuer: found nothing; it is required"),
        (set("/access", json!({ "issuer": ISSUER })), "access.audience: found no AUD tag"),
        (set("/access/audience", json!([])), "access.audience: found no AUD tag"),
        (set("/access/audience", json!(AUD)), "access.audience: found the text"),
        (set("/access/audience", json!([AUD, ""])), "access.audience[1]: found \"\""),
        (set("/access/audience", json!(["<AUD tag of the page>"])), "access.audience[0]: found \"<AUD tag of the page>\"; copy"),
        (set("/access/audience", json!(["<AUD>"])), "access.audience[0]: found \"<AUD>\"; copy"),
        (set("/access/audience", json!([1])), "access.audience[0]: found the number 1"),
        (set("/access/audience", json!([AUD, AUD])), "access.audience[1]: found"),
        (set("/access/issuer", json!("https://acme.cloudflareaccess.com/")), "access.issuer: found \"https://acme.cloudflareaccess.com/\"; leave out everything after"),
        (set("/access/issuer", json!("http://acme.cloudflareaccess.com")), "access.issuer: found \"http://acme.cloudflareaccess.com\"; use https"),
        (set("/access/issuer", json!("https://<team>.cloudflareaccess.com")), "access.issuer: found \"https://<team>.cloudflareaccess.com\"; write your own value in place of what stands in angle brackets"),
        (set("/access/issuer", json!(7)), "access.issuer: found the number 7; write a text"),
        (set("/access/isuer", json!(ISSUER)), "access.isuer: found an unknown key; the keys here are issuer, audience"),
        (set("/access/dangerously_allow_anyone", json!(true)), "access.issuer: found a value beside dangerously_allow_anyone"),
        (set("/access/dangerously_allow_anyone", json!("yes")), "access.dangerously_allow_anyone: found the text \"yes\"; write true or false"),
        (set("/access/max_token_age_seconds", json!(59)), "access.max_token_age_seconds: found the number 59; write a whole number of seconds from 60 to 2678400"),
        (set("/access/max_token_age_seconds", json!("1h")), "access.max_token_age_seconds: found the text \"1h\"; write a whole number of seconds"),
        (set("/access/max_token_age_seconds", json!(0)), "access.max_token_age_seconds: found the number 0; write"),
        (set("/access", json!({ "dangerously_allow_anyone": true, "max_token_age_seconds": 60 })), "access.max_token_age_seconds: found a value beside dangerously_allow_anyone"),
        (set("/access/identity_headers", json!(1)), "access.identity_headers: found the number 1"),
        (set("/access/platform", json!("yes")), "access.platform: found the text \"yes\"; write true or false"),
        (set("/access/groups", json!(true)), "access.groups: found true without platform; add platform = true"),
        (set("/access", json!({ "platform": true, "issuer": ISSUER })), "access.audience: found no AUD tag"),
        (set("/access", json!({ "platform": true, "audience": [] })), "access.audience: found no AUD tag"),
        (set("/access", json!({ "platform": true, "audience": [AUD, AUD] })), "access.audience[1]: found"),
        (set("/access", json!({ "platform": true, "issuer": "http://acme.cloudflareaccess.com", "audience": [AUD] })), "access.issuer: found"),
        (set("/access", json!({ "platform": false })), "access.issuer: found nothing; it is required"),
        (set("/access", json!({ "platform": true, "dangerously_allow_anyone": true })), "access.platform: found a value beside dangerously_allow_anyone"),
        (set("/access", json!({ "groups": true, "dangerously_allow_anyone": true })), "access.groups: found a value beside dangerously_allow_anyone"),
        // The rest.
        (set("/log", json!("all")), "log: found \"all\"; write \"refusals\" or \"requests\""),
        (set("/debug", json!(1)), "debug: found the number 1"),
        (set("/server_timing", json!("on")), "server_timing: found the text \"on\""),
        (set("/health_path", json!("/cdn-cgi/health")), "health_path: found \"/cdn-cgi/health\"; choose another path"),
        (set("/health_path", json!("/api/healthz")), "health_path: found \"/api/healthz\"; choose a path that no route takes: /api belongs to an API"),
        (set("/health_path", json!("/api")), "health_path: found \"/api\"; choose a path that no route takes"),
        (set("/health_path", json!("healthz")), "health_path: found \"healthz\"; start the path with a slash"),
        (relay(|value| value[""] = json!(1)), "\"\": found an unknown key"),
        (set("/client_secret", json!("cfast_secret")), "client_secret: found an unknown key; the keys here are access, routes, cors"),
    ]
}

/// Routes that are wrong, each with what is said of it.
#[rustfmt::skip]
fn of_routes() -> Vec<(Value, &'static str)> {
    vec![
        (set("/routes", json!([])), "routes: found no route"),
        (set("/routes", json!({})), "routes: found a table; write tables, [[vars.RELAY.routes]]"),
        (set("/routes", json!(["x"])), "routes[0]: found the text \"x\""),
        (set("/routes/0", json!({ "upstream": "https://a.example" })), "routes[0].path: found nothing; it is required"),
        (set("/routes/0", json!({ "path": "/api" })), "routes[0].upstream: found nothing; it is required"),
        (set("/routes/0/path", json!("api")), "routes[0].path: found \"api\"; start the path with a slash"),
        (set("/routes/0/path", json!("/api/")), "routes[0].path: found \"/api/\"; leave out the slash"),
        (set("/routes/0/path", json!("/a//b")), "routes[0].path: found \"/a//b\"; leave out empty segments"),
        (set("/routes/0/path", json!("/a/../b")), "routes[0].path: found \"/a/../b\"; leave out empty segments"),
        (set("/routes/0/path", json!("/a?b")), "routes[0].path: found \"/a\"; leave out the query"),
        (set("/routes/0/path", json!("/%61")), "routes[0].path: found \"/%61\"; write the path in plain ASCII"),
        (set("/routes/0/path", json!("/api/*")), "routes[0].path: found \"/api/*\"; leave out the star"),
        (set("/routes/0/path", json!("/cdn-cgi/x")), "routes[0].path: found \"/cdn-cgi/x\"; choose another path"),
        (relay(|value| value["routes"] = json!([value["routes"][0], value["routes"][0]])), "routes[1].path: found \"/api\" once more"),
        (set("/routes/0/upstream", json!("api.example.com")), "routes[0].upstream: found \"api.example.com\"; begin it with https://"),
        (set("/routes/0/upstream", json!("http://api.example.com")), "routes[0].upstream: found \"http://api.example.com\"; use https"),
        (set("/routes/0/upstream", json!("http://localhost.example.com")), "routes[0].upstream: found"),
        (set("/routes/0/upstream", json!("ftp://api.example.com")), "routes[0].upstream: found \"ftp://api.example.com\"; write https:// or http://"),
        (set("/routes/0/upstream", json!("https://u:p@api.example.com")), "routes[0].upstream: found"),
        (set("/routes/0/upstream", json!("https://api.example.com?x")), "routes[0].upstream: found"),
        (set("/routes/0/upstream", json!("https://api.example.com/a/../b")), "routes[0].upstream: found"),
        (set("/routes/0/strip_prefix", json!("true")), "routes[0].strip_prefix: found the text \"true\"; write true or false, without quotes"),
        (set("/routes/0/credentials", json!("other")), "routes[0].credentials: found another text (not shown); write \"service-token\", \"caller-token\" or \"none\""),
        (set("/routes/0/credentials", json!("none")), "routes[0].credentials: found \"none\" without binding; add a binding, or write \"service-token\""),
        (set("/routes/0/binding", json!("my-api")), "routes[0].binding: found \"my-api\"; write the name of a binding, as in \"API\""),
        (set("/routes/0/binding", json!("")), "routes[0].binding: found \"\"; write the name"),
        (set("/routes/0/binding", json!("1API")), "routes[0].binding: found \"1API\"; write the name"),
        (set("/routes/0/binding", json!(true)), "routes[0].binding: found the boolean true; write a text, as in \"API\""),
        (relay(|value| { value["routes"][0]["binding"] = json!("API"); value["routes"][0]["upstream"] = json!("ftp://api.example.com"); }), "routes[0].upstream: found \"ftp://api.example.com\"; write https:// or http://"),
        (relay(|value| { value["routes"][0]["binding"] = json!("API"); value["routes"][0]["credentials"] = json!("none"); value["routes"][0]["service_token"] = json!("CF_ACCESS"); }), "routes[0].service_token: found a name beside credentials = \"none\""),
        (relay(|value| { value["routes"][0]["binding"] = json!("API"); value["routes"][0]["cache"] = json!(true); value["access"]["identity_headers"] = json!(false); }), "routes[0].cache: found true beside binding; leave one of the two out"),
        (set("/routes/0/service_token", json!("OTHER")), "OTHER_CLIENT_ID: found no secret of that name; run `wrangler secret put OTHER_CLIENT_ID`"),
        (set("/routes/0/service_token", json!("cf_access")), "routes[0].service_token: found a text of 9 characters (not shown)"),
        (relay(|value| { value["routes"][0]["credentials"] = json!("caller-token"); value["routes"][0]["service_token"] = json!("CF_ACCESS"); }), "routes[0].service_token: found a name beside"),
        (relay(|value| { value["access"] = json!({ "dangerously_allow_anyone": true }); value["routes"][0]["credentials"] = json!("caller-token"); }), "routes[0].credentials: found \"caller-token\"; use \"service-token\""),
        (set("/routes/0/request_cookies", json!(["a", "*"])), "routes[0].request_cookies[1]: found \"*\" among others"),
        (set("/routes/0/request_cookies", json!(["a b"])), "routes[0].request_cookies[0]: found \"a b\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["a=b"])), "routes[0].request_cookies[0]: found \"a=b\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["a,b"])), "routes[0].request_cookies[0]: found \"a,b\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["a;b"])), "routes[0].request_cookies[0]: found \"a;b\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["\"a\""])), "routes[0].request_cookies[0]: found \"\\\"a\\\"\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["ä"])), "routes[0].request_cookies[0]: found \"ä\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!([""])), "routes[0].request_cookies[0]: found \"\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["a*b"])), "routes[0].request_cookies[0]: found \"a*b\"; write one * at the end"),
        (set("/routes/0/request_cookies", json!(["a", "*a"])), "routes[0].request_cookies[1]: found \"*a\"; write one * at the end"),
        (set("/routes/0/request_cookies", json!(["a**"])), "routes[0].request_cookies[0]: found \"a**\"; write one * at the end"),
        (set("/routes/0/request_cookies", json!(["a *"])), "routes[0].request_cookies[0]: found \"a *\"; write a cookie's name"),
        (set("/routes/0/request_cookies", json!(["CF_Authorization*"])), "routes[0].request_cookies[0]: found \"CF_Authorization*\"; leave it out"),
        (set("/routes/0/request_cookies", json!(["cf_app*"])), "routes[0].request_cookies[0]: found \"cf_app*\"; leave it out"),
        (set("/routes/0/request_cookies", json!(["CF_B*"])), "routes[0].request_cookies[0]: found \"CF_B*\"; leave it out"),
        (set("/routes/0/request_cookies", json!(["CF_Authorization"])), "routes[0].request_cookies[0]: found \"CF_Authorization\"; leave it out"),
        (set("/routes/0/response_cookies", json!(["CF_AppSession"])), "routes[0].response_cookies[0]: found \"CF_AppSession\"; leave it out"),
        (set("/routes/0/response_cookies", json!(["*"])), "routes[0].response_cookies[0]: found \"*\"; name the cookies one by one"),
        (set("/routes/0/response_cookies", json!(["CF_Auth*"])), "routes[0].response_cookies[0]: found \"CF_Auth*\"; leave it out"),
        (set("/routes/0/response_cookies", json!("a")), "routes[0].response_cookies: found the text \"a\"; write a list of texts"),
        (set("/routes/0/timeout_ms", json!(0)), "routes[0].timeout_ms: found the number 0; write a whole number of milliseconds from 1 to"),
        (set("/routes/0/timeout_ms", json!(1.5)), "routes[0].timeout_ms: found a number that is not whole"),
        (set("/routes/0/timeout_ms", json!("30s")), "routes[0].timeout_ms: found the text \"30s\""),
        (set("/routes/0/retries", json!(-1)), "routes[0].retries: found the number -1"),
        (set("/routes/0/cache", json!(null)), "routes[0].cache: found null"),
        (set("/routes/0/cache", json!(true)), "routes[0].cache: found true beside access.identity_headers; leave it out, or write identity_headers = false"),
        (set("/routes/0/foreign_requests", json!("some")), "routes[0].foreign_requests: found \"some\"; write \"none\", \"navigations\" or \"all\""),
        (set("/routes/0/documents", json!(true)), "routes[0].documents: found the boolean true"),
        (set("/routes/0/documents", json!("deny")), "routes[0].documents: found \"deny\"; write \"sandbox\" or \"allow\""),
        (set("/routes/0/callback_paths", json!("/api/callback")), "routes[0].callback_paths: found the text \"/api/callback\"; write a list of texts"),
        (set("/routes/0/callback_paths", json!(["callback"])), "routes[0].callback_paths[0]: found \"callback\"; start the path with a slash"),
        (set("/routes/0/callback_paths", json!(["/api/cb", "/other"])), "routes[0].callback_paths[1]: found \"/other\"; name a path below this route's, /api"),
        (set("/routes/0/callback_paths", json!(["/apiary"])), "routes[0].callback_paths[0]: found \"/apiary\"; name a path below"),
        (set("/routes/0/callback_paths", json!(["/api/cb", "/api/cb"])), "routes[0].callback_paths[1]: found \"/api/cb\" once more"),
        (set("/routes/0/callback_paths", json!(["/api/*"])), "routes[0].callback_paths[0]: found \"/api/*\"; write the whole path"),
        (set("/routes/0/callback_paths", json!(["/api/cb/"])), "routes[0].callback_paths[0]: found \"/api/cb/\"; leave out the slash at the end"),
        (set("/routes/0/callback_paths", json!(["/api/cb?code=s3cr"])), "routes[0].callback_paths[0]: found \"/api/cb\"; leave out the query"),
        (relay(|value| {
            value["routes"][0]["callback_paths"] = json!(["/api/login/cb"]);
            value["routes"].as_array_mut().unwrap().insert(0, json!({ "path": "/api/login", "upstream": "https://b.example" }));
        }), "routes[1].callback_paths: found \"/api/login/cb\"; name it at the route /api/login"),
        (set("/routes/0/upstream", json!(ISSUER)), "routes[0].upstream: found \"https://acme.cloudflareaccess.com\"; name the API's own host"),
        (set("/routes/0/upstream", json!("https://acme.cloudflareaccess.com/api")), "routes[0].upstream: found \"https://acme.cloudflareaccess.com\"; name the API's own host"),
        (set("/routes/0/upstream", json!("https://other.fed.cloudflareaccess.com")), "routes[0].upstream: found"),
        (relay(|value| {
            value["access"]["issuer"] = json!("http://127.0.0.1:8702");
            value["routes"][0]["upstream"] = json!("http://127.0.0.1:8702/api");
        }), "routes[0].upstream: found \"http://127.0.0.1:8702\"; name the API's own host"),
        (set("/routes/0/cors", json!({})), "routes[0].cors.allowed_origins: found no origin"),
        (set("/routes/0/cors", json!([])), "routes[0].cors: found a list of 0; write a table, [vars.RELAY.routes.cors]"),
        (relay(|value| { value["routes"][0]["credentials"] = json!("caller-token"); value["routes"][0]["cache"] = json!(true); }), "routes[0].cache: found true beside credentials"),
        (relay(|value| value["routes"].as_array_mut().unwrap().push(json!({ "path": "/b", "upstream": "https://b.example", "cors": true }))), "routes[1].cors: found the boolean true; write a table, [vars.RELAY.routes.cors]"),
        (set("/routes/0/url", json!("x")), "routes[0].url: found an unknown key; the keys here are path, upstream, strip_prefix"),
        (set("/routes/0/retries", json!(6)), "routes[0].retries: found the number 6; write a whole number of extra tries from 0 to 5"),
        (relay(|value| value["routes"][0]["a\nb"] = json!(1)), "routes[0].\"a\\nb\": found an unknown key"),
    ]
}

/// Policies that are wrong, each with what is said of it.
#[rustfmt::skip]
fn of_cors() -> Vec<(Value, &'static str)> {
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
        (cors_with("allowed_origins", json!(["*.example.com"])), "cors.allowed_origins[0]: found \"*.example.com\"; begin it with https://"),
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
