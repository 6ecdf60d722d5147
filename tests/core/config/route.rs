//! `routes`: what can be wrong with one, and what of it may be cached.

use access_relay_core::config::secrets::{binding_names, secret_names};
use access_relay_core::rules::route::Credentials;
use serde_json::{Value, json};

use crate::support::config::{AUD, ISSUER, parse, relay, secrets, set};

/// Routes that are wrong, each with what is said of it; the test in parse.rs takes them all.
#[rustfmt::skip]
pub fn mistakes() -> Vec<(Value, &'static str)> {
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
        (set("/routes/0/upstream", json!("api.example.com")), "routes[0].upstream: found \"api.example.com\"; start it with a scheme"),
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
