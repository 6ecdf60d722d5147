//! `access-relay check [wrangler.toml …]`: reads `RELAY` as the Worker will, with the whole Public Suffix List, and says
//! all that is wrong, or looks wrong, before it is deployed.

use std::process::ExitCode;

use access_relay_companion::check;
use access_relay_companion::findings::Findings;
use access_relay_core::syntax::redact::redacted;

const USAGE: &str = "usage: access-relay check [wrangler.toml ...]";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("check") => {}
        Some("--help" | "-h" | "help") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    let mut files: Vec<String> = words.collect();
    if files.is_empty() {
        files.push("wrangler.toml".to_owned());
    }
    let mut sound = true;
    for file in &files {
        let found = match std::fs::read_to_string(file) {
            Ok(text) => check::text(&text),
            Err(error) => Findings::mistake(error.to_string()),
        };
        sound &= found.mistakes.is_empty();
        // Whatever is printed goes through here, names of files and environments too.
        let line = |text: String| redacted(&format!("{file}: {text}"), []).into_owned();
        found.sound.into_iter().for_each(|text| println!("{}", line(text)));
        found.warnings.into_iter().for_each(|text| eprintln!("{}", line(format!("warning: {text}"))));
        found.mistakes.into_iter().for_each(|text| eprintln!("{}", line(text)));
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
