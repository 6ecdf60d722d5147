//! From a URL that an API's answer names to the one that a browser has to ask for.

use crate::rules::upstream::Upstream;
use crate::syntax::origin::{authority_of, split_authority, without_default_port};
use crate::syntax::path::{Prefix, is_unambiguous, resolved, without_dots};
use crate::syntax::target::Target;
use crate::syntax::text::split_before;

/// The way back: what a browser is told in place of the URLs that an API's answer names.
#[derive(Debug, Clone, Copy)]
pub struct WayBack<'a> {
    /// Where the route leads.
    pub upstream: &'a Upstream,
    /// The route's path.
    pub prefix: &'a Prefix,
    /// Whether the API sees paths without it.
    pub strip_prefix: bool,
    /// What the caller asked for.
    pub target: Target<'a>,
}

impl WayBack<'_> {
    /// A URL of the API's answer, for the browser: the relay's own path for what the route reaches, the API's full URL for
    /// what it does not, and `None` where the value can stand (another host, or a reference that means the same to both).
    ///
    /// The scheme does not matter for the API's host. A URL of the relay's own host counts, too: an API that believes
    /// `X-Forwarded-Host` writes such URLs. The host's root stays, because it is a page.
    #[must_use]
    pub fn url(&self, reference: &str) -> Option<String> {
        // As browsers read it: without tabs, and with slashes for backslashes up to the query (URL standard, "basic URL
        // parser").
        let reference = reference.replace('\t', "");
        let (start, suffix) = split_before(&reference, |b| matches!(b, b'?' | b'#'));
        let start = start.replace('\\', "/");
        let (scheme, rest) = match split_any_scheme(&start) {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, start.as_str()),
        };
        let is_web = scheme.as_deref().is_none_or(|scheme| matches!(scheme, "http" | "https"));
        let Some(after_scheme) = rest.strip_prefix("//").filter(|_| is_web) else {
            // `https:x` is a reference without a host to a page of that scheme, and another host to others.
            let is_relative = scheme.is_none_or(|scheme| scheme == self.target.scheme);
            return is_relative.then(|| self.path_reference(rest, suffix)).flatten();
        };
        let (authority, path) = split_authority(after_scheme);
        let path = if path.is_empty() { "/" } else { path };
        let is = |host: &str, its_scheme: &str| {
            let scheme = scheme.as_deref().unwrap_or(its_scheme);
            without_default_port(authority, scheme).eq_ignore_ascii_case(without_default_port(host, its_scheme))
        };
        if is(authority_of(self.upstream.origin.as_str()), self.upstream.origin.scheme()) {
            return self.relayed(&without_dots(path)).map(|path| path + suffix);
        }
        if is(self.target.authority, self.target.scheme) && path != "/" {
            let path = without_dots(path);
            let relayed = if self.prefix.strip(&path).is_some() { Some(path) } else { self.relayed(&path) };
            return relayed.filter(|path| is_unambiguous(path)).map(|path| path + suffix);
        }
        None
    }

    /// A path of the API's, as the browser has to ask for it: `None` where the route does not reach it.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<String> {
        let relayed = self.relayed(path);
        // An API that believes `X-Forwarded-Prefix` has said it already; below a base path of its own it cannot have.
        let told = self.strip_prefix && self.prefix.len() > 0;
        let said = told && self.prefix.strip(path).is_some() && is_unambiguous(path);
        if said && (relayed.is_none() || self.upstream.base_path.is_empty()) {
            return Some(path.to_owned());
        }
        relayed
    }

    /// A reference without a host (RFC 3986 §4.2): its path, and what follows.
    fn path_reference(&self, path: &str, suffix: &str) -> Option<String> {
        if path.is_empty() {
            return None;
        }
        let at_api = if path.starts_with('/') {
            without_dots(path)
        } else {
            let asked = self.prefix.strip(self.target.path).unwrap_or_default();
            let base = if self.strip_prefix { asked } else { self.target.path };
            let meant = resolved(&[&self.upstream.base_path, base].concat(), path);
            // Most mean the same to both.
            if self.path(&meant).is_some_and(|relayed| relayed == resolved(self.target.path, path)) {
                return None;
            }
            meant
        };
        Some(match self.path(&at_api) {
            Some(relayed) => relayed + suffix,
            None => [self.upstream.origin.as_str(), &at_api, suffix].concat(),
        })
    }

    /// The path at the relay for a path at the API.
    fn relayed(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.upstream.base_path.as_str())?;
        let on_boundary = rest.is_empty() || rest.starts_with('/');
        if !on_boundary || !is_unambiguous(rest) {
            return None;
        }
        let relayed = match self.strip_prefix {
            true => [self.prefix.as_ref(), rest].concat(),
            false => self.prefix.strip(rest).map(|_| rest.to_owned())?,
        };
        Some(if relayed.is_empty() { "/".to_owned() } else { relayed })
    }
}

/// The scheme of a URL reference, and what follows its colon (RFC 3986 §3.1).
fn split_any_scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then_some((scheme, rest))
}
