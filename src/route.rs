//! From the path a caller asks for to the URL the API is asked for, and back again for `Location`. Pure.
//!
//! A Worker sees the request target raw: dot segments, backslashes and absolute forms arrive as they were sent
//! (`docs/how-it-works.md` lists what was seen). The URL for the API is put together from the configured origin and a
//! path that always begins with `/`, so nothing in the path can change the host; what could climb out of the base
//! path, for the URL parser or for an API that decodes the path once, is refused.

use crate::origin::{Origin, authority_of, split_authority, split_before, split_scheme, without_default_port};

/// A path prefix on segment boundaries: `/api` covers `/api` and `/api/x`, never `/apiary`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(String);

/// Where a route leads: an origin and a base path without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Scheme, host and port of the API.
    pub origin: Origin,
    /// What every path at the API begins with; empty, or `/like/this`.
    pub base_path: String,
}

/// What a request's URL says; the path and the query are safe to forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// `https`, unless it says something else.
    pub scheme: &'a str,
    /// The relay's host and port, as the request names them.
    pub authority: &'a str,
    /// Begins with `/`; in the caller's own spelling.
    pub path: &'a str,
    /// With its `?`, or empty.
    pub query: &'a str,
}

impl Prefix {
    /// Checks a prefix from the configuration.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with('/') {
            return Err("start the path with a slash, as in \"/api\"");
        }
        if text == "/" {
            return Ok(Self(String::new()));
        }
        if text.contains('*') {
            return Err("leave out the star: \"/api\" covers \"/api\" and everything below it");
        }
        if text.ends_with('/') {
            return Err("leave out the slash at the end: \"/api\" covers \"/api\" and everything below it");
        }
        check_plain_path(text)?;
        if text == "/cdn-cgi" || text.starts_with("/cdn-cgi/") {
            return Err("choose another path: /cdn-cgi/ belongs to Cloudflare");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }

    /// Its length in bytes, 0 for `/`: of two prefixes that cover a path, the longer one wins.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "every prefix covers something")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What of `path` comes after the prefix (empty, or with its leading `/`), if the prefix covers it. Letters may be
    /// percent-encoded in `path`: RFC 3986 §6.2.2.2 calls both spellings the same, and so will the API.
    #[must_use]
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        if let Some(rest) = path.strip_prefix(self.0.as_str()) {
            return (rest.is_empty() || rest.starts_with('/')).then_some(rest);
        }
        if !path.contains('%') {
            return None;
        }
        let mut rest = path;
        for segment in self.0.split('/').skip(1) {
            rest = rest.strip_prefix('/')?;
            let found = rest.split('/').next()?;
            if decode_once(found.as_bytes()) != segment.as_bytes() {
                return None;
            }
            rest = rest.get(found.len()..)?;
        }
        Some(rest)
    }

    /// Whether the names of a path, read loosely, begin with this prefix's.
    #[must_use]
    pub fn covers(&self, names: &LooseNames) -> bool {
        let wanted = self.0.split('/').skip(1);
        names.climbs
            || wanted.zip(names.names.iter().map(Some).chain(std::iter::repeat(None))).all(|(wanted, name)| {
                let extension = name.and_then(|name| name.get(wanted.len()..));
                let start = name.and_then(|name| name.get(..wanted.len()));
                start.is_some_and(|start| start.eq_ignore_ascii_case(wanted.as_bytes()))
                    && extension.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
            })
    }
}

/// Without a slash at its end: empty for `/`.
impl AsRef<str> for Prefix {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What an API could take the names of a path for, however it is spelled: percent-encoded again and again, in another
/// case, with slashes doubled, turned or encoded, with `;parameters`, an extension, or dots and spaces at the end. Wider
/// than [`Prefix::strip`], and made for rules that close paths: in doubt, a path is taken for one that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseNames {
    names: Vec<Vec<u8>>,
    /// Whether it holds `..` at any depth of encoding: it could be any path then.
    climbs: bool,
}

