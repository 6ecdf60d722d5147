//! What failed in a recording, and why. A cause is named once, with all that shows it. What no exchange shows by itself is inferred, and
//! said to be.

use std::collections::BTreeMap;

use access_relay_core::config::types::{Access, Config};
use access_relay_core::syntax::origin::Origin;
use access_relay_core::syntax::text::quoted;
use serde::Serialize;

use crate::fetch::{Ask, Site};
use crate::har::cause::Cause;
use crate::har::console::{Message, Why};
use crate::har::exchange::{By, Exchange, Kind, origin_of};
use crate::headers::Headers;
use crate::shown;

/// A cause, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its code.
    pub code: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Whether nothing but the whole of the recording says so.
    pub inferred: bool,
    /// The numbers of the entries, from 1.
    pub entries: Vec<usize>,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What to do.
    pub advice: Vec<String>,
}

/// Something that shows a cause.
struct Sign {
    cause: Cause,
    inferred: bool,
    evidence: String,
}

impl Sign {
    fn seen(cause: Cause, evidence: impl Into<String>) -> Option<Self> {
        Some(Self { cause, inferred: false, evidence: evidence.into() })
    }

    fn inferred(cause: Cause, evidence: impl Into<String>) -> Option<Self> {
        Some(Self { cause, inferred: true, evidence: evidence.into() })
    }
}

/// What is known besides the recording: the relay's configuration.
#[derive(Clone, Copy, Default)]
pub struct Known<'c> {
    /// It, read.
    pub config: Option<&'c Config>,
}

/// Looks for causes, the worst first.
#[must_use]
pub fn causes(exchanges: &[Exchange], messages: &[Message], known: Known) -> Vec<Found> {
    let looked = Looked { exchanges, messages, known };
    let mut found: BTreeMap<Cause, Found> = BTreeMap::new();
    let mut add = |number: Option<usize>, sign: Sign| {
        let entry = found.entry(sign.cause).or_insert_with(|| Found {
            code: sign.cause.code(),
            title: sign.cause.title(),
            inferred: true,
            entries: Vec::new(),
            evidence: Vec::new(),
            advice: vec![sign.cause.advice().to_owned()],
        });
        entry.inferred &= sign.inferred;
        entry.entries.extend(number.filter(|number| !entry.entries.contains(number)));
        let line = match number {
            Some(number) => format!("entry {number}: {}", sign.evidence),
            None => sign.evidence,
        };
        if entry.evidence.len() < MOST_EVIDENCE && !entry.evidence.contains(&line) {
            entry.evidence.push(line);
        }
    };
    for exchange in exchanges {
        for sign in looked.signs(exchange) {
            add(Some(exchange.number), sign);
        }
    }
    for message in messages {
        if let Some(sign) = looked.told(message) {
            add(None, sign);
        }
    }
    found.into_values().collect()
}

/// More of one kind say nothing new.
const MOST_EVIDENCE: usize = 8;

struct Looked<'l> {
    exchanges: &'l [Exchange],
    messages: &'l [Message],
    known: Known<'l>,
}

