//! Which requests of foreign pages are refused: those that may change things, and those whose answer the page could not
//! read anyway. Pure.
//!
//! CORS does not stop a page from *sending* a form POST or opening a WebSocket, it only keeps the answer from it, and
//! Access's cookie is `SameSite=None` by default. The rule here is the one of Go's `http.CrossOriginProtection`:
//! `Sec-Fetch-Site` decides where there is one, else `Origin` against `Host`; neither means that no browser asked. It
//! goes further for requests with an `Origin`, of whatever method: they are CORS requests, and one that the policy does
//! not allow is work for the API, and a clock for the page, with nothing to show for it.

use crate::cors::Policy;
use crate::origin::split_scheme;
use crate::problem::{Code, Refusal, quoted};

/// Whether the rule applies: to CORS requests, to methods that are not safe (RFC 9110 §9.2.1, without TRACE, which
/// neither browsers nor Workers send), and to WebSockets: a GET that opens a door to writes, and that CORS does not
/// govern.
#[must_use]
pub fn applies(method: &str, websocket: bool, has_origin: bool) -> bool {
    has_origin || websocket || !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// What the rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// The relay's host and port, as the request names them.
    pub host: &'a str,
    /// Whether a cookie or an Access token came along.
    pub carries_credentials: bool,
}

/// Lets a request pass, unless a browser made it from a foreign origin that the policy does not allow.
///
/// # Errors
/// `cross_origin_blocked`, with the header that gave it away.
pub fn check(facts: Facts, policy: &Policy) -> Result<(), Refusal> {
    let foreign = match (facts.site, facts.origin) {
        (Some("same-origin" | "none"), _) => return Ok(()),
        (Some(site), _) => format!("sec-fetch-site is {}", quoted(site)),
        (None, None) => return Ok(()),
        (None, Some(origin)) if same_host(origin, facts.host) => return Ok(()),
        (None, Some(origin)) => format!("origin is {}, not the relay's host {}", quoted(origin), quoted(facts.host)),
    };
    match facts.origin {
        // A policy without credentials lets everybody's pages in: only with what they have themselves.
        Some(origin) if policy.allows_origin(origin) && (policy.credentials || !facts.carries_credentials) => Ok(()),
        Some(origin) if policy.allows_origin(origin) => {
            let reason =
                format!("{} is false, and a cookie or an Access token came along", policy.key("allow_credentials"));
            Err(Refusal::new(Code::CrossOriginBlocked, reason))
        }
        _ => Err(Refusal::new(Code::CrossOriginBlocked, foreign)),
    }
}

/// Host and port alone: the scheme a Worker sees is not always the page's.
fn same_host(origin: &str, host: &str) -> bool {
    split_scheme(origin).is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}
