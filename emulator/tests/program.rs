//! The emulator as a program: what it prints, and the ways it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs)]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const FREE_PORTS: &str = r#"{"team":{"port":0},"app":{"port":0},"api":{"port":0},"control":{"port":0}}"#;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_access-emulator"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn started(arguments: &[&str]) -> (Child, Value) {
    let mut child = program(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

#[test]
fn it_prints_its_addresses_and_ends_with_standard_input() {
    let (mut child, addresses) = started(&["--settings", FREE_PORTS, "--until-stdin-closes"]);
    for name in ["issuer", "app_local_url", "api_local_url", "control_url"] {
        let address = addresses[name].as_str().unwrap().strip_prefix("http://").unwrap();
        TcpStream::connect(address).unwrap();
    }
    for name in ["certs_url", "app_url", "api_url", "app_aud", "api_aud", "client_id", "client_secret"] {
        assert!(addresses[name].is_string(), "{name}");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn it_ends_cleanly_when_told_to() {
    for signal in ["-TERM", "-INT"] {
        let (mut child, _) = started(&["--settings", FREE_PORTS]);
        // Closing standard input means nothing unless it was asked for.
        drop(child.stdin.take());
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(child.try_wait().unwrap().is_none());
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let settings = format!(r#"{{"team":{{"port":0}},"app":{{"port":{port}}}}}"#);
    let output = output(&["--settings", &settings]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message, format!("access-emulator: port {port} (app) is already in use\n"));
    assert!(output.stdout.is_empty());
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    let cases: [(&[&str], &str); 5] = [
        (&["--sttings"], "unknown argument \"--sttings\"; --help lists what there is"),
        (&["--settings"], "--settings needs a value"),
        (&["--settings", r#"{"ap":{}}"#], "--settings: unknown field `ap`"),
        (&["--settings", "/no/such/file"], "--settings: /no/such/file: No such file"),
        (
            &[
                "--settings",
                r#"{"team":{"port":0},"app":{"port":0},"api":{"port":0,"backend":"x"},"control":{"port":0}}"#,
            ],
            "a backend must be like",
        ),
    ];
    for (arguments, expected) in cases {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_printed_settings_can_be_read_back() {
    let printed = output(&["--print-settings"]);
    let text = String::from_utf8(printed.stdout).unwrap();
    let again = output(&["--settings", &text, "--print-settings"]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), text);
}
