//! A finding as people read it: the line of the file that it is about, marked, in the manner of rustc.

use access_relay_core::syntax::redact::{NOT_SHOWN, redacted};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::findings::{Finding, is_obeyed, one_line};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It must be mended before anything is deployed.
    Error,
    /// It can be deployed, but is hardly meant.
    Warning,
}

/// A finding in a file, marked; with colours, or without. No secret of the file shows, these among them: a line that holds one is covered.
#[must_use]
pub fn marked(
    severity: Severity,
    finding: &Finding,
    secrets: &[String],
    file: &str,
    text: &str,
    colours: bool,
) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let Finding { code, path, found, help, .. } = finding;
    let name = one_line(&redacted(file, []));
    let title = if path.is_empty() { found.clone() } else { format!("{path}: {found}") };
    let line = Line::of(finding, secrets, text);
    let group = Group::with_title(level.primary_title(title).id(code.as_str()));
    let group = match &line {
        Some(line) => {
            let mark = AnnotationKind::Primary.span(line.from..line.to);
            let source = Snippet::source(line.text.as_str()).path(name.as_str()).line_start(line.number);
            group.element(source.annotation(mark))
        }
        None => group.element(Origin::path(name.as_str())),
    };
    let group = group.element(Level::HELP.message(help.as_str()));
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// A line of the file, as it may be shown, and the bytes of it that are marked.
struct Line {
    number: usize,
    text: String,
    from: usize,
    to: usize,
}

impl Line {
    fn of(finding: &Finding, secrets: &[String], text: &str) -> Option<Self> {
        let (span, place) = (finding.span.as_ref()?, finding.place?);
        let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(start..)?.split('\n').next()?.trim_end_matches('\r');
        let hides = finding.found.contains(NOT_SHOWN);
        let shown = covered(line, secrets, hides);
        // One character stands for one, so that columns stay what they are.
        let byte = |column: usize| shown.char_indices().nth(column).map_or(shown.len(), |(at, _)| at);
        let first = place.column - 1;
        let last = if place.end_line == place.line { place.end_column - 1 } else { line.chars().count() };
        let (from, to) = (byte(first), byte(last.max(first + 1)));
        Some(Self { number: place.line, from, to, text: shown })
    }
}

/// A line without secrets and without what a terminal would obey, character by character. `hides` says that it holds one for certain.
fn covered(line: &str, secrets: &[String], hides: bool) -> String {
    let shown: String =
        line.chars().map(|letter| if letter != '\t' && is_obeyed(letter) { '\u{b7}' } else { letter }).collect();
    let holds_secret = |text: &str| redacted(text, secrets.iter().map(String::as_str)) != text;
    if !hides && !holds_secret(line) {
        return shown;
    }
    let hide = |text: &str| text.chars().map(|letter| if letter.is_alphanumeric() { '*' } else { letter }).collect();
    let (key, value) = shown.split_at(shown.find(['=', ':']).unwrap_or(0));
    let value: String = hide(value);
    if holds_secret(key) { hide(&shown) } else { [key, &value].concat() }
}
