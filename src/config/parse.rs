//! From the table `RELAY` to a [`Config`]. Pure; the secrets are an argument.

use std::rc::Rc;

use serde_json::Value;

use super::table::{Report, Table};
use super::{
    Access, Config, ConfigError, Credentials, Documents, ForeignRequests, JwtPolicy, Log, Route, Routes, ServiceToken,
    cors,
};
use crate::cookies::{CookieNames, RequestCookies, is_cookie_name, mentions_access_cookie};
use crate::cors::{Policy, PreflightBy};
use crate::headers::is_plain_value;
use crate::problem::quoted;
use crate::route::{Prefix, Upstream, parse_server};

/// The secrets that were found, by name.
pub type Secrets = Vec<(String, String)>;

/// The secrets' names begin with this where a route says nothing.
const DEFAULT_SERVICE_TOKEN: &str = "CF_ACCESS";

/// The names of the secrets that a configuration asks for, as far as it can be read; for loading them before
/// [`parse`].
#[must_use]
pub fn secret_names(relay: &Value) -> Vec<String> {
    let routes = relay.get("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for route in routes {
        if route.get("credentials").is_some_and(|credentials| credentials.as_str() != Some("service-token")) {
            continue;
        }
        let prefix = route.get("service_token").and_then(Value::as_str).unwrap_or(DEFAULT_SERVICE_TOKEN);
        let first = format!("{prefix}_CLIENT_ID");
        if !names.contains(&first) {
            names.push(first);
            names.push(format!("{prefix}_CLIENT_SECRET"));
        }
    }
    names
}

