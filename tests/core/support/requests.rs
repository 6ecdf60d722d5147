//! Requests on their way: sent through the whole flow, and what became of them.

use access_relay_core::caller::gate::Gate;
use access_relay_core::caller::platform::Word;
use access_relay_core::flow::gateway::{self, Action, Decision};
use access_relay_core::outcomes::problem::Code;
use serde_json::Value;

use crate::support::config::parsed;
use crate::support::heads::Lines;
use crate::support::issuer::{Known, LocalKeys};
use crate::support::tasks::now;
use crate::support::tokens::issuer_key;

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// Status, code and headers of an answer of the relay's own, and its body.
    Answered(u16, Option<Code>, Lines, Option<Value>),
    /// URL and headers of the request to the API.
    Forwarded(String, Lines),
    /// A report on everything.
    Health,
}

impl Outcome {
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Outcome::Answered(_, code, ..) => code.map(Code::as_str),
            Outcome::Forwarded(..) | Outcome::Health => None,
        }
    }

    pub fn forwarded(self) -> (String, Lines) {
        match self {
            Outcome::Forwarded(url, lines) => (url, lines),
            answered => panic!("{answered:?}"),
        }
    }
}

/// What becomes of a request, by a table `RELAY`.
pub fn send(relay: &Value, method: &str, url: &str, headers: &[(&str, &str)]) -> Outcome {
    outcome(decide(relay, method, url, headers))
}

/// The same, where the runtime has this word on the caller.
pub fn send_vouched(
    relay: &Value,
    word: Option<Word<Known>>,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> Outcome {
    outcome(decide_vouched(relay, word, method, url, headers))
}

fn outcome((decision, lines): (Decision, Lines)) -> Outcome {
    match decision.action {
        Action::Answer(answer) => {
            let body = answer.body.map(|body| serde_json::from_str(&body).unwrap());
            Outcome::Answered(
                answer.status,
                answer.refusal.map(|refusal| refusal.code),
                Lines::default().apply(&answer.headers),
                body,
            )
        }
        Action::Forward(forward) => Outcome::Forwarded(forward.edits.url().to_owned(), lines.apply(&forward.edits)),
        Action::Health => Outcome::Health,
    }
}

/// The decision about it, and the headers that it came with.
pub fn decide(relay: &Value, method: &str, url: &str, headers: &[(&str, &str)]) -> (Decision, Lines) {
    decide_vouched(relay, None, method, url, headers)
}

/// The same, where the runtime has this word on the caller.
pub fn decide_vouched(
    relay: &Value,
    word: Option<Word<Known>>,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> (Decision, Lines) {
    let config = parsed(relay);
    let lines = Lines::of(headers);
    let gate = Gate::new(LocalKeys::publishing(&[&issuer_key().jwk]));
    (lines.asked(method, url, |head| now(gateway::decide(&config, &gate, head, word.clone()))), lines)
}
