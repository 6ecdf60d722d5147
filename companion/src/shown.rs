//! What may be shown of a message: no cookie, no token, no secret. Of headers only those show that are known to hold none; of a query,
//! names.

use access_relay_core::caller::token::is_aud_tag;
use access_relay_core::syntax::redact::{NOT_SHOWN, redacted};

use crate::findings::one_line;

/// More characters of a value tell nobody anything.
const LONGEST: usize = 300;

/// Headers whose values show; a `*` at the end stands for whatever is there.
const HARMLESS: &[&str] = &[
    "accept",
    "accept-*",
    "access-control-*",
    "access-relay-loop",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "cdn-cache-control",
    "cf-access-domain",
    "cf-access-error",
    "cf-cache-status",
    "cf-mitigated",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-*",
    "date",
    "dnt",
    "expires",
    "if-modified-since",
    "last-modified",
    "origin",
    "pragma",
    "priority",
    "range",
    "retry-after",
    "sec-ch-*",
    "sec-fetch-*",
    "sec-gpc",
    "sec-purpose",
    "sec-websocket-extensions",
    "sec-websocket-version",
    "server",
    "server-timing",
    "strict-transport-security",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-forwarded-*",
    "x-frame-options",
    "x-requested-with",
];

fn is_harmless(name: &str) -> bool {
    let fits = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => *pattern == name,
    };
    HARMLESS.iter().any(fits)
}

/// The value of a header, whose name is in lower case. Of cookies the names show, of an `Authorization` its scheme.
#[must_use]
pub fn value(name: &str, value: &str) -> String {
    match name {
        "cookie" => {
            let names = value.split(';').map(|pair| pair.split('=').next().unwrap_or_default().trim());
            clean(&names.map(|name| format!("{name}={NOT_SHOWN}")).collect::<Vec<_>>().join("; "))
        }
        "authorization" => {
            let scheme = value.split_once(' ').map(|(scheme, _)| format!("{scheme} ")).unwrap_or_default();
            clean(&format!("{scheme}{NOT_SHOWN}"))
        }
        "referer" | "location" | "content-location" => url(value),
        // The tag that names an application is no secret, though it looks like one.
        "cf-access-aud" if is_aud_tag(value) => value.to_owned(),
        _ if is_harmless(name) => clean(value),
        _ => NOT_SHOWN.to_owned(),
    }
}

/// A URL without its user's name and its fragment; of its query, the names.
#[must_use]
pub fn url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (before, query) = url.split_once('?').map_or((url, None), |(before, query)| (before, Some(query)));
    let Some((scheme, rest)) = before.split_once("://").filter(|(scheme, _)| scheme.len() < 10) else {
        // A path alone, or what holds anything: `data:`.
        let is_path = before.starts_with('/') || before.is_empty();
        return if is_path { clean(before) + &query.map(names).unwrap_or_default() } else { NOT_SHOWN.to_owned() };
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    clean(&format!("{scheme}://{host}{path}")) + &query.map(names).unwrap_or_default()
}

fn names(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some(("kid", tag)) if is_aud_tag(tag) => pair.to_owned(),
        Some((name, _)) => format!("{}={NOT_SHOWN}", clean(name)),
        None => {
            if pair.is_empty() {
                String::new()
            } else {
                NOT_SHOWN.to_owned()
            }
        }
    };
    format!("?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
}

/// A text of somebody else's: on one line, cut, and without what looks like a secret.
#[must_use]
pub fn clean(text: &str) -> String {
    let text = one_line(&redacted(text, []));
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
