//! Where a route leads, and the URL that the API is asked for.
//!
//! The URL is put together from the configured origin and a path that always begins with `/`, so nothing in the path can
//! change the host.

use crate::syntax::origin::{Origin, split_authority, split_scheme};
use crate::syntax::path::check_configured;
use crate::syntax::target::Target;

/// Where a route leads: an origin and a base path without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Scheme, host and port of the API.
    pub origin: Origin,
    /// What every path at the API begins with; empty, or `/like/this`.
    pub base_path: String,
}

impl Upstream {
    /// Checks an upstream from the configuration: an origin, optionally with a base path.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_as(text, parse_server)
    }

    /// The same of an API behind a binding: what the URL's scheme says crosses no public network.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse_bound(text: &str) -> Result<Self, String> {
        Self::parse_as(text, |origin| {
            let origin = Origin::parse(origin).map_err(|error| error.to_string())?;
            if matches!(origin.scheme(), "http" | "https") {
                Ok(origin)
            } else {
                Err("write https:// or http://".to_owned())
            }
        })
    }

    fn parse_as(text: &str, parse_origin: fn(&str) -> Result<Origin, String>) -> Result<Self, String> {
        let after_scheme = split_scheme(text).map_or("", |(_, rest)| rest);
        let (_, path) = split_authority(after_scheme);
        let origin = text.strip_suffix(path).unwrap_or(text);
        let origin = parse_origin(origin)?;
        let base_path = path.strip_suffix('/').unwrap_or(path);
        if !base_path.is_empty() {
            check_configured(base_path)?;
        }
        Ok(Self { origin, base_path: base_path.to_owned() })
    }
}

/// An origin to which credentials may be sent: `https`, or `http` on this very machine.
///
/// # Errors
/// What to write instead.
pub fn parse_server(text: &str) -> Result<Origin, String> {
    let origin = Origin::parse(text).map_err(|error| error.to_string())?;
    match origin.scheme() {
        "https" => Ok(origin),
        "http" if origin.is_loopback() => Ok(origin),
        "http" => Err("use https: plain http is for loopback hosts (localhost, 127.0.0.1, [::1]) only".to_owned()),
        _ => Err("use https, as in https://api.example.com".to_owned()),
    }
}

/// The URL at the API for `target`: origin, base path, path, query. `rest` is the path without the route's prefix.
#[must_use]
pub fn upstream_url(upstream: &Upstream, target: Target, rest: &str, strip_prefix: bool) -> String {
    let path = if strip_prefix { rest } else { target.path };
    let slash = if path.is_empty() && upstream.base_path.is_empty() { "/" } else { "" };
    [upstream.origin.as_str(), &upstream.base_path, slash, path, target.query].concat()
}
