//! From the Worker's bindings to a configuration: the table `RELAY` and the secrets that it names.

use std::cell::Cell;

use access_relay_core::config::error::ConfigError;
use access_relay_core::config::keys::relay::{DEBUG, HEALTH_PATH};
use access_relay_core::config::parse::parse;
use access_relay_core::config::secrets::{Secrets, binding_names, no_fetcher, secret_names};
use access_relay_core::config::source::from_text;
use access_relay_core::config::suffix::well_known;
use access_relay_core::config::types::Config;
use access_relay_core::rules::route::Route;
use access_relay_core::syntax::redact::redacted;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::Env;
use worker::js_sys::{JSON, Promise, Reflect};
use worker::wasm_bindgen_futures::JsFuture;

use crate::border;

#[wasm_bindgen]
extern "C" {
    /// A binding of the Secrets Store: a stub, whose properties are functions to `typeof` but not to `instanceof`, so
    /// its method has to be called as one.
    type StoredSecret;

    #[wasm_bindgen(method, structural, catch)]
    fn get(this: &StoredSecret) -> Result<JsValue, JsValue>;
}

/// A configuration that can serve.
pub struct Settings {
    /// What the relay does.
    pub config: Config,
    /// What the routes' bindings are, by name: each has a method `fetch`.
    bindings: Vec<(String, JsValue)>,
    /// Whether a secret came from a Secrets Store, where it may change while the isolate lives.
    pub from_store: bool,
    /// Whether the log has still to say what looks wrong with it.
    pub untold: Cell<bool>,
}

impl Settings {
    /// What a route's calls go through: its binding, or `undefined`.
    pub fn through(&self, route: &Route) -> JsValue {
        let name = route.binding.as_deref();
        let found = name.and_then(|name| self.bindings.iter().find(|(known, _)| known == name));
        found.map_or(JsValue::UNDEFINED, |(_, binding)| binding.clone())
    }

    /// What looks wrong with the configuration, once.
    pub fn tell(&self) -> impl Iterator<Item = String> {
        let warnings = if self.untold.take() { self.config.warnings.as_slice() } else { &[] };
        warnings.iter().map(|warning| format!("configuration: {warning}"))
    }
}

/// A configuration that cannot serve.
pub struct Unsound {
    /// Everything that is wrong with it.
    pub errors: Vec<ConfigError>,
    /// Whether it asks for `debug`, so that the answer may say what is wrong.
    pub debug: bool,
    /// Where a monitor would ask.
    pub health_path: Option<String>,
}

impl Unsound {
    /// Everything that is wrong, a line each.
    pub fn reasons(&self) -> Vec<String> {
        self.errors.iter().map(ToString::to_string).collect()
    }
}

/// Reads the bindings.
pub async fn load(env: &Env) -> Result<Settings, Unsound> {
    let (relay, mut errors) = match relay_table(env) {
        Ok(relay) => (relay, Vec::new()),
        Err(errors) => return Err(Unsound { errors, debug: false, health_path: None }),
    };
    let mut secrets = Secrets::new();
    let mut from_store = false;
    for name in secret_names(&relay) {
        match secret(env, &name).await {
            Ok(None) => {}
            Ok(Some((value, stored))) => {
                from_store |= stored;
                secrets.push((name, value));
            }
            Err(error) => errors.push(error),
        }
    }
    let mut bindings = Vec::new();
    for (place, name) in binding_names(&relay) {
        let found = binding(env, name);
        let fetch = Reflect::get(&found, &JsValue::from_str("fetch")).unwrap_or_default();
        if fetch.is_function() {
            bindings.push((name.to_owned(), found));
        } else {
            errors.push(no_fetcher(place, name, !found.is_undefined()));
        }
    }
    let debug = relay.get(DEBUG.name) == Some(&Value::Bool(true));
    let health_path = relay.get(HEALTH_PATH.name).and_then(Value::as_str).map(str::to_owned);
    match parse(&relay, &secrets, well_known) {
        Ok(config) if errors.is_empty() => Ok(Settings { config, bindings, from_store, untold: Cell::new(true) }),
        Ok(_) => Err(Unsound { errors, debug, health_path }),
        Err(more) => {
            // A secret that could not be read is not one that was never set.
            let unread: Vec<String> = errors.iter().map(|error| error.path.clone()).collect();
            errors.extend(more.into_iter().filter(|error| !unread.contains(&error.path)));
            Err(Unsound { errors, debug, health_path })
        }
    }
}

/// `RELAY`: a table (`[vars.RELAY]`, or a JSON variable of the dashboard), or the same as a JSON text.
fn relay_table(env: &Env) -> Result<Value, Vec<ConfigError>> {
    let binding = binding(env, "RELAY");
    if binding.is_undefined() || binding.is_null() {
        return Ok(Value::Null);
    }
    let text = binding.as_string().or_else(|| JSON::stringify(&binding).ok().and_then(|text| text.as_string()));
    from_text(text.unwrap_or_default().as_bytes())
}

/// A secret's value, and whether a store holds it: a string (`wrangler secret put`), or what a Secrets Store binding's
/// `get()` resolves to.
async fn secret(env: &Env, name: &str) -> Result<Option<(String, bool)>, ConfigError> {
    let binding = binding(env, name);
    if let Some(text) = binding.as_string() {
        return Ok(Some((text, false)));
    }
    if !binding.is_object() {
        return Ok(None);
    }
    let unreadable = |found: String| ConfigError {
        path: name.to_owned(),
        found,
        expected: "make it a secret (`wrangler secret put`) or a Secrets Store binding".to_owned(),
    };
    let get = Reflect::get(&binding, &JsValue::from_str("get")).unwrap_or_default();
    if !get.is_function() {
        return Err(unreadable("a binding that is no secret".to_owned()));
    }
    let value = async {
        let promise = Promise::resolve(&binding.unchecked_ref::<StoredSecret>().get()?);
        // What waits for it must end, even where the caller goes away: else it stays in memory for good.
        drop(border::keep_alive(&promise));
        JsFuture::from(promise).await
    };
    match value.await {
        Ok(value) => Ok(value.as_string().map(|text| (text, true))),
        // A store's message is nobody's here: it may hold anything.
        Err(error) => {
            let message = border::message(&error);
            Err(unreadable(format!("a Secrets Store binding that fails ({})", redacted(&message, []))))
        }
    }
}

fn binding(env: &Env, name: &str) -> JsValue {
    Reflect::get(env, &JsValue::from_str(name)).unwrap_or_default()
}
