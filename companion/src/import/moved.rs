//! The text that goes into a wrangler file: as much of what was found as the core's own parser takes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use access_relay_core::config::error::ConfigError;
use access_relay_core::config::keys::{Key, access, cors as keys, relay as own, routes};
use access_relay_core::config::parse::parse;
use access_relay_core::config::secrets::secret_names;
use access_relay_core::syntax::redact::redacted_line;
use access_relay_core::syntax::text::quoted;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::document::{Entry, Language, Table, Value as Written, written};
use crate::import::found::{Application, Given};
use crate::import::policy::cors;
use crate::import::sheet::Sheet;
use crate::import::term::harmless;
use crate::{check, suffixes};

/// A policy in the relay's words.
#[derive(Debug, Serialize)]
pub struct Moved {
    /// The tables, with a comment on all that is not as it was.
    pub text: String,
    /// What was changed or left out.
    pub notes: Vec<String>,
    /// What somebody has to do before it says the same.
    pub mistakes: Vec<String>,
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
    if !found.access.is_empty() {
        for key in [access::ISSUER, access::AUDIENCE].into_iter().filter(|key| !found.access.contains_key(key.name)) {
            sheet.left(&format!("access.{}", key.name), "not in the file; take it from the settings of Access");
        }
    }
    if !found.route.is_empty() {
        found.route.insert(routes::PATH.name.to_owned(), json!("/api"));
    }
    settle(&mut found, &mut sheet);
    if !found.route.is_empty() {
        sheet.note("routes.path", "the file does not say it: write the path of your page's host that leads to the API");
    }
    let text = text(application, &found, &sheet, language);
    Moved { text, notes: sheet.told(false), mistakes: sheet.told(true) }
}

/// The tables of `RELAY`.
struct Found {
    access: Map<String, Value>,
    route: Map<String, Value>,
    cors: Option<Map<String, Value>>,
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
    match parse(&relay, &check::stand_ins(&secret_names(&relay)), suffixes::listed) {
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
        (Some(values), Some(index)) if table == "cors" => take_item_out(values, key, index, error),
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
    let upper = item.to_ascii_uppercase();
    if key == keys::ALLOWED_METHODS.name && item != upper && error.expected.contains(&quoted(&upper)) {
        if let Some(item) = items.get_mut(index) {
            *item = json!(upper);
        }
        return (true, Said::Note(format!("{} is now {}: methods are case-sensitive", error.found, quoted(&upper))));
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
    let why = error.expected.strip_prefix("leave it out: ").unwrap_or(&error.expected);
    (true, Said::Note(format!("{} is left out: {why}", error.found)))
}

/// `cors.allowed_origins[3]` and `routes[0].path`: the table, the key, and the place in a key's list.
fn parts(path: &str) -> (&str, &str, Option<usize>) {
    let (table, rest) = path.split_once('.').unwrap_or((path, ""));
    let table = table.split('[').next().unwrap_or_default();
    match rest.split_once('[') {
        Some((key, index)) => (table, key, index.trim_end_matches(']').parse().ok()),
        None => (table, rest, None),
    }
}

/// The tables, written.
fn text(application: &Application, found: &Found, sheet: &Sheet, language: Language) -> String {
    let mut relay = Table::default();
    let mut elsewhere = Vec::new();
    let cors = found.cors.clone().unwrap_or_default();
    let tables = [
        ("access", &found.access, access::NAMES),
        ("routes", &found.route, routes::NAMES),
        ("cors", &cors, keys::NAMES),
    ];
    for (name, values, names) in tables {
        let table = entries(name, values, names, sheet);
        let comment = sheet.comments(name, |key| values.contains_key(key));
        if table.0.is_empty() {
            elsewhere.extend(comment);
            continue;
        }
        let value = if name == "routes" { Written::Tables(vec![table]) } else { Written::Table(table) };
        relay.0.push(Entry { comment, key: name.to_owned(), value });
    }
    let name = harmless(&application.name);
    let from = if name.is_empty() { String::new() } else { format!(" from {}", quoted(&name)) };
    let mut head = vec![format!("Imported{from}. `access-relay check` says what else RELAY needs.")];
    head.extend(sheet.comment(""));
    head.extend(elsewhere);
    if relay.0.is_empty() {
        let mark = if language == Language::Toml { "#" } else { "//" };
        return redacted_line(&head.iter().map(|line| format!("{mark} {line}\n")).collect::<String>(), []).into_owned();
    }
    let wrap = |key: &str, table: Table| {
        let mut outer = Table::default();
        outer.set(&[], key, Written::Table(table));
        outer
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    redacted_line(&written(&head, &wrap("vars", wrap("RELAY", relay)), language), []).into_owned()
}

/// A table's keys, in the order of the docs, each with its comment.
fn entries(name: &str, values: &Map<String, Value>, names: &[&str], sheet: &Sheet) -> Table {
    let entry = |key: &&str| {
        let value = match values.get(*key)? {
            Value::String(text) => Written::Text(text.clone()),
            Value::Bool(value) => Written::Boolean(*value),
            Value::Number(number) => Written::Integer(number.as_i64()?),
            Value::Array(items) => Written::Texts(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            _ => return None,
        };
        Some(Entry { comment: sheet.comment(&format!("{name}.{key}")), key: (*key).to_owned(), value })
    };
    Table(names.iter().filter_map(entry).collect())
}
