//! The way of a request: from the routes of the Worker to the paths of `RELAY`, and on to the APIs.

use std::collections::BTreeSet;

use access_relay_core::config::keys::routes::PATH;
use access_relay_core::syntax::origin::{split_authority, split_scheme};
use access_relay_core::syntax::text::{has_placeholder, quoted};
use serde_json::Value;

use crate::findings::Finding;
use crate::suffixes::registrable;
use crate::surroundings::around::{Api, Around, pattern_of};
use crate::surroundings::doors::has_flag;

/// A pattern of Workers: a host, and a path that may end with `*` (Workers, "Matching behavior"); or a path alone, as assets have it.
struct Pattern<'v> {
    host: &'v str,
    path: &'v str,
}

impl<'v> Pattern<'v> {
    fn of(text: &'v str) -> Self {
        let (host, path) = split_authority(split_scheme(text).map_or(text, |(_, rest)| rest));
        Self { host, path: if path.is_empty() { "/" } else { path } }
    }

    /// Whether a path itself is matched.
    fn covers(&self, path: &str) -> bool {
        match self.path.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => self.path == path,
        }
    }

    /// Whether a path is matched, or something below it: what begins with it and a slash, `below`.
    fn meets(&self, path: &str, below: &str) -> bool {
        self.covers(path) || self.path.starts_with(below) || self.covers(below)
    }
}

/// What all paths below a path begin with.
fn below(path: &str) -> String {
    [path.trim_end_matches('/'), "/"].concat()
}

/// Whether the Worker is reached by its routes alone, so that their patterns say which paths it gets.
fn patterns<'v>(around: &Around<'v>) -> Option<Vec<Pattern<'v>>> {
    let routes = around.routes();
    let whole_host = |route: &Value| route.get("custom_domain") == Some(&Value::Bool(true));
    if routes.is_empty() || routes.iter().any(|(_, route)| whole_host(route)) || around.is_pages() {
        return None;
    }
    let texts = routes.into_iter().filter_map(|(_, route)| pattern_of(route));
    Some(texts.filter(|text| !has_placeholder(text)).map(Pattern::of).collect())
}

/// Paths that no pattern leads to.
#[must_use]
pub fn never_met(around: &Around) -> Vec<Finding> {
    let Some(patterns) = patterns(around).filter(|patterns| !patterns.is_empty()) else { return Vec::new() };
    let is_met = |path: &str| {
        let below = below(path);
        patterns.iter().any(|pattern| pattern.meets(path, &below))
    };
    let unmet = around.paths().into_iter().filter(|(_, path)| !is_met(path));
    unmet
        .map(|(index, path)| {
            let pattern = format!("app.example.com{}/*", path.trim_end_matches('/'));
            Finding::new(
                "wrangler::path_never_met",
                around.at_route(index, &PATH),
                format!("found {}, to which no route of the Worker leads", quoted(path)),
                format!("add a route of the Worker for it, as in \"{pattern}\""),
            )
        })
        .collect()
}

/// Paths below which everything arrives, but which do not arrive themselves: `/api/*` does not match `/api` (Workers, "Matching
/// behavior").
#[must_use]
pub fn missed(around: &Around) -> Vec<Finding> {
    let patterns = patterns(around).unwrap_or_default();
    let mut found = Vec::new();
    for (index, path) in around.paths() {
        let below = below(path);
        let missed = patterns.iter().find(|pattern| {
            let same_host = || patterns.iter().filter(|other| other.host == pattern.host);
            !pattern.covers(path) && pattern.meets(path, &below) && !same_host().any(|other| other.covers(path))
        });
        if let Some(Pattern { host, path: pattern }) = missed {
            let help = format!("add the route \"{host}{path}\", or write \"{host}{}*\"", path.trim_end_matches('/'));
            let text = format!("found {}, which the route \"{host}{pattern}\" does not match", quoted(path));
            found.push(Finding::new("wrangler::path_missed", around.at_route(index, &PATH), text, help));
        }
    }
    found
}

/// Static assets that are looked at before the relay.
#[must_use]
pub fn assets_first(around: &Around) -> Option<Finding> {
    let (at, assets) = around.get("assets")?;
    let first = assets.get("run_worker_first");
    let runs = |path: &str| match first {
        Some(Value::Bool(first)) => *first,
        Some(Value::Array(patterns)) => {
            let patterns = patterns.iter().filter_map(Value::as_str).filter(|pattern| !pattern.starts_with('!'));
            let below = below(path);
            patterns.map(Pattern::of).any(|pattern| pattern.meets(path, &below))
        }
        _ => false,
    };
    let paths = around.paths();
    let late: Vec<&str> = paths.iter().map(|(_, path)| *path).filter(|path| !runs(path)).collect();
    if late.is_empty() {
        return None;
    }
    let list: Vec<String> =
        paths.iter().flat_map(|(_, path)| [format!("\"{path}\""), format!("\"{}*\"", below(path))]).collect();
    let help = format!(
        "write run_worker_first = [{}]: an asset of that name, or the page itself, would answer in place of the API",
        list.join(", ")
    );
    let text = format!("found assets that come before {}", late.join(", "));
    Some(Finding::new("wrangler::run_worker_first", format!("{at}.run_worker_first"), text, help))
}

/// An API on a host where this very Worker runs.
#[must_use]
pub fn to_itself(around: &Around, apis: &[Api]) -> Vec<Finding> {
    let hosts: BTreeSet<&str> = around.hosts().into_iter().collect();
    let own = apis.iter().filter(|api| !api.is_bound && hosts.contains(api.origin.host()));
    own.map(|api| {
        Finding::new(
            "wrangler::calls_itself",
            format!("{}vars.RELAY.routes", around.place),
            format!("found {} as an API, where this Worker has a route", api.origin.as_str()),
            "name the API's own host: the relay would call itself",
        )
    })
    .collect()
}

/// Without the flag, a call to a host of the Worker's own zone goes straight to the zone's server: past the Workers there, and
/// past Cloudflare's security settings (Workers, "Compatibility flags", `global_fetch_strictly_public`).
#[must_use]
pub fn in_own_zone(around: &Around, apis: &[Api]) -> Option<Finding> {
    if has_flag(around, "global_fetch_strictly_public") {
        return None;
    }
    let zones: BTreeSet<&str> = around.hosts().into_iter().filter_map(registrable).collect();
    if zones.is_empty() {
        return None;
    }
    let on_a_network = |api: &&Api| !api.is_bound;
    let is_inside = |api: &&Api| registrable(api.origin.host()).is_some_and(|zone| zones.contains(zone));
    let inside = apis.iter().filter(on_a_network).find(is_inside)?;
    Some(Finding::new(
        "wrangler::same_zone",
        format!("{}compatibility_flags", around.place),
        format!("found no \"global_fetch_strictly_public\", and {} in the zone of a route", inside.origin.as_str()),
        "add it: the call would go straight to the zone's server, and Cloudflare may not ask Access",
    ))
}
