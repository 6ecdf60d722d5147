//! access-relay: the same-origin door to an API behind Cloudflare Access, as a Cloudflare Worker.
//!
//! This crate is the edge, the only Rust that knows JavaScript and the Workers runtime. It reads what the decisions of
//! [`access_relay_core`] need, asks, and acts.
//!
//! Every crossing of the border between Wasm and JavaScript costs, strings most of all: bodies stay in JavaScript, a request's
//! head, its call to the API and its answer cross once each, header names once for each instance. Futures cost as much again,
//! so a warm request polls one future once, and JavaScript's own promise of the API's answer does the rest (`exchange`).
//!
//! **One request.** `entry.js` calls `relay` (`relay.rs`). `headers.js` tells its head in one text (`arrived.rs`). The core's
//! `gateway::decide` says what to do. *Answer*: `exchange.rs` logs it, `respond.rs` makes it. *Health*: `health.rs` makes the
//! report. *Forward*: `exchange.rs` puts what it knows into a slot, and `call.js` sends the request with the core's edits
//! (`forward.rs`), which `headers.js` applies. The outcome comes back from `call.js` by slot and generation, to `answered`,
//! `failed` or `late` in `exchange.rs`; the core's `settle.rs` says what changes in the answer, and `border.js` (`edited`) does
//! it.
//!
//! Modules, the lowest first: each uses only those that stand before it here.

mod border; // the bindings: what the scripts beside this file do
mod log; // lines of the log, written
mod arrived; // a request, read in one crossing
mod workers; // time, keys and signatures, by the runtime
mod settings; // RELAY and its secrets, read
mod isolate; // what the requests of one isolate share
mod respond; // an answer of the relay's own
mod health; // the checks of a health report, done
mod exchange; // a request that waits for the API, and what its answer becomes
mod relay; // the way of a request, done
