//! From the table `RELAY` to a [`Config`]. The secrets are an argument.

use std::rc::Rc;

use serde_json::Value;

use crate::config::access::{access, is_team};
use crate::config::cors;
use crate::config::error::ConfigError;
use crate::config::keys::{self, relay as own};
use crate::config::report::{Report, find_given_away};
use crate::config::route::{CallersAre, route};
use crate::config::secrets::Secrets;
use crate::config::suffix::PublicSuffixes;
use crate::config::table::Table;
use crate::config::types::{Access, Config, Log};
use crate::rules::cors::Policy;
use crate::rules::route::{Route, Routes};
use crate::syntax::origin::Origin;
use crate::syntax::path::Prefix;

/// Parses the table `RELAY` with the secrets that [`secret_names`](crate::config::secrets::secret_names) asked for, and whatever
/// public `suffixes` are known.
///
/// # Errors
/// Everything that is wrong with it: secrets in plain sight first, then in the order of the table.
pub fn parse(relay: &Value, secrets: &Secrets, suffixes: PublicSuffixes) -> Result<Config, Vec<ConfigError>> {
    let report = Report::new(secrets);
    find_given_away("", relay, &report);
    let config = match relay {
        Value::Object(values) => read(Table::new("", values, own::NAMES, &report), secrets, suffixes),
        Value::Null => {
            report.add(
                "RELAY",
                "nothing",
                "write the tables [vars.RELAY.access] and [[vars.RELAY.routes]] in wrangler.toml",
            );
            None
        }
        _ => {
            report.add("RELAY", "something else than a table", "write the table [vars.RELAY] in wrangler.toml");
            None
        }
    };
    match (config, report.into_findings()) {
        (Some(config), (errors, warnings)) if errors.is_empty() => Ok(Config { warnings, ..config }),
        (_, (errors, _)) => Err(errors),
    }
}

/// A config, if all that is required was there; what is to be said of it besides is in the table's report.
fn read(relay: Table, secrets: &Secrets, suffixes: PublicSuffixes) -> Option<Config> {
    let access = access(&relay, own::ACCESS);
    let callers = CallersAre::of(access.as_ref());
    let cors = relay
        .table(own::CORS, keys::cors::NAMES)
        .map(|table| cors::read(table, None, callers != CallersAre::Anybody, suffixes));
    let cors = Rc::new(cors.unwrap_or_default());
    let tables = relay.tables(own::ROUTES, keys::routes::NAMES);
    if tables.is_empty() && !relay.has_error_at(own::ROUTES) {
        relay.error(own::ROUTES, "no route", "add a table [[vars.RELAY.routes]] with path and upstream");
    }
    let mut all_read = true;
    let mut in_order: Vec<Rc<Route>> = Vec::with_capacity(tables.len());
    let mut routes = Routes::default();
    for (index, table) in tables.into_iter().enumerate() {
        let Some(route) = route(table, &cors, callers, secrets, suffixes) else {
            all_read = false;
            continue;
        };
        let route = Rc::new(route);
        if !routes.insert(Rc::clone(&route)) {
            let found = format!("{} once more", relay.quoted(route.prefix.as_str()));
            relay.error_within(own::ROUTES, index, keys::routes::PATH, &found, "give every route a path of its own");
        }
        if is_of_access(&route.upstream.origin, access.as_ref()) {
            let found = relay.quoted_url(route.upstream.origin.as_str());
            let expected = "name the API's own host: at this one, Access lets people log in";
            relay.error_within(own::ROUTES, index, keys::routes::UPSTREAM, &found, expected);
        }
        in_order.push(route);
    }

    let log = match relay.one_of(own::LOG) {
        "requests" => Log::Requests,
        _ => Log::Refusals,
    };
    let server_timing = relay.boolean(own::SERVER_TIMING);
    let health_path = relay.parsed(own::HEALTH_PATH, Prefix::parse);
    let debug = relay.boolean(own::DEBUG);
    if all_read {
        if !cors.excluded_paths.is_empty() {
            check_excluded_paths(&relay, &cors, &routes);
        }
        check_callback_paths(&relay, &in_order, &routes);
        if let Some(path) = &health_path {
            check_health_path(&relay, path, &routes);
        }
    }
    relay.finish();
    let config = Config { access: access?, routes, cors, log, server_timing, health_path, debug, warnings: Vec::new() };
    all_read.then_some(config)
}

/// A path that no route of the global policy covers is excluded from nothing.
#[inline(never)]
fn check_excluded_paths(relay: &Table, cors: &Rc<Policy>, routes: &Routes) {
    for excluded in &cors.excluded_paths {
        let meets = |route: &Rc<Route>| {
            Rc::ptr_eq(&route.cors, cors)
                && (route.prefix.strip(excluded.as_str()).is_some() || excluded.strip(route.prefix.as_str()).is_some())
        };
        if !routes.iter().any(meets) {
            let expected = "name a path that a route without a policy of its own covers: elsewhere it has no effect";
            let at = [own::CORS.name, ".", keys::cors::EXCLUDED_PATHS.name].concat();
            relay.report_at(&at, &relay.quoted(excluded.as_str()), expected);
        }
    }
}

/// A deeper route would take the callback, and know nothing of it.
#[inline(never)]
fn check_callback_paths(relay: &Table, in_order: &[Rc<Route>], routes: &Routes) {
    for (index, route) in in_order.iter().enumerate() {
        for path in &route.callback_paths {
            let taker = routes.find(path.as_str()).map(|(taker, _)| taker);
            if let Some(taker) = taker.filter(|taker| taker.prefix != route.prefix) {
                let expected = format!("name it at the route {}, which takes this path", taker.prefix.as_str());
                let found = relay.quoted(path.as_str());
                relay.error_within(own::ROUTES, index, keys::routes::CALLBACK_PATHS, &found, &expected);
            }
        }
    }
}

/// The API would never see a request for it, and nobody would know why. With a route that takes everything there is no
/// other place for it.
#[inline(never)]
fn check_health_path(relay: &Table, path: &Prefix, routes: &Routes) {
    if let Some((route, _)) = routes.find(path.as_str()).filter(|(route, _)| route.prefix.len() > 0) {
        let expected = format!("choose a path that no route takes: {} belongs to an API", route.prefix.as_str());
        relay.error(own::HEALTH_PATH, &relay.quoted(path.as_str()), &expected);
    }
}

/// Whether an upstream is where Access itself answers.
fn is_of_access(upstream: &Origin, access: Option<&Access>) -> bool {
    let tokens = access.and_then(Access::tokens);
    is_team(upstream) || tokens.is_some_and(|policy| policy.issuer == upstream.as_str())
}
