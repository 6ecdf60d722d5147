//! From an answer of the relay's own to a `Response`.

use worker::web_sys::Response;

use super::border;
use super::settings::Unsound;
use crate::gateway::Answer;
use crate::problem::{Code, Refusal};
use crate::trace::Trace;

/// Makes the response.
pub(super) fn answer(answer: &Answer) -> Response {
    let made = border::answer(answer.status, &border::lines(&answer.headers), answer.body.as_deref());
    // What is set here is ours, and plain; should the runtime refuse it all the same, the status alone says enough.
    made.or_else(|_| border::answer(answer.status, "", None)).unwrap_or_else(|_| Response::error())
}

/// The answer while the configuration cannot serve. No policy is to be trusted then, so no page of another origin can
/// read it.
pub(super) fn misconfigured(unsound: &Unsound, trace: &Trace) -> Response {
    let reasons: Vec<String> = unsound.list.iter().map(ToString::to_string).collect();
    let refusal = Refusal::new(Code::Misconfigured, reasons.join("\n"));
    answer(&Answer::problem(refusal, trace, unsound.debug))
}
