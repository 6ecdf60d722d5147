//! What is said of each key: why a value is another one now, or is not there.

use std::collections::BTreeSet;

use crate::import::term::harmless;

/// Notes, and what is left for somebody to do.
#[derive(Debug, Default)]
pub struct Sheet {
    lines: Vec<Line>,
    /// What has been said, by path: nothing is said twice.
    said: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct Line {
    /// Where it belongs, as in `cors.max_age`; empty for what is about no key.
    path: String,
    text: String,
    /// Whether somebody has to act.
    is_left: bool,
}

impl Sheet {
    /// Says what was changed or left out, and that nothing has to be done.
    pub fn note(&mut self, path: &str, text: &str) {
        self.add(path, text, false);
    }

    /// Says what somebody has to do.
    pub fn left(&mut self, path: &str, text: &str) {
        self.add(path, text, true);
    }

    /// Whether somebody has to do something at this path.
    #[must_use]
    pub fn has_left(&self, path: &str) -> bool {
        self.lines.iter().any(|line| line.path == path && line.is_left)
    }

    fn add(&mut self, path: &str, text: &str, is_left: bool) {
        let text = harmless(text);
        if self.said.insert((path.to_owned(), text.clone())) {
            self.lines.push(Line { path: path.to_owned(), text, is_left });
        }
    }

    /// Says something that has an AUD tag in it: those may show, and look like secrets.
    pub fn note_with_tag(&mut self, path: &str, text: &str) {
        self.lines.push(Line { path: path.to_owned(), text: text.to_owned(), is_left: false });
    }

    /// All that was noted, or all that is left to do: each on a line, with its key.
    #[must_use]
    pub fn told(&self, is_left: bool) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.is_left == is_left);
        lines.map(|line| with_key(&line.path, &line.text)).collect()
    }

    /// The comment on a key, or on nothing in particular.
    #[must_use]
    pub fn comment(&self, path: &str) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.path == path);
        lines.flat_map(|line| comment(line, "")).collect()
    }

    /// The comments on a table, and on those of its keys that are not `written`, by their names.
    #[must_use]
    pub fn comments(&self, table: &str, written: impl Fn(&str) -> bool) -> Vec<String> {
        let of = |line: &Line| match line.path.strip_prefix(table)?.strip_prefix('.') {
            Some(key) if written(key) => None,
            Some(key) => Some(comment(line, key)),
            None => (line.path == table).then(|| comment(line, "")),
        };
        self.lines.iter().filter_map(of).flatten().collect()
    }
}

/// As a sentence. What begins with a key or a value stays as it is.
fn comment(line: &Line, key: &str) -> Vec<String> {
    let mut text = with_key(key, &line.text);
    let first = text.split([' ', ',']).next().unwrap_or_default();
    if line.is_left {
        text.insert_str(0, "To do: ");
    } else if first.bytes().all(|letter| letter.is_ascii_lowercase()) {
        let capital: String = text.chars().take(1).map(|letter| letter.to_ascii_uppercase()).collect();
        text = [capital.as_str(), text.get(1..).unwrap_or_default()].concat();
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    wrapped(&text)
}

fn with_key(key: &str, text: &str) -> String {
    if key.is_empty() { text.to_owned() } else { format!("{key}: {text}") }
}

/// Lines that fit on a screen, with a few letters of indentation.
fn wrapped(text: &str) -> Vec<String> {
    const WIDTH: usize = 110;
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let letters = word.chars().count();
        match lines.last_mut().filter(|_| length + 1 + letters <= WIDTH) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
                length += 1 + letters;
            }
            None => {
                lines.push(word.to_owned());
                length = letters;
            }
        }
    }
    lines
}
