//! The schema beside the reader: it takes whatever the reader takes, and of the mistakes all that a schema can see.

use access_relay_companion::schema::{bundled, schema};
use access_relay_core::config::keys::{ALL, Absent, Description, Kind};
use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::config::mistakes::mistakes;
use crate::config::sound::{cached, sound};
use crate::support::config::{AUD, ISSUER, minimal, parse, relay, secrets, set};

struct Validator(Schemas, SchemaIndex);

impl Validator {
    fn new(schema: Value, others: &[(&str, Value)]) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V7);
        for (place, other) in others {
            compiler.add_resource(place, other.clone()).unwrap();
        }
        compiler.add_resource("http://test/schema.json", schema).unwrap();
        let index =
            compiler.compile("http://test/schema.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Self(schemas, index)
    }

    /// Of a wrangler file about which wrangler itself has nothing to say.
    fn of_relay() -> Self {
        Self::new(schema("http://test/wrangler.json"), &[("http://test/wrangler.json", json!({}))])
    }

    /// What is wrong with a table; nothing if it validates.
    fn refuses(&self, relay: &Value) -> Option<String> {
        self.refuses_file(&json!({ "vars": { "RELAY": relay } }))
    }

    fn refuses_file(&self, file: &Value) -> Option<String> {
        self.0.validate(file, self.1).err().map(|error| format!("{error:#}"))
    }
}

#[test]
fn whatever_serves_validates() {
    let validator = Validator::of_relay();
    let mut count = 0;
    for value in sound() {
        assert_eq!(validator.refuses(&value), None, "{value:#}");
        count += 1;
    }
    assert!(count > 30, "{count}");
}

/// Why no schema sees a mistake, by what the reader says of it; nothing where one does.
fn unseen(said: &str) -> Option<&'static str> {
    let list = [
        ("health_path: found \"/api", "compares a path with those of the routes"),
        ("routes[1].callback_paths: found \"/api/login/cb\"; name it at", "compares a path with those of the routes"),
        ("routes[0].callback_paths[1]: found \"/other\"", "compares a path with its route's"),
        ("routes[0].callback_paths[0]: found \"/apiary\"", "compares a path with its route's"),
        ("cors.excluded_paths: found \"/ap/admin\"", "compares a path with those of the routes"),
        ("routes[0].cors.excluded_paths[0]: found \"/other\"", "compares a path with its route's"),
        ("routes[0].upstream: found \"http://127.0.0.1:8702\"", "compares an upstream with the issuer"),
        ("OTHER_CLIENT_ID: found no secret", "knows no secrets"),
        ("cors.allowed_headers[1]: found \"x-a\" once more", "compares texts without their case"),
        ("cors.allowed_origins[0]: found \"https://*.", "knows no public suffixes"),
    ];
    list.into_iter().find(|(beginning, _)| said.starts_with(beginning)).map(|(_, why)| why)
}

/// Of the patterns, only those below a public suffix are no mistake of spelling.
fn is_suffix(said: &str, value: &Value) -> bool {
    !said.starts_with("cors.allowed_origins[0]: found \"https://*.") || value["cors"]["allow_credentials"] == true
}

