//! `access-relay check` of one file, natively: a clone compiles this in seconds, and the command's Wasm in minutes.

use std::io::{self, Write as _};
use std::process::ExitCode;

use access_relay_companion::check;

fn main() -> io::Result<ExitCode> {
    let file = std::env::args().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let text = std::fs::read_to_string(&file)?;
    let findings = check::text(&file, &text);
    let marked = check::marked(&findings, &file, &text, false).into_iter().map(|lines| format!("{lines}\n\n"));
    let sound = findings.sound.iter().map(|line| format!("{file}: {line}\n"));
    io::stderr().write_all(marked.chain(sound).collect::<String>().as_bytes())?;
    Ok(if findings.mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
