//! What those see who are not let in. The shapes are those that were measured on real accounts:
//!
//! | request | only a Service Auth policy | with an Allow policy too |
//! |---|---|---|
//! | any | 403, `cf-access-aud`, `cf-access-domain`; HTML or JSON | 302, `CF_AppSession`, `www-authenticate` |
//! | `X-Requested-With: XMLHttpRequest` | 403 | 401, `www-authenticate` |
//! | WebSocket upgrade, wrong secret | 403 | 302 |
//! | preflight | 403 | 403 |
//!
//! With a custom deny URL, a 403 becomes a redirect there. With *Managed OAuth*, strangers get a 401 with the scheme `Bearer`.
//!
//! Strict mode answers a service token that fails before all that: 401 if it cannot authenticate, 403 if it is
//! valid and not allowed.

use hyper::header::HeaderMap;
use hyper::{Response, StatusCode, Uri};
use serde_json::json;

use crate::admission::Refusal;
use crate::application::Application;
use crate::http::{Body, COOKIE_NAME, access_cookie, append, cookies, has_token, header, html, json, redirect, set};
use crate::keys::random_hex;
use crate::login::login_address;
use crate::pages;
use crate::state::Shared;

const APP_SESSION_SECONDS: i64 = 24 * 60 * 60;

/// The answer to a request that is refused.
pub(crate) fn refuse(
    shared: &Shared,
    application: &Application,
    refusal: Refusal,
    preflight: bool,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response<Body> {
    match refusal {
        Refusal::ServiceTokenInvalid => {
            let mut answer = forbidding(application, StatusCode::UNAUTHORIZED, uri.path(), headers);
            set(answer.headers_mut(), "www-authenticate", &challenge(application));
            answer
        }
        Refusal::ServiceTokenNotAllowed => {
            let mut answer = forbidding(application, StatusCode::FORBIDDEN, uri.path(), headers);
            set(answer.headers_mut(), "cf-access-error", "service_token_not_allowed");
            answer
        }
        Refusal::Unauthenticated if application.managed_oauth && !preflight => managed_oauth(application),
        Refusal::Unauthenticated if preflight || !application.allow_policy => {
            forbidding(application, StatusCode::FORBIDDEN, uri.path(), headers)
        }
        Refusal::Unauthenticated if is_xhr(headers) => {
            let mut answer =
                json(StatusCode::UNAUTHORIZED, &json!({ "status": 401, "error": "Authentication is required." }));
            set(answer.headers_mut(), "www-authenticate", &challenge(application));
            answer
        }
        Refusal::Unauthenticated => to_login(shared, application, uri, headers),
    }
}

fn to_login(shared: &Shared, application: &Application, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // A browser that just logged in and has no cookie did not keep it, and would only see the login again.
    let no_cookie =
        cookies(headers, COOKIE_NAME).next().is_none() && shared.expects_return(application.aud_at(uri.path()), path);
    let aud = application.aud_at(uri.path());
    let mut answer = redirect(&login_address(&shared.issuer, application, aud, path, no_cookie));
    let headers = answer.headers_mut();
    set(headers, "www-authenticate", &challenge(application));
    append(headers, "set-cookie", &access_cookie("CF_AppSession", &random_hex(8), APP_SESSION_SECONDS));
    answer
}

/// What a client of *Managed OAuth* gets, from which it finds out where to log in (RFC 9728 §5.1).
fn managed_oauth(application: &Application) -> Response<Body> {
    let metadata = format!("{}/.well-known/oauth-protected-resource", application.origin);
    let about = json!({ "error": "invalid_token", "resource_metadata": metadata });
    let mut answer = json(StatusCode::UNAUTHORIZED, &about);
    let challenge = format!(r#"Bearer realm="OAuth", error="invalid_token", resource_metadata="{metadata}""#);
    set(answer.headers_mut(), "www-authenticate", &challenge);
    answer
}

fn forbidding(application: &Application, status: StatusCode, path: &str, headers: &HeaderMap) -> Response<Body> {
    let (host, aud) = (&application.hostname, application.aud_at(path));
    let denied = application.custom_deny_url.as_ref().filter(|_| status == StatusCode::FORBIDDEN);
    let mut answer = if let Some(url) = denied {
        redirect(url)
    } else if wants_json(headers) {
        let message = "You do not have permission to view this.";
        let about = json!({ "status": status.as_u16(), "aud": aud, "domain": host, "message": message });
        json(status, &about)
    } else {
        html(status, pages::forbidden(host))
    };
    set(answer.headers_mut(), "cf-access-aud", aud);
    set(answer.headers_mut(), "cf-access-domain", host);
    answer
}

fn challenge(application: &Application) -> String {
    let origin = &application.origin;
    format!(r#"Cloudflare-Access resource_metadata="{origin}/.well-known/cloudflare-access-protected-resource/""#)
}

fn is_xhr(headers: &HeaderMap) -> bool {
    header(headers, "x-requested-with").is_some_and(|by| by.eq_ignore_ascii_case("XMLHttpRequest"))
}

fn wants_json(headers: &HeaderMap) -> bool {
    has_token(headers, "accept", "application/json")
}
