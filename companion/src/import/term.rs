//! A value of somebody else's configuration: JSON, TOML and HCL alike. What is no literal is named, never guessed.

use std::collections::BTreeMap;

use access_relay_core::syntax::redact::{looks_secret, redacted};
use access_relay_core::syntax::text::quoted;
use serde_json::Value;

use crate::findings::one_line;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Nothing: as good as not there.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number; `None` if it is not whole.
    Number(Option<i64>),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Term>),
    /// A table.
    Table(BTreeMap<String, Term>),
    /// Something whose value is not in the file. The text says what stands there, as in ``the reference `var.origin` ``.
    Unknown(String),
}

impl Term {
    /// A table's value. What is null is not there: Terraform writes every key that nobody has set.
    #[must_use]
    pub fn at(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Table(values) => values.get(key).filter(|value| **value != Self::Null),
            _ => None,
        }
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn within(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.at(key))
    }

    /// A text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list's items; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// A table's keys and values; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&String, &Self)> {
        match self {
            Self::Table(values) => Some(values),
            _ => None,
        }
        .into_iter()
        .flatten()
    }

    /// `true` or `false`, also as a text: Terraform and Traefik read `"true"` alike.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A whole number, also as a text.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// What it is, for people: on one line, without secrets.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(Some(number)) => number.to_string(),
            Self::Number(None) => "a number that is not whole".to_owned(),
            Self::Text(text) if looks_secret(text) => "a text that looks like a secret, and is not shown".to_owned(),
            Self::Text(text) => quoted(&harmless(text)),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Table(_) => "a table".to_owned(),
            Self::Unknown(what) => harmless(what),
        }
    }

    /// The value, but what the marks say is unknown: `marks` has the form of the value, with `true` in such places. Terraform
    /// writes so what it knows only later, and what is sensitive.
    #[must_use]
    pub fn marked(self, marks: &Value, what: &str) -> Self {
        if !has_mark(marks) {
            return self;
        }
        match (self, marks) {
            (Self::Null, Value::Object(_)) => Self::Table(BTreeMap::new()).marked(marks, what),
            (Self::Null, Value::Array(_)) => Self::List(Vec::new()).marked(marks, what),
            (Self::Table(mut values), Value::Object(marks)) => {
                for (key, mark) in marks.iter().filter(|(_, mark)| has_mark(mark)) {
                    let value = values.remove(key).unwrap_or(Self::Null);
                    values.insert(key.clone(), value.marked(mark, what));
                }
                Self::Table(values)
            }
            (Self::List(mut items), Value::Array(marks)) => {
                items.resize(items.len().max(marks.len()), Self::Null);
                let each = |(index, item): (usize, Self)| match marks.get(index) {
                    Some(mark) => item.marked(mark, what),
                    None => item,
                };
                Self::List(items.into_iter().enumerate().map(each).collect())
            }
            _ => Self::Unknown(what.to_owned()),
        }
    }
}

fn has_mark(marks: &Value) -> bool {
    match marks {
        Value::Bool(mark) => *mark,
        Value::Array(marks) => marks.iter().any(has_mark),
        Value::Object(marks) => marks.values().any(has_mark),
        _ => false,
    }
}

/// A text of somebody's, on one line and without secrets.
#[must_use]
pub fn harmless(text: &str) -> String {
    one_line(&redacted(text, []))
}

/// Some of somebody's code, the same way: redacted first, and then cut, for half a secret looks like none.
#[must_use]
pub fn code(text: &str) -> String {
    const MOST: usize = 80;
    let text = harmless(text);
    let mut letters = text.chars();
    let first: String = letters.by_ref().take(MOST).collect();
    if letters.next().is_none() { first } else { first + "…" }
}

impl From<&Value> for Term {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => Self::Number(number.as_i64()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(values) => {
                Self::Table(values.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
        }
    }
}
