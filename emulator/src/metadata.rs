//! Signed application metadata: a program asks which application covers a URL, and Access itself answers with a token
//! that says so. Cloudflare does not document it. The request and the claims are those that cloudflared knows
//! (`token/token.go` and `token/jwks.go`, since 2026.8).

use std::sync::atomic::Ordering;

use hyper::header::HeaderMap;
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::application::Application;
use crate::http::{Body, header, set, text};
use crate::state::Shared;
use crate::tokens::now;

const REQUEST: &str = "cf-access-metadata-request";
const METADATA: &str = "cf-access-metadata";

/// The answer to a request for metadata, whoever sends it; nothing if the request does not ask, or nobody answers.
/// The status of the real answer is unverified.
pub(crate) fn metadata<B>(shared: &Shared, application: &Application, request: &Request<B>) -> Option<Response<Body>> {
    let asks = request.method() == Method::HEAD && header(request.headers(), REQUEST) == Some("true");
    let aud = application.metadata_aud(request.uri().path()).filter(|_| asks)?;
    shared.counts.metadata.fetch_add(1, Ordering::Relaxed);
    let hostname = hostname(request.headers()).unwrap_or_else(|| application.hostname.clone());
    let claims = claims(shared, application, &hostname, aud);
    let keys = shared.keys();
    let token = keys.current().sign(keys.current().kid(), &claims);
    let mut answer = text(StatusCode::OK, String::new());
    set(answer.headers_mut(), METADATA, &token);
    Some(answer)
}

/// With this `type`, and with neither `iss` nor `exp`, the token opens no application.
fn claims(shared: &Shared, application: &Application, hostname: &str, aud: &str) -> Map<String, Value> {
    let claims = [
        ("type", json!("match")),
        ("hostname", json!(hostname)),
        ("auth_domain", json!(shared.issuer.trim_start_matches("http://"))),
        ("aud", json!(aud)),
        ("app_hostname", json!(application.hostname)),
        ("iat", json!(now())),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The host name in `Host`, without the port (RFC 9110, section 7.2); nothing if there is none.
fn hostname(headers: &HeaderMap) -> Option<String> {
    let authority = header(headers, "host")?.parse::<Authority>().ok()?;
    // An authority may begin with a user's name, which `Host` has no place for.
    let host = authority.host();
    (!host.is_empty() && !authority.as_str().contains('@')).then(|| host.to_owned())
}
