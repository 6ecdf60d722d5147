//! What somebody asks: a request, who makes it, and from which page.

use access_relay_core::config::types::{Access, Config};
use access_relay_core::messages::name::Name;
use access_relay_core::syntax::origin::Origin;
use access_relay_core::syntax::text::quoted;
use serde::Deserialize;

use crate::explain::address::normalized;
use crate::explain::request::{Request, header};
use crate::explain::who::{As, Who};
use crate::explain::{curl, recorded, shell, world};
use crate::fetch::{Ask, Site, is_forbidden_header, is_forbidden_method, normalized as normalized_method};
use crate::har::exchange::origin_of;
use crate::headers::Headers;
use crate::shown;

/// A question, as it is written. What is said by itself goes before what a command or a recording has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Question {
    /// The method.
    pub method: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// Headers, each as `name: value`.
    pub headers: Vec<String>,
    /// `nobody`, `person`, `program`, `page:ORIGIN`.
    pub r#as: Vec<String>,
    /// The words of a `curl` command.
    pub curl: Option<Vec<String>>,
    /// A `curl` command as one text, as browsers copy it.
    pub line: Option<String>,
    /// Whether the request is one of a recording.
    pub recorded: bool,
    /// Which entry of it, from 1.
    pub entry: Option<usize>,
    /// The text of the issuer's key set.
    pub keys: Option<String>,
    /// The time, in seconds since the epoch.
    pub now: i64,
}

/// Headers that a browser sets by itself, and a page could set, too.
const BROWSERS: [&str; 10] = [
    "accept",
    "accept-language",
    "cache-control",
    "if-modified-since",
    "if-none-match",
    "pragma",
    "priority",
    "save-data",
    "upgrade-insecure-requests",
    "user-agent",
];

fn has_credentials(headers: &Headers) -> bool {
    [Name::Cookie, Name::AccessJwtAssertion].iter().any(|name| headers.get(name.as_str()).is_some())
}

/// What is asked, read.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The request; if a page makes it, with the headers that the page sets.
    pub request: Request,
    /// Who makes it.
    pub said: As,
    /// When, in seconds since the epoch.
    pub now: i64,
    /// The page's part in it, and how far the page is away.
    pub page: Option<(Ask, Site)>,
}

