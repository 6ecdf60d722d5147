//! Tables for what the companion finds and writes.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic)]

mod check;
mod checks;
mod document;
mod forms;
mod import;
mod look;
mod project;
mod schema;
