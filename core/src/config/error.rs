//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong with the configuration, or that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, as in `routes[1].upstream`.
    pub path: String,
    /// What was found there. Never a secret.
    pub found: String,
    /// What to write instead.
    pub expected: String,
}

/// What to write where a placeholder was left (`text::has_placeholder`).
pub const FILL_IN: &str = "write your own value in place of what stands in angle brackets";

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; {}", self.path, self.found, self.expected)
    }
}

/// A path without the places in its lists: `routes[1].cors` is written `[vars.RELAY.routes.cors]` in TOML.
#[must_use]
pub fn without_indices(path: &str) -> String {
    path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}
