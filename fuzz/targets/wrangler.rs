//! A wrangler file: whatever text is there, what is found has its place in it, is marked, and shows no secret.
#![no_main]

use access_relay_companion::check;
use libfuzzer_sys::fuzz_target;

/// Stands where the text says `SECRET`.
const SECRET: &str = "cfast_0123456789abcdefGHIJ";

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let text = text.replace("SECRET", SECRET);
    let name = if text.trim_start_matches('\u{feff}').starts_with('{') { "wrangler.jsonc" } else { "wrangler.toml" };
    let found = check::text(name, &text);
    assert!(!found.sound.is_empty() || !found.mistakes.is_empty());
    let lines = text.split('\n').count();
    for finding in found.warnings.iter().chain(&found.mistakes) {
        assert!(!finding.code.is_empty() && !finding.found.is_empty() && !finding.help.is_empty());
        if let Some(place) = finding.place {
            assert!(place.line >= 1 && place.column >= 1 && place.line <= place.end_line && place.end_line <= lines);
        }
    }
    let told =
        [check::marked(&found, name, &text, false), check::marked(&found, name, &text, true), found.sound].concat();
    let shown = told.join("\n");
    assert!(!shown.contains("0123456789abcdef"), "{shown}");
    assert!(shown.chars().all(|letter| !letter.is_control() || matches!(letter, '\n' | '\u{1b}')), "{shown:?}");
});
