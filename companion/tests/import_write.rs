//! `import --write`: what becomes of a wrangler file, byte for byte.

use access_relay_companion::check;
use access_relay_companion::import::file::{Wish, import};
use access_relay_companion::import::write::{Outcome, Target, write};

/// A policy with one value that is changed.
const APP: &str = r#"{ "name": "API", "cors_headers": { "allowed_origins": ["https://a.example.com"], "allow_credentials": true, "max_age": 100000 } }"#;

/// The same, with an API.
const WITH_API: &str = r#"{ "name": "API", "domain": "api2.example.com", "cors_headers": { "allowed_origins": ["https://a.example.com"], "allow_credentials": true, "max_age": 100000 } }"#;

/// What a relay needs beside a policy.
const REST: &str = r#"[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["4714"]

[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
"#;

const CORS: &str = r#"# Imported from "API".
[vars.RELAY.cors]
allowed_origins = ["https://a.example.com"]
allow_credentials = true
# cors_headers.max_age is 100000, and the relay takes -1 to 86400.
max_age = 86400
"#;

fn put(app: &str, file: &str, text: &str, environment: Option<&str>, overwrite: bool) -> Result<Outcome, Vec<String>> {
    let moved = import("app.json", app, &Wish::default()).unwrap();
    let environment = environment.map(str::to_owned);
    write(&moved, &Target { file: file.to_owned(), text: text.to_owned(), environment, overwrite })
}

/// The file afterwards, and what is told.
fn written(app: &str, file: &str, text: &str, environment: Option<&str>, overwrite: bool) -> (String, Vec<String>) {
    let Outcome { text: new, told, refused, .. } = put(app, file, text, environment, overwrite).unwrap();
    assert_eq!(refused, Vec::<String>::new(), "{text}");
    (new.unwrap_or_else(|| panic!("nothing was written into {text}")), told)
}

const PUT_IN: &str = "put in: vars.RELAY.cors";

#[test]
fn in_toml_the_tables_stand_after_what_they_belong_to() {
    let env = REST.replace("vars.", "env.'my stage'.vars.");
    for (before, environment, expected) in [
        // After RELAY, and before what is said of the next table.
        (
            format!("# top\nname = \"x\"  # name\n\n[vars]\nA = \"b\"\n\n{REST}# of the route\n\n# of the assets\n[assets]\ndirectory = \"./public\"\n# end"),
            None,
            format!("# top\nname = \"x\"  # name\n\n[vars]\nA = \"b\"\n\n{REST}# of the route\n\n{CORS}\n# of the assets\n[assets]\ndirectory = \"./public\"\n# end"),
        ),
        // A comment that runs up to a header belongs to that.
        (
            format!("{REST}# of the assets\n[assets]\ndirectory = \"./public\"\n"),
            None,
            format!("{REST}\n{CORS}\n# of the assets\n[assets]\ndirectory = \"./public\"\n"),
        ),
        // At the end, after comments, with or without an end of the last line.
        (format!("{REST}\n# end\n"), None, format!("{REST}\n# end\n\n{CORS}")),
        (REST.trim_end().to_owned(), None, format!("{REST}\n{CORS}")),
        (format!("{REST}\n\n"), None, format!("{REST}\n\n{CORS}")),
        // Windows, and a mark at the beginning.
        (format!("\u{feff}{REST}").replace('\n', "\r\n"), None, format!("\u{feff}{REST}\n{CORS}").replace('\n', "\r\n")),
        // Keys with dots, in the middle of a table.
        (
            "name = \"x\"\n\n[vars]\nRELAY.access = { issuer = \"https://acme.cloudflareaccess.com\", audience = [\"4714\"] }\nRELAY.routes = [{ path = \"/api\", upstream = \"https://api.example.com\" }]\nA = [\"b\"] # last\n\n[assets]\ndirectory = \"./public\"\n".to_owned(),
            None,
            format!("name = \"x\"\n\n[vars]\nRELAY.access = {{ issuer = \"https://acme.cloudflareaccess.com\", audience = [\"4714\"] }}\nRELAY.routes = [{{ path = \"/api\", upstream = \"https://api.example.com\" }}]\nA = [\"b\"] # last\n\n{CORS}\n[assets]\ndirectory = \"./public\"\n"),
        ),
        // Between brackets, where no comment can be.
        (
            "[vars]\n  RELAY = { access = { issuer = \"https://acme.cloudflareaccess.com\", audience = [\"4714\"] }, routes = [{ path = \"/api\", upstream = \"https://api.example.com\" }] } # mine\n".to_owned(),
            None,
            "[vars]\n  # Imported from \"API\".\n  # cors_headers.max_age is 100000, and the relay takes -1 to 86400.\n  RELAY = { access = { issuer = \"https://acme.cloudflareaccess.com\", audience = [\"4714\"] }, routes = [{ path = \"/api\", upstream = \"https://api.example.com\" }], cors = { allowed_origins = [\"https://a.example.com\"], allow_credentials = true, max_age = 86400 } } # mine\n".to_owned(),
        ),
        // An environment, whose name needs quotes.
        (
            format!("{REST}\n{env}\n[env.\"my stage\".assets]\ndirectory = \"./public\"\n"),
            Some("my stage"),
            format!("{REST}\n{env}\n{}\n[env.\"my stage\".assets]\ndirectory = \"./public\"\n", CORS.replace("vars.", "env.\"my stage\".vars.")),
        ),
    ] {
        let (after, told) = written(APP, "wrangler.toml", &before, environment, false);
        assert_eq!(after, expected);
        assert_eq!(told, [environment.map_or(PUT_IN.to_owned(), |name| format!("put in: env.{name}.vars.RELAY.cors"))]);
        assert!(check::text("wrangler.toml", &after).mistakes.is_empty(), "{after}");
    }
}

const JSON_REST: &str = r#"      "access": { "issuer": "https://acme.cloudflareaccess.com", "audience": ["4714"] },
      "routes": [{ "path": "/api", "upstream": "https://api.example.com" }]"#;

const JSON_CORS: &str = r#"      // Imported from "API".
      "cors": {
        "allowed_origins": ["https://a.example.com"],
        "allow_credentials": true,
        // cors_headers.max_age is 100000, and the relay takes -1 to 86400.
        "max_age": 86400
      }"#;

#[test]
fn in_json_the_keys_stand_after_the_last_one() {
    let file = |relay: &str| {
        format!(
            "{{\n  // top\n  \"name\": \"x\", /* name */\n  \"vars\": {{\n    \"RELAY\": {{\n{relay}\n    }}\n  }},\n  // end\n}}\n"
        )
    };
    let env = |relay: &str| {
        format!(
            "{{\n  \"vars\": {{\n    \"RELAY\": {{\n{JSON_REST}\n    }}\n  }},\n  \"env\": {{ \"a.b\": {{ \"vars\": {{ \"RELAY\": {{\n{relay}\n    }} }} }} }}\n}}\n"
        )
    };
    let four = |text: String| text.lines().map(|line| line.replace("  ", "\t") + "\r\n").collect::<String>();
    for (before, environment, expected) in [
        (file(JSON_REST), None, file(&format!("{JSON_REST},\n{JSON_CORS}"))),
        // Whoever ends with a comma goes on doing so.
        (file(&format!("{JSON_REST},")), None, file(&format!("{JSON_REST},\n{JSON_CORS},"))),
        (file(&format!("{JSON_REST} /* a, }} */ , // b")), None, file(&format!("{JSON_REST} /* a, }} */ , // b\n{JSON_CORS},"))),
        (file(&format!("{JSON_REST} // a,\n      , /* b */")), None, file(&format!("{JSON_REST} // a,\n      , /* b */\n{JSON_CORS},"))),
        // Comments after the last key are about it, if nothing is between.
        (
            file(&format!("{JSON_REST} // mine, }}\n      // and more\n\n      // something else")),
            None,
            file(&format!("{JSON_REST}, // mine, }}\n      // and more\n{JSON_CORS}\n\n      // something else")),
        ),
        (file(&format!("{JSON_REST} /* a\n b */")), None, file(&format!("{JSON_REST},\n{JSON_CORS} /* a\n b */"))),
        // Tabs, Windows, and a mark at the beginning.
        (
            format!("\u{feff}{}", four(file(&format!("{JSON_REST} // mine\n      // and more")))),
            None,
            format!("\u{feff}{}", four(file(&format!("{JSON_REST}, // mine\n      // and more\n{JSON_CORS}")))),
        ),
        (env(JSON_REST), Some("a.b"), env(&format!("{JSON_REST},\n{JSON_CORS}"))),
        // All on one line.
        (
            r#"{ "vars": { "RELAY": { "access": { "issuer": "https://acme.cloudflareaccess.com", "audience": ["4714"] }, "routes": [{ "path": "/api", "upstream": "https://api.example.com" }] } } }"#.to_owned(),
            None,
            format!("{{ \"vars\": {{ \"RELAY\": {{ \"access\": {{ \"issuer\": \"https://acme.cloudflareaccess.com\", \"audience\": [\"4714\"] }}, \"routes\": [{{ \"path\": \"/api\", \"upstream\": \"https://api.example.com\" }}],\n{}\n}} }} }}", JSON_CORS.lines().map(|line| &line[4..]).collect::<Vec<_>>().join("\n")),
        ),
    ] {
        let (after, told) = written(APP, "wrangler.jsonc", &before, environment, false);
        assert_eq!(after, expected);
        assert_eq!(told, [environment.map_or(PUT_IN.to_owned(), |name| format!("put in: env.{name}.vars.RELAY.cors"))]);
        assert!(check::text("wrangler.jsonc", &after).mistakes.is_empty(), "{after}");
    }
}

#[test]
fn a_file_without_relay_gets_it_and_is_told_what_it_lacks() {
    let route = "# Imported from \"API\".\n[[vars.RELAY.routes]]\n# The file does not say it: write the path of your page's host that leads to the API.\npath = \"/api\"\nupstream = \"https://api2.example.com\"\n";
    let cors = CORS.split_once('\n').unwrap().1;
    let json = |indent: &str| {
        let lines = "\"RELAY\": {\n  // Imported from \"API\".\n  \"routes\": [\n    {\n      // The file does not say it: write the path of your page's host that leads to the API.\n      \"path\": \"/api\",\n      \"upstream\": \"https://api2.example.com\"\n    }\n  ],\n  \"cors\": {\n    \"allowed_origins\": [\"https://a.example.com\"],\n    \"allow_credentials\": true,\n    // cors_headers.max_age is 100000, and the relay takes -1 to 86400.\n    \"max_age\": 86400\n  }\n}";
        lines.lines().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
    };
    let doubled = |text: &str| {
        let each = |line: &str| format!("{}{line}", " ".repeat(line.len() - line.trim_start().len()));
        text.lines().map(each).collect::<Vec<_>>().join("\n")
    };
    for (file, before, expected) in [
        ("wrangler.toml", "name = \"x\"", format!("name = \"x\"\n\n{route}\n{cors}")),
        ("wrangler.toml", "", format!("{route}\n{cors}")),
        ("wrangler.toml", "[vars]\nA = \"b\"\n[assets]\ndirectory = \"./public\"\n", format!("[vars]\nA = \"b\"\n\n{route}\n{cors}\n[assets]\ndirectory = \"./public\"\n")),
        // The table has nothing but its header.
        ("wrangler.toml", "[vars]\n[assets]\ndirectory = \"./public\"\n", format!("[vars]\n\n{route}\n{cors}\n[assets]\ndirectory = \"./public\"\n")),
        ("wrangler.toml", "vars.A = \"b\"\nname = \"x\"\n", format!("vars.A = \"b\"\nname = \"x\"\n\n{route}\n{cors}")),
        (
            "wrangler.toml",
            "vars = {}\n",
            "# Imported from \"API\".\n# The file does not say it: write the path of your page's host that leads to the API.\n# cors_headers.max_age is 100000, and the relay takes -1 to 86400.\nvars = { RELAY = { routes = [{ path = \"/api\", upstream = \"https://api2.example.com\" }], cors = { allowed_origins = [\"https://a.example.com\"], allow_credentials = true, max_age = 86400 } } }\n".to_owned(),
        ),
        ("wrangler.jsonc", "{}", format!("{{\n  \"vars\": {{\n{}\n  }}\n}}", json("    "))),
        ("wrangler.json", "// top\n{\n    \"vars\": {}\n}\n", format!("// top\n{{\n    \"vars\": {{\n{}\n    }}\n}}\n", doubled(&json("    ")))),
        ("wrangler.jsonc", "{ // a\n  \"vars\": {\n    \"A\": \"b\",\n  },\n}\n", format!("{{ // a\n  \"vars\": {{\n    \"A\": \"b\",\n{},\n  }},\n}}\n", json("    "))),
    ] {
        let Outcome { text, told, refused, findings, .. } = put(WITH_API, file, before, None, false).unwrap();
        assert_eq!(text.as_deref(), Some(expected.as_str()), "{before}");
        let again = put(WITH_API, file, &expected, None, false).unwrap();
        assert_eq!((again.text, again.told), (None, vec!["nothing was written: the file says all of it".to_owned()]));
        assert_eq!(told, ["put in: vars.RELAY.routes", "put in: vars.RELAY.cors"]);
        assert!(refused.is_empty());
        let paths: Vec<&str> = findings.mistakes.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["vars.RELAY.access"], "{before}");
    }
}

