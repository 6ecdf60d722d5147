//! The bindings themselves: headers, the clock, and what the scripts beside this file do in one crossing each.

use std::cell::RefCell;
use std::pin::Pin;

use access_relay_core::messages::crossing;
use access_relay_core::messages::edits::Edits;
use access_relay_core::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, FIRST, Name, READ_IN_PREFLIGHT};
use access_relay_core::messages::present::Read;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::js_sys::{Array, Date, Promise};
use worker::wasm_bindgen_futures::future_to_promise;
use worker::web_sys::{Headers, Request, Response};

#[wasm_bindgen]
extern "C" {
    /// `Headers`, with its youngest method.
    #[wasm_bindgen(extends = Headers)]
    type YoungHeaders;

    #[wasm_bindgen(method, js_name = getSetCookie)]
    fn get_set_cookie(this: &YoungHeaders) -> Array;

    /// A `Request` or a `Response`.
    pub type Message;

    #[wasm_bindgen(method, getter)]
    fn headers(this: &Message) -> YoungHeaders;
}

// The paths lead from where wasm-bindgen leaves its script (scripts/worker.mjs).
#[wasm_bindgen(raw_module = "../../src/headers.js")]
extern "C" {
    /// Takes the list of header names, as JSON: of each, how much of its value comes along with the head of a request, and of
    /// an answer. Then what others that matter begin with, in both, how some in an answer end, the character of the first
    /// place, and the places of those that matter in a preflight. From then on a name crosses as its place in the list.
    fn know(list: &str, in_request: &str, in_answer: &str, targeted: &str, first: u32, preflights: &str);

    /// Takes the secrets, a line each, that no answer may hold in a header.
    fn guard(secrets: &str);

    /// The value of a message's header, cut after `longest` characters.
    fn value(message: &Message, place: usize, longest: usize) -> Option<String>;

    /// A request's method, its URL, and its headers, as [`access_relay_core::messages::present::Present`] reads them: in one
    /// crossing.
    pub fn head(request: &Request) -> String;

    /// An answer's headers, in the same way.
    #[wasm_bindgen(js_name = answerHead)]
    pub fn answer_head(response: &Response) -> String;
}

#[wasm_bindgen(raw_module = "../../src/call.js")]
extern "C" {
    /// The generation of the latest call: a new instance of the Wasm goes on from there.
    #[wasm_bindgen(js_name = latestGeneration)]
    pub fn latest_generation() -> u32;

    /// Sends a caller's request to the API, and answers with what the exchange in this slot makes of the outcome. `lines` are
    /// the URL and the edits. It goes through a binding, or `undefined`.
    pub fn send(
        slot: u32,
        generation: u32,
        request: &Request,
        lines: &str,
        bodiless: bool,
        cache: bool,
        milliseconds: u32,
        retries: u32,
        through: &JsValue,
    ) -> Promise;
}

