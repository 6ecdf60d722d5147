//! The handles, as methods and over the control listener; keys, streams and WebSockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, dead_code)]

mod support;

use std::time::{Duration, Instant};

use access_emulator::emulator::Emulator;
use access_emulator::listener::Listener;
use access_emulator::settings::{CLIENT_ID, CLIENT_SECRET, Settings};
use access_emulator::tokens::{Signatory, TokenRequest};
use serde_json::{Value, json};
use support::{decode, get, send, start, try_send};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CERTS: &str = "/cdn-cgi/access/certs";

async fn kids(access: &Emulator) -> Vec<String> {
    let certs = get(&access.issuer(), CERTS, &[]).await.json();
    certs["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn keys_rotate() {
    let access = start(|_| ()).await;
    let app = access.app_local_url();
    let certs = get(&access.issuer(), CERTS, &[]).await.json();
    let key = &certs["keys"][0];
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS256"), &json!("sig")));
    assert_eq!(key["kid"].as_str().unwrap().len(), 64);
    assert_eq!(certs["public_cert"]["kid"], key["kid"]);
    assert_eq!(certs["public_certs"].as_array().unwrap().len(), 1);
    let old = access.mint(&TokenRequest::user("ada@example.com"));
    access.rotate_keys().await.unwrap();
    let new = access.mint(&TokenRequest::user("ada@example.com"));
    let previous =
        access.mint(&TokenRequest { signed_by: Signatory::Previous, ..TokenRequest::user("ada@example.com") });
    let kid = |token: &str| decode(token).0["kid"].as_str().unwrap().to_owned();
    assert_eq!(kid(&previous), kid(&old));
    assert_eq!(kids(&access).await, [kid(&old), kid(&new)]);
    assert_eq!(get(&app, "/", &[("cf-access-token", &old)]).await.status, 200);
    access.drop_previous_keys();
    assert_eq!(kids(&access).await, [kid(&new)]);
    assert_eq!(get(&app, "/", &[("cf-access-token", &old)]).await.status, 302);
    assert_eq!(get(&app, "/", &[("cf-access-token", &new)]).await.status, 200);
    assert_eq!(access.certs_requests(), 3);
}

#[tokio::test]
async fn listeners_can_be_slow_or_dead() {
    let access = start(|_| ()).await;
    access.delay(Listener::Team, Duration::from_millis(150));
    let begun = Instant::now();
    get(&access.issuer(), CERTS, &[]).await;
    assert!(begun.elapsed() >= Duration::from_millis(150));
    access.delay(Listener::Team, Duration::ZERO);
    access.drop_connections(Listener::Api, true);
    assert!(try_send(&access.api_local_url(), "GET", "/", &[], "").await.is_none());
    assert_eq!(get(&access.app_local_url(), "/", &[]).await.status, 302);
    access.drop_connections(Listener::Api, false);
    assert_eq!(get(&access.api_local_url(), "/", &[]).await.status, 403);
}

#[tokio::test]
async fn open_connections_are_dropped_too() {
    let access = start(|_| ()).await;
    let mut stream = TcpStream::connect(access.issuer().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("GET {CERTS} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    access.drop_connections(Listener::Team, true);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    // The end of the stream or a reset: either way there is no second answer.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("HTTP/1.1"));
}

#[tokio::test]
async fn the_control_listener_pulls_every_handle() {
    let access = start(|_| ()).await;
    let control = access.control_url();
    let post = async |path: &str, body: Value| {
        let answer = send(&control, "POST", path, &[], &body.to_string()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    };
    let state = async || get(&control, "/state", &[]).await.json();
    let minted = post("/mint", json!({ "email": "linus@example.com", "extra": { "custom": [1] } })).await;
    let token = minted["token"].as_str().unwrap();
    assert_eq!((&decode(token).1["email"], &decode(token).1["custom"]), (&json!("linus@example.com"), &json!([1])));
    let kid = state().await["keys"]["current"].clone();
    post("/rotate-keys", json!({})).await;
    assert_eq!(state().await["keys"]["previous"], kid);
    post("/drop-previous-keys", json!({})).await;
    assert_eq!(state().await["keys"]["previous"], Value::Null);
    assert_eq!(state().await["open_sessions"], 1);
    post("/expire-sessions", json!({})).await;
    assert_eq!(state().await["open_sessions"], 0);
    post("/refuse-service-token", json!({ "on": true })).await;
    let service = [("CF-Access-Client-Id", CLIENT_ID), ("CF-Access-Client-Secret", CLIENT_SECRET)];
    assert_eq!(get(&access.api_local_url(), "/", &service).await.status, 403);
    post("/delay", json!({ "listener": "app", "ms": 5 })).await;
    post("/drop-connections", json!({ "listener": "team", "on": true })).await;
    assert_eq!(state().await["app"]["delay_ms"], 5);
    assert_eq!(state().await["team"]["drop_connections"], true);
    post("/backends", json!({ "api": "http://127.0.0.1:9" })).await;
    assert_eq!(state().await["api_backends"][0]["to"], "http://127.0.0.1:9");
    assert_eq!(get(&control, "/stats", &[]).await.json()["api_requests"], 1);
}

#[tokio::test]
async fn the_control_listener_refuses_what_it_does_not_know() {
    let access = start(|_| ()).await;
    let control = access.control_url();
    let status = async |path: &str, headers: &[(&str, &str)], body: &str| {
        send(&control, "POST", path, headers, body).await.status
    };
    assert_eq!(status("/nothing", &[], "").await, 404);
    assert_eq!(status("/delay", &[], r#"{"listener":"moon","ms":1}"#).await, 400);
    assert_eq!(status("/delay", &[], "").await, 400);
    assert_eq!(status("/mint", &[], r#"{"emial":"a@example.com"}"#).await, 400);
    assert_eq!(status("/rotate-keys", &[("Origin", "https://evil.example")], "").await, 403);
    assert_eq!(get(&control, "/nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut settings = Settings::on_free_ports();
    settings.app.port = port;
    let error = Emulator::start(settings).await.err().unwrap();
    assert_eq!(error.to_string(), format!("port {port} (app) is already in use"));
}

#[tokio::test]
async fn a_shutdown_frees_the_ports() {
    let access = start(|_| ()).await;
    let address = access.issuer().strip_prefix("http://").unwrap().to_owned();
    access.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn settings_name_only_what_differs() {
    let settings: Settings = serde_json::from_str(r#"{"api":{"strict":false}}"#).unwrap();
    let mut expected = Settings::default();
    expected.api.strict = false;
    assert_eq!(settings, expected);
    assert!(serde_json::from_str::<Settings>(r#"{"api":{"strikt":false}}"#).is_err());
}

/// A backend that takes one connection, sends what it is given, and then echoes bytes.
async fn raw_backend(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });
    address
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn websockets_are_joined() {
    let backend = raw_backend(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello",
    )
    .await;
    let access = start(|settings| settings.api.backend = backend).await;
    let mut stream = TcpStream::connect(access.api_local_url().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         CF-Access-Client-Id: {CLIENT_ID}\r\nCF-Access-Client-Secret: {CLIENT_SECRET}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await.to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"), "{head}");
    read_until(&mut stream, "hello").await;
    stream.write_all(b"ping").await.unwrap();
    read_until(&mut stream, "ping").await;
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    // The backend answers before the request's body ends, and then sends each piece back as it comes.
    let backend = raw_backend("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    let access = start(|settings| settings.api.backend = backend).await;
    let mut stream = TcpStream::connect(access.api_local_url().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
         CF-Access-Client-Id: {CLIENT_ID}\r\nCF-Access-Client-Secret: {CLIENT_SECRET}\r\n\r\n4\r\nping\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut stream, "first\r\n").await;
    read_until(&mut stream, "ping\r\n").await;
    stream.write_all(b"4\r\npong\r\n").await.unwrap();
    read_until(&mut stream, "pong\r\n").await;
}
