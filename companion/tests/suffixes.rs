//! The list is that of the crate `psl`, and so is what is found on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use access_relay_companion::suffixes::{is_lent, listed, registrable};
use serde_json::Value;

use crate::committed;

const FILE: &str = "companion/src/suffixes.txt";

#[test]
fn the_public_suffixes_are_those_of_psl() {
    let Psl { version, rules } = Psl::read();
    let header = format!(
        "// The Public Suffix List (https://publicsuffix.org/list/public_suffix_list.dat), as the crate psl {version} has it.
//
// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not distributed with this
// file, You can obtain one at https://mozilla.org/MPL/2.0/.
//
// Written by companion/tests/suffixes.rs, read by companion/src/suffixes.rs. A rule on each line, its labels from the right, in the order
// of labels; rules in another script a second time in Punycode. `*` is any label, `!` marks exceptions, `+` rules of the private section.
"
    );
    let mut lines = BTreeMap::new();
    for rule in &rules {
        let name = rule.trim_start_matches('!');
        let found = psl::suffix(name.replace('*', "any").as_bytes()).unwrap().typ().unwrap();
        let marks = [(rule.starts_with('!'), "!"), (found == psl::Type::Private, "+")];
        let marks: String = marks.iter().filter_map(|(is_so, mark)| is_so.then_some(*mark)).collect();
        for name in [name.to_owned(), in_punycode(name)] {
            lines.insert(name.rsplit('.').map(str::to_owned).collect::<Vec<String>>(), marks.clone());
        }
    }
    let lines: String = lines.iter().map(|(path, marks)| format!("\n{}{marks}", path.join("."))).collect();
    let text = format!("{header}{lines}\n");
    if std::env::var_os("WRITE_SUFFIXES").is_some() {
        std::fs::write(format!("{}/../{FILE}", env!("CARGO_MANIFEST_DIR")), &text).unwrap();
    }
    assert!(
        committed(FILE) == text,
        "{FILE} is not what psl {version} has. To write it anew: \
         WRITE_SUFFIXES=1 cargo test --package access-relay-companion public_suffixes"
    );
}

#[test]
fn what_is_found_is_what_psl_finds() {
    let rules = Psl::read().rules;
    assert!(rules.len() > 9_000);
    for rule in &rules {
        let name = rule.trim_start_matches('!');
        // `*` is a label, none, or itself.
        let names = [name.to_owned(), name.replace('*', "any"), name.replace("*.", "")];
        for name in names.into_iter().flat_map(|name| [in_punycode(&name), name]).collect::<BTreeSet<String>>() {
            for above in ["", "a.", "b.a."] {
                same(&format!("{above}{name}"));
            }
            // Beside it: just after it in the file, or where its parent's other rules are.
            let (_, parent) = name.split_once('.').unwrap_or_default();
            for beside in [format!("{name}-"), format!("zz.{parent}")] {
                same(&beside);
            }
        }
    }
}

#[test]
fn whatever_it_is() {
    for name in [
        "",
        ".",
        "..",
        "a",
        "localhost",
        "example.test",
        "com.",
        "example.com.",
        "a..com",
        ".com",
        "..com",
        "a.b.",
        "*",
        "*.ck",
        "!www.ck",
        "www.ck!",
        "ac.drr+",
        "drr.ac+",
        "+.drr.ac",
        "//",
        "// The",
        "\n",
        "\n\n",
        "com\nnet",
        "COM",
        "Example.Co.UK",
        "127.0.0.1",
        "[::1]",
        "[2001:db8::1]",
        "1.2.3",
        "~",
        "~~~",
        "\u{10ffff}",
        "食狮.中国",
        "é.fr",
    ] {
        same(name);
    }
}

/// Both find the same of a name.
fn same(name: &str) {
    let is_suffix = |name: &str| psl::suffix_str(name) == Some(name);
    let is_address =
        name.starts_with('[') || name.rsplit('.').next().unwrap().bytes().all(|byte| byte.is_ascii_digit());
    let lent = psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private));
    assert_eq!(listed(name), is_suffix(name) || is_suffix(&format!("any.{name}")), "listed: {name:?}");
    assert_eq!(registrable(name), psl::domain_str(name).filter(|_| !is_address), "registrable: {name:?}");
    assert_eq!(is_lent(name), lent, "is_lent: {name:?}");
}

fn in_punycode(name: &str) -> String {
    name.split('.')
        .map(|label| if label == "*" { "*".to_owned() } else { idna::domain_to_ascii(label).unwrap() })
        .collect::<Vec<_>>()
        .join(".")
}

/// The crate that the tests are compiled with.
struct Psl {
    version: String,
    /// All rules, as the list has them.
    rules: Vec<String>,
}

impl Psl {
    /// Reads what its code was generated from, which lies beside that: its functions tell no list of the rules.
    fn read() -> Self {
        let options = ["--locked", "--format-version=1", "--filter-platform=wasm32-unknown-unknown"];
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let asked =
            Command::new(env!("CARGO")).args(["metadata", "--manifest-path", manifest]).args(options).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        let metadata: Value = serde_json::from_slice(&asked.stdout).unwrap();
        let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "psl").unwrap();
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        Self {
            version: package["version"].as_str().unwrap().to_owned(),
            rules: std::fs::read_to_string(folder.join("data/rules.txt")).unwrap().lines().map(str::to_owned).collect(),
        }
    }
}
