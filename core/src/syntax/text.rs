//! Small things done to texts, and lists in order.

/// A text up to the first ASCII byte that is one of those, and from there on. On bytes: several times cheaper than on
/// characters.
#[must_use]
pub fn split_before(text: &str, ends: impl Fn(u8) -> bool) -> (&str, &str) {
    let at = text.bytes().position(ends).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// A value for the log or an error message: quoted, escaped, and cut where nobody would read on.
#[must_use]
pub fn quoted(value: &str) -> String {
    let mut short: String = value.chars().take(100).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    // As JSON has it: Rust's own way brings tables of all that can be printed, for a message that travels as JSON anyway.
    serde_json::to_string(&short).unwrap_or_default()
}

/// Whether a text still has what somebody is to fill in: `<team>`.
#[must_use]
pub fn has_placeholder(text: &str) -> bool {
    text.split_once('<').is_some_and(|(_, rest)| rest.contains('>'))
}

/// Where a part, which is not empty, stands in a text, in whatever case.
pub fn places_ignoring_case<'a>(text: &'a str, part: &'a str) -> impl Iterator<Item = usize> {
    let windows = text.as_bytes().windows(part.len().max(1)).enumerate();
    windows.filter(|(_, window)| window.eq_ignore_ascii_case(part.as_bytes())).map(|(place, _)| place)
}

/// Whether a text holds a part, which is not empty, in whatever case.
#[must_use]
pub fn contains_ignoring_case(text: &str, part: &str) -> bool {
    places_ignoring_case(text, part).next().is_some()
}

/// Whether a byte is a letter of base64url (RFC 4648 §5).
#[must_use]
pub const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Whether a text has nothing but hexadecimal digits, in lower case.
#[must_use]
pub fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Appends bytes as hexadecimal digits in lower case.
pub fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' - 10 + half });
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
}

/// The items in order. By insertion: lists of a configuration are short, and the standard library's sort weighs 4 KB in
/// the Worker for each type.
#[must_use]
pub fn sorted<T: Ord>(items: Vec<T>) -> Vec<T> {
    let mut sorted = Vec::with_capacity(items.len());
    for item in items {
        sorted.insert(sorted.partition_point(|other| *other < item), item);
    }
    sorted
}
