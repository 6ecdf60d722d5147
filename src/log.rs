//! The log: which lines are written, and that no secret is in them.

use std::cell::RefCell;

use access_relay_core::outcomes::log::{Level, Quota, Record};
use access_relay_core::syntax::redact::redacted_line;
use wasm_bindgen::JsValue;
use worker::web_sys::console;

use crate::border;

thread_local! {
    /// How many lines strangers have caused in this second.
    static QUOTA: RefCell<Quota> = RefCell::default();
}

/// Whether one more refusal of a stranger may be written to the log: then, how many were left out before it.
pub fn admit() -> Option<u32> {
    QUOTA.with_borrow_mut(|quota| quota.admit(border::now()))
}

/// Writes one line to the log, without any of these secrets.
pub fn write<'s>(record: &Record, secrets: impl Iterator<Item = &'s str>) {
    let line = JsValue::from_str(&redacted_line(&record.line(), secrets));
    match record.level() {
        Level::Error => console::error_1(&line),
        Level::Warning => console::warn_1(&line),
        Level::Information => console::log_1(&line),
    }
}
