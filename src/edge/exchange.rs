//! One request and its answer, from the decision on: the call to the API, what becomes of its answer, and the log.

use std::cell::RefCell;
use std::rc::Rc;

use worker::js_sys::Promise;
use worker::wasm_bindgen::JsCast as _;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::web_sys::Response;

use super::arrived::Arrived;
use super::border::{self, Message};
use super::respond;
use super::settings::Settings;
use crate::config::{Credentials, Log, Route};
use crate::forward::Forward;
use crate::gateway::{Answer, Known};
use crate::log::{Quota, Record};
use crate::problem::{Code, Refusal};
use crate::settle::{ResponseHead, settle};

thread_local! {
    static QUOTA: RefCell<Quota> = RefCell::default();
}

/// What is kept of a request while the API has it. `border.js` holds it, and hands it the outcome: exactly one of the
/// exported functions is called, or none where the caller has gone.
#[wasm_bindgen]
pub struct Exchange {
    settings: Rc<Settings>,
    arrived: Arrived,
    known: Known,
}

/// What the API did, for the log: its status, where it answered, after how many milliseconds.
type Upstream = (Option<u16>, u32);

impl Exchange {
    pub(super) fn new(settings: Rc<Settings>, arrived: Arrived, known: Known) -> Self {
        Self { settings, arrived, known }
    }

    /// Answers by ourselves.
    pub(super) fn answer(&self, answer: &Answer) -> Response {
        self.log(answer.status, answer.refusal.as_ref(), None);
        respond::answer(answer)
    }

    /// Sends the request: the caller's method and body, untouched, and its headers with the edits.
    pub(super) fn begin(self, forward: &Forward) -> Promise {
        let request = self.arrived.request();
        let edits = border::lines(&forward.edits);
        // The edge caches by URL alone: one person's answer must not become another's.
        let cache = (!forward.route.cache).then_some("no-store");
        let bodiless = self.known.preflight;
        border::send(self, &request, &forward.url, bodiless, &edits, cache, forward.route.timeout_ms)
    }
}

#[wasm_bindgen]
impl Exchange {
    /// The API has answered: its answer becomes the caller's. The body streams past.
    #[must_use]
    pub fn answered(self, response: &Response, status: u16, milliseconds: u32) -> Response {
        match self.settle(status, response) {
            Ok(answer) => {
                self.log(status, None, Some((Some(status), milliseconds)));
                answer
            }
            Err(refusal) => self.refuse(refusal, (Some(status), milliseconds)),
        }
    }

    /// The API could not be reached.
    #[must_use]
    pub fn failed(self, message: String, milliseconds: u32) -> Response {
        self.refuse(Refusal::new(Code::UpstreamUnreachable, message), (None, milliseconds))
    }

    /// The deadline has passed before the answer's headers.
    #[must_use]
    pub fn late(self, milliseconds: u32) -> Response {
        let timeout = self.known.route.as_ref().map_or(0, |route| route.timeout_ms);
        let reason = format!("no answer within timeout_ms = {timeout}");
        self.refuse(Refusal::new(Code::UpstreamTimeout, reason), (None, milliseconds))
    }
}

impl Exchange {
    fn settle(&self, status: u16, response: &Response) -> Result<Response, Refusal> {
        if !matches!(status, 101 | 200..=599) {
            return Err(Refusal::new(Code::UpstreamUnreachable, format!("the API answered with the status {status}")));
        }
        let head = ResponseHead { status, headers: response.unchecked_ref::<Message>() };
        let edits = settle(&self.known, &head).inspect_err(|_| {
            // Nobody will read this body: let go of its connection. Whether that works changes nothing for the caller.
            drop(response.body().map(|body| body.cancel()));
        })?;
        if self.known.preflight {
            drop(response.body().map(|body| body.cancel()));
            let answer = Answer { headers: edits, ..Answer::empty(status) };
            return Ok(respond::answer(&answer));
        }
        border::edited(response, &border::lines(&edits))
            .map_err(|error| Refusal::new(Code::Internal, border::message(&error)))
    }

    fn refuse(&self, refusal: Refusal, upstream: Upstream) -> Response {
        let config = &self.settings.config;
        let route = self.known.route.as_deref();
        // A refused service token may have been rotated in its store: the next request reads it again.
        let ours = |route: &Route| matches!(route.credentials, Credentials::ServiceToken(_));
        if refusal.code == Code::UpstreamAccessDenied && self.settings.from_store && route.is_some_and(ours) {
            super::REREAD.set(true);
        }
        let answer = Answer::refusal(refusal, &self.known, &self.arrived.trace, config.debug);
        self.log(answer.status, answer.refusal.as_ref(), Some(upstream));
        respond::answer(&answer)
    }

    fn log(&self, status: u16, refusal: Option<&Refusal>, upstream: Option<Upstream>) {
        let config = &self.settings.config;
        let mut left_out = 0;
        if config.log == Log::Refusals {
            let strangers = |refusal: &Refusal| refusal.code.status() < 500 && !config.debug;
            match refusal {
                None if self.known.warnings.is_empty() => return,
                Some(refusal) if strangers(refusal) => {
                    match QUOTA.with_borrow_mut(|quota| quota.admit(border::now())) {
                        Some(before) => left_out = before,
                        None => return,
                    }
                }
                _ => {}
            }
        }
        let arrived = &self.arrived;
        let mut record = Record::of(arrived.method(), status, &self.known, &arrived.trace, arrived.ray());
        record.left_out = left_out;
        record.upstream_status = upstream.and_then(|(status, _)| status);
        record.upstream_ms = upstream.map(|(_, milliseconds)| milliseconds);
        border::log(&record.refused(refusal));
    }
}
