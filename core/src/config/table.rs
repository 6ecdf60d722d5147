//! Reading a table key by key: every mistake is noted with its path, and reading goes on.

use serde_json::{Map, Value};

use crate::config::error::{FILL_IN, without_indices};
use crate::config::keys::{Absent, Key, Kind};
use crate::config::report::Report;
use crate::syntax::text::{has_placeholder, quoted};

/// A table being read. Each getter takes a key of its description; what the description does not name is a mistake.
pub struct Table<'r> {
    path: String,
    values: &'r Map<String, Value>,
    /// The names of the keys that may stand here.
    names: &'static [&'static str],
    report: &'r Report<'r>,
}

impl<'r> Table<'r> {
    /// A table at this path, whose keys have these names.
    pub fn new(
        path: impl Into<String>,
        values: &'r Map<String, Value>,
        names: &'static [&'static str],
        report: &'r Report<'r>,
    ) -> Self {
        Self { path: path.into(), values, names, report }
    }

    /// The full path of one of this table's keys.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes what is wrong with a key's value.
    pub fn error(&self, key: Key, found: &str, expected: &str) {
        self.report.add(&self.path_of(key.name), found, expected);
    }

    /// Notes what is wrong with one item of a key's list.
    pub fn error_in(&self, key: Key, index: usize, found: &str, expected: &str) {
        self.report.add(&self.path_in(key, index), found, expected);
    }

    /// Notes what is wrong with a value within one table of a key's list.
    pub fn error_within(&self, key: Key, index: usize, inner: Key, found: &str, expected: &str) {
        self.report.add(&format!("{}.{}", self.path_in(key, index), inner.name), found, expected);
    }

    /// Notes what is not wrong, but hardly meant.
    pub fn warn(&self, key: Key, found: &str, expected: &str) {
        self.report.warn(&self.path_of(key.name), found, expected);
    }

    /// The same of one item of a key's list.
    pub fn warn_in(&self, key: Key, index: usize, found: &str, expected: &str) {
        self.report.warn(&self.path_in(key, index), found, expected);
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
    pub fn has_error_at(&self, key: Key) -> bool {
        self.report.has(&self.path_of(key.name))
    }

    /// Whether a key holds an empty list.
    pub fn is_empty_list(&self, key: Key) -> bool {
        self.values.get(key.name).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    /// Whether a key is there.
    pub fn has(&self, key: Key) -> bool {
        self.values.contains_key(key.name)
    }

    /// A text.
    pub fn string(&self, key: Key) -> Option<String> {
        match self.values.get(key.name)? {
            Value::String(text) => Some(text.clone()),
            other => self.mistyped(key, other, &key.text_expected()),
        }
    }

    /// One of the texts that a key may have; the default where it is not there, or wrong.
    pub fn one_of(&self, key: Key) -> &'static str {
        let default = key.default_text();
        let Kind::OneOf(choices) = key.kind else { return default };
        let Some(text) = self.string(key) else { return default };
        choices.iter().find(|choice| **choice == text).copied().unwrap_or_else(|| {
            self.error(key, &self.quoted(&text), &key.text_expected());
            default
        })
    }

    /// Like [`Table::string`], and parsed; a parser's error says what to write instead.
    pub fn parsed<T, E: AsRef<str>>(&self, key: Key, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        if key.absent == Absent::Required && !self.has(key) {
            let Kind::Text(example) = key.kind else { return None };
            self.error(key, "nothing", &format!("it is required, as in {}", quoted(example)));
        }
        let text = self.string(key)?;
        let refuse = |expected: E| {
            let expected = if has_placeholder(&text) { FILL_IN } else { expected.as_ref() };
            self.error(key, &self.quoted_url(&text), expected);
        };
        parse(&text).map_err(refuse).ok()
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: Key) -> bool {
        let default = key.default_toml() == "true";
        match self.values.get(key.name) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => self.mistyped(key, other, "write true or false, without quotes").unwrap_or(default),
        }
    }

    /// A whole number within bounds; 0 where it is wrong, or not there and has no default.
    pub fn integer(&self, key: Key) -> i64 {
        let default = || key.default_toml().parse().unwrap_or_default();
        let Kind::Integer(least, most, unit) = key.kind else { return 0 };
        let Some(value) = self.values.get(key.name) else { return default() };
        // TOML has one kind of whole number, but JavaScript hands 30000 and 30000.0 over alike.
        match value.as_i64() {
            Some(number) if (least..=most).contains(&number) => number,
            _ => {
                let expected = format!("write a whole number of {unit} from {least} to {most}");
                self.mistyped(key, value, &expected).unwrap_or_else(default)
            }
        }
    }

    /// A list of texts, each at its place; `None` if the key is not there, or something else than a text is in the list.
    pub fn strings(&self, key: Key) -> Option<Vec<String>> {
        let Kind::Texts(example) = key.kind else { return None };
        let expected = format!("write a list of texts, as in {example}");
        let values = match self.values.get(key.name)? {
            Value::Array(values) => values,
            other => return self.mistyped(key, other, &expected),
        };
        let mut texts = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::String(text) => {
                    if texts.contains(text) {
                        let found = format!("{} once more", self.quoted(text));
                        self.error_in(key, index, &found, "leave out the repetition");
                    }
                    texts.push(text.clone());
                }
                other => self.error_in(key, index, &self.report.kind_and_value(other), &expected),
            }
        }
        (texts.len() == values.len()).then_some(texts)
    }

    /// A table within this one, whose keys have these names.
    pub fn table(&self, key: Key, names: &'static [&'static str]) -> Option<Table<'r>> {
        let path = self.path_of(key.name);
        match self.values.get(key.name)? {
            Value::Object(values) => Some(Table::new(path, values, names, self.report)),
            other => self.mistyped(key, other, &format!("write a table, [vars.RELAY.{}]", without_indices(&path))),
        }
    }

    /// A list of tables within this one, whose keys have these names.
    pub fn tables(&self, key: Key, names: &'static [&'static str]) -> Vec<Table<'r>> {
        let expected = format!("write tables, [[vars.RELAY.{}]]", self.path_of(key.name));
        let values = match self.values.get(key.name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => return self.mistyped(key, other, &expected).unwrap_or_default(),
        };
        let mut tables = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let path = self.path_in(key, index);
            match value {
                Value::Object(values) => tables.push(Table::new(path, values, names, self.report)),
                other => self.report.add(&path, &self.report.kind_and_value(other), &expected),
            }
        }
        tables
    }

    /// Ends the reading: every key that the description does not name is a mistake. Their values are not shown, for a secret
    /// put in the wrong place is just such a key.
    pub fn finish(self) {
        let expected = format!("the keys here are {}", self.names.join(", "));
        for key in self.values.keys().filter(|key| !self.names.contains(&key.as_str())) {
            self.report.add(&self.path_of(&self.report.key(key)), "an unknown key", &expected);
        }
    }

    /// The full path of one item of a key's list.
    fn path_in(&self, key: Key, index: usize) -> String {
        format!("{}[{index}]", self.path_of(key.name))
    }

    fn mistyped<T>(&self, key: Key, found: &Value, expected: &str) -> Option<T> {
        self.error(key, &self.report.kind_and_value(found), expected);
        None
    }
}
