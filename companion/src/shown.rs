//! What may be shown of a request: no cookie, no token, no secret.

use access_relay_core::caller::token::is_aud_tag;
use access_relay_core::syntax::redact::{NOT_SHOWN, redacted};

use crate::findings::one_line;

/// More characters of a value tell nobody anything.
const LONGEST: usize = 300;

/// Parts of names whose values are secrets, for all that anybody knows.
const SECRET: [&str; 11] = [
    "auth",
    "token",
    "secret",
    "password",
    "passwd",
    "session",
    "apikey",
    "api-key",
    "api_key",
    "assertion",
    "signature",
];

/// Names that have such a part, and tell nothing.
const HARMLESS: [&str; 3] = ["access-control-request-headers", ":authority", "www-authenticate"];

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !HARMLESS.contains(&name.as_str())
        && (SECRET.iter().any(|part| name.contains(part)) || name == "cf-access-client-id")
}

/// A header's value. Of cookies the names show, of an `Authorization` its scheme.
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
        "referer" => url(value),
        _ if is_secret(name) => NOT_SHOWN.to_owned(),
        _ => clean(value),
    }
}

/// A URL without its user's name, and without the values in its query that could be secrets.
#[must_use]
pub fn url(url: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, None), |(before, query)| (before, Some(query)));
    let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let colon = if scheme.is_empty() { "" } else { "://" };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) || matches!(name, "code" | "state" | "meta" | "sig" | "key") => {
            format!("{name}={NOT_SHOWN}")
        }
        // The tag that names an application is no secret, though it looks like one.
        Some(("kid", tag)) if is_aud_tag(tag) => pair.to_owned(),
        _ => clean(pair),
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&")));
    clean(&format!("{scheme}{colon}{host}{path}")) + &query.unwrap_or_default()
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
