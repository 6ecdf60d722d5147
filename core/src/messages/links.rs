//! URLs that stand within the values of headers, among other things.

use std::ops::Range;

use crate::syntax::field::end_of_quotes;

/// Rewrites each URL of a `Link` (RFC 8288 §3), targets and `anchor`s, by `back`. `None`: nothing changed.
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

/// Rewrites the URL of a `Refresh` (HTML, "shared declarative refresh steps") by `back`. `None`: nothing changed.
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

/// Rewrites the URLs at these places of a text by `back`. `None`: nothing changed.
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
