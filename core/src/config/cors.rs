//! `cors`: a policy that a browser can act on, or errors.

use crate::config::keys::{Key, cors as keys};
use crate::config::suffix::{PublicSuffixes, is_public_suffix};
use crate::config::table::Table;
use crate::rules::browsers::{in_upper_case, why_no_method, why_not_allowed, why_not_exposed};
use crate::rules::cors::{Allowed, Callers, Policy, PreflightBy};
use crate::rules::origins::{Origins, Pattern};
use crate::syntax::field::is_token;
use crate::syntax::origin::Origin;
use crate::syntax::path::Prefix;
use crate::syntax::text::sorted;

/// Reads one policy: the global one, or that of a route, which may list no origin: it then closes the route to those
/// that the global policy allows.
pub fn read(table: Table, route: Option<&Prefix>, callers_are_checked: bool, suffixes: PublicSuffixes) -> Policy {
    let closes = route.is_some() && table.is_empty_list(keys::ALLOWED_ORIGINS);
    let credentials = table.boolean(keys::ALLOW_CREDENTIALS);
    let said = [keys::ALLOWED_METHODS, keys::ALLOWED_HEADERS, keys::MAX_AGE].map(|key| (key, table.has(key)));
    let policy = Policy {
        path: table.path_of("").trim_end_matches('.').to_owned(),
        origins: origins(&table, credentials, suffixes),
        methods: methods(&table, credentials),
        headers: headers(&table, credentials),
        exposed: exposed(&table, credentials),
        credentials,
        // -1 means "do not keep", and so do browsers take it; but by the Fetch standard it is no number, and stands for 5 seconds.
        max_age: u32::try_from(table.integer(keys::MAX_AGE)).unwrap_or(0),
        excluded_paths: excluded_paths(&table, route),
        preflight: match table.one_of(keys::PREFLIGHT) {
            "upstream" => PreflightBy::Upstream,
            _ => PreflightBy::Edge,
        },
    };
    if policy.preflight == PreflightBy::Upstream {
        for (key, _) in said.into_iter().filter(|(_, said)| *said) {
            table.error(key, "a value beside preflight = \"upstream\"", "leave it out: the API says it in its answer");
        }
    }
    if policy.origins == Callers::Nobody && !closes && !table.has_error_at(keys::ALLOWED_ORIGINS) {
        table.error(
            keys::ALLOWED_ORIGINS,
            "no origin",
            "name the origins that may call; the relay's own needs no policy",
        );
    }
    if policy.origins != Callers::Nobody && !policy.credentials && callers_are_checked {
        let expected = match policy.origins {
            Callers::Anybody => "name the origins one by one, with allow_credentials = true",
            _ => "write true",
        };
        let why = format!("{expected}: every caller is checked, and browsers send no login without it");
        table.warn(keys::ALLOW_CREDENTIALS, "false, so that no listed origin can call", &why);
    }
    table.finish();
    policy
}

fn excluded_paths(table: &Table, route: Option<&Prefix>) -> Vec<Prefix> {
    const KEY: Key = keys::EXCLUDED_PATHS;
    let mut excluded = Vec::new();
    for (index, text) in table.strings(KEY).unwrap_or_default().into_iter().enumerate() {
        match Prefix::parse(&text) {
            Err(expected) => table.error_in(KEY, index, &table.quoted(&text), expected),
            Ok(_) if text.contains(';') => {
                table.error_in(KEY, index, &table.quoted(&text), "leave out the ; and what follows")
            }
            Ok(prefix) if route.is_some_and(|route| route.strip(&text).is_none()) => {
                let route = route.map(Prefix::as_str).unwrap_or_default();
                let expected = format!("name a path below this route's, {route}, or exclude it elsewhere");
                table.error_in(KEY, index, &table.quoted(prefix.as_str()), &expected);
            }
            Ok(prefix) => excluded.push(prefix),
        }
    }
    excluded
}

fn origins(table: &Table, credentials: bool, suffixes: PublicSuffixes) -> Callers {
    const KEY: Key = keys::ALLOWED_ORIGINS;
    let Some(texts) = table.strings(KEY) else { return Callers::Nobody };
    if is_wildcard(table, KEY, &texts, credentials) {
        return Callers::Anybody;
    }
    let (mut exact, mut patterns) = (Vec::new(), Vec::new());
    for (index, text) in texts.into_iter().enumerate() {
        let expected = match text.as_str() {
            "*" => continue, // is_wildcard has said it
            "null" => Err("leave it out: any sandboxed page can send it".to_owned()),
            pattern if pattern.contains('*') => {
                pattern_of(pattern, credentials, suffixes).map(|pattern| patterns.push(pattern))
            }
            _ => exact_origin(&text, credentials).map(|()| exact.push(text.clone())),
        };
        if let Err(expected) = expected {
            table.error_in(KEY, index, &table.quoted_url(&text), &expected);
        }
    }
    let origins = Origins::new(exact, patterns);
    if origins.is_empty() { Callers::Nobody } else { Callers::Listed(origins) }
}

