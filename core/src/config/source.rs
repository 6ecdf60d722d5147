//! `RELAY` as a JSON text, in which no key may stand twice.

use serde_json::Value;

use crate::config::error::ConfigError;
use crate::syntax::json;

/// Reads the table. A second `access` at the end of a long text would open the API to anybody, and nobody would see it.
///
/// # Errors
/// That it is no JSON, or every key that stands there once more.
pub fn from_text(text: &[u8]) -> Result<Value, Vec<ConfigError>> {
    match json::read(text) {
        Err(error) => Err(vec![ConfigError {
            path: "RELAY".to_owned(),
            found: format!("a text that is no JSON (line {}, column {})", error.line(), error.column()),
            expected: "write the table [vars.RELAY] in wrangler.toml".to_owned(),
        }]),
        Ok((value, repeated)) if repeated.is_empty() => Ok(value),
        Ok((_, repeated)) => Err(repeated.into_iter().map(once_more).collect()),
    }
}

fn once_more(path: String) -> ConfigError {
    ConfigError {
        path,
        found: "the same key once more".to_owned(),
        expected: "leave one of the two out: it is not clear which counts".to_owned(),
    }
}
