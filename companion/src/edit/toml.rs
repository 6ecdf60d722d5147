//! New parts in a text of TOML.

use crate::document::{Entry, Language, Table, Value, comments, one_value, toml_key, written};
use crate::edit::text::{Edits, indentation, line_start, next_line, without_those_above};
use crate::spans::Spans;

/// Puts keys into a table that is there. `path` leads to it, and `root` is all of the file.
pub fn add(text: &str, root: &Spans, path: &[&str], table: &Spans, new: &Table, edits: &mut Edits) {
    if is_braced(text, table) {
        add_within_braces(text, root, path, table, new, edits);
    } else if new.0.iter().all(|entry| is_table(&entry.value)) {
        add_tables(text, root, path, table, new, edits);
    } else {
        add_lines(text, table, new, edits);
    }
}

/// Where a comment on a key belongs: above its statement, which may hold more than the key.
#[must_use]
pub fn above(text: &str, root: &Spans, path: &[&str]) -> usize {
    let mut here = root;
    let mut at = 0;
    for key in path {
        let Some((_, value)) = here.entry(key) else { break };
        at = value.span().start;
        if is_braced(text, value) {
            break;
        }
        here = value;
    }
    line_start(text, at)
}

fn is_braced(text: &str, table: &Spans) -> bool {
    text.as_bytes().get(table.span().start) == Some(&b'{')
}

fn is_table(value: &Value) -> bool {
    matches!(value, Value::Table(_) | Value::Tables(_))
}

/// New tables by their headers, after all that stands under the last header that has to do with the table they belong to.
fn add_tables(text: &str, root: &Spans, path: &[&str], table: &Spans, new: &Table, edits: &mut Edits) {
    let wrapped = path.iter().rev().fold(new.clone(), |inner, key| {
        let mut outer = Table::default();
        outer.set(&[], key, Value::Table(inner));
        outer
    });
    let mut block = written(&[], &wrapped, Language::Toml).trim_start_matches('\n').to_owned();
    let last = if path.is_empty() { text.len() } else { last_start(table) };
    let at = end_of_section(text, root, last);
    // An empty line before it, if there is none.
    let mut lines = text.get(..at).unwrap_or_default().rsplit('\n').map(str::trim);
    let (is_open, is_tight) = match (lines.next(), lines.next()) {
        (Some(""), None) => (false, false),
        (Some(""), Some(line)) => (false, !line.is_empty()),
        _ => (true, true),
    };
    for _ in [is_open, is_tight].into_iter().filter(|is| *is) {
        block.insert(0, '\n');
    }
    let next = text.get(at..).and_then(|after| after.lines().next()).unwrap_or_default();
    if !next.trim().is_empty() {
        block.push('\n');
    }
    edits.insert(at, block);
}

/// The beginning of the last thing in a table.
fn last_start(table: &Spans) -> usize {
    table.all().iter().map(|part| part.span().start).max().unwrap_or_default()
}

/// Where the lines end that belong to the header before a byte: before what is said of the next one.
fn end_of_section(text: &str, root: &Spans, at: usize) -> usize {
    let parts = root.all();
    let is_header = |part: &&&Spans| part.is_table() && text.as_bytes().get(part.span().start) == Some(&b'[');
    let next = parts.iter().filter(is_header).map(|part| part.span().start).filter(|start| *start > at).min();
    let Some(next) = next else { return text.len() };
    let limit = line_start(text, next);
    let last = parts.iter().map(|part| part.span().end).filter(|end| *end <= limit).max().unwrap_or_default();
    let end = next_line(text, last).min(limit);
    // A comment that follows without a gap belongs to what it follows, unless it runs up to the next header.
    let mut after = end;
    while text.get(after..).is_some_and(|line| line.trim_start_matches([' ', '\t']).starts_with('#')) {
        after = next_line(text, after);
    }
    if after < limit { after } else { end }
}

/// New keys with plain values, after the last one of the table, and written as that one is.
fn add_lines(text: &str, table: &Spans, new: &Table, edits: &mut Edits) {
    let entries = table.entries();
    let ends = entries.iter().flat_map(|(.., value)| value.all()).map(|part| part.span().end);
    let at = next_line(text, ends.max().unwrap_or(table.span().end));
    let key = entries.last().map_or(table.span().start, |(_, key, _)| key.start);
    let indent = indentation(text, key);
    let before = match entries.last() {
        Some((_, key, _)) => text.get(line_start(text, key.start)..key.start).unwrap_or_default(),
        None => indent,
    };
    let mut lines = String::new();
    if !text.get(..at).unwrap_or_default().ends_with('\n') {
        lines.push('\n');
    }
    for entry in &new.0 {
        lines.push_str(&comments(&entry.comment, Language::Toml, indent));
        lines.push_str(&format!("{before}{}\n", pair(entry)));
    }
    edits.insert(at, lines);
}

/// New keys in a table between brackets, where no comment can be: it stands above the statement.
fn add_within_braces(text: &str, root: &Spans, path: &[&str], table: &Spans, new: &Table, edits: &mut Edits) {
    let pairs = new.0.iter().map(pair).collect::<Vec<_>>().join(", ");
    let ends = table.entries().into_iter().flat_map(|(.., value)| value.all()).map(|part| part.span().end);
    match ends.max() {
        Some(end) => edits.insert(end, format!(", {pairs}")),
        None => edits.replace(table.span().clone(), format!("{{ {pairs} }}")),
    }
    let above = above(text, root, path);
    let mut lines = Vec::new();
    new.0.iter().for_each(|entry| all_comments(entry, &mut lines));
    let lines = without_those_above(text, above, "#", &lines);
    edits.insert(above, comments(&lines, Language::Toml, indentation(text, above)));
}

fn pair(entry: &Entry) -> String {
    format!("{} = {}", toml_key(&entry.key), one_value(&entry.value, Language::Toml))
}

fn all_comments(entry: &Entry, lines: &mut Vec<String>) {
    lines.extend(entry.comment.iter().cloned());
    match &entry.value {
        Value::Table(table) => table.0.iter().for_each(|entry| all_comments(entry, lines)),
        Value::Tables(tables) => tables.iter().flat_map(|table| &table.0).for_each(|entry| all_comments(entry, lines)),
        _ => {}
    }
}