const PLAIN_HTTP: &str = "use https: with allow_credentials, whoever sits on the network could act for the user";

fn exact_origin(text: &str, credentials: bool) -> Result<(), String> {
    let origin = Origin::parse(text).map_err(|error| error.to_string())?;
    if credentials && origin.scheme() == "http" && !origin.is_loopback() {
        return Err(PLAIN_HTTP.to_owned());
    }
    Ok(())
}

fn pattern_of(text: &str, credentials: bool, suffixes: PublicSuffixes) -> Result<Pattern, String> {
    let pattern = Pattern::parse(text)?;
    if credentials && pattern.is_plain_http() {
        return Err(PLAIN_HTTP.to_owned());
    }
    match pattern.parent() {
        Some(parent) if credentials && is_public_suffix(parent, suffixes) => Err(format!(
            "name the origins one by one, or a domain of your own: anybody can have a name below {parent}, and with \
             allow_credentials could act for the user"
        )),
        _ => Ok(pattern),
    }
}

fn methods(table: &Table, credentials: bool) -> Allowed {
    const KEY: Key = keys::ALLOWED_METHODS;
    let Some(texts) = table.strings(KEY) else { return Allowed::default() };
    if is_wildcard(table, KEY, &texts, credentials) {
        return Allowed::All;
    }
    for (index, text) in texts.iter().enumerate() {
        if text == "*" {
        } else if !is_token(text) {
            table.error_in(KEY, index, &table.quoted(text), "write a method's name, as in \"PUT\"");
        } else if let Some(why) = why_no_method(text) {
            table.error_in(KEY, index, &table.quoted(text), &format!("leave it out: {why}"));
        } else if let Some(upper) = in_upper_case(text) {
            table.error_in(KEY, index, &table.quoted(text), &format!("write \"{upper}\": methods are case-sensitive"));
        }
    }
    Allowed::Listed(sorted(texts))
}

fn headers(table: &Table, credentials: bool) -> Allowed {
    const KEY: Key = keys::ALLOWED_HEADERS;
    let Some(texts) = table.strings(KEY) else { return Allowed::default() };
    let is = |text: &String, name: &str| text.eq_ignore_ascii_case(name);
    if texts.len() == 2 && texts.iter().any(|text| text == "*") && texts.iter().any(|text| is(text, "authorization")) {
        if credentials {
            table.error(
                KEY,
                "\"*\"",
                "name the headers one by one: with allow_credentials, browsers take \"*\" for a name",
            );
        }
        return Allowed::AllAndAuthorization;
    }
    if is_wildcard(table, KEY, &texts, credentials) {
        return Allowed::All;
    }
    check_header_names(table, KEY, &texts, why_not_allowed);
    Allowed::Listed(sorted(texts.into_iter().map(|text| text.to_ascii_lowercase()).collect()))
}

fn exposed(table: &Table, credentials: bool) -> Option<String> {
    const KEY: Key = keys::EXPOSED_HEADERS;
    let texts = table.strings(KEY)?;
    if is_wildcard(table, KEY, &texts, credentials) {
        return Some("*".to_owned());
    }
    check_header_names(table, KEY, &texts, why_not_exposed);
    (!texts.is_empty()).then(|| texts.join(","))
}

fn check_header_names(table: &Table, key: Key, names: &[String], why_not: fn(&str) -> Option<&'static str>) {
    for (index, name) in names.iter().enumerate() {
        if name != "*" && !is_token(name) {
            table.error_in(key, index, &table.quoted(name), "write a header's name, as in \"content-type\"");
        } else if names.iter().take(index).any(|other| other != name && other.eq_ignore_ascii_case(name)) {
            table.error_in(
                key,
                index,
                &format!("{} once more", &table.quoted(name)),
                "leave out the repetition: header names have no case",
            );
        } else if let Some(why) = why_not(&name.to_ascii_lowercase()) {
            table.error_in(key, index, &table.quoted(name), &format!("leave it out: {why}"));
        }
    }
}

/// Whether a list is `["*"]`; a `*` that cannot work is an error.
fn is_wildcard(table: &Table, key: Key, texts: &[String], credentials: bool) -> bool {
    if !texts.iter().any(|text| text == "*") {
        return false;
    }
    if texts.len() > 1 {
        table.error(key, "\"*\" among others", "write [\"*\"] alone, or name them all without it");
        return false;
    }
    if credentials {
        let expected = "name them one by one: with allow_credentials, browsers do not take \"*\" for a wildcard";
        table.error(key, "\"*\"", expected);
    }
    true
}
