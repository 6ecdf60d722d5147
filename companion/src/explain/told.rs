//! An explanation, as people read it.

use serde_json::Value;

use crate::explain::explanation::Explanation;
use crate::explain::flow::{State, Step, Way};
use crate::explain::mend::Change;
use crate::explain::request::Recorded;
use crate::explain::upstream::{From, Line, Upstream};
use crate::wrangler;

/// The text, of a configuration in this file; in colours, or without.
#[must_use]
pub fn told(explanation: &Explanation, file: &str, colours: bool) -> String {
    Told { explanation, file, colours, text: String::new() }.whole()
}

struct Told<'e> {
    explanation: &'e Explanation,
    file: &'e str,
    colours: bool,
    text: String,
}

impl Told<'_> {
    fn whole(mut self) -> String {
        let explanation = self.explanation;
        for (way, what) in [(&explanation.preflight, "preflight"), (&explanation.request, "request")] {
            if let Some(way) = way {
                self.way(way, what);
            }
        }
        for token in &explanation.tokens {
            self.heading(&format!("The token in {} says", token.from));
            for (name, value) in &token.claims {
                self.line(&format!("  {name}: {value}"));
            }
            let signature = match (&token.wrong, explanation.signatures_checked) {
                (Some(wrong), _) => wrong,
                (None, true) => "its signature was checked with the keys of --keys",
                (None, false) => "its signature is not checked; --keys FILE with the issuer's keys does it",
            };
            self.line(&format!("  ({signature})"));
        }
        if let Some(upstream) = explanation.request.as_ref().and_then(|way| way.upstream.as_ref()) {
            self.upstream(upstream, explanation.request.as_ref().map(|way| way.adds.as_slice()).unwrap_or_default());
        }
        if let Some(verdict) = &explanation.browser {
            self.heading("The browser");
            self.line(&format!("  {}", verdict.text));
        }
        if let Some(recorded) = &explanation.recorded {
            self.heading("The recording");
            self.line(&match recorded {
                Recorded { status: 0, .. } => "  has no answer that the page could read".to_owned(),
                Recorded { status, access: None } => format!("  has the status {status}"),
                Recorded { access: Some(sign), .. } => {
                    format!("  has {sign}: Access answered, and the relay never saw the request")
                }
            });
        }
        self.changes();
        self.text.trim_end().to_owned() + "\n"
    }

    fn way(&mut self, way: &Way, what: &str) {
        let by = &self.explanation.by;
        let about = match what {
            "preflight" => "the browser's preflight".to_owned(),
            _ if by.is_empty() => String::new(),
            _ => format!("by {by}"),
        };
        self.heading(&format!("{} {}", way.method, way.url));
        if !about.is_empty() {
            self.line(&about);
        }
        self.line("");
        for step in &way.boxes {
            self.step(step);
        }
        for warning in &way.warnings {
            self.line(&format!("  {} {warning}", self.mark("note", "33")));
        }
    }

    fn step(&mut self, step: &Step) {
        let mark = match step.state {
            State::Passed => self.mark("ok", "32"),
            State::Answered => self.mark("done", "32"),
            State::Refused => self.mark("STOP", "31"),
            State::Unreached => "    ".to_owned(),
        };
        let place = step.key.as_ref().map(|key| {
            let at = self
                .explanation
                .places
                .get(key)
                .map(|place| format!(", {}:{}:{}", self.file, place.line, place.column));
            format!("({key}{})", at.unwrap_or_default())
        });
        self.line(&format!("  {mark}  {:<17}  {}", step.name, step.text));
        if let Some(place) = place.filter(|_| step.state != State::Unreached) {
            self.line(&format!("        {:<17}  {place}", ""));
        }
    }

    /// Of four letters.
    fn mark(&self, word: &str, colour: &str) -> String {
        let padded = format!("{word:<4}");
        if self.colours { format!("\u{1b}[{colour}m{padded}\u{1b}[0m") } else { padded }
    }

    fn upstream(&mut self, upstream: &Upstream, adds: &[Line]) {
        self.heading("The API gets");
        self.line(&format!("  {} {}", upstream.method, upstream.url));
        for (from, whose) in [(From::Caller, "the caller's"), (From::Relay, "the relay's")] {
            let lines: Vec<&Line> = upstream.headers.iter().filter(|line| line.from == from).collect();
            if !lines.is_empty() {
                self.line(&format!("  {whose}:"));
            }
            for Line { name, value, .. } in lines {
                self.line(&format!("    {name}: {value}"));
            }
        }
        if !upstream.left_out.is_empty() {
            self.line("  left out:");
        }
        for left in &upstream.left_out {
            self.line(&format!("    {}: {}", left.name, left.why));
        }
        if !adds.is_empty() {
            self.heading("To an answer of the API in JSON, the relay adds");
        }
        for Line { name, value, .. } in adds {
            self.line(&format!("  {name}: {value}"));
        }
    }

    fn changes(&mut self) {
        let Explanation { changes, advice, .. } = self.explanation;
        if !changes.is_empty() {
            self.heading("To let it pass, write");
        }
        for Change { table, key, place, value, note } in changes {
            let (line, comment) = self.written(key, value);
            let note = if note.is_empty() { String::new() } else { format!("   {comment} {note}") };
            let at = place.map(|place| format!(" ({}:{})", self.file, place.line));
            self.line(&format!("  in {table}{}:  {line}{note}", at.unwrap_or_default()));
        }
        if !advice.is_empty() {
            self.heading(if self.explanation.served || !changes.is_empty() { "Know, too" } else { "What to do" });
        }
        for advice in advice {
            self.line(&format!("  {advice}"));
        }
    }

    /// A line in the file's language, and the sign of its comments.
    fn written(&self, key: &str, value: &Value) -> (String, &'static str) {
        let value = value.to_string().replace("\",\"", "\", \"");
        if wrangler::is_json(self.file) {
            (format!("\"{key}\": {value}"), "//")
        } else {
            (format!("{key} = {value}"), "#")
        }
    }

    fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(text);
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end_matches(' '));
        self.text.push('\n');
    }
}
