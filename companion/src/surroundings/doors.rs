//! Doors that lead past the route, past Access, or past the caller check.

use access_relay_core::config::keys::access::{DANGEROUSLY_ALLOW_ANYONE, PLATFORM};
use access_relay_core::syntax::text::quoted;
use serde_json::Value;

use crate::findings::Finding;
use crate::surroundings::around::{Api, Around};

/// From this day on, a fetch may say `cache: "no-store"` (Workers, "Compatibility flags", `cache_option_enabled`).
const OLDEST_RUNTIME: &str = "2024-11-11";

/// Addresses that lead past the route, and past the Access application in front of it.
#[must_use]
pub fn open(around: &Around) -> Vec<Finding> {
    let has_routes = match (around.get("routes"), around.get("route")) {
        (Some((_, routes)), _) => routes.as_array().is_none_or(|routes| !routes.is_empty()),
        (None, route) => route.is_some_and(|(_, route)| route.as_str() != Some("")),
    };
    let mut warnings = Vec::new();
    let mut warn = |key: &str, by_default: Option<&str>, expected: &str| {
        let (path, found) = match (around.get(key), by_default) {
            (Some((path, Value::Bool(true))), _) => (path, "true"),
            (None, Some(why)) => (format!("{}{key}", around.place), why),
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
#[must_use]
pub fn silent_runtime(around: &Around) -> Option<Finding> {
    let key = ["assets", "pages_build_output_dir"].into_iter().find(|key| around.get(key).is_some())?;
    Some(Finding::new(
        "wrangler::platform_with_assets",
        format!("{}vars.RELAY.access.{}", around.place, PLATFORM.name),
        format!("found true beside {key}"),
        "add issuer and audience: in a Worker with static assets, the runtime does not say whom Access has let in, and nobody would get \
         in",
    ))
}

/// What was meant for `wrangler dev`, and would be deployed: an API that everybody reaches.
#[must_use]
pub fn open_api(around: &Around, apis: &[Api]) -> Option<Finding> {
    let api = apis.iter().find(|api| !api.origin.is_loopback())?;
    Some(Finding::new(
        "wrangler::open_api",
        format!("{}vars.RELAY.access.{}", around.place, DANGEROUSLY_ALLOW_ANYONE.name),
        format!("found true, and an API that is not on this machine ({})", api.origin.as_str()),
        "write issuer and audience in its place: everybody who reaches the relay would reach that API. A RELAY for `wrangler \
         dev` alone belongs in .dev.vars, which is never deployed",
    ))
}

/// Workers Cache answers in front of the Worker, without running it.
#[must_use]
pub fn caches(around: &Around) -> Vec<Finding> {
    let mut switches: Vec<(String, Option<&Value>)> = Vec::new();
    if let Some((path, cache)) = around.get("cache") {
        switches.push((path, Some(cache)));
    }
    if let Some((path, previews)) = around.get("previews") {
        switches.push((format!("{path}.cache"), previews.get("cache")));
    }
    if let Some((path, exports)) = around.get("exports") {
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

/// Files that everybody gets, among which this one is, and the secrets beside it.
#[must_use]
pub fn own_files(around: &Around) -> Vec<Finding> {
    let is_here =
        |folder: &Value| folder.as_str().is_some_and(|folder| matches!(folder.trim_end_matches('/'), "" | "."));
    let assets =
        around.get("assets").and_then(|(path, assets)| Some((format!("{path}.directory"), assets.get("directory")?)));
    let pages = around.get("pages_build_output_dir");
    let found = assets.into_iter().chain(pages).filter(|(_, folder)| is_here(folder));
    found
        .map(|(path, _)| {
            let help = "name a folder within it: everybody would get .dev.vars, which has secrets in it";
            Finding::new("wrangler::public_folder", path, "found the folder of this file", help)
        })
        .collect()
}

/// The relay says `cache: "no-store"` to the runtime, which older ones refuse: every token would be refused, too.
#[must_use]
pub fn old_runtime(around: &Around) -> Option<Finding> {
    let (path, date) = around.get("compatibility_date")?;
    let date = date.as_str()?;
    (date < OLDEST_RUNTIME && !has_flag(around, "cache_option_enabled")).then(|| {
        let help = format!("write {OLDEST_RUNTIME} or later: the runtime of that day cannot run the relay");
        Finding::new("wrangler::compatibility_date", path, format!("found {}", quoted(date)), help)
    })
}

/// Whether a compatibility flag is set.
#[must_use]
pub fn has_flag(around: &Around, flag: &str) -> bool {
    let flags = around.get("compatibility_flags").and_then(|(_, flags)| flags.as_array());
    flags.is_some_and(|flags| flags.iter().any(|found| found.as_str() == Some(flag)))
}
