//! Tables for what the companion finds and writes.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic)]
// A row of a table is a tuple: naming its type would hide what the columns are.
#![allow(clippy::type_complexity)]

#[path = "."]
mod config {
    //! Tables of the core's own tests.

    #[path = "../../tests/core/config/mistakes.rs"]
    pub mod mistakes;
    #[path = "../../tests/core/config/sound.rs"]
    pub mod sound;
}
#[path = "."]
#[allow(dead_code, reason = "the core's tests use the rest")]
mod support {
    #[path = "../../tests/core/support/browser.rs"]
    pub mod browser;
    #[path = "../../tests/core/support/cases.rs"]
    pub mod cases;
    #[path = "../../tests/core/support/config.rs"]
    pub mod config;
    #[path = "../../tests/core/support/heads.rs"]
    pub mod heads;
    #[path = "../../tests/core/support/issuer.rs"]
    pub mod issuer;
    #[path = "../../tests/core/support/requests.rs"]
    pub mod requests;
    #[path = "../../tests/core/support/tasks.rs"]
    pub mod tasks;
    #[path = "../../tests/core/support/tokens.rs"]
    pub mod tokens;
}

mod check;
mod checks;
mod doctor;
mod document;
mod explain;
mod explain_and_core;
mod fetch;
mod forms;
mod har;
mod har_attack;
mod har_public;
mod headers;
mod import;
mod import_public;
mod import_write;
mod look;
mod marked;
mod project;
mod schema;
mod schema_and_reader;
mod shown;
mod suffixes;
mod surroundings;

/// Reads a file of the project's.
fn committed(file: &str) -> String {
    std::fs::read_to_string(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}
