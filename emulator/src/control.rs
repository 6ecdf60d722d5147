//! The handles over HTTP, for programs in other languages: JSON in, JSON out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::{Body, json, small_body};
use crate::listener::Listener;
use crate::settings::Backend;
use crate::state::Shared;
use crate::tokens::TokenRequest;

/// Answers a request to the control listener.
pub(crate) async fn serve(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    // Any web page could send a POST here; none has any business to, and browsers always name the page's origin.
    if request.headers().contains_key("origin") {
        return failed(StatusCode::FORBIDDEN, "the control listener is not for web pages");
    }
    let path = request.uri().path().to_owned();
    match (request.method().clone(), path.as_str()) {
        (Method::GET, "/stats") => json(StatusCode::OK, &stats(shared)),
        (Method::GET, "/state") => json(StatusCode::OK, &state(shared)),
        (Method::POST, path) => {
            let Some(body) = small_body(request.into_body()).await else {
                return failed(StatusCode::BAD_REQUEST, "the body is too long or not text");
            };
            match act(shared, path, &body).await {
                Ok(Some(value)) => json(StatusCode::OK, &value),
                Ok(None) => failed(StatusCode::NOT_FOUND, &format!("there is no POST {path}")),
                Err(message) => failed(StatusCode::BAD_REQUEST, &message),
            }
        }
        (method, path) => failed(StatusCode::NOT_FOUND, &format!("there is no {method} {path}")),
    }
}

/// Addresses and identifiers.
pub(crate) fn addresses(shared: &Shared) -> Value {
    json!({
        "issuer": shared.issuer,
        "certs_url": format!("{}/cdn-cgi/access/certs", shared.issuer),
        "app_url": shared.app.origin,
        "app_local_url": shared.app.local_url(),
        "app_aud": shared.app.aud,
        "api_url": shared.api.origin,
        "api_local_url": shared.api.local_url(),
        "api_aud": shared.api.aud,
        "client_id": shared.settings.service_token.client_id,
        "client_secret": shared.settings.service_token.client_secret,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct On {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    listener: Listener,
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloudflareError {
    listener: Listener,
    error: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DropConnections {
    listener: Listener,
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backends {
    app: Option<Vec<Backend>>,
    api: Option<String>,
}

/// Pulls one handle. `None` if there is none by that path.
async fn act(shared: &Shared, path: &str, body: &str) -> Result<Option<Value>, String> {
    match path {
        "/rotate-keys" => shared.rotate_keys().await.map_err(|error| error.to_string())?,
        "/drop-previous-keys" => shared.keys_mut().drop_previous(),
        "/expire-sessions" => shared.end_all_sessions(),
        "/refuse-service-token" => {
            shared.service_token_refused.store(parse::<On>(body)?.on, Ordering::Relaxed);
        }
        "/delay" => {
            let Delay { listener, ms } = parse(body)?;
            shared.switches(listener).set_delay(Duration::from_millis(ms));
        }
        "/cloudflare-error" => {
            let CloudflareError { listener, error } = parse(body)?;
            shared.switches(listener).set_cloudflare_error(error);
        }
        "/drop-connections" => {
            let DropConnections { listener, on } = parse(body)?;
            shared.switches(listener).set_drop_connections(on);
        }
        "/backends" => {
            let Backends { app, api } = parse(body)?;
            if let Some(backends) = app {
                shared.app.set_backends(backends).map_err(|error| error.to_string())?;
            }
            if let Some(to) = api {
                let backends = vec![Backend { path: "/".into(), to }];
                shared.api.set_backends(backends).map_err(|error| error.to_string())?;
            }
        }
        "/mint" => {
            let request: TokenRequest = parse(if body.is_empty() { "{}" } else { body })?;
            return Ok(Some(json!({ "token": shared.mint(&request) })));
        }
        _ => return Ok(None),
    }
    Ok(Some(json!({ "ok": true })))
}

fn stats(shared: &Shared) -> Value {
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let counts = &shared.counts;
    json!({
        "certs_requests": count(&counts.certs),
        "app_requests": count(&counts.app),
        "app_forwarded": count(&counts.app_forwarded),
        "api_requests": count(&counts.api),
        "api_forwarded": count(&counts.api_forwarded),
        "logins": count(&counts.logins),
        "metadata_requests": count(&counts.metadata),
    })
}

fn state(shared: &Shared) -> Value {
    let switches = |listener: Listener| {
        let switches = shared.switches(listener);
        json!({ "delay_ms": switches.delay().as_millis() as u64, "drop_connections": switches.drops_connections() })
    };
    let keys = shared.keys();
    json!({
        "addresses": addresses(shared),
        "keys": { "current": keys.current().kid(), "previous": keys.previous().map(|key| key.kid()) },
        "open_sessions": shared.open_sessions(),
        "refuse_service_token": shared.service_token_refused.load(Ordering::Relaxed),
        "team": switches(Listener::Team),
        "app": switches(Listener::App),
        "api": switches(Listener::Api),
        "app_backends": shared.app.backends(),
        "api_backends": shared.api.backends(),
        "settings": shared.settings,
    })
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("the body is not what is expected here: {error}"))
}

fn failed(status: StatusCode, message: &str) -> Response<Body> {
    json(status, &json!({ "error": message }))
}