#[test]
fn each_mistake_is_refused_that_a_schema_can_see() {
    let validator = Validator::of_relay();
    let cached = cached().into_iter().filter_map(|(value, beside)| Some((value, beside?)));
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut reasons: Vec<&str> = Vec::new();
    for (value, said) in mistakes().chain(cached) {
        let unseen = unseen(said).filter(|_| is_suffix(said, &value));
        match (unseen, validator.refuses(&value)) {
            (None, Some(_)) => seen += 1,
            (Some(why), None) => reasons.push(why),
            (None, None) => wrong.push(format!("validates: {said}")),
            (Some(why), Some(_)) => wrong.push(format!("is seen, and listed as unseen ({why}): {said}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    reasons.sort_unstable();
    let count = reasons.len();
    reasons.dedup();
    assert_eq!(
        (reasons.len(), seen > 180, count < 25),
        (6, true, true),
        "{seen} are seen, {count} are not: {reasons:?}"
    );
}

/// Texts of every spelling that somebody may try.
#[rustfmt::skip]
fn texts(key: &str) -> Vec<String> {
    match key {
        "issuer" | "upstream" | "allowed_origins" => {
            let hosts = ["example.com", "a", "a-b_c.example", "acme.cloudflareaccess.com", "acme.fed.cloudflareaccess.com", "localhost",
                "app.localhost", "127.0.0.1", "127.0.0.300", "127.1", "10.0.0.1", "[::1]", "[2001:db8::1]", "[::FFFF]", "a..b", "a.",
                "A.example", "bücher.example", "xn--bcher-kva.example", "a b", "<host>", ""];
            let schemes = ["https://", "http://", "capacitor://", "htps://", "ssh://", "ws://", "file://", "app+x://", "x://", "HTTPS://", "https:", ""];
            let ports = ["", ":8443", ":443", ":80", ":0", ":65535", ":99999", ":*", ":"];
            let paths = ["", "/", "/v1", "/v1/", "//", "/a/../b", "/a/...", "/a*;b", "/a?x", "/%61", "/.."];
            let mut texts = joined(&[&schemes, &["", "*."], &hosts, &ports]);
            texts.extend(joined(&[&["https://", "http://"], &["", "a.*.", "u:p@"], &["example.com", "[::1]", "acme.cloudflareaccess.com"], &["", ":8443", ":*"], &paths]));
            texts
        }
        "path" | "health_path" | "callback_paths" | "excluded_paths" => joined(&[
            &["", "/"],
            &["", "a", "cdn-cgi", "cdn-cgix", ".", "..", "...", "..a", ".a", "a.b"],
            &["", "/", "//", "/.", "/..", "/...", "/b", "/a-b~c!$&'()+,=:@", ";x", "*", "/*", "?x", "#x", "%61", " ", "ä", "\\", "<x>"],
            &["", "/", "/c"],
        ]),
        "request_cookies" | "response_cookies" => joined(&[
            &["", "theme", "cf_", "CF_", "CF_A", "cF_aPp", "CF_Authorization", "CF_AppSession", "x-cf_session-y", "CF_Bind", "CF_S", "CF_Sx",
              "__Host-a", ".AspNetCore", "prefs[lang]", "a\"", "a;", "a,", "a=", "a b", "ä", "~^`{|}<>?@/\\:!#$%&'()+-"],
            &["", "*", "**", "*a", "1"],
        ]),
        "allowed_methods" => joined(&[&["PUT", "put", "Patch", "PURGE", "purge", "CONNECT", "connect", "Trace", "TRACK", "TRACKS", "*", "", "get me", "M-SEARCH", "!#$%&'*+-.^_`|~"]]),
        "allowed_headers" | "exposed_headers" => joined(&[
            &["", "x-", "proxy-", "Sec-", "ACCESS-CONTROL-"],
            &["", "content-type", "Cookie", "cookie2", "cookie3", "set-cookie", "set-cookie2", "origin", "host", "Via", "vias", "authorization",
              "a", "x y", "ä", "!#$%&'+-.^_`|~", "date", "TE"],
        ]),
        "binding" | "service_token" => joined(&[&["", "A", "a", "_", "1", "-", "CF_ACCESS", "my-api", "MyApi"], &["", "_", "1", "é", " ", "-", "$", "b", "B"]]),
        "audience" => joined(&[&["", AUD, "my app", "<x>", "a>", "x!\"#$%&'()*+,-./:;=?@[\\]^_`{|}~"], &["", "\t", " ", "ä", "\u{7f}"]]),
        other => panic!("{other}: name texts to try"),
    }
}

/// Each part of the first list with each of the next, and so on.
fn joined(parts: &[&[&str]]) -> Vec<String> {
    parts.iter().fold(vec![String::new()], |texts, part| {
        texts.iter().flat_map(|text| part.iter().map(move |more| format!("{text}{more}"))).collect()
    })
}

/// The smallest table in which a key can have this text.
fn with(description: &Description, text: &str) -> Value {
    let value = match description.key.kind {
        Kind::Texts(_) => json!([text]),
        _ => json!(text),
    };
    match (description.table, description.key.name) {
        ("access", name) => set(&format!("/access/{name}"), value),
        ("cors", "allowed_origins") => set("/cors", json!({ "allowed_origins": value })),
        ("cors", name) => relay(|relay| {
            relay["cors"] = json!({ "allowed_origins": ["https://a.example"] });
            relay["cors"][name] = value;
            relay["routes"][0]["path"] = json!("/");
        }),
        ("routes", name) => relay(|relay| {
            relay["routes"][0]["path"] = json!("/");
            relay["routes"][0][name] = value;
        }),
        (_, name) => relay(|relay| {
            relay["routes"][0]["path"] = json!("/");
            relay[name] = value;
        }),
    }
}

#[test]
fn a_text_that_the_reader_takes_fits_its_pattern() {
    let validator = Validator::of_relay();
    let is_text = |key: &&Description| matches!(key.key.kind, Kind::Text(_) | Kind::Texts(_));
    for description in ALL.iter().filter(is_text) {
        let path = description.path();
        let (mut taken, mut refused, mut unseen) = (0, 0, Vec::new());
        for text in texts(description.key.name) {
            let value = with(description, &text);
            let own = |error: &access_relay_core::config::error::ConfigError| {
                !error.to_string().contains("found no secret of that name")
            };
            let is_sound = parse(&value, &secrets()).map_or_else(|errors| !errors.iter().any(own), |_| true);
            match (is_sound, validator.refuses(&value)) {
                (true, None) => taken += 1,
                (true, Some(why)) => panic!("{path} = {text:?}: {why}"),
                (false, Some(_)) => refused += 1,
                (false, None) => unseen.push(text),
            }
        }
        assert!(taken > 1 && refused > 1, "{path}: {taken} are taken, {refused} refused");
        // Numbers as hosts, ports beyond 65535, addresses in another form: a pattern for them would be longer than it helps.
        let is_number =
            |text: &String| ["127.", "300", ":99999", ":65536", "[", "10.0.0.1"].iter().any(|part| text.contains(part));
        unseen.retain(|text| !is_number(text));
        assert!(unseen.is_empty(), "{path}: {unseen:?}");
    }
}

#[test]
fn each_default_and_example_is_one_that_it_takes() {
    let schema = schema("./wrangler.json");
    let validator = Validator::of_relay();
    for (table, definition) in
        [("access", "RelayAccess"), ("routes", "RelayRoute"), ("cors", "RelayCors"), ("relay", "Relay")]
    {
        for (name, property) in schema["definitions"][definition]["properties"].as_object().unwrap() {
            let examples = property["examples"].as_array().cloned().unwrap_or_default();
            for value in examples.into_iter().chain(property.get("default").cloned()) {
                let mut relay = minimal();
                relay["cors"] = json!({ "allowed_origins": ["https://a.example"] });
                match table {
                    "relay" => relay[name] = value,
                    "routes" => relay["routes"][0][name] = value,
                    _ => relay[table][name] = value,
                }
                assert_eq!(validator.refuses(&relay), None, "{table} {name}");
            }
        }
    }
    let has_default = |key: &&Description| matches!(key.key.absent, Absent::Is(_));
    assert!(ALL.iter().filter(has_default).count() > 15);
}

#[test]
fn a_bundle_knows_all_of_the_file() {
    // As much of wrangler's own as matters here; what is installed is tried in tests/package.
    let wranglers = json!({
        "allOf": [{ "$ref": "#/definitions/RawConfig" }],
        "definitions": {
            "RawConfig": { "type": "object", "additionalProperties": false, "properties": {
                "name": { "type": "string" }, "vars": { "type": "object" }, "env": { "type": "object" }, "previews": { "type": "object" },
            } },
            "Access": { "type": "number" }, "Route": { "type": "number" },
        },
    });
    let validator = Validator::new(bundled(&wranglers.to_string(), "4").unwrap(), &[]);
    let file = |relay: &Value| json!({ "name": "x", "vars": { "OTHER": "y", "RELAY": relay } });
    let wrong = set("/access/issuer", json!(format!("{ISSUER}/")));
    assert_eq!(validator.refuses_file(&file(&minimal())), None);
    assert_eq!(validator.refuses_file(&json!({ "name": "x" })), None);
    let in_another = |relay: &Value| json!({ "env": { "staging": { "vars": { "RELAY": relay } } }, "previews": { "vars": { "RELAY": relay } } });
    assert_eq!(validator.refuses_file(&in_another(&minimal())), None);
    for file in [file(&wrong), json!({ "nmae": "x" }), json!({ "name": 5 }), in_another(&wrong)] {
        assert!(validator.refuses_file(&file).is_some(), "{file}");
    }
}
