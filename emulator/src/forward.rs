//! The reverse proxy. Bodies stream both ways, and a connection that a backend upgrades is joined byte by byte.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode, Uri, upgrade};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::copy_bidirectional;
use tokio::sync::watch;

use crate::http::{Body, has_token, text};

/// The connections to the backends.
pub(crate) type Client = hyper_util::client::legacy::Client<HttpConnector, Body>;

/// Headers that speak of one connection only (RFC 9110, section 7.6.1), and so end here.
const HOP_BY_HOP: [&str; 7] =
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

pub(crate) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        // Shorter than the five seconds after which a server in Node closes an idle connection.
        .pool_idle_timeout(Duration::from_secs(2))
        .pool_timer(TokioTimer::new())
        .build(connector)
}

/// Sends a request to a backend, its `Host` as it is, and returns the backend's answer.
pub(crate) async fn forward(
    client: &Client,
    backend: &str,
    mut request: Request<Incoming>,
    mut stop: watch::Receiver<()>,
) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(target) = format!("{backend}{path}").parse::<Uri>() else {
        return text(StatusCode::BAD_REQUEST, "The path of the request is not valid.\n".into());
    };
    let caller = wanted_upgrade(request.headers()).map(|protocol| (protocol, upgrade::on(&mut request)));
    let (mut parts, body) = request.into_parts();
    parts.uri = target;
    parts.version = hyper::Version::HTTP_11;
    end_hop(&mut parts.headers, caller.as_ref().map(|(protocol, _)| protocol));
    let mut answer = match client.request(Request::from_parts(parts, body.boxed())).await {
        Ok(answer) => answer,
        Err(error) => return unreachable_backend(backend, &error),
    };
    let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let protocol = answer.headers().get(UPGRADE).cloned().filter(|_| switched);
    end_hop(answer.headers_mut(), protocol.as_ref());
    if let (true, Some((_, caller))) = (switched, caller) {
        let backend = upgrade::on(&mut answer);
        tokio::spawn(async move {
            let join = async move {
                // The caller's side is ready only when the 101 has been written, so both are awaited here.
                if let (Ok(backend), Ok(caller)) = (backend.await, caller.await) {
                    // An error here is one side gone: the other is closed with it, and nobody is left to tell.
                    let _ = copy_bidirectional(&mut TokioIo::new(backend), &mut TokioIo::new(caller)).await;
                }
            };
            tokio::select! {
                () = join => {}
                _ = stop.changed() => {}
            }
        });
    }
    answer.map(BodyExt::boxed)
}

/// The protocol that the caller asks to switch to.
fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(UPGRADE).filter(|_| has_token(headers, "connection", "upgrade")).cloned()
}

/// Removes what concerns the connection alone, and says anew that it is to be upgraded if that is so.
fn end_hop(headers: &mut HeaderMap, upgrade: Option<&HeaderValue>) {
    let lists = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        lists.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    }
}

fn unreachable_backend(backend: &str, error: &dyn Error) -> Response<Body> {
    let mut message = format!("The backend {backend} cannot be reached: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(message, ": {error}");
        cause = error.source();
    }
    message.push('\n');
    text(StatusCode::BAD_GATEWAY, message)
}