impl LooseNames {
    /// Reads a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let mut decoded = path.as_bytes().to_vec();
        for _ in 0..4 {
            decoded = decode_once(&decoded);
        }
        let name = |segment: &[u8]| {
            let name = segment.split(|b| matches!(b, b';' | b'?' | b'#' | 0)).next().unwrap_or_default();
            if name == b".." { name.to_vec() } else { trim_end(name).to_vec() }
        };
        let names: Vec<Vec<u8>> = decoded.split(|b| matches!(b, b'/' | b'\\')).map(name).collect();
        let climbs = names.iter().any(|name| name == b"..");
        Self { names: names.into_iter().filter(|name| !name.is_empty()).collect(), climbs }
    }
}

fn trim_end(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|b| !matches!(b, b'.' | b' ')).map_or(0, |last| last + 1);
    name.get(..end).unwrap_or_default()
}

impl Upstream {
    /// Checks an upstream from the configuration: an origin, optionally with a base path.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let after_scheme = split_scheme(text).map_or("", |(_, rest)| rest);
        let (_, path) = split_authority(after_scheme);
        let origin = text.strip_suffix(path).unwrap_or(text);
        let origin = parse_server(origin)?;
        let base_path = path.strip_suffix('/').unwrap_or(path);
        if !base_path.is_empty() {
            check_plain_path(base_path)?;
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

impl<'a> Target<'a> {
    /// Takes a request's URL apart, whatever its host: which API it leads to is not the caller's to choose.
    ///
    /// # Errors
    /// Why the path cannot be forwarded; `bad_path` to the caller.
    pub fn of(url: &'a str) -> Result<Self, &'static str> {
        let (scheme, after_scheme) = split_scheme(url).unwrap_or(("https", url));
        let (authority, from_path) = split_authority(after_scheme);
        let (path, suffix) = split_before(from_path, |b| matches!(b, b'?' | b'#'));
        let (query, _) = split_before(suffix, |b| b == b'#');
        if !path.starts_with('/') {
            return Err("the request target is not a path (RFC 9112 §3.2.1, origin-form)");
        }
        check_climb(path)?;
        Ok(Self { scheme, authority, path, query })
    }
}

/// Whether a path is below `/cdn-cgi`, which Cloudflare answers itself, in whatever spelling.
#[must_use]
pub fn is_cloudflares(path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty());
    // No spelling is shorter.
    first.is_some_and(|segment| segment.len() >= 7 && decode_once(segment.as_bytes()).eq_ignore_ascii_case(b"cdn-cgi"))
}

/// The URL at the API for `target`: origin, base path, path, query. `rest` is the path without the route's prefix.
#[must_use]
pub fn upstream_url(upstream: &Upstream, target: Target, rest: &str, strip_prefix: bool) -> String {
    let path = if strip_prefix { rest } else { target.path };
    let slash = if path.is_empty() && upstream.base_path.is_empty() { "/" } else { "" };
    [upstream.origin.as_str(), &upstream.base_path, slash, path, target.query].concat()
}

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
    /// The API's host counts whatever the scheme, and so does the relay's own, which an API names that believes
    /// `X-Forwarded-Host`; but for its root, which is a page's.
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
            return relayed.filter(|path| is_plain(path)).map(|path| path + suffix);
        }
        None
    }

    /// A path of the API's, as the browser has to ask for it: `None` where the route does not reach it.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<String> {
        let relayed = self.relayed(path);
        // An API that believes `X-Forwarded-Prefix` has said it already; below a base path of its own it cannot have.
        let told = self.strip_prefix && self.prefix.len() > 0;
        let said = told && self.prefix.strip(path).is_some() && is_plain(path);
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
        if !on_boundary || !is_plain(rest) {
            return None;
        }
        let relayed = match self.strip_prefix {
            true => [self.prefix.0.as_str(), rest].concat(),
            false => self.prefix.strip(rest).map(|_| rest.to_owned())?,
        };
        Some(if relayed.is_empty() { "/".to_owned() } else { relayed })
    }
}

