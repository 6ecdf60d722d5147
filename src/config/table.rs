//! Reading a table key by key: every mistake is noted with its path, and reading goes on. Pure.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::{Map, Value};

use super::{ConfigError, Secrets};
use crate::problem::quoted;
use crate::redact;

/// Where mistakes are gathered. It knows the secrets, and lets none of them through.
#[derive(Debug)]
pub(super) struct Report<'s> {
    secrets: &'s Secrets,
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
}

impl<'s> Report<'s> {
    pub(super) fn new(secrets: &'s Secrets) -> Self {
        Self { secrets, errors: RefCell::default(), warnings: RefCell::default() }
    }

    pub(super) fn add(&self, path: &str, found: &str, expected: &str) {
        let error = self.finding(path, found, expected);
        // A secret that must go is mistake enough for one place.
        if !self.errors.borrow().iter().any(|told| told.path == error.path && told.found == GIVEN_AWAY) {
            self.errors.borrow_mut().push(error);
        }
    }

    /// Notes a secret in plain sight.
    pub(super) fn add_given_away(&self, path: &str) {
        self.add(
            path,
            GIVEN_AWAY,
            "take it out and rotate it: whoever may see the Worker's settings can read RELAY; set the new one with \
             `wrangler secret put`",
        );
    }

    fn warn(&self, path: &str, found: &str, expected: &str) {
        let warning = self.finding(path, found, expected);
        self.warnings.borrow_mut().push(warning);
    }

    /// Whether something at `path`, or within it, has been found wrong.
    fn has(&self, path: &str) -> bool {
        let path = &*self.redacted(path);
        self.errors.borrow().iter().any(|error| {
            error.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Whether a text of the table tells a secret. A Client ID is none.
    pub(super) fn gives_away(&self, text: &str) -> bool {
        let secrets = self.secrets.iter().filter(|(name, _)| !name.ends_with("_CLIENT_ID"));
        redact::gives_away(text, secrets.map(|(_, value)| value.as_str()))
    }

    /// A text of the table for an error, or for a path. Redacted first: a cut could leave half a secret.
    pub(super) fn quoted(&self, text: &str) -> String {
        quoted(&self.redacted(text))
    }

    /// A key as TOML has it: what is no bare key stands in quotes.
    pub(super) fn key(&self, key: &str) -> String {
        let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if bare { key.to_owned() } else { self.quoted(key) }
    }

    /// Errors and warnings.
    pub(super) fn into_findings(self) -> (Vec<ConfigError>, Vec<ConfigError>) {
        (self.errors.into_inner(), self.warnings.into_inner())
    }

    /// Whatever is told goes through here.
    fn finding(&self, path: &str, found: &str, expected: &str) -> ConfigError {
        let [path, found, expected] = [path, found, expected].map(|text| self.redacted(text).into_owned());
        ConfigError { path, found, expected }
    }

    fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // A secret set to its own name is a slip that has to be named.
        let secrets = self.secrets.iter().filter(|(name, value)| name != value);
        redact::redacted(text, secrets.map(|(_, value)| value.as_str()))
    }

    fn kind_and_value(&self, value: &Value) -> String {
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Number(number) => match number.as_i64() {
                Some(number) => format!("the number {number}"),
                None => "a number that is not whole".to_owned(),
            },
            Value::String(text) => format!("the text {}", self.quoted(text)),
            Value::Array(values) => format!("a list of {}", values.len()),
            Value::Object(_) => "a table".to_owned(),
        }
    }
}

const GIVEN_AWAY: &str = "a secret (not shown)";

/// A table being read. Each getter notes its key as known; what no getter asked for is a mistake.
pub(super) struct Table<'r> {
    path: String,
    values: &'r Map<String, Value>,
    known: Vec<&'static str>,
    report: &'r Report<'r>,
}

impl<'r> Table<'r> {
    pub(super) fn new(path: impl Into<String>, values: &'r Map<String, Value>, report: &'r Report<'r>) -> Self {
        Self { path: path.into(), values, known: Vec::new(), report }
    }

    /// The full path of one of this table's keys.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes what is wrong with a key's value.
    pub(super) fn error(&self, key: &str, found: &str, expected: &str) {
        self.report.add(&self.path_of(key), found, expected);
    }

    /// Notes what is not wrong, but hardly meant.
    pub(super) fn warn(&self, key: &str, found: &str, expected: &str) {
        self.report.warn(&self.path_of(key), found, expected);
    }

    /// A text of the table for an error, without secrets.
    pub(super) fn quoted(&self, text: &str) -> String {
        self.report.quoted(text)
    }

