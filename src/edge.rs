//! The edge: the only part that knows JavaScript. It reads what the decisions need, asks `gateway`, and acts.
//!
//! Every crossing of the border between Wasm and JavaScript costs, strings most of all: bodies stay in JavaScript,
//! headers are copied once and edited, constants cross once per isolate (interned).

mod border;
mod keys;
mod respond;
mod settings;
mod upstream;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use worker::{Context, Env, event, web_sys};

use crate::access::Gate;
use crate::config::Log;
use crate::gateway::{self, Action, Answer, RequestHead};
use crate::headers::{Direction, Name, Present, Read};
use crate::log::Record;
use crate::problem::{Code, Refusal};
use crate::trace::{Randomness, Trace};

use border::JsHeaders;
use keys::WebCrypto;
use settings::Settings;

// What one isolate knows: plain data that requests share, never a promise.
thread_local! {
    static CONFIG: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    static GATE: Rc<Gate<WebCrypto>> = Rc::new(Gate::new(WebCrypto));
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> worker::Result<web_sys::Response> {
    let headers = JsHeaders::new(request.headers());
    let present = Present::of(&headers.names(), Direction::Request);
    let caller_trace = present.has(Name::Traceparent).then(|| headers.read(Name::Traceparent)).flatten();
    let trace = Trace::new(caller_trace.as_deref(), randomness());
    let (method, url) = (request.method(), request.url());
    let head = RequestHead { method: &method, url: &url, present: &present, headers: &headers, trace: &trace };

    let settings = match settings(&env).await {
        Ok(settings) => settings,
        Err(errors) => {
            let ray = present.has(Name::Ray).then(|| headers.read(Name::Ray)).flatten();
            border::log(
                Code::Misconfigured.status(),
                &Record::misconfigured(&method, &errors.list, &trace, ray).line(),
            );
            return Ok(respond::misconfigured(&errors, &trace));
        }
    };
    Ok(serve(&settings, &request, &head).await)
}

async fn serve(
    settings: &Settings,
    request: &web_sys::Request,
    head: &RequestHead<'_, JsHeaders>,
) -> web_sys::Response {
    let config = &settings.config;
    let gate = GATE.with(Rc::clone);
    let mut decision = gateway::decide(config, &gate, head, border::now_ms() / 1000).await;
    let log = |decision: &gateway::Decision, status: u16, refusal: Option<&Refusal>, call: Option<upstream::Call>| {
        if refusal.is_none() && config.log != Log::Requests {
            return;
        }
        let ray = head.present.has(Name::Ray).then(|| head.headers.read(Name::Ray)).flatten();
        let mut record = Record::of(head.method, status, decision, head.trace, ray).refused(refusal);
        record.upstream_status = call.and_then(|call| call.status);
        record.upstream_ms = call.map(|call| call.milliseconds);
        border::log(status, &record.line());
    };
    let action = std::mem::replace(&mut decision.action, Action::Answer(Answer::empty(500)));
    let (Action::Forward(forward), Some(route)) = (&action, decision.route) else {
        let answer = if let Action::Answer(answer) = action { answer } else { Answer::empty(500) };
        log(&decision, answer.status, answer.refusal.as_ref(), None);
        return respond::answer(&answer);
    };

    let called = upstream::call(request, head.method, route, forward).await;
    let origin = decision.origin.as_deref();
    let refused = |refusal: Refusal| Answer::refusal(refusal, &route.cors, origin, head.trace, config.debug);
    match called.and_then(|(response, call)| match upstream::settle(response, route, origin) {
        Ok(settled) => Ok((settled, call)),
        Err(refusal) => Err((refusal, call)),
    }) {
        Ok((response, call)) => {
            log(&decision, response.status(), None, Some(call));
            response
        }
        Err((refusal, call)) => {
            // A refused service token may have been rotated in its store: the next request reads it again.
            if refusal.code == Code::UpstreamAccessDenied && settings.from_store {
                CONFIG.with(|shared| shared.borrow_mut().take());
            }
            let answer = refused(refusal);
            log(&decision, answer.status, answer.refusal.as_ref(), Some(call));
            respond::answer(&answer)
        }
    }
}

/// The isolate's configuration, read by the first request that finds a sound one. Where several requests are first at
/// once, each reads it (no request may wait for another's promise) and the last one stays.
async fn settings(env: &Env) -> Result<Rc<Settings>, settings::Unsound> {
    if let Some(settings) = CONFIG.with(|shared| shared.borrow().clone()) {
        return Ok(settings);
    }
    let settings = Rc::new(settings::load(env).await?);
    CONFIG.with(|shared| *shared.borrow_mut() = Some(Rc::clone(&settings)));
    Ok(settings)
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