#[wasm_bindgen(raw_module = "../../src/border.js")]
extern "C" {
    /// An answer of the relay's own.
    #[wasm_bindgen(catch)]
    pub fn answer(status: u16, edits: &str, body: Option<&str>) -> Result<Response, JsValue>;

    /// Asks the API something of our own: resolves to a `Response`, or to a text that says why there is none. `lines` are
    /// the URL and its headers; it goes through a binding, or `undefined`.
    pub fn probe(lines: &str, milliseconds: u32, through: &JsValue) -> Promise;

    /// The API's answer, of this status, with its headers edited. It shares the body, or the WebSocket. `edits` are a string.
    #[wasm_bindgen(js_name = edited, catch)]
    fn edited_by(response: &Response, status: u16, edits: &JsValue) -> Result<Response, JsValue>;

    /// Lets go of an answer that nobody reads: its body, or its WebSocket.
    #[wasm_bindgen(js_name = letGo)]
    pub fn let_go(response: &Response);

    /// The text at a URL.
    #[wasm_bindgen(js_name = fetchText)]
    pub fn fetch_text(url: &str, milliseconds: u32, limit: u32, seconds: u32) -> Promise;

    /// An RSA key that verifies RS256, of a JWK's modulus and exponent.
    #[wasm_bindgen(js_name = importKey, catch)]
    pub fn import_key(n: &str, e: &str) -> Result<Promise, JsValue>;

    /// Whether a signature of RS256 holds.
    #[wasm_bindgen(catch)]
    pub fn verify(key: &JsValue, signature: &[u8], signed: &[u8]) -> Result<Promise, JsValue>;

    /// The AUD tag in `ctx.access`, or "".
    #[wasm_bindgen(js_name = audOf)]
    pub fn aud_of(access: &JsValue) -> String;

    /// Who was let in, by `ctx.access`: what matters of the identity, as JSON, or `undefined`.
    pub fn identity(access: &JsValue, milliseconds: u32) -> Promise;

    /// What a thrown value says.
    #[wasm_bindgen(js_name = reasonOf)]
    pub fn message(thrown: &JsValue) -> String;

    /// Resolves after this time.
    pub fn pause(milliseconds: u32) -> Promise;

    /// Keeps a request's work alive until the promise settles, even where the caller has gone. Every promise that Rust awaits
    /// must settle: nothing else frees what waits for it.
    #[wasm_bindgen(js_name = keepAlive, catch)]
    pub fn keep_alive(work: &Promise) -> Result<(), JsValue>;
}

/// A promise of what a future comes to. Boxed, so that the machinery is compiled once.
pub fn promise(work: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>) -> Promise {
    future_to_promise(work)
}

/// Tells `headers.js` the names of headers, once for each instance.
pub fn start() {
    // By hand, for a name has nothing to escape.
    let entry = |name: &Name| {
        let length = |along: &[Name]| if along.contains(name) { name.longest() + 1 } else { 0 };
        format!("\"{}\":[{},{}]", name.as_str(), length(ALONG_A_REQUEST), length(ALONG_AN_ANSWER))
    };
    let list = Name::ALL.iter().map(entry).collect::<Vec<_>>().join(",");
    let preflights: String = READ_IN_PREFLIGHT.into_iter().map(Name::place).collect();
    let [in_request, in_answer] = crossing::beginnings();
    know(&format!("{{{list}}}"), &in_request, &in_answer, crossing::TARGETED, u32::from(FIRST), &preflights);
}

/// From now on, no answer may hold one of these secrets in a header.
pub fn guard_secrets<'s>(secrets: impl Iterator<Item = &'s str>) {
    // What a service token has needs no escaping.
    guard(&secrets.collect::<Vec<_>>().join("\n"));
}

/// Milliseconds since the epoch. Time stands still between I/O.
#[expect(clippy::cast_possible_truncation, reason = "a clock's milliseconds are far below 2^53")]
pub fn now_ms() -> i64 {
    Date::now() as i64
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    now_ms() / 1000
}

impl Read for Message {
    fn read(&self, name: Name) -> Option<String> {
        value(self, name as usize, name.longest() + 1)
    }

    fn set_cookies(&self) -> Vec<String> {
        self.headers().get_set_cookie().iter().filter_map(|line| line.as_string()).collect()
    }
}

thread_local! {
    /// The edits of the latest answer, here and as JavaScript has them.
    static LATEST: RefCell<(Edits, JsValue)> = RefCell::new((Edits::default(), JsValue::from_str("")));
}

/// The API's answer, of this status, with its headers edited. Most answers are edited alike, so what crossed for the last one
/// serves on.
pub fn edited(response: &Response, status: u16, edits: Edits) -> Result<Response, JsValue> {
    LATEST.with_borrow_mut(|(latest, text)| {
        if *latest != edits {
            *text = JsValue::from_str(edits.as_str());
            *latest = edits;
        }
        edited_by(response, status, text)
    })
}
