//! What was left as a template, or as the documentation has it.

use access_relay_core::config::error::FILL_IN;
use access_relay_core::config::keys::access::{AUDIENCE, ISSUER};
use access_relay_core::config::keys::cors::ALLOWED_ORIGINS;
use access_relay_core::config::keys::relay::{ACCESS, CORS, ROUTES};
use access_relay_core::config::keys::routes::UPSTREAM;
use access_relay_core::config::keys::{Key, Kind};
use access_relay_core::syntax::text::{has_placeholder, quoted};
use serde_json::Value;

use crate::findings::Finding;
use crate::surroundings::around::{Api, Around, host_of, pattern_of};

/// The AUD tag of every example. No application has it: Access makes each tag anew.
const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

/// So many places are named; a list of routes may have a thousand.
const NAMED: usize = 10;

/// What a template has in place of a route, left as it was. Of `RELAY`, the core says the same.
#[must_use]
pub fn placeholders(around: &Around) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, route) in around.routes() {
        let parts = [("", Some(route)), (".pattern", route.get("pattern")), (".zone_name", route.get("zone_name"))];
        let texts = parts.into_iter().filter_map(|(key, value)| Some((key, value?.as_str()?)));
        for (key, text) in texts.filter(|(_, text)| has_placeholder(text)) {
            let found_text = format!("found {}", quoted(text));
            found.push(Finding::new("wrangler::placeholder", format!("{path}{key}"), found_text, FILL_IN));
        }
    }
    found
}

/// Hosts that nobody can have, and the examples' AUD tag: one finding for all of them. If the APIs are all on this machine, nothing
/// of it is meant to be deployed, and an origin may be called as somebody likes.
#[must_use]
pub fn left(around: &Around, apis: &[Api]) -> Option<Finding> {
    if apis.iter().all(|api| api.origin.is_loopback()) {
        return None;
    }
    let Kind::Text(team) = ISSUER.kind else { return None };
    let is_example = |text: &str| text == AUD || is_reserved(host_of(text));
    let places = places(around);
    if !places.iter().any(|(_, text)| is_example(text)) {
        return None;
    }
    // A team may be called so. Beside another example, this is one, too.
    let mut left = places.iter().filter(|(_, text)| is_example(text) || *text == team);
    let (first, text) = left.next()?;
    let found = if *text == AUD { "the AUD tag".to_owned() } else { quoted(text) };
    let others: Vec<&str> = left.map(|(path, _)| path.as_str()).collect();
    let (named, more) = others.split_at_checked(NAMED).unwrap_or((&others, &[]));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let also = if others.is_empty() { String::new() } else { format!("; others at {}{more}", named.join(", ")) };
    Some(Finding::new(
        "wrangler::example",
        first.as_str(),
        format!("found {found}, an example's{also}"),
        "write your own: nobody has an example's name, so it leads nowhere",
    ))
}

/// What names a host, or an application, and where it stands.
fn places<'v>(around: &Around<'v>) -> Vec<(String, &'v str)> {
    let mut found: Vec<(String, &str)> = Vec::new();
    for (path, route) in around.routes() {
        let key = if route.is_string() { "" } else { ".pattern" };
        found.extend(pattern_of(route).map(|pattern| (format!("{path}{key}"), pattern)));
    }
    let relay = format!("{}vars.RELAY", around.place);
    let access = format!("{relay}.{}", ACCESS.name);
    let issuer = around.access(&ISSUER).and_then(Value::as_str);
    found.extend(issuer.map(|issuer| (format!("{access}.{}", ISSUER.name), issuer)));
    found.extend(texts(&access, around.relay.get(ACCESS.name), &AUDIENCE));
    for (index, route) in around.relay_routes() {
        let upstream = route.get(UPSTREAM.name).and_then(Value::as_str);
        found.extend(upstream.map(|upstream| (around.at_route(index, &UPSTREAM), upstream)));
        found.extend(texts(
            &format!("{relay}.{}[{index}].{}", ROUTES.name, CORS.name),
            route.get(CORS.name),
            &ALLOWED_ORIGINS,
        ));
    }
    found.extend(texts(&format!("{relay}.{}", CORS.name), around.relay.get(CORS.name), &ALLOWED_ORIGINS));
    found
}

/// The texts of a list in a table, each with where it stands.
fn texts<'v>(at: &str, table: Option<&'v Value>, key: &Key) -> Vec<(String, &'v str)> {
    let list = table.and_then(|table| table.get(key.name)?.as_array()).into_iter().flatten().enumerate();
    list.filter_map(|(index, text)| Some((format!("{at}.{}[{index}]", key.name), text.as_str()?))).collect()
}

/// Whether a host is kept for examples and tests, so that nobody can register it (RFC 2606, RFC 6761). `localhost` is not meant here.
fn is_reserved(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let mut labels = host.rsplit('.');
    let last = labels.next().unwrap_or_default();
    let is_com = matches!(last, "com" | "net" | "org");
    matches!(last, "example" | "test" | "invalid") || (is_com && labels.next() == Some("example"))
}
