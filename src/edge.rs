//! The edge: the only part that knows JavaScript. It reads what the decisions need, asks `gateway`, and acts.
//!
//! Every crossing of the border between Wasm and JavaScript costs, strings most of all: bodies stay in JavaScript, a
//! request's head, its call to the API and its answer cross once each, header names once for each instance. Futures cost
//! as much again, so a warm request polls one future once, and JavaScript's own promise of the API's answer does the rest
//! ([`exchange`]).

mod arrived;
mod border;
mod exchange;
mod health;
mod keys;
mod respond;
mod settings;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::Future as _;
use std::rc::Rc;
use std::task::{self, Poll};

use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, JsCast, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Context, Env, event, web_sys};

use crate::access::Gate;
use crate::forward::Forward;
use crate::gateway::{self, Action, Decision};
use crate::headers::Name;
use crate::trace::{Randomness, Trace};

use arrived::Arrived;
use exchange::Exchange;
use keys::Workers;
use settings::{Settings, Unsound};

// What one isolate knows: plain data that requests share, never a promise.
thread_local! {
    static CONFIG: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    static REREAD: Cell<bool> = const { Cell::new(false) };
    static READ_AGAIN_AT: Cell<i64> = const { Cell::new(0) };
    static UNSOUND: RefCell<Option<(i64, Rc<Unsound>)>> = const { RefCell::new(None) };
    static GATE: Rc<Gate<Workers>> = Gate::new(Workers);
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
    border::start();
}

/// The handler, as the entry of worker-build calls it. The entry that ships (`scripts/worker.mjs`) calls [`relay`].
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> Result<web_sys::Response, Infallible> {
    let answer = JsFuture::from(Promise::resolve(&relay(request, env))).await;
    Ok(answer.map_or_else(|_| web_sys::Response::error(), JsCast::unchecked_into))
}

/// Answers a request with a `Response`, or a promise of one: a request that needs no I/O of our own, neither for the
/// configuration nor for keys, is decided before this returns.
#[wasm_bindgen]
#[must_use]
pub fn relay(request: web_sys::Request, env: Env) -> JsValue {
    let mut next = Box::pin(begin(request, env));
    match next.as_mut().poll(&mut task::Context::from_waker(task::Waker::noop())) {
        Poll::Ready(next) => next.act(),
        Poll::Pending => border::promise(Box::pin(async { Ok(next.await.act()) })).into(),
    }
}

/// What comes after the decision.
enum Next {
    Answer(web_sys::Response),
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

async fn begin(request: web_sys::Request, env: Env) -> Next {
    let timed = CONFIG.with_borrow(|known| known.as_ref().is_none_or(|known| known.config.server_timing));
    let arrived = Arrived::of(request, timed.then(border::now_ms));
    let present = arrived.present();
    let trace = Trace::new(present.value(Name::Traceparent), randomness());
    let settings = match settings(&env).await {
        Ok(settings) => settings,
        Err(errors) => return Next::Answer(respond::misconfigured(&errors, &arrived, &trace)),
    };
    let gate = GATE.with(Rc::clone);
    let Decision { action, mut known } =
        gateway::decide(&settings.config, &gate, &arrived.head(&present, &trace)).await;
    known.warnings.extend(settings.tell());
    let exchange = Exchange::new(Rc::clone(&settings), arrived, trace, known);
    match action {
        Action::Answer(answer) => Next::Answer(exchange.answer(answer)),
        Action::Health => {
            let report = Box::pin(health::report(settings, gate, exchange.trace().clone())).await;
            Next::Answer(exchange.answer(crate::health::answer(&report)))
        }
        Action::Forward(forward) => Next::Call(forward, exchange),
    }
}

/// The isolate's configuration, read by the first request that finds a sound one. Where several requests are first at
/// once, each reads it (no request may wait for another's promise) and the last one stays.
async fn settings(env: &Env) -> Result<Rc<Settings>, Rc<Unsound>> {
    let current = CONFIG.with(|shared| shared.borrow().clone());
    // What reads them is boxed, for it is large, and most requests do without.
    match current {
        Some(current) if !REREAD.take() => Ok(current),
        // Where the store fails, what was read before serves on.
        Some(current) => Ok(Box::pin(settings::load(env)).await.map_or(current, |settings| {
            settings.untold.set(false);
            keep(settings)
        })),
        None => match UNSOUND.with_borrow(|unsound| unsound.clone()) {
            Some((at, unsound)) if border::now() - at < UNSOUND_SECONDS => Err(unsound),
            _ => Box::pin(settings::load(env)).await.map(keep).map_err(|unsound| {
                let unsound = Rc::new(unsound);
                UNSOUND.set(Some((border::now(), Rc::clone(&unsound))));
                unsound
            }),
        },
    }
}

/// A configuration that cannot serve is read again after this time, in seconds: a store may only have failed for a moment.
const UNSOUND_SECONDS: i64 = 2;

/// Secrets of a store are read again at most once in this time, in seconds: what a caller asks for may be what another
/// application of Access refuses, whatever the token.
const REREAD_SECONDS: i64 = 30;

/// Has the next request read the configuration again, unless it was read again just now.
fn read_again() {
    let now = border::now();
    if now - READ_AGAIN_AT.get() >= REREAD_SECONDS {
        READ_AGAIN_AT.set(now);
        REREAD.set(true);
    }
}

fn keep(settings: Settings) -> Rc<Settings> {
    border::guard_secrets(settings.config.secrets());
    let settings = Rc::new(settings);
    CONFIG.with(|shared| *shared.borrow_mut() = Some(Rc::clone(&settings)));
    settings
}

const POOL: usize = 42 * size_of::<Randomness>();

thread_local! {
    static RANDOM: RefCell<[u8; POOL]> = const { RefCell::new([0; POOL]) };
    static SPENT: Cell<usize> = const { Cell::new(POOL) };
}

/// Randomness for one trace, out of a pool that one call of the system fills for many requests.
fn randomness() -> Randomness {
    RANDOM.with_borrow_mut(|pool| {
        if SPENT.get() + size_of::<Randomness>() > POOL {
            // A trace id without randomness still serves: ids only join log lines.
            let _ = getrandom::fill(pool);
            SPENT.set(0);
        }
        let start = SPENT.replace(SPENT.get() + size_of::<Randomness>());
        pool.get(start..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    })
}
