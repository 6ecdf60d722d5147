//! The imported tables in a wrangler file that is there. Nothing that somebody wrote is lost: `access` and `routes` stay, and a value of
//! `cors` becomes another one only if that is asked for.

use access_relay_core::config::keys::relay::{ACCESS, CORS, ROUTES};
use access_relay_core::syntax::redact::redacted_line;
use access_relay_core::syntax::text::quoted;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check;
use crate::document::{Entry, Language, Table, Value as Written, one_value};
use crate::edit::file::Editor;
use crate::findings::{Finding, Findings, LineStarts, one_line};
use crate::import::moved::Moved;
use crate::spans::Spans;
use crate::wrangler;

/// The file, and what may be done with it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Target {
    /// Its name, which says whether it is TOML or JSON.
    pub file: String,
    /// What is in it.
    pub text: String,
    /// The environment that is meant; else the top of the file.
    pub environment: Option<String>,
    /// Whether imported values may take the place of others.
    pub overwrite: bool,
}

/// What becomes of it.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// The whole file, if it is to be written.
    pub text: Option<String>,
    /// What is in it now, and what was not put there.
    pub told: Vec<String>,
    /// Why nothing is to be written.
    pub refused: Vec<String>,
    /// What `check` finds in the result.
    #[serde(skip)]
    pub findings: Findings,
    /// The text that was checked, if there is one.
    #[serde(skip)]
    pub checked: Option<String>,
}

/// Puts what was moved into a file.
///
/// # Errors
/// The file cannot be read, or has no such environment.
pub fn write(moved: &Moved, target: &Target) -> Result<Outcome, Vec<String>> {
    let Target { file, text, environment, overwrite } = target;
    let body = wrangler::body(text);
    let mark = text.len() - body.len();
    let before = check::environment(file, text, None);
    if let Some(finding) = before.mistakes.iter().find(|finding| UNREADABLE.contains(&finding.code.as_str())) {
        return Err(vec![told(file, finding)]);
    }
    let value = wrangler::read(file, body).map_err(|finding| vec![told(file, &finding)])?;
    let Some(editor) = Editor::of(file, body, &value) else {
        return Err(vec![clean(&format!("{file}: found nothing in it"))]);
    };
    let mut path: Vec<&str> = Vec::new();
    if let Some(name) = environment {
        if !value.get("env").and_then(|all| all.get(name)).is_some_and(Value::is_object) {
            return Err(vec![clean(&format!("{file}: found no environment {}; name one that is there", quoted(name)))]);
        }
        path.extend(["env", name]);
    }
    path.extend(["vars", "RELAY"]);
    let mut writer =
        Writer { editor, lines: LineStarts::of(body), language: Language::of(file), path, outcome: Outcome::default() };
    writer.put(&value, moved, *overwrite);
    let rest = match path_in(&value, &writer.path) {
        Some(_) => Vec::new(),
        None => [ACCESS, ROUTES].map(|key| writer.name(key.name)).to_vec(),
    };
    let Writer { editor, mut outcome, .. } = writer;
    if outcome.refused.is_empty() && editor.is_unchanged() {
        outcome.findings = before;
        outcome.checked = Some(text.clone());
    } else if outcome.refused.is_empty() {
        match editor.finish(file) {
            Some(new) => {
                settle(&mut outcome, file, format!("{}{new}", text.get(..mark).unwrap_or_default()), &before, &rest)
            }
            None => outcome
                .refused
                .push("the tables cannot be put there; copy what import prints without --write".to_owned()),
        }
    }
    outcome.told = outcome.told.iter().map(|line| clean(line)).collect();
    outcome.refused = outcome.refused.iter().map(|line| clean(line)).collect();
    Ok(outcome)
}

/// What nobody can put anything into.
const UNREADABLE: [&str; 3] = ["wrangler::too_long", "wrangler::syntax", "wrangler::repeated_key"];

fn told(file: &str, finding: &Finding) -> String {
    let place =
        finding.place.map(|place| format!("{}:{}: ", place.line, place.column)).unwrap_or_else(|| " ".to_owned());
    clean(&format!("{file}:{place}{finding}"))
}

/// On one line, without secrets; the tags of `access.audience` may show.
fn clean(line: &str) -> String {
    one_line(&redacted_line(line, []))
}

/// The result is written if `check` finds nothing wrong in it that was not wrong before. A file without `RELAY` still misses the rest.
fn settle(outcome: &mut Outcome, file: &str, new: String, before: &Findings, rest: &[String]) {
    let findings = check::text(file, &new);
    let is_new = |finding: &Finding| {
        let is_same = |other: &Finding| (&other.code, &other.path) == (&finding.code, &finding.path);
        !before.mistakes.iter().any(is_same) && (before.mistakes.is_empty() || !rest.contains(&finding.path))
    };
    if findings.mistakes.iter().any(is_new) {
        outcome.refused.push("the result would not pass `access-relay check`".to_owned());
        outcome.told.clear();
    } else {
        outcome.text = Some(new.clone());
    }
    outcome.findings = findings;
    outcome.checked = Some(new);
}

fn path_in<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |here, key| here.get(key))
}

