//! The two addresses that a relay stands between, and what to ask of them from outside.

use access_relay_core::rules::upstream::{Upstream, parse_server};
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme, without_default_port};
use access_relay_core::syntax::path::Prefix;
use access_relay_core::syntax::text::quoted;
use serde::{Deserialize, Serialize};

/// What somebody says of a project, as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    /// The page's address.
    pub page: String,
    /// The API's address.
    pub api: String,
    /// The relay's path on the page's host.
    pub path: String,
    /// Whether the API's own paths lack it.
    pub strip_prefix: bool,
    /// The team's address, if it is said.
    pub issuer: Option<String>,
    /// The AUD tag, if it is said.
    pub audience: Option<String>,
}

/// The two addresses that a relay stands between.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The page's origin.
    pub page: Origin,
    /// The page's own path.
    page_path: String,
    /// The API.
    pub api: Upstream,
    /// The relay's path on the page's host.
    pub path: Prefix,
    /// Whether the API's own paths lack it.
    strip_prefix: bool,
}

/// Something to ask, without any credential and without following a redirect: a `HEAD` with the header that asks Access for its
/// signed word, and a `GET`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// What it is the address of.
    pub place: Place,
    /// The address.
    pub url: String,
}

/// What an address is that of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The page.
    Page,
    /// The relay's path on the page's host.
    Path,
    /// Something below that path.
    Below,
    /// The API.
    Api,
}

impl Addresses {
    /// Reads both addresses as people write them.
    ///
    /// # Errors
    /// Everything that is wrong with them, and what to write instead.
    pub fn parse(said: &Said) -> Result<Self, Vec<String>> {
        let Said { page, api, path, strip_prefix, .. } = said;
        let mut errors = Vec::new();
        let mut keep = |name: &str, text: &str, error: String| {
            // A user's name and password may stand there, or a token.
            let (shown, hidden) = text.split_at(text.find(['?', '#']).map_or(text.len(), |at| at + 1));
            let found = match (text.contains('@'), hidden) {
                (true, _) => "an address with a user's name (not shown)".to_owned(),
                (_, "") => quoted(shown),
                _ => format!("{} and more (not shown)", quoted(shown)),
            };
            errors.push(format!("{name}: found {found}; {error}"));
        };
        let page_url = address(page).map_err(|error| keep("PAGE_URL", page, error)).ok();
        let api_url = address(api).map_err(|error| keep("API_URL", api, error)).ok();
        let upstream = api_url.and_then(|(origin, path)| {
            let text = [origin.as_str(), &path].concat();
            Upstream::parse(&text).map_err(|error| keep("API_URL", api, error)).ok()
        });
        let prefix = Prefix::parse(path).map_err(|error| keep("--path", path, error.to_owned())).ok();
        if let (Some((page, _)), Some(upstream)) = (&page_url, &upstream)
            && *page == upstream.origin
        {
            let error = "name the API's own host: calls to the page's host are same-origin already, and the relay would call itself";
            keep("API_URL", api, error.to_owned());
        }
        match (page_url, upstream, prefix) {
            (Some((page, page_path)), Some(api), Some(path)) if errors.is_empty() => {
                Ok(Self { page, page_path, api, path, strip_prefix: *strip_prefix })
            }
            _ => Err(errors),
        }
    }

    /// The API, as `routes[].upstream` has it.
    #[must_use]
    pub fn upstream(&self) -> String {
        [self.api.origin.as_str(), &self.api.base_path].concat()
    }

    /// What to ask.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        let at = |place, origin: &Origin, path: &str| Ask { place, url: [origin.as_str(), path].concat() };
        let path = self.path.as_str().trim_end_matches('/');
        let mut asks = vec![at(Place::Page, &self.page, &self.page_path)];
        if !path.is_empty() {
            asks.push(at(Place::Path, &self.page, path));
        }
        // Whatever is below: an application may cover a path, and not what is below it, or the other way round.
        let below = [path, "/access-relay-init"].concat();
        asks.push(at(Place::Below, &self.page, &below));
        // Where the relay will call.
        let called = if self.strip_prefix { "/access-relay-init" } else { &below };
        asks.push(at(Place::Api, &self.api.origin, &[self.api.base_path.as_str(), called].concat()));
        asks
    }
}

/// An address as people write it: an origin, and a path that begins with `/`.
///
/// # Errors
/// It is none, and what to write.
pub fn address(text: &str) -> Result<(Origin, String), String> {
    let text = text.trim();
    let (scheme, rest) = split_scheme(text).unwrap_or(("", text));
    let (authority, rest) = split_authority(rest);
    if rest.contains(['?', '#']) {
        return Err("leave out what follows ? or #".to_owned());
    }
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let here = || Origin::parse(&format!("http://{}", without_default_port(&authority, "http")));
    let scheme = match scheme.as_str() {
        "" if here().is_ok_and(|origin| origin.is_loopback()) => "http",
        "" => "https",
        scheme => scheme,
    };
    let origin = parse_server(&format!("{scheme}://{}", without_default_port(&authority, scheme)))?;
    let path = if rest.is_empty() { "/" } else { rest };
    Ok((origin, path.to_owned()))
}
