//! A request out of a recording of a browser's: an entry of a HAR file.

use access_relay_core::flow::denial::access_denial;
use access_relay_core::syntax::text::quoted;
use chrono::DateTime;

use crate::explain::address::normalized;
use crate::explain::request::{Recorded, Request};
use crate::findings::one_line;
use crate::har::file::{Entry, Har, decoded};
use crate::shown;

/// So many entries are listed, if none is named.
const LISTED: usize = 200;

/// The request of an entry, of which the first is 1; if the recording has only one, none has to be named.
///
/// # Errors
/// The bytes are no HAR; or it is not clear which entry is meant: then each is listed.
pub fn request(bytes: &[u8], entry: Option<usize>) -> Result<Request, Vec<String>> {
    let text = decoded(bytes);
    let har = Har::read(&text).map_err(|error| vec![format!("--har: {error}")])?;
    let entries = &har.log.entries;
    let place = match (entry, entries.len()) {
        (None, 1) => 1,
        (Some(place), _) => place,
        (None, _) => return Err(listed("--entry: the recording has several; write the number of one:", entries)),
    };
    let found = place.checked_sub(1).and_then(|place| entries.get(place));
    found.map(read).ok_or_else(|| listed(&format!("--entry: found no entry {place}; write one of these:"), entries))
}

fn read(entry: &Entry) -> Request {
    let status = entry.response.status();
    let sign = entry.response.headers().answered(status, access_denial);
    Request {
        method: entry.request.method(),
        url: normalized(&entry.request.url(), false),
        headers: entry.request.headers(),
        at: DateTime::parse_from_rfc3339(&entry.started()).ok().map(|time| time.timestamp()),
        recorded: Some(Recorded { status, access: sign.map(|sign| shown::clean(&sign)) }),
    }
}

/// A line, and one for each entry. Of a URL, nothing after its path is shown.
fn listed(line: &str, entries: &[Entry]) -> Vec<String> {
    let rows = entries.iter().take(LISTED).enumerate().map(|(place, entry)| {
        let (method, url) =
            (entry.request.method(), shown::url(entry.request.url().split(['?', '#']).next().unwrap_or_default()));
        one_line(&format!("{:>4}  {method} {} {}", place + 1, entry.response.status(), quoted(&url).trim_matches('"')))
    });
    let mut lines: Vec<String> = std::iter::once(line.to_owned()).chain(rows).collect();
    if entries.len() > LISTED {
        lines.push(format!("  and {} more", entries.len() - LISTED));
    }
    lines
}
