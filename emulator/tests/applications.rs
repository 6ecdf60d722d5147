//! Applications by path, Managed OAuth, a custom deny URL, `workers.dev`, and Cloudflare's own errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, dead_code)]

mod support;

use access_emulator::listener::Listener;
use access_emulator::settings::{API_AUD, APP_AUD, PathApplication, WorkersDev};
use access_emulator::tokens::TokenRequest;
use serde_json::json;
use support::{get, send, start};

const PATH_AUD: &str = "0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e0e7e";

#[tokio::test]
async fn an_application_of_a_path_has_a_login_and_tokens_of_its_own() {
    let access = start(|settings| {
        settings.app.paths = vec![PathApplication { path: "/api/*".into(), aud: PATH_AUD.into() }];
    })
    .await;
    let app = access.app_local_url();
    let token = |aud: &str| access.mint(&TokenRequest { aud: Some(json!([aud])), ..TokenRequest::default() });
    // As in Access, what ends in /* does not cover the path above it.
    for (path, aud, other) in [("/api/x", PATH_AUD, APP_AUD), ("/api", APP_AUD, PATH_AUD), ("/", APP_AUD, PATH_AUD)] {
        let answer = get(&app, path, &[]).await;
        assert_eq!(answer.status, 302, "{path}");
        let login = answer.header("location").unwrap();
        assert!(login.contains(&format!("kid={aud}&")), "{path}: {login}");
        for (aud, status) in [(aud, 200), (other, 302)] {
            let cookie = format!("CF_Authorization={}", token(aud));
            assert_eq!(get(&app, path, &[("Cookie", &cookie)]).await.status, status, "{path}");
        }
        let word = send(&app, "HEAD", path, &[("cf-access-metadata-request", "true")], "").await;
        assert_eq!(support::decode(word.header("cf-access-metadata").unwrap()).1["aud"], aud, "{path}");
    }
    access.shutdown().await;
}

#[tokio::test]
async fn managed_oauth_is_401_with_bearer_and_no_login() {
    let access = start(|settings| settings.api.managed_oauth = true).await;
    let answer = get(&access.api_local_url(), "/x", &[]).await;
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer realm=\"OAuth\", error=\"invalid_token\", resource_metadata=\"http"),
        "{challenge}"
    );
    assert_eq!(answer.json()["error"], "invalid_token");
    assert_eq!((answer.header("location"), answer.header("x-backend")), (None, None));
    access.shutdown().await;
}

#[tokio::test]
async fn a_custom_deny_url_takes_the_place_of_a_403() {
    let access = start(|settings| settings.api.custom_deny_url = Some("https://www.example.com/denied".into())).await;
    let answer = get(&access.api_local_url(), "/x", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("https://www.example.com/denied")));
    assert_eq!((answer.header("cf-access-aud"), answer.header("x-backend")), (Some(API_AUD), None));
    access.shutdown().await;
}

#[tokio::test]
async fn a_policy_that_lets_everyone_pass_is_still_an_application() {
    let access = start(|settings| settings.api.bypass = true).await;
    assert_eq!(get(&access.api_local_url(), "/x", &[]).await.header("x-backend"), Some("echo"));
    let word = send(&access.api_local_url(), "HEAD", "/x", &[("cf-access-metadata-request", "true")], "").await;
    assert_eq!(support::decode(word.header("cf-access-metadata").unwrap()).1["aud"], API_AUD);
    access.shutdown().await;
}

#[tokio::test]
async fn workers_dev_is_there_only_if_it_is_set_and_leads_past_the_app_only_if_it_is_open() {
    for (open, status, backend) in [(true, 200, Some("echo")), (false, 404, None)] {
        let access = start(|settings| settings.workers_dev = Some(WorkersDev { port: 0, open })).await;
        let url = access.addresses()["workers_dev_url"].as_str().unwrap().to_owned();
        let answer = get(&url, "/api/x", &[]).await;
        assert_eq!((answer.status, answer.header("x-backend")), (status, backend));
        access.shutdown().await;
    }
    let access = start(|_| {}).await;
    assert!(access.addresses().get("workers_dev_url").is_none());
    access.shutdown().await;
}

#[tokio::test]
async fn an_error_of_cloudflares_own_takes_the_place_of_the_backends_answer() {
    let access = start(|settings| settings.app.bypass = vec!["/".into()]).await;
    for (error, status) in [(1101, 500), (1033, 530), (522, 522)] {
        access.cloudflare_error(Listener::App, error);
        let answer = get(&access.app_local_url(), "/x", &[]).await;
        assert_eq!((answer.status, answer.body), (status, format!("error code: {error}")));
        access.cloudflare_error(Listener::Team, error);
        assert_eq!(get(&access.issuer(), "/cdn-cgi/access/certs", &[]).await.status, status);
    }
    for listener in [Listener::App, Listener::Team] {
        access.cloudflare_error(listener, 0);
    }
    assert_eq!(get(&access.app_local_url(), "/x", &[]).await.header("x-backend"), Some("echo"));
    assert_eq!(get(&access.issuer(), "/cdn-cgi/access/certs", &[]).await.status, 200);
    access.shutdown().await;
}
