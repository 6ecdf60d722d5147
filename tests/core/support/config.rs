//! Configurations: the smallest one, changes to it, and what is said of one that is wrong.

use access_relay_core::config::error::ConfigError;
use access_relay_core::config::secrets::Secrets;
use access_relay_core::config::suffix::well_known;
use access_relay_core::config::types::Config;
use access_relay_core::rules::cors::Policy;
use serde_json::{Value, json};

pub const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
pub const ISSUER: &str = "https://acme.cloudflareaccess.com";

/// What looks like a secret of Access: one of the older form, and one of the newer.
pub const HEX: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
pub const PREFIXED: &str = "cfast_0123456789abcdefGHIJ";

/// The smallest configuration that serves.
pub fn minimal() -> Value {
    json!({
        "access": { "issuer": ISSUER, "audience": [AUD] },
        "routes": [{ "path": "/api", "upstream": "https://api.example.com" }],
    })
}

/// `minimal()`, changed.
pub fn relay(change: impl FnOnce(&mut Value)) -> Value {
    let mut value = minimal();
    change(&mut value);
    value
}

/// `minimal()`, open to anybody.
pub fn open() -> Value {
    relay(|value| value["access"] = json!({ "dangerously_allow_anyone": true }))
}

/// `minimal()` with another value at a JSON pointer, whose last part may be a key that is not there yet.
pub fn set(pointer: &str, new: Value) -> Value {
    relay(|value| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = new,
            table => table[key] = new,
        }
    })
}

/// Secrets of the default name.
pub fn secrets() -> Secrets {
    secrets_of("0123.access", "s3cr3t-value")
}

/// Secrets of the default name, with these values.
pub fn secrets_of(id: &str, secret: &str) -> Secrets {
    let secrets = [("CF_ACCESS_CLIENT_ID", id), ("CF_ACCESS_CLIENT_SECRET", secret)];
    secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// Reads a table as the Worker does.
pub fn parse(value: &Value, secrets: &Secrets) -> Result<Config, Vec<ConfigError>> {
    access_relay_core::config::parse::parse(value, secrets, well_known)
}

pub fn parsed(value: &Value) -> Config {
    parse(value, &secrets()).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// What is said of a table that is wrong, a text for each mistake; nothing of one that serves.
pub fn errors(value: &Value) -> Vec<String> {
    errors_with(value, &secrets())
}

/// The same, with these secrets.
pub fn errors_with(value: &Value, secrets: &Secrets) -> Vec<String> {
    parse(value, secrets).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The policy that a table `cors` becomes, where no caller is checked.
pub fn cors_policy(value: Value) -> Policy {
    let mut relay = open();
    relay["cors"] = value;
    Policy::clone(&parsed(&relay).cors)
}
