//! What stands around `RELAY` in a wrangler file, and opens a door past it.
//!
//! Which keys an environment inherits is wrangler's to say (`config-schema.json` of the package, and its own reader):
//! all that are read here, as a whole; `vars` it does not.

use access_relay_core::config::error::FILL_IN;
use access_relay_core::config::keys::Key;
use access_relay_core::config::keys::access::{DANGEROUSLY_ALLOW_ANYONE, ISSUER, PLATFORM};
use access_relay_core::config::keys::relay::{ACCESS, ROUTES};
use access_relay_core::config::keys::routes::{BINDING, UPSTREAM};
use access_relay_core::config::secrets::{is_client_id, secret_names};
use access_relay_core::rules::upstream::Upstream;
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme};
use access_relay_core::syntax::text::{has_placeholder, quoted};
use serde_json::Value;

use crate::findings::Findings;
use crate::suffixes::registrable;

/// From this day on, a fetch may say `cache: "no-store"` (Workers, "Compatibility flags", `cache_option_enabled`).
const OLDEST_RUNTIME: &str = "2024-11-11";

/// Checks one environment, whose keys are `environment`'s, else the `file`'s; `place` is empty, or `env.staging.`. Whether nothing is
/// wrong there.
pub fn check(file: &Value, environment: &Value, place: &str, relay: &Value, findings: &mut Findings) -> bool {
    let around = Around { file, environment, place };
    let (apis, on_a_network) = (around.apis(relay, true), around.apis(relay, false));
    // As far as can be told from a table that may be wrong otherwise.
    let access = |key: &Key| relay.get(ACCESS.name).and_then(|access| access.get(key.name));
    let is_platform = access(&PLATFORM) == Some(&Value::Bool(true));
    let by_word_alone = is_platform && access(&ISSUER).is_none();
    // A Pages project has other doors; and what protects the Worker itself stands at each.
    if file.get("pages_build_output_dir").is_none() && !by_word_alone {
        add(&mut findings.warnings, around.open_doors());
    }
    add(&mut findings.warnings, around.same_zone(&on_a_network));
    let mut mistakes = [
        around.placeholders(),
        around.plain_secrets(relay),
        around.itself(&on_a_network),
        around.old_runtime(),
        around.own_files(),
    ]
    .concat();
    if by_word_alone {
        mistakes.extend(around.silent_runtime());
    }
    if access(&DANGEROUSLY_ALLOW_ANYONE) == Some(&Value::Bool(true)) {
        mistakes.extend(around.open_apis(&apis));
    } else {
        mistakes.extend(around.caches());
    }
    let is_fit = mistakes.is_empty();
    add(&mut findings.mistakes, mistakes);
    is_fit
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

    /// What a template has in place of a route, left as it was.
    fn placeholders(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, route) in self.routes() {
            let parts = [("", Some(route)), (".pattern", route.get("pattern")), (".zone_name", route.get("zone_name"))];
            let texts = parts.into_iter().filter_map(|(key, value)| Some((key, value?.as_str()?)));
            for (key, text) in texts.filter(|(_, text)| has_placeholder(text)) {
                found.push(format!("{path}{key}: found {}; {FILL_IN}", quoted(text)));
            }
        }
        found
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

    /// A Worker with static assets runs behind a router, which does not pass on whom Access has let in.
    fn silent_runtime(&self) -> Option<String> {
        let key = ["assets", "pages_build_output_dir"].into_iter().find(|key| self.get(key).is_some())?;
        Some(format!(
            "{}vars.RELAY.access.{}: found true beside {key}; add issuer and audience: in a Worker with static assets, the runtime does \
             not say whom Access has let in, and nobody would get in",
            self.place, PLATFORM.name
        ))
    }

    /// The APIs that the routes lead to; with `bound`, those behind a binding, too, which are on no network.
    fn apis(&self, relay: &Value, bound: bool) -> Vec<Origin> {
        let routes = relay.get(ROUTES.name).and_then(Value::as_array).into_iter().flatten();
        let routes = routes.filter(|route| bound || route.get(BINDING.name).is_none());
        let urls = routes.filter_map(|route| route.get(UPSTREAM.name)?.as_str());
        urls.filter_map(|url| Upstream::parse_bound(url).ok()).map(|api| api.origin).collect()
    }

    /// What was meant for `wrangler dev`, and would be deployed: an API that everybody reaches.
    fn open_apis(&self, apis: &[Origin]) -> Vec<String> {
        let elsewhere = apis.iter().find(|api| !api.is_loopback()).map(|api| {
            format!(
                "{}vars.RELAY.access.{}: found true, and an API that is not on this machine ({}); write issuer and audience in \
                 its place: everybody who reaches the relay would reach that API. A RELAY for `wrangler dev` alone belongs in \
                 .dev.vars, which is never deployed",
                self.place,
                DANGEROUSLY_ALLOW_ANYONE.name,
                api.as_str()
            )
        });
        elsewhere.into_iter().collect()
    }

    /// The hosts of the Worker's own routes.
    fn hosts(&self) -> Vec<&'v str> {
        let routes = self.routes().into_iter();
        let patterns = routes.filter_map(|(_, route)| route.as_str().or_else(|| route.get("pattern")?.as_str()));
        let host = |pattern: &'v str| {
            let (authority, _) = split_authority(split_scheme(pattern).map_or(pattern, |(_, rest)| rest));
            authority.split(':').next().unwrap_or_default().trim_start_matches(['*', '.'])
        };
        patterns.map(host).collect()
    }

    /// Each route of the Worker's, and where it stands.
    fn routes(&self) -> Vec<(String, &'v Value)> {
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

    /// An API on a host where this very Worker runs.
    fn itself(&self, apis: &[Origin]) -> Vec<String> {
        let hosts = self.hosts();
        let own = apis.iter().filter(|api| hosts.contains(&api.host()));
        own.map(|api| {
            format!(
                "{}vars.RELAY.routes: found {} as an API, where this Worker has a route; name the API's own host: the relay \
                 would call itself",
                self.place,
                api.as_str()
            )
        })
        .collect()
    }

    /// Without the flag, a call to a host of the Worker's own zone goes straight to the zone's server: past the Workers there, and
    /// past Cloudflare's security settings (Workers, "Compatibility flags", `global_fetch_strictly_public`).
    fn same_zone(&self, apis: &[Origin]) -> Vec<String> {
        if self.has_flag("global_fetch_strictly_public") {
            return Vec::new();
        }
        let zones: Vec<&str> = self.hosts().into_iter().filter_map(registrable).collect();
        let inside = apis.iter().find(|api| registrable(api.host()).is_some_and(|zone| zones.contains(&zone)));
        let warning = inside.map(|api| {
            format!(
                "{}compatibility_flags: found no \"global_fetch_strictly_public\", and {} in the zone of a route; add it: the \
                 call would go straight to the zone's server, and Cloudflare may not ask Access",
                self.place,
                api.as_str()
            )
        });
        warning.into_iter().collect()
    }

    fn has_flag(&self, flag: &str) -> bool {
        let flags = self.get("compatibility_flags").and_then(|(_, flags)| flags.as_array());
        flags.is_some_and(|flags| flags.iter().any(|found| found.as_str() == Some(flag)))
    }

    /// The relay says `cache: "no-store"` to the runtime, which older ones refuse: every token would be refused, too.
    fn old_runtime(&self) -> Vec<String> {
        let date = self.get("compatibility_date").and_then(|(path, date)| Some((path, date.as_str()?)));
        let old = date.filter(|(_, date)| *date < OLDEST_RUNTIME && !self.has_flag("cache_option_enabled"));
        old.map(|(path, date)| {
            format!(
                "{path}: found {}; write {OLDEST_RUNTIME} or later: the runtime of that day cannot run the relay",
                quoted(date)
            )
        })
        .into_iter()
        .collect()
    }

    /// Files that everybody gets, among which this one is, and the secrets beside it.
    fn own_files(&self) -> Vec<String> {
        let is_here =
            |folder: &Value| folder.as_str().is_some_and(|folder| matches!(folder.trim_end_matches('/'), "" | "."));
        let assets =
            self.get("assets").and_then(|(path, assets)| Some((format!("{path}.directory"), assets.get("directory")?)));
        let pages = self.get("pages_build_output_dir");
        let found = assets.into_iter().chain(pages).filter(|(_, folder)| is_here(folder));
        found
            .map(|(path, _)| {
                format!(
                    "{path}: found the folder of this file; name a folder within it: everybody would get .dev.vars, which has \
                     secrets in it"
                )
            })
            .collect()
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
