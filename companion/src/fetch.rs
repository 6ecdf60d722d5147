//! What a browser does with a page's `fetch()` of another origin, and what it concludes from the answers. Source: Fetch standard, "CORS
//! protocol" and "HTTP-network-or-cache fetch"; Fetch Metadata.

use std::fmt::{self, Display, Formatter};

use access_relay_core::rules::browsers::{FORBIDDEN, why_no_method};
use access_relay_core::syntax::origin::Origin;
use access_relay_core::syntax::text::quoted;

use crate::headers::Headers;
use crate::suffixes::registrable;

/// What a page asks for, in mode `cors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The page's origin, as browsers write it.
    pub origin: String,
    /// The method, normalized.
    pub method: String,
    /// The headers that the page sets.
    pub headers: Headers,
    /// Whether its credentials mode is `include`.
    pub include: bool,
    /// Whether the URL is potentially trustworthy (Secure Contexts §3.1): by https, or on this machine.
    pub trustworthy: bool,
}

/// How far a page's site is from a URL's, as `Sec-Fetch-Site` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// The same origin.
    SameOrigin,
    /// Another origin of the same site.
    SameSite,
    /// Another site.
    CrossSite,
}

impl Site {
    /// What lies between two origins.
    #[must_use]
    pub fn between(page: &Origin, server: &Origin) -> Self {
        let site = |origin: &Origin| registrable(origin.host()).unwrap_or(origin.host()).to_owned();
        if page == server {
            Self::SameOrigin
        } else if page.scheme() == server.scheme() && site(page) == site(server) {
            Self::SameSite
        } else {
            Self::CrossSite
        }
    }

    /// As the header has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossSite => "cross-site",
        }
    }
}

/// Why a browser keeps an answer from the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// It has no `Access-Control-Allow-Origin`.
    NoOrigin,
    /// It has `*` there, and the request has credentials.
    Wildcard,
    /// It names this there, and not the page's origin.
    OtherOrigin(String),
    /// It has no `Access-Control-Allow-Credentials: true`, and the request has credentials.
    NoCredentials,
    /// It answers a preflight with this status, and not with one from 200 to 299.
    Status(u16),
    /// It does not list this method.
    Method(String),
    /// It does not list this header.
    Header(String),
}

impl Display for Blocked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrigin => f.write_str("has no Access-Control-Allow-Origin"),
            Self::Wildcard => {
                f.write_str("has Access-Control-Allow-Origin: *, which counts for requests without credentials only")
            }
            Self::OtherOrigin(origin) => {
                write!(f, "names {} in Access-Control-Allow-Origin, and not the page's origin", quoted(origin))
            }
            Self::NoCredentials => {
                f.write_str("has no Access-Control-Allow-Credentials: true, and the request has credentials")
            }
            Self::Status(status) => write!(f, "has the status {status}, and not one from 200 to 299"),
            Self::Method(method) => write!(f, "does not list {} in Access-Control-Allow-Methods", quoted(method)),
            Self::Header(name) => write!(f, "does not list {} in Access-Control-Allow-Headers", quoted(name)),
        }
    }
}

/// A method as `fetch()` sends it: these six are written in upper case, and PATCH is not among them ("normalize a method").
#[must_use]
pub fn normalized(method: &str) -> String {
    let upper = method.to_ascii_uppercase();
    if matches!(upper.as_str(), "DELETE" | "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT") {
        upper
    } else {
        method.to_owned()
    }
}

/// Whether browsers let no page send a method ("forbidden method").
#[must_use]
pub fn is_forbidden_method(method: &str) -> bool {
    why_no_method(method).is_some()
}

/// Whether browsers let no page set a header ("forbidden request-header").
#[must_use]
pub fn is_forbidden_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let begins = |beginning: &str| name.starts_with(beginning);
    FORBIDDEN.contains(&name.as_str())
        || matches!(name.as_str(), "set-cookie" | "via")
        || begins("proxy-")
        || begins("sec-")
}

