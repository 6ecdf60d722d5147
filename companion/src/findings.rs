//! What a check comes to.

use access_relay_core::syntax::redact::redacted;
use serde::Serialize;

/// What was found in a file.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// A line for each table that can serve.
    pub sound: Vec<String>,
    /// What can be deployed, but is hardly meant.
    pub warnings: Vec<String>,
    /// What must be mended first.
    pub mistakes: Vec<String>,
}

impl Findings {
    /// A file that cannot be read any further.
    pub fn mistake(text: impl Into<String>) -> Self {
        Self { mistakes: vec![text.into()], ..Self::default() }
    }

    /// Without secrets, and each on one line: whatever is told goes through here, names of environments too.
    #[must_use]
    pub fn redacted(self) -> Self {
        let each = |lines: Vec<String>| lines.iter().map(|line| one_line(&redacted(line, []))).collect();
        Self { sound: each(self.sound), warnings: each(self.warnings), mistakes: each(self.mistakes) }
    }
}

/// A text that may hold other people's words, on one line, and without what a terminal or a reader's eye would obey: control
/// characters, and those that turn the direction of writing (Unicode, "Bidi_Control").
#[must_use]
pub fn one_line(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || turns(letter) {
            line.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            line.push(letter);
        }
    }
    line
}
