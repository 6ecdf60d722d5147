//! The checks of a health report, done: the issuer's keys, and a question to each API with the relay's own token.

use std::cell::RefCell;
use std::rc::Rc;

use access_relay_core::caller::gate::Gate;
use access_relay_core::caller::runtime::Runtime as _;
use access_relay_core::flow::forward;
use access_relay_core::flow::health::{Board, Check, Look, judge};
use access_relay_core::messages::crossing;
use access_relay_core::messages::head::ResponseHead;
use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::log::Record;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::rules::route::Route;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{Array, Promise};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::Response;

use crate::border::{self, Message};
use crate::log;
use crate::settings::Settings;
use crate::workers::Workers;

/// How long an API may take to answer a monitor's question, in milliseconds. The keys come first, and take up to 5 seconds.
const PATIENCE_MS: u32 = 5_000;

/// How long a request waits for the report that another one makes, in milliseconds: 11.5 seconds in all. Longer than the keys
/// take (5 s) and after them the APIs (`PATIENCE_MS`), shorter than a report counts as under way (15 s, `GIVEN_UP_SECONDS` of the
/// core's `flow/health.rs`).
const PAUSES_MS: [u32; 8] = [10, 40, 100, 250, 600, 1_500, 3_000, 6_000];

thread_local! {
    static BOARD: RefCell<Board> = RefCell::default();
}

/// The report of the last seconds, or a new one.
pub async fn report(settings: Rc<Settings>, gate: Rc<Gate<Workers>>, trace: Trace) -> Rc<[Check]> {
    let mut pauses = PAUSES_MS.iter();
    loop {
        match BOARD.with_borrow(|board| board.look(border::now())) {
            Look::Report(report) => return report,
            Look::Make => {
                BOARD.with_borrow_mut(|board| board.begin(border::now()));
                let (settings, gate, trace) = (Rc::clone(&settings), Rc::clone(&gate), trace.clone());
                let work = async move {
                    let report = make(&settings, &gate).await;
                    log(&settings, &report, &trace);
                    BOARD.with_borrow_mut(|board| board.put(report.into(), border::now()));
                };
                Workers.complete(work).await;
            }
            Look::Wait => match pauses.next() {
                Some(milliseconds) => Workers.pause(*milliseconds).await,
                None => {
                    let refusal = Refusal::new(Code::Internal, "the report of another request takes too long");
                    return Rc::new([Check::new("report", Err(refusal))]);
                }
            },
        }
    }
}

/// Writes down what does not hold: once for each report, whoever has asked for it and however often it is read.
fn log(settings: &Settings, report: &[Check], trace: &Trace) {
    let warnings: Vec<String> = report.iter().filter_map(Check::warning).collect();
    if !warnings.is_empty() {
        log::write(&Record::of_health(&warnings, trace), settings.config.secrets());
    }
}

async fn make(settings: &Settings, gate: &Rc<Gate<Workers>>) -> Vec<Check> {
    // Who comes here has read it.
    let mut checks = vec![Check::new("configuration", Ok(()))];
    let config = &settings.config;
    if let Some(policy) = config.access.tokens() {
        checks.push(Check::new("signing_keys", gate.has_keys(policy).await));
    }
    let ask = |route: &Rc<Route>| {
        border::probe(forward::question(route).as_str(), route.timeout_ms.min(PATIENCE_MS), &settings.through(route))
    };
    let answers: Array = config.routes.iter().map(ask).collect();
    // Each resolves.
    let answers = JsFuture::from(Promise::all(&answers)).await.unwrap_or_default();
    let answers = answers.unchecked_into::<Array>();
    checks.extend(
        config
            .routes
            .iter()
            .zip(answers.iter())
            .map(|(route, answer)| Check::new(format!("route {}", route.prefix.as_str()), outcome(route, &answer))),
    );
    checks
}

fn outcome(route: &Route, answer: &JsValue) -> Result<(), Refusal> {
    match answer.as_string() {
        None => {
            let response: &Response = answer.unchecked_ref();
            let lines = border::answer_head(response);
            let present = &crossing::in_answer(&lines);
            judge(
                route,
                &ResponseHead { status: response.status(), present, headers: answer.unchecked_ref::<Message>() },
            )
        }
        Some(reason) if reason.is_empty() => Err(Refusal::new(Code::UpstreamTimeout, "no answer in time")),
        Some(reason) => Err(Refusal::new(Code::UpstreamUnreachable, reason)),
    }
}
