//! The heads of messages, as far as decisions need them: a caller's request, and the API's answer.

use std::borrow::Cow;

use crate::messages::name::Name;
use crate::messages::present::{Present, Read};
use crate::messages::trace::Trace;

/// A request, as far as decisions need it.
pub struct RequestHead<'a, H: Read> {
    /// The method, as it was sent.
    pub method: &'a str,
    /// The URL, raw.
    pub url: &'a str,
    /// Which headers there are, and the values that came along.
    pub present: &'a Present<'a>,
    /// The other values.
    pub headers: &'a H,
    /// The trace that the request belongs to.
    pub trace: &'a Trace,
}

impl<'a, H: Read> RequestHead<'a, H> {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<Cow<'a, str>> {
        let along = self.present.value(name).map(Cow::Borrowed);
        along.or_else(|| self.present.has(name).then(|| self.headers.read(name).map(Cow::Owned)).flatten())
    }

    /// Whether it asks for a WebSocket, and for nothing else (RFC 6455 §4.1): who offers several protocols gets none.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        let upgrade = self.header(Name::Upgrade);
        self.method == "GET" && upgrade.is_some_and(|upgrade| upgrade.trim().eq_ignore_ascii_case("websocket"))
    }

    /// Fetch, "CORS-preflight request": OPTIONS, with an `Origin` and an `Access-Control-Request-Method`.
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS" && self.present.has(Name::Origin) && self.present.has(Name::RequestMethod)
    }
}

/// What a browser makes of an answer, as `Sec-Fetch-Dest` says it (Fetch, "destination").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A document, in a window or a frame.
    Document,
    /// Something else: data, an image, a script.
    Other,
    /// It does not say: no browser, or one too old for it.
    Unknown,
}

impl Destination {
    /// What a request's `Sec-Fetch-Dest` says.
    #[must_use]
    pub fn of(dest: Option<&str>) -> Self {
        match dest {
            None => Self::Unknown,
            Some("document" | "iframe" | "frame" | "fencedframe" | "embed" | "object") => Self::Document,
            Some(_) => Self::Other,
        }
    }
}

/// The API's answer, as far as decisions need it.
pub struct ResponseHead<'a, H: Read> {
    /// The status.
    pub status: u16,
    /// Which headers there are, and the values that came along.
    pub present: &'a Present<'a>,
    /// The other values.
    pub headers: &'a H,
}

impl<H: Read> ResponseHead<'_, H> {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<String> {
        let along = || self.present.value(name).map(str::to_owned);
        self.present.has(name).then(|| along().or_else(|| self.headers.read(name))).flatten()
    }

    /// A value that came along, of what is left of the answer: what holds a secret of ours does not.
    #[must_use]
    pub fn left(&self, name: Name) -> Option<&str> {
        self.present.value(name).filter(|_| !self.present.leaks().contains(&name.as_str()))
    }
}
