//! The exchanges of a recording, as far as causes are found in them.

use access_relay_core::flow::denial::access_denial;
use access_relay_core::outcomes::problem::CONTENT_TYPE;
use access_relay_core::rules::cors::PREFLIGHT_VARY;
use access_relay_core::syntax::origin::{Origin, authority_of, split_scheme};
use access_relay_core::syntax::text::contains_ignoring_case;

use crate::answers::{Answer, Hint};
use crate::har::file::{Entry, Har};
use crate::headers::Headers;
use crate::shown;

/// An exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Its number in the recording, from 1.
    pub number: usize,
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The origin of the URL.
    pub server: Option<Origin>,
    /// The origin of the page that has caused it, as far as the request says it.
    pub page: Option<Origin>,
    /// The request's headers.
    pub asked: Headers,
    /// The status; 0 where none came.
    pub status: u16,
    /// The answer's headers.
    pub answered: Headers,
    /// Who has answered.
    pub by: By,
    /// Why it failed, where the browser says so.
    pub error: String,
    /// What it is.
    pub kind: Kind,
    /// Whether nobody has checked if the page may read the answer: it came from a cache or a service worker, or the browser says that
    /// nothing failed.
    pub is_let_through: bool,
}

/// What an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A browser's question before a request.
    Preflight,
    /// A call of a script: `fetch()` or `XMLHttpRequest`.
    Call,
    /// A page, in a window or a frame.
    Document,
    /// A web app's manifest, which browsers ask for without cookies.
    Manifest,
    /// Anything else.
    Other,
}

/// Who has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Access, with its login page.
    Login(Option<Hint>),
    /// Access, with a refusal; and what shows it.
    Denial(String),
    /// The relay, with this code; a preflight's answer has no body that tells it.
    Relay(Option<String>),
    /// Cloudflare, with a challenge.
    Challenge,
    /// Cloudflare, with an error.
    Cloudflare(&'static str),
    /// Whoever is behind all of them.
    Server,
    /// Nobody.
    Nobody,
}

/// The exchanges of a recording, in its order.
#[must_use]
pub fn exchanges(har: &Har) -> Vec<Exchange> {
    har.log.entries.iter().enumerate().map(|(at, entry)| Exchange::of(at + 1, entry)).collect()
}

/// The origin of a URL.
#[must_use]
pub fn origin_of(url: &str) -> Option<Origin> {
    let (scheme, _) = split_scheme(url)?;
    Origin::parse(&format!("{scheme}://{}", authority_of(url)).to_ascii_lowercase()).ok()
}

impl Exchange {
    fn of(number: usize, entry: &Entry) -> Self {
        let (request, response) = (&entry.request, &entry.response);
        let (method, url, asked) = (request.method(), request.url(), request.headers());
        let (status, mut answered, redirect) = (response.status(), response.headers(), response.redirect_url());
        if answered.get("location").is_none() && !redirect.is_empty() {
            answered.push("location", &redirect);
        }
        let kind = kind(&entry.resource_type(), &method, &asked);
        let error = response.error();
        Self {
            number,
            server: origin_of(&url),
            page: page(&asked),
            by: by(kind, status, &answered, response.relays_code()),
            is_let_through: status == 304 || entry.is_of_worker() || response.tells_failures() && error.is_empty(),
            method,
            url,
            asked,
            status,
            answered,
            error,
            kind,
        }
    }

    /// The URL without its query, which may hold anything.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// The same, as it may be shown.
    #[must_use]
    pub fn shown(&self) -> String {
        shown::url(self.address())
    }

