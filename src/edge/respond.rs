//! From an answer of the relay's own to a `Response`.

use worker::web_sys::Response;

use super::arrived::Arrived;
use super::border;
use super::settings::Unsound;
use crate::gateway::Answer;
use crate::health::{self, Check};
use crate::log::Record;
use crate::problem::{Code, Refusal};
use crate::route::Target;
use crate::trace::Trace;

/// Makes the response.
pub(super) fn answer(answer: &Answer) -> Response {
    let made = border::answer(answer.status, answer.headers.as_str(), answer.body.as_deref());
    // What is set here is ours, and plain; should the runtime refuse it all the same, the status alone says enough.
    made.or_else(|_| border::answer(answer.status, "", None)).unwrap_or_else(|_| Response::error())
}

/// The answer while the configuration cannot serve, and its line in the log. No policy is to be trusted then, so no page
/// of another origin can read it.
pub(super) fn misconfigured(unsound: &Unsound, arrived: &Arrived, trace: &Trace) -> Response {
    if let Some(left_out) = border::admit_to_log() {
        let record = Record::misconfigured(arrived.method(), &unsound.list, trace, arrived.ray());
        border::log(&Record { left_out, ..record }, std::iter::empty());
    }
    if Target::of(arrived.url()).is_ok_and(|target| unsound.health_path.as_deref() == Some(target.path)) {
        let refusal = Refusal::new(Code::Misconfigured, "the log says what is wrong");
        return answer(&health::answer(&[Check::new("configuration", Err(refusal))]));
    }
    let reasons: Vec<String> = unsound.list.iter().map(ToString::to_string).collect();
    let refusal = Refusal::new(Code::Misconfigured, reasons.join("\n"));
    answer(&Answer::problem(refusal, trace, unsound.debug))
}
