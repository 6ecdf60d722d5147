//! Signed application metadata: what Access answers to a program that asks which application covers a URL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, dead_code)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use access_emulator::emulator::Emulator;
use access_emulator::settings::{API_AUD, APP_AUD, Backend, CLIENT_ID, CLIENT_SECRET, Settings};
use access_emulator::tokens::TokenRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use rsa::{BigUint, RsaPublicKey};
use serde_json::{Value, json};
use support::{Answer, decode, get, send, start};
use tokio::net::TcpListener;

const REQUEST: (&str, &str) = ("Cf-Access-Metadata-Request", "true");
const METADATA: &str = "cf-access-metadata";
const ID: (&str, &str) = ("CF-Access-Client-Id", CLIENT_ID);
const SECRET: (&str, &str) = ("CF-Access-Client-Secret", CLIENT_SECRET);
const WRONG: (&str, &str) = ("CF-Access-Client-Secret", "wrong");

/// Asks for the metadata of a URL.
async fn ask(base: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(base, "HEAD", path, &[headers, &[REQUEST]].concat(), "").await
}

/// The token of an answer that has one, and nothing that belongs to a login, a refusal or a backend.
fn token(answer: &Answer) -> &str {
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    for absent in ["set-cookie", "location", "www-authenticate", "cf-access-aud", "cf-access-domain", "x-backend"] {
        assert_eq!(answer.header(absent), None, "{absent}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.header(METADATA).unwrap()
}

/// The header and the claims of a token that one of the published keys signed.
async fn verified(access: &Emulator, token: &str) -> (Value, Value) {
    let certs = get(&access.issuer(), "/cdn-cgi/access/certs", &[]).await.json();
    let (header, claims) = decode(token);
    let key =
        certs["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).expect("a published key");
    let number = |name: &str| BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap());
    let key = VerifyingKey::<Sha256>::new(RsaPublicKey::new(number("n"), number("e")).unwrap());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::try_from(URL_SAFE_NO_PAD.decode(signature).unwrap().as_slice()).unwrap();
    key.verify(message.as_bytes(), &signature).unwrap();
    (header, claims)
}

/// A backend that counts who connects, and answers nobody.
async fn witness() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, seen)
}

async fn stats(access: &Emulator) -> Value {
    get(&access.control_url(), "/stats", &[]).await.json()
}

#[tokio::test]
async fn an_application_says_which_it_is() {
    let access = start(|_| ()).await;
    let team = access.issuer().strip_prefix("http://").unwrap().to_owned();
    for (base, aud, app_hostname) in [
        (access.app_local_url(), APP_AUD, "app.example.localhost"),
        (access.api_local_url(), API_AUD, "api.example.localhost"),
    ] {
        let answer = ask(&base, "/deep/path?a=1", &[]).await;
        let (header, mut claims) = verified(&access, token(&answer)).await;
        assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
        assert_eq!(header.as_object().unwrap().len(), 3);
        let iat = claims.as_object_mut().unwrap().remove("iat").unwrap().as_u64().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((now - 60..=now).contains(&iat), "{iat}");
        let expected = json!({
            "type": "match",
            "hostname": "host.example.localhost",
            "auth_domain": team,
            "aud": aud,
            "app_hostname": app_hostname,
        });
        assert_eq!(claims, expected);
    }
    assert_eq!(access.metadata_requests(), 2);
}

