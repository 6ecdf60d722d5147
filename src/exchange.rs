//! One request and its answer, from the decision on: the call to the API, what becomes of its answer, and the log.

use std::cell::RefCell;
use std::rc::Rc;

use access_relay_core::config::types::Log;
use access_relay_core::flow::forward::Forward;
use access_relay_core::flow::known::Known;
use access_relay_core::flow::settle::{Settled, settle};
use access_relay_core::flow::slots::{Slots, Ticket};
use access_relay_core::messages::crossing;
use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::messages::head::ResponseHead;
use access_relay_core::messages::name::Name;
use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::answer::Answer;
use access_relay_core::outcomes::log::Record;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::rules::route::{Credentials, Route};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::web_sys::{Request, Response};

use crate::arrived::Arrived;
use crate::border::{self, Message};
use crate::settings::Settings;
use crate::{isolate, log, respond};

/// What the Wasm keeps while the API works. `call.js` names the slot when it has the outcome. If the caller leaves, no outcome
/// comes.
pub struct Exchange {
    settings: Rc<Settings>,
    arrived: Arrived,
    trace: Trace,
    known: Known,
}

thread_local! {
    static WAITING: RefCell<Slots<Exchange>> = const { RefCell::new(Slots::after(0)) };
}

/// A slot is kept for this long beyond the time that the API has, in seconds: timers may be late. Longer than the 30 seconds
/// after which `call.js` says once more that a body is under way (`GOES_ON`).
const SPARE_SECONDS: i64 = 60;

/// Continues the generations of the instance before, so that its late outcomes match no slot here.
pub fn start() {
    WAITING.set(Slots::after(border::latest_generation()));
}

/// What the API did, for the log.
#[derive(Clone, Copy)]
struct Outcome {
    /// Its status, where it answered.
    status: Option<u16>,
    /// After how many milliseconds it answered, or was given up.
    milliseconds: u32,
    /// How often it was asked.
    tries: u32,
}

impl Exchange {
    pub fn new(settings: Rc<Settings>, arrived: Arrived, trace: Trace, known: Known) -> Self {
        Self { settings, arrived, trace, known }
    }

    /// The trace that the request belongs to.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Answers by ourselves.
    #[inline(never)]
    pub fn answer(&self, mut answer: Answer) -> Response {
        self.add_server_timing(None, &mut answer.headers);
        self.log(answer.status, answer.refusal.as_ref(), None);
        respond::response(&answer)
    }

    /// Sends the request: the caller's method and body, untouched, and its headers with the edits.
    pub fn begin(mut self, forward: &Forward) -> Promise {
        let request = self.arrived.give_away();
        let bodiless = self.known.preflight;
        let through = self.settings.through(&forward.route);
        let now = border::now();
        let deadline = now + self.room_seconds();
        let Ticket { slot, generation } = WAITING.with_borrow_mut(|waiting| waiting.put(self, deadline, now));
        let (lines, cache, milliseconds) = (forward.edits.as_str(), forward.route.cache, forward.route.timeout_ms);
        // `call.js` may call back before `send` returns (`failed`, say): no `RefCell` may be borrowed here.
        border::send(slot, generation, &request, lines, bodiless, cache, milliseconds, forward.retries, &through)
    }

    /// How long the exchange may wait in its slot.
    fn room_seconds(&self) -> i64 {
        let timeout_ms = self.known.route.as_ref().map_or(0, |route| route.timeout_ms);
        i64::from(timeout_ms / 1000) + SPARE_SECONDS
    }
}

/// The API has answered: its answer becomes the caller's. The body streams past. `head` tells its headers.
#[wasm_bindgen]
#[must_use]
#[expect(clippy::too_many_arguments, reason = "one crossing for all of it")]
pub fn answered(
    slot: u32,
    generation: u32,
    request: Request,
    response: &Response,
    status: u16,
    head: &str,
    milliseconds: u32,
    tries: u32,
) -> Response {
    let Some(mut exchange) = take(slot, generation, request) else {
        border::let_go(response);
        return gone();
    };
    let outcome = Outcome { status: Some(status), milliseconds, tries };
    match exchange.settle(response, head, outcome) {
        Ok(answer) => {
            exchange.log(status, None, Some(outcome));
            answer
        }
        Err(refusal) => {
            // Nobody will read this: let go of its connection. Whether that works changes nothing for the caller.
            border::let_go(response);
            exchange.refuse(refusal, outcome)
        }
    }
}

/// The API could not be reached.
#[wasm_bindgen]
#[must_use]
pub fn failed(
    slot: u32,
    generation: u32,
    request: Request,
    message: String,
    milliseconds: u32,
    tries: u32,
) -> Response {
    let Some(exchange) = take(slot, generation, request) else { return gone() };
    let refusal = Refusal::new(Code::UpstreamUnreachable, message);
    exchange.refuse(refusal, Outcome { status: None, milliseconds, tries })
}

