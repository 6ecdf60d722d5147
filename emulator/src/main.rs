//! The emulator as a program. It prints one line of JSON when everything listens, and runs until it is told to stop.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use access_emulator::emulator::Emulator;
use access_emulator::settings::Settings;
use tokio::sync::oneshot;

const HELP: &str = "\
A local stand-in for Cloudflare Access.

Usage: access-emulator [--settings <JSON or file>] [--until-stdin-closes]

  --settings <JSON or file>  what differs from the defaults, for example '{\"app\":{\"port\":0}}'
  --until-stdin-closes       stop when standard input ends, so as never to outlive the program that started this
  --print-settings           print the settings, defaults included, and exit
  --help                     print this and exit

When everything listens, one line of JSON with all addresses and identifiers goes to standard output.
";

/// What the command line asks for.
enum Command {
    Run { settings: Box<Settings>, until_stdin_closes: bool },
    Print(String),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match command(std::env::args().skip(1)) {
        Ok(Command::Run { settings, until_stdin_closes }) => run(*settings, until_stdin_closes).await,
        Ok(Command::Print(text)) => io::stdout().write_all(text.as_bytes()),
        Err(message) => Err(io::Error::other(message)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("access-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings, until_stdin_closes: bool) -> io::Result<()> {
    let emulator = Emulator::start(settings).await?;
    // Not println!, which panics when nobody reads.
    writeln!(io::stdout(), "{}", emulator.addresses())?;
    tokio::select! {
        outcome = told_to_stop() => outcome?,
        () = stdin_closed(), if until_stdin_closes => {}
    }
    emulator.shutdown().await;
    Ok(())
}

fn command(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut settings = Settings::default();
    let (mut until_stdin_closes, mut print_settings) = (false, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--settings" => settings = parse_settings(&arguments.next().ok_or("--settings needs a value")?)?,
            "--until-stdin-closes" => until_stdin_closes = true,
            "--print-settings" => print_settings = true,
            "--help" | "-h" => return Ok(Command::Print(HELP.into())),
            other => return Err(format!("unknown argument {other:?}; --help lists what there is")),
        }
    }
    if print_settings {
        let text = serde_json::to_string_pretty(&settings).map_err(|error| error.to_string())?;
        return Ok(Command::Print(text + "\n"));
    }
    Ok(Command::Run { settings: Box::new(settings), until_stdin_closes })
}

fn parse_settings(value: &str) -> Result<Settings, String> {
    if value.trim_start().starts_with('{') {
        return serde_json::from_str(value).map_err(|error| format!("--settings: {error}"));
    }
    let text = std::fs::read_to_string(value).map_err(|error| format!("--settings: {value}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("--settings: {value}: {error}"))
}

#[cfg(unix)]
async fn told_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn told_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// A thread of its own reads, because a read of standard input cannot be cancelled.
async fn stdin_closed() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while io::stdin().read(&mut buffer).is_ok_and(|count| count > 0) {}
        let _ = ended.send(());
    });
    // An error means that the thread is gone, and then nobody watches standard input any more.
    let _ = end.await;
}
