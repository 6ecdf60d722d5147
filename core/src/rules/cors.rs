//! The CORS decision: which other origins may call, and with which headers a browser is told so.
//!
//! Source: Fetch standard, "CORS protocol" (preflight fetch, CORS check, CORS-safelisted method). The rules that keep
//! a policy sensible are applied when the configuration is read (`config::cors`); what is here only decides.

use std::rc::Rc;

use crate::messages::edits::{Edit, Edits};
use crate::messages::name::Name;
use crate::outcomes::problem::{Code, Refusal};
use crate::rules::origins::Origins;
use crate::syntax::field::lists;
use crate::syntax::path::{LooseNames, Prefix};
use crate::syntax::text::quoted;

/// Which origins, other than the relay's own, may call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Callers {
    /// None: the relay serves its own origin only.
    #[default]
    Nobody,
    /// All. Never together with credentials.
    Anybody,
    /// These.
    Listed(Origins),
    /// None, for the path is one of `excluded_paths`.
    Excluded,
}

/// Who answers preflights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreflightBy {
    /// The relay, from its policy.
    #[default]
    Edge,
    /// The API says which methods and headers; which origins, the policy.
    Upstream,
}

/// Names that a policy allows beyond what the Fetch standard always does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// These, sorted; header names in lower case.
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
    /// Where it is written, as in `routes[1].cors`; for explanations.
    pub path: String,
    /// `allowed_origins`.
    pub origins: Callers,
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
    /// `excluded_paths`: same-origin only, whatever the rest says.
    pub excluded_paths: Vec<Prefix>,
    /// `preflight`.
    pub preflight: PreflightBy,
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
pub type PreflightAnswer = Result<Edits, Refused>;

/// A refused preflight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code and the reason.
    pub refusal: Refusal,
    /// The headers gathered before the refusal. With `debug` they are sent, so that the browser's console blames the
    /// method or the header and not the origin.
    pub gathered: Edits,
}

/// Every answer to a preflight depends on these three request headers.
pub const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// More elements than this, empty ones included, are no browser's either.
const REQUEST_HEADERS_MOST: usize = 256;

