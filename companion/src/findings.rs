//! What a check comes to.

use std::fmt;
use std::ops::Range;

use access_relay_core::syntax::redact::redacted;
use serde::Serialize;

/// What was found in a file.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Findings {
    /// A line for each table that can serve.
    pub sound: Vec<String>,
    /// What can be deployed, but is hardly meant.
    pub warnings: Vec<Finding>,
    /// What must be mended first.
    pub mistakes: Vec<Finding>,
    /// Secrets that stand in the file by themselves, where nothing but their names tells what they are.
    #[serde(skip)]
    pub secrets: Vec<String>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that it goes against, as in `relay::access.issuer`. It does not change from one version to the next.
    pub code: String,
    /// Where, as in `vars.RELAY.routes[1].upstream`; empty where it is about the file.
    pub path: String,
    /// What was found there.
    pub found: String,
    /// What to write instead.
    pub help: String,
    /// Where it stands in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The same in bytes.
    #[serde(skip)]
    pub span: Option<Range<usize>>,
}

/// A place in a text: lines and columns from 1, and columns in characters. The end is the character after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The first character's column.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column of the end.
    pub end_column: usize,
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub struct LineStarts<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Whether a byte is a character.
    is_ascii: bool,
}

impl<'t> LineStarts<'t> {
    /// Those of a text.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts, is_ascii: text.is_ascii() }
    }

    /// The byte at which a line begins; lines count from 1.
    #[must_use]
    pub fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied()
    }

    /// The place of a span of bytes.
    #[must_use]
    pub fn place(&self, span: &Range<usize>) -> Place {
        let at = |byte: usize| {
            let line = self.starts.partition_point(|start| *start <= byte);
            let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or_default();
            let column = match self.is_ascii {
                true => byte.saturating_sub(start),
                false => self.text.get(start..byte).unwrap_or_default().chars().count(),
            };
            (line, column + 1)
        };
        let ((line, column), (end_line, end_column)) = (at(span.start), at(span.end));
        Place { line, column, end_line, end_column }
    }
}

impl Finding {
    /// Something that was found at a path.
    pub fn new(code: &str, path: impl Into<String>, found: impl Into<String>, help: impl Into<String>) -> Self {
        let (path, found, help) = (path.into(), found.into(), help.into());
        Self { code: code.to_owned(), path, found, help, place: None, span: None }
    }

    /// The same, without secrets, and each part on one line.
    fn redacted(self, secrets: &[String]) -> Self {
        let clean = |text: String| one_line(&redacted(&text, secrets.iter().map(String::as_str)));
        let Self { code, path, found, help, .. } = self;
        Self { code: clean(code), path: clean(path), found: clean(found), help: clean(help), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, found, help, .. } = self;
        let colon = if path.is_empty() { "" } else { ": " };
        write!(f, "{path}{colon}{found}; {help}")
    }
}

impl Findings {
    /// A file that cannot be read any further.
    pub fn mistake(finding: Finding) -> Self {
        Self { mistakes: vec![finding], ..Self::default() }
    }

    /// Without secrets, and each on one line: whatever is told goes through here, names of environments too.
    #[must_use]
    pub fn redacted(self) -> Self {
        let Self { sound, warnings, mistakes, secrets } = self;
        let each = |findings: Vec<Finding>| findings.into_iter().map(|finding| finding.redacted(&secrets)).collect();
        let sound = sound.iter().map(|line| one_line(&redacted(line, secrets.iter().map(String::as_str)))).collect();
        Self { sound, warnings: each(warnings), mistakes: each(mistakes), secrets }
    }
}

/// A text that may hold other people's words, on one line, and without what a terminal or a reader's eye would obey: control
/// characters, and those that turn the direction of writing (Unicode, "Bidi_Control").
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_obeyed(letter) {
            line.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            line.push(letter);
        }
    }
    line
}

/// Whether a terminal, or a reader's eye, would obey a character.
#[must_use]
pub fn is_obeyed(letter: char) -> bool {
    let turns =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns
}
