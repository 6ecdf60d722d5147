//! Where the parts of a configuration file stand in its text, by their paths: `vars.RELAY.routes[1].upstream`.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use toml::de::{DeTable, DeValue};

use crate::wrangler::{JSONC, is_json};

/// A value of a file: where it stands, and what is in it.
#[derive(Debug)]
pub struct Spans {
    span: Range<usize>,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    /// Each key, where the key itself stands, and its value.
    Table(Vec<(String, Range<usize>, Spans)>),
    List(Vec<Spans>),
    Leaf,
}

impl Spans {
    /// The parts of a file's text, in the language that its name says; nothing where it is none.
    #[must_use]
    pub fn of(file: &str, text: &str) -> Option<Self> {
        if is_json(file) { Self::of_jsonc(text) } else { Self::of_toml(text) }
    }

    /// The parts of a text in TOML; nothing where it is none.
    #[must_use]
    pub fn of_toml(text: &str) -> Option<Self> {
        let table = DeTable::parse(text).ok()?;
        Some(Self { span: table.span(), inner: of_table(table.get_ref()) })
    }

    /// The parts of a text in JSON with comments; nothing where it is none.
    #[must_use]
    pub fn of_jsonc(text: &str) -> Option<Self> {
        let parsed = jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &JSONC).ok()?;
        parsed.value.as_ref().map(of_json)
    }

    /// Where it stands. A table in TOML has no end: this is its header, or its key.
    #[must_use]
    pub fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Whether it is a table.
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self.inner, Inner::Table(_))
    }

    /// A table's keys, in the order of the text: each with where the key stands, and its value.
    #[must_use]
    pub fn entries(&self) -> Vec<(&str, &Range<usize>, &Self)> {
        let Inner::Table(entries) = &self.inner else { return Vec::new() };
        let mut entries: Vec<_> = entries.iter().map(|(key, at, value)| (key.as_str(), at, value)).collect();
        entries.sort_by_key(|(_, at, _)| at.start);
        entries
    }

    /// One of them.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Range<usize>, &Self)> {
        self.entries().into_iter().find(|(name, ..)| *name == key).map(|(_, at, value)| (at, value))
    }

    /// All that is in it, itself first.
    #[must_use]
    pub fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(here) = all.get(next).copied() {
            match &here.inner {
                Inner::Table(entries) => all.extend(entries.iter().map(|(.., value)| value)),
                Inner::List(items) => all.extend(items),
                Inner::Leaf => {}
            }
            next += 1;
        }
        all
    }

    /// Where a path leads: to the value, or to the key of a table; and where it leads no further, to the last key on its way. Nothing
    /// where not even its first key is there.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Range<usize>> {
        let mut here = self;
        let mut key = None;
        for step in steps(path) {
            let next = match (&here.inner, step) {
                (Inner::Table(entries), Step::Key(name)) => entries.iter().find(|(known, ..)| *known == name),
                _ => None,
            };
            let item = match (&here.inner, step) {
                (Inner::List(items), Step::Item(index)) => items.get(index),
                _ => None,
            };
            match (next, item) {
                (Some((_, at, value)), _) => (here, key) = (value, Some(at)),
                // A table of a list has no key of its own; TOML's span of it is its header.
                (None, Some(value)) => {
                    (here, key) = (value, if matches!(value.inner, Inner::Table(_)) { Some(&value.span) } else { None })
                }
                (None, None) => return key.cloned(),
            }
        }
        match here.inner {
            Inner::Table(_) => key.cloned(),
            Inner::List(_) | Inner::Leaf => Some(here.span.clone()),
        }
    }
}

fn of_table(table: &DeTable) -> Inner {
    Inner::Table(table.iter().map(|(key, value)| (key.get_ref().to_string(), key.span(), of_value(value))).collect())
}

fn of_value(value: &toml::Spanned<DeValue>) -> Spans {
    let inner = match value.get_ref() {
        DeValue::Table(table) => of_table(table),
        DeValue::Array(items) => Inner::List(items.iter().map(of_value).collect()),
        _ => Inner::Leaf,
    };
    Spans { span: value.span(), inner }
}

fn of_json(value: &ast::Value) -> Spans {
    let span = |range: jsonc_parser::common::Range| range.start..range.end;
    let inner = match value {
        ast::Value::Object(object) => Inner::Table(
            object
                .properties
                .iter()
                .map(|property| {
                    (property.name.as_str().to_owned(), span(property.name.range()), of_json(&property.value))
                })
                .collect(),
        ),
        ast::Value::Array(array) => Inner::List(array.elements.iter().map(of_json).collect()),
        _ => Inner::Leaf,
    };
    Spans { span: span(value.range()), inner }
}

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'p> {
    /// To a table's value.
    Key(&'p str),
    /// To a list's item.
    Item(usize),
}

/// The steps of a path. A key in quotes, which is none of ours, is taken as it stands between them.
pub fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(quoted) = rest.strip_prefix('"') {
            let (key, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            rest = after;
            return Some(Step::Key(key));
        }
        if let Some(item) = rest.strip_prefix('[') {
            let (index, after) = item.split_once(']')?;
            rest = after;
            return index.parse().ok().map(Step::Item);
        }
        if rest.is_empty() {
            return None;
        }
        let (key, after) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        rest = after;
        Some(Step::Key(key))
    })
}
