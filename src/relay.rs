//! The way of a request, done: read, decided, answered or sent on.

use std::future::Future as _;
use std::rc::Rc;
use std::task::{self, Poll};

use access_relay_core::caller::runtime::seldom;
use access_relay_core::flow::forward::Forward;
use access_relay_core::flow::gateway::{self, Action, Decision};
use access_relay_core::flow::health::answer;
use access_relay_core::messages::name::Name;
use access_relay_core::messages::trace::Trace;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, event, web_sys};

use crate::arrived::Arrived;
use crate::exchange::{self, Exchange};
use crate::{border, health, isolate, respond, workers};

/// Begins an instance. The crate `worker` sees to it that the request after a panic finds a new one.
#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
    border::start();
    exchange::start();
}

/// Answers a request with a `Response`, or a promise of one: a request that needs no I/O of our own, neither for the
/// configuration nor for keys nor for an identity, is decided before this returns. `access` is `ctx.access`, or `undefined`.
#[wasm_bindgen]
#[must_use]
pub fn relay(request: web_sys::Request, env: Env, access: JsValue) -> JsValue {
    let mut next = Box::pin(begin(request, env, access));
    match next.as_mut().poll(&mut task::Context::from_waker(task::Waker::noop())) {
        Poll::Ready(next) => next.act(),
        Poll::Pending => border::promise(Box::pin(async { Ok(next.await.act()) })).into(),
    }
}

/// The next step after the decision.
enum Next {
    /// This response goes to the caller.
    Answer(web_sys::Response),
    /// The API is called.
    Call(Forward, Exchange),
}

impl Next {
    fn act(self) -> JsValue {
        match self {
            Self::Answer(answer) => answer.into(),
            Self::Call(forward, exchange) => exchange.begin(&forward).into(),
        }
    }
}

async fn begin(request: web_sys::Request, env: Env, access: JsValue) -> Next {
    let timed = isolate::may_be_timed();
    let arrived = Arrived::of(request, timed.then(border::now_ms));
    let present = arrived.present();
    let trace = Trace::new(present.value(Name::Traceparent), isolate::randomness());
    let settings = match isolate::settings() {
        Some(settings) => Ok(settings),
        None => seldom(isolate::read_settings(&env)).await,
    };
    let settings = match settings {
        Ok(settings) => settings,
        Err(unsound) => return Next::Answer(respond::misconfigured(&unsound, &arrived, &trace)),
    };
    let gate = isolate::gate();
    let word = if settings.config.access.platform().is_some() { workers::word(access) } else { None };
    let Decision { action, mut known } =
        gateway::decide(&settings.config, &gate, &arrived.head(&present, &trace), word).await;
    known.warnings.extend(settings.tell());
    let exchange = Exchange::new(Rc::clone(&settings), arrived, trace, known);
    match action {
        Action::Answer(answer) => Next::Answer(exchange.answer(answer)),
        Action::Health => {
            let report = seldom(health::report(settings, gate, exchange.trace().clone())).await;
            Next::Answer(exchange.answer(answer(&report)))
        }
        Action::Forward(forward) => Next::Call(forward, exchange),
    }
}
