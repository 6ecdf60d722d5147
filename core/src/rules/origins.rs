//! The origins that a policy lists: exact ones, and patterns over hosts and ports.
//!
//! A pattern is never matched against text. What a browser sent is parsed first, by the same parser that reads the
//! configuration, so that `https://a.com,https://x.example.com` or an upper-case host never looks like a suffix.

use crate::messages::name::Name;
use crate::syntax::origin::{Origin, split_scheme};
use crate::syntax::text::sorted;

/// Origins, looked up in the logarithm of their number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    /// Sorted, byte for byte as browsers send them.
    exact: Vec<String>,
    /// Sorted by what the host has to be, or to end with.
    patterns: Vec<Pattern>,
}

/// `https://*.example.com`, `https://example.com:*`, or both at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The host; with a dot before it where it stands for all of its subdomains and not for itself.
    host: String,
    scheme: String,
    /// As it follows the host: empty, or `:8443`; `None` for any.
    port: Option<String>,
}

impl Pattern {
    /// Parses a pattern from the configuration.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, authority) = split_scheme(text).ok_or("begin it with https://, as in https://*.example.com")?;
        let (any_port, authority) = strip(authority, str::strip_suffix, ":*");
        let (subdomains, authority) = strip(authority, str::strip_prefix, "*.");
        if authority.contains('*') || scheme.contains('*') {
            let expected = "let * stand for the first labels of the host (https://*.example.com) or for the whole port \
                            (https://example.com:*), nowhere else";
            return Err(expected.to_owned());
        }
        let base = Origin::parse(&format!("{scheme}://{authority}")).map_err(|error| error.to_string())?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err("name the origins one by one: patterns are for https and http".to_owned());
        }
        if subdomains && base.is_address() {
            return Err("leave out the *: an IP address has no subdomains".to_owned());
        }
        if any_port && !base.port().is_empty() {
            return Err("leave out the port, or write * in its place".to_owned());
        }
        let host = if subdomains { format!(".{}", base.host()) } else { base.host().to_owned() };
        let port = (!any_port).then(|| base.port().to_owned());
        Ok(Self { host, scheme: base.scheme().to_owned(), port })
    }

    /// The host whose subdomains it stands for, where it does.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.host.strip_prefix('.')
    }

    /// Whether it stands for origins that send in plain text over a network.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        let host = self.parent().unwrap_or(&self.host);
        self.scheme == "http" && !Origin::parse(&format!("http://{host}")).is_ok_and(|origin| origin.is_loopback())
    }

    fn covers(&self, origin: &Origin) -> bool {
        self.scheme == origin.scheme() && self.port.as_deref().is_none_or(|port| port == origin.port())
    }
}

fn strip<'a>(
    text: &'a str,
    strip: impl Fn(&'a str, &'static str) -> Option<&'a str>,
    what: &'static str,
) -> (bool, &'a str) {
    strip(text, what).map_or((false, text), |rest| (true, rest))
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let star = if self.parent().is_some() { "*" } else { "" };
        write!(f, "{}://{star}{}{}", self.scheme, self.host, self.port.as_deref().unwrap_or(":*"))
    }
}

impl Origins {
    /// Puts the list in order.
    #[must_use]
    pub fn new(exact: Vec<String>, patterns: Vec<Pattern>) -> Self {
        Self { exact: sorted(exact), patterns: sorted(patterns) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// Whether the list has this origin, as a browser sent it. `null`, lists and junk never are: no such thing can be
    /// configured, and none is an origin with a host.
    #[must_use]
    pub fn contain(&self, sent: &str) -> bool {
        if sent.len() > Name::Origin.longest() {
            return false;
        }
        if self.exact.binary_search_by(|listed| listed.as_str().cmp(sent)).is_ok() {
            return true;
        }
        if self.patterns.is_empty() {
            return false;
        }
        let Ok(origin) = Origin::parse(sent) else { return false };
        // The host itself, then everything that it ends with from a dot on: `.b.example.com`, `.example.com`, `.com`.
        let host = origin.host();
        let ends = host.match_indices('.').filter_map(|(dot, _)| host.get(dot..));
        std::iter::once(host).chain(ends).any(|end| {
            let start = self.patterns.partition_point(|pattern| pattern.host.as_str() < end);
            let same_host =
                self.patterns.get(start..).unwrap_or_default().iter().take_while(|pattern| pattern.host == end);
            same_host.into_iter().any(|pattern| pattern.covers(&origin))
        })
    }

    /// All of them, as they were configured.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.exact.iter().cloned().chain(self.patterns.iter().map(ToString::to_string))
    }
}
