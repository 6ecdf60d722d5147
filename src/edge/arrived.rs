//! A request as it arrived: its head, read in one crossing.

use worker::wasm_bindgen::JsCast as _;
use worker::web_sys::Request;

use super::border::{self, Message};
use crate::gateway::RequestHead;
use crate::headers::{Name, Present, Read as _};
use crate::trace::Trace;

pub(super) struct Arrived {
    /// The request itself.
    message: Message,
    /// The method, the URL, and its headers.
    lines: String,
    /// When it came, in milliseconds since the epoch, if anybody is going to ask.
    pub(super) at_ms: Option<i64>,
}

impl Arrived {
    pub(super) fn of(request: Request, at_ms: Option<i64>) -> Self {
        let lines = border::head(&request);
        Self { message: request.unchecked_into(), lines, at_ms }
    }

    /// The request itself.
    pub(super) fn request(&self) -> Request {
        self.message.clone().unchecked_into()
    }

    /// Its headers, as far as they have been told.
    pub(super) fn present(&self) -> Present<'_> {
        let [_, _, headers] = self.parts();
        Present::of(headers)
    }

    /// What decisions need of it.
    pub(super) fn head<'a>(&'a self, present: &'a Present<'a>, trace: &'a Trace) -> RequestHead<'a, Message> {
        let [method, url, _] = self.parts();
        RequestHead { method, url, present, headers: &self.message, trace }
    }

    pub(super) fn method(&self) -> &str {
        let [method, ..] = self.parts();
        method
    }

    pub(super) fn url(&self) -> &str {
        let [_, url, _] = self.parts();
        url
    }

    /// Cloudflare's id of the request, for the log.
    pub(super) fn ray(&self) -> Option<String> {
        self.message.read(Name::Ray)
    }

    fn parts(&self) -> [&str; 3] {
        let mut parts = self.lines.splitn(3, '\n');
        [(); 3].map(|()| parts.next().unwrap_or_default())
    }
}
