//! The text that goes into a wrangler file: as much of what was found as the core's own parser takes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use access_relay_core::caller::token::is_aud_tag;
use access_relay_core::config::error::ConfigError;
use access_relay_core::config::keys::{Key, access, cors as keys, relay as own, routes};
use access_relay_core::rules::browsers::{in_upper_case, why_no_method, why_not_allowed, why_not_exposed};
use access_relay_core::syntax::text::quoted;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::check;
use crate::document::{Language, Table};
use crate::import::found::{Application, Given};
use crate::import::policy::cors;
use crate::import::sheet::Sheet;
use crate::import::tables::{Found, Tables, tables, text};
use crate::spans::{Step, steps};

/// A policy in the relay's words.
#[derive(Debug, Serialize)]
pub struct Moved {
    /// The tables, with a comment on all that is not as it was.
    pub text: String,
    /// What was changed or left out.
    pub notes: Vec<String>,
    /// What somebody has to do before it says the same.
    pub mistakes: Vec<String>,
    /// What there is to say of all of it.
    #[serde(skip)]
    pub head: Vec<String>,
    /// The tables of `RELAY`.
    #[serde(skip)]
    pub relay: Table,
}

/// Moves what an application says.
#[must_use]
pub fn moved(application: &Application, language: Language) -> Moved {
    let mut sheet = Sheet::default();
    remark(application, &mut sheet);
    let mut found = Found {
        access: table(
            &[(access::ISSUER, &application.issuer), (access::AUDIENCE, &application.audience)],
            "access",
            &mut sheet,
        ),
        route: table(&[(routes::UPSTREAM, &application.upstream)], "routes", &mut sheet),
        cors: application.policy.as_ref().map(|policy| cors(policy, &mut sheet)),
    };
    if !found.access.is_empty() || sheet.has_left("access.audience") {
        for key in [access::ISSUER, access::AUDIENCE].into_iter().filter(|key| !found.access.contains_key(key.name)) {
            let path = format!("access.{}", key.name);
            if !sheet.has_left(&path) {
                sheet.left(&path, "not in the file; take it from the settings of Access");
            }
        }
    }
    if !found.route.is_empty() {
        found.route.insert(routes::PATH.name.to_owned(), json!("/api"));
    }
    settle(&mut found, &mut sheet);
    if !found.route.is_empty() {
        sheet.note("routes.path", "the file does not say it: write the path of your page's host that leads to the API");
    }
    let Tables { head, relay } = tables(application, &found, &sheet);
    let text = text(&head, &relay, language);
    Moved { text, notes: sheet.told(false), mistakes: sheet.told(true), head, relay }
}

fn remark(application: &Application, sheet: &mut Sheet) {
    application.left.iter().for_each(|text| sheet.left("", text));
    application.remarks.iter().for_each(|text| sheet.note("", text));
    if application.policy.is_none() {
        sheet.note("", "there is no CORS policy in the file, so there is no [vars.RELAY.cors]");
    }
    if let Some(tag) = &application.tag {
        sheet.note_with_tag(
            "",
            &format!(
                "the AUD tag of this application is {tag}; it belongs into access.audience only if the application covers the \
                 page's own host, where the relay is"
            ),
        );
    }
}

/// The keys that are known of `access` and of a route.
fn table(keys: &[(Key, &Option<Given>)], name: &str, sheet: &mut Sheet) -> Map<String, Value> {
    let mut table = Map::new();
    for (key, given) in keys {
        let Some(Given { key: theirs, value }) = given else { continue };
        match value.text() {
            Some(text) if *key == access::AUDIENCE && !is_aud_tag(text) => {
                let found = format!(
                    "{theirs} is {}, which is no AUD tag; copy that from the application's settings",
                    value.shown()
                );
                sheet.left(&format!("{name}.{}", key.name), &found);
                None
            }
            Some(text) if *key == access::AUDIENCE => table.insert(key.name.to_owned(), json!([text])),
            Some(text) => table.insert(key.name.to_owned(), json!(text)),
            None => {
                sheet.note(&format!("{name}.{}", key.name), &format!("{theirs} is {}; write its value", value.shown()));
                None
            }
        };
    }
    table
}

/// Takes out what the core refuses, and says why, in the core's words.
fn settle(found: &mut Found, sheet: &mut Sheet) {
    // Every round takes something out, or is the last one; a value that is put right is looked at once more.
    loop {
        let (errors, warnings) = judged(found);
        let mut is_settled = true;
        let mut said = Vec::new();
        for error in from_the_end(&errors) {
            let (is_out, line) = take_out(found, error);
            is_settled &= !is_out;
            said.push(line);
        }
        said.into_iter().rev().for_each(|(path, line)| match line {
            Said::Note(line) => sheet.note(&path, &line),
            Said::Left(line) => sheet.left(&path, &line),
            // Why nothing is there may have been said already.
            Said::Missing(line) if !sheet.has_left(&path) => sheet.left(&path, &line),
            Said::Missing(_) => {}
        });
        if is_settled {
            for warning in warnings.iter().filter(|warning| warning.path.starts_with("cors.")) {
                sheet.note(&warning.path, &format!("found {}; {}", warning.found, warning.expected));
            }
            return;
        }
    }
}

