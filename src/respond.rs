//! From an answer of the relay's own to a `Response`.

use access_relay_core::flow::health::{self, Check};
use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::answer::Answer;
use access_relay_core::outcomes::log::Record;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::syntax::target::Target;
use worker::web_sys::Response;

use crate::arrived::Arrived;
use crate::settings::Unsound;
use crate::{border, log};

/// Makes the response.
pub fn response(answer: &Answer) -> Response {
    let made = border::answer(answer.status, answer.headers.as_str(), answer.body.as_deref());
    // What is set here is ours, and plain; should the runtime refuse it all the same, the status alone says enough.
    made.or_else(|_| border::answer(answer.status, "", None)).unwrap_or_else(|_| Response::error())
}

/// The answer while the configuration cannot serve, and its line in the log. No policy is to be trusted then, so no page
/// of another origin can read it.
#[inline(never)]
pub fn misconfigured(unsound: &Unsound, arrived: &Arrived, trace: &Trace) -> Response {
    if let Some(left_out) = log::admit() {
        let record = Record::misconfigured(arrived.method(), unsound.reasons(), trace, arrived.ray());
        log::write(&Record { left_out, ..record }, std::iter::empty());
    }
    let health_path = unsound.health_path.as_deref();
    let asks = |target: Target| health::is_asked_for(health_path, arrived.method(), target.path);
    if Target::of(arrived.url()).is_ok_and(asks) {
        let refusal = Refusal::new(Code::Misconfigured, "the log says what is wrong");
        return response(&health::answer(&[Check::new("configuration", Err(refusal))]));
    }
    let refusal = Refusal::new(Code::Misconfigured, unsound.reasons().join("\n"));
    response(&Answer::problem(refusal, trace, unsound.debug))
}