#[test]
fn a_policy_that_is_there_changes_only_if_that_is_asked_for() {
    let header = "[vars.RELAY.cors] # mine\n# who\nallowed_origins = [\n  \"https://b.example.com\", # b, and \"#\"\n  # \"https://c.example.com\",\n  \"\\\"# d\\\\\", 'e\\', # f\n \"g\", # h\n] # end\nallow_credentials = true\nexcluded_paths = [\"/api/x\"]\n";
    let changed = "# Imported from \"API\".\n[vars.RELAY.cors] # mine\n# who\n# b, and \"#\"\n# \"https://c.example.com\",\n# f\n# h\nallowed_origins = [\"https://a.example.com\"] # end\nallow_credentials = true\nexcluded_paths = [\"/api/x\"]\n# cors_headers.max_age is 100000, and the relay takes -1 to 86400.\nmax_age = 86400\n";
    let json = |cors: &str| format!("{{\n  \"vars\": {{\n    \"RELAY\": {{\n{JSON_REST},\n{cors}\n    }}\n  }}\n}}\n");
    let dotted =
        |cors: &str| format!("{REST}\n[vars.RELAY]\n{cors}log = \"requests\"\n\n[assets]\ndirectory = \"./public\"\n");
    for (file, before, expected, refused, told) in [
        (
            "wrangler.toml",
            format!("{REST}\n{header}\n[assets]\ndirectory = \"./public\"\n"),
            format!("{REST}\n{changed}\n[assets]\ndirectory = \"./public\"\n"),
            "vars.RELAY.cors (line 9) is there already with allow_credentials (line 17), allowed_origins (line 11), excluded_paths (line 18); with --overwrite, the imported values take the place of those",
            &[
                "changed: vars.RELAY.cors.allowed_origins (line 11) was [\"https://b.example.com\",\"\\\"# d\\\\\",\"e\\\\\",\"g\"], and is [\"https://a.example.com\"]",
                "put in: vars.RELAY.cors.max_age",
                "stays: vars.RELAY.cors.excluded_paths (line 18), of which the imported policy says nothing",
            ][..],
        ),
        (
            "wrangler.toml",
            dotted("cors.allowed_origins = [\"https://b.example.com\"]\n  cors.allow_credentials = true\n"),
            dotted(
                "# Imported from \"API\".\ncors.allowed_origins = [\"https://a.example.com\"]\n  cors.allow_credentials = true\n  # cors_headers.max_age is 100000, and the relay takes -1 to 86400.\n  cors.max_age = 86400\n",
            ),
            "vars.RELAY.cors (line 10) is there already with allow_credentials (line 11), allowed_origins (line 10); with --overwrite, the imported values take the place of those",
            &[
                "changed: vars.RELAY.cors.allowed_origins (line 10) was [\"https://b.example.com\"], and is [\"https://a.example.com\"]",
                "put in: vars.RELAY.cors.max_age",
            ],
        ),
        (
            "wrangler.toml",
            dotted("cors = { allowed_origins = [\"https://b.example.com\"], allow_credentials = true }\n"),
            dotted(
                "# Imported from \"API\".\n# cors_headers.max_age is 100000, and the relay takes -1 to 86400.\ncors = { allowed_origins = [\"https://a.example.com\"], allow_credentials = true, max_age = 86400 }\n",
            ),
            "vars.RELAY.cors (line 10) is there already with allow_credentials (line 10), allowed_origins (line 10); with --overwrite, the imported values take the place of those",
            &[
                "changed: vars.RELAY.cors.allowed_origins (line 10) was [\"https://b.example.com\"], and is [\"https://a.example.com\"]",
                "put in: vars.RELAY.cors.max_age",
            ],
        ),
        (
            "wrangler.toml",
            format!("{REST}\n  [vars.RELAY.cors]"),
            format!(
                "{REST}\n  # Imported from \"API\".\n  [vars.RELAY.cors]\n  allowed_origins = [\"https://a.example.com\"]\n  allow_credentials = true\n  # cors_headers.max_age is 100000, and the relay takes -1 to 86400.\n  max_age = 86400\n"
            ),
            "vars.RELAY.cors (line 9) is there already; with --overwrite, the imported values take the place of those",
            &[
                "put in: vars.RELAY.cors.allowed_origins",
                "put in: vars.RELAY.cors.allow_credentials",
                "put in: vars.RELAY.cors.max_age",
            ],
        ),
        (
            "wrangler.jsonc",
            json(
                "      \"cors\": { // mine\n        \"allowed_origins\": [\n          \"https://b.example.com\" // b\n        ],\n        \"allow_credentials\": true\n      }",
            ),
            json(
                "      // Imported from \"API\".\n      \"cors\": { // mine\n        // b\n        \"allowed_origins\": [\"https://a.example.com\"],\n        \"allow_credentials\": true,\n        // cors_headers.max_age is 100000, and the relay takes -1 to 86400.\n        \"max_age\": 86400\n      }",
            ),
            "vars.RELAY.cors (line 6) is there already with allow_credentials (line 10), allowed_origins (line 7); with --overwrite, the imported values take the place of those",
            &[
                "changed: vars.RELAY.cors.allowed_origins (line 7) was [\"https://b.example.com\"], and is [\"https://a.example.com\"]",
                "put in: vars.RELAY.cors.max_age",
            ],
        ),
    ] {
        let Outcome { text, told: nothing, refused: why, .. } = put(APP, file, &before, None, false).unwrap();
        assert_eq!((text, nothing, why), (None, vec![], vec![refused.to_owned()]), "{before}");
        let (after, lines) = written(APP, file, &before, None, true);
        assert_eq!(after, expected);
        assert_eq!(lines, told, "{before}");
        assert!(check::text(file, &after).mistakes.is_empty(), "{after}");
        // Once more, there is nothing to do.
        for overwrite in [false, true] {
            let again = put(APP, file, &after, None, overwrite).unwrap();
            assert_eq!((again.text, again.refused), (None, vec![]));
            assert_eq!(again.told, ["nothing was written: the file says all of it"]);
        }
    }
}

