//! Tables for what the companion finds and writes.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic)]

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
    #[path = "../../tests/core/support/config.rs"]
    pub mod config;
}

mod check;
mod checks;
mod document;
mod forms;
mod import;
mod look;
mod marked;
mod project;
mod schema;
mod schema_and_reader;
mod surroundings;

/// Reads a file of the project's.
fn committed(file: &str) -> String {
    std::fs::read_to_string(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}
