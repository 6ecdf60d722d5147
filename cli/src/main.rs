//! `access-relay check [wrangler.toml …]`: reads `RELAY` as the Worker will, with the whole Public Suffix List, and says
//! all that is wrong before it is deployed.

mod check;

use std::process::ExitCode;

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
        match check::file(file) {
            Ok(found) => println!("{file}: {found}"),
            Err(mistakes) => {
                sound = false;
                for mistake in mistakes {
                    eprintln!("{file}: {mistake}");
                }
            }
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