impl Looked<'_> {
    fn signs(&self, exchange: &Exchange) -> Vec<Sign> {
        let mut signs: Vec<Sign> = match exchange.kind {
            Kind::Preflight => self.preflight(exchange),
            Kind::Call => self.call(exchange),
            Kind::Document => self.document(exchange),
            Kind::Other => None,
        }
        .into_iter()
        .collect();
        if signs.iter().any(|sign| matches!(sign.cause, Cause::SessionExpired | Cause::NotLoggedIn)) {
            signs.extend(self.wrong_application(exchange));
        }
        if signs.iter().any(|sign| sign.cause == Cause::DirectCall) {
            signs.extend(self.no_cookies(exchange));
        } else if !signs.is_empty() && exchange.kind != Kind::Document {
            signs.extend(self.passes_the_relay_by(exchange));
        }
        signs
    }

    fn preflight(&self, exchange: &Exchange) -> Option<Sign> {
        let Exchange { status, answered, .. } = exchange;
        let said = format!("{} {} got {status}", exchange.method, exchange.shown());
        match exchange.by() {
            By::Denial(sign) => Sign::seen(Cause::PreflightBlocked, format!("{said}: {sign}")),
            By::Login(_) => Sign::seen(Cause::PreflightBlocked, format!("{said}, to Access's login page")),
            By::Challenge => Sign::seen(Cause::Challenge, format!("{said} with cf-mitigated: challenge")),
            By::Cloudflare(what) => Sign::seen(Cause::Cloudflare, what),
            By::Nobody => Sign::inferred(Cause::NoAnswer, format!("{} {}", exchange.method, exchange.shown())),
            By::Relay(_) | By::Server => {
                let why = preflight_ask(exchange)?.check_preflight(*status, answered).err()?;
                let is_edges = answered.get("server").is_some_and(|server| server.eq_ignore_ascii_case("cloudflare"));
                let bare = answered.get("access-control-allow-origin").is_none();
                match exchange.by() {
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
        let is_direct = self.is_foreign(exchange);
        let has_token = exchange.asked.get("cf-access-client-id").is_some();
        if exchange.is_login() {
            // The end of a chain, of which another entry is the beginning.
            let begun = self
                .exchanges
                .iter()
                .any(|other| other.answered.get("location").as_deref() == Some(exchange.url.as_str()));
            return if begun { None } else { Sign::seen(Cause::SessionExpired, "a call ended at Access's login page") };
        }
        match exchange.by() {
            By::Login(_) if has_token => {
                Sign::seen(Cause::ServiceTokenRefused, format!("{said}, to Access's login page, with a service token"))
            }
            By::Login(_) if is_direct => Sign::seen(Cause::DirectCall, format!("{said}, to Access's login page")),
            By::Login(_) => Sign::seen(self.without_session(exchange), format!("{said}, to Access's login page")),
            By::Denial(sign) if has_token => Sign::seen(Cause::ServiceTokenRefused, sign),
            By::Denial(sign) if is_direct => Sign::seen(Cause::DirectCall, format!("{said}: {sign}")),
            By::Denial(sign) if *status == 401 => Sign::seen(self.without_session(exchange), format!("{said}: {sign}")),
            By::Denial(sign) => Sign::seen(Cause::PersonDenied, format!("{said}: {sign}")),
            By::Relay(Some(code)) if code == "upstream_access_denied" => {
                Sign::seen(Cause::ServiceTokenRefused, format!("{said} upstream_access_denied, from the relay"))
            }
            By::Relay(code) => Sign::seen(Cause::RelayRefused, format!("{said} {}", code.unwrap_or_default())),
            By::Challenge => Sign::seen(Cause::Challenge, format!("{said} with cf-mitigated: challenge")),
            By::Cloudflare(what) => Sign::seen(Cause::Cloudflare, what),
            By::Nobody => self.no_answer(exchange),
            By::Server => self.readable(exchange, &said),
        }
    }

    /// A call that no answer came to, or none that the browser shows.
    fn no_answer(&self, exchange: &Exchange) -> Option<Sign> {
        let said = format!("{} {}", exchange.method, exchange.shown());
        let is_https = exchange.page().is_some_and(|page| page.scheme() == "https");
        let server = exchange.server();
        if is_https && server.is_some_and(|server| server.scheme() == "http" && !server.is_loopback()) {
            return Sign::inferred(Cause::MixedContent, said);
        }
        match exchange.error.as_str() {
            error if error.contains("LOCAL_NETWORK") || error.contains("PRIVATE_NETWORK") => {
                return Sign::seen(Cause::LocalNetwork, format!("{said}: {error}"));
            }
            "" | "net::ERR_FAILED" => {}
            "net::ERR_ABORTED" => return None,
            error => return Sign::seen(Cause::NoAnswer, format!("{said}: {error}")),
        }
        // Its preflight, or the console, has said it.
        let is_its = |other: &&Exchange| other.kind == Kind::Preflight && other.address() == exchange.address();
        let has_said = |other: &Exchange| self.preflight(other).is_some();
        let is_told = self.exchanges.iter().filter(is_its).any(has_said)
            || self.messages.iter().any(|message| is_about(message, exchange));
        if is_told { None } else { Sign::inferred(Cause::Unclear, said) }
    }

    /// An answer of a server's, and whether the page could read it, and make something of it.
    fn readable(&self, exchange: &Exchange, said: &str) -> Option<Sign> {
        let is_cors =
            self.is_foreign(exchange) && exchange.asked.get("sec-fetch-mode").is_none_or(|mode| mode == "cors");
        let ask = Ask {
            origin: exchange.asked.get("origin").unwrap_or_default(),
            method: exchange.method.clone(),
            headers: Headers::default(),
            include: false,
            trustworthy: true,
        };
        if is_cors && !ask.origin.is_empty() {
            if let Err(why) = ask.check(&exchange.answered) {
                return Sign::seen(Cause::NoCorsHeaders, format!("{said}; the answer {why}"));
            }
            let with = Ask { include: true, ..ask };
            if let (true, Err(why)) = (exchange.has_failed(), with.check(&exchange.answered)) {
                return Sign::inferred(Cause::Credentials, format!("{said}, and failed; the answer {why}"));
            }
        }
        let kind = exchange.answered.get("content-type").unwrap_or_default();
        let accepts = exchange.asked.get("accept").unwrap_or_default();
        let is_html = kind.starts_with("text/html") && !accepts.contains("html");
        if is_html && (200..300).contains(&exchange.status) && !self.is_foreign(exchange) {
            return Sign::inferred(Cause::HtmlForJson, format!("{said} with {}", quoted(&kind)));
        }
        exchange
            .has_failed()
            .then(|| Sign::inferred(Cause::Unclear, format!("{said}, and failed: {}", exchange.error)))?
    }

    fn document(&self, exchange: &Exchange) -> Option<Sign> {
        let said = format!("{} {} got {}", exchange.method, exchange.shown(), exchange.status);
        match exchange.by() {
            By::Login(_) if !self.is_opened_later(exchange) => {
                Sign::seen(Cause::NotLoggedIn, format!("{said}, to Access's login page, and the page was never opened"))
            }
            By::Denial(sign) => Sign::seen(Cause::PersonDenied, format!("{said}: {sign}")),
            By::Cloudflare(what) => Sign::seen(Cause::Cloudflare, what),
            By::Relay(Some(code)) => Sign::seen(Cause::RelayRefused, format!("{said} {code}")),
            _ => None,
        }
    }

    /// Whether a page of the same host was opened after that.
    fn is_opened_later(&self, exchange: &Exchange) -> bool {
        let server = exchange.server();
        let later =
            self.exchanges.iter().filter(|other| other.number > exchange.number && other.kind == Kind::Document);
        later.into_iter().any(|other| other.server() == server && (200..300).contains(&other.status))
    }

    /// Where Access asks for a login: whether there has been one.
    fn without_session(&self, exchange: &Exchange) -> Cause {
        let server = exchange.server();
        let of_page = |other: &&Exchange| other.kind == Kind::Document && other.server() == server;
        let mut documents = self.exchanges.iter().filter(of_page);
        let was_refused = documents.any(|other| matches!(other.by(), By::Login(_)) && !self.is_opened_later(other));
        if was_refused { Cause::NotLoggedIn } else { Cause::SessionExpired }
    }

    /// Whether the page is of another origin than the server.
    fn is_foreign(&self, exchange: &Exchange) -> bool {
        let said = exchange.asked.get("sec-fetch-site");
        match said.as_deref() {
            Some("same-origin") => false,
            Some("same-site" | "cross-site") => true,
            _ => match (exchange.page(), exchange.server()) {
                (Some(page), Some(server)) => page != server,
                _ => false,
            },
        }
    }

    /// The application that Access asks to log in to, against the configuration.
    fn wrong_application(&self, exchange: &Exchange) -> Option<Sign> {
        let By::Login(Some(hint)) = exchange.by() else { return None };
        let policy = match &self.known.config?.access {
            Access::Jwt(policy) | Access::Platform(_, Some(policy)) => policy,
            _ => return None,
        };
        let is_other_team = hint.team.as_ref().is_some_and(|team| team.as_str() != policy.issuer);
        if is_other_team {
            let team = hint.team.as_ref().map(Origin::as_str).unwrap_or_default();
            return Sign::seen(
                Cause::WrongApplication,
                format!("the login is at {team}, and access.issuer is {}", policy.issuer),
            );
        }
        let is_known = policy.audience.contains(&hint.aud);
        (!is_known).then(|| {
            Sign::seen(
                Cause::WrongApplication,
                format!("the login's AUD tag (kid) is {}, which access.audience does not list", hint.aud),
            )
        })?
    }

    /// A login at another site that does not go along, where the recording has cookies elsewhere.
    fn no_cookies(&self, exchange: &Exchange) -> Option<Sign> {
        let has_cookies = self.exchanges.iter().any(|other| other.asked.get("cookie").is_some());
        let site = Site::between(&exchange.page()?, &exchange.server()?);
        let lacks = has_cookies && site == Site::CrossSite && exchange.asked.get("cookie").is_none();
        lacks.then(|| {
            Sign::inferred(Cause::ThirdPartyCookies, format!("{} was asked without cookies", exchange.shown()))
        })?
    }

    /// A call that goes to an API that the relay would lead to.
    fn passes_the_relay_by(&self, exchange: &Exchange) -> Option<Sign> {
        let server = exchange.server()?;
        let route = self.known.config?.routes.iter().find(|route| route.upstream.origin == server)?;
        let path = route.prefix.as_str();
        let is_foreign = self.is_foreign(exchange) || exchange.kind == Kind::Preflight;
        is_foreign.then(|| {
            Sign::seen(Cause::DirectCall, format!("{} is the upstream of the route {path}", server.as_str()))
        })?
    }

    /// What a message of the console says that no exchange has said.
    fn told(&self, message: &Message) -> Option<Sign> {
        let Message { why, url, redirected_from, status, .. } = message;
        let about = shown::url(url.split(['?', '#']).next().unwrap_or_default());
        let said =
            format!("the console: {about}{}", status.map(|status| format!(", status {status}")).unwrap_or_default());
        let seen = self.exchanges.iter().filter(|exchange| is_about(message, exchange));
        let signs: Vec<Sign> = seen
            .filter_map(|exchange| match exchange.kind {
                Kind::Preflight => self.preflight(exchange),
                _ => self.call(exchange),
            })
            .collect();
        let is_explained = signs.iter().any(|sign| !matches!(sign.cause, Cause::Unclear | Cause::Credentials));
        let named = message.name.as_deref().map(|name| format!(" ({})", quoted(name))).unwrap_or_default();
        match why {
            Why::MixedContent => return Sign::seen(Cause::MixedContent, said),
            Why::LocalNetwork => return Sign::seen(Cause::LocalNetwork, said),
            Why::Wildcard | Why::NoCredentials => return Sign::seen(Cause::Credentials, said),
            Why::Cookie | Why::Other => return None,
            _ if is_explained => return None,
            _ => {}
        }
        if url.contains("/cdn-cgi/access/login") {
            let from = redirected_from.as_deref().and_then(origin_of);
            let page = message.origin.as_deref().and_then(origin_of);
            let is_direct = page.is_some() && from.is_some() && page != from;
            let cause = if is_direct { Cause::DirectCall } else { Cause::SessionExpired };
            return Sign::seen(cause, "the console: a call was redirected to Access's login page");
        }
        match why {
            Why::NoOrigin | Why::OtherOrigin => Sign::seen(Cause::NoCorsHeaders, said),
            Why::PreflightStatus | Why::PreflightRedirect | Why::Method | Why::Header => {
                Sign::seen(Cause::PreflightUnanswered, format!("{said}{named}"))
            }
            Why::NoAnswer if signs.is_empty() => Sign::seen(Cause::NoAnswer, said),
            _ => None,
        }
    }
}

/// Whether a message is about an exchange.
fn is_about(message: &Message, exchange: &Exchange) -> bool {
    let same = |url: &str| url.split(['?', '#']).next() == Some(exchange.address());
    same(&message.url) || message.redirected_from.as_deref().is_some_and(same)
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
