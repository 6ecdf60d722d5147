//! The CORS decision: which other origins may call, and with which headers a browser is told so. Pure.
//!
//! Source: Fetch standard, "CORS protocol" (preflight fetch, CORS check, CORS-safelisted method). The rules that keep
//! a policy sensible are applied when the configuration is read (`config::cors`); what is here only decides.

use crate::headers::{Edit, Name};
use crate::problem::{Code, Refusal, quoted};

/// Which origins, other than the relay's own, may call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// None: the relay serves its own origin only.
    #[default]
    Nobody,
    /// All. Never together with credentials.
    Anybody,
    /// These, sorted, byte for byte as browsers send them.
    Listed(Vec<String>),
}

/// Names that a policy allows beyond what the Fetch standard always does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// These, in the configured spelling and order.
    Listed(Vec<String>),
    /// All. Never together with credentials, where browsers would take `*` for a plain name.
    All,
    /// All, and `authorization`, which `*` never covers.
    AllAndAuthorization,
}

impl Default for Allowed {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

/// A CORS policy. The default allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// `allowed_origins`.
    pub origins: Origins,
    /// `allowed_methods`, as the method's own case-sensitive spelling.
    pub methods: Allowed,
    /// `allowed_headers`.
    pub headers: Allowed,
    /// `exposed_headers`, joined for the wire; `None` where there are none.
    pub exposed: Option<String>,
    /// `allow_credentials`.
    pub credentials: bool,
    /// `max_age`, in seconds. 0: browsers must not keep the answer.
    pub max_age: u32,
}

/// What a preflight asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preflight<'a> {
    /// `Origin`.
    pub origin: &'a str,
    /// `Access-Control-Request-Method`.
    pub method: &'a str,
    /// `Access-Control-Request-Headers`; several lines arrive joined with `, `.
    pub headers: Option<&'a str>,
}

/// What a preflight gets: headers, and a refusal where it is one.
pub type PreflightAnswer = Result<Vec<Edit>, Refused>;

/// A refused preflight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code and the reason.
    pub refusal: Refusal,
    /// The headers gathered before the refusal. With `debug` they are sent, so that the browser's console blames the
    /// method or the header and not the origin.
    pub gathered: Vec<Edit>,
}

/// Every answer to a preflight depends on these three request headers.
const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// `Access-Control-Request-Headers` longer than this is no browser's (it would name thousands of headers).
const REQUEST_HEADERS_LIMIT: usize = 16 * 1024;

