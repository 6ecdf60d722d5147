//! The identity-aware proxy in front of an application: its own paths below `/cdn-cgi/`, requests for signed metadata,
//! and for all others the way of a request: let in or refused, told who calls, forwarded.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::admission::{Admission, admit, session};
use crate::application::Application;
use crate::forward::forward;
use crate::http::{Body, COOKIE_NAME, access_cookie, append, html, is_preflight, json, parameter, redirect, set, text};
use crate::keys::random_hex;
use crate::listener::Listener;
use crate::login::AUTHORIZED_PATH;
use crate::metadata::metadata;
use crate::pages;
use crate::refusal::refuse;
use crate::state::Shared;
use crate::tokens::text as claim;

/// Answers a request to an application.
pub(crate) async fn serve(
    shared: &Shared,
    application: &Application,
    caller: IpAddr,
    mut request: Request<Incoming>,
    stop: watch::Receiver<()>,
) -> Response<Body> {
    if request.uri().path().starts_with("/cdn-cgi/") {
        return own_path(shared, application, request.uri(), request.headers(), caller);
    }
    // Before anybody is admitted or refused: the answer is the same with a login and without one.
    if let Some(answer) = metadata(shared, application, &request) {
        return answer;
    }
    let (method, uri) = (request.method(), request.uri());
    let admission = match admit(shared, application, uri.path(), request.headers()) {
        Ok(admission) => Some(admission),
        Err(_) if application.passes_everyone(method, uri.path()) => None,
        Err(refusal) => {
            let preflight = is_preflight(method, request.headers());
            return refuse(shared, application, refusal, preflight, uri, request.headers());
        }
    };
    let Some(backend) = application.backend_for(uri.path()) else {
        return text(StatusCode::NOT_FOUND, format!("No backend is set for {}.\n", uri.path()));
    };
    let ray = random_hex(8);
    introduce(request.headers_mut(), admission.as_ref(), caller, &ray);
    let counts = &shared.counts;
    let forwarded = if application.listener == Listener::Api { &counts.api_forwarded } else { &counts.app_forwarded };
    forwarded.fetch_add(1, Ordering::Relaxed);
    let error = shared.switches(application.listener).cloudflare_error();
    if error != 0 {
        return cloudflare_error(error);
    }
    let mut answer = forward(&shared.client, &backend, request, stop).await;
    set(answer.headers_mut(), "cf-ray", &format!("{ray}-AMS"));
    if let (false, Some(Admission::ServiceToken { token })) = (application.strict, &admission) {
        // The trap of the older mode: the API's answer carries a credential of its own.
        let cookie = access_cookie(COOKIE_NAME, token, shared.settings.session_seconds);
        append(answer.headers_mut(), "set-cookie", &cookie);
    }
    answer
}

/// Answers a request to the Worker's address at `workers.dev`, past the app.
pub(crate) async fn serve_workers_dev(
    shared: &Shared,
    open: bool,
    request: Request<Incoming>,
    stop: watch::Receiver<()>,
) -> Response<Body> {
    let backend = shared.app.backend_for(request.uri().path()).filter(|_| open);
    match backend {
        Some(backend) => forward(&shared.client, &backend, request, stop).await,
        None => {
            let mut answer = html(StatusCode::NOT_FOUND, pages::nothing_here());
            set(answer.headers_mut(), "server", "cloudflare");
            answer
        }
    }
}

/// Cloudflare's own answer where it has none of the server's (Cloudflare, "Error 1xxx"). The statuses of 1xxx are unverified.
pub(crate) fn cloudflare_error(error: u16) -> Response<Body> {
    let status = match error {
        1016 | 1033 => 530,
        1015 | 1027 => 429,
        1020 => 403,
        1000..=1999 => 500,
        status => status,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = text(status, format!("error code: {error}"));
    set(answer.headers_mut(), "server", "cloudflare");
    answer
}

/// Tells the backend who calls. What the caller says about that itself is dropped first.
fn introduce(headers: &mut HeaderMap, admission: Option<&Admission>, caller: IpAddr, ray: &str) {
    headers.remove("cf-access-jwt-assertion");
    headers.remove("cf-access-authenticated-user-email");
    match admission {
        Some(Admission::Token { token, email }) => {
            set(headers, "cf-access-jwt-assertion", token);
            if let Some(email) = email {
                set(headers, "cf-access-authenticated-user-email", email);
            }
        }
        Some(Admission::ServiceToken { token }) => {
            set(headers, "cf-access-jwt-assertion", token);
            headers.remove("cf-access-client-id");
            headers.remove("cf-access-client-secret");
        }
        None => {}
    }
    set(headers, "cf-connecting-ip", &caller.to_string());
    set(headers, "cf-ray", &format!("{ray}-AMS"));
}

/// The paths below `/cdn-cgi/` belong to Access on every application.
fn own_path(
    shared: &Shared,
    application: &Application,
    uri: &Uri,
    headers: &HeaderMap,
    caller: IpAddr,
) -> Response<Body> {
    match uri.path() {
        AUTHORIZED_PATH => authorized(shared, application, uri),
        "/cdn-cgi/access/logout" => {
            if let Some((_, claims)) = session(shared, &application.aud, headers)
                && let Some(nonce) = claim(&claims, "identity_nonce")
            {
                shared.end_session(nonce);
            }
            let mut answer = html(StatusCode::OK, pages::logged_out(&application.origin));
            append(answer.headers_mut(), "set-cookie", &access_cookie(COOKIE_NAME, "", 0));
            answer
        }
        "/cdn-cgi/access/get-identity" => match session(shared, &application.aud, headers) {
            Some((_, claims)) => json(StatusCode::OK, &identity(&Value::Object(claims), caller)),
            None => json(StatusCode::BAD_REQUEST, &json!({ "err": "no app token set" })),
        },
        path => text(StatusCode::NOT_FOUND, format!("{path} is not a path of the emulated Access.\n")),
    }
}

/// The last step of a login: the one-time code becomes the session's cookie on the application's own host.
fn authorized(shared: &Shared, application: &Application, uri: &Uri) -> Response<Body> {
    let code = parameter(uri.query().unwrap_or_default(), "code").unwrap_or_default();
    let Some(login) = shared.collect(&code, application) else {
        return html(StatusCode::BAD_REQUEST, pages::login_expired(&application.origin));
    };
    shared.counts.logins.fetch_add(1, Ordering::Relaxed);
    // The path begins with a slash, so the origin cannot be changed by what follows it.
    let mut answer = redirect(&format!("{}{}", application.origin, login.return_to));
    let token = shared.begin_session(login);
    let cookie = access_cookie(COOKIE_NAME, &token, shared.settings.session_seconds);
    append(answer.headers_mut(), "set-cookie", &cookie);
    answer
}

fn identity(claims: &Value, caller: IpAddr) -> Value {
    json!({
        "id": claims.get("sub"),
        "user_uuid": claims.get("sub"),
        "email": claims.get("email"),
        "common_name": claims.get("common_name"),
        "idp": { "id": "emulator", "type": "onetimepin" },
        "geo": { "country": claims.get("country") },
        "iat": claims.get("iat"),
        "ip": caller.to_string(),
        "auth_status": "NONE",
        "version": 2,
    })
}
