//! One environment of a wrangler file: what it has itself, what it inherits, and what its `RELAY` says.
//!
//! Which keys an environment inherits is wrangler's to say (`config-schema.json` of the package, and its own reader): `vars`, `secrets`
//! and bindings it does not; the rest of what is read here it does, as a whole.

use access_relay_core::config::keys::Key;
use access_relay_core::config::keys::relay::{ACCESS, ROUTES};
use access_relay_core::config::keys::routes::{BINDING, PATH, UPSTREAM};
use access_relay_core::rules::upstream::Upstream;
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme};
use access_relay_core::syntax::path::Prefix;
use serde_json::Value;

/// Where the file's own previews stand.
const PREVIEWS: &str = "previews.";

/// One environment of a file.
#[derive(Debug, Clone, Copy)]
pub struct Around<'v> {
    /// The whole file.
    pub file: &'v Value,
    /// The environment's own table; the file's, where it is none.
    pub environment: &'v Value,
    /// Empty, or `env.staging.`.
    pub place: &'v str,
    /// What it inherits from before the file: the environment of whose previews this is the table, and its place.
    pub above: Option<(&'v str, &'v Value)>,
    /// `RELAY`, as far as it can be read.
    pub relay: &'v Value,
}

/// An API that a route of `RELAY` leads to.
#[derive(Debug)]
pub struct Api {
    /// Where it is.
    pub origin: Origin,
    /// Whether the calls go through a binding, over no network.
    pub is_bound: bool,
}

impl<'v> Around<'v> {
    /// The value of a key that is inherited, and where it stands.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<(String, &'v Value)> {
        let tables = [Some((self.place, self.environment)), self.above, Some(("", self.file))].into_iter().flatten();
        let mut found = tables.filter_map(|(place, table)| Some((format!("{place}{key}"), table.get(key)?)));
        found.next()
    }

    /// The value of a key of `access`.
    #[must_use]
    pub fn access(&self, key: &Key) -> Option<&'v Value> {
        self.relay.get(ACCESS.name)?.get(key.name)
    }

    /// Whether this is for a Worker's previews, of whatever environment.
    #[must_use]
    pub fn is_preview(&self) -> bool {
        self.above.is_some() || self.place == PREVIEWS
    }

    /// Whether a table is a Pages project's.
    #[must_use]
    pub fn is_pages(&self) -> bool {
        self.file.get("pages_build_output_dir").is_some()
    }

    /// Each route of the Worker's, and where it stands.
    #[must_use]
    pub fn routes(&self) -> Vec<(String, &'v Value)> {
        let mut found = Vec::new();
        for (path, routes) in ["route", "routes"].into_iter().filter_map(|key| self.get(key)) {
            match routes.as_array() {
                Some(routes) => {
                    found.extend(routes.iter().enumerate().map(|(at, route)| (format!("{path}[{at}]"), route)))
                }
                None => found.push((path, routes)),
            }
        }
        found
    }

    /// The hosts of the Worker's routes.
    #[must_use]
    pub fn hosts(&self) -> Vec<&'v str> {
        self.routes().into_iter().filter_map(|(_, route)| pattern_of(route)).map(host_of).collect()
    }

    /// Each route of `RELAY`, and its place in the list.
    pub fn relay_routes(&self) -> impl Iterator<Item = (usize, &'v Value)> + use<'v> {
        self.relay.get(ROUTES.name).and_then(Value::as_array).into_iter().flatten().enumerate()
    }

    /// The APIs that they lead to.
    #[must_use]
    pub fn apis(&self) -> Vec<Api> {
        let api = |(_, route): (usize, &Value)| {
            let is_bound = route.get(BINDING.name).is_some();
            let url = route.get(UPSTREAM.name)?.as_str()?;
            Some(Api { origin: Upstream::parse_bound(url).ok()?.origin, is_bound })
        };
        self.relay_routes().filter_map(api).collect()
    }

    /// Their paths, each with its place in the list.
    #[must_use]
    pub fn paths(&self) -> Vec<(usize, &'v str)> {
        let path = |(index, route): (usize, &'v Value)| {
            Some((index, route.get(PATH.name)?.as_str().filter(|path| Prefix::parse(path).is_ok())?))
        };
        self.relay_routes().filter_map(path).collect()
    }

    /// Where a key of one of them stands.
    #[must_use]
    pub fn at_route(&self, index: usize, key: &Key) -> String {
        format!("{}vars.RELAY.{}[{index}].{}", self.place, ROUTES.name, key.name)
    }
}

/// The pattern of a route of the Worker's, which may stand by itself or in a table.
#[must_use]
pub fn pattern_of(route: &Value) -> Option<&str> {
    route.as_str().or_else(|| route.get("pattern")?.as_str())
}

/// The host in a pattern, or in a URL; without a `*` at its beginning, and without a port.
#[must_use]
pub fn host_of(text: &str) -> &str {
    let (authority, _) = split_authority(split_scheme(text).map_or(text, |(_, rest)| rest));
    authority.split(':').next().unwrap_or_default().trim_start_matches(['*', '.'])
}
