//! New parts in a text of JSON with comments.

use crate::document::{Table, properties};
use crate::edit::text::{Edits, indentation, is_first, line_end, line_start, next_line};
use crate::spans::Spans;

/// Puts keys into an object that is there, after its last one.
pub fn add(text: &str, table: &Spans, new: &Table, edits: &mut Edits) {
    let inside = table.span().end.saturating_sub(1);
    let entries = table.entries();
    let outer = indentation(text, table.span().start).to_owned();
    let unit = unit(text);
    let inner = match entries.iter().find(|(_, key, _)| is_first(text, key.start)) {
        Some((_, key, _)) => indentation(text, key.start).to_owned(),
        None => format!("{outer}{unit}"),
    };
    let mut lines = indented(&properties(new), &inner, unit);
    let mut at = table.span().start + 1;
    if let Some((.., last)) = entries.last() {
        let end = last.span().end;
        at = after_gap(text, end, inside);
        if text.as_bytes().get(at) == Some(&b',') {
            at += 1;
            lines.push(',');
        } else {
            edits.insert(end, ",".to_owned());
            at = end;
        }
        at = after_comments(text, at);
    }
    lines.insert(0, '\n');
    let rest = text.get(at..inside).unwrap_or_default();
    if rest.contains('\n') {
        edits.insert(at, lines);
    } else {
        // The bracket was on the line of the last key.
        lines.push('\n');
        lines.push_str(&outer);
        if rest.trim().is_empty() { edits.replace(at..inside, lines) } else { edits.insert(at, lines) }
    }
}

/// Where a comment on a key belongs: at the beginning of a line, above the key or what it stands in.
#[must_use]
pub fn above(text: &str, root: &Spans, path: &[&str]) -> usize {
    let mut here = root;
    let mut at = 0;
    for key in path {
        let Some((key, value)) = here.entry(key) else { break };
        if is_first(text, key.start) {
            at = line_start(text, key.start);
        }
        here = value;
    }
    at
}

/// The indentation of a level: that of the first line that has one.
fn unit(text: &str) -> &str {
    let first = text.lines().find(|line| line.starts_with([' ', '\t']) && line.trim_start().starts_with(['"', '/']));
    first.map_or("  ", |line| indentation(line, 0))
}

/// Lines with two spaces to each level, with others.
fn indented(lines: &str, first: &str, unit: &str) -> String {
    let each = |line: &str| {
        let rest = line.trim_start_matches(' ');
        let levels = (line.len() - rest.len()) / 2;
        format!("{first}{}{rest}", unit.repeat(levels))
    };
    lines.lines().map(each).collect::<Vec<_>>().join("\n")
}

/// The next byte that is no space and in no comment.
fn after_gap(text: &str, mut at: usize, limit: usize) -> usize {
    loop {
        let rest = text.get(at..limit).unwrap_or_default();
        let spaces = rest.len() - rest.trim_start().len();
        let rest = rest.get(spaces..).unwrap_or_default();
        let comment = match (rest.starts_with("//"), rest.starts_with("/*")) {
            (true, _) => rest.find('\n').unwrap_or(rest.len()),
            (_, true) => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => return at + spaces,
        };
        at += spaces + comment;
    }
}

/// The end of the line, if only a comment is left on it, and of comments on the lines after it: they are about what is before them.
fn after_comments(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    let rest = text.get(at..end).unwrap_or_default().trim();
    let is_whole =
        rest.is_empty() || rest.starts_with("//") || rest.starts_with("/*") && rest.find("*/") == Some(rest.len() - 2);
    if !is_whole {
        return at;
    }
    let mut after = end;
    loop {
        let next = next_line(text, after);
        if !text.get(next..).is_some_and(|line| line.trim_start_matches([' ', '\t']).starts_with("//")) {
            return after;
        }
        after = line_end(text, next);
    }
}
