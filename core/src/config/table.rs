//! Reading a table key by key: every mistake is noted with its path, and reading goes on. Pure.

use serde_json::{Map, Value};

use crate::config::report::Report;
use crate::syntax::text::quoted;

/// A table being read. Each getter notes its key as known; what no getter asked for is a mistake.
pub struct Table<'r> {
    path: String,
    values: &'r Map<String, Value>,
    known: Vec<&'static str>,
    report: &'r Report<'r>,
}

impl<'r> Table<'r> {
    pub fn new(path: impl Into<String>, values: &'r Map<String, Value>, report: &'r Report<'r>) -> Self {
        Self { path: path.into(), values, known: Vec::new(), report }
    }

    /// The full path of one of this table's keys.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes what is wrong with a key's value.
    pub fn error(&self, key: &str, found: &str, expected: &str) {
        self.report.add(&self.path_of(key), found, expected);
    }

    /// Notes what is not wrong, but hardly meant.
    pub fn warn(&self, key: &str, found: &str, expected: &str) {
        self.report.warn(&self.path_of(key), found, expected);
    }

    /// A text of the table for an error, without secrets.
    pub fn quoted(&self, text: &str) -> String {
        self.report.quoted(text)
    }

    /// A URL for an error: without a user name and password, and without a query, where a secret may have been put.
    pub fn quoted_url(&self, text: &str) -> String {
        // A known secret may hold one of these letters, so it goes first.
        let text = self.report.redacted(text);
        let bare = text.split(['?', '#']).next().unwrap_or_default();
        quoted(bare.rsplit('@').next().unwrap_or_default())
    }

    /// Notes what is wrong outside the table, with a secret.
    pub fn report_at(&self, path: &str, found: &str, expected: &str) {
        if !self.report.has(path) {
            self.report.add(path, found, expected);
        }
    }

    /// Whether a key, or something within it, has been found wrong.
    pub fn has_error_at(&self, key: &str) -> bool {
        self.report.has(&self.path_of(key))
    }

    /// Names keys that may stand here, though nothing reads them.
    pub fn known(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.take(key);
        }
    }

    pub fn is_empty_list(&self, key: &str) -> bool {
        self.values.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub fn string(&mut self, key: &'static str, example: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text.clone()),
            other => self.mistyped(key, other, &format!("write a text, as in {}", quoted(example))),
        }
    }

    /// Like [`Table::string`], and parsed; a parser's error says what to write instead.
    pub fn parsed<T, E: AsRef<str>>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.string(key, example)?;
        parse(&text).map_err(|expected| self.error(key, &self.quoted_url(&text), expected.as_ref())).ok()
    }

    /// Like [`Table::parsed`], for a key that must be there.
    pub fn required<T, E: AsRef<str>>(
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

    pub fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => self.mistyped(key, other, "write true or false, without quotes").unwrap_or(default),
        }
    }

    /// A whole number within bounds; `unit` says of what.
    pub fn integer(
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
    pub fn strings(&mut self, key: &'static str, example: &str) -> Option<Vec<String>> {
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
    pub fn table(&mut self, key: &'static str) -> Option<Table<'r>> {
        let path = self.path_of(key);
        match self.take(key)? {
            Value::Object(values) => Some(Table::new(path, values, self.report)),
            other => self.mistyped(key, other, &format!("write a table, [vars.RELAY.{}]", without_indices(&path))),
        }
    }

    /// A list of tables within this one.
    pub fn tables(&mut self, key: &'static str) -> Vec<Table<'r>> {
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
    pub fn finish(self) {
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
