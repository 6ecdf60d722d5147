//! Paths and URLs: where they lead at an API, and hostile ones made up.

use access_relay_core::rules::upstream::{Upstream, upstream_url};
use access_relay_core::syntax::path::Prefix;
use access_relay_core::syntax::target::Target;
use proptest::prelude::*;

pub fn upstream(text: &str) -> Upstream {
    Upstream::parse(text).unwrap()
}

pub fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

/// The URL at the API for a request, or why there is none.
pub fn url(path: &str, to: &str, strip_prefix: bool, request: &str) -> Result<String, &'static str> {
    let target = Target::of(request)?;
    let rest = prefix(path).strip(target.path).ok_or("no route")?;
    Ok(upstream_url(&upstream(to), target, rest, strip_prefix))
}

/// A path out of pieces that parsers read in different ways.
pub fn hostile_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/"),
        Just("//"),
        Just("\\"),
        Just("."),
        Just(".."),
        Just("%2e"),
        Just("%2E%2e"),
        Just("%2f"),
        Just("%5c"),
        Just("%00"),
        Just("%252e"),
        Just(";"),
        Just("@evil.example"),
        Just(":80"),
        Just("?"),
        Just("#"),
        Just("api"),
        Just("%61pi"),
        Just("v1"),
        Just("x"),
        Just("é"),
        Just(" "),
        Just("\t"),
        Just("%"),
        Just("https:"),
        Just("*"),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