#[tokio::test]
async fn access_answers_by_itself_whoever_asks() {
    let (backend, seen) = witness().await;
    let access = start(|settings| {
        settings.app.backends = vec![Backend { path: "/".into(), to: backend.clone() }];
        settings.app.service_tokens = true;
        settings.api.backend = backend;
        settings.api.allow_policy = true;
    })
    .await;
    let app_token = access.mint(&TokenRequest::user("ada@example.com"));
    let api_token = access.mint(&TokenRequest { aud: Some(json!(API_AUD)), ..TokenRequest::user("ada@example.com") });
    let bases = [(access.app_local_url(), APP_AUD, app_token), (access.api_local_url(), API_AUD, api_token)];
    for (base, aud, session) in &bases {
        let cookie = format!("CF_Authorization={session}");
        let callers: [&[(&str, &str)]; 8] = [
            &[],
            &[("Cookie", &cookie)],
            &[("Cookie", "CF_Authorization=nonsense")],
            &[("Cf-Access-Token", session)],
            &[ID, SECRET],
            &[ID, WRONG],
            &[ID, ID, SECRET],
            &[("X-Requested-With", "XMLHttpRequest"), ("Origin", "https://other.example")],
        ];
        for caller in callers {
            let answer = ask(base, "/", caller).await;
            assert_eq!(decode(token(&answer)).1["aud"], *aud, "{caller:?}");
        }
    }
    let stats = stats(&access).await;
    let count = |name: &str| stats[name].as_u64().unwrap();
    assert_eq!((count("metadata_requests"), count("app_requests"), count("api_requests")), (16, 8, 8));
    assert_eq!((count("app_forwarded"), count("api_forwarded"), seen.load(Ordering::Relaxed)), (0, 0, 0));
    // What would have been seen.
    assert_eq!(get(&bases[0].0, "/", &[ID, SECRET]).await.status, 502);
    assert_ne!(seen.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn only_a_head_that_says_true_asks() {
    let access = start(|_| ()).await;
    let app = access.app_local_url();
    let session = access.mint(&TokenRequest::user("ada@example.com"));
    let session = ("Cf-Access-Token", session.as_str());
    let asks = |value| ("Cf-Access-Metadata-Request", value);
    let cases = [
        ("GET", Some(REQUEST)),
        ("POST", Some(REQUEST)),
        ("OPTIONS", Some(REQUEST)),
        ("HEAD", Some(asks("false"))),
        ("HEAD", Some(asks("TRUE"))),
        ("HEAD", Some(asks("1"))),
        ("HEAD", Some(asks(""))),
        ("HEAD", None),
    ];
    for (method, header) in cases {
        let header: Vec<(&str, &str)> = header.into_iter().collect();
        let refused = send(&app, method, "/x", &header, "").await;
        assert_eq!((refused.status, refused.header(METADATA)), (302, None), "{method} {header:?}");
        assert!(refused.header("location").unwrap().contains(APP_AUD));
        let passed = send(&app, method, "/x", &[&header[..], &[session]].concat(), "").await;
        assert_eq!((passed.status, passed.header(METADATA)), (200, None), "{method} {header:?}");
        assert_eq!(passed.header("x-backend"), Some("echo"));
    }
    let passed = get(&app, "/x", &[REQUEST, session]).await;
    assert_eq!(passed.got("cf-access-metadata-request").unwrap(), "true");
    // The paths below /cdn-cgi/ are no part of the application.
    let own = ask(&app, "/cdn-cgi/access/get-identity", &[]).await;
    assert_eq!((own.status, own.header(METADATA)), (400, None));
    assert_eq!(access.metadata_requests(), 0);
}

#[tokio::test]
async fn an_edge_may_not_answer_it() {
    let on_the_app = |settings: &mut Settings| settings.app.metadata = false;
    let on_the_api = |settings: &mut Settings| settings.api.metadata = false;
    let access = start(on_the_app).await;
    let silent = ask(&access.app_local_url(), "/", &[]).await;
    assert_eq!((silent.status, silent.header(METADATA)), (302, None));
    assert!(silent.header("location").unwrap().contains(&format!("kid={APP_AUD}&")));
    token(&ask(&access.api_local_url(), "/", &[]).await);
    let access = start(on_the_api).await;
    let silent = ask(&access.api_local_url(), "/", &[]).await;
    assert_eq!((silent.status, silent.header(METADATA)), (403, None));
    assert_eq!(silent.header("cf-access-aud"), Some(API_AUD));
    let passed = ask(&access.api_local_url(), "/", &[ID, SECRET]).await;
    assert_eq!((passed.status, passed.header("x-backend")), (200, Some("echo")));
    token(&ask(&access.app_local_url(), "/", &[]).await);
    assert_eq!(access.metadata_requests(), 1);
}

#[tokio::test]
async fn a_bypassed_path_is_another_application_or_none() {
    let start = async |aud: Option<&str>, metadata: bool| {
        start(|settings| {
            settings.app.bypass = vec!["/api".into()];
            settings.app.bypass_aud = aud.map(String::from);
            settings.app.metadata = metadata;
        })
        .await
    };
    let named = start(Some("f00d"), true).await;
    for (path, aud) in [("/api", "f00d"), ("/api/x?y", "f00d"), ("/apiary", APP_AUD), ("/", APP_AUD)] {
        let answer = ask(&named.app_local_url(), path, &[]).await;
        let (_, claims) = verified(&named, token(&answer)).await;
        assert_eq!((&claims["aud"], &claims["app_hostname"]), (&json!(aud), &json!("app.example.localhost")), "{path}");
    }
    assert_eq!(named.metadata_requests(), 4);
    let unnamed = start(None, true).await;
    let silent = start(Some("f00d"), false).await;
    for access in [&unnamed, &silent] {
        let passed = ask(&access.app_local_url(), "/api/x", &[]).await;
        assert_eq!((passed.status, passed.header("x-backend"), passed.header(METADATA)), (200, Some("echo"), None));
        assert_eq!(access.metadata_requests(), 0);
    }
    token(&ask(&unnamed.app_local_url(), "/apiary", &[]).await);
}

#[tokio::test]
async fn a_new_key_signs_the_next_answer() {
    let access = start(|_| ()).await;
    let before = ask(&access.app_local_url(), "/", &[]).await;
    let (old, _) = verified(&access, token(&before)).await;
    access.rotate_keys().await.unwrap();
    let after = ask(&access.app_local_url(), "/", &[]).await;
    access.drop_previous_keys();
    let (new, _) = verified(&access, token(&after)).await;
    assert_ne!(old["kid"], new["kid"]);
}

#[tokio::test]
async fn a_host_that_is_none_leaves_the_applications_own_name() {
    let access = start(|_| ()).await;
    let app = access.app_local_url();
    let cases = [
        ("other.example.localhost", "other.example.localhost"),
        ("other.example.localhost:8700", "other.example.localhost"),
        ("127.0.0.1:8700", "127.0.0.1"),
        ("[::1]:8700", "[::1]"),
        ("", "app.example.localhost"),
        (":8700", "app.example.localhost"),
        ("a b", "app.example.localhost"),
        ("a/b", "app.example.localhost"),
        ("\"quoted\"", "app.example.localhost"),
        ("ada@other.example.localhost", "app.example.localhost"),
        ("h\u{f6}st.example.localhost", "app.example.localhost"),
    ];
    for (host, hostname) in cases {
        let answer = ask(&app, "/", &[("Host", host)]).await;
        let (_, claims) = verified(&access, token(&answer)).await;
        assert_eq!(claims["hostname"], hostname, "{host}");
    }
}

#[tokio::test]
async fn metadata_opens_nothing() {
    let access = start(|settings| {
        settings.app.service_tokens = true;
        settings.api.allow_policy = true;
        settings.api.linked_app_token = true;
    })
    .await;
    let (app, api) = (access.app_local_url(), access.api_local_url());
    let (of_app, of_api) = (ask(&app, "/", &[]).await, ask(&api, "/", &[]).await);
    // The type alone closes the door: in these two, all else is what a login would write.
    let like_a_login = |aud: &str| {
        access.mint(&TokenRequest {
            aud: Some(json!(aud)),
            token_type: Some("match".into()),
            ..TokenRequest::user("ada@example.com")
        })
    };
    let tokens = [token(&of_app).to_owned(), token(&of_api).to_owned(), like_a_login(APP_AUD), like_a_login(API_AUD)];
    for token in &tokens {
        let cookie = format!("CF_Authorization={token}");
        for header in [("Cookie", cookie.as_str()), ("Cf-Access-Token", token), ("Cf-Access-Jwt-Assertion", token)] {
            for base in [&app, &api] {
                let answer = get(base, "/", &[header]).await;
                assert_eq!((answer.status, answer.header("x-backend")), (302, None), "{base} {header:?}");
                assert_eq!(get(base, "/cdn-cgi/access/get-identity", &[header]).await.status, 400);
            }
        }
    }
}
