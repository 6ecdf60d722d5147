//! Where mistakes are gathered: no secret gets into what is told of them.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::Value;

use crate::config::error::ConfigError;
use crate::config::secrets::{Secrets, is_client_id};
use crate::syntax::redact;
use crate::syntax::text::quoted;

/// Where mistakes are gathered. It knows the secrets, and lets none of them through.
#[derive(Debug)]
pub struct Report<'s> {
    secrets: &'s Secrets,
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
}

impl<'s> Report<'s> {
    pub fn new(secrets: &'s Secrets) -> Self {
        Self { secrets, errors: RefCell::default(), warnings: RefCell::default() }
    }

    /// Notes a mistake.
    pub fn add(&self, path: &str, found: &str, expected: &str) {
        let error = self.finding(path, found, expected);
        // A secret that must go is mistake enough for one place.
        if !self.errors.borrow().iter().any(|told| told.found == GIVEN_AWAY && told.path == error.path) {
            self.errors.borrow_mut().push(error);
        }
    }

    /// Notes a secret in plain sight.
    pub fn add_given_away(&self, path: &str) {
        self.add(
            path,
            GIVEN_AWAY,
            "take it out and rotate it: whoever may see the Worker's settings can read RELAY; set the new one with \
             `wrangler secret put`",
        );
    }

    /// Notes what is not wrong, but hardly meant.
    pub fn warn(&self, path: &str, found: &str, expected: &str) {
        let warning = self.finding(path, found, expected);
        self.warnings.borrow_mut().push(warning);
    }

    /// Whether something at `path`, or within it, has been found wrong.
    pub fn has(&self, path: &str) -> bool {
        let path = &*self.redacted(path);
        self.errors.borrow().iter().any(|error| {
            error.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Whether a text of the table tells a secret. A Client ID is none.
    pub fn gives_away(&self, text: &str) -> bool {
        let secrets = self.secrets.iter().filter(|(name, _)| !is_client_id(name));
        redact::gives_away(text, secrets.map(|(_, value)| value.as_str()))
    }

    /// A text of the table for an error, or for a path. Redacted first: a cut could leave half a secret.
    pub fn quoted(&self, text: &str) -> String {
        quoted(&self.redacted(text))
    }

    /// A key as TOML has it: what is no bare key stands in quotes.
    pub fn key(&self, key: &str) -> String {
        let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if bare { key.to_owned() } else { self.quoted(key) }
    }

    /// Errors and warnings.
    pub fn into_findings(self) -> (Vec<ConfigError>, Vec<ConfigError>) {
        (self.errors.into_inner(), self.warnings.into_inner())
    }

    /// Whatever is told goes through here.
    fn finding(&self, path: &str, found: &str, expected: &str) -> ConfigError {
        let [path, found, expected] = [path, found, expected].map(|text| self.redacted(text).into_owned());
        ConfigError { path, found, expected }
    }

    /// A text without secrets.
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // A secret set to its own name is a slip that has to be named.
        let secrets = self.secrets.iter().filter(|(name, value)| name != value);
        redact::redacted(text, secrets.map(|(_, value)| value.as_str()))
    }

    /// What a value is, for an error.
    pub fn kind_and_value(&self, value: &Value) -> String {
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Number(number) => match number.as_i64() {
                Some(number) => format!("the number {number}"),
                None => "a number that is not whole".to_owned(),
            },
            Value::String(text) => format!("the text {}", self.quoted(text)),
            Value::Array(values) => format!("a list of {}", values.len()),
            Value::Object(_) => "a table".to_owned(),
        }
    }
}

const GIVEN_AWAY: &str = "a secret (not shown)";

/// Notes every text and every key of the table that holds a secret: `RELAY` is a plain variable.
pub fn find_given_away(path: &str, value: &Value, report: &Report) {
    match value {
        Value::String(text) if report.gives_away(text) => {
            report.add_given_away(if path.is_empty() { "RELAY" } else { path });
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                find_given_away(&format!("{path}[{index}]"), value, report);
            }
        }
        Value::Object(values) => {
            for (key, value) in values {
                let dot = if path.is_empty() { "" } else { "." };
                let path = [path, dot, &report.key(key)].concat();
                if report.gives_away(key) {
                    report.add_given_away(&path);
                }
                find_given_away(&path, value, report);
            }
        }
        _ => {}
    }
}
