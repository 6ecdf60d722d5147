//! A small model of a browser: what the Fetch standard has it do with a cross-origin request, and whether the page may
//! read the answer. Source: Fetch standard, "HTTP fetch", "CORS-preflight fetch", "CORS check", "CORS filtered response".
//!
//! It knows nothing of the relay's code: it sends what a browser would send, and believes what a browser would believe.

use std::collections::BTreeSet;

use crate::support::heads::Lines;

/// What a page asks for with `fetch()`.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The page's origin; another one than the server's.
    pub origin: String,
    /// `credentials: "include"`, with a cookie to send.
    pub include: bool,
    pub method: String,
    pub headers: Vec<(String, String)>,
}

/// What the page gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// A status, and the headers that it may read.
    Readable(u16, Vec<String>),
    /// "blocked by CORS policy", and the model's word for why.
    NetworkError(&'static str),
}

/// A server: method, headers in; status and headers out.
pub trait Server {
    fn answer(&mut self, method: &str, headers: &Lines) -> (u16, Lines);
}

impl<F: FnMut(&str, &Lines) -> (u16, Lines)> Server for F {
    fn answer(&mut self, method: &str, headers: &Lines) -> (u16, Lines) {
        self(method, headers)
    }
}

/// `fetch(url, …)` of a page, with `mode: "cors"`.
pub fn fetch(ask: &Ask, server: &mut impl Server) -> Got {
    let method = normalized(&ask.method);
    let unsafe_names = unsafe_names(&ask.headers);
    let simple = is_safelisted_method(&method) && unsafe_names.is_empty();
    let allowed = if simple { Ok(()) } else { preflight(ask, &method, &unsafe_names, server) };
    if let Err(why) = allowed {
        return Got::NetworkError(why);
    }
    let mut lines = Lines::of(&[("origin", &ask.origin), ("sec-fetch-site", "cross-site")]);
    lines.0.extend(ask.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    if ask.include {
        lines.0.push(("cookie".to_owned(), "session=1".to_owned()));
    }
    let (status, answer) = server.answer(&method, &lines);
    if let Err(why) = cors_check(ask, &answer) {
        return Got::NetworkError(why);
    }
    Got::Readable(status, readable(ask, &answer))
}

fn preflight(ask: &Ask, method: &str, unsafe_names: &[String], server: &mut impl Server) -> Result<(), &'static str> {
    let mut lines = Lines::of(&[
        ("origin", &ask.origin),
        ("access-control-request-method", method),
        ("sec-fetch-site", "cross-site"),
    ]);
    if !unsafe_names.is_empty() {
        lines.0.push(("access-control-request-headers".to_owned(), unsafe_names.join(",")));
    }
    let (status, answer) = server.answer("OPTIONS", &lines);
    cors_check(ask, &answer)?;
    if !(200..=299).contains(&status) {
        return Err("preflight: not ok status");
    }
    let methods = list(&answer, "access-control-allow-methods");
    let names = list(&answer, "access-control-allow-headers");
    let star = |values: &[String]| !ask.include && values.iter().any(|value| value == "*");
    if !methods.iter().any(|listed| listed == method) && !is_safelisted_method(method) && !star(&methods) {
        return Err("preflight: method");
    }
    for name in unsafe_names {
        let listed = names.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        // "CORS non-wildcard request-header name": authorization, and nothing else.
        if !listed && (name == "authorization" || !star(&names)) {
            return Err("preflight: header");
        }
    }
    Ok(())
}

fn cors_check(ask: &Ask, answer: &Lines) -> Result<(), &'static str> {
    match answer.get("access-control-allow-origin") {
        None => return Err("no allow-origin"),
        Some(star) if star == "*" && !ask.include => return Ok(()),
        Some(origin) if origin != ask.origin => return Err("allow-origin is another"),
        Some(_) => {}
    }
    let allowed = answer.get("access-control-allow-credentials").is_some_and(|value| value == "true");
    if ask.include && !allowed { Err("no allow-credentials") } else { Ok(()) }
}

fn readable(ask: &Ask, answer: &Lines) -> Vec<String> {
    const SAFELISTED: [&str; 7] =
        ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
    let exposed = list(answer, "access-control-expose-headers");
    let all = !ask.include && exposed.iter().any(|name| name == "*");
    let may = |name: &&str| {
        SAFELISTED.contains(name)
            || (*name != "set-cookie" && (all || exposed.iter().any(|e| e.eq_ignore_ascii_case(name))))
    };
    let names: BTreeSet<&str> = answer.0.iter().map(|(name, _)| name.as_str()).collect();
    names.into_iter().filter(may).map(str::to_owned).collect()
}

/// "Normalize a method": these six alone.
fn normalized(method: &str) -> String {
    let upper = method.to_ascii_uppercase();
    let known = matches!(upper.as_str(), "DELETE" | "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT");
    if known { upper } else { method.to_owned() }
}

fn is_safelisted_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

/// "CORS-unsafe request-header names": sorted, lower-case, each once.
fn unsafe_names(headers: &[(String, String)]) -> Vec<String> {
    let is_safe = |name: &str, value: &str| match name {
        "accept" | "accept-language" | "content-language" => value.len() <= 128,
        "content-type" => matches!(value, "text/plain" | "multipart/form-data" | "application/x-www-form-urlencoded"),
        _ => false,
    };
    let lower = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let mut names: Vec<String> = lower.filter(|(name, value)| !is_safe(name, value)).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn list(answer: &Lines, name: &str) -> Vec<String> {
    let value = answer.get(name).unwrap_or_default();
    value.split(',').map(|element| element.trim().to_owned()).filter(|element| !element.is_empty()).collect()
}
