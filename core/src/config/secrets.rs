//! The secrets: which ones a table asks for. Pure.

use serde_json::Value;

/// The secrets that were found, by name.
pub type Secrets = Vec<(String, String)>;

/// The secrets' names begin with this where a route says nothing.
pub const DEFAULT_SERVICE_TOKEN: &str = "CF_ACCESS";

/// The names of the secrets that a configuration asks for, as far as it can be read; for loading them before
/// [`parse`](crate::config::parse::parse).
#[must_use]
pub fn secret_names(relay: &Value) -> Vec<String> {
    let routes = relay.get("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for route in routes {
        if route.get("credentials").is_some_and(|credentials| credentials.as_str() != Some("service-token")) {
            continue;
        }
        let prefix = route.get("service_token").and_then(Value::as_str).unwrap_or(DEFAULT_SERVICE_TOKEN);
        let first = format!("{prefix}_CLIENT_ID");
        if !names.contains(&first) {
            names.push(first);
            names.push(format!("{prefix}_CLIENT_SECRET"));
        }
    }
    names
}
