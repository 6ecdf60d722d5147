//! The team domain: the certs that every verifier reads, and the login.

use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::application::Application;
use crate::http::{Body, access_cookie, append, cookies, html, json, parameter, redirect, set, small_body, text};
use crate::listener::Listener;
use crate::login::{LOGIN_PATH, Login, LoginRequest, authorized_address};
use crate::pages::{self, Problem};
use crate::proxy::cloudflare_error;
use crate::state::Shared;
use crate::tokens::{TokenRequest, text as claim};

const SESSION_COOKIE: &str = "CF_Session";

/// Answers a request to the team domain.
pub(crate) async fn serve(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET | &Method::HEAD, "/cdn-cgi/access/certs") => {
            let error = shared.switches(Listener::Team).cloudflare_error();
            if error != 0 {
                return cloudflare_error(error);
            }
            shared.counts.certs.fetch_add(1, Ordering::Relaxed);
            let mut answer = json(StatusCode::OK, &shared.keys().certs());
            set(answer.headers_mut(), "access-control-allow-origin", "*");
            answer
        }
        (&Method::GET | &Method::HEAD, "/cdn-cgi/access/logout") => logout(shared, &request),
        (&Method::GET | &Method::HEAD | &Method::POST, path) if path.starts_with(LOGIN_PATH) => {
            login(shared, request).await
        }
        (_, path) => text(StatusCode::NOT_FOUND, format!("{path} is not a path of the emulated team domain.\n")),
    }
}

async fn login(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let Some(asked) = LoginRequest::read(request.uri()) else { return unknown_application() };
    let Some((application, return_to)) = destination(shared, &asked) else { return unknown_application() };
    if request.method() != Method::POST {
        return form(shared, application, asked.no_cookie.then_some(Problem::NoCookie));
    }
    let aud = asked.aud.clone();
    let form_body = small_body(request.into_body()).await.unwrap_or_default();
    let email = parameter(&form_body, "email").unwrap_or_default().trim().to_owned();
    if !is_address(&email) {
        return form(shared, application, Some(Problem::NoAddress(&email)));
    }
    let session = TokenRequest {
        aud: Some(json!([shared.issuer])),
        token_type: Some("org".into()),
        ..TokenRequest::user(&email)
    };
    let session = shared.mint(&session);
    let code = shared.grant(Login { aud, email, return_to });
    let mut answer = redirect(&authorized_address(application, &code));
    let cookie = access_cookie(SESSION_COOKIE, &session, shared.settings.session_seconds);
    append(answer.headers_mut(), "set-cookie", &cookie);
    answer
}

fn form(shared: &Shared, application: &Application, problem: Option<Problem<'_>>) -> Response<Body> {
    let status = match problem {
        Some(Problem::NoAddress(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Problem::NoCookie) | None => StatusCode::OK,
    };
    let mut answer = html(status, pages::login(&application.hostname, &shared.settings.people, problem));
    // The one image is the empty icon. Browsers apply form-action to the redirect that follows the form too, hence the
    // application's origin.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' {}",
        application.origin
    );
    set(answer.headers_mut(), "content-security-policy", &policy);
    answer
}

/// Ends every session of the person whose global session this is.
fn logout(shared: &Shared, request: &Request<Incoming>) -> Response<Body> {
    for token in cookies(request.headers(), SESSION_COOKIE) {
        let claims = shared.keys().claims(token).unwrap_or_default();
        if let Some(email) = claim(&claims, "email") {
            shared.end_sessions_of(email);
        }
    }
    let mut answer = html(StatusCode::OK, pages::logged_out(&shared.app.origin));
    append(answer.headers_mut(), "set-cookie", &access_cookie(SESSION_COOKIE, "", 0));
    answer
}

fn unknown_application() -> Response<Body> {
    html(StatusCode::BAD_REQUEST, pages::unknown_application())
}

/// The application that a login is for, and the path on it to return to. The host in the path and the AUD tag in
/// `kid` must name the same application, and nothing but that application's own origin is ever returned to.
fn destination<'a>(shared: &'a Shared, asked: &LoginRequest) -> Option<(&'a Application, String)> {
    let known = [&shared.app, &shared.api];
    let application = known.into_iter().find(|known| {
        known.allow_policy && known.hostname == asked.hostname && known.auds().any(|aud| aud == asked.aud)
    })?;
    let url = &asked.redirect_url;
    let path = match url.strip_prefix(&application.origin) {
        Some("") => "/",
        Some(path) => path,
        None => url,
    };
    let safe = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    safe.then(|| (application, path.to_owned()))
}

/// Enough of a check to keep nonsense out of headers; the real one sends a code to the address.
fn is_address(email: &str) -> bool {
    let usable = email.len() <= 254 && email.chars().all(|c| c.is_ascii_graphic());
    usable && email.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
}
