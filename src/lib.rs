//! access-relay: the same-origin door to an API behind Cloudflare Access.
//!
//! A page calls `/api/*` on its own host; this Worker checks who is calling, attaches the credentials that open
//! Access in front of the API, forwards, and hands back a clean answer.
//!
//! # The map
//! [`gateway`] is the flow of a request, from top to bottom; every box of it is a module:
//!
//! | module | decides |
//! |---|---|
//! | [`config`] | what the relay may do at all: `RELAY`, parsed once |
//! | [`route`] | which API, and which URL of it |
//! | [`cors`], [`origins`], [`origin`] | which other origins may call |
//! | [`cross_origin`] | which requests of browsers may change something |
//! | [`access`], [`token`], [`keys`], [`verified`] | who is calling; [`runtime`] is what that needs from outside |
//! | [`forward`], [`settle`] | what the API gets, and what becomes of its answer |
//! | [`headers`], [`crossing`], [`edits`], [`cookies`], [`links`] | what crosses, in both directions |
//! | [`trace`], [`log`], [`problem`], [`health`] | what others can see of it |
//! | [`redact`], [`json`] | what no text may show, and what no table may say twice |
//!
//! # Invariants
//! - Everything above is pure: plain values in, decisions out; no I/O, no clock, no JavaScript. It is built and tested
//!   on the host. Only `edge`, which exists for Wasm alone, names `worker`, `web_sys` or `js_sys`.
//! - Nothing panics on the request path; lints deny it.
//! - What is unknown is refused: without a valid configuration nothing is served, without a valid token nothing is
//!   forwarded.

pub mod access;
pub mod config;
pub mod cookies;
pub mod cors;
pub mod cross_origin;
pub mod crossing;
pub mod edits;
pub mod forward;
pub mod gateway;
pub mod headers;
pub mod health;
pub mod json;
pub mod keys;
pub mod links;
pub mod log;
pub mod origin;
pub mod origins;
pub mod problem;
pub mod redact;
pub mod route;
pub mod runtime;
pub mod settle;
pub mod token;
pub mod trace;
pub mod verified;

#[cfg(target_arch = "wasm32")]
mod edge;
