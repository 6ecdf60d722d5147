//! A HAR file as browsers and proxies write it (HAR 1.2, and what Chromium, Firefox, Safari and Playwright add). Nothing but its JSON has
//! to be sound: a member that is unknown, missing, of another type or there twice loses itself and nothing else. Of bodies only those are
//! looked at that are a refusal of the relay's own.

use std::borrow::Cow;

use access_relay_core::outcomes::problem::CONTENT_TYPE;
use serde::Deserialize;

use crate::har::lenient::{List, Raw, object, text};
use crate::headers::Headers;

object! {
    /// A recording.
    Har {
        /// What there is of it.
        pub log: Log<'t> = "log",
    }
}

object! {
    /// What a recording holds.
    Log {
        /// What has written it.
        pub creator: Program<'t> = "creator",
        /// The exchanges.
        pub entries: List<Entry<'t>> = "entries",
    }
}

object! {
    /// A program.
    Program {
        name: Raw<'t> = "name",
        version: Raw<'t> = "version",
    }
}

object! {
    /// A request and its answer.
    Entry {
        started: Raw<'t> = "startedDateTime",
        /// The request.
        pub request: Request<'t> = "request",
        /// The answer.
        pub response: Response<'t> = "response",
        resource_type: Raw<'t> = "_resourceType",
        /// What has caused it, in Chromium.
        pub initiator: Initiator<'t> = "_initiator",
        fetch_type: Raw<'t> = "_fetchType",
    }
}

object! {
    /// A request.
    Request {
        method: Raw<'t> = "method",
        url: Raw<'t> = "url",
        headers: List<Line<'t>> = "headers",
    }
}

object! {
    /// An answer.
    Response {
        status: Raw<'t> = "status",
        headers: List<Line<'t>> = "headers",
        redirect_url: Raw<'t> = "redirectURL",
        error: Raw<'t> = "_error",
        failure: Raw<'t> = "_failureText",
        worker: Raw<'t> = "_fetchedViaServiceWorker",
        content: Content<'t> = "content",
    }
}

object! {
    /// A body.
    Content {
        mime_type: Raw<'t> = "mimeType",
        text: Raw<'t> = "text",
    }
}

object! {
    /// A header's line.
    Line {
        name: Raw<'t> = "name",
        value: Raw<'t> = "value",
    }
}

object! {
    /// What has caused a request.
    Initiator {
        url: Raw<'t> = "url",
    }
}

const HELP: &str = "save one with the network panel's \"Export HAR\"";

/// The text of a file: in UTF-8, or in UTF-16 with a mark at its beginning, as a shell on Windows writes it. Whatever is neither stands
/// there as U+FFFD.
#[must_use]
pub fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let units = |pairs: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = pairs.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit));
        Cow::Owned(char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        // Other tools leave a mark when they save what a browser has written.
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

impl<'t> Har<'t> {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// It is no HAR.
    pub fn read(text: &'t str) -> Result<Self, String> {
        // Some tools wrap it in a call, for a page to load it as a script.
        let text = match text.trim().strip_suffix(';').unwrap_or(text.trim()).strip_suffix(')') {
            Some(call) => call.split_once('(').map_or(text, |(_, within)| within),
            None => text,
        };
        let har: Self = serde_json::from_str(text).map_err(|error| {
            format!("found no HAR 1.2, at line {}, column {}; {HELP}", error.line(), error.column())
        })?;
        if har.log.entries.is_empty() { Err(format!("found no entry in the recording; {HELP}")) } else { Ok(har) }
    }
}

impl Program<'_> {
    /// Its name and its version.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} {}", text(self.name), text(self.version)).trim().to_owned()
    }
}

impl Entry<'_> {
    /// When it began (RFC 3339).
    #[must_use]
    pub fn started(&self) -> String {
        text(self.started)
    }

    /// What it is for, in Chromium: `fetch`, `document`, `preflight`, ...
    #[must_use]
    pub fn resource_type(&self) -> String {
        text(self.resource_type)
    }

    /// Whether a service worker has answered: then nobody has to let the page read it.
    #[must_use]
    pub fn is_of_worker(&self) -> bool {
        text(self.response.worker) == "true" || text(self.fetch_type) == "Service Worker"
    }
}

impl Request<'_> {
    /// The method.
    #[must_use]
    pub fn method(&self) -> String {
        text(self.method)
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        text(self.url)
    }

    /// The headers, without the request line that HTTP/2 and later have among them.
    #[must_use]
    pub fn headers(&self) -> Headers {
        headers(&self.headers)
    }
}

impl Response<'_> {
    /// The status, also where it is a text or a fraction; 0 where none came.
    #[must_use]
    pub fn status(&self) -> u16 {
        let number: f64 = text(self.status).trim().parse().unwrap_or_default();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest number that there is"
        )]
        let number = number as u16;
        if number < 1000 { number } else { 0 }
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> Headers {
        headers(&self.headers)
    }

    /// Where it redirects to.
    #[must_use]
    pub fn redirect_url(&self) -> String {
        text(self.redirect_url)
    }

    /// Why it failed, in Chromium, Safari and Playwright: `net::ERR_FAILED`, ...
    #[must_use]
    pub fn error(&self) -> String {
        let error = text(self.error);
        if error.is_empty() { text(self.failure) } else { error }
    }

    /// Whether whoever has written it says of each answer if it failed, as Chromium does: then one of which nothing is said did not.
    #[must_use]
    pub const fn tells_failures(&self) -> bool {
        self.error.is_there()
    }

    /// The code of a refusal, if the body is one of the relay's own.
    #[must_use]
    pub fn relays_code(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Refusal {
            r#type: String,
        }
        if text(self.content.mime_type).split(';').next()?.trim() != CONTENT_TYPE {
            return None;
        }
        let refusal: Refusal = serde_json::from_str(&text(self.content.text)).ok()?;
        refusal.r#type.strip_prefix("urn:problem-type:access-relay:").map(str::to_owned)
    }
}

impl Initiator<'_> {
    /// Of a preflight, the URL of the request that it is for.
    #[must_use]
    pub fn url(&self) -> String {
        text(self.url)
    }
}

fn headers(lines: &[Line]) -> Headers {
    let lines: Vec<(String, String)> = lines.iter().map(|line| (text(line.name), text(line.value))).collect();
    let real = lines.iter().filter(|(name, _)| !name.starts_with(':') && !name.is_empty());
    real.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
