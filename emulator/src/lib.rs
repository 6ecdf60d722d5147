//! A local stand-in for Cloudflare Access: the login, the signing keys, the service token, and two protected
//! applications, with the answers that the real one gives.
//!
//! It is a library for tests ([`emulator::Emulator::start`]) and a program for local development (`main.rs`).
//! The map, in the order in which a request meets the modules:
//!
//! | module | what it does |
//! |---|---|
//! | [`settings`] | what can be set, and the defaults |
//! | [`emulator`] | starts everything; the handles that a test pulls |
//! | `listen` | accepts connections; is slow or drops them when told to |
//! | `team` | the team domain: certs, login, logout |
//! | `application` | one protected application: its `/cdn-cgi/access/*` paths, then admit, refuse or forward |
//! | `admission` | who gets in; pure |
//! | `refusal` | what those see who do not |
//! | `forward` | the reverse proxy, WebSockets included |
//! | `control` | the handles over HTTP, for programs in other languages |
//! | `state` | what the listeners share: keys, sessions, one-time codes, switches, counters |
//! | [`tokens`], `keys` | claims; RSA keys, signing and checking |
//! | `http`, `pages` | small helpers for headers and bodies; the HTML |
//!
//! Nothing here is meant to be safe outside of one's own machine: every listener is on the loopback address.

mod admission;
mod application;
mod control;
pub mod emulator;
mod forward;
mod http;
mod keys;
mod listen;
mod pages;
mod refusal;
pub mod settings;
mod state;
mod team;
pub mod tokens;