/// Parses the table `RELAY` with the secrets that [`secret_names`] asked for.
///
/// # Errors
/// Everything that is wrong with it, in the order of the table.
pub fn parse(relay: &Value, secrets: &Secrets) -> Result<Config, Vec<ConfigError>> {
    let report = Report::default();
    let config = match relay {
        Value::Object(values) => read(Table::new("", values, &report), secrets),
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
    match (config, report.into_errors()) {
        (Some(config), errors) if errors.is_empty() => Ok(config),
        (_, errors) => Err(errors),
    }
}

/// A config, if all that is required was there; mistakes besides are in the table's report.
fn read(mut relay: Table, secrets: &Secrets) -> Option<Config> {
    let access = access(&mut relay);
    let cors = Rc::new(relay.table("cors").map(|table| cors::read(table, None)).unwrap_or_default());
    let callers_are_checked = !matches!(access, Some(Access::DangerouslyAllowAnyone));
    let tables = relay.tables("routes");
    if tables.is_empty() && !relay.has_error_at("routes") {
        relay.error("routes", "no route", "add a table [[vars.RELAY.routes]] with path and upstream");
    }
    let mut all_read = true;
    let mut routes: Vec<Rc<Route>> = Vec::with_capacity(tables.len());
    for (index, table) in tables.into_iter().enumerate() {
        let Some(route) = route(table, &cors, callers_are_checked, secrets) else {
            all_read = false;
            continue;
        };
        if routes.iter().any(|other| other.prefix == route.prefix) {
            let found = format!("{} once more", quoted(route.prefix.as_str()));
            relay.error(&format!("routes[{index}].path"), &found, "give every route a path of its own");
        }
        routes.push(Rc::new(route));
    }

    for excluded in &cors.excluded_paths {
        let meets = |route: &Rc<Route>| {
            Rc::ptr_eq(&route.cors, &cors)
                && (route.prefix.strip(excluded.as_str()).is_some() || excluded.strip(route.prefix.as_str()).is_some())
        };
        if !routes.iter().any(meets) && all_read {
            let expected = "name a path that a route without a policy of its own covers: elsewhere it has no effect";
            relay.report_at("cors.excluded_paths", &quoted(excluded.as_str()), expected);
        }
    }

    let log = match relay.string("log", "requests").as_deref() {
        None | Some("refusals") => Log::Refusals,
        Some("requests") => Log::Requests,
        Some(other) => {
            relay.error("log", &quoted(other), "write \"refusals\" or \"requests\"");
            Log::Refusals
        }
    };
    let server_timing = relay.boolean("server_timing", false);
    let health_path = relay.parsed("health_path", "/healthz", Prefix::parse);
    let debug = relay.boolean("debug", false);
    relay.finish();
    let access = access?;
    let routes = Routes::new(routes);
    let id = Config::identify(&routes);
    all_read.then_some(Config { id, access, routes, cors, log, server_timing, health_path, debug })
}

fn access(relay: &mut Table) -> Option<Access> {
    /// What says how callers are checked.
    const CHECKS: [&str; 4] = ["issuer", "audience", "max_token_age_seconds", "identity_headers"];
    const WHO: &str = "say who may call: write [vars.RELAY.access] with issuer and audience";
    if !relay.has("access") {
        relay.table("access");
        relay.error("access", "nothing", WHO);
        return None;
    }
    let mut table = relay.table("access")?;
    if table.boolean("dangerously_allow_anyone", false) {
        for key in CHECKS {
            if table.has(key) {
                table.error(
                    key,
                    "a value beside dangerously_allow_anyone",
                    "leave one of the two out: no caller is checked",
                );
            }
        }
        table.known(&CHECKS);
        table.finish();
        return Some(Access::DangerouslyAllowAnyone);
    }
    let issuer = table.required("issuer", "https://acme.cloudflareaccess.com", parse_server);
    let audience = audience(&mut table);
    // Access's shortest and longest sessions are a quarter of an hour and a month.
    let limits_age = table.has("max_token_age_seconds");
    let max_token_age = table.integer("max_token_age_seconds", 0, 60..=31 * 24 * 3600, "seconds");
    let identity_headers = table.boolean("identity_headers", true);
    table.finish();
    let issuer = issuer?.as_str().to_owned();
    Some(Access::Jwt(JwtPolicy {
        // Access, "Validate JWTs": the keys of the team's domain.
        certs_url: format!("{issuer}/cdn-cgi/access/certs"),
        issuer,
        audience: audience?,
        max_token_age_seconds: limits_age.then_some(max_token_age),
        identity_headers,
    }))
}

fn audience(table: &mut Table) -> Option<Vec<String>> {
    const KEY: &str = "audience";
    const EXAMPLE: &str = r#"["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"]"#;
    let there = table.has(KEY);
    let tags = table.strings(KEY, EXAMPLE);
    match tags {
        Some(tags) if !tags.is_empty() => {
            for (index, tag) in tags.iter().enumerate() {
                if !is_plain_value(tag) || tag.contains(' ') {
                    table.error(
                        &format!("{KEY}[{index}]"),
                        &quoted(tag),
                        "copy the application's AUD tag from its settings in Access",
                    );
                }
            }
            Some(tags)
        }
        None if there => None,
        _ => {
            table.error(KEY, "no AUD tag", &format!("name one at least, as in {EXAMPLE}"));
            None
        }
    }
}

fn route(mut table: Table, global: &Rc<Policy>, callers_are_checked: bool, secrets: &Secrets) -> Option<Route> {
    let prefix = table.required("path", "/api", Prefix::parse);
    let upstream = table.required("upstream", "https://api.example.com", Upstream::parse);
    let strip_prefix = table.boolean("strip_prefix", false);
    let credentials = credentials(&mut table, callers_are_checked, secrets);
    let request_cookies = request_cookies(&mut table);
    let response_cookies = table.strings("response_cookies", r#"["theme"]"#).unwrap_or_default();
    check_cookie_names(&table, "response_cookies", &response_cookies);
    let timeout_ms = table.integer("timeout_ms", 30_000, 1..=3_600_000, "milliseconds");
    let retries = table.integer("retries", 0, 0..=5, "extra tries");
    let cache = table.boolean("cache", false);
    if cache && credentials == Some(Credentials::CallerToken) {
        let expected = "leave it out: the cache goes by URL, and would hand one person's answer to another";
        table.error("cache", "true beside credentials = \"caller-token\"", expected);
    }
    let foreign_requests = match table.string("foreign_requests", "none").as_deref() {
        None | Some("navigations") => ForeignRequests::Navigations,
        Some("none") => ForeignRequests::None,
        Some("all") => ForeignRequests::All,
        Some(other) => {
            table.error("foreign_requests", &quoted(other), "write \"none\", \"navigations\" or \"all\"");
            ForeignRequests::None
        }
    };
    let documents = match table.string("documents", "sandbox").as_deref() {
        None | Some("sandbox") => Documents::Sandbox,
        Some("allow") => Documents::Allow,
        Some(other) => {
            table.error("documents", &quoted(other), "write \"sandbox\" or \"allow\"");
            Documents::Sandbox
        }
    };
    let cors = match table.table("cors") {
        Some(table) => Rc::new(cors::read(table, prefix.as_ref())),
        None => Rc::clone(global),
    };
    if cors.preflight == PreflightBy::Upstream && credentials == Some(Credentials::CallerToken) {
        let expected = "answer preflights at the edge here: a preflight carries no caller's token to send";
        table.error("credentials", "\"caller-token\" beside preflight = \"upstream\"", expected);
    }
    table.finish();
    Some(Route {
        prefix: prefix?,
        upstream: upstream?,
        strip_prefix,
        credentials: credentials?,
        request_cookies,
        response_cookies: CookieNames::new(response_cookies),
        timeout_ms: u32::try_from(timeout_ms).ok()?,
        retries: u32::try_from(retries).ok()?,
        cache,
        foreign_requests,
        callback_paths: Vec::new(),
        documents,
        cors,
    })
}

fn credentials(table: &mut Table, callers_are_checked: bool, secrets: &Secrets) -> Option<Credentials> {
    let kind = table.string("credentials", "service-token");
    let names_token = table.has("service_token");
    let name = table.string("service_token", DEFAULT_SERVICE_TOKEN);
    match kind.as_deref() {
        Some("caller-token") => {
            if names_token {
                table.error(
                    "service_token",
                    "a name beside credentials = \"caller-token\"",
                    "leave it out: the caller's own token is sent",
                );
            }
            if !callers_are_checked {
                let expected = "use \"service-token\": with dangerously_allow_anyone callers have no token";
                table.error("credentials", "\"caller-token\"", expected);
            }
            Some(Credentials::CallerToken)
        }
        None | Some("service-token") => {
            let name = name.unwrap_or_else(|| DEFAULT_SERVICE_TOKEN.to_owned());
            service_token(table, name, secrets).map(Credentials::ServiceToken)
        }
        Some(_) => {
            table.error("credentials", "another text (not shown)", "write \"service-token\" or \"caller-token\"");
            None
        }
    }
}

fn service_token(table: &Table, name: String, secrets: &Secrets) -> Option<ServiceToken> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_uppercase());
    if !starts_well || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
        // The value is not shown: the token itself may have been put here.
        let found = format!("a text of {} characters (not shown)", name.chars().count());
        table.error("service_token", &found, "write the prefix of the secrets' names in capitals, as in \"CF_ACCESS\"");
        return None;
    }
    let secret = |suffix: &str| {
        let secret_name = format!("{name}_{suffix}");
        let found = secrets.iter().find(|(name, value)| *name == secret_name && !value.is_empty());
        let Some((_, value)) = found else {
            table.report_at(
                &secret_name,
                "no secret of that name",
                &format!("run `wrangler secret put {secret_name}`, or put it in .dev.vars for local development"),
            );
            return None;
        };
        if !is_plain_value(value) || value.contains(' ') {
            table.report_at(
                &secret_name,
                "a space, a line break or another character that no service token has (value not shown)",
                "set it again, with the value alone",
            );
            return None;
        }
        Some(value.clone())
    };
    let (client_id, client_secret) = (secret("CLIENT_ID"), secret("CLIENT_SECRET"));
    let (client_id, client_secret) = (client_id?, client_secret?);
    if client_secret.ends_with(".access") && !client_id.ends_with(".access") {
        table.report_at(
            &format!("{name}_CLIENT_SECRET"),
            "a Client ID",
            "swap the two secrets: the Client ID is the one that ends with .access",
        );
        return None;
    }
    Some(ServiceToken { name, client_id, client_secret })
}

fn request_cookies(table: &mut Table) -> RequestCookies {
    const KEY: &str = "request_cookies";
    let names = table.strings(KEY, r#"["theme"]"#).unwrap_or_default();
    match names.as_slice() {
        [] => RequestCookies::Nothing,
        [all] if all == "*" => RequestCookies::AllButAccess,
        _ => {
            check_cookie_names(table, KEY, &names);
            RequestCookies::Named(CookieNames::new(names))
        }
    }
}

fn check_cookie_names(table: &Table, key: &str, names: &[String]) {
    for (index, name) in names.iter().enumerate() {
        let at = format!("{key}[{index}]");
        if name == "*" && key == "request_cookies" {
            table.error(&at, "\"*\" among others", "write [\"*\"] alone: it is all but Access's own");
        } else if name == "*" || !is_cookie_name(name) {
            table.error(&at, &quoted(name), "write a cookie's name, as in \"theme\"");
        } else if mentions_access_cookie(name) {
            table.error(&at, &quoted(name), "leave it out: Access's own cookies never cross the relay");
        }
    }
}
