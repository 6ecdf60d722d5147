//! What the values of header fields are made of (RFC 9110 §5.5, §5.6): tokens, lists, quoted strings, challenges.

/// Names that a `Connection` header makes hop-by-hop (RFC 9110 §7.6.1), in lower case.
#[must_use]
pub fn connection_options(connection: &str) -> Vec<String> {
    connection.split(',').map(|option| option.trim().to_ascii_lowercase()).filter(|option| is_token(option)).collect()
}

/// Whether a comma-separated list of tokens, as in `Upgrade` or `Vary`, holds `token`, in whatever case.
#[must_use]
pub fn lists(header: &str, token: &str) -> bool {
    header.split(',').any(|element| element.trim().eq_ignore_ascii_case(token))
}

/// Whether `text` is a `token` (RFC 9110 §5.6.2): what a method or a header name is made of.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether `text` can travel as a header's value unchanged: visible ASCII, with spaces only inside (RFC 9110 §5.5).
#[must_use]
pub fn is_plain_value(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The challenges of a `WWW-Authenticate`, several lines joined among them (RFC 9110 §11.6.1): each from its scheme on.
pub fn challenges(value: &str) -> impl Iterator<Item = &str> {
    let mut starts = Vec::new();
    let (mut at, mut element) = (0, 0);
    loop {
        match value.as_bytes().get(at) {
            Some(b'"') => at = end_of_quotes(value, at),
            Some(b',') | None => {
                // If `=` follows the first word, the element is a parameter of the previous challenge.
                let text = value.get(element..at.min(value.len())).unwrap_or_default();
                let after = text.trim().trim_start_matches(|c: char| !matches!(c, ' ' | '\t' | '='));
                if !text.trim().is_empty() && !after.trim_start().starts_with('=') {
                    starts.push(element);
                }
                if at >= value.len() {
                    break;
                }
                element = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([value.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| Some(value.get(start..end)?.trim()))
}

/// A parameter of a challenge (RFC 9110 §11.2), without its quotes.
#[must_use]
pub fn parameter<'a>(challenge: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, parameters) = challenge.trim().split_once([' ', '\t'])?;
    elements(parameters).find_map(|element| {
        let (name, value) = element.split_once('=')?;
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        name.trim().eq_ignore_ascii_case(wanted).then_some(unquoted.unwrap_or(value))
    })
}

/// The elements of a list, separated by commas outside of quotes (RFC 9110 §5.6.1).
pub fn elements(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            match byte {
                b',' => break,
                b'"' => at = end_of_quotes(text, at),
                _ => {}
            }
            at += 1;
        }
        let element = text.get(..at).unwrap_or(text);
        rest = text.get(at + 1..);
        Some(element.trim())
    })
}

/// Where a quoted string ends that begins at `at`: at its second quote, or with the text (RFC 9110 §5.6.4).
#[must_use]
pub fn end_of_quotes(text: &str, at: usize) -> usize {
    let mut escaped = false;
    let inner = text.bytes().enumerate().skip(at + 1);
    for (place, byte) in inner {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place,
            _ => {}
        }
    }
    text.len()
}