#[test]
fn access_and_routes_stay_and_what_was_not_put_in_is_told() {
    const TAG: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
    let (after, told) = written(WITH_API, "wrangler.toml", REST, None, true);
    assert_eq!(after, format!("{REST}\n{CORS}"));
    assert_eq!(
        told,
        [
            "stays: vars.RELAY.routes (line 5); not put in: path = \"/api\", upstream = \"https://api2.example.com\"",
            "put in: vars.RELAY.cors"
        ]
    );
    let script =
        format!("const TEAM_DOMAIN = \"https://other.cloudflareaccess.com\";\nconst POLICY_AUD = \"{TAG}\";\n");
    let moved = import("a.js", &script, &Wish::default()).unwrap();
    let target = Target { file: "wrangler.toml".to_owned(), text: REST.to_owned(), ..Target::default() };
    let outcome = write(&moved, &target).unwrap();
    assert_eq!(outcome.text, None);
    assert_eq!(
        outcome.told,
        [
            format!(
                "stays: vars.RELAY.access (line 1); not put in: issuer = \"https://other.cloudflareaccess.com\", audience = [\"{TAG}\"]"
            ),
            "nothing was written: the file says all of it".to_owned(),
        ]
    );
}

#[test]
fn what_would_not_pass_check_is_not_written() {
    // No origin is left; and a policy that leaves preflights to the API goes with no methods.
    let none = r#"{ "name": "API", "cors_headers": { "allow_credentials": true, "allow_all_origins": true } }"#;
    let bypass = r#"{ "name": "API", "options_preflight_bypass": true, "cors_headers": { "allowed_origins": ["https://a.example.com"], "allow_credentials": true } }"#;
    let methods = format!(
        "{REST}[vars.RELAY.cors]\nallowed_origins = [\"https://a.example.com\"]\nallow_credentials = true\nallowed_methods = [\"PUT\"]\n"
    );
    for (app, text, overwrite, path) in [
        (none, REST, false, "vars.RELAY.cors.allowed_origins"),
        (bypass, methods.as_str(), true, "vars.RELAY.cors.allowed_methods"),
    ] {
        let outcome = put(app, "wrangler.toml", text, None, overwrite).unwrap();
        assert_eq!(outcome.text, None);
        assert_eq!(outcome.told, Vec::<String>::new());
        assert_eq!(outcome.refused, ["the result would not pass `access-relay check`"]);
        let paths: Vec<&str> = outcome.findings.mistakes.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, [path]);
    }
}

