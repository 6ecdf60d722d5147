//! A wrangler file with new parts: what is there stays byte for byte, and what is not understood stays alone.

use serde_json::{Map, Value};

use crate::document::{Entry, Language, Table, Value as Written, comments, one_value};
use crate::edit::text::{Edits, comments_in, indentation, without_those_above};
use crate::edit::{jsonc, toml};
use crate::spans::Spans;
use crate::wrangler;

/// A wrangler file, and what is to be put into it.
#[derive(Debug)]
pub struct Editor<'t> {
    language: Language,
    text: &'t str,
    root: Spans,
    edits: Edits,
    /// What the file has to say in the end.
    value: Value,
}

impl<'t> Editor<'t> {
    /// For a text that says `value`.
    #[must_use]
    pub fn of(file: &str, text: &'t str, value: &Value) -> Option<Self> {
        let language = Language::of(file);
        let root = match language {
            Language::Toml => Spans::of_toml(text)?,
            Language::Jsonc => Spans::of_jsonc(text)?,
        };
        Some(Self { language, text, root, edits: Edits::default(), value: value.clone() })
    }

    /// Where the parts stand.
    #[must_use]
    pub fn spans(&self) -> &Spans {
        &self.root
    }

    /// Whether nothing was put in.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.edits.is_empty()
    }

    /// Adds keys to the table at a path. Tables that are not there are made.
    pub fn add(&mut self, path: &[&str], new: &Table) {
        let mut here = &self.root;
        let mut there = path.len();
        for (index, key) in path.iter().enumerate() {
            match here.entry(key) {
                Some((_, value)) => here = value,
                None => {
                    there = index;
                    break;
                }
            }
        }
        let (found, missing) = path.split_at(there);
        let wrapped = missing.iter().rev().fold(new.clone(), |inner, key| {
            Table(vec![Entry { comment: Vec::new(), key: (*key).to_owned(), value: Written::Table(inner) }])
        });
        match self.language {
            Language::Toml => toml::add(self.text, &self.root, found, here, &wrapped, &mut self.edits),
            Language::Jsonc => jsonc::add(self.text, here, &wrapped, &mut self.edits),
        }
        if let Some(Value::Object(table)) = within(&mut self.value, path)
            && let Value::Object(new) = Value::from(new)
        {
            table.extend(new);
        }
    }

    /// Puts a value in place of the one at a path. Comments within that one are above it then.
    pub fn set(&mut self, path: &[&str], value: &Written) {
        let there = path.iter().try_fold(&self.root, |here, key| here.entry(key).map(|(_, value)| value));
        if let Some(span) = there.map(|there| there.span().clone()) {
            let lines = comments_in(self.text.get(span.clone()).unwrap_or_default(), self.mark());
            self.edits.replace(span, one_value(value, self.language));
            self.comment(path, &lines);
        }
        if let Some(here) = within(&mut self.value, path) {
            *here = Value::from(value);
        }
    }

    /// Puts a comment above a key that is there, but for lines that are there already.
    pub fn comment(&mut self, path: &[&str], lines: &[String]) {
        let at = match self.language {
            Language::Toml => toml::above(self.text, &self.root, path),
            Language::Jsonc => jsonc::above(self.text, &self.root, path),
        };
        let lines = without_those_above(self.text, at, self.mark(), lines);
        if !lines.is_empty() {
            self.edits.insert(at, comments(&lines, self.language, indentation(self.text, at)));
        }
    }

    /// What a comment begins with.
    fn mark(&self) -> &'static str {
        if self.language == Language::Toml { "#" } else { "//" }
    }

    /// The new text. Nothing if it would not say just what it is to say: then nobody knows better than to leave it alone.
    #[must_use]
    pub fn finish(self, file: &str) -> Option<String> {
        let new = self.edits.applied(self.text)?;
        (wrangler::read(file, &new).ok()? == self.value).then_some(new)
    }
}

/// The value at the end of a path; tables that are not there are made.
fn within<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |here, key| match here {
        Value::Object(table) => Some(table.entry(*key).or_insert_with(|| Value::Object(Map::new()))),
        _ => None,
    })
}
