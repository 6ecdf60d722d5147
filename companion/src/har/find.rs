//! Why one exchange failed. What no exchange shows by itself is inferred, and said to be.

use std::collections::{HashMap, HashSet};

use access_relay_core::syntax::origin::Origin;
use access_relay_core::syntax::text::quoted;

use crate::fetch::Ask;
use crate::har::cause::Cause;
use crate::har::console::Message;
use crate::har::exchange::{By, Exchange, Kind};
use crate::headers::Headers;

/// Something that shows a cause.
#[derive(Debug)]
pub struct Sign {
    /// The cause.
    pub cause: Cause,
    /// Whether nothing but the whole of the recording says so.
    pub inferred: bool,
    /// What shows it.
    pub evidence: String,
}

impl Sign {
    /// What an exchange or a message says.
    pub fn seen(cause: Cause, evidence: impl Into<String>) -> Option<Self> {
        Some(Self { cause, inferred: false, evidence: evidence.into() })
    }

    /// What the whole of them says.
    pub fn inferred(cause: Cause, evidence: impl Into<String>) -> Option<Self> {
        Some(Self { cause, inferred: true, evidence: evidence.into() })
    }
}

/// A recording, with what is looked up in the whole of it.
pub struct Looked<'l> {
    /// Where redirects lead to, and the origins that they come from.
    redirects: HashMap<String, Option<&'l Origin>>,
    /// By origin, the number of the last page that was opened there.
    opened: HashMap<&'l str, usize>,
    /// The origins at which nobody was logged in, to the end.
    closed: HashSet<&'l str>,
    /// The addresses whose preflight, or the console, says why they failed.
    told: HashSet<&'l str>,
}