impl Asked {
    /// Reads a question.
    ///
    /// # Errors
    /// Everything that is wrong with it. Nothing secret is shown.
    pub fn read(question: &Question, har: &[u8]) -> Result<Self, Vec<String>> {
        let one = |error: String| vec![shown::clean(&error)];
        let sources = [question.curl.is_some(), question.line.is_some(), question.recorded];
        if sources.iter().filter(|is_there| **is_there).count() > 1 {
            return Err(one("found more than one request: write a curl command or --har, and not both".to_owned()));
        }
        let mut said = As::parse(&question.r#as).map_err(one)?;
        let mut request = match question {
            Question { curl: Some(words), .. } => curl::request(words).map_err(one)?,
            Question { line: Some(line), .. } => {
                let words = shell::words(line.trim()).map_err(|error| one(format!("curl: {error}")))?;
                curl::request(&words).map_err(one)?
            }
            Question { recorded: true, entry, .. } => recorded::request(har, *entry)?,
            _ => Request { method: "GET".to_owned(), ..Request::default() },
        };
        if let Some(url) = &question.url {
            request.url = normalized(url, false);
        } else if request.url.is_empty() {
            let help = "found no request; write --url, a curl command after all options, or --har FILE --entry N";
            return Err(one(help.to_owned()));
        }
        if let Some(method) = &question.method {
            request.method.clone_from(method);
        }
        for text in &question.headers {
            let (name, value) = header(text).map_err(one)?;
            request.headers.set(name, value);
        }
        if let Some(origin) = &question.origin {
            request.headers.set("origin", origin);
        }
        // What names the host is the URL.
        request.headers.remove("host");
        request.check().map_err(one)?;
        if said.page.is_none() {
            said.page = Self::recorded_page(&request);
        }
        if let Some(keys) = question.keys.as_deref().filter(|keys| world::keys_of(keys).is_empty()) {
            let found = if keys.trim().is_empty() { "an empty file" } else { "no key that can verify RS256" };
            return Err(one(format!("--keys: found {found}; write what the team serves at /cdn-cgi/access/certs")));
        }
        let page = said.page.as_ref().map(|page| Self::page(&request, page, said.who)).transpose().map_err(one)?;
        if let Some((ask, _)) = &page {
            request.method.clone_from(&ask.method);
        }
        let now = request.at.unwrap_or(question.now);
        Ok(Self { request, said, now, page })
    }

    fn page(request: &Request, page: &Origin, who: Option<Who>) -> Result<(Ask, Site), String> {
        if is_forbidden_method(&request.method) {
            return Err(format!(
                "--method: browsers let no page send {}; leave --as page out",
                quoted(&request.method)
            ));
        }
        let is_recorded = Self::is_browsers(request);
        let forbidden = request.headers.names().into_iter().find(|name| is_forbidden_header(name));
        if let Some(name) = forbidden.filter(|_| !is_recorded) {
            return Err(format!("--header: browsers let no page set {}; leave it out, or --as page", quoted(name)));
        }
        let server = request.server()?;
        let site = Site::between(page, &server);
        let mut headers = request.headers.clone();
        // What a browser has said in a recording or in a copied command, it says anew.
        let own = |name: &str| is_forbidden_header(name) || (is_recorded && BROWSERS.contains(&name));
        for name in request.headers.names().into_iter().filter(|name| own(name)) {
            headers.remove(name);
        }
        let (origin, method) = (page.as_str().to_owned(), normalized_method(&request.method));
        let has_login = who == Some(Who::Person) || (who.is_none() && has_credentials(&request.headers));
        let trustworthy = server.scheme() == "https" || server.is_loopback();
        Ok((Ask { origin, method, headers, include: has_login, trustworthy }, site))
    }

    /// Whether a browser has made a request: it is out of a recording, or its headers say so.
    fn is_browsers(request: &Request) -> bool {
        let agent = request.headers.get("user-agent").unwrap_or_default();
        request.recorded.is_some() || request.headers.get("sec-fetch-site").is_some() || agent.starts_with("Mozilla/")
    }

    /// The page of another origin that a browser has called for.
    fn recorded_page(request: &Request) -> Option<Origin> {
        let header = |name: &str| request.headers.get(name);
        let is_call = header("sec-fetch-mode").is_none_or(|mode| mode == "cors") && header("upgrade").is_none();
        let is_preflight = request.method == "OPTIONS" && header("access-control-request-method").is_some();
        let page = header("origin").or_else(|| header("referer"))?;
        let page = origin_of(&page)?;
        let is_foreign = request.server().is_ok_and(|server| server != page);
        let is_pages = is_call && !is_preflight && !is_forbidden_method(&request.method);
        (Self::is_browsers(request) && is_pages && is_foreign).then_some(page)
    }

    /// What a page of another origin asks: for whether its browser lets it read the answer.
    #[must_use]
    pub fn reader(&self) -> Option<Ask> {
        let page = self.page.as_ref().filter(|(_, site)| *site != Site::SameOrigin);
        page.map(|(ask, _)| ask.clone())
    }

    /// The browser's question before the request, if it asks one.
    #[must_use]
    pub fn preflight(&self) -> Option<Request> {
        let (ask, site) = self.page.as_ref()?;
        let is_asked = *site != Site::SameOrigin && ask.needs_preflight();
        is_asked.then(|| Request {
            method: "OPTIONS".to_owned(),
            headers: ask.preflight(*site),
            ..self.request.clone()
        })
    }

    /// The request as it arrives at the relay, with the token of who makes it.
    #[must_use]
    pub fn arrives(&self, access: &Access) -> Request {
        let mut request = self.request.clone();
        if let Some((ask, site)) = &self.page {
            request.headers = ask.request(*site);
        }
        if let Some(who) = self.said.who {
            who.into(&mut request.headers, access, self.now);
        } else if self.page.is_some() {
            // What the browser has of the person goes along.
            for name in [Name::Cookie.as_str(), Name::AccessJwtAssertion.as_str()] {
                self.request.headers.get(name).iter().for_each(|value| request.headers.set(name, value));
            }
        }
        request
    }

    /// Whether the browser would not even send it: a page by https asks for plain http (Mixed Content §5.3).
    #[must_use]
    pub fn is_mixed_content(&self) -> bool {
        let server = self.request.server().ok();
        let page = self.said.page.as_ref().is_some_and(|page| page.scheme() == "https");
        page && server.is_some_and(|server| server.scheme() == "http" && !server.is_loopback())
    }

    /// Who makes it, in words.
    #[must_use]
    pub fn by(&self, config: &Config) -> String {
        let who = match (self.said.who, &config.access) {
            (None, _) | (_, Access::DangerouslyAllowAnyone) => None,
            (Some(Who::Nobody), _) => Some("nobody whom Access knows"),
            (Some(Who::Person), _) => Some("a person who is logged in"),
            (Some(Who::Program), _) => Some("a program with a service token"),
        };
        let include = self.page.as_ref().is_some_and(|(ask, site)| ask.include && *site != Site::SameOrigin);
        let credentials = if include { ", with credentials: \"include\"" } else { "" };
        match (&self.said.page, who) {
            (Some(page), Some(who)) => {
                format!("a page of {} that calls fetch(), for {who}{credentials}", page.as_str())
            }
            (Some(page), None) => format!("a page of {} that calls fetch(){credentials}", page.as_str()),
            (None, Some(who)) => who.to_owned(),
            (None, None) => String::new(),
        }
    }
}
