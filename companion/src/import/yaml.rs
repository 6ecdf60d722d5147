//! YAML: the values of each document, as much as a policy can need of them.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::import::term::Term;

/// The documents of a text.
///
/// # Errors
/// It cannot be read, and where; or it is more than anybody writes.
pub fn documents(text: &str) -> Result<Vec<Term>, String> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            let template =
                if text.contains("{{") { "; fill in what stands in {{ }} first, as `helm template` does" } else { "" };
            // Without the line itself, which may hold a secret.
            format!("line {}, column {}: not valid YAML: {}{template}", mark.line(), mark.col() + 1, error.info())
        })?;
        reader.take(event).map_err(|what| format!("line {}: {what}", span.start.line()))?;
    }
    Ok(reader.documents)
}

/// As deep as other files may be; and so many values, those counted that an alias repeats.
const DEEPEST: usize = 100;
const MOST: usize = 50_000;

/// What was read so far.
#[derive(Default)]
struct Reader {
    documents: Vec<Term>,
    /// The lists and tables that are open.
    open: Vec<Open>,
    /// What has an anchor, and how many values are in it.
    anchors: BTreeMap<usize, (Term, usize)>,
    /// The values so far, those counted that an alias repeats.
    count: usize,
    /// The copies that are kept of what has an anchor.
    kept: usize,
}

/// A list or a table that has not ended.
struct Open {
    value: Building,
    anchor: usize,
    /// How many values there were before it.
    before: usize,
}

enum Building {
    List(Vec<Term>),
    /// With the key whose value comes next, and the tables that are merged in.
    Table {
        values: BTreeMap<String, Term>,
        key: Option<Term>,
        merged: Vec<Term>,
    },
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Alias(anchor) => {
                let (term, size) = self.anchors.get(&anchor).cloned().unwrap_or((Term::Null, 1));
                self.counted(size)?;
                self.put(term);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                let term = if is_plain { plain(&text) } else { Term::Text(text.into_owned()) };
                self.counted(1)?;
                self.end(term, anchor, 1)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(Building::List(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => {
                self.begin(Building::Table { values: BTreeMap::new(), key: None, merged: Vec::new() }, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { value, anchor, before }) = self.open.pop() {
                    let size = self.count - before;
                    self.end(ended(value), anchor, size)?;
                }
            }
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, value: Building, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("found lists and tables within each other, more than {DEEPEST} deep"));
        }
        let before = self.count;
        self.counted(1)?;
        self.open.push(Open { value, anchor, before });
        Ok(())
    }

    fn counted(&mut self, more: usize) -> Result<(), String> {
        self.count += more;
        if self.count + self.kept > MOST {
            Err(format!("found more than {MOST} values; write the middleware alone"))
        } else {
            Ok(())
        }
    }

    fn end(&mut self, term: Term, anchor: usize, size: usize) -> Result<(), String> {
        if anchor > 0 {
            self.kept += size;
            self.counted(0)?;
            self.anchors.insert(anchor, (term.clone(), size));
        }
        self.put(term);
        Ok(())
    }

    fn put(&mut self, term: Term) {
        match self.open.last_mut().map(|open| &mut open.value) {
            None => self.documents.push(term),
            Some(Building::List(items)) => items.push(term),
            Some(Building::Table { values, key, merged }) => match key.take() {
                None => *key = Some(term),
                Some(Term::Text(name)) if name == "<<" => match term {
                    Term::List(tables) => merged.extend(tables),
                    table => merged.push(table),
                },
                Some(name) => {
                    values.insert(name_of(name), term);
                }
            },
        }
    }
}

/// A table's own keys count before those that are merged in, and of those, the first.
fn ended(value: Building) -> Term {
    match value {
        Building::List(items) => Term::List(items),
        Building::Table { mut values, merged, .. } => {
            for (key, value) in merged.iter().flat_map(Term::entries) {
                values.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Term::Table(values)
        }
    }
}

fn name_of(key: Term) -> String {
    match key {
        Term::Text(name) => name,
        Term::Boolean(value) => value.to_string(),
        Term::Number(Some(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// YAML 1.2, "core schema", as far as a policy can need it.
fn plain(text: &str) -> Term {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Term::Null,
        "true" | "True" | "TRUE" => Term::Boolean(true),
        "false" | "False" | "FALSE" => Term::Boolean(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => Term::Number(Some(number)),
            (_, Ok(number)) if number.is_finite() => Term::Number(None),
            _ => Term::Text(text.to_owned()),
        },
    }
}
