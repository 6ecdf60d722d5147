//! A configuration file with comments, written as TOML or as JSON with comments: one text, told in either language.

use crate::wrangler;

/// The languages that wrangler reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `wrangler.toml`
    Toml,
    /// `wrangler.jsonc`
    Jsonc,
}

impl Language {
    /// That of a file with this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if wrangler::is_json(name) { Self::Jsonc } else { Self::Toml }
    }
}

/// A table: its keys in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table(pub Vec<Entry>);

/// A key, what stands above it, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Lines above it; an empty one is an empty line.
    pub comment: Vec<String>,
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Value,
}

/// What a wrangler file needs of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of small tables, each on a line of its own.
    Rows(Vec<Table>),
    /// A table.
    Table(Table),
    /// A list of tables.
    Tables(Vec<Table>),
}

impl From<&Table> for serde_json::Value {
    fn from(table: &Table) -> Self {
        Self::Object(table.0.iter().map(|entry| (entry.key.clone(), Self::from(&entry.value))).collect())
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::from(text.as_str()),
            Value::Boolean(value) => Self::from(*value),
            Value::Integer(value) => Self::from(*value),
            Value::Texts(texts) => Self::from(texts.as_slice()),
            Value::Table(table) => Self::from(table),
            Value::Rows(tables) | Value::Tables(tables) => Self::Array(tables.iter().map(Self::from).collect()),
        }
    }
}

impl Table {
    /// Adds a key.
    pub fn set(&mut self, comment: &[&str], key: &str, value: Value) {
        let comment = comment.iter().map(|line| (*line).to_owned()).collect();
        self.0.push(Entry { comment, key: key.to_owned(), value });
    }
}

/// The file: `head` above all of it, then the keys.
#[must_use]
pub fn written(head: &[&str], table: &Table, language: Language) -> String {
    let mut text = String::new();
    match language {
        Language::Toml => {
            comment(&mut text, "", "#", head);
            toml(&mut text, table, "");
        }
        Language::Jsonc => {
            comment(&mut text, "", "//", head);
            text.push_str("{\n");
            jsonc(&mut text, table, "  ");
            text.push_str("}\n");
        }
    }
    text
}

/// The keys of a table as they stand between the brackets of a JSON object, without indentation and without a comma at the end.
#[must_use]
pub fn properties(table: &Table) -> String {
    let mut text = String::new();
    jsonc(&mut text, table, "");
    text.truncate(text.trim_end().len());
    text
}

/// A value on one line, but for a list of rows.
#[must_use]
pub fn one_value(value: &Value, language: Language) -> String {
    match value {
        Value::Table(table) => inline(table, language),
        Value::Tables(tables) => {
            format!("[{}]", tables.iter().map(|table| inline(table, language)).collect::<Vec<_>>().join(", "))
        }
        value => plain(value, language, ""),
    }
}

/// A key as TOML has it: in quotes, if it is no bare one.
#[must_use]
pub fn toml_key(key: &str) -> String {
    let is_bare = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(is_bare) { key.to_owned() } else { quoted(key) }
}

/// Lines of comments, each with an end.
#[must_use]
pub fn comments(lines: &[String], language: Language, indent: &str) -> String {
    let mut text = String::new();
    comment(&mut text, indent, if language == Language::Toml { "#" } else { "//" }, lines);
    text
}

fn comment<T: AsRef<str>>(text: &mut String, indent: &str, mark: &str, lines: &[T]) {
    for line in lines.iter().map(AsRef::as_ref) {
        match line {
            "" => text.push('\n'),
            _ => [indent, mark, " ", line, "\n"].iter().for_each(|part| text.push_str(part)),
        }
    }
}

/// TOML §Table: keys with plain values come first, for what follows a table's header belongs to that table.
fn toml(text: &mut String, table: &Table, path: &str) {
    let is_plain = |entry: &&Entry| !matches!(entry.value, Value::Table(_) | Value::Tables(_));
    for entry in table.0.iter().filter(is_plain) {
        comment(text, "", "#", &entry.comment);
        text.push_str(&format!("{} = {}\n", toml_key(&entry.key), plain(&entry.value, Language::Toml, "")));
    }
    for entry in table.0.iter().filter(|entry| !is_plain(entry)) {
        let key = toml_key(&entry.key);
        let path = if path.is_empty() { key } else { format!("{path}.{key}") };
        match &entry.value {
            // What only holds tables needs no header.
            Value::Table(table) if !table.0.iter().any(|entry| is_plain(&entry)) => toml(text, table, &path),
            Value::Table(table) => {
                header(text, &entry.comment, &format!("[{path}]"));
                toml(text, table, &path);
            }
            Value::Tables(tables) => {
                for (index, table) in tables.iter().enumerate() {
                    let above = if index == 0 { entry.comment.as_slice() } else { &[] };
                    header(text, above, &format!("[[{path}]]"));
                    toml(text, table, &path);
                }
            }
            _ => {}
        }
    }
}

fn header(text: &mut String, above: &[String], header: &str) {
    text.push('\n');
    let above: Vec<&String> = above.iter().skip_while(|line| line.is_empty()).collect();
    comment(text, "", "#", &above);
    text.push_str(header);
    text.push('\n');
}

fn jsonc(text: &mut String, table: &Table, indent: &str) {
    let deeper = format!("{indent}  ");
    for (index, entry) in table.0.iter().enumerate() {
        comment(text, indent, "//", &entry.comment);
        let end = if index + 1 == table.0.len() { "\n" } else { ",\n" };
        text.push_str(&format!("{indent}{}: ", quoted(&entry.key)));
        match &entry.value {
            Value::Table(table) => {
                text.push_str("{\n");
                jsonc(text, table, &deeper);
                text.push_str(&format!("{indent}}}"));
            }
            Value::Tables(tables) => {
                text.push_str("[\n");
                for (index, table) in tables.iter().enumerate() {
                    text.push_str(&format!("{deeper}{{\n"));
                    jsonc(text, table, &format!("{deeper}  "));
                    text.push_str(&deeper);
                    text.push_str(if index + 1 == tables.len() { "}\n" } else { "},\n" });
                }
                text.push_str(&format!("{indent}]"));
            }
            value => text.push_str(&plain(value, Language::Jsonc, indent)),
        }
        text.push_str(end);
    }
}

/// A value that stands by itself.
fn plain(value: &Value, language: Language, indent: &str) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Texts(texts) => format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")),
        Value::Rows(rows) => {
            let rows: Vec<String> = rows.iter().map(|row| format!("{indent}  {}", inline(row, language))).collect();
            format!("[\n{}\n{indent}]", rows.join(",\n"))
        }
        Value::Table(_) | Value::Tables(_) => String::new(),
    }
}

fn inline(table: &Table, language: Language) -> String {
    let pair = |entry: &Entry| {
        let value = one_value(&entry.value, language);
        match language {
            Language::Toml => format!("{} = {value}", toml_key(&entry.key)),
            Language::Jsonc => format!("{}: {value}", quoted(&entry.key)),
        }
    };
    format!("{{ {} }}", table.0.iter().map(pair).collect::<Vec<_>>().join(", "))
}

/// A text in quotes. What JSON escapes, TOML escapes in the same way (its basic strings); TOML wants DEL escaped, too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
