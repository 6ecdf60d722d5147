//! One route of the table.

use std::rc::Rc;

use crate::config::cors;
use crate::config::keys::access::{GROUPS, IDENTITY_HEADERS};
use crate::config::keys::{Key, cors as policy_keys, routes as keys};
use crate::config::secrets::{Secrets, is_binding_name};
use crate::config::service_token::service_token;
use crate::config::suffix::PublicSuffixes;
use crate::config::table::Table;
use crate::config::types::Access;
use crate::messages::cookies::{CookieNames, RequestCookies, is_access_cookie_name, is_cookie_name};
use crate::rules::cors::{Policy, PreflightBy};
use crate::rules::cross_origin::ForeignRequests;
use crate::rules::route::{Credentials, Documents, Route};
use crate::rules::upstream::Upstream;
use crate::syntax::path::Prefix;

/// Who calls, as far as a route's keys depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallersAre {
    /// No caller is checked.
    Anybody,
    /// Callers are checked, by whatever of these.
    Checked {
        /// The key that has the API told who calls.
        named_by: Option<Key>,
        /// Whether a token can open the relay.
        by_token: bool,
    },
}

impl CallersAre {
    /// What `access` says. Where it is wrong itself, it decides nothing else.
    pub fn of(access: Option<&Access>) -> Self {
        match access {
            Some(Access::DangerouslyAllowAnyone) => Self::Anybody,
            Some(access) => {
                let groups = access.platform().is_some_and(|policy| policy.groups).then_some(GROUPS);
                let named_by = if access.has_identity_headers() { Some(IDENTITY_HEADERS) } else { groups };
                Self::Checked { named_by, by_token: access.tokens().is_some() }
            }
            None => Self::Checked { named_by: None, by_token: true },
        }
    }
}

/// Reads one of `routes`; `None` if it cannot become a route, which the table's report then says. `global` is the policy of a
/// route without a `cors`.
pub fn route(
    table: Table,
    global: &Rc<Policy>,
    callers: CallersAre,
    secrets: &Secrets,
    suffixes: PublicSuffixes,
) -> Option<Route> {
    let prefix = table.parsed(keys::PATH, Prefix::parse);
    let binding = table.parsed(keys::BINDING, binding_name);
    let parse_upstream = if table.has(keys::BINDING) { Upstream::parse_bound } else { Upstream::parse };
    let upstream = table.parsed(keys::UPSTREAM, parse_upstream);
    let strip_prefix = table.boolean(keys::STRIP_PREFIX);
    let credentials = credentials(&table, callers, secrets);
    let request_cookies =
        if table.has(keys::REQUEST_COOKIES) { request_cookies(&table) } else { RequestCookies::Nothing };
    let response_cookies = table.strings(keys::RESPONSE_COOKIES).unwrap_or_default();
    check_cookie_names(&table, keys::RESPONSE_COOKIES, &response_cookies);
    let response_cookies = CookieNames::new(response_cookies);
    let timeout_ms = table.integer(keys::TIMEOUT_MS);
    let retries = table.integer(keys::RETRIES);
    let cache = table.boolean(keys::CACHE);
    if cache && table.has(keys::BINDING) {
        let expected = "leave one of the two out: Cloudflare's cache is not asked there";
        table.error(keys::CACHE, "true beside binding", expected);
    } else if cache {
        check_cache(&table, callers, credentials.as_ref(), &request_cookies, &response_cookies);
    }
    let foreign_requests = match table.one_of(keys::FOREIGN_REQUESTS) {
        "all" => ForeignRequests::All,
        "none" => ForeignRequests::None,
        _ => ForeignRequests::Navigations,
    };
    let callback_paths =
        if table.has(keys::CALLBACK_PATHS) { callback_paths(&table, prefix.as_ref()) } else { Vec::new() };
    let documents = match table.one_of(keys::DOCUMENTS) {
        "allow" => Documents::Allow,
        _ => Documents::Sandbox,
    };
    let cors = match table.table(keys::CORS, policy_keys::NAMES) {
        Some(table) => Rc::new(cors::read(table, prefix.as_ref(), callers != CallersAre::Anybody, suffixes)),
        None => Rc::clone(global),
    };
    if cors.preflight == PreflightBy::Upstream && credentials == Some(Credentials::CallerToken) {
        let expected = "answer preflights at the edge here: a preflight carries no caller's token to send";
        table.error(keys::CREDENTIALS, "\"caller-token\" beside preflight = \"upstream\"", expected);
    }
    table.finish();
    let (prefix, upstream) = (prefix?, upstream?);
    Some(Route {
        id: Route::identify(&prefix, &upstream),
        prefix,
        upstream,
        binding,
        strip_prefix,
        credentials: credentials?,
        request_cookies,
        response_cookies,
        timeout_ms: u32::try_from(timeout_ms).ok()?,
        retries: u32::try_from(retries).ok()?,
        cache,
        foreign_requests,
        callback_paths,
        documents,
        cors,
    })
}