/// The deadline has passed before the answer's headers.
#[wasm_bindgen]
#[must_use]
pub fn late(slot: u32, generation: u32, request: Request, milliseconds: u32, tries: u32) -> Response {
    let Some(exchange) = take(slot, generation, request) else { return gone() };
    let timeout = exchange.known.route.as_ref().map_or(0, |route| route.timeout_ms);
    let reason = format!("no answer within timeout_ms = {timeout}");
    let refusal = Refusal::new(Code::UpstreamTimeout, reason);
    exchange.refuse(refusal, Outcome { status: None, milliseconds, tries })
}

/// The caller still sends its body, or has just ended it.
#[wasm_bindgen(js_name = goesOn)]
pub fn goes_on(slot: u32, generation: u32) {
    let now = border::now();
    WAITING.with_borrow_mut(|waiting| {
        waiting.renew(Ticket { slot, generation }, |exchange| now + exchange.room_seconds())
    });
}

/// Takes an exchange up, with the request that `call.js` has kept.
fn take(slot: u32, generation: u32, request: Request) -> Option<Exchange> {
    let mut exchange = WAITING.with_borrow_mut(|waiting| waiting.take(Ticket { slot, generation }))?;
    exchange.arrived.take_back(request);
    Some(exchange)
}

/// The outcome of an exchange that is no longer there.
fn gone() -> Response {
    let trace = Trace::new(None, isolate::randomness());
    let reason =
        "what was known of the request is gone: another one has panicked, or the answer came long after its time";
    let answer = Answer::problem(Refusal::new(Code::Internal, reason), &trace, false);
    // Nobody knows whose it was, so it counts as a stranger's.
    if let Some(left_out) = log::admit() {
        let record = Record { left_out, ..Record::of("unknown", answer.status, &trace, None) };
        log::write(&record.refused(answer.refusal.as_ref()), std::iter::empty());
    }
    respond::response(&answer)
}

impl Exchange {
    fn settle(&mut self, response: &Response, head: &str, outcome: Outcome) -> Result<Response, Refusal> {
        let status = outcome.status.unwrap_or_default();
        let present = &crossing::in_answer(head);
        let head = ResponseHead { status, present, headers: response.unchecked_ref::<Message>() };
        let Settled { mut edits, warnings } = settle(&self.known, self.arrived.url(), &head)?;
        self.known.warnings.extend(warnings);
        self.add_server_timing(Some(outcome), &mut edits);
        if self.known.preflight {
            border::let_go(response);
            let answer = Answer { headers: edits, ..Answer::empty(status) };
            return Ok(respond::response(&answer));
        }
        border::edited(response, status, edits).map_err(|error| Refusal::new(Code::Internal, border::message(&error)))
    }

    fn refuse(&self, refusal: Refusal, outcome: Outcome) -> Response {
        let config = &self.settings.config;
        let route = self.known.route.as_deref();
        // A refused service token may have been rotated in its store: the next request reads it again.
        let ours = |route: &Route| matches!(route.credentials, Credentials::ServiceToken(_));
        if refusal.code == Code::UpstreamAccessDenied && self.settings.from_store && route.is_some_and(ours) {
            isolate::read_again();
        }
        let mut answer = self.known.refuse(refusal, &self.trace, config);
        self.add_server_timing(Some(outcome), &mut answer.headers);
        self.log(answer.status, answer.refusal.as_ref(), Some(outcome));
        respond::response(&answer)
    }

    /// How long the relay took, and the API (Server Timing §3). Time stands still between I/O, so that the relay's own is
    /// what it waited for the issuer or a store; nearly always 0.
    fn add_server_timing(&self, outcome: Option<Outcome>, edits: &mut Edits) {
        let Some(since) = self.arrived.at_ms.filter(|_| self.settings.config.server_timing) else { return };
        let api = outcome.map_or(0, |outcome| outcome.milliseconds);
        let own = border::now_ms() - since - i64::from(api);
        let api = outcome.map_or_else(String::new, |_| format!(", api;dur={api}"));
        edits.push(Edit::Append(Name::ServerTiming, &format!("relay;dur={own}{api}")));
    }

    fn log(&self, status: u16, refusal: Option<&Refusal>, outcome: Option<Outcome>) {
        let config = &self.settings.config;
        if config.log == Log::Refusals && refusal.is_none() && self.known.warnings.is_empty() {
            return;
        }
        let admitted = if self.known.is_counted(config) { log::admit() } else { Some(0) };
        let Some(left_out) = admitted else { return };
        let arrived = &self.arrived;
        let mut record = self.known.record(arrived.method(), status, &self.trace, arrived.ray());
        record.left_out = left_out;
        record.upstream_status = outcome.and_then(|outcome| outcome.status);
        record.upstream_ms = outcome.map(|outcome| outcome.milliseconds);
        record.upstream_tries = outcome.map(|outcome| outcome.tries).filter(|tries| *tries > 1);
        log::write(&record.refused(refusal), config.secrets());
    }
}
