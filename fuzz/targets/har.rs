//! A recording of a browser's, and its console's log behind it: whatever is there, nothing panics and no secret shows; and of the copy to
//! share, the same causes are told.
#![no_main]

use access_relay_companion::har::file::{Har, decoded};
use access_relay_companion::har::report::{Report, report};
use access_relay_companion::har::safe;
use access_relay_companion::har::told::told;
use libfuzzer_sys::fuzz_target;

/// Stands where the file says `SECRET`.
const SECRET: &str = "cfast_0123456789abcdefGHIJ";

// A line `---` ends the recording.
fuzz_target!(|data: &[u8]| {
    let cut = data.windows(5).position(|letters| letters == b"\n---\n");
    let (har, console) = cut.map_or((data, &[][..]), |at| (&data[..at], &data[at + 5..]));
    let console = String::from_utf8_lossy(console).replace("SECRET", SECRET);
    let har = with_secrets(har);
    let found = match report(&har, &console, None) {
        Ok(found) => found,
        Err(error) => return assert!(is_harmless(&error), "{error}"),
    };
    let shown = serde_json::to_string(&found).unwrap_or_default();
    assert!(is_harmless(&told(&found, false)) && is_harmless(&shown), "{shown}");
    let text = decoded(&har);
    let Ok(har) = Har::read(&text) else { unreachable!("it was read before") };
    let copy = safe::copy(&har);
    assert!(is_harmless(&copy), "{copy}");
    let (before, after) = (report(text.as_bytes(), "", None), report(copy.as_bytes(), "", None));
    let (Ok(before), Ok(after)) = (before, after) else { panic!("no recording: {copy}") };
    assert_eq!(before.entries, after.entries);
    // What is not shown is not what it was: two addresses may have become one.
    if !["(not shown)", "(address)", "\u{2026}", "\\"].iter().any(|mark| copy.contains(mark)) {
        assert_eq!(codes(&before), codes(&after), "{text}\n{copy}");
    }
});

fn with_secrets(bytes: &[u8]) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(6).position(|letters| letters == b"SECRET") {
        parts.extend_from_slice(&rest[..at]);
        parts.extend_from_slice(SECRET.as_bytes());
        rest = &rest[at + 6..];
    }
    parts.extend_from_slice(rest);
    parts
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.causes.iter().map(|found| found.code).collect()
}

fn is_harmless(text: &str) -> bool {
    !text.contains("0123456789abcdef") && text.chars().all(|letter| !letter.is_control() || letter == '\n')
}
