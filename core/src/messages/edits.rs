//! What changes in a message's headers, written down as one text: so it crosses the border between Wasm and JavaScript at
//! once, and `edit` of `headers.js` carries it out.

use crate::messages::name::{Name, Names};

/// One change to a copy of a message's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Remove every line of a header that the caller or the API sent, by its name in lower case.
    Delete(&'a str),
    /// Remove every line of a known header.
    Remove(Name),
    /// Remove every header whose name begins like this.
    RemoveAll(&'a str),
    /// Replace every line of a known header by this one.
    Set(Name, &'a str),
    /// Add a line, keeping those there are.
    Append(Name, &'a str),
}

/// Changes that apply in order; of a request to the API, with its URL.
///
/// A line each after the URL's, which is empty where there is none: a sign, then what it is about. A known name is told by
/// its place ([`Name::place`]); removals of known names share a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    lines: String,
    /// Whether the last line is one of removals.
    removing: bool,
    /// The known headers that are set.
    names_set: Names,
}

impl Edits {
    /// Changes in the headers of a request to this URL, which has no line break.
    #[must_use]
    pub fn to(url: &str) -> Self {
        let mut edits = Self::with_capacity(1024);
        edits.lines.push_str(url);
        edits
    }

    /// Changes in the headers of an answer.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    fn with_capacity(bytes: usize) -> Self {
        Self { lines: String::with_capacity(bytes), ..Self::default() }
    }

    /// The URL, if they are a request's.
    #[must_use]
    pub fn url(&self) -> &str {
        self.lines.split('\n').next().unwrap_or_default()
    }

    /// As they cross.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.lines
    }

    /// Adds a change.
    pub fn push(&mut self, edit: Edit<'_>) {
        let (sign, name, text) = match edit {
            Edit::Delete(name) => ('~', None, name),
            Edit::RemoveAll(prefix) => ('*', None, prefix),
            Edit::Remove(name) => ('-', Some(name), ""),
            Edit::Append(name, value) => ('+', Some(name), value),
            Edit::Set(name, value) => ('=', Some(name), value),
        };
        if text.contains('\n') {
            // No header can carry a line break. Should a text ever hold one, it must not become a line of its own.
            return self.extend(name.map(Edit::Remove));
        }
        if let ('=', Some(name)) = (sign, name) {
            self.names_set.insert(name);
        }
        let removing = sign == '-';
        if !(removing && self.removing) {
            self.lines.push('\n');
            self.lines.push(sign);
        }
        if let Some(name) = name {
            self.lines.push(name.place());
        }
        self.lines.push_str(text);
        self.removing = removing;
    }

    /// The known headers that are set.
    #[must_use]
    pub fn names_set(&self) -> Names {
        self.names_set
    }

    /// The changes one by one.
    pub fn iter(&self) -> impl Iterator<Item = Edit<'_>> {
        self.lines.split('\n').skip(1).flat_map(|line| {
            let mut characters = line.chars();
            let sign = characters.next();
            let rest = characters.as_str();
            let known = characters.next().and_then(Name::at).map(|name| (name, characters.as_str()));
            let removed = rest.chars().filter_map(Name::at).filter(move |_| sign == Some('-')).map(Edit::Remove);
            let other = match (sign, known) {
                (Some('~'), _) => Some(Edit::Delete(rest)),
                (Some('*'), _) => Some(Edit::RemoveAll(rest)),
                (Some('='), Some((name, value))) => Some(Edit::Set(name, value)),
                (Some('+'), Some((name, value))) => Some(Edit::Append(name, value)),
                _ => None,
            };
            removed.chain(other)
        })
    }
}

impl<'a> Extend<Edit<'a>> for Edits {
    fn extend<T: IntoIterator<Item = Edit<'a>>>(&mut self, edits: T) {
        edits.into_iter().for_each(|edit| self.push(edit));
    }
}

impl<'a> FromIterator<Edit<'a>> for Edits {
    fn from_iter<T: IntoIterator<Item = Edit<'a>>>(edits: T) -> Self {
        let mut all = Self::new();
        all.extend(edits);
        all
    }
}
