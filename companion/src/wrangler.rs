//! The text of a wrangler file, read: TOML or JSONC, by its name.

use std::ops::Range;

use access_relay_core::syntax::json;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::findings::Finding;

/// Reads a file as wrangler does: what is named `.json` or `.jsonc` is JSON with comments, and anything else TOML.
///
/// # Errors
/// Why it cannot be read, and where.
pub fn read(file: &str, text: &str) -> Result<Value, Box<Finding>> {
    if is_json(file) { from_jsonc(text) } else { from_toml(text) }
}

/// A text without a byte order mark, which is no part of either language, and which editors leave.
#[must_use]
pub fn body(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Whether a file of this name is JSON.
#[must_use]
pub fn is_json(file: &str) -> bool {
    let name = file.to_ascii_lowercase();
    name.ends_with(".json") || name.ends_with(".jsonc")
}

fn from_toml(text: &str) -> Result<Value, Box<Finding>> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let found = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        not_read(found, error.span().unwrap_or_default())
    })
}

/// What wrangler takes for JSON (its own reader allows comments and trailing commas), and no more.
pub const JSONC: jsonc_parser::ParseOptions = jsonc_parser::ParseOptions {
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

fn from_jsonc(text: &str) -> Result<Value, Box<Finding>> {
    let Noted(value, repeated) = jsonc_parser::parse_to_serde_value(text, &JSONC).map_err(|error| {
        let range = error.range();
        not_read(format!("not valid JSON: {}", error.kind()), range.start..range.end)
    })?;
    match repeated.first() {
        None => Ok(value),
        Some(path) => {
            let help = "leave one of the two out: only the last one counts";
            Err(Box::new(Finding::new("wrangler::repeated_key", path.as_str(), "found the same key once more", help)))
        }
    }
}

fn not_read(found: String, span: Range<usize>) -> Box<Finding> {
    let help = "mend it: wrangler cannot read this file either";
    Box::new(Finding { span: Some(span), ..Finding::new("wrangler::syntax", "", found, help) })
}

/// A value, and which keys of it stand twice.
struct Noted(Value, Vec<String>);

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        json::read_from(reader).map(|(value, repeated)| Self(value, repeated))
    }
}
