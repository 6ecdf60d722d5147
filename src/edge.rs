//! The edge: the only part that knows JavaScript. It reads what the decisions need, asks `gateway`, and acts.
//!
//! Every crossing of the border between Wasm and JavaScript costs, strings most of all: bodies stay in JavaScript, a
//! request's head, its call to the API and its answer cross once each, header names once per isolate.

mod border;
mod keys;
mod respond;
mod settings;
mod upstream;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;

use worker::{Context, Env, event, web_sys};

use crate::access::Gate;
use crate::config::{Credentials, Log};
use crate::gateway::{self, Action, Answer, Decision, RequestHead};
use crate::headers::{Name, Present, Read};
use crate::log::Record;
use crate::problem::{Code, Refusal};
use crate::trace::{Randomness, Trace};

use border::JsHeaders;
use keys::WebCrypto;
use settings::Settings;

// What one isolate knows: plain data that requests share, never a promise.
thread_local! {
    static CONFIG: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    static REREAD: Cell<bool> = const { Cell::new(false) };
    static GATE: Rc<Gate<WebCrypto>> = Rc::new(Gate::new(WebCrypto));
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> Result<web_sys::Response, Infallible> {
    let head = border::head(&request);
    let mut lines = head.splitn(3, '\n');
    let [method, url, names] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let headers = JsHeaders::new(request.headers());
    let present = Present::of(names);
    let caller_trace = present.has(Name::Traceparent).then(|| headers.read(Name::Traceparent)).flatten();
    let trace = Trace::new(caller_trace.as_deref(), randomness());
    let head = RequestHead { method, url, present: &present, headers: &headers, trace: &trace };

    let settings = match settings(&env).await {
        Ok(settings) => settings,
        Err(errors) => {
            let record = Record::misconfigured(method, &errors.list, &trace, ray(&present, &headers));
            border::log(record.status, &record.line());
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
    let Decision { action, known } = gateway::decide(config, &gate, head, border::now_ms() / 1000).await;
    let log = |status: u16, refusal: Option<&Refusal>, call: Option<Call>| {
        if refusal.is_none() && config.log != Log::Requests {
            return;
        }
        let mut record = Record::of(head.method, status, &known, head.trace, ray(head.present, head.headers));
        record.upstream_status = call.and_then(|call| call.status);
        record.upstream_ms = call.and_then(|call| u64::try_from(border::now_ms() - call.began).ok());
        border::log(status, &record.refused(refusal).line());
    };

    let forward = match action {
        Action::Forward(forward) => forward,
        Action::Answer(answer) => {
            log(answer.status, answer.refusal.as_ref(), None);
            return respond::answer(&answer);
        }
    };
    let mut call = Call { began: border::now_ms(), status: None };
    let origin = known.origin.as_deref();
    let settled = upstream::call(request, head.method, &forward).await.and_then(|response| {
        call.status = Some(response.status());
        upstream::settle(response, forward.route, origin)
    });
    match settled {
        Ok(response) => {
            log(response.status(), None, Some(call));
            response
        }
        Err(refusal) => {
            // A refused service token may have been rotated in its store: the next request reads it again.
            let ours = matches!(forward.route.credentials, Credentials::ServiceToken(_));
            if refusal.code == Code::UpstreamAccessDenied && settings.from_store && ours {
                REREAD.set(true);
            }
            let answer = Answer::refusal(refusal, &forward.route.cors, origin, head.trace, config.debug);
            log(answer.status, answer.refusal.as_ref(), Some(call));
            respond::answer(&answer)
        }
    }
}

/// A call to the API, for the log. Time advances with I/O alone, so what passes after it began is the API's.
#[derive(Clone, Copy)]
struct Call {
    began: i64,
    status: Option<u16>,
}

/// Cloudflare's id of the request, for the log.
fn ray(present: &Present, headers: &JsHeaders) -> Option<String> {
    present.has(Name::Ray).then(|| headers.read(Name::Ray)).flatten()
}

/// The isolate's configuration, read by the first request that finds a sound one. Where several requests are first at
/// once, each reads it (no request may wait for another's promise) and the last one stays.
async fn settings(env: &Env) -> Result<Rc<Settings>, settings::Unsound> {
    let current = CONFIG.with(|shared| shared.borrow().clone());
    match current {
        Some(current) if !REREAD.take() => Ok(current),
        // Where the store fails, what was read before serves on.
        Some(current) => Ok(settings::load(env).await.map_or(current, keep)),
        None => settings::load(env).await.map(keep),
    }
}

fn keep(settings: Settings) -> Rc<Settings> {
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
