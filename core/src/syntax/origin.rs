//! Web origins, parsed as strictly as browsers write them.
//!
//! An origin in the configuration is compared byte by byte with what a browser sends, so anything that a browser
//! would never send (an upper-case host, a default port, a trailing slash) is a mistake that would silently never
//! match. The parser refuses it and says why. Source: Fetch standard, "`Origin` header"; HTML standard,
//! "serialization of an origin"; URL standard, "host serializing".

use std::fmt;

use crate::syntax::text::{is_lower_hex, split_before};

/// A tuple origin: scheme, host and, where it is not the scheme's default, port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The serialization, byte for byte as browsers send it.
    text: String,
    /// Where the host begins and ends within `text`.
    host: std::ops::Range<usize>,
}

/// Why a text is not an origin. `Display` says what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginError {
    /// There is no `scheme://`.
    NoScheme,
    /// The scheme is not lower-case letters, digits, `+`, `-` and `.`.
    BadScheme,
    /// A slip in writing `http` or `https`, or a scheme that no page's origin has.
    NotAPagesScheme,
    /// `file` origins are opaque: browsers send `null` for them.
    FileScheme,
    /// Something follows the host and port: a path, a query, a fragment, a trailing slash.
    NotOnlyAnOrigin,
    /// `user@` stands before the host.
    UserInfo,
    /// The host is empty, or a label of it is.
    EmptyHost,
    /// The host has upper-case letters; browsers send it lower-case.
    UpperCaseHost,
    /// The host holds a character that no browser sends; Unicode names travel as Punycode.
    BadHost,
    /// The host ends with a dot.
    TrailingDot,
    /// An IP address, but not in the one spelling that browsers send.
    BadAddress,
    /// The port is not a number from 1 to 65535 without leading zeros.
    BadPort,
    /// The port is the scheme's default, which browsers leave out.
    DefaultPort,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "begin it with https://",
            Self::BadScheme => "write the scheme in lower case, as in https://",
            Self::NotAPagesScheme => "write https:// or http://",
            Self::FileScheme => {
                "pages opened from files have no origin of their own (they send \"null\"); serve the page over \
                 http://localhost instead"
            }
            Self::NotOnlyAnOrigin => {
                "leave out everything after the host and port: no path, query, fragment or trailing slash"
            }
            Self::UserInfo => "leave out the user name and password before the host",
            Self::EmptyHost => "name a host without empty labels",
            Self::UpperCaseHost => "write the host in lower case, as browsers send it",
            Self::BadHost => "write a plain host name; a name in another script goes in its Punycode form (xn--...)",
            Self::TrailingDot => "leave out the dot at the end of the host",
            Self::BadAddress => "write the IP address in its canonical form, as browsers send it",
            Self::BadPort => "write the port as a number from 1 to 65535, without leading zeros",
            Self::DefaultPort => "leave out the port: it is the scheme's default, and browsers do not send it",
        })
    }
}

impl Origin {
    /// Parses one serialized origin.
    ///
    /// # Errors
    /// The first way in which `text` differs from what a browser would send.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = split_scheme(text).ok_or(OriginError::NoScheme)?;
        check_scheme(scheme)?;
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(OriginError::NotOnlyAnOrigin);
        }
        if authority.contains('@') {
            return Err(OriginError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        check_host(host)?;
        if let Some(port) = port {
            check_port(scheme, port)?;
        }
        let start = scheme.len() + "://".len();
        Ok(Self { text: text.to_owned(), host: start..start + host.len() })
    }

    /// The serialization, as in `https://app.example.com:8443`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme, as in `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        split_scheme(&self.text).map_or("", |(scheme, _)| scheme)
    }

    /// The host without the port; an IPv6 address in its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.text.get(self.host.clone()).unwrap_or_default()
    }

    /// The port with its colon; empty where it is the scheme's default.
    #[must_use]
    pub fn port(&self) -> &str {
        self.text.get(self.host.end..).unwrap_or_default()
    }

    /// Whether the host is an IP address.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.host().starts_with('[') || is_canonical_ipv4(self.host())
    }

    /// Whether the host is this very machine: `localhost`, a name below it, or a loopback address.
    /// Source: RFC 6761 §6.3; Secure Contexts, "potentially trustworthy origin".
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || (is_canonical_ipv4(host) && host.starts_with("127."))
    }
}

/// The scheme of a URL or a serialized origin, and what follows its `://`.
#[must_use]
pub fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// Host and port of a serialized origin or URL, as they would stand in a `Host` header; no validation.
#[must_use]
pub fn authority_of(url: &str) -> &str {
    let after_scheme = split_scheme(url).map_or("", |(_, rest)| rest);
    split_authority(after_scheme).0
}

/// Host and port as an origin has them: without the port where it is the scheme's default (URL standard, "default port").
#[must_use]
pub fn without_default_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let default = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(default).unwrap_or(authority)
}

