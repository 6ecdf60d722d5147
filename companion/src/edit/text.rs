//! Changes to a text, of which every other byte stays as it is.

use std::ops::Range;

use access_relay_core::syntax::redact::redacted_line;

/// What is to be put in, and in place of what.
#[derive(Debug, Default)]
pub struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts something in.
    pub fn insert(&mut self, at: usize, text: String) {
        self.replace(at..at, text);
    }

    /// Puts something in place of something else.
    pub fn replace(&mut self, span: Range<usize>, text: String) {
        self.0.push((span, text));
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with all of it done, whose lines end as they did. What is put in shows no secret: it may be somebody else's words. Nothing if two changes are about the same place.
    #[must_use]
    pub fn applied(mut self, text: &str) -> Option<String> {
        let newline = newline(text);
        self.0.sort_by_key(|(span, _)| (span.start, span.end));
        let mut new = String::with_capacity(text.len());
        let mut done = 0;
        for (span, piece) in &self.0 {
            new.push_str(text.get(done..span.start)?);
            new.push_str(&redacted_line(piece, []).replace('\n', newline));
            done = span.end;
        }
        new.push_str(text.get(done..)?);
        Some(new)
    }
}

/// How the lines of a text end.
fn newline(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Where the line begins that a byte is in.
#[must_use]
pub fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// Where the next line begins.
#[must_use]
pub fn next_line(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |newline| at + newline + 1)
}

/// Where the line ends, before what ends it.
#[must_use]
pub fn line_end(text: &str, at: usize) -> usize {
    at + text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default().len()
}

/// The spaces and tabs at the beginning of a line.
#[must_use]
pub fn indentation(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..).unwrap_or_default();
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

/// Whether nothing but spaces stands before a byte on its line.
#[must_use]
pub fn is_first(text: &str, at: usize) -> bool {
    text.get(line_start(text, at)..at).unwrap_or_default().trim().is_empty()
}

/// Lines of comments that are not above a place already: what is put in twice is there once.
#[must_use]
pub fn without_those_above(text: &str, at: usize, mark: &str, lines: &[String]) -> Vec<String> {
    let above = text.get(..line_start(text, at)).unwrap_or_default().lines().rev();
    let there: Vec<&str> = above.map(str::trim).take_while(|line| line.starts_with(mark)).collect();
    let is_new = |line: &&String| !there.iter().any(|other| *other == format!("{mark} {line}"));
    lines.iter().filter(is_new).cloned().collect()
}

/// The comments in a value that takes several lines: their texts, in order.
#[must_use]
pub fn comments_in(value: &str, mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in value.lines() {
        let mut quote = None;
        let mut is_escaped = false;
        for (at, letter) in line.char_indices() {
            let rest = line.get(at..).unwrap_or_default();
            match quote {
                None if rest.starts_with(mark) => {
                    found.push(rest.trim_start_matches(mark).trim().to_owned());
                    break;
                }
                None if matches!(letter, '"' | '\'') => quote = Some(letter),
                Some(end) if letter == end && !is_escaped => quote = None,
                _ => {}
            }
            is_escaped = quote == Some('"') && letter == '\\' && !is_escaped;
        }
    }
    found
}
