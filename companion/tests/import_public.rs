//! `import` of files that others have published: `samples/public/expected.txt` has what each comes to, all of it.

use std::collections::BTreeSet;

use access_relay_companion::check;
use access_relay_companion::import::file::{Wish, import};
use access_relay_companion::import::moved::Moved;
use access_relay_companion::import::write::{Target, write};

const FOLDER: &str = "companion/tests/samples/public";

/// A run: the file, and the application that is named, if it has several.
fn run(words: &str) -> Result<Moved, Vec<String>> {
    let (path, name) = words.split_once(" --name ").map_or((words, None), |(path, name)| (path, Some(name.to_owned())));
    let file = path.rsplit('/').next().unwrap();
    import(file, &crate::committed(&format!("{FOLDER}/{path}")), &Wish { name, ..Wish::default() })
}

/// All that is told: the tables, what was changed, what is left to do, or why nothing was read.
fn told(result: &Result<Moved, Vec<String>>) -> String {
    let lines = match result {
        Ok(moved) => {
            let tables =
                moved.text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned);
            let notes = moved.notes.iter().map(|line| format!("note: {line}"));
            let left = moved.mistakes.iter().map(|line| format!("to do: {line}"));
            tables.chain(notes).chain(left).collect()
        }
        Err(errors) => errors.iter().map(|line| format!("error: {line}")).collect::<Vec<_>>(),
    };
    lines.join("\n")
}

/// The runs, and what is expected of each.
fn expected() -> Vec<(String, String)> {
    let text = crate::committed(&format!("{FOLDER}/expected.txt"));
    let runs = text.split("== ").skip(1).map(|run| run.split_once('\n').unwrap());
    runs.map(|(words, lines)| (words.to_owned(), lines.trim_end().to_owned())).collect()
}

#[test]
fn each_comes_to_what_is_expected() {
    for (words, expected) in expected() {
        assert_eq!(told(&run(&words)), expected, "{words}");
    }
}

#[test]
fn none_is_left_out() {
    let expected = expected();
    let runs: BTreeSet<&str> = expected.iter().map(|(words, _)| words.split(' ').next().unwrap()).collect();
    for (kind, least) in
        [("access", 5), ("terraform-json", 2), ("terraform", 5), ("fusionauth", 5), ("traefik", 5), ("sample", 5)]
    {
        let folder = format!("{}/../{FOLDER}/{kind}", env!("CARGO_MANIFEST_DIR"));
        let files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(files.len() >= least, "{kind}: {files:?}");
        for file in files {
            assert!(runs.contains(format!("{kind}/{file}").as_str()), "{kind}/{file} is expected to come to something");
        }
    }
}

#[test]
fn each_can_be_written_or_says_why_not() {
    const REST: &str = "name = \"x\"\n\n[vars.RELAY.access]\nissuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"4714\"]\n\n[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"https://api.example.com\"\n";
    const JSON: &str = "{\n  \"vars\": {\n    \"RELAY\": {\n      \"access\": { \"issuer\": \"https://acme.cloudflareaccess.com\", \"audience\": [\"4714\"] },\n      \"routes\": [{ \"path\": \"/api\", \"upstream\": \"https://api.example.com\" }]\n    }\n  }\n}\n";
    for (words, _) in expected() {
        let Ok(moved) = run(&words) else { continue };
        let has_origins = moved.text.contains("\nallowed_origins = [");
        let has_cors = moved.text.contains("\n[vars.RELAY.cors]\n");
        for (file, text) in [("wrangler.toml", REST), ("wrangler.jsonc", JSON)] {
            let target = Target { file: file.to_owned(), text: text.to_owned(), ..Target::default() };
            let outcome = write(&moved, &target).unwrap();
            // Without an origin a policy is none; and a relay that has all the rest takes nothing else.
            assert_eq!(outcome.text.is_some(), has_cors && has_origins, "{words}: {:?}", outcome.refused);
            if let Some(after) = &outcome.text {
                let findings = check::text(file, after);
                assert!(findings.mistakes.is_empty() && findings.sound.len() == 1, "{words}: {findings:?}");
            } else {
                assert!(!outcome.refused.is_empty() || !has_cors, "{words}: {outcome:?}");
            }
        }
    }
}
