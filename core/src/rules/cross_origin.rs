//! Which requests of foreign pages are refused: all but those that the CORS policy allows, and links that somebody follows.
//!
//! CORS does not stop a page from *sending* a form POST, opening a WebSocket, or loading a script, an image or a frame; it
//! only keeps some of the answers from it. And Access's cookie is `SameSite=None` by default. So the rule has three cases:
//!
//! 1. what may change something, unsafe methods and WebSockets: the model is Go's `http.CrossOriginProtection`
//!    (`Sec-Fetch-Site` decides where there is one, else `Origin` against the relay's own; neither means that no browser
//!    asked);
//! 2. any request with a foreign `Origin`, of whatever method: it is a CORS request, and one that the policy does not allow
//!    is work for the API, and a clock for the page, with nothing to show for it;
//! 3. any other request that `Sec-Fetch-Site` calls foreign, or that the browser makes before somebody follows a link: the model
//!    is the web's resource isolation policy (web.dev, "Protect your resources from web attacks with Fetch Metadata"). A link
//!    that somebody follows passes (`foreign_requests` says how much else).

use crate::outcomes::problem::{Code, Refusal};
use crate::rules::cors::{Callers, Policy};
use crate::syntax::origin::{split_scheme, without_default_port};
use crate::syntax::text::quoted;

/// What pages of other sites may make a browser GET here without CORS (`foreign_requests`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForeignRequests {
    /// `"none"`: nothing, not even a link that somebody follows.
    None,
    /// `"navigations"`: a link that somebody follows, in a window of its own.
    #[default]
    Navigations,
    /// `"all"`: images, scripts, styles and frames too.
    All,
}

/// What the rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The method, as it was sent.
    pub method: &'a str,
    /// Whether it would open a WebSocket.
    pub websocket: bool,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'a str>,
    /// Whether the browser only prepares for a link that somebody might follow (Fetch, "`Sec-Purpose`").
    pub prefetch: bool,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// The scheme of the request's URL.
    pub scheme: &'a str,
    /// The relay's host and port, as the request names them.
    pub host: &'a str,
    /// Whether a cookie or an Access token came along.
    pub carries_credentials: bool,
    /// `foreign_requests` of the route.
    pub foreign_requests: ForeignRequests,
    /// Whether the path is one of the route's `callback_paths`.
    pub callback: bool,
}

/// Why the rule lets a request pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounds {
    /// No page of another origin made it.
    NotForeign,
    /// A page of the relay's own origin made it.
    Own,
    /// Its path is one of `callback_paths`, and a foreign page's form leads there.
    Callback,
    /// The CORS policy allows the page's origin.
    Allowed,
    /// `foreign_requests` of the route lets it pass.
    Navigation,
}

/// Lets a request pass, unless a browser made it from a foreign origin that the policy does not allow.
///
/// # Errors
/// `cross_origin_blocked`, with the header that gave it away.
pub fn check(facts: Facts, policy: &Policy) -> Result<Grounds, Refusal> {
    // A browser lets no page choose the origin that it names: what names the relay's is the relay's own page, though WebKit
    // calls a form of its with target=_blank `cross-site`.
    if facts.origin.is_some_and(|origin| is_own(origin, facts.scheme, facts.host)) {
        return Ok(Grounds::Own);
    }
    let foreign = match (facts.site, facts.origin) {
        // Speculation rules of a page send `none`, like a typed address, also from a sibling host.
        (Some("none"), None) if facts.prefetch => "sec-fetch-site is none, with sec-purpose".to_owned(),
        (Some("same-origin" | "none"), _) | (None, None) => return Ok(Grounds::NotForeign),
        (Some(site), _) => format!("sec-fetch-site is {}", quoted(site)),
        (None, Some(origin)) => format!(
            "origin is {}, not the relay's own, {}",
            quoted(origin),
            quoted(&[facts.scheme, "://", facts.host].concat())
        ),
    };
    if facts.callback && facts.is_top_level("POST") {
        return Ok(Grounds::Callback);
    }
    if facts.origin.is_some_and(|origin| policy.allows_origin(origin)) {
        // A policy without credentials lets everybody's pages in: only with what they have themselves.
        if policy.credentials || !facts.carries_credentials {
            return Ok(Grounds::Allowed);
        }
        let reason =
            format!("{} is false, and a cookie or an Access token came along", policy.key("cors.allow_credentials"));
        return Err(Refusal::new(Code::CrossOriginBlocked, reason).by("cors.allow_credentials"));
    }
    let reads = matches!(facts.method, "GET" | "HEAD") && !facts.websocket && facts.origin.is_none();
    let (reason, key) = match facts.foreign_requests {
        ForeignRequests::All if reads => return Ok(Grounds::Navigation),
        ForeignRequests::Navigations if reads && facts.is_top_level("GET") && !facts.prefetch => {
            return Ok(Grounds::Navigation);
        }
        _ if reads => {
            let [mode, dest] = [facts.mode, facts.dest].map(|said| quoted(said.unwrap_or_default()));
            let reason = format!(
                "{foreign}, sec-fetch-mode {mode}, sec-fetch-dest {dest}: foreign_requests of the route decides"
            );
            (reason, "routes.foreign_requests")
        }
        _ if matches!(policy.origins, Callers::Excluded) => (foreign, "cors.excluded_paths"),
        _ => (foreign, "cors.allowed_origins"),
    };
    Err(Refusal::new(Code::CrossOriginBlocked, reason).by(key))
}

impl Facts<'_> {
    /// Whether somebody goes to it, in a window of its own: by a link or a form (Fetch Metadata §2.1, §2.2).
    fn is_top_level(&self, method: &str) -> bool {
        self.method == method && !self.websocket && self.mode == Some("navigate") && self.dest == Some("document")
    }
}

/// Whether an origin is the relay's own: scheme, host and port. Where the runtime says `http`, TLS may have ended in front of
/// it, so an `https` page of the same host is the relay's own as well; never the other way round.
fn is_own(origin: &str, scheme: &str, host: &str) -> bool {
    let Some((origin_scheme, authority)) = split_scheme(origin) else { return false };
    let upgraded = scheme == "http" && origin_scheme == "https";
    (origin_scheme == scheme || upgraded)
        && matches!(scheme, "http" | "https")
        && without_default_port(authority, origin_scheme).eq_ignore_ascii_case(without_default_port(host, scheme))
}
