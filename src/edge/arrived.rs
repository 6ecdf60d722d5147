//! A request as it arrived: its head, read in one crossing.

use worker::wasm_bindgen::JsCast as _;
use worker::web_sys::Request;

use super::border::{self, Message};
use crate::gateway::RequestHead;
use crate::headers::{Name, Present, Read as _};
use crate::trace::{Randomness, Trace};

pub(super) struct Arrived {
    /// The request itself.
    message: Message,
    /// The method, the URL, and which headers there are.
    lines: String,
    present: Present,
    /// When it came, in milliseconds since the epoch, if anybody is going to ask.
    pub(super) at_ms: Option<i64>,
    /// The trace that the request belongs to.
    pub(super) trace: Trace,
}

impl Arrived {
    pub(super) fn of(request: Request, randomness: Randomness, at_ms: Option<i64>) -> Self {
        let lines = border::head(&request);
        let message: Message = request.unchecked_into();
        let present = Present::of(parts(&lines)[2]);
        let caller = present.has(Name::Traceparent).then(|| message.read(Name::Traceparent)).flatten();
        Self { trace: Trace::new(caller.as_deref(), randomness), message, lines, present, at_ms }
    }

    /// The request itself.
    pub(super) fn request(&self) -> Request {
        self.message.clone().unchecked_into()
    }

    /// What decisions need of it.
    pub(super) fn head(&self) -> RequestHead<'_, Message> {
        let [method, url, _] = parts(&self.lines);
        RequestHead { method, url, present: &self.present, headers: &self.message, trace: &self.trace }
    }

    pub(super) fn method(&self) -> &str {
        parts(&self.lines)[0]
    }

    /// Cloudflare's id of the request, for the log.
    pub(super) fn ray(&self) -> Option<String> {
        self.present.has(Name::Ray).then(|| self.message.read(Name::Ray)).flatten()
    }
}

fn parts(lines: &str) -> [&str; 3] {
    let mut parts = lines.splitn(3, '\n');
    [(); 3].map(|()| parts.next().unwrap_or_default())
}
