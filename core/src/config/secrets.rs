//! The secrets and the bindings that a table asks for.

use serde_json::Value;

use crate::config::error::ConfigError;
use crate::config::keys::relay::ROUTES;
use crate::config::keys::routes::{BINDING, CREDENTIALS, SERVICE_TOKEN};
use crate::syntax::redact::looks_secret;
use crate::syntax::text::quoted;

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

/// Whether a text can be the name of a binding: wrangler makes a variable of it. A secret that was put in its place is none.
#[must_use]
pub fn is_binding_name(text: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphabetic() || letter == b'_';
    let starts_well = text.bytes().next().is_some_and(is_letter);
    starts_well && text.bytes().all(|letter| is_letter(letter) || letter.is_ascii_digit()) && !looks_secret(text)
}

/// The bindings that the routes name, each with the route's place, as far as can be read; for finding them before
/// [`parse`](crate::config::parse::parse), which refuses what can be no name.
#[must_use]
pub fn binding_names(relay: &Value) -> Vec<(usize, &str)> {
    let routes = relay.get(ROUTES.name).and_then(Value::as_array).into_iter().flatten().enumerate();
    let named = routes.filter_map(|(place, route)| Some((place, route.get(BINDING.name)?.as_str()?)));
    named.filter(|(_, name)| is_binding_name(name)).collect()
}

/// What is wrong with a binding that a route names: there is none, or there is one that cannot fetch.
#[must_use]
pub fn no_fetcher(place: usize, name: &str, is_there: bool) -> ConfigError {
    let found = if is_there { "a binding that cannot fetch" } else { "no binding of that name" };
    ConfigError {
        path: format!("{}[{place}].{}", ROUTES.name, BINDING.name),
        found: format!("{}, and {found}", quoted(name)),
        expected: format!("bind a service, a VPC service or a client certificate in the wrangler file, as {name}"),
    }
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