    /// Whether the browser did not give the answer to whoever asked. What somebody has cancelled did not fail.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        !self.is_cancelled() && (self.status == 0 || !self.error.is_empty())
    }

    /// Whether somebody has cancelled it; an error page in a window is no failure either.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        ["ABORT", "cancel", "HTTP_RESPONSE_CODE_FAILURE"].iter().any(|word| contains_ignoring_case(&self.error, word))
    }

    /// Whether an extension of the browser has kept it from being sent.
    #[must_use]
    pub fn is_blocked_by_extension(&self) -> bool {
        contains_ignoring_case(&self.error, "BLOCKED_BY_CLIENT")
    }

    /// Whether the page is of another origin than the server.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        match self.asked.get("sec-fetch-site").as_deref() {
            Some("same-origin") => false,
            Some("same-site" | "cross-site") => true,
            _ => self.page.is_some() && self.server.is_some() && self.page != self.server,
        }
    }

    /// Of a login page of Access that was asked for, the host name to log in to: browsers may follow redirects without telling.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        login(self.address())
    }
}

/// Of the address of a login page of Access, the host name to log in to.
#[must_use]
pub fn login(address: &str) -> Option<&str> {
    let (_, host) = address.split_once("/cdn-cgi/access/login")?;
    Some(host.trim_start_matches('/').split('/').next().unwrap_or_default())
}

fn page(asked: &Headers) -> Option<Origin> {
    let named = asked.get("origin").and_then(|origin| Origin::parse(&origin).ok());
    named.or_else(|| origin_of(&asked.get("referer")?))
}

fn by(kind: Kind, status: u16, answered: &Headers, code: Option<String>) -> By {
    let header = |name: &str| answered.get(name);
    if let Some(sign) = answered.answered(status, access_denial) {
        // A redirect leads to its login page, or to the one that an application names for whom it denies.
        let is_redirect = matches!(status, 300..=399);
        let hint = || Answer::Came { status, headers: answered.joined() }.application();
        return if is_redirect { By::Login(hint()) } else { By::Denial(sign) };
    }
    if code.is_some() {
        return By::Relay(code);
    }
    // Nobody records the body of an answer to a preflight. Others' answers may have such a Vary, too.
    let vary = header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case(PREFLIGHT_VARY));
    let is_problem = || header("content-type").is_some_and(|kind| kind.starts_with(CONTENT_TYPE));
    if kind == Kind::Preflight && status == 403 && vary && is_problem() {
        return By::Relay(None);
    }
    if header("cf-mitigated").is_some_and(|mitigated| mitigated == "challenge") {
        return By::Challenge;
    }
    let is_cloudflares = header("server").is_some_and(|server| server.eq_ignore_ascii_case("cloudflare"));
    match status {
        0 => By::Nobody,
        _ if is_cloudflares => cloudflares(status).map_or(By::Server, By::Cloudflare),
        _ => By::Server,
    }
}

/// What a status of Cloudflare's own says.
#[must_use]
pub const fn cloudflares(status: u16) -> Option<&'static str> {
    Some(match status {
        520 => "520: the API closed the connection, or answered with nonsense",
        521 => "521: the API's server refuses connections",
        522 => "522: the API's server did not take the connection in time",
        523 => "523: the API's server cannot be reached",
        524 => "524: the API's server did not answer in time",
        525 | 526 => "525 or 526: the API's server has no certificate that is good",
        530 => "530: the host's name leads nowhere (1016), or its tunnel is down (1033)",
        _ => return None,
    })
}

fn kind(resource_type: &str, method: &str, asked: &Headers) -> Kind {
    let said = |name: &str| asked.get(name).unwrap_or_default();
    match resource_type {
        "preflight" => return Kind::Preflight,
        "fetch" | "xhr" | "eventsource" => return Kind::Call,
        "document" => return Kind::Document,
        "manifest" => return Kind::Manifest,
        "" => {}
        _ => return Kind::Other,
    }
    if method == "OPTIONS" && asked.get("access-control-request-method").is_some() {
        return Kind::Preflight;
    }
    match (said("sec-fetch-mode").as_str(), said("sec-fetch-dest").as_str()) {
        ("navigate", _) => Kind::Document,
        (_, "manifest") => Kind::Manifest,
        (_, "empty") | ("cors", "") => Kind::Call,
        ("", "") if said("accept").contains("text/html") => Kind::Document,
        ("", "") if asked.get("origin").is_some() || said("accept").contains("json") => Kind::Call,
        _ => Kind::Other,
    }
}