impl Policy {
    /// Whether pages of `origin` may call. `null`, lists and junk never may, for no such origin can be configured.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        match &self.origins {
            Origins::Nobody => false,
            Origins::Anybody => true,
            Origins::Listed(origins) => origins.binary_search_by(|listed| listed.as_str().cmp(origin)).is_ok(),
        }
    }

    /// Decides a preflight: origin, then method, then headers.
    ///
    /// # Errors
    /// The first of the three that the policy does not allow.
    pub fn preflight(&self, preflight: Preflight) -> PreflightAnswer {
        let mut answer = vec![Edit::Set(Name::Vary, PREFLIGHT_VARY.to_owned())];
        if !self.allows_origin(preflight.origin) {
            let reason = format!("cors.allowed_origins does not list {}", quoted(preflight.origin));
            return Err(refused(Code::OriginNotAllowed, reason, answer));
        }
        self.allow_origin(preflight.origin, &mut answer);

        match self.allowed_method(preflight.method) {
            MethodAllowed::Always => {}
            MethodAllowed::AsListed => answer.push(Edit::Set(Name::AllowMethods, preflight.method.to_owned())),
            MethodAllowed::AsWildcard => answer.push(Edit::Set(Name::AllowMethods, "*".to_owned())),
            MethodAllowed::No => {
                let reason = format!("cors.allowed_methods does not list {}", quoted(preflight.method));
                return Err(refused(Code::MethodNotAllowed, reason, answer));
            }
        }
        match self.allowed_headers(preflight.headers.unwrap_or_default()) {
            Ok(None) => {}
            Ok(Some(names)) => answer.push(Edit::Set(Name::AllowHeaders, names)),
            Err(reason) => return Err(refused(Code::HeaderNotAllowed, reason, answer)),
        }
        answer.push(Edit::Set(Name::MaxAge, self.max_age.to_string()));
        Ok(answer)
    }

    /// The headers that let a page of `origin` read an answer, the relay's own errors included. `vary` reads the `Vary`
    /// that the answer has already.
    #[must_use]
    pub fn response_headers(&self, origin: Option<&str>, vary: impl Fn() -> Option<String>) -> Vec<Edit> {
        let mut edits = Vec::new();
        // Also without an Origin and for an origin that is refused: a cache must not hand one's answer to another.
        let looks_at_origin = matches!(self.origins, Origins::Listed(_));
        let lists_it = |vary: String| crate::headers::lists(&vary, "origin") || crate::headers::lists(&vary, "*");
        if looks_at_origin && !vary().is_some_and(lists_it) {
            edits.push(Edit::Append(Name::Vary, "Origin".to_owned()));
        }
        // `*` does not look at the origin, so it is there without one too: a cached answer then suits every page.
        let origin = if self.origins == Origins::Anybody { Some("*") } else { origin };
        if let Some(origin) = origin.filter(|origin| self.allows_origin(origin)) {
            self.allow_origin(origin, &mut edits);
            if let Some(exposed) = &self.exposed {
                edits.push(Edit::Set(Name::ExposeHeaders, exposed.clone()));
            }
        }
        edits
    }

    fn allow_origin(&self, origin: &str, answer: &mut Vec<Edit>) {
        let value = if self.origins == Origins::Anybody { "*" } else { origin };
        answer.push(Edit::Set(Name::AllowOrigin, value.to_owned()));
        if self.credentials {
            answer.push(Edit::Set(Name::AllowCredentials, "true".to_owned()));
        }
    }

    fn allowed_method(&self, method: &str) -> MethodAllowed {
        // Fetch, "CORS-safelisted method": these pass whatever Allow-Methods says. Compared as they are: only
        // browsers' own normalisation counts, and `patch` is not PATCH.
        if matches!(method, "GET" | "HEAD" | "POST") {
            return MethodAllowed::Always;
        }
        match &self.methods {
            Allowed::Listed(methods) if methods.iter().any(|listed| listed == method) => MethodAllowed::AsListed,
            Allowed::Listed(_) => MethodAllowed::No,
            Allowed::All | Allowed::AllAndAuthorization => MethodAllowed::AsWildcard,
        }
    }

    /// The value of `Access-Control-Allow-Headers`, if one is needed, in the configured spelling: nothing of what the
    /// caller sent is echoed. Any order, case, spacing and empty elements are taken, since gateways rearrange the line.
    fn allowed_headers(&self, asked: &str) -> Result<Option<String>, String> {
        if asked.len() > REQUEST_HEADERS_LIMIT {
            return Err(format!(
                "access-control-request-headers is {} bytes long, at most {REQUEST_HEADERS_LIMIT} pass",
                asked.len()
            ));
        }
        let mut elements = asked.split(',').map(|name| name.trim_matches([' ', '\t'])).filter(|name| !name.is_empty());
        let unlisted =
            |name: &str| format!("cors.allowed_headers does not list {}", quoted(&name.to_ascii_lowercase()));
        match &self.headers {
            Allowed::All => match elements.find(|name| name.eq_ignore_ascii_case("authorization")) {
                Some(name) => {
                    Err(format!("{}: \"*\" never covers it, write [\"*\", \"authorization\"]", unlisted(name)))
                }
                None => Ok((!asked.is_empty()).then(|| "*".to_owned())),
            },
            Allowed::AllAndAuthorization => Ok((!asked.is_empty()).then(|| "*, authorization".to_owned())),
            Allowed::Listed(listed) => {
                let mut wanted = vec![false; listed.len()];
                for name in elements {
                    let found = listed.iter().zip(&mut wanted).find(|(listed, _)| listed.eq_ignore_ascii_case(name));
                    match found {
                        Some((_, wanted)) => *wanted = true,
                        None => return Err(unlisted(name)),
                    }
                }
                let names: Vec<&str> =
                    listed.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(name, _)| name.as_str()).collect();
                Ok((!names.is_empty()).then(|| names.join(",")))
            }
        }
    }
}

enum MethodAllowed {
    Always,
    AsListed,
    AsWildcard,
    No,
}

fn refused(code: Code, reason: String, gathered: Vec<Edit>) -> Refused {
    Refused { refusal: Refusal::new(code, reason), gathered }
}
