//! The docs name what the code has, all of it.

use access_relay_core::config::keys::{ALL, Absent, Description, Kind};
use access_relay_core::config::types::Config;
use access_relay_core::messages::crossing::{NOT_THE_APIS, NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED, NOT_THE_CALLERS};
use access_relay_core::outcomes::problem::Code;
use serde_json::{Value, json};

use crate::support::config::{errors, parsed, relay};

fn doc(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("docs").join(name))
        .unwrap()
}

#[test]
fn every_code_is_described_with_its_status() {
    let errors = doc("errors.md");
    for code in Code::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.status());
        assert_eq!(errors.matches(&row).count(), 1, "{row}");
    }
    assert_eq!(errors.lines().filter(|line| line.starts_with("| `")).count(), Code::ALL.len());
}

#[test]
fn headers_md_has_every_one_of_them() {
    let docs = doc("headers.md");
    for (heading, list) in [
        ("## Not the caller's to say", NOT_THE_CALLERS),
        ("## Not the API's to say", NOT_THE_APIS),
        ("## Not the API's to say to caches", NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED),
    ] {
        let (_, section) = docs.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
        let section = section.split("\n## ").next().unwrap();
        // The first column of each row, and nothing else there.
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let names: Vec<&str> = rows
            .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
            .map(|name| name.trim().trim_matches('`'))
            .collect();
        assert_eq!(names, list, "{heading}");
    }
}

/// The docs' row of each key: its default, its meaning, and the heading that it stands below.
fn documented() -> Vec<(String, String, String, String)> {
    let (configuration, mut heading) = (doc("configuration.md"), "");
    let rows = configuration.lines().filter_map(|line| {
        heading = line.strip_prefix("## ").unwrap_or(heading);
        let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.splitn(3, " | ").collect();
        let [key, default, meaning] = cells.as_slice() else { return None };
        Some((key.strip_suffix('`')?.to_owned(), (*default).to_owned(), (*meaning).to_owned(), heading.to_owned()))
    });
    rows.collect()
}

#[test]
fn the_docs_say_of_each_key_what_its_description_says() {
    let rows = documented();
    // The tables themselves have no row, but for the one that stands within a route.
    let described = ALL.iter().filter(|key| !matches!(key.path().as_str(), "access" | "routes" | "cors"));
    let mut count = 0;
    for description in described {
        let path = description.path();
        let found: Vec<_> = rows.iter().filter(|(key, ..)| *key == path).collect();
        let [(_, default, meaning, heading)] = found.as_slice() else { panic!("{path} has {} rows", found.len()) };
        let absent = match description.key.absent {
            Absent::Required => "required".to_owned(),
            Absent::Nothing => "none".to_owned(),
            Absent::Is(toml) => format!("`{toml}`"),
            Absent::SameAs(other) => other.to_owned(),
        };
        assert_eq!(*default, absent, "{path}");
        assert!(meaning.starts_with(description.meaning), "{path}: {meaning}");
        let section = format!("configuration.md#{}", heading.to_lowercase().replace(' ', "-"));
        assert_eq!(description.section(), section, "{path}: where its row is");
        count += 1;
    }
    assert_eq!(rows.len(), count, "a row for a key that nobody reads");
}

#[test]
fn a_description_is_one_sentence_and_leads_to_a_section() {
    for description in ALL {
        let Description { meaning, since, .. } = description;
        assert!(meaning.ends_with('.') && !meaning.contains('|') && meaning.len() < 130, "{meaning}");
        assert_eq!(*since, "0.1.0");
        let (page, section) = description.section().split_once('#').unwrap();
        let heading = |line: &str| line.strip_prefix("## ").map(|title| title.to_lowercase().replace(' ', "-"));
        assert!(doc(page).lines().filter_map(heading).any(|found| found == section), "{section}");
    }
}

/// The smallest configuration in which a key can stand, with this value of it.
fn with(description: &Description, value: Option<Value>) -> Value {
    relay(|relay| {
        let table = match description.table {
            "access" => &mut relay["access"],
            "routes" => &mut relay["routes"][0],
            "cors" => {
                relay["cors"] = json!({ "allowed_origins": ["https://a.example"] });
                &mut relay["cors"]
            }
            _ => relay,
        };
        if let Some(value) = value {
            table[description.key.name] = value;
        }
    })
}

#[test]
fn each_key_that_is_described_is_read_as_it_is_described() {
    for description in ALL {
        let path = description.path();
        let place = path.replace("[]", "[0]");
        // No key can be a number like this.
        let relay = with(description, Some(json!(1.5)));
        let told = errors(&relay);
        let found = format!("{place}: found a number that is not whole; write ");
        let told =
            told.iter().find_map(|error| error.strip_prefix(&found)).unwrap_or_else(|| panic!("{path}: {told:?}"));
        let expected = match description.key.kind {
            Kind::Text(example) => format!("a text, as in \"{example}\""),
            Kind::OneOf(choices) => format!("\"{}\"", choices[0]),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Integer(least, most, unit) => format!("a whole number of {unit} from {least} to {most}"),
            Kind::Texts(example) => format!("a list of texts, as in {example}"),
            Kind::Table => format!("a table, [vars.RELAY.{}]", path.replace("[]", "")),
            Kind::Tables => format!("tables, [[vars.RELAY.{path}]]"),
        };
        assert!(told.starts_with(&expected), "{path}: {told}");
    }
}

#[test]
fn each_choice_of_a_key_comes_to_something_else() {
    let mut count = 0;
    for description in ALL {
        let Kind::OneOf(choices) = description.key.kind else { continue };
        // Where the reader forgets a choice, it falls among the rest in silence.
        let configs: Vec<Config> = choices
            .iter()
            .map(|choice| {
                let mut table = with(description, Some(json!(choice)));
                // One choice is for these alone.
                if description.path() == "routes[].credentials" {
                    table["routes"][0]["binding"] = json!("API");
                }
                parsed(&table)
            })
            .collect();
        for (index, config) in configs.iter().enumerate() {
            let same = configs[..index].iter().position(|other| other == config).map(|other| choices[other]);
            assert_eq!(same, None, "{} = {}", description.path(), choices[index]);
            count += 1;
        }
    }
    assert!(count > 10, "it reads them");
}

#[test]
fn what_is_absent_is_as_it_is_described() {
    for description in ALL {
        let Absent::Is(toml) = description.key.absent else { continue };
        // TOML and JSON write these alike.
        let value: Value = serde_json::from_str(toml).unwrap();
        let (said, unsaid) = (with(description, Some(value)), with(description, None));
        assert_eq!(parsed(&said), parsed(&unsaid), "{}", description.path());
    }
}
