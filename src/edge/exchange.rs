//! One request and its answer, from the decision on: the call to the API, what becomes of its answer, and the log.

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
use crate::crossing;
use crate::edits::{Edit, Edits};
use crate::forward::Forward;
use crate::gateway::{Answer, Known};
use crate::headers::Name;
use crate::log::{Record, is_counted};
use crate::problem::{Code, Refusal};
use crate::settle::{ResponseHead, Settled, settle};
use crate::trace::Trace;

/// What is kept of a request while the API has it. `border.js` holds it, and hands it the outcome: exactly one of the
/// exported functions is called, or none where the caller has gone.
#[wasm_bindgen]
pub struct Exchange {
    settings: Rc<Settings>,
    arrived: Arrived,
    trace: Trace,
    known: Known,
}

/// What the API did, for the log.
#[derive(Clone, Copy)]
struct Upstream {
    /// Its status, where it answered.
    status: Option<u16>,
    /// After how many milliseconds it answered, or was given up.
    milliseconds: u32,
    /// How often it was asked.
    tries: u32,
}

impl Exchange {
    pub(super) fn new(settings: Rc<Settings>, arrived: Arrived, trace: Trace, known: Known) -> Self {
        Self { settings, arrived, trace, known }
    }

    /// The trace that the request belongs to.
    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Answers by ourselves.
    pub(super) fn answer(&self, mut answer: Answer) -> Response {
        self.add_server_timing(None, &mut answer.headers);
        self.log(answer.status, answer.refusal.as_ref(), None);
        respond::answer(&answer)
    }

    /// Sends the request: the caller's method and body, untouched, and its headers with the edits.
    pub(super) fn begin(self, forward: &Forward) -> Promise {
        let request = self.arrived.request();
        let bodiless = self.known.preflight;
        // RFC 9110 §9.2.2: sent once more, these change nothing.
        let retries = if matches!(self.arrived.method(), "GET" | "HEAD") { forward.route.retries } else { 0 };
        border::send(
            self,
            &request,
            forward.edits.as_str(),
            bodiless,
            forward.route.cache,
            forward.route.timeout_ms,
            retries,
        )
    }
}

#[wasm_bindgen]
impl Exchange {
    /// The API has answered: its answer becomes the caller's. The body streams past. `head` tells its headers.
    #[must_use]
    pub fn answered(mut self, response: &Response, status: u16, head: &str, milliseconds: u32, tries: u32) -> Response {
        let upstream = Upstream { status: Some(status), milliseconds, tries };
        match self.settle(response, head, upstream) {
            Ok(answer) => {
                self.log(status, None, Some(upstream));
                answer
            }
            Err(refusal) => {
                // Nobody will read this: let go of its connection. Whether that works changes nothing for the caller.
                border::let_go(response);
                self.refuse(refusal, upstream)
            }
        }
    }

    /// The API could not be reached.
    #[must_use]
    pub fn failed(self, message: String, milliseconds: u32, tries: u32) -> Response {
        let refusal = Refusal::new(Code::UpstreamUnreachable, message);
        self.refuse(refusal, Upstream { status: None, milliseconds, tries })
    }

    /// The deadline has passed before the answer's headers.
    #[must_use]
    pub fn late(self, milliseconds: u32, tries: u32) -> Response {
        let timeout = self.known.route.as_ref().map_or(0, |route| route.timeout_ms);
        let reason = format!("no answer within timeout_ms = {timeout}");
        let refusal = Refusal::new(Code::UpstreamTimeout, reason);
        self.refuse(refusal, Upstream { status: None, milliseconds, tries })
    }
}

impl Exchange {
    fn settle(&mut self, response: &Response, head: &str, upstream: Upstream) -> Result<Response, Refusal> {
        let status = upstream.status.unwrap_or_default();
        if !matches!(status, 101 | 200..=599) {
            return Err(Refusal::new(Code::UpstreamUnreachable, format!("the API answered with the status {status}")));
        }
        let present = &crossing::in_answer(head);
        let head = ResponseHead { status, present, headers: response.unchecked_ref::<Message>() };
        let Settled { mut edits, warnings } = settle(&self.known, self.arrived.url(), &head)?;
        self.known.warnings.extend(warnings);
        self.add_server_timing(Some(upstream), &mut edits);
        if self.known.preflight {
            border::let_go(response);
            let answer = Answer { headers: edits, ..Answer::empty(status) };
            return Ok(respond::answer(&answer));
        }
        border::edited(response, status, edits).map_err(|error| Refusal::new(Code::Internal, border::message(&error)))
    }

    fn refuse(&self, refusal: Refusal, upstream: Upstream) -> Response {
        let config = &self.settings.config;
        let route = self.known.route.as_deref();
        // A refused service token may have been rotated in its store: the next request reads it again.
        let ours = |route: &Route| matches!(route.credentials, Credentials::ServiceToken(_));
        if refusal.code == Code::UpstreamAccessDenied && self.settings.from_store && route.is_some_and(ours) {
            super::read_again();
        }
        let mut answer = Answer::refusal(refusal, &self.known, &self.trace, config);
        self.add_server_timing(Some(upstream), &mut answer.headers);
        self.log(answer.status, answer.refusal.as_ref(), Some(upstream));
        respond::answer(&answer)
    }

    /// How long the relay took, and the API (Server Timing §3). Time stands still between I/O, so that the relay's own is
    /// what it waited for the issuer or a store; nearly always 0.
    fn add_server_timing(&self, upstream: Option<Upstream>, edits: &mut Edits) {
        let Some(since) = self.arrived.at_ms.filter(|_| self.settings.config.server_timing) else { return };
        let api = upstream.map_or(0, |upstream| upstream.milliseconds);
        let own = border::now_ms() - since - i64::from(api);
        let api = upstream.map_or_else(String::new, |_| format!(", api;dur={api}"));
        edits.push(Edit::Append(Name::ServerTiming, &format!("relay;dur={own}{api}")));
    }

    fn log(&self, status: u16, refusal: Option<&Refusal>, upstream: Option<Upstream>) {
        let config = &self.settings.config;
        if config.log == Log::Refusals && refusal.is_none() && self.known.warnings.is_empty() {
            return;
        }
        let admitted = if is_counted(&self.known, config) { border::admit_to_log() } else { Some(0) };
        let Some(left_out) = admitted else { return };
        let arrived = &self.arrived;
        let mut record = Record::of(arrived.method(), status, &self.known, &self.trace, arrived.ray());
        record.left_out = left_out;
        record.upstream_status = upstream.and_then(|upstream| upstream.status);
        record.upstream_ms = upstream.map(|upstream| upstream.milliseconds);
        record.upstream_tries = upstream.map(|upstream| upstream.tries).filter(|tries| *tries > 1);
        border::log(&record.refused(refusal), config.secrets());
    }
}