#[test]
fn a_mistake_that_was_there_hinders_nothing_and_excuses_no_other() {
    const NONE: &str = r#"{ "name": "API", "cors_headers": { "allow_credentials": true, "allow_all_origins": true } }"#;
    let before = format!("{REST}\n[vars.RELAY.log]\n");
    let paths = |outcome: &Outcome| -> Vec<String> {
        outcome.findings.mistakes.iter().map(|finding| finding.path.clone()).collect()
    };
    let sound = put(APP, "wrangler.toml", &before, None, false).unwrap();
    assert_eq!(sound.text, Some(format!("{before}\n{CORS}")));
    assert_eq!(paths(&sound), ["vars.RELAY.log"]);
    let unfit = put(NONE, "wrangler.toml", &before, None, false).unwrap();
    assert_eq!((&unfit.text, unfit.refused.len()), (&None, 1));
    assert_eq!(paths(&unfit), ["vars.RELAY.cors.allowed_origins", "vars.RELAY.log"]);
}

#[test]
fn what_cannot_be_changed_is_left_alone() {
    let refused = |text: &str, file: &str| {
        let outcome = put(APP, file, text, None, true).unwrap();
        assert_eq!(outcome.text, None, "{text}");
        outcome.refused.join("\n")
    };
    for (file, text, expected) in [
        ("wrangler.toml", "vars = 1\n", "vars (line 1) is no table; make it one first"),
        ("wrangler.toml", "[vars]\nRELAY = '{}'\n", "vars.RELAY (line 2) is no table; make it one first"),
        ("wrangler.jsonc", "{\n\"vars\": { \"RELAY\": [] } }", "vars.RELAY (line 2) is no table; make it one first"),
        ("wrangler.jsonc", "[]", "the tables cannot be put there; copy what import prints without --write"),
        (
            "wrangler.toml",
            &format!("{REST}[vars.RELAY]\ncors = true\n"),
            "vars.RELAY.cors (line 9) is no table; make it one first",
        ),
    ] {
        assert_eq!(refused(text, file), expected, "{text}");
    }
    let nothing = put(r#"{ "name": "API", "aud": "1" }"#, "wrangler.toml", REST, None, false).unwrap();
    assert_eq!(
        (nothing.text, nothing.refused),
        (None, vec!["there is nothing to write: the notes say why".to_owned()])
    );
    for (file, text, environment, expected) in [
        (
            "wrangler.toml",
            "a = \n",
            None,
            "wrangler.toml:1:5: not valid TOML: string values must be quoted, expected literal string; mend it: wrangler cannot read this file either",
        ),
        ("a\0\u{1b}.json", "// a\n", None, "a\\u0000\\u001b.json: found nothing in it"),
        (
            "wrangler.jsonc",
            "{",
            None,
            "wrangler.jsonc:1:2: not valid JSON: Unterminated object; mend it: wrangler cannot read this file either",
        ),
        (
            "wrangler.jsonc",
            "{ \"a\": { \"b\": 1, \"b\": 2 } }",
            None,
            "wrangler.jsonc:1:15: a.b: found the same key once more; leave one of the two out: only the last one counts",
        ),
        ("wrangler.toml", REST, Some("none"), "wrangler.toml: found no environment \"none\"; name one that is there"),
    ] {
        assert_eq!(put(APP, file, text, environment, false).unwrap_err(), [expected], "{text}");
    }
}

#[test]
fn no_secret_is_put_in_and_no_line_is_forged() {
    let secret = "cfast_0123456789abcdefGHIJ";
    let app = format!(
        r#"{{ "name": "{secret}\n[vars]", "cors_headers": {{ "allowed_origins": ["https://a.example.com"], "allow_credentials": true, "max_age": "{secret}\nx" }} }}"#
    );
    for (file, text) in [
        ("wrangler.toml", REST.to_owned()),
        ("wrangler.jsonc", format!("{{ \"vars\": {{ \"RELAY\": {{\n{JSON_REST} }} }} }}")),
    ] {
        let outcome = put(&app, file, &text, None, false).unwrap();
        let after = outcome.text.unwrap();
        assert!(!after.contains("0123456789abcdef") && after.contains("To do: "), "{after}");
    }
    // A secret of the person's own is not told when its value is replaced.
    let before = format!("{REST}[vars.RELAY.cors]\nallowed_origins = [\"{secret}\"]\nallow_credentials = true\n");
    let (_, told) = written(APP, "wrangler.toml", &before, None, true);
    assert!(!told.join("\n").contains("0123456789abcdef"), "{told:?}");
}
