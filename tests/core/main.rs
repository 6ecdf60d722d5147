//! Native tables for every rule of the pure core.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod config;
mod cookies;
mod cors;
mod cross_origin;
mod docs;
mod gateway;
mod headers;
mod keys;
mod origin;
mod problem;
mod route;
mod support;
mod trace;
