//! The configuration: what a full one says, and a row for every way in which one can be wrong.

use access_relay_core::config::secrets::secret_names;
use access_relay_core::config::text::from_text;
use access_relay_core::config::types::{Access, Config, Log};
use access_relay_core::messages::cookies::RequestCookies;
use access_relay_core::rules::cors::{Allowed, Callers};
use access_relay_core::rules::cross_origin::ForeignRequests;
use access_relay_core::rules::route::{Credentials, Documents};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{AUD, ISSUER, minimal, parse, parsed, relay, secrets};

fn errors(value: &Value) -> Vec<String> {
    match parse(value, &secrets()) {
        Ok(config) => panic!("no error in {value:#}: {config:?}"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn defaults() {
    let config = parsed(&minimal());
    let Access::Jwt(policy) = &config.access else { panic!() };
    assert_eq!(policy.certs_url, "https://acme.cloudflareaccess.com/cdn-cgi/access/certs");
    assert_eq!(
        (policy.issuer.as_str(), policy.audience.as_slice(), policy.max_token_age_seconds, policy.identity_headers),
        (ISSUER, &[AUD.to_owned()][..], None, true)
    );
    let [route] = &config.routes[..] else { panic!() };
    assert_eq!(
        (route.prefix.as_str(), route.upstream.origin.as_str(), route.upstream.base_path.as_str()),
        ("/api", "https://api.example.com", "")
    );
    let Credentials::ServiceToken(token) = &route.credentials else { panic!() };
    assert_eq!((token.client_id.as_str(), token.client_secret.as_str()), ("0123.access", "s3cr3t-value"));
    assert_eq!((route.strip_prefix, route.timeout_ms, route.retries, route.cache), (false, 30_000, 0, false));
    assert_eq!((config.server_timing, &config.health_path), (false, &None));
    assert_eq!((route.foreign_requests, route.documents), (ForeignRequests::Navigations, Documents::Sandbox));
    assert!(route.callback_paths.is_empty() && config.warnings.is_empty());
    assert_eq!(route.request_cookies, RequestCookies::Nothing);
    assert!(route.response_cookies.is_empty());
    assert_eq!(route.cors.origins, Callers::Nobody);
    assert_eq!((config.log, config.debug), (Log::Refusals, false));
}

#[test]
fn every_key() {
    let config: Config = parsed(&json!({
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
    }));
    let Access::Jwt(policy) = &config.access else { panic!() };
    assert_eq!((policy.audience.len(), policy.max_token_age_seconds, policy.identity_headers), (2, Some(3600), false));
    let [api, files, login] = &config.routes[..] else { panic!() };
    assert_eq!(
        (files.prefix.as_str(), &files.credentials, &files.request_cookies),
        ("/api/files", &Credentials::CallerToken, &RequestCookies::AllButAccess)
    );
    assert_eq!(
        (api.upstream.base_path.as_str(), api.strip_prefix, api.timeout_ms, api.retries, api.cache),
        ("/v1", true, 5000, 2, true)
    );
    assert_eq!((api.foreign_requests, api.documents), (ForeignRequests::All, Documents::Allow));
    assert_eq!((files.foreign_requests, files.documents), (ForeignRequests::None, Documents::Sandbox));
    assert_eq!((login.foreign_requests, login.documents), (ForeignRequests::Navigations, Documents::Sandbox));
    let callbacks: Vec<&str> = api.callback_paths.iter().map(|path| path.as_str()).collect();
    assert_eq!(callbacks, ["/api/callback", "/api"]);
    let RequestCookies::Named(named) = &login.request_cookies else { panic!() };
    for name in ["theme", ".AspNetCore.Cookies", ".AspNetCore.CookiesC1", "prefs[lang]", "CF_theme"] {
        assert!(named.contain(name), "{name}");
    }
    assert!(
        !named.contain("themes")
            && !named.contain(".AspNetCore")
            && login.response_cookies.contain("sb-x-auth-token.0")
    );
    assert_eq!((config.server_timing, config.health_path.as_ref().map(|path| path.as_str())), (true, Some("/healthz")));
    assert_eq!(api.cors.origins, Callers::Anybody);
    assert_eq!(files.cors, config.cors);
    let Callers::Listed(origins) = &config.cors.origins else { panic!() };
    let listed: Vec<String> = origins.iter().collect();
    assert_eq!(listed, ["capacitor://localhost", "https://a.example", "https://b.example"]);
    assert_eq!(config.cors.methods, Allowed::Listed(vec!["PURGE".into(), "PUT".into()]));
    assert_eq!(config.cors.headers, Allowed::Listed(vec!["content-type".into()]));
    assert_eq!(config.cors.exposed.as_deref(), Some("x-total-count,x-b"));
    assert_eq!((config.cors.credentials, config.cors.max_age), (true, 0));
    assert_eq!((config.log, config.debug), (Log::Requests, true));
    // Without credentials nobody acts for anybody.
    parsed(&relay(|value| {
        value["cors"] = json!({ "allowed_origins": ["https://*.github.io", "http://*.example.com"] })
    }));
    let anyone = parsed(&relay(|value| value["access"] = json!({ "dangerously_allow_anyone": true })));
    assert_eq!(anyone.access, Access::DangerouslyAllowAnyone);
}

#[test]
fn each_mistake_is_named_with_its_path_and_its_repair() {
    let set = |pointer: &str, new: Value| {
        relay(|value| {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match value.pointer_mut(parent).unwrap() {
                Value::Array(list) => list[key.parse::<usize>().unwrap()] = new,
                table => table[key] = new,
            }
        })
    };
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
    #[rustfmt::skip]
    let table = [
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
        (set("/access/issuer", json!("https://<team>.cloudflareaccess.com")), "access.issuer: found"),
        (set("/access/issuer", json!(7)), "access.issuer: found the number 7; write a text"),
        (set("/access/isuer", json!(ISSUER)), "access.isuer: found an unknown key; the keys here are issuer, audience"),
        (set("/access/dangerously_allow_anyone", json!(true)), "access.issuer: found a value beside dangerously_allow_anyone"),
        (set("/access/dangerously_allow_anyone", json!("yes")), "access.dangerously_allow_anyone: found the text \"yes\"; write true or false"),
        (set("/access/max_token_age_seconds", json!(59)), "access.max_token_age_seconds: found the number 59; write a whole number of seconds from 60 to 2678400"),
        (set("/access/max_token_age_seconds", json!("1h")), "access.max_token_age_seconds: found the text \"1h\"; write a whole number of seconds"),
        (set("/access/max_token_age_seconds", json!(0)), "access.max_token_age_seconds: found the number 0; write"),
        (set("/access", json!({ "dangerously_allow_anyone": true, "max_token_age_seconds": 60 })), "access.max_token_age_seconds: found a value beside dangerously_allow_anyone"),
        (set("/access/identity_headers", json!(1)), "access.identity_headers: found the number 1"),
        // Routes.
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
        (set("/routes/0/upstream", json!("api.example.com")), "routes[0].upstream: found \"api.example.com\"; start it with a scheme"),
        (set("/routes/0/upstream", json!("http://api.example.com")), "routes[0].upstream: found \"http://api.example.com\"; use https"),
        (set("/routes/0/upstream", json!("http://localhost.example.com")), "routes[0].upstream: found"),
        (set("/routes/0/upstream", json!("ftp://api.example.com")), "routes[0].upstream: found \"ftp://api.example.com\"; write https:// or http://"),
        (set("/routes/0/upstream", json!("https://u:p@api.example.com")), "routes[0].upstream: found"),
        (set("/routes/0/upstream", json!("https://api.example.com?x")), "routes[0].upstream: found"),
        (set("/routes/0/upstream", json!("https://api.example.com/a/../b")), "routes[0].upstream: found"),
        (set("/routes/0/strip_prefix", json!("true")), "routes[0].strip_prefix: found the text \"true\"; write true or false, without quotes"),
        (set("/routes/0/credentials", json!("none")), "routes[0].credentials: found another text (not shown); write \"service-token\" or \"caller-token\""),
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
        // The CORS policy.
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
        // The rest.
        (set("/log", json!("all")), "log: found \"all\"; write \"refusals\" or \"requests\""),
        (set("/debug", json!(1)), "debug: found the number 1"),
        (set("/server_timing", json!("on")), "server_timing: found the text \"on\""),
        (set("/routes/0/retries", json!(6)), "routes[0].retries: found the number 6; write a whole number of extra tries from 0 to 5"),
        (set("/health_path", json!("/cdn-cgi/health")), "health_path: found \"/cdn-cgi/health\"; choose another path"),
        (set("/health_path", json!("/api/healthz")), "health_path: found \"/api/healthz\"; choose a path that no route takes: /api belongs to an API"),
        (set("/health_path", json!("/api")), "health_path: found \"/api\"; choose a path that no route takes"),
        (set("/health_path", json!("healthz")), "health_path: found \"healthz\"; start the path with a slash"),
        (relay(|value| value[""] = json!(1)), "\"\": found an unknown key"),
        (relay(|value| value["routes"][0]["a\nb"] = json!(1)), "routes[0].\"a\\nb\": found an unknown key"),
        (set("/client_secret", json!("cfast_secret")), "client_secret: found an unknown key; the keys here are access, routes, cors"),
    ];
    for (value, expected) in table {
        let found = errors(&value);
        assert!(found.iter().any(|error| error.starts_with(expected)), "wanted {expected}\nfound {found:#?}");
    }
}

#[test]
fn whoever_reads_a_policy_may_know_more_public_suffixes_than_the_worker() {
    let policy = json!({ "allowed_origins": ["https://*.kobe.jp:*"], "allow_credentials": true });
    let relay = relay(|value| value["cors"] = policy);
    assert!(parse(&relay, &secrets()).is_ok());
    let told = access_relay_core::config::parse::parse(&relay, &secrets(), |host| host == "kobe.jp").unwrap_err();
    assert!(
        told[0].to_string().starts_with("cors.allowed_origins[0]: found \"https://*.kobe.jp:*\"; name the origins")
    );
}

#[test]
fn all_errors_come_together() {
    let found = errors(&json!({
        "access": { "issuer": "x", "audience": [] }, "routes": [{ "path": "api", "upstream": "x", "timeout_ms": -1 }, { "typo": 1 }],
        "cors": { "max_age": "x" }, "log": 1, "typo": 1,
    }));
    let paths: Vec<&str> = found.iter().map(|error| error.split(": ").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "access.issuer",
            "access.audience",
            "cors.max_age",
            "cors.allowed_origins",
            "routes[0].path",
            "routes[0].upstream",
            "routes[0].timeout_ms",
            "routes[1].path",
            "routes[1].upstream",
            "routes[1].typo",
            "log",
            "typo",
        ]
    );
}

#[test]
fn secrets_that_cannot_work() {
    let parse = |id: &str, secret: &str| {
        let secrets = vec![
            ("CF_ACCESS_CLIENT_ID".to_owned(), id.to_owned()),
            ("CF_ACCESS_CLIENT_SECRET".to_owned(), secret.to_owned()),
        ];
        parse(&minimal(), &secrets).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for (id, secret, expected) in [
        ("", "s3cr3t", "CF_ACCESS_CLIENT_ID: found no secret of that name"),
        ("0123.access", "", "CF_ACCESS_CLIENT_SECRET: found no secret of that name"),
        ("0123.access\n", "s3cr3t", "CF_ACCESS_CLIENT_ID: found a space, a line break"),
        ("0123.access", "CF-Access-Client-Secret: s3cr3t", "CF_ACCESS_CLIENT_SECRET: found a space, a line break"),
        ("s3cr3t", "0123.access", "CF_ACCESS_CLIENT_SECRET: found a Client ID; swap the two"),
    ] {
        let found = parse(id, secret);
        assert!(found.starts_with(expected), "{found}");
        assert!(!found.contains("s3cr3t") && !found.contains("0123"), "a secret is shown: {found}");
    }
}

#[test]
fn no_secret_is_shown() {
    let config = parsed(&minimal());
    assert!(!format!("{config:?}").contains("s3cr3t"));
    // A token pasted where the prefix of its name belongs, and one in a key of its own.
    let found = errors(&relay(|value| {
        value["routes"][0]["service_token"] = json!("cfast_0123456789");
        value["routes"][0]["client_secret"] = json!("cfast_0123456789");
    }));
    assert!(found.len() == 2 && !found.join("\n").contains("cfast_"), "{found:?}");
    // Credentials within a URL.
    for url in
        ["https://ada:hunter2@api.example.com", "https://api.example.com/?key=hunter2", "http://ada:hunter2@x/#hunter2"]
    {
        let found = errors(&relay(|value| value["routes"][0]["upstream"] = json!(url)));
        assert!(found.len() == 1 && !found.join("").contains("hunter2"), "{found:?}");
    }
}

#[test]
fn the_secrets_a_table_asks_for() {
    let names = |value: Value| secret_names(&value);
    let default = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];
    assert_eq!(names(minimal()), default);
    assert_eq!(
        names(json!({ "routes": [{}, {}, { "service_token": "B" }, { "credentials": "caller-token" }] })),
        [&default[..], &["B_CLIENT_ID", "B_CLIENT_SECRET"]].concat()
    );
    for odd in [json!(null), json!(1), json!({ "routes": 1 }), json!({ "routes": [1, "x", null] })] {
        let _ = names(odd);
    }
}

#[test]
fn a_secret_is_not_printed_with_its_configuration() {
    let printed = format!("{:?}", parsed(&minimal()));
    assert!(printed.contains("CF_ACCESS") && !printed.contains("s3cr3t-value"), "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// The route that is found is the one that a look at each finds: the deepest that covers the path.
    #[test]
    fn a_route_is_found_among_many(
        paths in proptest::collection::btree_set("(/[ab]{1,2}){1,3}|/", 1..20),
        asked in "(/([ab]{1,2}|%6[12]|ab%61)){0,4}/?",
    ) {
        let config = parsed(&relay(|value| {
            let route = |path: &String| json!({ "path": path, "upstream": "https://api.example.com" });
            value["routes"] = paths.iter().map(route).collect();
        }));
        let asked = if asked.is_empty() { "/" } else { &asked };
        let covering = config.routes.iter().filter_map(|route| Some((route.prefix.as_str(), route.prefix.strip(asked)?)));
        let deepest = covering.max_by_key(|(prefix, _)| if *prefix == "/" { 0 } else { prefix.matches('/').count() });
        let found = config.routes.find(asked).map(|(route, rest)| (route.prefix.as_str(), rest));
        prop_assert_eq!(found, deepest);
    }
}

#[test]
fn one_mistake_is_told_once() {
    let mistakes = [
        relay(|value| value["cors"] = json!({ "allowed_origins": ["*", "https://a.example"] })),
        // What is wrong within a key is not missed on top of it.
        relay(|value| value["routes"] = json!({})),
        relay(|value| value["cors"] = json!({ "allowed_origins": "https://a.example" })),
        relay(|value| value["cors"] = json!({ "allowed_origins": [""] })),
        relay(|value| value["access"] = json!({ "dangerously_allow_anyone": true, "issuer": ISSUER })),
        relay(|value| value["access"]["audience"] = json!(AUD)),
        relay(|value| value["routes"][0]["service_token"] = json!("1ABC")),
        relay(|value| value["routes"][0]["service_token"] = json!("Abc")),
    ];
    for mistake in mistakes {
        let errors = parse(&mistake, &secrets()).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
    let misnamed = relay(|value| value["routes"][0]["service_token"] = json!("1ABC"));
    assert!(errors(&misnamed)[0].starts_with("routes[0].service_token: found a text of 4 characters"));
}

#[test]
fn secrets_are_asked_for_where_a_route_sends_a_service_token() {
    let names =
        |credentials: &str| secret_names(&relay(|value| value["routes"][0]["credentials"] = json!(credentials)));
    assert_eq!(names("service-token"), ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"]);
    assert!(names("caller-token").is_empty());
}

#[test]
fn a_route_closes_itself_with_an_empty_list() {
    let config = parsed(&relay(|value| {
        value["cors"] = json!({ "allowed_origins": ["https://a.example"] });
        value["routes"][0]["cors"] = json!({ "allowed_origins": [] });
    }));
    assert_eq!(config.routes[0].cors.origins, Callers::Nobody);
}

#[test]
fn a_client_id_need_not_look_like_one() {
    let of = |id: &str, secret: &str| {
        let secrets = [("CF_ACCESS_CLIENT_ID", id), ("CF_ACCESS_CLIENT_SECRET", secret)];
        let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
        parse(&minimal(), &secrets.to_vec()).is_ok()
    };
    assert!(of("0123", "s3cr3t") && of("0123.access", "s3cr3t") && !of("0123", "s3cr3t.access"));
}

#[test]
fn what_is_cached_depends_on_nobody() {
    let found = |identity: Value, route: Value| {
        let value = relay(|value| {
            value["access"] = identity;
            for (key, setting) in route.as_object().unwrap() {
                value["routes"][0][key] = setting.clone();
            }
            value["routes"][0]["cache"] = json!(true);
        });
        parse(&value, &secrets()).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let named = || json!({ "issuer": ISSUER, "audience": [AUD] });
    let checked = || json!({ "issuer": ISSUER, "audience": [AUD], "identity_headers": false });
    let anyone = || json!({ "dangerously_allow_anyone": true });
    for (access, route, expected) in [
        (checked(), json!({}), None),
        (anyone(), json!({}), None),
        (named(), json!({}), Some("access.identity_headers")),
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
    ] {
        match (found(access, route), expected) {
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
fn a_relay_that_takes_every_path_has_a_health_path_all_the_same() {
    let value = relay(|value| {
        value["routes"][0]["path"] = json!("/");
        value["health_path"] = json!("/healthz");
    });
    assert!(parsed(&value).health_path.is_some());
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    let warnings = |value: &Value| parsed(value).warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
    let issuer = |issuer: &str| relay(|value| value["access"]["issuer"] = json!(issuer));
    let audience = |tag: &str| relay(|value| value["access"]["audience"] = json!([AUD, tag]));
    let cors = |cors: Value| relay(|value| value["cors"] = cors);
    let listed = || json!({ "allowed_origins": ["https://a.example"] });
    let with_credentials = || json!({ "allowed_origins": ["https://a.example"], "allow_credentials": true });
    let open = |value: &mut Value| value["access"] = json!({ "dangerously_allow_anyone": true });
    #[rustfmt::skip]
    let table = [
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
    ];
    for (value, expected) in table {
        let found = warnings(&value);
        assert_eq!(found.len(), usize::from(expected.is_some()), "{value:#} {found:?}");
        assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:?}");
        assert!(!found.join("").contains("my-app") && !found.join("").to_lowercase().contains(AUD));
    }
}

#[test]
fn a_key_of_a_json_text_stands_there_once() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str])] = &[
        (r#"{"access":{"dangerously_allow_anyone":false,"dangerously_allow_anyone":true}}"#, &["access.dangerously_allow_anyone: found the same key once more; leave one of the two out"]),
        (r#"{"access":{"issuer":"x"},"routes":[],"access":{"dangerously_allow_anyone":true}}"#, &["access: found the same key once more"]),
        (r#"{"routes":[{},{"cors":{"max_age":1,"max_age":1}}],"log":1,"log":1,"log":1}"#, &["routes[1].cors.max_age: found", "log: found", "log: found"]),
        // The same key, spelled in two ways.
        (r#"{"log":"requests","log":"refusals"}"#, &["log: found"]),
        // What could be a secret is not shown.
        (r#"{"s3cr3t":1,"s3cr3t":1,"a":{"S":{"b":1,"b":1}}}"#, &["(not shown): found", "a.(not shown).b: found"]),
        // The same key at another place, or the same value twice, is none.
        (r#"{"a":{"b":1},"b":{"a":1,"b":{"b":[1,1,{},{}]}}}"#, &[]),
    ];
    for (text, expected) in table {
        let found = from_text(text.as_bytes()).err().unwrap_or_default();
        assert_eq!(found.len(), expected.len(), "{text} {found:?}");
        for (found, expected) in found.iter().zip(*expected) {
            assert!(found.to_string().starts_with(expected), "{found}");
        }
    }
    for (text, place) in
        [("", "line 1, column 0"), ("{", "line 1, column 1"), ("{}\n{}", "line 2, column 1"), ("s3cr3t", "line 1")]
    {
        let found = from_text(text.as_bytes()).unwrap_err();
        let [error] = &found[..] else { panic!("{found:?}") };
        let error = error.to_string();
        assert!(error.starts_with("RELAY: found a text that is no JSON (") && error.contains(place), "{error}");
        assert!(!error.contains("s3cr3t"));
    }
    // Too deep to be read is no reason to end.
    assert!(from_text("[".repeat(100_000).as_bytes()).is_err());
}

proptest! {
    /// Apart from that, it is read as JSON is.
    #[test]
    fn a_json_text_is_read_as_json(value in json_value()) {
        let text = value.to_string();
        prop_assert_eq!(from_text(text.as_bytes()).ok(), serde_json::from_str(&text).ok());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}
