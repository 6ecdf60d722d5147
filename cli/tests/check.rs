//! The command, as it is run.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::process::{Command, Output};

fn check(files: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_access-relay")).arg("check").args(files).output().unwrap()
}

fn written(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const SOUND: &str = r#"
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["4714"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
"#;

#[test]
fn the_demo_is_sound_and_the_template_says_what_is_left_to_fill_in() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let demo = check(&[&format!("{root}/demo/wrangler.toml")]);
    let said = String::from_utf8(demo.stdout).unwrap();
    assert!(demo.status.success(), "{said}{}", String::from_utf8_lossy(&demo.stderr));
    let sound = "[vars.RELAY] is sound: 1 route; it needs the secrets CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET";
    assert!(said.contains(sound), "{said}");

    let template = check(&[&format!("{root}/wrangler.toml")]);
    let said = String::from_utf8(template.stderr).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("access.issuer: found \"https://<team>"), "{said}");
    assert!(lines[1].contains("access.audience[0]: found \"<AUD tag"), "{said}");
}

#[test]
fn every_mistake_is_named_also_those_that_the_worker_cannot_know() {
    let cors =
        "[vars.RELAY.cors]\nallowed_origins = [\"https://*.kobe.jp\"]\nallow_credentials = true\nmax_age = 99999\n";
    let staging = "[env.staging.vars.RELAY]\nlog = \"all\"\n";
    let output = check(&[&written("mistakes.toml", &format!("{SOUND}{cors}{staging}"))]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "[vars.RELAY] cors.allowed_origins[0]: found \"https://*.kobe.jp\"; name the origins one by one",
        "[vars.RELAY] cors.max_age: found the number 99999",
        "[env.staging.vars.RELAY] log: found \"all\"",
        "[env.staging.vars.RELAY] access: found nothing",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn a_file_that_is_none_says_so() {
    for (name, text, expected) in [
        ("empty.toml", "", "found no [vars.RELAY]"),
        ("broken.toml", "[vars.RELAY\n", "line 1"),
        ("text.toml", "[vars]\nRELAY = \"{\"\n", "no JSON"),
    ] {
        let output = check(&[&written(name, text)]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(expected), "{name}: {said}");
    }
    assert!(!check(&["/nowhere/wrangler.toml"]).status.success());
}
