//! The text of a wrangler file, read: TOML or JSONC, by its name.

use access_relay_core::syntax::json;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a file as wrangler does: what is named `.json` or `.jsonc` is JSON with comments, and anything else TOML.
///
/// # Errors
/// Why it cannot be read, and where: without the line itself, which may hold a secret.
pub fn read(file: &str, text: &str) -> Result<Value, String> {
    // A byte order mark is no part of either language's text, and editors leave one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json(file) { from_jsonc(text) } else { from_toml(text) }
}

/// Whether a file of this name is JSON.
#[must_use]
pub fn is_json(file: &str) -> bool {
    let name = file.to_ascii_lowercase();
    name.ends_with(".json") || name.ends_with(".jsonc")
}

fn from_toml(text: &str) -> Result<Value, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        format!("{}: not valid TOML: {}", place(text, at), error.message().replace('\n', ", "))
    })
}

/// What wrangler takes for JSON (its own reader allows comments and trailing commas), and no more.
fn from_jsonc(text: &str) -> Result<Value, String> {
    let options = jsonc_parser::ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let Noted(value, repeated) = jsonc_parser::parse_to_serde_value(text, &options)
        .map_err(|error| format!("{}: not valid JSON: {}", place(text, error.range().start), error.kind()))?;
    match repeated.first() {
        None => Ok(value),
        Some(path) => {
            Err(format!("{path}: found the same key once more; leave one of the two out: only the last one counts"))
        }
    }
}

/// A value, and which keys of it stand twice.
struct Noted(Value, Vec<String>);

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        json::read_from(reader).map(|(value, repeated)| Self(value, repeated))
    }
}

fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
