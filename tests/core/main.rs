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

// As the core has them.
mod syntax {
    mod origin;
    mod path;
    mod redact;
}
mod messages {
    mod cookies;
    mod crossing;
    mod edits;
    mod links;
    mod present;
    mod trace;
}
mod outcomes {
    mod log;
    mod problem;
}
mod rules {
    mod cors;
    mod cors_browser;
    mod cross_origin;
    mod origins;
}
mod caller {
    mod gate;
    mod keys;
    mod vectors;
    mod verified;
}
mod config {
    mod secrets;
    mod tables;
}
mod flow {
    mod attacks;
    mod gateway;
    mod health;
    mod settle;
    mod slots;
}

mod browser;
mod docs;
mod support;
