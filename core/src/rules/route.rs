//! Routes: a subpath each, the API that it leads to, and which one takes a path.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::messages::cookies::{CookieNames, RequestCookies};
use crate::rules::cors::Policy;
use crate::rules::cross_origin::ForeignRequests;
use crate::rules::upstream::Upstream;
use crate::syntax::digest::Digest;
use crate::syntax::path::Prefix;

/// A subpath, and the API that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What tells this route from others where a request could pass it twice: half a digest of where it leads from and to,
    /// the same for every isolate of a Worker.
    pub id: String,
    /// `path`.
    pub prefix: Prefix,
    /// `upstream`.
    pub upstream: Upstream,
    /// The binding that its calls go through, in place of the public network.
    pub binding: Option<String>,
    /// Whether the API sees the path without the prefix.
    pub strip_prefix: bool,
    /// What opens Access in front of the API.
    pub credentials: Credentials,
    /// `request_cookies`.
    pub request_cookies: RequestCookies,
    /// `response_cookies`: names, none of them Access's.
    pub response_cookies: CookieNames,
    /// How long the API may take from the end of the request's body to its answer's headers, in milliseconds.
    pub timeout_ms: u32,
    /// How often a GET or HEAD without a body is sent once more, where it got no answer at all.
    pub retries: u32,
    /// Whether Cloudflare may cache the API's answers.
    pub cache: bool,
    /// What pages of other sites may make a browser GET here without CORS.
    pub foreign_requests: ForeignRequests,
    /// `callback_paths`: whole paths, below the route's, that take a foreign page's top-level POST.
    pub callback_paths: Vec<Prefix>,
    /// What becomes of an answer that a browser would show as a document.
    pub documents: Documents,
    /// The route's own policy, else the global one.
    pub cors: Rc<Policy>,
}

impl Route {
    /// The [`Route::id`] of a route between these.
    #[must_use]
    pub fn identify(prefix: &Prefix, upstream: &Upstream) -> String {
        Digest::of(&[prefix.as_str(), " ", upstream.origin.as_str(), &upstream.base_path].concat()).short()
    }
}

/// What becomes of an answer that a browser would show as a document (`documents`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Documents {
    /// `"sandbox"`: it gets an origin of its own and runs no script (CSP3 §6.3.2, `sandbox`).
    #[default]
    Sandbox,
    /// `"allow"`: it is a page of the relay's own host.
    Allow,
}

/// What opens Access in front of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The relay's own service token.
    ServiceToken(ServiceToken),
    /// The caller's own token (Access, *linked app token*); only where callers are checked.
    CallerToken,
    /// Nothing: no Access stands in front of what a binding leads to.
    Nothing,
}

/// A service token of Access. `Debug` shows no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceToken {
    /// The prefix of the secrets' names, for logs.
    pub name: String,
    /// The value of `CF-Access-Client-Id`.
    pub client_id: String,
    /// The value of `CF-Access-Client-Secret`.
    pub client_secret: String,
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Routes, sorted by their prefixes, so that a hundred are found as fast as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    sorted: Vec<Rc<Route>>,
    /// The length of the longest prefix: what comes later in a path need not be looked at.
    longest: usize,
}

impl Routes {
    /// Takes a route in; `false` if there is one with its prefix already.
    pub fn insert(&mut self, route: Rc<Route>) -> bool {
        let Err(at) = self.sorted.binary_search_by(|other| other.prefix.cmp(&route.prefix)) else { return false };
        self.longest = self.longest.max(route.prefix.len());
        self.sorted.insert(at, route);
        true
    }

    /// The deepest route that covers the path, and what comes after its prefix.
    #[must_use]
    pub fn find<'p>(&self, path: &'p str) -> Option<(&Rc<Route>, &'p str)> {
        if path.contains('%') {
            // A letter may be encoded: each prefix has to look for itself.
            let covering = self.sorted.iter().filter_map(|route| Some((route, route.prefix.strip(path)?)));
            return covering.max_by_key(|(route, _)| route.prefix.len());
        }
        let ends = (0..=self.longest).rev().filter(|end| matches!(path.as_bytes().get(*end), None | Some(b'/')));
        ends.filter_map(|end| path.split_at_checked(end)).find_map(|(prefix, rest)| {
            let at = self.sorted.binary_search_by(|route| route.prefix.as_ref().cmp(prefix)).ok()?;
            Some((self.sorted.get(at)?, rest))
        })
    }
}

impl Deref for Routes {
    type Target = [Rc<Route>];

    fn deref(&self) -> &[Rc<Route>] {
        &self.sorted
    }
}
