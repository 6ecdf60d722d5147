//! The bindings themselves: headers, clock, timers, log.

use worker::js_sys::{Array, Date, Function, JsString, Object, Reflect};
use worker::wasm_bindgen::{self, JsCast, JsValue, intern, prelude::wasm_bindgen};
use worker::web_sys::{self, AbortController, AbortSignal, Headers, console};

use crate::headers::{Edit, Name, Read};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Headers)]
    type CookieHeaders;

    #[wasm_bindgen(method, js_name = getSetCookie)]
    fn get_set_cookie(this: &CookieHeaders) -> Array;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(function: &Function, milliseconds: u32, a: &Function, b: &JsValue, c: &Array) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);

    #[wasm_bindgen(catch, js_name = fetch)]
    pub(super) fn fetch(url: &str, init: &web_sys::RequestInit) -> Result<worker::js_sys::Promise, JsValue>;
}

/// Lets every header name cross the border once per isolate.
pub(super) fn intern_constants() {
    for name in Name::ALL {
        intern(name.as_str());
    }
    for text in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "\n", "Origin", "true", "http", "https"] {
        intern(text);
    }
}

/// Milliseconds since the epoch. Time stands still between I/O.
#[expect(clippy::cast_possible_truncation, reason = "a clock's milliseconds are whole and far below 2^53")]
pub(super) fn now_ms() -> i64 {
    Date::now() as i64
}

/// Writes one line to the log, at the level that its status deserves.
pub(super) fn log(status: u16, line: &str) {
    let line = JsValue::from_str(line);
    match status {
        500.. => console::error_1(&line),
        400.. => console::warn_1(&line),
        _ => console::log_1(&line),
    }
}

/// A message's headers, as decisions read them.
pub(super) struct JsHeaders(Headers);

impl JsHeaders {
    pub(super) fn new(headers: Headers) -> Self {
        Self(headers)
    }

    /// All names, a line each: one crossing in place of one for each.
    pub(super) fn names(&self) -> String {
        Array::from(&self.0.keys()).join(intern("\n")).into()
    }
}

impl Read for JsHeaders {
    fn read(&self, name: Name) -> Option<String> {
        self.0.get(name.as_str()).ok().flatten()
    }

    fn set_cookies(&self) -> Vec<String> {
        let lines = self.0.unchecked_ref::<CookieHeaders>().get_set_cookie();
        lines.iter().filter_map(|line| line.as_string()).collect()
    }
}

/// Applies edits in order.
///
/// # Errors
/// A value that no header can carry.
pub(super) fn apply(headers: &Headers, edits: &[Edit]) -> Result<(), JsValue> {
    for edit in edits {
        match edit {
            Edit::Delete(name) => headers.delete(name)?,
            Edit::Remove(name) => headers.delete(name.as_str())?,
            Edit::Set(name, value) => headers.set(name.as_str(), value)?,
            Edit::Append(name, value) => headers.append(name.as_str(), value)?,
        }
    }
    Ok(())
}

/// Aborts a fetch unless it is told in time that the answer has begun.
pub(super) struct Deadline {
    controller: AbortController,
    timer: JsValue,
}

impl Deadline {
    /// Starts the clock. The timer calls `Reflect.apply(abort, controller, [])`: a closure of ours would have to be
    /// made and freed for each request.
    pub(super) fn start(milliseconds: u32) -> Result<Self, JsValue> {
        thread_local! {
            static REFLECT_APPLY: Function = reflect_apply();
            static NOTHING: Array = Array::new();
        }
        let controller = AbortController::new()?;
        let abort: Function = Reflect::get(&controller, &JsValue::from_str(intern("abort")))?.unchecked_into();
        let timer = REFLECT_APPLY
            .with(|apply| NOTHING.with(|nothing| set_timeout(apply, milliseconds, &abort, &controller, nothing)));
        Ok(Self { controller, timer })
    }

    pub(super) fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// Stops the clock; whether it had run out.
    pub(super) fn stop(self) -> bool {
        clear_timeout(&self.timer);
        self.controller.signal().aborted()
    }
}

fn reflect_apply() -> Function {
    let reflect = Reflect::get(&worker::js_sys::global(), &JsValue::from_str("Reflect")).unwrap_or_default();
    Reflect::get(&reflect, &JsValue::from_str("apply")).unwrap_or_default().unchecked_into()
}

/// What a thrown value says.
pub(super) fn message(thrown: &JsValue) -> String {
    let text: JsString = match thrown.dyn_ref::<Object>() {
        Some(object) => object.to_string(),
        None => return thrown.as_string().unwrap_or_else(|| "unknown".to_owned()),
    };
    text.into()
}
