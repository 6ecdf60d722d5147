//! The bindings themselves: headers, clock, timers, log.

use worker::js_sys::{Array, Date, Function, JsString, Object, Promise, Reflect, global};
use worker::wasm_bindgen::{self, JsCast, JsValue, prelude::wasm_bindgen};
use worker::web_sys::{AbortController, AbortSignal, Headers, RequestInit, console};

use crate::headers::{Edit, Name, Read};

#[wasm_bindgen]
extern "C" {
    /// `Headers`, taking names that are JavaScript strings already.
    #[wasm_bindgen(extends = Headers)]
    type NamedHeaders;

    #[wasm_bindgen(method, js_name = get)]
    fn get_named(this: &NamedHeaders, name: &JsString) -> Option<String>;

    #[wasm_bindgen(method, catch, js_name = set)]
    fn set_named(this: &NamedHeaders, name: &JsString, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = append)]
    fn append_named(this: &NamedHeaders, name: &JsString, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = delete)]
    fn delete_named(this: &NamedHeaders, name: &JsString);

    #[wasm_bindgen(method, js_name = getSetCookie)]
    fn get_set_cookie(this: &NamedHeaders) -> Array;

    type NameList;

    #[wasm_bindgen(js_namespace = Array, js_name = from)]
    fn list(names: &JsValue) -> NameList;

    #[wasm_bindgen(method)]
    fn join(this: &NameList, separator: &JsString) -> String;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(
        function: &Function,
        milliseconds: u32,
        target: &Function,
        this: &JsValue,
        arguments: &Array,
    ) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);

    /// The global `fetch`.
    #[wasm_bindgen(catch)]
    pub(super) fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// What crosses the border once per isolate.
struct Constants {
    /// Every [`Name`], at its place in the enum.
    names: Vec<JsString>,
    line_break: JsString,
    reflect_apply: Function,
    abort: Function,
    no_arguments: Array,
}

thread_local! {
    static CONSTANTS: Constants = Constants {
        names: Name::ALL.iter().map(|name| JsString::from(name.as_str())).collect(),
        line_break: JsString::from("\n"),
        reflect_apply: property(&property(&global(), "Reflect"), "apply").unchecked_into(),
        abort: property(&property(&property(&global(), "AbortController"), "prototype"), "abort").unchecked_into(),
        no_arguments: Array::new(),
    };
}

fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

fn with_name<T>(name: Name, use_it: impl FnOnce(&JsString) -> T) -> T {
    CONSTANTS.with(|constants| match constants.names.get(name as usize) {
        Some(name) => use_it(name),
        // The list holds every name; this arm is for the compiler.
        None => use_it(&JsString::from(name.as_str())),
    })
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
        CONSTANTS.with(|constants| list(&self.0.keys()).join(&constants.line_break))
    }

    fn named(&self) -> &NamedHeaders {
        self.0.unchecked_ref()
    }
}

impl Read for JsHeaders {
    fn read(&self, name: Name) -> Option<String> {
        with_name(name, |name| self.named().get_named(name))
    }

    fn set_cookies(&self) -> Vec<String> {
        self.named().get_set_cookie().iter().filter_map(|line| line.as_string()).collect()
    }
}

/// Applies edits in order.
///
/// # Errors
/// A value that no header can carry.
pub(super) fn apply(headers: &Headers, edits: &[Edit]) -> Result<(), JsValue> {
    let named: &NamedHeaders = headers.unchecked_ref();
    for edit in edits {
        match edit {
            Edit::Delete(name) => headers.delete(name)?,
            Edit::Remove(name) => with_name(*name, |name| named.delete_named(name)),
            Edit::Set(name, value) => with_name(*name, |name| named.set_named(name, value))?,
            Edit::Append(name, value) => with_name(*name, |name| named.append_named(name, value))?,
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
        let controller = AbortController::new()?;
        let timer = CONSTANTS.with(|Constants { reflect_apply, abort, no_arguments, .. }| {
            set_timeout(reflect_apply, milliseconds, abort, &controller, no_arguments)
        });
        Ok(Self { controller, timer })
    }

    pub(super) fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// Stops the clock.
    pub(super) fn stop(&self) {
        clear_timeout(&self.timer);
    }

    /// Whether the clock ran out.
    pub(super) fn has_passed(&self) -> bool {
        self.controller.signal().aborted()
    }
}

/// What a thrown value says.
pub(super) fn message(thrown: &JsValue) -> String {
    let text: JsString = match thrown.dyn_ref::<Object>() {
        Some(object) => object.to_string(),
        None => return thrown.as_string().unwrap_or_else(|| "unknown".to_owned()),
    };
    text.into()
}
