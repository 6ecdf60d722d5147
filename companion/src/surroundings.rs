//! What stands around `RELAY` in a wrangler file, and opens a door past it.
//!
//! Which keys an environment inherits is wrangler's to say (`config-schema.json` of the package, and its own reader):
//! all that are read here, as a whole; `vars` it does not.

use access_relay_core::config::keys::access::DANGEROUSLY_ALLOW_ANYONE;
use access_relay_core::config::keys::relay::ACCESS;
use access_relay_core::config::secrets::{is_client_id, secret_names};
use serde_json::Value;

use crate::findings::Findings;

/// Checks one environment, whose keys are `environment`'s, else the `file`'s; `place` is empty, or `env.staging.`.
pub fn check(file: &Value, environment: &Value, place: &str, relay: &Value, findings: &mut Findings) {
    let around = Around { file, environment, place };
    add(&mut findings.warnings, around.open_doors());
    add(&mut findings.mistakes, around.plain_secrets(relay));
    // As far as can be told from a table that may be wrong otherwise.
    let open = relay.get(ACCESS.name).and_then(|access| access.get(DANGEROUSLY_ALLOW_ANYONE.name));
    if open != Some(&Value::Bool(true)) {
        add(&mut findings.mistakes, around.caches());
    }
}

/// What several environments inherit is told once.
fn add(told: &mut Vec<String>, found: Vec<String>) {
    for line in found {
        if !told.contains(&line) {
            told.push(line);
        }
    }
}

struct Around<'v> {
    file: &'v Value,
    environment: &'v Value,
    place: &'v str,
}

impl<'v> Around<'v> {
    /// A key's value, and where it stands.
    fn get(&self, key: &str) -> Option<(String, &'v Value)> {
        let own = self.environment.get(key).map(|value| (format!("{}{key}", self.place), value));
        own.or_else(|| self.file.get(key).map(|value| (key.to_owned(), value)))
    }

    /// Addresses that lead past the route, and past the Access application in front of it.
    fn open_doors(&self) -> Vec<String> {
        let has_routes = match (self.get("routes"), self.get("route")) {
            (Some((_, routes)), _) => routes.as_array().is_none_or(|routes| !routes.is_empty()),
            (None, route) => route.is_some_and(|(_, route)| route.as_str() != Some("")),
        };
        let mut warnings = Vec::new();
        let mut warn = |key: &str, by_default: Option<&str>, expected: &str| {
            let (path, found) = match (self.get(key), by_default) {
                (Some((path, Value::Bool(true))), _) => (path, "true"),
                (None, Some(why)) => (format!("{}{key}", self.place), why),
                _ => return,
            };
            warnings.push(format!("{path}: found {found}; write {key} = false, unless {expected}"));
        };
        warn(
            "workers_dev",
            (!has_routes).then_some("nothing, which means true where there is no route"),
            "the relay is meant to be reached at workers.dev, where no Access application stands by itself",
        );
        warn(
            "preview_urls",
            Some("nothing, so that Cloudflare's default decides"),
            "each version is meant to have an address of its own, which everybody can reach",
        );
        warnings
    }

    /// Workers Cache answers in front of the Worker, without running it.
    fn caches(&self) -> Vec<String> {
        let mut switches: Vec<(String, Option<&Value>)> = Vec::new();
        if let Some((path, cache)) = self.get("cache") {
            switches.push((path, Some(cache)));
        }
        if let Some((path, previews)) = self.get("previews") {
            switches.push((format!("{path}.cache"), previews.get("cache")));
        }
        if let Some((path, exports)) = self.get("exports") {
            for (name, export) in exports.as_object().into_iter().flatten() {
                switches.push((format!("{path}.{name}.cache"), export.get("cache")));
            }
        }
        let is_on = |cache: Option<&Value>| cache.and_then(|cache| cache.get("enabled")) == Some(&Value::Bool(true));
        let on = switches.into_iter().filter(|(_, cache)| is_on(*cache));
        on.map(|(path, _)| {
            format!(
                "{path}.enabled: found true where callers are checked; write false: that cache answers in front of the \
                 Worker, so that whoever asks gets what a checked caller got"
            )
        })
        .collect()
    }

    /// Secrets that are plain variables: whoever reads the file, or the Worker's settings, has them.
    fn plain_secrets(&self, relay: &Value) -> Vec<String> {
        let vars = self.environment.get("vars");
        let names = secret_names(relay).into_iter().filter(|name| !is_client_id(name));
        let plain = names.filter(|name| vars.is_some_and(|vars| vars.get(name).is_some()));
        plain
            .map(|name| {
                format!(
                    "{}vars.{name}: found a secret as a plain variable (not shown); take it out, rotate it, and set the \
                     new one with `wrangler secret put {name}`",
                    self.place
                )
            })
            .collect()
    }
}
