//! The API application: service tokens in strict and in older mode, and linked app tokens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, dead_code)]

mod support;

use access_emulator::settings::{API_AUD, APP_AUD, AudShape, CLIENT_ID, CLIENT_SECRET};
use access_emulator::tokens::TokenRequest;
use serde_json::{Value, json};
use support::{decode, get, send, start};

const ID: (&str, &str) = ("CF-Access-Client-Id", CLIENT_ID);
const SECRET: (&str, &str) = ("CF-Access-Client-Secret", CLIENT_SECRET);
const WRONG: (&str, &str) = ("CF-Access-Client-Secret", "wrong");

#[tokio::test]
async fn the_backend_gets_a_token_made_for_the_service() {
    let access = start(|_| ()).await;
    let forged = ("Cf-Access-Jwt-Assertion", "forged");
    let answer = send(&access.api_local_url(), "POST", "/v1/a%2Fb?q=%20", &[ID, SECRET, forged], "hello").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("set-cookie"), None);
    let seen = answer.json();
    assert_eq!(
        (&seen["method"], &seen["path"], &seen["body"]),
        (&json!("POST"), &json!("/v1/a%2Fb?q=%20"), &json!("hello"))
    );
    assert_eq!(answer.got("host").unwrap(), "host.example.localhost");
    assert_eq!(answer.got("cf-connecting-ip").unwrap(), "127.0.0.1");
    assert_eq!(answer.got("cf-access-client-id"), None);
    assert_eq!(answer.got("cf-access-client-secret"), None);
    assert_eq!(answer.got("cf-access-authenticated-user-email"), None);
    let (header, claims) = decode(&answer.got("cf-access-jwt-assertion").unwrap());
    let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["aud", "common_name", "exp", "iat", "iss", "sub", "type"]);
    assert_eq!(claims["aud"], json!([API_AUD]));
    assert_eq!(claims["common_name"], CLIENT_ID);
    assert_eq!(claims["sub"], "");
    assert_eq!(claims["type"], "app");
    assert_eq!(claims["iss"], access.issuer());
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
}

#[tokio::test]
async fn aud_can_be_a_plain_string() {
    let access = start(|settings| settings.api.aud_shape = AudShape::String).await;
    let answer = get(&access.api_local_url(), "/", &[ID, SECRET]).await;
    let (_, claims) = decode(&answer.got("cf-access-jwt-assertion").unwrap());
    assert_eq!(claims["aud"], API_AUD);
}