/// A URL without its query and its fragment.
#[must_use]
pub fn address(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

impl<'l> Looked<'l> {
    /// Looks through the whole of it once.
    #[must_use]
    pub fn through(exchanges: &'l [Exchange], messages: &'l [Message]) -> Self {
        let named =
            messages.iter().flat_map(|message| [Some(&message.url), message.redirected_from.as_ref()]).flatten();
        let mut looked = Self {
            redirects: HashMap::new(),
            opened: HashMap::new(),
            closed: HashSet::new(),
            told: named.map(|url| address(url)).collect(),
        };
        let documents = || {
            let documents = exchanges.iter().filter(|exchange| exchange.kind == Kind::Document);
            documents.filter_map(|document| Some((document, document.server.as_ref()?.as_str())))
        };
        for (document, server) in documents() {
            if (200..300).contains(&document.status) {
                looked.opened.insert(server, document.number);
            }
        }
        for (document, server) in documents() {
            if matches!(document.by, By::Login(_)) && !looked.is_opened_later(document) {
                looked.closed.insert(server);
            }
        }
        for exchange in exchanges {
            if exchange.kind == Kind::Preflight && looked.preflight(exchange).is_some() {
                looked.told.insert(exchange.address());
            }
            if matches!(exchange.status, 300..=399) {
                looked.redirects.extend(exchange.answered.get("location").map(|url| (url, exchange.server.as_ref())));
            }
        }
        looked
    }

    /// Why an exchange failed.
    #[must_use]
    pub fn sign(&self, exchange: &Exchange) -> Option<Sign> {
        match exchange.kind {
            Kind::Preflight => self.preflight(exchange),
            Kind::Call => self.call(exchange),
            Kind::Document => self.document(exchange),
            Kind::Manifest => self.manifest(exchange),
            Kind::Other => self.other(exchange),
        }
    }

    fn preflight(&self, exchange: &Exchange) -> Option<Sign> {
        let Exchange { status, answered, .. } = exchange;
        let said = format!("{} {} got {status}", exchange.method, exchange.shown());
        if exchange.is_cancelled() {
            return None;
        }
        if exchange.is_blocked_by_extension() {
            return Sign::seen(Cause::Extension, format!("{} {}", exchange.method, exchange.shown()));
        }
        match &exchange.by {
            By::Denial(sign) => Sign::seen(Cause::PreflightBlocked, format!("{said}: {sign}")),
            By::Login(_) => Sign::seen(Cause::PreflightBlocked, format!("{said}, to Access's login page")),
            By::Challenge => Sign::seen(Cause::Challenge, format!("{said} with cf-mitigated: challenge")),
            By::Cloudflare(what) => Sign::seen(Cause::Cloudflare, *what),
            By::Nobody => Sign::inferred(Cause::NoAnswer, format!("{} {}", exchange.method, exchange.shown())),
            By::Relay(_) | By::Server => {
                let why = preflight_ask(exchange)?.check_preflight(*status, answered).err()?;
                let is_edges = answered.get("server").is_some_and(|server| server.eq_ignore_ascii_case("cloudflare"));
                let bare = answered.get("access-control-allow-origin").is_none();
                match &exchange.by {
                    By::Relay(_) => Sign::seen(Cause::PreflightRefused, format!("{said}; the answer {why}")),
                    _ if *status == 403 && is_edges && bare => {
                        Sign::inferred(Cause::PreflightBlocked, format!("{said} from Cloudflare, without CORS headers"))
                    }
                    _ => Sign::seen(Cause::PreflightUnanswered, format!("{said}; the answer {why}")),
                }
            }
        }
    }

    fn call(&self, exchange: &Exchange) -> Option<Sign> {
        let Exchange { status, .. } = exchange;
        let said = format!("{} {} got {status}", exchange.method, exchange.shown());
        let is_direct = exchange.is_foreign();
        let has_token = exchange.asked.get("cf-access-client-id").is_some();
        if exchange.is_blocked_by_extension() {
            return Sign::seen(Cause::Extension, format!("{} {}", exchange.method, exchange.shown()));
        }
        if let Some(host) = exchange.login() {
            // The end of a chain: another entry is its beginning, or the browser follows redirects without telling.
            let is_known = self.redirects.contains_key(&exchange.url);
            let is_other = exchange.page.as_ref().is_some_and(|page| !host.is_empty() && page.host() != host);
            let cause = if is_other { Cause::DirectCall } else { Cause::SessionExpired };
            return if is_known { None } else { Sign::seen(cause, "a call ended at Access's login page") };
        }
        match &exchange.by {
            By::Login(_) if has_token => {
                Sign::seen(Cause::ServiceTokenRefused, format!("{said}, to Access's login page, with a service token"))
            }
            By::Login(_) if is_direct => Sign::seen(Cause::DirectCall, format!("{said}, to Access's login page")),
            By::Login(_) => Sign::seen(self.without_session(exchange), format!("{said}, to Access's login page")),
            By::Denial(sign) if has_token => Sign::seen(Cause::ServiceTokenRefused, sign.as_str()),
            By::Denial(sign) if is_direct => Sign::seen(Cause::DirectCall, format!("{said}: {sign}")),
            By::Denial(sign) if *status == 401 => Sign::seen(self.without_session(exchange), format!("{said}: {sign}")),
            By::Denial(sign) => Sign::seen(Cause::PersonDenied, format!("{said}: {sign}")),
            By::Relay(Some(code)) if code == "upstream_access_denied" => {
                Sign::seen(Cause::ServiceTokenRefused, format!("{said} upstream_access_denied, from the relay"))
            }
            By::Relay(code) => {
                Sign::seen(Cause::RelayRefused, format!("{said} {}", code.as_deref().unwrap_or_default()))
            }
            By::Challenge => Sign::seen(Cause::Challenge, format!("{said} with cf-mitigated: challenge")),
            By::Cloudflare(what) => Sign::seen(Cause::Cloudflare, *what),
            By::Nobody => self.no_answer(exchange),
            By::Server => self.readable(exchange, &said),
        }
    }

    /// A call that no answer came to, or none that the browser shows.
    fn no_answer(&self, exchange: &Exchange) -> Option<Sign> {
        let said = format!("{} {}", exchange.method, exchange.shown());
        if exchange.is_cancelled() {
            return None;
        }
        let is_https = exchange.page.as_ref().is_some_and(|page| page.scheme() == "https");
        if is_https && exchange.server.as_ref().is_some_and(|server| server.scheme() == "http" && !server.is_loopback())
        {
            return Sign::inferred(Cause::MixedContent, said);
        }
        match exchange.error.as_str() {
            error if error.contains("LOCAL_NETWORK") || error.contains("PRIVATE_NETWORK") => {
                return Sign::seen(Cause::LocalNetwork, format!("{said}: {error}"));
            }
            "" | "net::ERR_FAILED" | "Load failed" => {}
            error if error.starts_with("net::ERR_BLOCKED_BY") => {
                return Sign::inferred(Cause::Unclear, format!("{said}: {error}"));
            }
            error => return Sign::seen(Cause::NoAnswer, format!("{said}: {error}")),
        }
        if let Some(sign) = self.redirected(exchange) {
            return Some(sign);
        }
        if self.told.contains(exchange.address()) { None } else { Sign::inferred(Cause::Unclear, said) }
    }

    /// A call that another origin has sent here.
    fn redirected(&self, exchange: &Exchange) -> Option<Sign> {
        let from = (*self.redirects.get(&exchange.url)?)?;
        let is_other = exchange.server.as_ref() != Some(from);
        let said = || format!("{} {}, redirected from {}", exchange.method, exchange.shown(), from.as_str());
        is_other.then(|| Sign::seen(Cause::Redirected, said()))?
    }

    /// An answer of a server's, and whether the page could read it, and make something of it.
    fn readable(&self, exchange: &Exchange, said: &str) -> Option<Sign> {
        let mode = exchange.asked.get("sec-fetch-mode");
        let is_cors = exchange.is_foreign() && mode.as_deref().is_none_or(|mode| mode == "cors");
        let ask = Ask {
            origin: exchange.asked.get("origin").unwrap_or_default(),
            method: exchange.method.clone(),
            headers: Headers::default(),
            include: false,
            trustworthy: true,
        };
        if is_cors && !ask.origin.is_empty() && !exchange.is_let_through {
            if let Err(why) = ask.check(&exchange.answered) {
                if let Some(sign) = self.redirected(exchange) {
                    return Some(sign);
                }
                let cause = if exchange.status >= 400 { Cause::ErrorAnswer } else { Cause::NoCorsHeaders };
                // Over http, browsers do not tell the mode, which may be no-cors.
                let inferred = mode.is_none() && !exchange.has_failed();
                return Some(Sign { cause, inferred, evidence: format!("{said}; the answer {why}") });
            }
            let with = Ask { include: true, ..ask };
            if let (true, Err(why)) = (exchange.has_failed(), with.check(&exchange.answered)) {
                return Sign::inferred(Cause::Credentials, format!("{said}, and failed; the answer {why}"));
            }
        }
        let kind = exchange.answered.get("content-type").unwrap_or_default();
        let accepts = exchange.asked.get("accept").unwrap_or_default();
        let is_html = kind.starts_with("text/html") && !accepts.contains("html") && !wants_html(exchange);
        if is_html && (200..300).contains(&exchange.status) && !exchange.is_foreign() {
            return Sign::inferred(Cause::HtmlForJson, format!("{said} with {}", quoted(&kind)));
        }
        exchange
            .has_failed()
            .then(|| Sign::inferred(Cause::Unclear, format!("{said}, and failed: {}", exchange.error)))?
    }

    fn document(&self, exchange: &Exchange) -> Option<Sign> {
        let said = format!("{} {} got {}", exchange.method, exchange.shown(), exchange.status);
        match &exchange.by {
            By::Login(_) if !self.is_opened_later(exchange) && !exchange.is_cancelled() => {
                Sign::seen(Cause::NotLoggedIn, format!("{said}, to Access's login page, and the page was never opened"))
            }
            By::Denial(sign) => Sign::seen(Cause::PersonDenied, format!("{said}: {sign}")),
            By::Cloudflare(what) => Sign::seen(Cause::Cloudflare, *what),
            By::Relay(Some(code)) => Sign::seen(Cause::RelayRefused, format!("{said} {code}")),
            _ => None,
        }
    }

    fn manifest(&self, exchange: &Exchange) -> Option<Sign> {
        let said = || format!("{} {} got {}", exchange.method, exchange.shown(), exchange.status);
        let is_asked = matches!(exchange.by, By::Login(_) | By::Denial(_));
        let is_sent = !exchange.is_let_through && self.redirected(exchange).is_some() && exchange.login().is_none();
        (is_asked || is_sent).then(|| Sign::seen(Cause::WithoutCookies, said()))?
    }

    /// A script, a picture, a socket, ...: only what Access says of them counts.
    fn other(&self, exchange: &Exchange) -> Option<Sign> {
        matches!(exchange.by, By::Login(_) | By::Denial(_)).then(|| self.call(exchange))?
    }

    /// Whether a page of the same host was opened after that.
    fn is_opened_later(&self, exchange: &Exchange) -> bool {
        let last = exchange.server.as_ref().and_then(|server| self.opened.get(server.as_str()));
        last.is_some_and(|last| *last > exchange.number)
    }

    /// Where Access asks for a login: whether there has been one.
    fn without_session(&self, exchange: &Exchange) -> Cause {
        let is_closed = exchange.server.as_ref().is_some_and(|server| self.closed.contains(server.as_str()));
        if is_closed { Cause::NotLoggedIn } else { Cause::SessionExpired }
    }
}

/// Whether a script wants HTML, though it does not say so in `Accept`: parts of a page, or pages in advance.
fn wants_html(exchange: &Exchange) -> bool {
    let names = ["hx-request", "x-pjax", "turbo-frame", "x-up-version", "x-partial", "sec-purpose", "purpose"];
    names.iter().any(|name| exchange.asked.get(name).is_some())
}

/// What a preflight asks for.
fn preflight_ask(exchange: &Exchange) -> Option<Ask> {
    let mut headers = Headers::default();
    let names = exchange.asked.get("access-control-request-headers").unwrap_or_default();
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).for_each(|name| headers.push(name, "?"));
    Some(Ask {
        origin: exchange.asked.get("origin")?,
        method: exchange.asked.get("access-control-request-method")?,
        headers,
        include: false,
        trustworthy: true,
    })
}