/// A path with its dot segments resolved, as browsers do before they ask.
fn without_dots(path: &str) -> String {
    let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    if has_dots { resolved("/", path.strip_prefix('/').unwrap_or(path)) } else { path.to_owned() }
}

/// The scheme of a URL reference, and what follows its colon (RFC 3986 §3.1).
fn split_any_scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then_some((scheme, rest))
}

/// Whether a path is one to a browser too: `//host` would be another host's address.
fn is_plain(path: &str) -> bool {
    check_climb(path).is_ok() && !path.starts_with("//")
}

/// A relative path, resolved against the path that it stands in (RFC 3986 §5.2.3, §5.2.4).
fn resolved(base: &str, reference: &str) -> String {
    let (folder, _) = base.rsplit_once('/').unwrap_or_default();
    let mut segments: Vec<&str> = folder.split('/').skip(1).collect();
    let mut references = reference.split('/').peekable();
    while let Some(segment) = references.next() {
        let dots = matches!(segment, "." | "..");
        if segment == ".." {
            segments.pop();
        }
        match (dots, references.peek()) {
            (false, _) => segments.push(segment),
            // What ends with dots names a folder.
            (true, None) => segments.push(""),
            (true, Some(_)) => {}
        }
    }
    ["/", &segments.join("/")].concat()
}

/// A path of the configuration: what it says must be what every URL parser makes of it.
fn check_plain_path(path: &str) -> Result<(), &'static str> {
    if path.contains(['?', '#']) {
        return Err("leave out the query and the fragment");
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&b);
    if !path.bytes().all(is_plain) {
        return Err("write the path in plain ASCII, without spaces, percent signs or backslashes");
    }
    if path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("leave out empty segments, \".\" and \"..\"");
    }
    Ok(())
}

/// Refuses what could leave the base path, or what parsers read differently.
fn check_climb(path: &str) -> Result<(), &'static str> {
    let holds = |odd: fn(u8) -> bool| path.bytes().any(odd);
    if !holds(|b| b < 0x20 || matches!(b, 0x7f | b'\\' | b'.' | b'%')) {
        return Ok(());
    }
    if holds(|b| b < 0x20 || b == 0x7f) {
        return Err("the path holds a control character");
    }
    if holds(|b| b == b'\\') {
        return Err("the path holds a backslash");
    }
    // The URL parser itself takes `%2e` for a dot, so the dots of both spellings count; `%2f` stays part of a segment.
    if path.split('/').any(|segment| matches!(decode_once(segment.as_bytes()).as_slice(), b"." | b"..")) {
        return Err("the path holds a dot segment");
    }
    // An API that decodes the path before it splits it sees more segments, and some cut a `;parameter` off first.
    let decoded = decode_once(path.as_bytes());
    // Tabs and line breaks are what people write (`encodeURIComponent("a\nb")`), and data to whoever decodes them.
    if decoded.iter().any(|b| (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || *b == 0x7f) {
        return Err("the path holds a percent-encoded control character");
    }
    // A URL parser that reads it once more would leave them out.
    let squeezed: Vec<u8> = decoded.into_iter().filter(|b| *b >= 0x20).collect();
    let climbs = |segment: &[u8]| segment.split(|b| *b == b';').next() == Some(b"..");
    if squeezed.split(|b| matches!(b, b'/' | b'\\')).any(climbs) {
        return Err("the path holds \"..\" behind a percent-encoding");
    }
    Ok(())
}

/// Percent-decodes once; what is not a valid escape stays as it is (URL standard, "percent-decode").
fn decode_once(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let escape = (byte == b'%').then(|| {
            let mut ahead = bytes.clone();
            let (high, low) = (hex_digit(ahead.next()?)?, hex_digit(ahead.next()?)?);
            Some((high << 4 | low, ahead))
        });
        match escape.flatten() {
            Some((value, after)) => {
                decoded.push(value);
                bytes = after;
            }
            None => decoded.push(byte),
        }
    }
    decoded
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
