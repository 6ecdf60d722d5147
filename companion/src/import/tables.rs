//! What was found, as the tables of `RELAY`, each value with its comment.

use access_relay_core::config::keys::{access, cors as keys, routes};
use access_relay_core::syntax::redact::redacted_line;
use access_relay_core::syntax::text::quoted;
use serde_json::{Map, Value};

use crate::document::{Entry, Language, Table, Value as Written, comments, written};
use crate::import::found::Application;
use crate::import::sheet::Sheet;
use crate::import::term::harmless;

/// The values of the tables.
#[derive(Debug)]
pub struct Found {
    /// Who may call.
    pub access: Map<String, Value>,
    /// The API.
    pub route: Map<String, Value>,
    /// The policy; `None` if there is none.
    pub cors: Option<Map<String, Value>>,
}

/// The tables, written down.
#[derive(Debug)]
pub struct Tables {
    /// What there is to say of all of it.
    pub head: Vec<String>,
    /// `RELAY`.
    pub relay: Table,
}

/// The tables of what was found.
#[must_use]
pub fn tables(application: &Application, found: &Found, sheet: &Sheet) -> Tables {
    let mut relay = Table::default();
    let mut elsewhere = Vec::new();
    let cors = found.cors.clone().unwrap_or_default();
    let all = [
        ("access", &found.access, access::NAMES),
        ("routes", &found.route, routes::NAMES),
        ("cors", &cors, keys::NAMES),
    ];
    for (name, values, names) in all {
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
    let mut head = vec![format!("Imported{from}.")];
    head.extend(sheet.comment(""));
    head.extend(elsewhere);
    Tables { head, relay }
}

/// The text of a file with nothing but the tables.
#[must_use]
pub fn text(head: &[String], relay: &Table, language: Language) -> String {
    let mut head = head.to_vec();
    if let Some(first) = head.first_mut() {
        first.push_str(" `access-relay check` says what else RELAY needs.");
    }
    if relay.0.is_empty() {
        return redacted_line(&comments(&head, language, ""), []).into_owned();
    }
    let wrap = |key: &str, table: Table| {
        let mut outer = Table::default();
        outer.set(&[], key, Written::Table(table));
        outer
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    redacted_line(&written(&head, &wrap("vars", wrap("RELAY", relay.clone())), language), []).into_owned()
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
