//! The whole table: what a full one says, and that every mistake is told, once, with all the others.

use access_relay_core::caller::platform::PlatformPolicy;
use access_relay_core::config::types::{Access, Config, Log};
use access_relay_core::messages::cookies::RequestCookies;
use access_relay_core::rules::cors::{Allowed, Callers};
use access_relay_core::rules::cross_origin::ForeignRequests;
use access_relay_core::rules::route::{Credentials, Documents};
use serde_json::{Value, json};

use crate::config::mistakes::mistakes;
use crate::config::sound::{every_key_set, sound, warned_of};
use crate::support::config::{AUD, ISSUER, errors, minimal, parse, parsed, relay, secrets, set};

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
    let config: Config = parsed(&every_key_set());
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
fn the_runtimes_word_needs_no_issuer() {
    let access = |access: Value| parsed(&set("/access", access)).access;
    let Access::Platform(policy, None) = access(json!({ "platform": true })) else { panic!() };
    let alone = PlatformPolicy { audience: vec![], max_token_age_seconds: None, identity_headers: true, groups: false };
    assert_eq!(policy, alone);
    let all = json!({
        "platform": true, "audience": [AUD], "groups": true, "identity_headers": false, "max_token_age_seconds": 600,
    });
    let Access::Platform(policy, None) = access(all.clone()) else { panic!() };
    let audience = vec![AUD.to_owned()];
    let narrow = PlatformPolicy { audience, max_token_age_seconds: Some(600), identity_headers: false, groups: true };
    assert_eq!(policy, narrow);
    let mut beside = all;
    beside["issuer"] = json!(ISSUER);
    let Access::Platform(policy, Some(tokens)) = access(beside) else { panic!() };
    assert_eq!((policy, tokens.audience, tokens.max_token_age_seconds), (narrow, vec![AUD.to_owned()], Some(600)));
    // A tag that Access would not make is looked at, with an issuer or without.
    let warned = parsed(&set("/access", json!({ "platform": true, "audience": ["dev"] })));
    assert_eq!(warned.warnings.len(), 1);
}

#[test]
fn what_is_sound_serves() {
    for value in sound() {
        parsed(&value);
    }
}

#[test]
fn each_mistake_is_named_with_its_path_and_its_repair() {
    for (value, expected) in mistakes() {
        let found = errors(&value);
        assert!(found.iter().any(|error| error.starts_with(expected)), "wanted {expected}\nfound {found:#?}");
    }
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
    for (value, expected) in warned_of() {
        let found = warnings(&value);
        assert_eq!(found.len(), usize::from(expected.is_some()), "{value:#} {found:?}");
        assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:?}");
        assert!(!found.join("").contains("my-app") && !found.join("").to_lowercase().contains(AUD));
    }
}
