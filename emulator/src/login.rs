//! How a login passes between an application and the team domain: the address that asks for one, and the one-time code
//! that grants it. OpenID Connect calls them the authentication request and the authorization code.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hyper::Uri;

use crate::application::Application;
use crate::http::{encode, parameter};
use crate::keys::random_hex;

/// Where the team domain has its login form; an application's host name follows.
pub(crate) const LOGIN_PATH: &str = "/cdn-cgi/access/login/";
/// Where an application collects a login by its code.
pub(crate) const AUTHORIZED_PATH: &str = "/cdn-cgi/access/authorized";
/// What an application adds to the login's address for a browser that comes back without the cookie. Access has no such
/// parameter: over https, browsers keep it.
const NO_COOKIE: &str = "&problem=no_cookie";
/// How long a one-time code of the login can be used.
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// What the address of a login asks for. Anyone can write such an address: nothing of it is checked here.
#[derive(Debug)]
pub(crate) struct LoginRequest {
    pub(crate) hostname: String,
    pub(crate) aud: String,
    pub(crate) redirect_url: String,
    pub(crate) no_cookie: bool,
}

/// A login that the team domain has granted and the application has yet to collect.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) aud: String,
    pub(crate) email: String,
    /// Path and query to return to; begins with a slash.
    pub(crate) return_to: String,
}

/// The logins that have yet to be collected, by their one-time codes.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    granted: HashMap<String, (Instant, Login)>,
}

/// The address at which people log in to an application, to return to this path and query of it.
pub(crate) fn login_address(
    issuer: &str,
    application: &Application,
    aud: &str,
    return_to: &str,
    no_cookie: bool,
) -> String {
    let (host, return_to) = (&application.hostname, encode(return_to));
    let problem = if no_cookie { NO_COOKIE } else { "" };
    format!("{issuer}{LOGIN_PATH}{host}?kid={aud}&redirect_url={return_to}{problem}")
}

/// The address at which an application collects a login.
pub(crate) fn authorized_address(application: &Application, code: &str) -> String {
    format!("{}{AUTHORIZED_PATH}?code={code}", application.origin)
}

impl LoginRequest {
    /// Reads the address of a login; nothing if it does not name an application.
    pub(crate) fn read(uri: &Uri) -> Option<LoginRequest> {
        let query = uri.query()?;
        Some(LoginRequest {
            hostname: uri.path().strip_prefix(LOGIN_PATH)?.to_owned(),
            aud: parameter(query, "kid")?,
            redirect_url: parameter(query, "redirect_url").unwrap_or_else(|| "/".into()),
            no_cookie: query.contains(NO_COOKIE),
        })
    }
}

impl Codes {
    /// Grants a login and returns the code by which the application collects it.
    pub(crate) fn grant(&mut self, login: Login) -> String {
        let code = random_hex(32);
        self.granted.retain(|_, (since, _)| since.elapsed() < CODE_LIFETIME);
        self.granted.insert(code.clone(), (Instant::now(), login));
        code
    }

    /// The login that a code stands for, once, and only for the application that it was granted for.
    pub(crate) fn collect(&mut self, code: &str, is_its: impl Fn(&str) -> bool) -> Option<Login> {
        let (since, login) = self.granted.remove(code)?;
        (since.elapsed() < CODE_LIFETIME && is_its(&login.aud)).then_some(login)
    }
}
