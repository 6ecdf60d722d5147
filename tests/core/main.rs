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

// In the order of core/src/lib.rs.
mod syntax {
    mod text;
    mod field;
    mod redact;
    mod origin;
    mod path;
    mod target;
}
mod messages {
    mod name;
    mod edits;
    mod present;
    mod crossing;
    mod cookies;
    mod links;
    mod trace;
    mod head;
}
mod outcomes {
    mod problem;
    mod log;
}
mod rules {
    mod origins;
    mod browsers;
    mod cors;
    mod cors_browser; // the same decision, as a browser sees it
    mod cors_explained;
    mod cross_origin;
    mod upstream;
    mod way_back;
    mod route;
}
mod caller {
    mod jwk;
    mod keys;
    mod token;
    mod verified;
    mod platform;
    mod gate;
    mod vectors; // Wycheproof's signatures
}
mod config {
    mod mistakes; // tables with one mistake each
    mod sound; // tables that serve

    mod types;
    mod source;
    mod secrets;
    mod suffix;
    mod report;
    mod service_token;
    mod cors;
    mod route;
    mod parse;
}
mod flow {
    mod slots;
    mod known;
    mod forward;
    mod denial;
    mod settle;
    mod health;
    mod gateway;
    mod platform; // where Access protects the Worker itself
}

mod docs;

mod support {
    //! What the tests share.

    pub mod config; // configurations, right and wrong ones
    pub mod heads; // headers as lists of lines
    pub mod paths; // paths, and where they lead
    pub mod tasks; // futures without a runtime
    pub mod tokens; // signing keys, claims, tokens
    pub mod issuer; // the issuer of those keys
    pub mod requests; // requests through the whole flow
    pub mod answers; // answers, and what becomes of them
    pub mod browser; // a model of a browser
    pub mod cases; // how many inputs are made up
}
