//! The secrets: which ones a table asks for.

use serde_json::Value;

use crate::config::keys::relay::ROUTES;
use crate::config::keys::routes::{BINDING, CREDENTIALS, SERVICE_TOKEN};

/// The secrets that were found, by name.
pub type Secrets = Vec<(String, String)>;

/// How the name of a Client ID ends.
const CLIENT_ID: &str = "_CLIENT_ID";

/// The names of a service token's Client ID and of its Client Secret.
#[must_use]
pub fn names_of(prefix: &str) -> [String; 2] {
    [CLIENT_ID, "_CLIENT_SECRET"].map(|end| [prefix, end].concat())
}

/// Whether the secret of this name is a Client ID, which opens nothing by itself.
#[must_use]
pub fn is_client_id(name: &str) -> bool {
    name.ends_with(CLIENT_ID)
}

/// The bindings that the routes name, each with the route's place, as far as can be read.
#[must_use]
pub fn binding_names(relay: &Value) -> Vec<(usize, &str)> {
    let routes = relay.get(ROUTES.name).and_then(Value::as_array).into_iter().flatten().enumerate();
    routes.filter_map(|(place, route)| Some((place, route.get(BINDING.name)?.as_str()?))).collect()
}

/// The names of the secrets that a configuration asks for, as far as it can be read; for loading them before
/// [`parse`](crate::config::parse::parse).
#[must_use]
pub fn secret_names(relay: &Value) -> Vec<String> {
    let routes = relay.get(ROUTES.name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for route in routes {
        let credentials = route.get(CREDENTIALS.name);
        if credentials.is_some_and(|credentials| credentials.as_str() != Some(CREDENTIALS.default_text())) {
            continue;
        }
        let prefix = route.get(SERVICE_TOKEN.name).and_then(Value::as_str).unwrap_or(SERVICE_TOKEN.default_text());
        let [id, secret] = names_of(prefix);
        if !names.contains(&id) {
            names.extend([id, secret]);
        }
    }
    names
}