impl Policy {
    /// Whether pages of `origin` may call. `null`, lists and junk never may, for no such origin can be configured.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        match &self.origins {
            Callers::Nobody | Callers::Excluded => false,
            Callers::Anybody => true,
            Callers::Listed(origins) => origins.contain(origin),
        }
    }

    /// The policy of a path that this one covers: one that allows nobody where the path is excluded.
    #[must_use]
    pub fn of_path(policy: &Rc<Self>, path: &str) -> Rc<Self> {
        if policy.excluded_paths.is_empty() {
            return Rc::clone(policy);
        }
        let names = LooseNames::of(path);
        if policy.excluded_paths.iter().any(|prefix| prefix.may_cover(&names)) {
            return Rc::new(Self { path: policy.path.clone(), origins: Callers::Excluded, ..Self::default() });
        }
        Rc::clone(policy)
    }

    /// One of the policy's keys, as in `cors.allowed_origins`, by its path, as in `routes[1].cors.allowed_origins`.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        [self.path.strip_suffix("cors").unwrap_or_default(), key].concat()
    }

    /// Decides a preflight: origin, then method, then headers.
    ///
    /// # Errors
    /// The first of the three that the policy does not allow.
    pub fn preflight(&self, preflight: Preflight) -> PreflightAnswer {
        let mut answer = Edits::from_iter([Edit::Set(Name::Vary, PREFLIGHT_VARY)]);
        let refused = |code, rule, seen: &str, answer| {
            let (rule, reason) = match self.origins {
                Callers::Excluded => {
                    ("cors.excluded_paths", format!("{} lists the path", self.key("cors.excluded_paths")))
                }
                _ if code == Code::HeaderNotAllowed && is_no_browsers(seen) => {
                    (rule, format!("access-control-request-headers has {} bytes, or too many elements", seen.len()))
                }
                _ => (rule, format!("{} does not list {}", self.key(rule), quoted(seen))),
            };
            Err(Refused { refusal: Refusal::new(code, reason).by(rule), gathered: answer })
        };
        if !self.allows_origin(preflight.origin) {
            return refused(Code::OriginNotAllowed, "cors.allowed_origins", preflight.origin, answer);
        }
        self.allow_origin(preflight.origin, &mut answer);

        match self.allowed_method(preflight.method) {
            MethodAllowed::Always => {}
            MethodAllowed::AsListed => answer.push(Edit::Set(Name::AllowMethods, preflight.method)),
            MethodAllowed::AsWildcard => answer.push(Edit::Set(Name::AllowMethods, "*")),
            MethodAllowed::No => {
                return refused(Code::MethodNotAllowed, "cors.allowed_methods", preflight.method, answer);
            }
        }
        match self.allowed_headers(preflight.headers.unwrap_or_default()) {
            Ok(None) => {}
            Ok(Some(names)) => answer.push(Edit::Set(Name::AllowHeaders, &names)),
            Err(name) => {
                // All that would pass, so that the browser blames the one that does not. Not `*`: Chromium still takes it
                // for `authorization`, too, and would send what is refused.
                if let Allowed::Listed(names) = &self.headers {
                    answer.push(Edit::Set(Name::AllowHeaders, &names.join(",")));
                }
                return refused(Code::HeaderNotAllowed, "cors.allowed_headers", name, answer);
            }
        }
        answer.push(Edit::Set(Name::MaxAge, &self.max_age.to_string()));
        Ok(answer)
    }

    /// The headers that let a page of `origin` read an answer, the relay's own errors included. `vary` is what its `Vary`
    /// says by then.
    pub fn add_response_headers(&self, origin: Option<&str>, vary: &str, answer: &mut Edits) {
        // Also without an Origin and for an origin that is refused: a cache must not hand one's answer to another.
        if matches!(self.origins, Callers::Listed(_)) && !lists(vary, "origin") && !lists(vary, "*") {
            answer.push(Edit::Append(Name::Vary, "Origin"));
        }
        // `*` does not look at the origin, so it is there without one too: a cached answer then suits every page.
        let origin = if self.origins == Callers::Anybody { Some("*") } else { origin };
        if let Some(origin) = origin.filter(|origin| self.allows_origin(origin)) {
            self.allow_origin(origin, answer);
            answer.extend(self.exposed.as_deref().map(|exposed| Edit::Set(Name::ExposeHeaders, exposed)));
        }
    }

    /// The headers that let pages of `origin`, which is allowed, read an answer.
    pub fn allow_origin(&self, origin: &str, answer: &mut Edits) {
        let value = if self.origins == Callers::Anybody { "*" } else { origin };
        answer.push(Edit::Set(Name::AllowOrigin, value));
        if self.credentials {
            answer.push(Edit::Set(Name::AllowCredentials, "true"));
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
    /// The cost is bounded: by the caps above, times the logarithm of the listed names. The error is the first element
    /// that is not allowed, or the whole line where it is no browser's.
    pub(crate) fn allowed_headers<'a>(&self, asked: &'a str) -> Result<Option<String>, &'a str> {
        if is_no_browsers(asked) {
            return Err(asked);
        }
        let mut elements = asked.split(',').map(|name| name.trim_matches([' ', '\t'])).filter(|name| !name.is_empty());
        match &self.headers {
            Allowed::All => match elements.find(|name| name.eq_ignore_ascii_case("authorization")) {
                Some(name) => Err(name),
                None => Ok((!asked.is_empty()).then(|| "*".to_owned())),
            },
            Allowed::AllAndAuthorization => Ok((!asked.is_empty()).then(|| "*, authorization".to_owned())),
            Allowed::Listed(listed) => {
                let mut wanted = vec![false; listed.len()];
                for name in elements {
                    let place = listed.binary_search_by(|listed| compare_lower(listed, name)).map_err(|_| name)?;
                    if let Some(wanted) = wanted.get_mut(place) {
                        *wanted = true;
                    }
                }
                let names: Vec<&str> =
                    listed.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(name, _)| name.as_str()).collect();
                Ok((!names.is_empty()).then(|| names.join(",")))
            }
        }
    }
}

/// Whether a line names more headers than any browser does.
#[must_use]
pub fn is_no_browsers(asked: &str) -> bool {
    asked.len() > Name::RequestHeaders.longest() || asked.bytes().filter(|b| *b == b',').count() >= REQUEST_HEADERS_MOST
}

/// Orders a lower-case name against one in whatever case.
fn compare_lower(lower: &str, name: &str) -> std::cmp::Ordering {
    lower.bytes().cmp(name.bytes().map(|b| b.to_ascii_lowercase()))
}

enum MethodAllowed {
    Always,
    AsListed,
    AsWildcard,
    No,
}
