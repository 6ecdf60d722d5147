//! The command, as it is run.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]

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

fn said(name: &str, text: &str) -> (Option<i32>, String, String) {
    let output = check(&[&written(name, text)]);
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

const SHUT: &str = "workers_dev = false\npreview_urls = false\n";
const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

/// A table for an environment, or for the top level, that nothing is to be said of.
fn relay(environment: &str) -> String {
    let access = format!("issuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"{AUD}\"]\n");
    let route = "path = \"/api\"\nupstream = \"https://api.example.com\"\n";
    format!("[{environment}vars.RELAY.access]\n{access}[[{environment}vars.RELAY.routes]]\n{route}")
}

#[test]
fn what_looks_wrong_is_a_warning_and_no_more() {
    let routes = "routes = [\"app.example.com/api/*\"]\n";
    let route = "route = \"app.example.com/api/*\"\n";
    let top = relay("");
    let staging = relay("env.staging.");
    #[rustfmt::skip]
    let table: Vec<(String, &[&str])> = vec![
        (format!("{SHUT}{top}"), &[]),
        (top.clone(), &["workers_dev: found nothing, which means true where there is no route; write workers_dev = false", "preview_urls: found nothing, so that Cloudflare's default decides; write preview_urls = false"]),
        (format!("routes = []\n{top}"), &["workers_dev: found nothing", "preview_urls: found nothing"]),
        (format!("{routes}{top}"), &["preview_urls: found nothing"]),
        (format!("{route}preview_urls = false\n{top}"), &[]),
        (format!("workers_dev = true\npreview_urls = true\n{routes}{top}"), &["workers_dev: found true; write workers_dev = false", "preview_urls: found true; write"]),
        // An environment inherits all of these, and may say otherwise.
        (format!("{SHUT}{top}{staging}"), &[]),
        (format!("{SHUT}{top}[env.staging]\nworkers_dev = true\n{staging}"), &["env.staging.workers_dev: found true"]),
        (format!("{routes}workers_dev = true\npreview_urls = false\n[env.staging]\nworkers_dev = false\n{staging}"), &[]),
        (format!("{routes}preview_urls = false\n[env.staging]\nroutes = []\n{staging}"), &["env.staging.workers_dev: found nothing"]),
        (format!("{routes}preview_urls = false\n[env.staging]\n{staging}"), &[]),
        // What two of them inherit is told once.
        (format!("workers_dev = true\npreview_urls = false\n{top}{staging}"), &["workers_dev: found true"]),
        // An environment without a table is no relay.
        (format!("{SHUT}{top}[env.other]\nworkers_dev = true\n"), &[]),
        // What the Worker warns of, too.
        (format!("{SHUT}{}", top.replace("acme.cloudflareaccess.com", "login.example.com")), &["[vars.RELAY] access.issuer: found \"https://login.example.com\"; tokens of Access come"]),
        (format!("{SHUT}{}", top.replace(AUD, "4714")), &["[vars.RELAY] access.audience[0]: found a text of 4 characters (not shown)"]),
        (format!("{SHUT}{staging}[env.staging.vars.RELAY.cors]\nallowed_origins = [\"https://a.example\"]\n"), &["[env.staging.vars.RELAY] cors.allow_credentials: found false"]),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (code, sound, warnings) = said("warnings.toml", text);
        assert_eq!(code, Some(0), "{index}: {warnings}");
        assert!(sound.contains("is sound"), "{index}: {sound}");
        let found: Vec<&str> = warnings.lines().map(|line| line.split_once(": warning: ").unwrap().1).collect();
        assert_eq!(found.len(), expected.len(), "{index}: {found:?}");
        assert!(found.iter().zip(*expected).all(|(found, expected)| found.starts_with(expected)), "{index}: {found:?}");
    }
}

#[test]
fn a_cache_in_front_of_the_worker_is_a_mistake_where_callers_are_checked() {
    let open = "[vars.RELAY.access]\ndangerously_allow_anyone = true\n[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"https://api.example.com\"\n";
    let (on, off) = ("[cache]\nenabled = true\n", "[cache]\nenabled = false\n");
    let (top, staging) = (relay(""), relay("env.staging."));
    let as_text = format!(
        "[vars]\nRELAY = '{{\"access\":{{\"issuer\":\"https://acme.cloudflareaccess.com\",\"audience\":[\"{AUD}\"]}},\"routes\":[{{\"path\":\"/api\",\"upstream\":\"https://api.example.com\"}}]}}'\n"
    );
    #[rustfmt::skip]
    let table: Vec<(String, Option<&str>)> = vec![
        (format!("{on}{top}"), Some("cache.enabled: found true where callers are checked; write false")),
        (format!("{on}{as_text}"), Some("cache.enabled: found true")),
        (format!("{off}{top}"), None),
        (format!("{on}{open}"), None),
        // An environment inherits it, or has its own.
        (format!("{on}{staging}"), Some("cache.enabled: found true")),
        (format!("{on}{top}{staging}"), Some("cache.enabled: found true")),
        (format!("{on}[env.staging.cache]\nenabled = false\n{staging}"), None),
        (format!("{off}{top}[env.staging.cache]\nenabled = true\n{staging}"), Some("env.staging.cache.enabled: found true")),
        // The same switch elsewhere.
        (format!("[exports.default]\ntype = \"worker\"\ncache = {{ enabled = true }}\n{top}"), Some("exports.default.cache.enabled: found true")),
        (format!("[previews.cache]\nenabled = true\n{top}"), Some("previews.cache.enabled: found true")),
        // Even where the table is wrong otherwise.
        (format!("{on}{}", top.replace("https://api", "ftp://api")), Some("cache.enabled: found true")),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (code, _, found) = said("switch.toml", &format!("{SHUT}{text}"));
        assert_eq!(code, Some(i32::from(expected.is_some())), "{index}: {found}");
        let told = found.lines().filter(|line| line.contains("cache")).collect::<Vec<_>>();
        assert_eq!(told.len(), usize::from(expected.is_some()), "{index}: {found}");
        assert!(told.iter().zip(expected).all(|(line, expected)| line.contains(expected)), "{index}: {found}");
    }
}

#[test]
fn no_secret_is_printed() {
    let token = "cfast_0123456789abcdefGHIJ";
    let hex = "c0ffee00".repeat(8);
    let top = format!("{SHUT}{}", relay(""));
    let in_issuer = |text: &str| top.replace("https://acme.cloudflareaccess.com", text);
    #[rustfmt::skip]
    let table = [
        (in_issuer(token), "access.issuer: found a secret (not shown); take it out and rotate it"),
        (in_issuer(&hex), "access.issuer: found \"(not shown)\""),
        // TOML that is none: the line is not shown.
        (top.replace("issuer = \"https://acme.cloudflareaccess.com\"", &format!("issuer = {token}")), "line 4, column 10: found no TOML"),
        (format!("{top}{token} = 1\n{token} = 2\n"), "line 10, column 1: found no TOML: duplicate key"),
        (format!("{top}\"é\" = \"{hex}\" x\n"), ": found no TOML"),
        (format!("{top}{token}"), ": found no TOML"),
        (format!("{top}[env.{token}.vars.RELAY]\n"), "[env.(not shown).vars.RELAY] access: found nothing"),
        (format!("{top}[vars]\nCF_ACCESS_CLIENT_SECRET = \"s3cr3t-value\"\n"), "vars.CF_ACCESS_CLIENT_SECRET: found a secret as a plain variable (not shown)"),
        ("[vars]\nRELAY = '{\"log\":\"requests\",\"log\":\"refusals\"}'\n".to_owned(), "[vars.RELAY] log: found the same key once more"),
        (format!("[vars]\nRELAY = '{{\"{token}\":1,\"{token}\":{{'\n"), "no JSON"),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (code, sound, found) = said("secrets.toml", text);
        assert_eq!(code, Some(1), "{index}: {found}");
        assert!(found.contains(expected), "{index}: {found}");
        for secret in [token, hex.as_str(), "s3cr3t-value"] {
            assert!(!found.contains(&secret[..8]) && !sound.contains(&secret[..8]), "{index}: {found}");
        }
    }
}