/// Splits what follows a URL's `://` after host and port.
#[must_use]
pub fn split_authority(after_scheme: &str) -> (&str, &str) {
    split_before(after_scheme, |b| matches!(b, b'/' | b'?' | b'#' | b'\\'))
}

fn check_scheme(scheme: &str) -> Result<(), OriginError> {
    let starts_well = scheme.starts_with(|c: char| c.is_ascii_lowercase());
    let rest_is_fine = scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
    match scheme {
        _ if !starts_well || !rest_is_fine => Err(OriginError::BadScheme),
        "file" => Err(OriginError::FileScheme),
        "http" | "https" => Ok(()),
        "about" | "blob" | "data" | "ftp" | "javascript" | "ws" | "wss" => Err(OriginError::NotAPagesScheme),
        _ if scheme.bytes().all(|b| b"htps".contains(&b)) => Err(OriginError::NotAPagesScheme),
        _ => Ok(()),
    }
}

/// Splits `host:port`; the colons of a bracketed IPv6 address are its own.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), OriginError> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(OriginError::BadAddress)?;
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(OriginError::BadAddress),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn check_host(host: &str) -> Result<(), OriginError> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if is_canonical_ipv6(address) { Ok(()) } else { Err(OriginError::BadAddress) };
    }
    if host.is_empty() {
        return Err(OriginError::EmptyHost);
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(OriginError::UpperCaseHost);
    }
    if host.len() > 1 && host.ends_with('.') {
        return Err(OriginError::TrailingDot);
    }
    if !host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b)) {
        return Err(OriginError::BadHost);
    }
    if host.len() > 253 || host.split('.').any(|label| label.len() > 63) {
        return Err(OriginError::BadHost);
    }
    if host.split('.').any(str::is_empty) {
        return Err(OriginError::EmptyHost);
    }
    // URL standard, "ends in a number checker": such a host is an IPv4 address or nothing.
    let last_label = host.rsplit('.').next().unwrap_or_default();
    let ends_in_a_number = last_label.bytes().all(|b| b.is_ascii_digit())
        || last_label.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if ends_in_a_number && !is_canonical_ipv4(host) {
        return Err(OriginError::BadAddress);
    }
    Ok(())
}

/// Four decimal numbers up to 255, without leading zeros. By hand, like the check below: the standard library's parser
/// and formatter of addresses weigh more in the Worker than the rest of this module; a test holds the two together.
fn is_canonical_ipv4(host: &str) -> bool {
    let is_octet = |octet: &str| {
        octet.bytes().all(|b| b.is_ascii_digit())
            && match octet.len() {
                1 => true,
                2 => !octet.starts_with('0'),
                3 => !octet.starts_with('0') && octet <= "255",
                _ => false,
            }
    };
    host.split('.').count() == 4 && host.split('.').all(is_octet)
}

/// Groups of lower-case hexadecimal digits without leading zeros, the first longest run of zeros, two or more,
/// written `::` (URL standard, "IPv6 serializer"; RFC 5952 §4).
fn is_canonical_ipv6(address: &str) -> bool {
    let (head, tail) = match address.as_bytes().windows(2).position(|pair| pair == b"::") {
        Some(at) => (address.get(..at).unwrap_or_default(), address.get(at + 2..)),
        None => (address, None),
    };
    let (Some((head_groups, head_run)), Some((tail_groups, tail_run))) =
        (groups(head), groups(tail.unwrap_or_default()))
    else {
        return false;
    };
    let Some(tail) = tail else {
        return head_groups == 8 && head_run < 2;
    };
    let written = head_groups + tail_groups;
    let touches_a_zero = head == "0" || head.ends_with(":0") || tail == "0" || tail.starts_with("0:");
    written <= 6 && !touches_a_zero && head_run < 8 - written && tail_run <= 8 - written
}

/// How many groups there are, and how long the longest run of zeros among them is; `None` if one is not canonical.
fn groups(text: &str) -> Option<(usize, usize)> {
    let (mut count, mut run, mut longest) = (0, 0, 0);
    for group in text.split(':').filter(|_| !text.is_empty()) {
        if !is_lower_hex(group) || !(1..=4).contains(&group.len()) || (group.len() > 1 && group.starts_with('0')) {
            return None;
        }
        run = if group == "0" { run + 1 } else { 0 };
        longest = longest.max(run);
        count += 1;
    }
    Some((count, longest))
}

fn check_port(scheme: &str, port: &str) -> Result<(), OriginError> {
    let well_formed = !port.is_empty() && !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    let number: u16 =
        if well_formed { port.parse().map_err(|_| OriginError::BadPort)? } else { return Err(OriginError::BadPort) };
    match (scheme, number) {
        ("http", 80) | ("https", 443) => Err(OriginError::DefaultPort),
        _ => Ok(()),
    }
}
