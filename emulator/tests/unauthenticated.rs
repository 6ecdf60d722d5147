//! The table of what Access answers to the unauthenticated, row by row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, dead_code)]

mod support;

use access_emulator::settings::{API_AUD, APP_AUD, CLIENT_ID, Settings};
use support::{Answer, get, send, start};

const XHR: (&str, &str) = ("X-Requested-With", "XMLHttpRequest");
const UPGRADE: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];
const WRONG_SECRET: [(&str, &str); 2] = [("CF-Access-Client-Id", CLIENT_ID), ("CF-Access-Client-Secret", "wrong")];
const PREFLIGHT: [(&str, &str); 2] =
    [("Origin", "http://app.example.localhost:8700"), ("Access-Control-Request-Method", "PUT")];

fn only_service_auth(settings: &mut Settings) {
    settings.api.strict = false;
}

fn allow_policy_too(settings: &mut Settings) {
    settings.api.strict = false;
    settings.api.allow_policy = true;
}

fn assert_forbidden(answer: &Answer) {
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(answer.header("cf-access-aud"), Some(API_AUD));
    assert_eq!(answer.header("cf-access-domain"), Some("api.example.localhost"));
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("set-cookie"), None);
    assert_no_cors(answer);
}

fn assert_no_cors(answer: &Answer) {
    assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "{answer:?}");
    assert_eq!(answer.header("x-backend"), None);
}

fn assert_login(answer: &Answer, issuer: &str, host: &str, aud: &str, path: &str) {
    assert_eq!(answer.status, 302, "{answer:?}");
    let login = format!("{issuer}/cdn-cgi/access/login/{host}?kid={aud}&redirect_url={path}");
    assert_eq!(answer.header("location"), Some(login.as_str()));
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Cloudflare-Access resource_metadata=\"http://"), "{challenge}");
    let cookies = answer.cookies();
    assert_eq!(cookies.len(), 1);
    assert!(cookies[0].starts_with("CF_AppSession="));
    assert!(cookies[0].ends_with("; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=None"), "{cookies:?}");
    assert_no_cors(answer);
}

#[tokio::test]
async fn only_service_auth_answers_everything_403() {
    let access = start(only_service_auth).await;
    let api = access.api_local_url();
    let html = get(&api, "/x", &[]).await;
    assert_forbidden(&html);
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    let json = get(&api, "/x", &[("Accept", "application/json")]).await;
    assert_forbidden(&json);
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.json()["aud"], API_AUD);
    assert_forbidden(&get(&api, "/x", &[XHR]).await);
    assert_forbidden(&get(&api, "/x", &UPGRADE).await);
    assert_forbidden(&get(&api, "/x", &WRONG_SECRET).await);
    assert_forbidden(&send(&api, "OPTIONS", "/x", &PREFLIGHT, "").await);
    assert_forbidden(&send(&api, "POST", "/x", &[], "{}").await);
    assert_eq!((access.api_requests(), access.api_forwarded()), (7, 0));
}

#[tokio::test]
async fn an_allow_policy_redirects_to_the_login() {
    let access = start(allow_policy_too).await;
    let api = access.api_local_url();
    let issuer = access.issuer();
    let to_login = |answer: &Answer| assert_login(answer, &issuer, "api.example.localhost", API_AUD, "%2Fx%3Fa%3D1");
    to_login(&get(&api, "/x?a=1", &[]).await);
    to_login(&get(&api, "/x?a=1", &UPGRADE).await);
    to_login(&get(&api, "/x?a=1", &WRONG_SECRET).await);
    to_login(&send(&api, "POST", "/x?a=1", &[], "{}").await);
    let xhr = get(&api, "/x", &[XHR]).await;
    assert_eq!(xhr.status, 401);
    assert!(xhr.header("www-authenticate").unwrap().starts_with("Cloudflare-Access resource_metadata=\""));
    assert_eq!(xhr.header("location"), None);
    let preflight = send(&api, "OPTIONS", "/x", &PREFLIGHT, "").await;
    assert_eq!(preflight.status, 403);
    assert_no_cors(&preflight);
}

#[tokio::test]
async fn the_app_redirects_to_the_login() {
    let access = start(|_| ()).await;
    let app = access.app_local_url();
    let issuer = access.issuer();
    let to_login = |answer: &Answer| assert_login(answer, &issuer, "app.example.localhost", APP_AUD, "%2Fapi%2Fx");
    to_login(&get(&app, "/api/x", &[]).await);
    to_login(&get(&app, "/api/x", &UPGRADE).await);
    to_login(&get(&app, "/api/x", &[("Cookie", "CF_Authorization=nonsense")]).await);
    to_login(&get(&app, "/api/x", &[("Cf-Access-Jwt-Assertion", "nonsense")]).await);
    let xhr = get(&app, "/api/x", &[XHR]).await;
    assert_eq!(xhr.status, 401);
    assert!(xhr.header("www-authenticate").is_some());
    let preflight = send(&app, "OPTIONS", "/api/x", &PREFLIGHT, "").await;
    assert_eq!(preflight.status, 403);
    assert_no_cors(&preflight);
    // An OPTIONS request that is no preflight is a request like any other.
    to_login(&send(&app, "OPTIONS", "/api/x", &[], "").await);
}

#[tokio::test]
async fn options_can_be_bypassed() {
    let access = start(|settings| {
        settings.app.bypass_options = true;
        settings.api.bypass_options = true;
    })
    .await;
    for base in [access.app_local_url(), access.api_local_url()] {
        let preflight = send(&base, "OPTIONS", "/x", &PREFLIGHT, "").await;
        assert_eq!(preflight.status, 200);
        assert_eq!(preflight.got("cf-access-jwt-assertion"), None);
        assert_ne!(get(&base, "/x", &[]).await.status, 200);
    }
}
