//! A policy that somebody has elsewhere: whatever file is there, what comes of it is sound or says what is left, and shows no secret. And
//! whatever wrangler file is there, a policy put into it loses nothing of it.
#![no_main]

use access_relay_companion::import::file::{Wish, import};
use access_relay_companion::import::moved::Moved;
use access_relay_companion::import::write::{Target, write};
use access_relay_companion::{check, wrangler};
use libfuzzer_sys::fuzz_target;

/// Stands where the text says `SECRET`.
const SECRET: &str = "cfast_0123456789abcdefGHIJ";

const POLICY: &str = r#"{ "name": "API", "domain": "api.example.com", "cors_headers": { "allowed_origins": ["https://a.example.com"], "allow_credentials": true, "max_age": 100000 } }"#;

const TOML: &str = "name = \"x\"\n\n[vars]\nA = \"b\" # c\n";
const JSONC: &str = "{\n  \"vars\": {\n    \"A\": \"b\" // c\n  }\n}\n";

const ACCESS: &str = "\n[vars.RELAY.access]\nissuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"4714\"]\n";
const ROUTES: &str = "\n[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"https://api.example.com\"\n";

// The first line is the file's name.
fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (name, text) = text.split_once('\n').unwrap_or(("", text));
    let text = text.replace("SECRET", SECRET);
    match import(name, &text, &Wish::default()) {
        Ok(moved) => imported(&moved),
        Err(errors) => assert!(!errors.is_empty() && is_harmless(&errors.join("\n")), "{errors:?}"),
    }
    let Ok(policy) = import("app.json", POLICY, &Wish::default()) else { unreachable!("it is one") };
    for overwrite in [false, true] {
        put(&policy, name, &text, overwrite);
    }
});

fn imported(moved: &Moved) {
    assert!(is_harmless(&moved.text), "{}", moved.text);
    assert!(moved.notes.iter().chain(&moved.mistakes).all(|line| is_harmless(line)), "{moved:?}");
    assert!(wrangler::read("wrangler.toml", &moved.text).is_ok(), "{}", moved.text);
    let has = |part: &str| moved.text.lines().any(|line| line == part);
    if moved.mistakes.is_empty() && !moved.relay.0.is_empty() {
        let access = if has("[vars.RELAY.access]") { "" } else { ACCESS };
        let routes = if has("[[vars.RELAY.routes]]") { "" } else { ROUTES };
        let found = check::text("wrangler.toml", &format!("{}{access}{routes}", moved.text));
        assert!(found.mistakes.is_empty() && !found.sound.is_empty(), "{:?}: {}", found.mistakes, moved.text);
    }
    put(moved, "wrangler.toml", TOML, false);
    put(moved, "wrangler.toml", &format!("{TOML}{ACCESS}{ROUTES}"), false);
    put(moved, "wrangler.jsonc", JSONC, false);
}

/// Puts it into a file, if it can be there; then the file reads well, has all that it had, and there is nothing more to do.
fn put(moved: &Moved, file: &str, text: &str, overwrite: bool) {
    let of = |text: &str| Target { file: file.to_owned(), text: text.to_owned(), environment: None, overwrite };
    let outcome = match write(moved, &of(text)) {
        Ok(outcome) => outcome,
        Err(errors) => return assert!(!errors.is_empty() && is_harmless(&errors.join("\n")), "{errors:?}"),
    };
    assert!(outcome.told.iter().chain(&outcome.refused).all(|line| is_harmless(line)), "{outcome:?}");
    let Some(new) = outcome.text else { return };
    assert!(outcome.refused.is_empty() && new != text);
    assert!(wrangler::read(file, wrangler::body(&new)).is_ok(), "{new}");
    if !overwrite {
        let mut letters = new.chars();
        let is_kept =
            text.chars().filter(|letter| !letter.is_whitespace()).all(|letter| letters.any(|other| other == letter));
        assert!(is_kept, "{text}\n{new}");
    }
    match write(moved, &of(&new)) {
        Ok(again) => assert!(again.text.is_none() && again.refused.is_empty(), "{again:?}\n{new}"),
        Err(errors) => panic!("{errors:?}\n{new}"),
    }
}

fn is_harmless(text: &str) -> bool {
    !text.contains("0123456789abcdef") && text.chars().all(|letter| !letter.is_control() || letter == '\n')
}
