//! What stands within the values of headers among other things: URLs, and challenges. Pure.

use std::ops::Range;

/// A `Link` (RFC 8288 §3) with each of its URLs as `back` has it, targets and `anchor`s; `None` where all can stand.
#[must_use]
pub fn in_link(value: &str, back: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut urls = Vec::new();
    let (mut at, mut parameter) = (0, 0);
    while let Some(byte) = value.as_bytes().get(at) {
        match byte {
            b'<' => {
                let end = at + value.get(at..)?.find('>')?;
                urls.push(at + 1..end);
                at = end;
            }
            b'"' => {
                let end = end_of_quotes(value, at);
                let name = value.get(parameter..at)?.trim_end().strip_suffix('=').unwrap_or_default();
                if name.trim().eq_ignore_ascii_case("anchor") {
                    urls.push(at + 1..end);
                }
                (at, parameter) = (end, end);
            }
            b';' | b',' => parameter = at + 1,
            _ => {}
        }
        at += 1;
    }
    replaced(value, urls, back)
}

/// A `Refresh` (HTML, "shared declarative refresh steps") with its URL as `back` has it; `None` where it can stand.
#[must_use]
pub fn in_refresh(value: &str, back: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_space = |c: char| matches!(c, ' ' | '\t');
    let after_time = value.trim_start_matches(is_space).trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = after_time.trim_start_matches(is_space).trim_start_matches([';', ',']).trim_start_matches(is_space);
    let named = rest.get(..3).filter(|name| name.eq_ignore_ascii_case("url")).and_then(|_| rest.get(3..));
    let url = named.and_then(|rest| rest.trim_start_matches(is_space).strip_prefix('='));
    let url = url.map_or(rest, |url| url.trim_start_matches(is_space));
    let quote = url.chars().next().filter(|c| matches!(c, '"' | '\''));
    let url = url.strip_prefix(['"', '\'']).unwrap_or(url);
    let start = value.len() - url.len();
    let end = quote.and_then(|quote| url.find(quote)).unwrap_or(url.trim_end().len());
    replaced(value, std::iter::once(start..start + end), back)
}

/// The challenges of a `WWW-Authenticate`, several lines joined among them (RFC 9110 §11.6.1): each from its scheme on.
pub fn challenges(value: &str) -> impl Iterator<Item = &str> {
    let mut starts = Vec::new();
    let (mut at, mut element) = (0, 0);
    loop {
        match value.as_bytes().get(at) {
            Some(b'"') => at = end_of_quotes(value, at),
            Some(b',') | None => {
                // What has `=` right behind its first word is a parameter of the challenge before.
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
fn end_of_quotes(text: &str, at: usize) -> usize {
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

/// A text with its URLs as `back` has them; `None` where all can stand.
fn replaced(
    text: &str,
    urls: impl IntoIterator<Item = Range<usize>>,
    back: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let (mut replaced, mut from) = (String::new(), 0);
    for Range { start, end } in urls {
        let Some(url) = back(text.get(start..end)?.trim()) else { continue };
        replaced.push_str(text.get(from..start)?);
        replaced.push_str(&url);
        from = end;
    }
    (from > 0).then(|| replaced + text.get(from..).unwrap_or_default())
}
