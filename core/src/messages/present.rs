//! Which headers a message has.
//!
//! Every read of a header crosses the border between Wasm and JavaScript, so `src/headers.js` tells in one text which headers a
//! message has, and the values that nearly every decision needs. [`Present`] says which of the known ones are there and
//! which must go ([`crate::messages::crossing`]), and only what else matters is then read.

use crate::messages::edits::Edit;
use crate::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name, Names};
use crate::syntax::text::split_before;

/// Reads one header's value; repeated lines arrive joined with `, `.
pub trait Read {
    /// The value, up to one character more than [`Name::longest`], or `None` where the message has no such header.
    fn read(&self, name: Name) -> Option<String>;

    /// Every `Set-Cookie` line by itself: the one header that must never be joined (RFC 9110 §5.3).
    fn set_cookies(&self) -> Vec<String>;
}

/// What a message's headers tell before any is read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present<'t> {
    known: Names,
    /// Those whose values come along.
    along: &'static [Name],
    /// Their values, at the same places.
    values: [&'t str; 9],
    /// Other names that matter, in the message's own spelling.
    others: Vec<&'t str>,
    /// The names of headers in whose name or value `headers.js` has found a secret of ours.
    leaks: Vec<&'t str>,
}

// Every value that comes along has its place.
const _: () = assert!(ALONG_A_REQUEST.len() <= 9 && ALONG_AN_ANSWER.len() <= 9);

impl<'t> Present<'t> {
    /// Takes stock of a message's headers, as `headers.js` tells them; [`crate::messages::crossing`] has what `matters`.
    ///
    /// Names are in lower case. The first line tells known ones by their places ([`Name::place`]); then those of `along`
    /// have a line each, the place and the value; of the others, names are told that begin or end like one that matters, and
    /// begin with a letter. `!` stands before a name that holds a secret of ours, or whose value does.
    #[must_use]
    pub fn of(lines: &'t str, along: &'static [Name], matters: fn(&str) -> bool) -> Self {
        let mut present =
            Self { known: Names::default(), along, values: [""; 9], others: Vec::new(), leaks: Vec::new() };
        let (places, mut rest) = split_before(lines, |b| b == b'\n');
        places.chars().filter_map(Name::at).for_each(|name| present.known.insert(name));
        while let Some(lines) = rest.get(1..) {
            let (line, after) = split_before(lines, |b| b == b'\n');
            rest = after;
            let mut characters = line.chars();
            let first = characters.next();
            if first == Some('!') {
                present.leaks.push(characters.as_str());
            } else if let Some(name) = first.and_then(Name::at) {
                present.known.insert(name);
                if let Some((_, value)) = along.iter().zip(&mut present.values).find(|(along, _)| **along == name) {
                    *value = characters.as_str();
                }
            } else if matters(line) {
                present.others.push(line);
            }
        }
        present
    }

    /// Whether a known header is there.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.known.has(name)
    }

    /// Whether one of these is there.
    #[must_use]
    pub fn has_any(&self, names: &[Name]) -> bool {
        names.iter().any(|name| self.has(*name))
    }

    /// The names of headers in whose name or value `headers.js` has found a secret of ours.
    #[must_use]
    pub fn leaks(&self) -> &[&'t str] {
        &self.leaks
    }

    /// Edits that delete what must not cross; `never` has the known ones. A header in `set` is skipped: its new value replaces
    /// it.
    pub fn dropped(&self, never: &'static [Name], set: Names) -> impl Iterator<Item = Edit<'t>> {
        let known =
            never.iter().filter(move |name| self.has(**name) && !set.has(**name)).map(|name| Edit::Remove(*name));
        known.chain(self.others.iter().map(|name| Edit::Delete(name)))
    }

    /// A header's value, if it came along: up to one character more than [`Name::longest`].
    #[must_use]
    pub fn value(&self, name: Name) -> Option<&'t str> {
        let (_, value) = self.along.iter().zip(&self.values).find(|(along, _)| **along == name)?;
        self.has(name).then_some(*value)
    }
}