struct Writer<'t> {
    editor: Editor<'t>,
    lines: LineStarts<'t>,
    language: Language,
    /// Where `RELAY` stands.
    path: Vec<&'t str>,
    outcome: Outcome,
}

impl Writer<'_> {
    fn put(&mut self, file: &Value, moved: &Moved, overwrite: bool) {
        if moved.relay.0.is_empty() {
            self.outcome.refused.push("there is nothing to write: the notes say why".to_owned());
            return;
        }
        let mut here = file;
        for (index, key) in self.path.iter().enumerate() {
            let Some(value) = here.get(key) else { break };
            if !value.is_object() {
                let path = self.path.get(..=index).unwrap_or_default().join(".");
                self.outcome.refused.push(format!("{path}{} is no table; make it one first", self.line_of(&path)));
                return;
            }
            here = value;
        }
        let path = self.path.clone();
        let relay = path_in(file, &path);
        let mut new = Table::default();
        for entry in &moved.relay.0 {
            match (relay.and_then(|relay| relay.get(&entry.key)), &entry.value) {
                (None, _) => new.0.push(entry.clone()),
                (Some(there), _) if *there == Value::from(&entry.value) => {}
                (Some(there), Written::Table(cors)) if entry.key == CORS.name => {
                    self.over(there, cors, entry, &moved.head, overwrite);
                }
                (Some(_), value) => self.stays(&entry.key, value),
            }
        }
        if let Some(first) = new.0.first_mut() {
            first.comment.splice(0..0, moved.head.iter().cloned());
        }
        if !new.0.is_empty() {
            for entry in &new.0 {
                self.outcome.told.push(format!("put in: {}", self.name(&entry.key)));
            }
            self.editor.add(&path, &new);
        }
        if self.editor.is_unchanged() && self.outcome.refused.is_empty() {
            self.outcome.told.push("nothing was written: the file says all of it".to_owned());
        }
    }

    /// A policy that is there already.
    fn over(&mut self, there: &Value, cors: &Table, entry: &Entry, head: &[String], overwrite: bool) {
        let Value::Object(there) = there else {
            let name = self.name(&entry.key);
            self.outcome.refused.push(format!("{name}{} is no table; make it one first", self.line_of(&name)));
            return;
        };
        let of = |entry: &Entry| there.get(&entry.key).map(|value| *value == Value::from(&entry.value));
        let others: Vec<&Entry> = cors.0.iter().filter(|entry| of(entry) == Some(false)).collect();
        let missing = Table(cors.0.iter().filter(|entry| of(entry).is_none()).cloned().collect());
        if others.is_empty() && missing.0.is_empty() {
            return;
        }
        if !overwrite {
            let name = self.name(&entry.key);
            let of_each = there.keys().map(|key| format!("{key}{}", self.line_of(&format!("{name}.{key}"))));
            let each = of_each.collect::<Vec<_>>().join(", ");
            let what = if each.is_empty() { String::new() } else { format!(" with {each}") };
            self.outcome.refused.push(format!(
                "{name}{} is there already{what}; with --overwrite, the imported values take the place of those",
                self.line_of(&name)
            ));
            return;
        }
        let path: Vec<&str> = self.path.iter().copied().chain([CORS.name]).collect();
        let remarks: Vec<String> = head.iter().chain(&entry.comment).cloned().collect();
        self.editor.comment(&path, &remarks);
        for entry in others {
            let path: Vec<&str> = path.iter().copied().chain([entry.key.as_str()]).collect();
            self.editor.comment(&path, &entry.comment);
            self.editor.set(&path, &entry.value);
            let name = path.join(".");
            let old = there.get(&entry.key).map(Value::to_string).unwrap_or_default();
            let new = one_value(&entry.value, self.language);
            self.outcome.told.push(format!("changed: {name}{} was {old}, and is {new}", self.line_of(&name)));
        }
        for entry in &missing.0 {
            self.outcome.told.push(format!("put in: {}.{}", path.join("."), entry.key));
        }
        if !missing.0.is_empty() {
            self.editor.add(&path, &missing);
        }
        let known = |key: &String| cors.0.iter().any(|entry| entry.key == *key);
        for key in there.keys().filter(|key| !known(key)) {
            let name = format!("{}.{key}", path.join("."));
            self.outcome
                .told
                .push(format!("stays: {name}{}, of which the imported policy says nothing", self.line_of(&name)));
        }
    }

    /// A table of somebody's own.
    fn stays(&mut self, key: &str, value: &Written) {
        let name = self.name(key);
        let values = match value {
            Written::Table(table) => table.0.as_slice(),
            Written::Tables(tables) => tables.first().map(|table| table.0.as_slice()).unwrap_or_default(),
            _ => &[],
        };
        let shown = |entry: &Entry| format!("{} = {}", entry.key, one_value(&entry.value, Language::Toml));
        let values = values.iter().map(shown).collect::<Vec<_>>().join(", ");
        self.outcome.told.push(format!("stays: {name}{}; not put in: {values}", self.line_of(&name)));
    }

    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.path.join("."))
    }

    /// Where something stands, in brackets.
    fn line_of(&self, path: &str) -> String {
        let span = Spans::find(self.editor.spans(), path);
        span.map(|span| format!(" (line {})", self.lines.place(&span).line)).unwrap_or_default()
    }
}
