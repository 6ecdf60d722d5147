//! What stands around `RELAY` in a wrangler file, and opens a door past it.
//!
//! Which keys an environment inherits is wrangler's to say (`config-schema.json` of the package, and its own reader):
//! all that are read here, as a whole; `vars` it does not.

use access_relay_core::config::error::FILL_IN;
use access_relay_core::config::keys::Key;
use access_relay_core::config::keys::access::{DANGEROUSLY_ALLOW_ANYONE, ISSUER, PLATFORM};
use access_relay_core::config::keys::relay::{ACCESS, ROUTES};
use access_relay_core::config::keys::routes::{BINDING, PATH, UPSTREAM};
use access_relay_core::config::secrets::{binding_names, is_client_id, secret_names};
use access_relay_core::rules::upstream::Upstream;
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme};
use access_relay_core::syntax::path::Prefix;
use access_relay_core::syntax::text::{has_placeholder, quoted};
use serde_json::Value;

use crate::findings::{Finding, Findings};
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
    add(&mut findings.warnings, around.paths_missed(relay));
    add(&mut findings.warnings, around.assets_first(relay));
    add(&mut findings.warnings, around.unlisted_secrets(relay));
    let mut mistakes = [
        around.placeholders(),
        around.plain_secrets(relay),
        around.itself(&on_a_network),
        around.old_runtime(),
        around.own_files(),
        around.paths_never_met(relay),
        around.no_such_binding(relay),
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

/// An environment in which the relay would run, and has no RELAY: of all that is read here, `vars` alone is not inherited. `file` is the
/// whole file.
#[must_use]
pub fn without_relay(file: &Value, environment: &Value, place: &str) -> Option<Finding> {
    let around = Around { file, environment, place };
    let relay_elsewhere = file.get("vars").is_some_and(|vars| vars.get("RELAY").is_some());
    let is_other = environment.get("main").is_some() || !place.starts_with("env.");
    if !relay_elsewhere || is_other || around.routes().is_empty() {
        return None;
    }
    let path = place.trim_end_matches('.');
    Some(Finding::new(
        "wrangler::not_inherited",
        path,
        "found routes, and no vars.RELAY",
        format!("write [{path}.vars.RELAY]: an environment inherits the routes of the file, but none of its vars"),
    ))
}

/// What several environments inherit is told once.
fn add(told: &mut Vec<Finding>, found: impl IntoIterator<Item = Finding>) {
    for finding in found {
        if !told.contains(&finding) {
            told.push(finding);
        }
    }
}

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

    /// Whether a path is matched, or something below it.
    fn meets(&self, path: &str) -> bool {
        let below = [path.trim_end_matches('/'), "/"].concat();
        self.covers(path) || self.path.starts_with(&below) || self.covers(&below)
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
    fn placeholders(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for (path, route) in self.routes() {
            let parts = [("", Some(route)), (".pattern", route.get("pattern")), (".zone_name", route.get("zone_name"))];
            let texts = parts.into_iter().filter_map(|(key, value)| Some((key, value?.as_str()?)));
            for (key, text) in texts.filter(|(_, text)| has_placeholder(text)) {
                let found_text = format!("found {}", quoted(text));
                found.push(Finding::new("wrangler::placeholder", format!("{path}{key}"), found_text, FILL_IN));
            }
        }
        found
    }

    /// Addresses that lead past the route, and past the Access application in front of it.
    fn open_doors(&self) -> Vec<Finding> {
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
            let help = format!("write {key} = false, unless {expected}");
            warnings.push(Finding::new(&format!("wrangler::{key}"), path, format!("found {found}"), help));
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
    fn silent_runtime(&self) -> Option<Finding> {
        let key = ["assets", "pages_build_output_dir"].into_iter().find(|key| self.get(key).is_some())?;
        Some(Finding::new(
            "wrangler::platform_with_assets",
            format!("{}vars.RELAY.access.{}", self.place, PLATFORM.name),
            format!("found true beside {key}"),
            "add issuer and audience: in a Worker with static assets, the runtime does not say whom Access has let in, and nobody would get \
             in",
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
    fn open_apis(&self, apis: &[Origin]) -> Vec<Finding> {
        let elsewhere = apis.iter().find(|api| !api.is_loopback()).map(|api| {
            Finding::new(
                "wrangler::open_api",
                format!("{}vars.RELAY.access.{}", self.place, DANGEROUSLY_ALLOW_ANYONE.name),
                format!("found true, and an API that is not on this machine ({})", api.as_str()),
                "write issuer and audience in its place: everybody who reaches the relay would reach that API. A RELAY for `wrangler \
                 dev` alone belongs in .dev.vars, which is never deployed",
            )
        });
        elsewhere.into_iter().collect()
    }

    /// The paths of RELAY's routes, each with where it stands.
    fn paths<'r>(&self, relay: &'r Value) -> Vec<(String, &'r str)> {
        let routes = relay.get(ROUTES.name).and_then(Value::as_array).into_iter().flatten().enumerate();
        let path = |(index, route): (usize, &'r Value)| {
            let path = route.get(PATH.name)?.as_str().filter(|path| Prefix::parse(path).is_ok())?;
            Some((format!("{}vars.RELAY.routes[{index}].path", self.place), path))
        };
        routes.filter_map(path).collect()
    }

    /// Whether the Worker is reached by its routes alone, so that their patterns say which paths it gets.
    fn patterns(&self) -> Option<Vec<Pattern<'v>>> {
        let routes = self.routes();
        let whole_host = |route: &Value| route.get("custom_domain") == Some(&Value::Bool(true));
        if routes.is_empty()
            || routes.iter().any(|(_, route)| whole_host(route))
            || self.get("pages_build_output_dir").is_some()
        {
            return None;
        }
        let text = |route: &'v Value| route.as_str().or_else(|| route.get("pattern")?.as_str());
        Some(
            routes
                .into_iter()
                .filter_map(|(_, route)| text(route))
                .filter(|text| !has_placeholder(text))
                .map(Pattern::of)
                .collect(),
        )
    }

    /// Paths that no pattern leads to.
    fn paths_never_met(&self, relay: &Value) -> Vec<Finding> {
        let Some(patterns) = self.patterns().filter(|patterns| !patterns.is_empty()) else { return Vec::new() };
        let paths = self.paths(relay).into_iter();
        let unmet = paths.filter(|(_, path)| !patterns.iter().any(|pattern| pattern.meets(path)));
        unmet
            .map(|(at, path)| {
                let help = format!(
                    "add a route of the Worker for it, as in \"app.example.com{}/*\"",
                    path.trim_end_matches('/')
                );
                Finding::new(
                    "wrangler::path_never_met",
                    at,
                    format!("found {}, to which no route of the Worker leads", quoted(path)),
                    help,
                )
            })
            .collect()
    }

    /// Paths below which everything arrives, but which do not arrive themselves: `/api/*` does not match `/api` (Workers, "Matching
    /// behavior").
    fn paths_missed(&self, relay: &Value) -> Vec<Finding> {
        let patterns = self.patterns().unwrap_or_default();
        let mut found = Vec::new();
        for (at, path) in self.paths(relay) {
            let missed = patterns.iter().find(|pattern| {
                let same_host = || patterns.iter().filter(|other| other.host == pattern.host);
                pattern.meets(path) && !same_host().any(|other| other.covers(path))
            });
            if let Some(Pattern { host, path: pattern, .. }) = missed {
                let help =
                    format!("add the route \"{host}{path}\", or write \"{host}{}*\"", path.trim_end_matches('/'));
                let text = format!("found {}, which the route \"{host}{pattern}\" does not match", quoted(path));
                found.push(Finding::new("wrangler::path_missed", at, text, help));
            }
        }
        found
    }

    /// Static assets that are looked at before the relay.
    fn assets_first(&self, relay: &Value) -> Vec<Finding> {
        let Some((at, assets)) = self.get("assets").filter(|(_, assets)| assets.get("directory").is_some()) else {
            return Vec::new();
        };
        let first = assets.get("run_worker_first");
        let runs = |path: &str| match first {
            Some(Value::Bool(first)) => *first,
            Some(Value::Array(patterns)) => patterns
                .iter()
                .filter_map(Value::as_str)
                .filter(|pattern| !pattern.starts_with('!'))
                .any(|pattern| Pattern::of(pattern).meets(path)),
            _ => false,
        };
        let paths = self.paths(relay);
        let late: Vec<&str> = paths.iter().map(|(_, path)| *path).filter(|path| !runs(path)).collect();
        if late.is_empty() {
            return Vec::new();
        }
        let list: Vec<String> = paths
            .iter()
            .flat_map(|(_, path)| [format!("\"{path}\""), format!("\"{}/*\"", path.trim_end_matches('/'))])
            .collect();
        let help = format!(
            "write run_worker_first = [{}]: an asset of that name, or the page itself, would answer in place of the API",
            list.join(", ")
        );
        let text = format!("found assets that come before {}", late.join(", "));
        vec![Finding::new("wrangler::run_worker_first", format!("{at}.run_worker_first"), text, help)]
    }

    /// Bindings that routes name, and the file does not have: they are not inherited.
    fn no_such_binding(&self, relay: &Value) -> Vec<Finding> {
        let lists = ["services", "vpc_services", "vpc_networks", "mtls_certificates"];
        let bound = |name: &str| {
            let mut bindings = lists.iter().filter_map(|list| self.environment.get(*list)?.as_array()).flatten();
            bindings.any(|binding| binding.get("binding").and_then(Value::as_str) == Some(name))
        };
        let missing = binding_names(relay).into_iter().filter(|(_, name)| !bound(name));
        missing
            .map(|(index, name)| {
                let at = format!("{}vars.RELAY.routes[{index}].{}", self.place, BINDING.name);
                let help = format!(
                    "add it, as in services = [{{ binding = {}, service = \"my-api\" }}], to the same environment",
                    quoted(name)
                );
                Finding::new(
                    "wrangler::no_such_binding",
                    at,
                    format!("found {}, and no binding of that name", quoted(name)),
                    help,
                )
            })
            .collect()
    }

    /// Secrets that a list of required ones lacks: a deployment would not ask for them.
    fn unlisted_secrets(&self, relay: &Value) -> Vec<Finding> {
        let Some((at, required)) =
            self.get("secrets").and_then(|(at, secrets)| Some((at, secrets.get("required")?.as_array()?)))
        else {
            return Vec::new();
        };
        let stored = self.environment.get("secrets_store_secrets").and_then(Value::as_array);
        let is_stored = |name: &str| {
            stored.into_iter().flatten().any(|secret| secret.get("binding").and_then(Value::as_str) == Some(name))
        };
        let lacking = secret_names(relay)
            .into_iter()
            .filter(|name| !required.iter().any(|listed| listed == name) && !is_stored(name));
        lacking
            .map(|name| {
                let help = format!("add \"{name}\" to the list: wrangler then refuses to deploy without it");
                Finding::new(
                    "wrangler::secrets_required",
                    format!("{at}.required"),
                    format!("found no {name}, which RELAY needs"),
                    help,
                )
            })
            .collect()
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
    fn itself(&self, apis: &[Origin]) -> Vec<Finding> {
        let hosts = self.hosts();
        let own = apis.iter().filter(|api| hosts.contains(&api.host()));
        own.map(|api| {
            Finding::new(
                "wrangler::calls_itself",
                format!("{}vars.RELAY.routes", self.place),
                format!("found {} as an API, where this Worker has a route", api.as_str()),
                "name the API's own host: the relay would call itself",
            )
        })
        .collect()
    }

    /// Without the flag, a call to a host of the Worker's own zone goes straight to the zone's server: past the Workers there, and
    /// past Cloudflare's security settings (Workers, "Compatibility flags", `global_fetch_strictly_public`).
    fn same_zone(&self, apis: &[Origin]) -> Vec<Finding> {
        if self.has_flag("global_fetch_strictly_public") {
            return Vec::new();
        }
        let zones: Vec<&str> = self.hosts().into_iter().filter_map(registrable).collect();
        let inside = apis.iter().find(|api| registrable(api.host()).is_some_and(|zone| zones.contains(&zone)));
        let warning = inside.map(|api| {
            Finding::new(
                "wrangler::same_zone",
                format!("{}compatibility_flags", self.place),
                format!("found no \"global_fetch_strictly_public\", and {} in the zone of a route", api.as_str()),
                "add it: the call would go straight to the zone's server, and Cloudflare may not ask Access",
            )
        });
        warning.into_iter().collect()
    }

    fn has_flag(&self, flag: &str) -> bool {
        let flags = self.get("compatibility_flags").and_then(|(_, flags)| flags.as_array());
        flags.is_some_and(|flags| flags.iter().any(|found| found.as_str() == Some(flag)))
    }

    /// The relay says `cache: "no-store"` to the runtime, which older ones refuse: every token would be refused, too.
    fn old_runtime(&self) -> Vec<Finding> {
        let date = self.get("compatibility_date").and_then(|(path, date)| Some((path, date.as_str()?)));
        let old = date.filter(|(_, date)| *date < OLDEST_RUNTIME && !self.has_flag("cache_option_enabled"));
        old.map(|(path, date)| {
            let help = format!("write {OLDEST_RUNTIME} or later: the runtime of that day cannot run the relay");
            Finding::new("wrangler::compatibility_date", path, format!("found {}", quoted(date)), help)
        })
        .into_iter()
        .collect()
    }

    /// Files that everybody gets, among which this one is, and the secrets beside it.
    fn own_files(&self) -> Vec<Finding> {
        let is_here =
            |folder: &Value| folder.as_str().is_some_and(|folder| matches!(folder.trim_end_matches('/'), "" | "."));
        let assets =
            self.get("assets").and_then(|(path, assets)| Some((format!("{path}.directory"), assets.get("directory")?)));
        let pages = self.get("pages_build_output_dir");
        let found = assets.into_iter().chain(pages).filter(|(_, folder)| is_here(folder));
        found
            .map(|(path, _)| {
                let help = "name a folder within it: everybody would get .dev.vars, which has secrets in it";
                Finding::new("wrangler::public_folder", path, "found the folder of this file", help)
            })
            .collect()
    }

    /// Workers Cache answers in front of the Worker, without running it.
    fn caches(&self) -> Vec<Finding> {
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
            Finding::new(
                "wrangler::cache",
                format!("{path}.enabled"),
                "found true where callers are checked",
                "write false: that cache answers in front of the Worker, so that whoever asks gets what a checked caller got",
            )
        })
        .collect()
    }

    /// Secrets that are plain variables: whoever reads the file, or the Worker's settings, has them.
    fn plain_secrets(&self, relay: &Value) -> Vec<Finding> {
        let vars = self.environment.get("vars");
        let names = secret_names(relay).into_iter().filter(|name| !is_client_id(name));
        let plain = names.filter(|name| vars.is_some_and(|vars| vars.get(name).is_some()));
        plain
            .map(|name| {
                Finding::new(
                    "wrangler::plain_secret",
                    format!("{}vars.{name}", self.place),
                    "found a secret as a plain variable (not shown)",
                    format!("take it out, rotate it, and set the new one with `wrangler secret put {name}`"),
                )
            })
            .collect()
    }
}
