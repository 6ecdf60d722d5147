//! An address as a browser sends it, and as the Worker gets it. Source: URL standard, "URL parsing" and "URL serializing", for addresses by
//! http, https, ws and wss.

use access_relay_core::syntax::origin::{split_authority, split_scheme, without_default_port};

/// What dot segments look like, in lower case.
const HERE: [&str; 2] = [".", "%2e"];
const UP: [&str; 4] = ["..", "%2e.", ".%2e", "%2e%2e"];

/// The address, normalized: scheme and host in lower case, no user's name, no default port, no fragment; and, unless it is `as_is`, no dot
/// segment. One that cannot be read stays as it is.
#[must_use]
pub fn normalized(address: &str, as_is: bool) -> String {
    let address: String = address.trim().chars().filter(|letter| !matches!(letter, '\t' | '\n' | '\r')).collect();
    let Some((scheme, rest)) = split_scheme(&address) else { return address };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        // A WebSocket begins as a request (RFC 6455 §3).
        "ws" => "http".to_owned(),
        "wss" => "https".to_owned(),
        other => other.to_owned(),
    };
    if !matches!(scheme.as_str(), "http" | "https") {
        return address;
    }
    let (authority, rest) = split_authority(rest);
    let host = authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let host = without_default_port(&host, &scheme);
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let path = path.replace('\\', "/");
    let path = if as_is { path } else { without_dots(&path) };
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{host}{slash}{}{}", encoded(&path), encoded(query))
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        let lower = segment.to_ascii_lowercase();
        let is_up = UP.contains(&lower.as_str());
        if is_up {
            kept.pop();
        }
        match (is_up || HERE.contains(&lower.as_str()), is_last) {
            (true, true) => kept.push(""),
            (true, false) => {}
            (false, _) => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// What no address holds as it is ("path percent-encode set", "special-query percent-encode set", as far as both have it).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | 0..0x20 | 0x7f.. => encoded.push_str(&format!("%{byte:02X}")),
            byte => encoded.push(char::from(byte)),
        }
    }
    encoded
}

/// A text as a form sends it (curl, `--data-urlencode`): all but letters, digits and `-._~` in percent signs.
#[must_use]
pub fn as_in_form(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
