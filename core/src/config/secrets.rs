//! The secrets: which ones a table asks for. Pure.

use serde_json::Value;

use crate::config::keys::routes::{CREDENTIALS, SERVICE_TOKEN};

/// The secrets that were found, by name.
pub type Secrets = Vec<(String, String)>;

/// The names of the secrets that a configuration asks for, as far as it can be read; for loading them before
/// [`parse`](crate::config::parse::parse).
#[must_use]
pub fn secret_names(relay: &Value) -> Vec<String> {
    let routes = relay.get("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for route in routes {
        let credentials = route.get(CREDENTIALS.name);
        if credentials.is_some_and(|credentials| credentials.as_str() != Some(CREDENTIALS.default_text())) {
            continue;
        }
        let prefix = route.get(SERVICE_TOKEN.name).and_then(Value::as_str).unwrap_or(SERVICE_TOKEN.default_text());
        let first = format!("{prefix}_CLIENT_ID");
        if !names.contains(&first) {
            names.push(first);
            names.push(format!("{prefix}_CLIENT_SECRET"));
        }
    }
    names
}
