//! A configuration file, told in both languages.

use access_relay_companion::document::{Language, Table, Value, written};
use access_relay_companion::wrangler;

fn table(keys: &[(&str, Value)]) -> Table {
    let mut table = Table::default();
    keys.iter().for_each(|(key, value)| table.set(&[], key, value.clone()));
    table
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn file() -> Table {
    let row = |pattern: &str| table(&[("pattern", text(pattern)), ("custom_domain", Value::Boolean(true))]);
    let route = |path: &str| table(&[("path", text(path)), ("inner", Value::Table(table(&[("a", text("b"))])))]);
    let mut file = Table::default();
    file.set(&["What it is called."], "name", text("x"));
    // A table before a plain value: TOML needs it after.
    file.set(&["", "A table."], "observability", Value::Table(table(&[("enabled", Value::Boolean(true))])));
    file.set(&[""], "routes", Value::Rows(vec![row("a/*"), row("b")]));
    let relay = table(&[
        ("access", Value::Table(table(&[("audience", Value::Texts(vec!["1".to_owned(), "2".to_owned()]))]))),
        ("routes", Value::Tables(vec![route("/api"), route("/b")])),
    ]);
    file.set(&[], "vars", Value::Table(table(&[("RELAY", Value::Table(relay))])));
    file
}

#[test]
fn toml() {
    let expected = r#"# Above all.

# What it is called.
name = "x"

routes = [
  { pattern = "a/*", custom_domain = true },
  { pattern = "b", custom_domain = true }
]

# A table.
[observability]
enabled = true

[vars.RELAY.access]
audience = ["1", "2"]

[[vars.RELAY.routes]]
path = "/api"

[vars.RELAY.routes.inner]
a = "b"

[[vars.RELAY.routes]]
path = "/b"

[vars.RELAY.routes.inner]
a = "b"
"#;
    assert_eq!(written(&["Above all.", ""], &file(), Language::Toml), expected);
}

#[test]
fn jsonc() {
    let expected = r#"// Above all.
{
  // What it is called.
  "name": "x",

  // A table.
  "observability": {
    "enabled": true
  },

  "routes": [
    { "pattern": "a/*", "custom_domain": true },
    { "pattern": "b", "custom_domain": true }
  ],
  "vars": {
    "RELAY": {
      "access": {
        "audience": ["1", "2"]
      },
      "routes": [
        {
          "path": "/api",
          "inner": {
            "a": "b"
          }
        },
        {
          "path": "/b",
          "inner": {
            "a": "b"
          }
        }
      ]
    }
  }
}
"#;
    assert_eq!(written(&["Above all."], &file(), Language::Jsonc), expected);
}

#[test]
fn both_say_the_same() {
    let [toml, jsonc] = [("wrangler.toml", Language::Toml), ("wrangler.jsonc", Language::Jsonc)]
        .map(|(name, language)| wrangler::read(name, &written(&["Above all."], &file(), language)).unwrap());
    assert_eq!(toml, jsonc);
}

#[test]
fn whatever_a_text_holds_it_is_read_as_it_was() {
    for value in [
        "",
        "a \"quote\"",
        "back\\slash",
        "line\nbreak\ttab\u{1}\u{8}",
        "é — 日本",
        "# no comment",
        "// none",
        "\u{7f}\u{85}",
    ] {
        for (name, language) in [("wrangler.toml", Language::Toml), ("wrangler.jsonc", Language::Jsonc)] {
            let written = written(&[], &table(&[("key", text(value))]), language);
            let read = wrangler::read(name, &written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
            assert_eq!(read["key"], value, "{written:?}");
        }
    }
}
