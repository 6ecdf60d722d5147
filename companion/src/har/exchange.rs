//! The exchanges of a recording, as far as causes are found in them.

use access_relay_core::flow::denial::access_denial;
use access_relay_core::rules::cors::PREFLIGHT_VARY;
use access_relay_core::syntax::origin::{Origin, authority_of, split_scheme};
use chrono::DateTime;

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
    /// The request's headers.
    pub asked: Headers,
    /// The status; 0 where none came.
    pub status: u16,
    /// The answer's headers.
    pub answered: Headers,
    /// Why it failed, where the browser says so.
    pub error: String,
    /// What it is.
    pub kind: Kind,
    /// Of a preflight, the URL of the request that it is for.
    pub serves: String,
    /// When it began, in milliseconds since the epoch; 0 where nobody knows.
    pub at: i64,
    /// The code of the relay's own refusal.
    pub code: Option<String>,
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
        let asked = request.headers();
        let mut answered = response.headers();
        if answered.get("location").is_none() && !response.redirect_url.is_empty() {
            answered.push("location", &response.redirect_url);
        }
        Self {
            number,
            method: request.method.clone(),
            url: request.url.clone(),
            kind: kind(&entry.resource_type, &request.method, &asked),
            asked,
            status: response.status(),
            answered,
            error: response.error.clone(),
            serves: entry.initiator.url.clone(),
            at: DateTime::parse_from_rfc3339(&entry.started_date_time).map_or(0, |time| time.timestamp_millis()),
            code: response.relays_code(),
        }
    }

    /// The origin of its URL.
    #[must_use]
    pub fn server(&self) -> Option<Origin> {
        origin_of(&self.url)
    }

    /// The origin of the page that has caused it, as far as the request says it.
    #[must_use]
    pub fn page(&self) -> Option<Origin> {
        let named = self.asked.get("origin").and_then(|origin| Origin::parse(&origin).ok());
        named.or_else(|| origin_of(&self.asked.get("referer")?))
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
        !self.is_cancelled()
            && (self.status == 0 || self.error.starts_with("net::") || !self.error.is_empty() && !self.is_chromiums())
    }

    fn is_chromiums(&self) -> bool {
        self.error.starts_with("net::")
    }

    fn is_cancelled(&self) -> bool {
        self.error == "net::ERR_ABORTED" || self.error == "net::ERR_HTTP_RESPONSE_CODE_FAILURE"
    }

    /// Whether it is a login page of Access that was asked for: where a browser follows redirects without telling.
    #[must_use]
    pub fn is_login(&self) -> bool {
        self.address().contains("/cdn-cgi/access/login")
    }

    /// Who has answered.
    #[must_use]
    pub fn by(&self) -> By {
        let answer = Answer::Came { status: self.status, headers: self.answered.joined() };
        if let Some(sign) = self.answered.answered(self.status, access_denial) {
            // A redirect leads to its login page, or to the one that an application names for whom it denies.
            return if matches!(self.status, 300..=399) { By::Login(answer.application()) } else { By::Denial(sign) };
        }
        if self.code.is_some() {
            return By::Relay(self.code.clone());
        }
        let header = |name: &str| self.answered.get(name);
        let vary = header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case(PREFLIGHT_VARY));
        if self.kind == Kind::Preflight && vary && matches!(self.status, 204 | 403) {
            return By::Relay(None);
        }
        if header("cf-mitigated").is_some_and(|mitigated| mitigated == "challenge") {
            return By::Challenge;
        }
        let is_cloudflares = header("server").is_some_and(|server| server.eq_ignore_ascii_case("cloudflare"));
        match self.status {
            0 => By::Nobody,
            520 if is_cloudflares => By::Cloudflare("520: the API closed the connection, or answered with nonsense"),
            521 if is_cloudflares => By::Cloudflare("521: the API's server refuses connections"),
            522 if is_cloudflares => By::Cloudflare("522: the API's server did not take the connection in time"),
            523 if is_cloudflares => By::Cloudflare("523: the API's server cannot be reached"),
            524 if is_cloudflares => By::Cloudflare("524: the API's server did not answer in time"),
            525 | 526 if is_cloudflares => {
                By::Cloudflare("525 or 526: the API's server has no certificate that is good")
            }
            530 if is_cloudflares => {
                By::Cloudflare("530: the host's name leads nowhere (1016), or its tunnel is down (1033)")
            }
            _ => By::Server,
        }
    }
}

fn kind(resource_type: &str, method: &str, asked: &Headers) -> Kind {
    let said = |name: &str| asked.get(name).unwrap_or_default();
    match resource_type {
        "preflight" => return Kind::Preflight,
        "fetch" | "xhr" | "eventsource" => return Kind::Call,
        "document" => return Kind::Document,
        "" => {}
        _ => return Kind::Other,
    }
    if method == "OPTIONS" && asked.get("access-control-request-method").is_some() {
        return Kind::Preflight;
    }
    match (said("sec-fetch-mode").as_str(), said("sec-fetch-dest").as_str()) {
        ("navigate", _) => Kind::Document,
        (_, "empty") | ("cors", _) => Kind::Call,
        ("", "") if said("accept").contains("text/html") => Kind::Document,
        ("", "") if asked.get("origin").is_some() || said("accept").contains("json") => Kind::Call,
        _ => Kind::Other,
    }
}
