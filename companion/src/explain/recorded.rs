//! A request out of a recording of a browser's: an entry of a HAR file (HAR 1.2). What is not needed is not kept: no bodies.

use access_relay_core::flow::denial::access_denial;
use access_relay_core::syntax::text::quoted;
use chrono::DateTime;
use serde::Deserialize;

use crate::explain::request::{Recorded, Request};
use crate::explain::shown;
use crate::findings::one_line;
use crate::headers::Headers;
use crate::wrangler;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Har {
    log: Log,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    request: Message,
    response: Message,
}

/// A request or an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    method: String,
    url: String,
    status: f64,
    headers: Vec<Line>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    name: String,
    value: String,
}

/// So many entries are listed, if none is named.
const LISTED: usize = 200;

/// The request of an entry, of which the first is 1; if the recording has only one, none has to be named.
///
/// # Errors
/// The text is no HAR; or it is not clear which entry is meant: then each is listed.
pub fn request(text: &str, entry: Option<usize>) -> Result<Request, Vec<String>> {
    let har: Har = serde_json::from_str(wrangler::body(text)).map_err(|error| {
        vec![format!("--har: found no HAR 1.2 ({error}); save one with \"Export HAR\" of the browser's network panel")]
    })?;
    let entries = har.log.entries;
    let place = match (entry, entries.len()) {
        (_, 0) => return Err(vec!["--har: found no entry in the recording".to_owned()]),
        (None, 1) => 1,
        (Some(place), _) => place,
        (None, _) => return Err(listed("--entry: the recording has several; write the number of one:", &entries)),
    };
    let found = place.checked_sub(1).and_then(|place| entries.get(place));
    found.map(read).ok_or_else(|| listed(&format!("--entry: found no entry {place}; write one of these:"), &entries))
}

fn read(entry: &Entry) -> Request {
    let Message { method, url, headers, .. } = &entry.request;
    let mut lines = Headers::default();
    // HTTP/2 and later have the request line among them, as names that begin with a colon.
    for Line { name, value } in headers.iter().filter(|line| !line.name.starts_with(':')) {
        lines.push(name, value);
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float turns into the nearest number there is"
    )]
    let status = entry.response.status as u16;
    let answer = entry.response.headers.iter().map(|line| (line.name.as_str(), line.value.as_str()));
    let sign = answer.collect::<Headers>().answered(status, access_denial);
    Request {
        method: method.clone(),
        url: url.clone(),
        headers: lines,
        at: DateTime::parse_from_rfc3339(&entry.started_date_time).ok().map(|time| time.timestamp()),
        recorded: Some(Recorded { status, access: sign.map(|sign| shown::clean(&sign)) }),
    }
}

/// A line, and one for each entry. Of a URL, nothing after its path is shown.
fn listed(line: &str, entries: &[Entry]) -> Vec<String> {
    let rows = entries.iter().take(LISTED).enumerate().map(|(place, entry)| {
        let Message { method, url, .. } = &entry.request;
        let url = url.split(['?', '#']).next().unwrap_or_default();
        one_line(&format!("{:>4}  {method} {} {}", place + 1, entry.response.status, quoted(url).trim_matches('"')))
    });
    let mut lines: Vec<String> = std::iter::once(line.to_owned()).chain(rows).collect();
    if entries.len() > LISTED {
        lines.push(format!("  and {} more", entries.len() - LISTED));
    }
    lines
}