/// The cache goes by URL: nothing may depend on who asks.
#[inline(never)]
fn check_cache(
    table: &Table,
    callers: CallersAre,
    credentials: Option<&Credentials>,
    request_cookies: &RequestCookies,
    response_cookies: &CookieNames,
) {
    const TO_ANOTHER: &str = "the cache goes by URL, and would hand one person's answer to another";
    let (beside, expected) = if credentials == Some(&Credentials::CallerToken) {
        ("credentials = \"caller-token\"".to_owned(), "leave it out".to_owned())
    } else if let CallersAre::Checked { named_by: Some(key), .. } = callers {
        (format!("access.{}", key.name), format!("leave it out, or write {} = false", key.name))
    } else if *request_cookies != RequestCookies::Nothing {
        (keys::REQUEST_COOKIES.name.to_owned(), "leave one of the two out".to_owned())
    } else if !response_cookies.is_empty() {
        (keys::RESPONSE_COOKIES.name.to_owned(), "leave one of the two out".to_owned())
    } else {
        return;
    };
    table.error(keys::CACHE, &format!("true beside {beside}"), &format!("{expected}: {TO_ANOTHER}"));
}

#[inline(never)]
fn callback_paths(table: &Table, route: Option<&Prefix>) -> Vec<Prefix> {
    const KEY: Key = keys::CALLBACK_PATHS;
    let mut paths = Vec::new();
    for (index, text) in table.strings(KEY).unwrap_or_default().into_iter().enumerate() {
        let expected = match Prefix::parse(&text) {
            Err(_) if text.contains('*') => "write the whole path: nothing below it is meant".to_owned(),
            Err(_) if text.ends_with('/') => "leave out the slash at the end".to_owned(),
            Err(expected) => expected.to_owned(),
            Ok(path) => match route.filter(|route| route.strip(&text).is_none()) {
                Some(route) => format!("name a path below this route's, {}", route.as_str()),
                None => {
                    paths.push(path);
                    continue;
                }
            },
        };
        // An address that was copied with its query may hold a code.
        table.error_in(KEY, index, &table.quoted_url(&text), &expected);
    }
    paths
}

fn credentials(table: &Table, callers: CallersAre, secrets: &Secrets) -> Option<Credentials> {
    let kind = table.string(keys::CREDENTIALS);
    let names_token = table.has(keys::SERVICE_TOKEN);
    let name = table.string(keys::SERVICE_TOKEN);
    match kind.as_deref() {
        Some("caller-token") => {
            if names_token {
                table.error(
                    keys::SERVICE_TOKEN,
                    "a name beside credentials = \"caller-token\"",
                    "leave it out: the caller's own token is sent",
                );
            }
            let expected = match callers {
                CallersAre::Anybody => {
                    Some("use \"service-token\": with dangerously_allow_anyone callers have no token")
                }
                CallersAre::Checked { by_token: true, .. } => None,
                CallersAre::Checked { by_token: false, .. } => {
                    Some("add access.issuer and access.audience: the relay sends no token on that it has not verified")
                }
            };
            if let Some(expected) = expected {
                table.error(keys::CREDENTIALS, "\"caller-token\"", expected);
            }
            Some(Credentials::CallerToken)
        }
        Some("none") if table.has(keys::BINDING) => {
            if names_token {
                table.error(
                    keys::SERVICE_TOKEN,
                    "a name beside credentials = \"none\"",
                    "leave one of the two out: nothing is sent",
                );
            }
            Some(Credentials::Nothing)
        }
        Some("none") => {
            let expected =
                "add a binding, or write \"service-token\": over the public network, Access stands in front of the API";
            table.error(keys::CREDENTIALS, "\"none\" without binding", expected);
            None
        }
        None | Some("service-token") => {
            let name = name.unwrap_or_else(|| keys::SERVICE_TOKEN.default_text().to_owned());
            service_token(table, name, secrets).map(Credentials::ServiceToken)
        }
        Some(_) => {
            table.error(keys::CREDENTIALS, "another text (not shown)", &keys::CREDENTIALS.text_expected());
            None
        }
    }
}

fn binding_name(text: &str) -> Result<String, &'static str> {
    if is_binding_name(text) { Ok(text.to_owned()) } else { Err("write the name of a binding, as in \"API\"") }
}

#[inline(never)]
fn request_cookies(table: &Table) -> RequestCookies {
    const KEY: Key = keys::REQUEST_COOKIES;
    let names = table.strings(KEY).unwrap_or_default();
    match names.as_slice() {
        [] => RequestCookies::Nothing,
        [all] if all == "*" => RequestCookies::AllButAccess,
        _ => {
            check_cookie_names(table, KEY, &names);
            RequestCookies::Named(CookieNames::new(names))
        }
    }
}

fn check_cookie_names(table: &Table, key: Key, names: &[String]) {
    for (index, name) in names.iter().enumerate() {
        let (found, expected) = if name == "*" && key == keys::REQUEST_COOKIES {
            ("\"*\" among others".to_owned(), "write [\"*\"] alone: it is all but Access's own")
        } else if name == "*" {
            (table.quoted(name), "name the cookies one by one: an API may not set them all on the page's host")
        } else if name.trim_end_matches('*').contains('*') || name.ends_with("**") {
            (table.quoted(name), "write one * at the end of the name, as in \".AspNetCore.Cookies*\", or none")
        } else if !is_cookie_name(name) {
            (table.quoted(name), "write a cookie's name, as in \"theme\"")
        } else if is_access_cookie_name(name) {
            (table.quoted(name), "leave it out: Access's own cookies never cross the relay")
        } else {
            continue;
        };
        table.error_in(key, index, &found, expected);
    }
}
