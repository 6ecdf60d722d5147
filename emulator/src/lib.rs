//! A local stand-in for Cloudflare Access: the login, the signing keys, the service token, and two protected
//! applications, with the answers that the real one gives.
//!
//! It is a library for tests ([`emulator::Emulator::start`]) and a program for local development (`main.rs`).
//! Nothing here is meant to be safe outside of one's own machine: every listener is on the loopback address.
//!
//! The modules are listed, the lowest first: each uses only those listed before it.

// What can be set, and the defaults.
pub mod settings;

// Small helpers for requests and answers: bodies, headers, cookies, queries.
mod http;

// The reverse proxy, WebSockets included.
mod forward;

// RSA keys: making and publishing them, signing and checking tokens.
mod keys;

// The claims of tokens.
pub mod tokens;

// The HTML.
mod pages;

// The listeners that stand for a part of Cloudflare, and what makes them slow or dead.
pub mod listener;

// A protected application: its address, policies and backends.
mod application;

// What passes between an application and the team domain at a login: the address that asks, the code that grants.
mod login;

// People's sessions: open, ended, or about to be presented for the first time.
mod sessions;

// What the listeners share; tokens are made and checked with it.
mod state;

// Who gets in. It only decides.
mod admission;

// What those see who do not get in.
mod refusal;

// Signed application metadata: which application covers a URL.
mod metadata;

// What stands in front of an application: its `/cdn-cgi/access/*` paths, then admit, refuse or forward.
mod proxy;

// The team domain: certs, login, logout.
mod team;

// The handles over HTTP, for programs in other languages.
mod control;

// Accepts connections and hands each request to the part that its listener stands for; is slow or dead when told to.
mod server;

// Starts everything; the handles that a test pulls.
pub mod emulator;
