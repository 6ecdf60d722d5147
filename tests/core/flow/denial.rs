//! Whether Access has answered in the API's place, and what to check then.

use access_relay_core::flow::settle;
use serde_json::json;

use crate::support::answers::{URL, known, settle, settle_as, unchanged};
use crate::support::config::{AUD, parsed, relay};
use crate::support::heads::Lines;

#[test]
fn accesss_own_refusals_are_ours_to_explain() {
    let plain = relay(|_| {});
    let login = "https://acme.cloudflareaccess.com/cdn-cgi/access/login/api.example.com?kid=x&redirect_url=%2F";
    let oauth = "Bearer realm=\"OAuth\", resource_metadata=\"https://acme.cloudflareaccess.com/.well-known/x\"";
    let oauth_path = "Bearer resource_metadata=\"https://api.example.com/cdn-cgi/access/.well-known/x\"";
    let own_oauth = "Bearer resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\"";
    let challenge = "Cloudflare-Access resource_metadata=\"x\"";
    let second = "Basic realm=\"a, b\", cloudflare-access resource_metadata=\"x\"";
    let denied = "https://www.example.com/sorry";
    #[rustfmt::skip]
    let table: &[(u16, &[(&str, &str)], bool)] = &[
        (302, &[("location", login)], true),
        (302, &[("location", "/CDN-CGI/access/LOGIN/x")], true),
        (302, &[("location", "/x?a=b"), ("location", login)], true),
        (401, &[("www-authenticate", challenge)], true),
        (403, &[("www-authenticate", challenge)], true),
        (401, &[("www-authenticate", second)], true),
        (401, &[("www-authenticate", "Bearer"), ("www-authenticate", challenge)], true),
        (403, &[("cf-access-aud", "x"), ("cf-access-domain", "api.example.com")], true),
        (403, &[("cf-access-error", "x")], true),
        (401, &[("cf-access-domain", "x")], true),
        // An application with a custom deny URL leads to any host.
        (302, &[("location", denied), ("www-authenticate", challenge)], true),
        (302, &[("location", denied), ("cf-access-aud", AUD)], true),
        (303, &[("location", denied), ("cf-access-domain", "api.example.com")], true),
        (307, &[("location", denied), ("cf-access-error", "x")], true),
        // Managed OAuth.
        (401, &[("www-authenticate", oauth)], true),
        (401, &[("www-authenticate", oauth_path)], true),
        (401, &[("www-authenticate", own_oauth), ("cf-access-aud", AUD)], true),
        // The API's own.
        (401, &[], false), (403, &[], false), (401, &[("www-authenticate", "Bearer")], false), (302, &[("location", "/login")], false),
        (302, &[("location", "https://idp.example.com/login")], false), (200, &[("cf-access-aud", "x")], false), (404, &[("cf-access-domain", "x")], false),
        (401, &[("www-authenticate", own_oauth)], false),
        (401, &[("www-authenticate", "Basic realm=\"Cloudflare-Access x, Cloudflare-Access\"")], false),
        (401, &[("www-authenticate", "Basic realm=\"https://acme.cloudflareaccess.com\"")], false),
        (201, &[("location", login)], false),
        (403, &[("cf-access-client-id", "an echo")], false),
        (302, &[("location", "https://acme.cloudflareaccess.com/cdn-cgi/access/logout")], false),
        (302, &[("location", "/x?return=/cdn-cgi/access/login")], false),
        (304, &[("cf-access-aud", "x")], false),
        (401, &[("www-authenticate", "Bearer realm=\"cloudflareaccess.com\", resource_metadata=\"https://api.example.com/x\"")], false),
    ];
    for (status, headers, denied) in table {
        assert_eq!(
            settle(&plain, None, *status, headers) == Err("upstream_access_denied"),
            *denied,
            "{status} {headers:?}"
        );
    }
    let warnings = |headers: &[_]| settle_as(&plain, &unchanged, 401, headers).unwrap().1;
    assert_eq!(
        warnings(&[("www-authenticate", own_oauth)]),
        [
            "the API answered 401 with resource_metadata: if that is Access's Managed OAuth, the relay's credentials were refused"
        ]
    );
    assert!(warnings(&[("www-authenticate", "Bearer")]).is_empty());
}

#[test]
fn a_refused_service_token_is_named_and_what_to_check() {
    let reason = |credentials: &str, headers: &[(&str, &str)]| {
        let config = parsed(&relay(|value| value["routes"][0]["credentials"] = json!(credentials)));
        let settled = Lines::of(headers).answered(403, |head| settle::settle(&known(&config), URL, head));
        settled.unwrap_err().reason
    };
    assert_eq!(
        reason("service-token", &[("cf-access-aud", AUD)]),
        format!(
            "api.example.com answered 403 with cf-access-aud {AUD}: check that the service token in CF_ACCESS_CLIENT_ID and \
             CF_ACCESS_CLIENT_SECRET has not expired, and that a Service Auth policy of that application includes it"
        )
    );
    assert!(
        reason("caller-token", &[("cf-access-aud", AUD)])
            .contains("has a linked app token rule for the page's application")
    );
    // Of what is no AUD tag, nobody knows what it holds.
    for name in ["cf-access-aud", "cf-access-domain", "cf-access-error"] {
        let reason = reason("service-token", &[(name, "s3cr3t-value")]);
        assert!(reason.contains(&format!("403 with {name}: check")), "{reason}");
        assert!(!reason.contains("s3cr3t"), "{reason}");
    }
}
