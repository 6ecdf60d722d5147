//! docs/checks.md: its examples are checked, and it has every code.

use std::collections::BTreeSet;

use access_relay_companion::check;
use access_relay_companion::findings::Findings;
use access_relay_companion::surroundings::local::LocalFile;

use crate::committed;

/// What an example stands in.
const AROUND: [&str; 2] = ["workers_dev = false", "preview_urls = false"];
const RELAY: &str = r#"
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
"#;

/// What is found in the example of a section after the word `Wrong:` or `Right:`.
fn example(section: &str, word: &str) -> Findings {
    let (_, after) = section.split_once(&format!("\n{word}:\n```")).unwrap_or_else(|| panic!("no {word}: {section}"));
    let (language, after) = after.split_once('\n').unwrap();
    let (text, _) = after.split_once("\n```").unwrap();
    let mut found = match language {
        "jsonc" => {
            let relay = r#""workers_dev": false, "preview_urls": false, "vars": { "RELAY": { "access": { "platform": true }, "routes": [{ "path": "/api", "upstream": "https://api.example.com" }] } }"#;
            check::text("wrangler.jsonc", &text.replacen('{', &format!("{{ {relay}, "), 1))
        }
        "dotenv" => {
            let sound = format!("{}\n{RELAY}", AROUND.join("\n"));
            check::among_files("wrangler.toml", &sound, None, &[names_in(".dev.vars", text)])
        }
        _ => {
            let is_missing = |line: &&str| !text.contains(line.split(' ').next().unwrap());
            let around: Vec<&str> = AROUND.into_iter().filter(is_missing).collect();
            let relay = if text.contains("[[vars.RELAY.routes]]\npath = \"/api\"\n") { "" } else { RELAY };
            check::text("wrangler.toml", &format!("{}\n{text}\n{relay}", around.join("\n")))
        }
    };
    // The hosts of the examples are examples', as the page says.
    if !section.starts_with("wrangler::example\n") {
        found.warnings.retain(|finding| finding.code != "wrangler::example");
    }
    found
}

/// A file of names and values, as the command hands it over.
fn names_in(file: &str, text: &str) -> LocalFile {
    let entries: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let names = entries.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unfilled =
        entries.iter().filter(|(_, value)| value.contains('<')).map(|(name, _)| (*name).to_owned()).collect();
    LocalFile { file: file.to_owned(), names, unfilled }
}

#[test]
fn each_example_is_what_it_says() {
    let page = committed("docs/checks.md");
    let sections = page.split("\n## ").skip(1).filter(|section| section.split('\n').next().unwrap().contains("::"));
    let mut count = 0;
    for section in sections {
        count += 1;
        let (code, about) = section.split_once('\n').unwrap();
        let Findings { warnings, mistakes, .. } = example(section, "Wrong");
        let (told, other) = if about.starts_with("**Error.**") { (mistakes, warnings) } else { (warnings, mistakes) };
        assert!(about.starts_with("**Error.**") || about.starts_with("**Warning.**"), "{code}");
        let codes: BTreeSet<&str> = told.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!((codes, other), (BTreeSet::from([code]), vec![]), "{told:?}");
        let right = example(section, "Right");
        assert!(right.mistakes.is_empty() && right.warnings.is_empty() && !right.sound.is_empty(), "{code}: {right:?}");
    }
    assert!(count > 20, "it reads them: {count}");
}

/// The texts of the modules that find something.
fn sources() -> String {
    let folder = format!("{}/src/surroundings", env!("CARGO_MANIFEST_DIR"));
    let around = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let others = ["check", "wrangler"].map(|module| committed(&format!("companion/src/{module}.rs")));
    around.chain(others).collect()
}

#[test]
fn the_page_has_every_code_and_no_other() {
    let sources = sources();
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for (start, _) in sources.match_indices("\"wrangler::").chain(sources.match_indices("\"relay::")) {
        let code = sources[start + 1..].split('"').next().unwrap();
        if !code.contains('{') {
            codes.insert(code.to_owned());
        }
    }
    // Named by their keys: those around RELAY, and those of RELAY that need more than one line to say.
    let by_key =
        ["wrangler::workers_dev", "wrangler::preview_urls", "relay::cors.allow_credentials", "relay::routes.path"];
    codes.extend(by_key.map(str::to_owned));
    let page = committed("docs/checks.md");
    let told = page.lines().filter_map(|line| {
        line.strip_prefix("## ").or_else(|| line.strip_prefix("- `")?.split_once("`: ").map(|(code, _)| code))
    });
    let told: BTreeSet<String> = told.filter(|code| code.contains("::")).map(str::to_owned).collect();
    assert_eq!(told, codes);
}

#[test]
fn a_code_is_a_key_that_the_relay_has_or_says_that_it_has_none() {
    let cases = [
        ("max_age = 99999", "[vars.RELAY.cors]", "relay::cors.max_age", "vars.RELAY.cors.max_age"),
        ("cors.max_age = 99999", "", "relay::routes.cors.max_age", "vars.RELAY.routes[0].cors.max_age"),
        ("clientele = 1", "[vars.RELAY]", "relay::unknown_key", "vars.RELAY.clientele"),
        ("RELAYED = 1", "[vars.RELAY]", "relay::unknown_key", "vars.RELAY.RELAYED"),
        ("RELAY = 1", "[vars.RELAY]", "relay::unknown_key", "vars.RELAY.RELAY"),
        ("colour = 1", "", "relay::unknown_key", "vars.RELAY.routes[0].colour"),
        ("cors.colour = 1", "", "relay::unknown_key", "vars.RELAY.routes[0].cors.colour"),
    ];
    for (line, table, code, path) in cases {
        let text = if table.is_empty() { format!("{RELAY}{line}\n") } else { format!("{table}\n{line}{RELAY}") };
        let found = check::text("wrangler.toml", &text).mistakes;
        let found: Vec<_> = found.iter().map(|found| (found.code.as_str(), found.path.as_str())).collect();
        assert!(found.contains(&(code, path)), "{line}: {found:?}");
    }
}

#[test]
fn what_is_no_table_has_a_code_of_its_own() {
    for text in ["[vars]\nRELAY = 1\n", "[vars]\nRELAY = '['\n", "[vars]\nRELAY = []\n"] {
        let found = check::text("wrangler.toml", text).mistakes;
        let found: Vec<_> = found.iter().map(|found| (found.code.as_str(), found.path.as_str())).collect();
        assert_eq!(found, [("relay::table", "vars.RELAY")], "{text}");
    }
}
