//! From an answer of the relay's own to a `Response`.

use worker::web_sys::{Headers, Response, ResponseInit};

use super::border;
use super::settings::Unsound;
use crate::cors::Policy;
use crate::gateway::Answer;
use crate::problem::{Code, Refusal};
use crate::trace::Trace;

/// Makes the response.
pub(super) fn answer(answer: &Answer) -> Response {
    // What is set here is ours, and plain; should the runtime refuse it all the same, the status alone says enough.
    try_answer(answer).or_else(|_| try_answer(&Answer::empty(answer.status))).unwrap_or_else(|_| Response::error())
}

fn try_answer(answer: &Answer) -> Result<Response, worker::wasm_bindgen::JsValue> {
    let headers = Headers::new()?;
    border::apply(&headers, &answer.headers)?;
    let init = ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    Response::new_with_opt_str_and_init(answer.body.as_deref(), &init)
}

/// The answer while the configuration cannot serve. No policy is to be trusted then, so no page of another origin can
/// read it.
pub(super) fn misconfigured(unsound: &Unsound, trace: &Trace) -> Response {
    let reasons: Vec<String> = unsound.list.iter().map(ToString::to_string).collect();
    let refusal = Refusal::new(Code::Misconfigured, reasons.join("\n"));
    answer(&Answer::refusal(refusal, &Policy::default(), None, trace, unsound.debug))
}