#[tokio::test]
async fn strict_mode_tells_401_from_403() {
    let access = start(|_| ()).await;
    let api = access.api_local_url();
    let cases: [(&[(&str, &str)], u16); 8] = [
        (&[], 403),
        (&[ID], 401),
        (&[SECRET], 401),
        (&[ID, WRONG], 401),
        (&[("CF-Access-Client-Id", "unknown.access"), SECRET], 401),
        (&[ID, ID, SECRET], 401),
        (&[ID, SECRET, SECRET], 401),
        (&[ID, SECRET], 200),
    ];
    for (headers, status) in cases {
        let answer = get(&api, "/", headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    access.refuse_service_token(true);
    let refused = get(&api, "/", &[ID, SECRET]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.header("cf-access-error").is_some());
    assert_eq!(get(&api, "/", &[ID, WRONG]).await.status, 401);
    access.refuse_service_token(false);
    assert_eq!(get(&api, "/", &[ID, SECRET]).await.status, 200);
}

#[tokio::test]
async fn strict_mode_ignores_cookies_next_to_a_service_token() {
    let access = start(|_| ()).await;
    let token = access.mint(&TokenRequest::service());
    let cookie = format!("CF_Authorization={token}");
    let cookie = ("Cookie", cookie.as_str());
    assert_eq!(get(&access.api_local_url(), "/", &[cookie]).await.status, 200);
    assert_eq!(get(&access.api_local_url(), "/", &[cookie, ID, WRONG]).await.status, 401);
}

#[tokio::test]
async fn the_older_mode_hands_out_a_cookie_that_is_a_credential() {
    let access = start(|settings| settings.api.strict = false).await;
    let api = access.api_local_url();
    let answer = get(&api, "/", &[ID, SECRET]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.cookies()[0].ends_with("; Path=/; Secure; HttpOnly; SameSite=None"));
    let cookie = answer.cookie("CF_Authorization");
    assert_eq!(cookie.strip_prefix("CF_Authorization="), answer.got("cf-access-jwt-assertion").as_deref());
    assert_eq!(get(&api, "/", &[("Cookie", &cookie)]).await.status, 200);
    // Lines that come twice are no reason to refuse in this mode.
    assert_eq!(get(&api, "/", &[ID, ID, SECRET]).await.status, 200);
    access.refuse_service_token(true);
    let refused = get(&api, "/", &[ID, SECRET]).await;
    assert_eq!((refused.status, refused.header("set-cookie")), (403, None));
}

#[tokio::test]
async fn the_older_mode_with_an_allow_policy_redirects_a_refused_token() {
    let access = start(|settings| {
        settings.api.strict = false;
        settings.api.allow_policy = true;
    })
    .await;
    access.refuse_service_token(true);
    assert_eq!(get(&access.api_local_url(), "/", &[ID, SECRET]).await.status, 302);
}

#[tokio::test]
async fn a_linked_app_token_carries_the_person_to_the_api() {
    let access = start(|settings| settings.api.linked_app_token = true).await;
    let api = access.api_local_url();
    let token = access.mint(&TokenRequest::user("grace@example.com"));
    let answer = get(&api, "/", &[("Cf-Access-Token", &token)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.got("cf-access-authenticated-user-email").unwrap(), "grace@example.com");
    let (_, theirs) = decode(&token);
    let (_, claims) = decode(&answer.got("cf-access-jwt-assertion").unwrap());
    assert_eq!(claims["aud"], json!([API_AUD]));
    assert_eq!((&claims["email"], &claims["sub"]), (&theirs["email"], &theirs["sub"]));
    let service = access.mint(&TokenRequest { aud: Some(json!([APP_AUD])), ..TokenRequest::service() });
    assert_eq!(get(&api, "/", &[("Cf-Access-Token", &service)]).await.status, 403);
    let elsewhere = access.mint(&TokenRequest { aud: Some(json!(["f00d"])), ..TokenRequest::user("a@example.com") });
    assert_eq!(get(&api, "/", &[("Cf-Access-Token", &elsewhere)]).await.status, 403);
    access.expire_sessions();
    assert_eq!(get(&api, "/", &[("Cf-Access-Token", &token)]).await.status, 403);
}

#[tokio::test]
async fn without_the_rule_an_app_token_does_not_open_the_api() {
    let access = start(|_| ()).await;
    let token = access.mint(&TokenRequest::user("grace@example.com"));
    assert_eq!(get(&access.api_local_url(), "/", &[("Cf-Access-Token", &token)]).await.status, 403);
}

#[tokio::test]
async fn preflights_pass_only_with_credentials() {
    let access = start(|_| ()).await;
    let api = access.api_local_url();
    let preflight = [("Origin", "http://other.example"), ("Access-Control-Request-Method", "PUT")];
    assert_eq!(send(&api, "OPTIONS", "/", &preflight, "").await.status, 403);
    let answer = send(&api, "OPTIONS", "/", &[preflight[0], preflight[1], ID, SECRET], "").await;
    assert_eq!((answer.status, &answer.json()["method"]), (200, &Value::from("OPTIONS")));
}

#[tokio::test]
async fn an_app_that_takes_service_tokens() {
    let access = start(|settings| settings.app.service_tokens = true).await;
    let answer = get(&access.app_local_url(), "/", &[ID, SECRET]).await;
    let (_, claims) = decode(&answer.got("cf-access-jwt-assertion").unwrap());
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!([APP_AUD]), &json!("")));
    assert_eq!(answer.got("cf-access-client-secret"), None);
    let closed = start(|_| ()).await;
    assert_eq!(get(&closed.app_local_url(), "/", &[ID, SECRET]).await.status, 403);
}
