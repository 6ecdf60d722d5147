//! The headers of a message, as a list of lines, for the core to decide on.

use std::collections::{BTreeMap, BTreeSet};

use access_relay_core::messages::crossing;
use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::messages::head::{RequestHead, ResponseHead};
use access_relay_core::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name};
use access_relay_core::messages::present::Read;
use access_relay_core::messages::trace::Trace;

/// What does not belong to a value at its ends.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Header lines in order: names in lower case, each with its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a line. No value holds a line break: where a recording has one, it has joined several lines.
    pub fn push(&mut self, name: &str, value: &str) {
        for line in value.trim_matches(SPACES).split('\n') {
            self.0.push((name.to_ascii_lowercase(), line.trim_matches(SPACES).to_owned()));
        }
    }

    /// Puts a line in the place of all of that name, in whatever case.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(&name.to_ascii_lowercase());
        self.push(name, value);
    }

    /// Removes all lines of a name, which is in lower case.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(found, _)| found != name);
    }

    /// The value of a name in lower case; lines that repeat it are joined, as the runtime joins them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Each name with its value.
    #[must_use]
    pub fn joined(&self) -> BTreeMap<String, String> {
        self.names().into_iter().map(|name| (name.to_owned(), self.get(name).unwrap_or_default())).collect()
    }

    /// Each name once, in alphabetical order.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The lines.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What a decision makes of a request with these headers.
    pub fn asked<T>(
        &self,
        method: &str,
        url: &str,
        trace: &Trace,
        decide: impl FnOnce(&RequestHead<'_, Self>) -> T,
    ) -> T {
        let told = self.told(ALONG_A_REQUEST);
        decide(&RequestHead { method, url, present: &crossing::in_request(&told), headers: self, trace })
    }

    /// What a decision makes of an answer with these headers.
    pub fn answered<T>(&self, status: u16, decide: impl FnOnce(&ResponseHead<'_, Self>) -> T) -> T {
        let told = self.told(ALONG_AN_ANSWER);
        decide(&ResponseHead { status, present: &crossing::in_answer(&told), headers: self })
    }

    /// What `headers.js` of the Worker tells of them; but no value holds a secret of the relay's, which is not known here.
    fn told(&self, along: &[Name]) -> String {
        let (mut places, mut lines) = (String::new(), String::new());
        for name in self.names() {
            match Name::ALL.iter().find(|known| known.as_str() == name) {
                Some(known) if along.contains(known) => {
                    let value = self.get(name).unwrap_or_default();
                    lines.push('\n');
                    lines.push(known.place());
                    lines.extend(value.chars().take(known.longest() + 1));
                }
                Some(known) => places.push(known.place()),
                // Each stands on a line of its own.
                None if name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains('\n') => {
                    lines.extend(["\n", name]);
                }
                None => {}
            }
        }
        places + &lines
    }

    /// The headers with these changes.
    #[must_use]
    pub fn edited(mut self, edits: &Edits) -> Self {
        for edit in edits.iter() {
            match edit {
                Edit::Delete(name) => self.remove(name),
                Edit::Remove(name) => self.remove(name.as_str()),
                Edit::RemoveAll(prefix) => self.0.retain(|(found, _)| !found.starts_with(prefix)),
                Edit::Set(name, value) => self.set(name.as_str(), value),
                Edit::Append(name, value) => self.push(name.as_str(), value),
            }
        }
        self
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(lines: T) -> Self {
        let mut headers = Self::default();
        lines.into_iter().for_each(|(name, value)| headers.push(name, value));
        headers
    }
}

impl Read for Headers {
    fn read(&self, name: Name) -> Option<String> {
        let value = self.get(name.as_str())?;
        Some(value.chars().take(name.longest().saturating_add(1)).collect())
    }

    fn set_cookies(&self) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone()).collect()
    }
}
