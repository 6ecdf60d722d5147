//! `har`: what failed in a recording, and why.

use access_relay_companion::har::console::messages;
use access_relay_companion::har::exchange::exchanges;
use access_relay_companion::har::file::Har;
use access_relay_companion::har::find::{Found, Known, causes};

fn found(har: &str, console: &str) -> Vec<Found> {
    let har = Har::read(har.as_bytes()).unwrap();
    causes(&exchanges(&har), &messages(console), Known::default())
}

#[test]
fn look() {
    for (har, console) in [
        ("chrome-cors-preflight.har", ""),
        ("chrome-cors-preflight.har", "console-chrome.txt"),
        ("chrome-access-expired.har", ""),
        ("chrome-access-expired.har", "console-chrome.txt"),
        ("firefox-cors.har", ""),
        ("firefox-cors.har", "console-firefox.txt"),
    ] {
        let text = std::fs::read_to_string(format!("/work/shared/samples/{har}")).unwrap();
        let console = if console.is_empty() {
            String::new()
        } else {
            std::fs::read_to_string(format!("/work/shared/samples/{console}")).unwrap()
        };
        for f in messages(&console) {
            eprintln!("{f:?}");
        }
        eprintln!("== {har}");
        for f in found(&text, &console) {
            eprintln!("{} {} {:?} {:#?}", f.code, f.inferred, f.entries, f.evidence);
        }
    }
}
