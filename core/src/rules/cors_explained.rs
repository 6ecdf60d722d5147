//! How a CORS policy came to refuse a preflight, for `debug`.

use crate::outcomes::problem::{Code, Explanation};
use crate::rules::cors::{Allowed, Callers, Policy, Preflight, is_no_browsers};
use crate::syntax::text::quoted;

/// How many of the values that would have passed an explanation names.
const EXPLAINED: usize = 20;

impl Policy {
    /// Why a preflight was refused with `code`, and what to change.
    #[must_use]
    pub fn explain(&self, code: Code, preflight: Preflight) -> Explanation {
        let seen_headers = preflight.headers.unwrap_or_default();
        let listed = |allowed: &Allowed| match allowed {
            Allowed::Listed(names) => names.iter().take(EXPLAINED).cloned().collect(),
            Allowed::All => vec!["*".to_owned()],
            Allowed::AllAndAuthorization => vec!["*".to_owned(), "authorization".to_owned()],
        };
        let (key, seen, passes, change) = match code {
            Code::MethodNotAllowed => {
                let mut passes = vec!["GET".to_owned(), "HEAD".to_owned(), "POST".to_owned()];
                passes.extend(listed(&self.methods));
                (
                    "cors.allowed_methods",
                    preflight.method,
                    passes,
                    "add the method, in the same case: methods are case-sensitive, and browsers do not change PATCH",
                )
            }
            Code::HeaderNotAllowed => {
                let name = self.allowed_headers(seen_headers).err().unwrap_or_default();
                let change = if is_no_browsers(seen_headers) {
                    "send fewer headers: no browser names as many"
                } else if name.eq_ignore_ascii_case("authorization") {
                    "add \"authorization\" by its name: \"*\" never covers it"
                } else {
                    "add the header; content-type has to be listed for JSON, too"
                };
                ("cors.allowed_headers", name, listed(&self.headers), change)
            }
            _ if self.origins == Callers::Excluded => {
                let change = "call the path from the relay's own origin, or take it out of the list";
                ("cors.excluded_paths", preflight.origin, Vec::new(), change)
            }
            _ => {
                let passes = match &self.origins {
                    Callers::Nobody | Callers::Excluded => Vec::new(),
                    Callers::Anybody => vec!["*".to_owned()],
                    Callers::Listed(origins) => origins.iter().take(EXPLAINED).collect(),
                };
                let change = "add the page's origin, exactly as it was seen; the relay's own origin needs no policy";
                ("cors.allowed_origins", preflight.origin, passes, change)
            }
        };
        Explanation { rule: self.key(key), seen: quoted(seen), passes, change }
    }
}
