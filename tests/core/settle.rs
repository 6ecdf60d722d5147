//! The API's answer in; what the browser gets, or why it gets a refusal, out.

use std::rc::Rc;

use access_relay::forward::question;
use access_relay::gateway::Known;
use access_relay::settle::{self, ResponseHead};
use serde_json::{Value, json};

use crate::support::{Lines, parsed, relay};

/// The changed headers of the API's answer, or the code of the refusal.
fn settle(
    relay: &Value,
    origin: Option<&str>,
    status: u16,
    headers: &[(&str, &str)],
) -> Result<Vec<(String, String)>, &'static str> {
    let config = parsed(relay);
    let lines = Lines::of(headers);
    let response = ResponseHead { status, headers: &lines };
    let known = Known {
        route: Some(Rc::clone(&config.routes[0])),
        cors: Rc::clone(&config.routes[0].cors),
        preflight: false,
        origin: origin.map(str::to_owned),
        caller: None,
        warnings: Vec::new(),
    };
    match settle::settle(&known, &response) {
        Ok(edits) => Ok(lines.clone().apply(&edits).0),
        Err(refusal) => Err(refusal.code.as_str()),
    }
}

fn owned(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn answers_are_scrubbed() {
    let plain = relay(|_| {});
    let headers = [
        ("content-type", "application/json"),
        ("set-cookie", "session=1; Domain=api.example.com"),
        ("set-cookie", "CF_Authorization=jwt"),
        ("clear-site-data", "\"*\""),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-private-network", "true"),
        ("access-control-expose-headers", "x-a"),
        ("access-control-max-age", "5"),
        ("location", "https://api.example.com/api/notes/1"),
        ("etag", "\"x\""),
        ("vary", "Accept"),
    ];
    let scrubbed = owned(&[
        ("content-type", "application/json"),
        ("etag", "\"x\""),
        ("vary", "Accept"),
        ("location", "/api/notes/1"),
    ]);
    assert_eq!(settle(&plain, None, 201, &headers), Ok(scrubbed));
    let generous = relay(|value| {
        value["routes"][0]["response_cookies"] = json!(["session", "lang"]);
        value["cors"] = json!({ "allowed_origins": ["https://admin.example.com"] });
    });
    let expected = owned(&[
        ("content-type", "application/json"),
        ("etag", "\"x\""),
        ("vary", "Accept"),
        ("set-cookie", "session=1"),
        ("location", "/api/notes/1"),
        ("vary", "Origin"),
        ("access-control-allow-origin", "https://admin.example.com"),
    ]);
    assert_eq!(settle(&generous, Some("https://admin.example.com"), 201, &headers), Ok(expected));
}

#[test]
fn accesss_own_refusals_are_ours_to_explain() {
    let plain = relay(|_| {});
    let login = "https://acme.cloudflareaccess.com/cdn-cgi/access/login/api.example.com?kid=x&redirect_url=%2F";
    #[rustfmt::skip]
    let table: &[(u16, &[(&str, &str)], bool)] = &[
        (302, &[("location", login)], true),
        (401, &[("www-authenticate", "Cloudflare-Access resource_metadata=\"x\"")], true),
        (403, &[("cf-access-aud", "x"), ("cf-access-domain", "api.example.com")], true),
        (403, &[("cf-access-error", "x")], true),
        (401, &[("cf-access-domain", "x")], true),
        // The API's own.
        (401, &[], false), (403, &[], false), (401, &[("www-authenticate", "Bearer")], false), (302, &[("location", "/login")], false),
        (302, &[("location", "https://idp.example.com/login")], false), (200, &[("cf-access-aud", "x")], false), (404, &[("cf-access-domain", "x")], false),
    ];
    for (status, headers, denied) in table {
        assert_eq!(
            settle(&plain, None, *status, headers) == Err("upstream_access_denied"),
            *denied,
            "{status} {headers:?}"
        );
    }
}

#[test]
fn what_health_asks_an_api() {
    let config = parsed(&relay(|value| value["routes"][0]["upstream"] = json!("https://api.example.com/v2")));
    let edits = question(&config.routes[0]);
    assert_eq!(edits.url(), "https://api.example.com/v2/");
    let asked = Lines::default().apply(&edits);
    assert_eq!(asked.0, owned(&[("cf-access-client-id", "0123.access"), ("cf-access-client-secret", "s3cr3t-value")]));
}

#[test]
fn where_cors_applies_no_name_of_cors_is_the_apis_to_say() {
    let plain = relay(|_| {});
    let headers = [("access-control-anything", "1"), ("access-control-allow-origin", "*"), ("etag", "x")];
    assert_eq!(settle(&plain, Some("https://a.example"), 200, &headers), Ok(owned(&[("etag", "x")])));
    // Without an origin no browser looks at what no standard has.
    assert_eq!(settle(&plain, None, 200, &headers), Ok(owned(&[("access-control-anything", "1"), ("etag", "x")])));
}

#[test]
fn a_refused_service_token_is_named_and_what_to_check() {
    let reason = |credentials: &str| {
        let config = parsed(&relay(|value| value["routes"][0]["credentials"] = json!(credentials)));
        let route = &config.routes[0];
        let lines = Lines::of(&[("cf-access-aud", "b0b5")]);
        let known = Known {
            route: Some(Rc::clone(route)),
            cors: Rc::clone(&route.cors),
            preflight: false,
            origin: None,
            caller: None,
            warnings: Vec::new(),
        };
        settle::settle(&known, &ResponseHead { status: 403, headers: &lines }).unwrap_err().reason
    };
    assert_eq!(
        reason("service-token"),
        "api.example.com answered 403 with cf-access-aud \"b0b5\": check that the service token in CF_ACCESS_CLIENT_ID and \
         CF_ACCESS_CLIENT_SECRET has not expired, and that a Service Auth policy of that application includes it"
    );
    assert!(reason("caller-token").contains("has a linked app token rule for the page's application"));
}