/// One error for each place, the last place of a list first: what is taken out there moves no other.
fn from_the_end(errors: &[ConfigError]) -> Vec<&ConfigError> {
    let mut first: BTreeMap<&str, &ConfigError> = BTreeMap::new();
    for error in errors {
        first.entry(&error.path).or_insert(error);
    }
    let mut errors: Vec<&ConfigError> = first.into_values().collect();
    errors.sort_by_key(|error| Reverse(parts(&error.path).2));
    errors
}

/// What the core says of the tables, with stand-ins for those that are not known.
fn judged(found: &Found) -> (Vec<ConfigError>, Vec<ConfigError>) {
    let mut access = Map::new();
    access.insert(access::ISSUER.name.to_owned(), json!("https://stand-in.cloudflareaccess.com"));
    access.insert(access::AUDIENCE.name.to_owned(), json!(["0".repeat(64)]));
    access.extend(found.access.clone());
    let mut route = Map::new();
    route.insert(routes::PATH.name.to_owned(), json!("/api"));
    route.insert(routes::UPSTREAM.name.to_owned(), json!("https://stand-in.example.com"));
    route.extend(found.route.clone());
    let mut relay = Map::new();
    relay.insert(own::ACCESS.name.to_owned(), Value::Object(access));
    relay.insert(own::ROUTES.name.to_owned(), json!([route]));
    if let Some(cors) = &found.cors {
        relay.insert(own::CORS.name.to_owned(), Value::Object(cors.clone()));
    }
    let relay = Value::Object(relay);
    match check::config(&relay) {
        Ok(config) => (Vec::new(), config.warnings),
        Err(errors) => (errors, Vec::new()),
    }
}

/// What is said of an error.
enum Said {
    Note(String),
    Left(String),
    /// The same, of what is not there.
    Missing(String),
}

/// Takes out what an error is about; whether something was there to take out, and what is said of it.
fn take_out(found: &mut Found, error: &ConfigError) -> (bool, (String, Said)) {
    let (table, key, index) = parts(&error.path);
    let path = if key.is_empty() { table.to_owned() } else { format!("{table}.{key}") };
    let said = format!("found {}; {}", error.found, error.expected);
    let values = match table {
        "cors" => found.cors.as_mut(),
        "access" => Some(&mut found.access),
        "routes" => Some(&mut found.route),
        _ => None,
    };
    let (is_out, said) = match (values, index) {
        (Some(values), Some(index)) => take_item_out(values, key, index, error),
        (Some(values), _) => match values.remove(key) {
            None => (false, Said::Missing(said)),
            // A route without an API is none.
            Some(_) if table == "routes" => {
                values.clear();
                (true, Said::Left(said))
            }
            Some(_) => (true, Said::Left(said)),
        },
        (None, _) => (false, Said::Missing(said)),
    };
    (is_out, (path, said))
}

/// The same of one item of a list; a method is put right if only its case is wrong.
fn take_item_out(values: &mut Map<String, Value>, key: &str, index: usize, error: &ConfigError) -> (bool, Said) {
    let left = Said::Left(format!("{} cannot be moved: {}", error.found, error.expected));
    let Some(Value::Array(items)) = values.get_mut(key) else { return (false, left) };
    let Some(item) = items.get(index).and_then(Value::as_str).map(str::to_owned) else { return (false, left) };
    if key == keys::ALLOWED_METHODS.name
        && let Some(upper) = in_upper_case(&item)
    {
        if let Some(item) = items.get_mut(index) {
            *item = json!(upper);
        }
        return (true, Said::Note(format!("{} is now {}: methods are case-sensitive", error.found, quoted(upper))));
    }
    let is_same = |other: &Value| other.as_str().is_some_and(|other| other.eq_ignore_ascii_case(&item));
    let is_repeated = items.iter().take(index).any(is_same);
    items.remove(index);
    if items.is_empty() {
        values.remove(key);
    }
    if is_repeated {
        return (true, Said::Note(format!("{}: left out", error.found)));
    }
    // Without an origin, pages stay out that got in before; a header or a method that browsers refuse is no loss.
    if key == keys::ALLOWED_ORIGINS.name && item != "null" {
        return (true, left);
    }
    let why = why_of_no_use(key, &item).unwrap_or(&error.expected);
    (true, Said::Note(format!("{} is left out: {why}", error.found)))
}

/// Why browsers make no use of an item, in the core's words.
fn why_of_no_use(key: &str, item: &str) -> Option<&'static str> {
    let name = item.to_ascii_lowercase();
    match key {
        _ if key == keys::ALLOWED_METHODS.name => why_no_method(item),
        _ if key == keys::ALLOWED_HEADERS.name => why_not_allowed(&name),
        _ if key == keys::EXPOSED_HEADERS.name => why_not_exposed(&name),
        _ => None,
    }
}

/// `cors.allowed_origins[3]` and `routes[0].path`: the table, the key, and the place in a key's list.
fn parts(path: &str) -> (&str, &str, Option<usize>) {
    let mut keys = Vec::new();
    let mut index = None;
    for step in steps(path) {
        match step {
            Step::Key(key) => keys.push(key),
            Step::Item(item) if keys.len() > 1 => index = index.or(Some(item)),
            Step::Item(_) => {}
        }
    }
    let mut keys = keys.into_iter();
    (keys.next().unwrap_or_default(), keys.next().unwrap_or_default(), index)
}
