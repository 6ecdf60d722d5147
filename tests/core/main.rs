//! Native tables for every rule of the pure core.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
// A row of a table is a tuple: naming its type would hide what the columns are.
#![allow(clippy::type_complexity)]

mod access;
mod attacks;
mod browser;
mod config;
mod config_secrets;
mod cookies;
mod cors;
mod cors_browser;
mod cross_origin;
mod crossing;
mod docs;
mod edits;
mod gateway;
mod headers;
mod health;
mod keys;
mod links;
mod log;
mod origin;
mod origins;
mod problem;
mod redact;
mod route;
mod settle;
mod support;
mod trace;
mod vectors;
mod verified;
