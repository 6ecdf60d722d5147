//! What somebody asks: a request, who makes it, and from which page.

use access_relay_core::config::types::{Access, Config};
use access_relay_core::messages::name::Name;
use access_relay_core::syntax::origin::Origin;
use access_relay_core::syntax::text::quoted;
use serde::Deserialize;

use crate::explain::request::{Request, header};
use crate::explain::who::{As, Who};
use crate::explain::{curl, recorded, shell};
use crate::fetch::{Ask, Site, is_forbidden_header, is_forbidden_method, normalized};
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
    /// The text of a recording.
    pub har: Option<String>,
    /// Which entry of it, from 1.
    pub entry: Option<usize>,
    /// The text of the issuer's key set.
    pub keys: Option<String>,
    /// The time, in seconds since the epoch.
    pub now: i64,
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
    pub fn read(question: &Question) -> Result<Self, Vec<String>> {
        let one = |error: String| vec![shown::clean(&error)];
        let sources = [question.curl.is_some(), question.line.is_some(), question.har.is_some()];
        if sources.iter().filter(|is_there| **is_there).count() > 1 {
            return Err(one("found more than one request: write a curl command or --har, and not both".to_owned()));
        }
        let said = As::parse(&question.r#as).map_err(one)?;
        let mut request = match question {
            Question { curl: Some(words), .. } => curl::request(words).map_err(one)?,
            Question { line: Some(line), .. } => {
                let words = shell::words(line.trim()).map_err(|error| one(format!("curl: {error}")))?;
                curl::request(&words).map_err(one)?
            }
            Question { har: Some(text), entry, .. } => recorded::request(text, *entry)?,
            _ => Request { method: "GET".to_owned(), ..Request::default() },
        };
        if let Some(url) = &question.url {
            request.url.clone_from(url);
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
        request.url = request.url.split('#').next().unwrap_or_default().to_owned();
        request.check().map_err(one)?;
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
        // What a browser has said in a recording or a copied command, it says anew.
        let is_recorded = request.recorded.is_some() || request.headers.get("sec-fetch-site").is_some();
        let forbidden = request.headers.names().into_iter().find(|name| is_forbidden_header(name));
        if let Some(name) = forbidden.filter(|_| !is_recorded) {
            return Err(format!("--header: browsers let no page set {}; leave it out, or --as page", quoted(name)));
        }
        let site = Site::between(page, &request.server()?);
        let mut headers = request.headers.clone();
        for name in request.headers.names().into_iter().filter(|name| is_forbidden_header(name)) {
            headers.remove(name);
        }
        let (origin, method) = (page.as_str().to_owned(), normalized(&request.method));
        Ok((Ask { origin, method, headers, include: who == Some(Who::Person) }, site))
    }

    /// What a page of another origin asks, as far as the request itself tells: for whether its browser lets it read the answer.
    #[must_use]
    pub fn reader(&self) -> Option<Ask> {
        match &self.page {
            Some((_, Site::SameOrigin)) => None,
            Some((ask, _)) => Some(ask.clone()),
            None => {
                let Request { method, headers, .. } = &self.request;
                let origin = headers.get("origin")?;
                let is_own = self.request.server().is_ok_and(|server| server.as_str() == origin);
                let mode = headers.get("sec-fetch-mode").unwrap_or_else(|| "cors".to_owned());
                let is_preflight = method == "OPTIONS" && headers.get("access-control-request-method").is_some();
                let include =
                    [Name::Cookie, Name::AccessJwtAssertion].iter().any(|name| headers.get(name.as_str()).is_some());
                let ask = Ask { origin, method: method.clone(), headers: headers.clone(), include };
                (!is_own && mode == "cors" && !is_preflight).then_some(ask)
            }
        }
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