    /// A URL for an error: without a user name and password, and without a query, where a secret may have been put.
    pub(super) fn quoted_url(&self, text: &str) -> String {
        // A known secret may hold one of these letters, so it goes first.
        let text = self.report.redacted(text);
        let bare = text.split(['?', '#']).next().unwrap_or_default();
        quoted(bare.rsplit('@').next().unwrap_or_default())
    }

    /// Notes what is wrong outside the table, with a secret.
    pub(super) fn report_at(&self, path: &str, found: &str, expected: &str) {
        if !self.report.has(path) {
            self.report.add(path, found, expected);
        }
    }

    /// Whether a key, or something within it, has been found wrong.
    pub(super) fn has_error_at(&self, key: &str) -> bool {
        self.report.has(&self.path_of(key))
    }

    /// Names keys that may stand here, though nothing reads them.
    pub(super) fn known(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.take(key);
        }
    }

    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.values.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn string(&mut self, key: &'static str, example: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text.clone()),
            other => self.mistyped(key, other, &format!("write a text, as in {}", quoted(example))),
        }
    }

    /// Like [`Table::string`], and parsed; a parser's error says what to write instead.
    pub(super) fn parsed<T, E: AsRef<str>>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.string(key, example)?;
        parse(&text).map_err(|expected| self.error(key, &self.quoted_url(&text), expected.as_ref())).ok()
    }

    /// Like [`Table::parsed`], for a key that must be there.
    pub(super) fn required<T, E: AsRef<str>>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.has(key) {
            self.known.push(key);
            self.error(key, "nothing", &format!("it is required, as in {}", quoted(example)));
            return None;
        }
        self.parsed(key, example, parse)
    }

    pub(super) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => self.mistyped(key, other, "write true or false, without quotes").unwrap_or(default),
        }
    }

    /// A whole number within bounds; `unit` says of what.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        default: i64,
        bounds: std::ops::RangeInclusive<i64>,
        unit: &str,
    ) -> i64 {
        let expected = format!("write a whole number of {unit} from {} to {}", bounds.start(), bounds.end());
        let Some(value) = self.take(key) else { return default };
        // TOML has one kind of whole number, but JavaScript hands 30000 and 30000.0 over alike.
        match value.as_i64() {
            Some(number) if bounds.contains(&number) => number,
            _ => self.mistyped(key, value, &expected).unwrap_or(default),
        }
    }

    /// A list of texts, each at its place; `None` if the key is not there, or something else than a text is in the list.
    pub(super) fn strings(&mut self, key: &'static str, example: &str) -> Option<Vec<String>> {
        let expected = format!("write a list of texts, as in {example}");
        let values = match self.take(key)? {
            Value::Array(values) => values,
            other => return self.mistyped(key, other, &expected),
        };
        let mut texts = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::String(text) => {
                    if texts.contains(text) {
                        let found = format!("{} once more", self.quoted(text));
                        self.error(&format!("{key}[{index}]"), &found, "leave out the repetition");
                    }
                    texts.push(text.clone());
                }
                other => self.error(&format!("{key}[{index}]"), &self.report.kind_and_value(other), &expected),
            }
        }
        (texts.len() == values.len()).then_some(texts)
    }

    /// A table within this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'r>> {
        let path = self.path_of(key);
        match self.take(key)? {
            Value::Object(values) => Some(Table::new(path, values, self.report)),
            other => self.mistyped(key, other, &format!("write a table, [vars.RELAY.{}]", without_indices(&path))),
        }
    }

    /// A list of tables within this one.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Table<'r>> {
        let expected = format!("write tables, [[vars.RELAY.{}]]", self.path_of(key));
        let values = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => return self.mistyped(key, other, &expected).unwrap_or_default(),
        };
        let mut tables = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            match value {
                Value::Object(values) => tables.push(Table::new(path, values, self.report)),
                other => self.report.add(&path, &self.report.kind_and_value(other), &expected),
            }
        }
        tables
    }

    /// Ends the reading: every key that nothing asked for is a mistake. Their values are not shown, for a secret put
    /// in the wrong place is just such a key.
    pub(super) fn finish(self) {
        for key in self.values.keys().filter(|key| !self.known.contains(&key.as_str())) {
            self.error(
                &self.report.key(key),
                "an unknown key",
                &format!("the keys here are {}", self.known.join(", ")),
            );
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'r Value> {
        self.known.push(key);
        self.values.get(key)
    }

    fn mistyped<T>(&self, key: &str, found: &Value, expected: &str) -> Option<T> {
        self.error(key, &self.report.kind_and_value(found), expected);
        None
    }
}

/// The name that TOML has for a table within a list: `routes[1].cors` is written `[vars.RELAY.routes.cors]`.
fn without_indices(path: &str) -> String {
    path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}