/// The headers that a preflight has to ask for, sorted, each once ("CORS-unsafe request-header names").
#[must_use]
pub fn unsafe_names(headers: &Headers) -> Vec<&str> {
    let lines: Vec<(&str, &str)> = headers.iter().collect();
    let safe = |(name, value): &(&str, &str)| is_safelisted(name, value);
    let size: usize = lines.iter().filter(|line| safe(line)).map(|(_, value)| value.len()).sum();
    let mut names: Vec<&str> = lines.iter().filter(|line| size > 1024 || !safe(line)).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// "CORS-safelisted request-header".
fn is_safelisted(name: &str, value: &str) -> bool {
    let holds_unsafe = || value.bytes().any(|b| (b < 0x20 && b != b'\t') || b"\"():<>?@[\\]{}\x7f".contains(&b));
    let fits = match name {
        "accept" => !holds_unsafe(),
        "accept-language" | "content-language" => {
            value.bytes().all(|b| b.is_ascii_alphanumeric() || b" *,-.;=".contains(&b))
        }
        "content-type" => {
            let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let forms = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
            !holds_unsafe() && forms.contains(&essence.as_str())
        }
        "range" => is_simple_range(value),
        _ => return false,
    };
    fits && value.len() <= 128
}

/// `bytes=0-` or `bytes=0-499` ("parse a single range header value", and a first position).
fn is_simple_range(value: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let range = value.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    range.is_some_and(|(first, last)| {
        let [from, to] = [first, last].map(|text| text.parse::<u64>().ok());
        let in_order = to.is_none_or(|to| from.is_some_and(|from| from <= to));
        !first.is_empty() && is_number(first) && is_number(last) && in_order
    })
}

impl Ask {
    /// Whether the browser asks before it sends this ("CORS-preflight fetch").
    #[must_use]
    pub fn needs_preflight(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "POST") || !unsafe_names(&self.headers).is_empty()
    }

    /// The headers of the preflight.
    #[must_use]
    pub fn preflight(&self, site: Site) -> Headers {
        let mut headers = self.metadata(site);
        headers.set("access-control-request-method", &self.method);
        let names = unsafe_names(&self.headers).join(",");
        if !names.is_empty() {
            headers.set("access-control-request-headers", &names);
        }
        headers
    }

    /// The headers of the request itself, but for the cookies.
    #[must_use]
    pub fn request(&self, site: Site) -> Headers {
        let mut headers = self.headers.clone();
        self.metadata(site).iter().for_each(|(name, value)| headers.set(name, value));
        if site == Site::SameOrigin && matches!(self.method.as_str(), "GET" | "HEAD") {
            headers.remove("origin");
        }
        headers
    }

    /// What the browser says by itself.
    fn metadata(&self, site: Site) -> Headers {
        let fetch = [("sec-fetch-site", site.as_str()), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
        // To an address that nobody could have kept from being read, it says nothing (Fetch Metadata §2).
        let fetch = fetch.into_iter().filter(|_| self.trustworthy);
        std::iter::once(("origin", self.origin.as_str())).chain(fetch).collect()
    }

    /// Whether the page may read an answer ("CORS check").
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, answer: &Headers) -> Result<(), Blocked> {
        let allowed = answer.get("access-control-allow-origin");
        match allowed.as_deref() {
            None => return Err(Blocked::NoOrigin),
            Some("*") if !self.include => return Ok(()),
            Some("*") => return Err(Blocked::Wildcard),
            Some(origin) if origin != self.origin => return Err(Blocked::OtherOrigin(origin.to_owned())),
            Some(_) => {}
        }
        if self.include && answer.get("access-control-allow-credentials").as_deref() != Some("true") {
            return Err(Blocked::NoCredentials);
        }
        Ok(())
    }

    /// Whether the browser sends the request after this answer to its preflight.
    ///
    /// # Errors
    /// Why not.
    pub fn check_preflight(&self, status: u16, answer: &Headers) -> Result<(), Blocked> {
        self.check(answer)?;
        if !(200..=299).contains(&status) {
            return Err(Blocked::Status(status));
        }
        let listed = |name: &str| -> Vec<String> {
            let value = answer.get(name).unwrap_or_default();
            value.split(',').map(|element| element.trim().to_owned()).filter(|element| !element.is_empty()).collect()
        };
        let methods = listed("access-control-allow-methods");
        let is_star = |values: &[String]| !self.include && values.iter().any(|value| value == "*");
        let is_simple = matches!(self.method.as_str(), "GET" | "HEAD" | "POST");
        if !is_simple && !methods.contains(&self.method) && !is_star(&methods) {
            return Err(Blocked::Method(self.method.clone()));
        }
        let names = listed("access-control-allow-headers");
        for name in unsafe_names(&self.headers) {
            let is_listed = names.iter().any(|listed| listed.eq_ignore_ascii_case(name));
            // "CORS non-wildcard request-header name": authorization alone.
            if !is_listed && (name == "authorization" || !is_star(&names)) {
                return Err(Blocked::Header(name.to_owned()));
            }
        }
        Ok(())
    }
}
