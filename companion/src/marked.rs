//! A finding as people read it: the line of the file that it is about, marked, in the manner of rustc.

use std::collections::BTreeSet;

use access_relay_core::syntax::redact::{NOT_SHOWN, redacted};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::findings::{Finding, LineStarts, Place, is_obeyed, one_line};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It must be mended before anything is deployed.
    Error,
    /// It can be deployed, but is hardly meant.
    Warning,
}

/// The findings in a file, marked; with colours, or without. No secret of the file shows: a line that holds one is covered.
#[must_use]
pub fn marked<'f>(
    told: impl IntoIterator<Item = (Severity, &'f Finding)>,
    secrets: &[String],
    file: &str,
    text: &str,
    colours: bool,
) -> Vec<String> {
    let name = one_line(&redacted(file, []));
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    let told: Vec<_> = told.into_iter().collect();
    let hiding = told.iter().filter(|(_, finding)| finding.found.contains(NOT_SHOWN));
    let hidden = hiding.filter_map(|(_, finding)| finding.place).map(|place| place.line).collect();
    let mut lines = Lines { text, starts: LineStarts::of(text), secrets, hidden, last: None };
    let one = |(severity, finding): (Severity, &Finding)| {
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let Finding { code, path, found, help, .. } = finding;
        let title = if path.is_empty() { found.clone() } else { format!("{path}: {found}") };
        let line = lines.part(finding);
        let group = Group::with_title(level.primary_title(title).id(code.as_str()));
        let group = match &line {
            Some(part) => {
                let mark = AnnotationKind::Primary.span(part.from..part.to);
                let source = Snippet::source(part.text).path(name.as_str()).line_start(part.place.line);
                group.element(source.annotation(mark))
            }
            None => group.element(Origin::path(name.as_str())),
        };
        let rendered = renderer.render(&[group.element(Level::HELP.message(help.as_str()))]);
        match &line {
            Some(part) => part.in_whole_line(&rendered),
            None => rendered,
        }
    };
    told.into_iter().map(one).collect()
}

/// A line of the file, as it may be shown, and the bytes of it that are marked.
struct Part<'l> {
    place: Place,
    text: &'l str,
    from: usize,
    to: usize,
    /// How many characters of the line stand before it.
    cut: usize,
}

impl Part<'_> {
    /// The column in a rendered text, counted from where the line begins: the renderer counts from where the part does.
    fn in_whole_line(&self, rendered: &str) -> String {
        let Place { line, column, .. } = self.place;
        let (title, rest) = rendered.split_at(rendered.find(ARROW).unwrap_or_default());
        [title, &rest.replacen(&format!(":{line}:{}", column - self.cut), &format!(":{line}:{column}"), 1)].concat()
    }
}

/// What stands before the place of a finding.
const ARROW: &str = "--> ";

/// The lines of a file.
struct Lines<'t> {
    text: &'t str,
    starts: LineStarts<'t>,
    secrets: &'t [String],
    /// Those that hold a secret for certain, as one of the findings there says.
    hidden: BTreeSet<usize>,
    /// The last one that was asked for: a file may have one line for all.
    last: Option<(usize, String)>,
}

impl Lines<'_> {
    /// The line of a finding, or what stands around it in a long one: nobody reads more, and it is looked at again for each finding.
    fn part(&mut self, finding: &Finding) -> Option<Part<'_>> {
        let place = finding.place?;
        if self.last.as_ref().is_none_or(|(line, _)| *line != place.line) {
            let line = self.text.get(self.starts.start(place.line)?..)?.split('\n').next()?.trim_end_matches('\r');
            self.last = Some((place.line, covered(line, self.secrets, self.hidden.contains(&place.line))));
        }
        let (_, line) = self.last.as_ref()?;
        let is_ascii = line.is_ascii();
        // One character stands for one, so that columns stay what they are.
        let byte = |column: usize| match is_ascii {
            true => column.min(line.len()),
            false => line.char_indices().nth(column).map_or(line.len(), |(at, _)| at),
        };
        let first = place.column - 1;
        let from = byte(first);
        let to = if place.end_line == place.line { byte(place.end_column - 1) } else { line.len() };
        let (begin, end) =
            (line.floor_char_boundary(from.saturating_sub(LONG)), line.ceil_char_boundary(to.min(from + LONG) + LONG));
        let text = line.get(begin..end)?;
        let cut = first - line.get(begin..from)?.chars().count();
        Some(Part { place, text, from: from - begin, to: to.min(end) - begin, cut })
    }
}

/// So many bytes of a line are enough on either side of what is marked.
const LONG: usize = 300;

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
