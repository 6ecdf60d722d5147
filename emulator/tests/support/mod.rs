//! What the tests share: a backend that tells what it was asked, and a client that writes requests byte by byte.

use std::collections::HashMap;

use access_emulator::emulator::Emulator;
use access_emulator::settings::{Backend, Settings};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An answer, its headers in lower case and in order.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn cookies(&self) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key == "set-cookie").map(|(_, value)| value.as_str()).collect()
    }

    /// `name=value` of the cookie of this name.
    pub fn cookie(&self, name: &str) -> String {
        let line = self.cookies().into_iter().find(|line| line.starts_with(&format!("{name}="))).unwrap();
        line.split(';').next().unwrap().to_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What the backend got in this header.
    pub fn got(&self, name: &str) -> Option<String> {
        self.json()["headers"][name].as_str().map(String::from)
    }
}

/// Starts an emulator on free ports before one backend that echoes what it gets.
pub async fn start(change: impl FnOnce(&mut Settings)) -> Emulator {
    let backend = echo().await;
    let mut settings = Settings::on_free_ports();
    settings.app.backends = vec![Backend { path: "/".into(), to: backend.clone() }];
    settings.api.backend = backend;
    change(&mut settings);
    Emulator::start(settings).await.unwrap()
}

/// A backend that answers with the request it got as JSON; headers that come twice are joined by " & ".
pub async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper::service::service_fn(echo_request);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn echo_request(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut headers: HashMap<String, String> = HashMap::new();
    for (name, value) in &parts.headers {
        let value = value.to_str().unwrap();
        headers.entry(name.to_string()).and_modify(|all| *all = format!("{all} & {value}")).or_insert(value.into());
    }
    let seen = json!({
        "method": parts.method.as_str(),
        "path": parts.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let mut answer = Response::new(Full::from(seen.to_string()));
    answer.headers_mut().insert("x-backend", "echo".parse().unwrap());
    Ok(answer)
}

/// Sends a request as it stands, lines of headers included, and reads the answer to its end. Without a line for `Host`
/// it asks for host.example.localhost.
pub async fn send(base: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_send(base, method, path, headers, body).await.expect("an answer")
}

/// As [`send`], or nothing if the connection was closed with no answer.
pub async fn try_send(base: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text += "Host: host.example.localhost\r\n";
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.ok()?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.map(|line| line.split_once(':').unwrap());
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().into())).collect();
    let mut answer = Answer { status, headers, body: body.to_owned() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = dechunk(body);
    }
    Some(answer)
}

pub async fn get(base: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(base, "GET", path, headers, "").await
}

/// The header and the claims of a token, unchecked.
pub fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

fn dechunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole += &rest[..size];
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}
