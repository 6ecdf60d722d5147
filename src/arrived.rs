//! A request as it arrived: its head, read in one crossing.

use access_relay_core::messages::crossing;
use access_relay_core::messages::head::RequestHead;
use access_relay_core::messages::name::Name;
use access_relay_core::messages::present::{Present, Read as _};
use access_relay_core::messages::trace::Trace;
use access_relay_core::syntax::text::split_before;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::web_sys::Request;

use crate::border::{self, Message};

/// A request, with its method, its URL and its headers as `headers.js` has told them.
pub struct Arrived {
    /// The request itself.
    message: Message,
    /// The method, the URL, and its headers.
    lines: String,
    /// Where the URL begins, and where the headers.
    starts: [usize; 2],
    /// When it came, in milliseconds since the epoch, if anybody is going to ask.
    pub at_ms: Option<i64>,
}

impl Arrived {
    #[inline(never)]
    pub fn of(request: Request, at_ms: Option<i64>) -> Self {
        let lines = border::head(&request);
        let (method, rest) = split_before(&lines, |b| b == b'\n');
        let (url, _) = split_before(rest.get(1..).unwrap_or_default(), |b| b == b'\n');
        let starts = [method.len() + 1, method.len() + 1 + url.len() + 1];
        Self { message: request.unchecked_into(), lines, starts, at_ms }
    }

    /// Gives the request itself away, and forgets its headers: of a caller who leaves, hardly anything must stay in memory.
    pub fn give_away(&mut self) -> Request {
        let [_, headers] = self.starts;
        self.lines.truncate(headers);
        self.lines.shrink_to_fit();
        std::mem::replace(&mut self.message, JsValue::UNDEFINED.unchecked_into()).unchecked_into()
    }

    /// Takes it back.
    pub fn take_back(&mut self, request: Request) {
        self.message = request.unchecked_into();
    }

    /// Its headers, as far as they have been told.
    pub fn present(&self) -> Present<'_> {
        let [_, headers] = self.starts;
        crossing::in_request(self.lines.get(headers..).unwrap_or_default())
    }

    /// What decisions need of it.
    pub fn head<'a>(&'a self, present: &'a Present<'a>, trace: &'a Trace) -> RequestHead<'a, Message> {
        RequestHead { method: self.method(), url: self.url(), present, headers: &self.message, trace }
    }

    pub fn method(&self) -> &str {
        let [url, _] = self.starts;
        self.lines.get(..url - 1).unwrap_or_default()
    }

    pub fn url(&self) -> &str {
        let [url, headers] = self.starts;
        self.lines.get(url..headers - 1).unwrap_or_default()
    }

    /// Cloudflare's id of the request, for the log.
    pub fn ray(&self) -> Option<String> {
        self.message.read(Name::Ray)
    }
}
