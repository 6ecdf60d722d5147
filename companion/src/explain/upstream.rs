//! What the API gets of a request, line by line: whose each line is, and why others are left out.

use access_relay_core::flow::forward::Forward;
use access_relay_core::messages::crossing::{NOT_THE_CALLERS, listed_by};
use access_relay_core::messages::edits::Edit;
use access_relay_core::messages::name::Name;
use access_relay_core::rules::route::Credentials;
use access_relay_core::syntax::field::connection_options;
use serde::Serialize;

use crate::explain::request::Request;
use crate::shown;

/// The request to the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The binding that it goes through, if it does not cross the public network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
    /// Its headers, by their names.
    pub headers: Vec<Line>,
    /// What the caller sent and the API does not get.
    pub left_out: Vec<LeftOut>,
}

/// A header that the API gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its name in lower case.
    pub name: String,
    /// Its value, as it may be shown.
    pub value: String,
    /// Whose it is.
    pub from: From,
}

/// Who says a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The caller.
    Caller,
    /// The relay.
    Relay,
}

/// A header that the API does not get, or not as the caller sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name in lower case.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What the API gets.
#[must_use]
pub fn of(request: &Request, forward: &Forward) -> Upstream {
    let sent = request.headers.clone().edited(&forward.edits);
    let set: Vec<&str> = forward
        .edits
        .iter()
        .filter_map(|edit| match edit {
            Edit::Set(name, _) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let line = |name: &str| {
        let is_relays = set.contains(&name) && !["cookie", "upgrade"].contains(&name);
        let value = sent.get(name).unwrap_or_default();
        let value = match name {
            // The relay's, and a new one for each request.
            "traceparent" => "(the request's trace)".to_owned(),
            _ => secret(forward, name).unwrap_or_else(|| shown::value(name, &value)),
        };
        Line { name: name.to_owned(), value, from: if is_relays { From::Relay } else { From::Caller } }
    };
    let left_out = request.headers.names().into_iter().filter_map(|name| {
        let is_preflight = forward.edits.iter().any(|edit| edit == Edit::RemoveAll(""));
        let why = match (request.headers.get(name), sent.get(name)) {
            (before, after) if before == after => return None,
            (_, Some(_)) if name == "cookie" => "request_cookies of the route does not name all of them".to_owned(),
            (_, Some(_)) if name == "upgrade" => return None,
            (_, Some(_)) => "the relay's own takes its place".to_owned(),
            (_, None) if is_preflight => "an API gets no more of a preflight than it asks".to_owned(),
            (_, None) => why(request, name),
        };
        Some(LeftOut { name: name.to_owned(), why })
    });
    Upstream {
        method: request.method.clone(),
        url: shown::url(forward.edits.url()),
        binding: forward.route.binding.clone(),
        headers: sent.names().into_iter().map(line).collect(),
        left_out: left_out.collect(),
    }
}

/// The name of the secret that a header holds.
fn secret(forward: &Forward, name: &str) -> Option<String> {
    let end = match name {
        _ if name == Name::AccessClientId.as_str() => "CLIENT_ID",
        _ if name == Name::AccessClientSecret.as_str() => "CLIENT_SECRET",
        _ if name == Name::AccessToken.as_str() => return Some("(the caller's token)".to_owned()),
        _ => return None,
    };
    match &forward.route.credentials {
        Credentials::ServiceToken(token) => Some(format!("(the secret {}_{end})", token.name)),
        Credentials::CallerToken | Credentials::Nothing => None,
    }
}

/// Why a header does not pass.
fn why(request: &Request, name: &str) -> String {
    let options = request.headers.get(Name::Connection.as_str()).unwrap_or_default();
    match name {
        "cookie" => "request_cookies of the route names none of them".to_owned(),
        "tracestate" => "it belongs to no trace that the relay goes on with".to_owned(),
        _ => match listed_by(name, NOT_THE_CALLERS) {
            Some(pattern) => format!("{} ({pattern})", reason(pattern)),
            None if connection_options(&options).iter().any(|option| option == name) => {
                "connection names it: it is for one connection (RFC 9110 §7.6.1)".to_owned()
            }
            None => "a server could take its name for that of a header that is Cloudflare's, or the body's".to_owned(),
        },
    }
}

/// The page of the docs that has a reason for each pattern.
const REASONS: &str = include_str!("../../../docs/headers.md");

/// Why the headers of a pattern are not the caller's to say.
fn reason(pattern: &str) -> &'static str {
    let quoted = format!("`{pattern}`");
    let rows = REASONS.lines().filter_map(|line| line.strip_prefix("| `").map(|_| line.trim_matches([' ', '|'])));
    let row =
        rows.filter_map(|row| row.split_once(" | ")).find(|(names, _)| names.split(", ").any(|name| name == quoted));
    let sentence = row.and_then(|(_, why)| why.split(". ").next());
    sentence.map_or("it is not the caller's to say", |sentence| sentence.trim_end_matches('.'))
}
