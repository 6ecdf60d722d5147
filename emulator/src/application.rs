//! One protected application: what its own paths do, and the way of a request to its backend.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{PoisonError, RwLock};

use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::admission::{Admission, admit, session};
use crate::emulator::Listener;
use crate::forward::forward;
use crate::http::{Body, COOKIE_NAME, access_cookie, append, html, is_preflight, json, parameter, redirect, set, text};
use crate::keys::random_hex;
use crate::pages;
use crate::refusal::refuse;
use crate::settings::{ApiSettings, AppSettings, Backend};
use crate::state::Shared;
use crate::tokens::text as claim;

/// A protected application. Both of the emulator's are of this type; they differ in their policies.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) listener: Listener,
    pub(crate) hostname: String,
    pub(crate) port: u16,
    /// The origin as browsers know it.
    pub(crate) origin: String,
    pub(crate) aud: String,
    pub(crate) allow_policy: bool,
    pub(crate) service_auth: bool,
    pub(crate) strict: bool,
    pub(crate) linked_app_token: bool,
    bypass: Vec<String>,
    bypass_options: bool,
    /// The longest path first.
    backends: RwLock<Vec<Backend>>,
}

impl Application {
    pub(crate) fn app(settings: &AppSettings, port: u16) -> io::Result<Application> {
        let origin = match &settings.origin {
            Some(origin) => checked_origin(origin)?,
            None => format!("http://{}:{port}", settings.hostname),
        };
        Ok(Application {
            listener: Listener::App,
            hostname: settings.hostname.clone(),
            port,
            origin,
            aud: settings.aud.clone(),
            allow_policy: true,
            service_auth: settings.service_tokens,
            strict: settings.strict,
            linked_app_token: false,
            bypass: settings.bypass.clone(),
            bypass_options: settings.bypass_options,
            backends: RwLock::new(checked(settings.backends.clone())?),
        })
    }

    pub(crate) fn api(settings: &ApiSettings, port: u16) -> io::Result<Application> {
        let backend = Backend { path: "/".into(), to: settings.backend.clone() };
        Ok(Application {
            listener: Listener::Api,
            hostname: settings.hostname.clone(),
            port,
            origin: format!("http://{}:{port}", settings.hostname),
            aud: settings.aud.clone(),
            allow_policy: settings.allow_policy,
            service_auth: true,
            strict: settings.strict,
            linked_app_token: settings.linked_app_token,
            bypass: Vec::new(),
            bypass_options: settings.bypass_options,
            backends: RwLock::new(checked(vec![backend])?),
        })
    }

    /// The address for programs, which may not resolve names below `localhost`.
    pub(crate) fn local_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set_backends(&self, backends: Vec<Backend>) -> io::Result<()> {
        *self.backends.write().unwrap_or_else(PoisonError::into_inner) = checked(backends)?;
        Ok(())
    }

    pub(crate) fn backends(&self) -> Vec<Backend> {
        self.backends.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn backend_for(&self, path: &str) -> Option<String> {
        let backends = self.backends.read().unwrap_or_else(PoisonError::into_inner);
        backends.iter().find(|backend| covers(&backend.path, path)).map(|backend| backend.to.clone())
    }

    fn passes_everyone(&self, method: &Method, path: &str) -> bool {
        (self.bypass_options && method == Method::OPTIONS) || self.bypass.iter().any(|prefix| covers(prefix, path))
    }
}

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
    let (method, uri) = (request.method(), request.uri());
    let admission = match admit(shared, application, request.headers()) {
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
    let mut answer = forward(&shared.client, &backend, request, stop).await;
    set(answer.headers_mut(), "cf-ray", &format!("{ray}-AMS"));
    if let (false, Some(Admission::ServiceToken { token })) = (application.strict, &admission) {
        // The trap of the older mode: the API's answer carries a credential of its own.
        let cookie = access_cookie(COOKIE_NAME, token, shared.settings.session_seconds);
        append(answer.headers_mut(), "set-cookie", &cookie);
    }
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
        "/cdn-cgi/access/authorized" => authorized(shared, application, uri),
        "/cdn-cgi/access/logout" => {
            if let Some((_, claims)) = session(shared, application, headers)
                && let Some(nonce) = claim(&claims, "identity_nonce")
            {
                shared.end_session(nonce);
            }
            let mut answer = html(StatusCode::OK, pages::logged_out(&application.origin));
            append(answer.headers_mut(), "set-cookie", &access_cookie(COOKIE_NAME, "", 0));
            answer
        }
        "/cdn-cgi/access/get-identity" => match session(shared, application, headers) {
            Some((_, claims)) => json(StatusCode::OK, &identity(&Value::Object(claims), caller)),
            None => json(StatusCode::BAD_REQUEST, &json!({ "err": "no app token set" })),
        },
        path => text(StatusCode::NOT_FOUND, format!("{path} is not a path of the emulated Access.\n")),
    }
}

/// The last step of a login: the one-time code becomes the session's cookie on the application's own host.
fn authorized(shared: &Shared, application: &Application, uri: &Uri) -> Response<Body> {
    let code = parameter(uri.query().unwrap_or_default(), "code").unwrap_or_default();
    let Some(login) = shared.collect(&code, &application.aud) else {
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

/// Whether a path prefix covers a path, on segment boundaries.
fn covers(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An origin as browsers write it. It becomes a part of addresses and of a Content-Security-Policy.
fn checked_origin(origin: &str) -> io::Result<String> {
    let uri = origin.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let whole = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    whole
        .filter(|whole| whole == origin)
        .ok_or_else(|| wrong(format!("an origin must be like https://app.example.localhost:8743, but is {origin:?}")))
}

/// Backends that can be asked, the longest path first.
fn checked(mut backends: Vec<Backend>) -> io::Result<Vec<Backend>> {
    for backend in &mut backends {
        if !backend.path.starts_with('/') {
            return Err(wrong(format!("a backend's path must begin with a slash, but is {:?}", backend.path)));
        }
        let uri = backend.to.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
        let uri = uri.filter(|uri| uri.path() == "/" && uri.query().is_none());
        let Some(authority) = uri.and_then(|uri| uri.into_parts().authority) else {
            return Err(wrong(format!("a backend must be like http://127.0.0.1:8704, but is {:?}", backend.to)));
        };
        backend.to = format!("http://{authority}");
    }
    backends.sort_by_key(|backend| std::cmp::Reverse(backend.path.trim_end_matches('/').len()));
    Ok(backends)
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
