//! JSON Schema of `RELAY`, and its type in TypeScript: both made of the one description of the keys.
//!
//! Draft-07, for editors know it best; it stands around what wrangler says of its own file.

use access_relay_core::config::keys::access::AUDIENCE;
use access_relay_core::config::keys::cors::ALLOWED_ORIGINS;
use access_relay_core::config::keys::relay::CORS;
use access_relay_core::config::keys::{ALL, Absent, Description, Kind};
use access_relay_core::syntax::text::has_placeholder;
use serde_json::{Map, Value, json};

use crate::{rules, shapes};

/// What the schema calls itself.
pub const TITLE: &str = "A wrangler file with access-relay's RELAY";

/// The schema of a wrangler file with `RELAY` in it: `wranglers` is where wrangler's own schema lies, seen from this one.
#[must_use]
pub fn schema(wranglers: &str) -> Value {
    around(wranglers, Map::new())
}

/// The same with wrangler's own schema within, given as text, for who follows no reference to another file: Taplo. `version` is
/// wrangler's.
///
/// # Errors
/// Why the text cannot be used.
pub fn bundled(wranglers: &str, version: &str) -> Result<Value, String> {
    let Ok(Value::Object(mut root)) = serde_json::from_str(wranglers) else {
        return Err("wrangler's schema: found no JSON object".to_owned());
    };
    let Some(Value::Object(mut definitions)) = root.remove("definitions") else {
        return Err("wrangler's schema: found no definitions".to_owned());
    };
    // Its own references lead to `#/definitions/…`, which is the same place in here.
    root.retain(|key, _| !matches!(key.as_str(), "$schema" | "$id"));
    definitions.insert(WRANGLER.to_owned(), Value::Object(root));
    if let Some((_, name, _)) = TABLES.into_iter().find(|(_, name, _)| definitions.contains_key(*name)) {
        return Err(format!("wrangler's schema: found a definition {name} of its own"));
    }
    let mut schema = around(&reference(WRANGLER), definitions);
    if let Some(keys) = schema.as_object_mut() {
        let from =
            format!("With the schema of wrangler {version} (MIT OR Apache-2.0), made by access-relay schema --bundle.");
        keys.insert("$comment".to_owned(), Value::from(from));
    }
    Ok(schema)
}

/// What wrangler says of its whole file.
const WRANGLER: &str = "Wrangler";

fn around(wranglers: &str, mut definitions: Map<String, Value>) -> Value {
    let vars = json!({ "properties": { "RELAY": { "$ref": reference("Relay") } } });
    let environment = json!({ "properties": { "vars": vars } });
    for (table, name, about) in TABLES {
        definitions.insert(name.to_owned(), definition(table, about));
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "allowTrailingCommas": true,
        "allOf": [
            { "$ref": wranglers },
            { "properties": {
                "vars": vars,
                "env": { "additionalProperties": environment },
                "previews": environment,
            } },
        ],
        "definitions": definitions,
    })
}

/// The tables of `RELAY`, each with the name of its type. wrangler has an `Access` and a `Route` of its own.
const TABLES: [(&str, &str, &str); 4] = [
    ("relay", "Relay", "The configuration of access-relay."),
    ("access", "RelayAccess", "Who may call."),
    ("routes", "RelayRoute", "A path of the page's host, and the API that it leads to."),
    ("cors", "RelayCors", "Which other origins may call."),
];

/// What a table's key holds, by the key's name.
fn type_of_table(name: &str) -> &'static str {
    match name {
        "access" => "RelayAccess",
        "routes" => "RelayRoute",
        _ => "RelayCors",
    }
}

fn keys_of(table: &str) -> impl Iterator<Item = &'static Description> {
    ALL.iter().filter(move |description| description.table == table)
}

fn is_required(description: &Description) -> bool {
    description.key.absent == Absent::Required
}

fn definition(table: &str, about: &str) -> Value {
    let properties: Map<String, Value> =
        keys_of(table).map(|description| (description.key.name.to_owned(), property(description))).collect();
    let mut definition = json!({
        "title": if table == "relay" { "RELAY".to_owned() } else { format!("RELAY: {table}") },
        "description": about,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "allOf": rules::of(table),
    });
    // Of `access`, a rule says it.
    let required: Vec<&str> = keys_of(table).filter(|key| is_required(key)).map(|key| key.key.name).collect();
    if let Some(keys) = definition.as_object_mut().filter(|_| table != "access" && !required.is_empty()) {
        keys.insert("required".to_owned(), json!(required));
    }
    definition
}

fn property(description: &Description) -> Value {
    let shape = shapes::of(description.table, description.key.name);
    let text = || with(json!({ "type": "string" }), shape.clone());
    let mut property = match description.key.kind {
        Kind::Text(_) => text(),
        Kind::OneOf(choices) => json!({ "enum": choices }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer(least, most, _) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Texts(_) => json!({ "type": "array", "items": text(), "uniqueItems": true }),
        // A reference stands alone in draft-07, so it stands within.
        Kind::Table => json!({ "allOf": [{ "$ref": reference(type_of_table(description.key.name)) }] }),
        Kind::Tables => json!({
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": { "$ref": reference(type_of_table(description.key.name)) },
        }),
    };
    if let Some(keys) = property.as_object_mut() {
        keys.insert("title".to_owned(), Value::from(description.path()));
        keys.insert("description".to_owned(), Value::from(described(description)));
        if let Absent::Is(toml) = description.key.absent {
            keys.insert("default".to_owned(), value_of(toml));
        }
        let example = match description.key.kind {
            Kind::Text(example) => Value::from(example),
            Kind::Texts(example) => value_of(example),
            _ => Value::Null,
        };
        // One with a placeholder is for reading only.
        if !example.is_null() && !has_placeholder(&example.to_string()) {
            keys.insert("examples".to_owned(), json!([example]));
        }
        match (description.table, description.key.name) {
            ("access", name) if name == AUDIENCE.name => {
                keys.insert("minItems".to_owned(), Value::from(1));
            }
            // A route's own policy may name no origin: it closes the route.
            ("relay", name) if name == CORS.name => {
                let one = json!({ "properties": { ALLOWED_ORIGINS.name: { "minItems": 1 } } });
                keys.insert("allOf".to_owned(), json!([{ "$ref": reference(type_of_table(name)) }, one]));
            }
            _ => {}
        }
    }
    property
}

/// What an editor shows beside a key.
fn described(description: &Description) -> String {
    format!("{} See node_modules/access-relay/docs/{}.", about_key(description), description.section())
}

fn with(mut schema: Value, more: Option<Value>) -> Value {
    if let (Some(keys), Some(Value::Object(more))) = (schema.as_object_mut(), more) {
        keys.extend(more);
    }
    schema
}

fn reference(definition: &str) -> String {
    format!("#/definitions/{definition}")
}

/// A default or an example as a value: what stands in the description is TOML, and JSON as well (a test holds it).
fn value_of(toml: &str) -> Value {
    serde_json::from_str(toml).unwrap_or_default()
}

/// The package's declarations: what `import relay from "access-relay"` gives, and the shape of `RELAY`.
#[must_use]
pub fn types() -> String {
    let mut text = HEAD.to_owned();
    for (table, name, about) in TABLES {
        text.push_str(&format!("\n/** {about} */\nexport interface {name} {{\n"));
        for description in keys_of(table) {
            let optional = if is_required(description) { "" } else { "?" };
            text.push_str(&format!("  /** {} */\n", about_key(description)));
            text.push_str(&format!("  {}{optional}: {};\n", description.key.name, type_of(description)));
        }
        text.push_str("}\n");
    }
    text
}

fn about_key(description: &Description) -> String {
    let default = match description.key.absent {
        Absent::Is(toml) => format!(" Default: `{toml}`."),
        _ => String::new(),
    };
    format!("{}{default}", description.meaning)
}

fn type_of(description: &Description) -> String {
    match description.key.kind {
        Kind::Text(_) => "string".to_owned(),
        Kind::OneOf(choices) => choices.iter().map(|choice| format!("\"{choice}\"")).collect::<Vec<_>>().join(" | "),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Integer(..) => "number".to_owned(),
        Kind::Texts(_) => "readonly string[]".to_owned(),
        Kind::Table if description.key.name == "access" => {
            "RelayAccess | (Partial<RelayAccess> & { platform: true }) | { dangerously_allow_anyone: true }".to_owned()
        }
        Kind::Table => type_of_table(description.key.name).to_owned(),
        Kind::Tables => format!("readonly {}[]", type_of_table(description.key.name)),
    }
}

const HEAD: &str = "\
// access-relay: the same-origin door to an API behind Cloudflare Access.

/**
 * The relay as a Worker's handler. Alone it is a Worker: `export { default } from \"access-relay\"`. Inside another Worker, hand
 * it the requests that it is for: `return relay.fetch(request, env, ctx)`.
 */
declare const relay: {
  /**
   * Answers a request: what the API answered, or a refusal (`application/problem+json`). It never throws. `env` has the table
   * `RELAY` and the secrets that it names.
   *
   * `wrangler types --strict-vars=false` says no more of a table than that it is one. Then write `env as { RELAY: Relay }`.
   */
  fetch<Env extends { RELAY?: Relay | string }>(request: Request, env: Env, ctx?: unknown): Response | Promise<Response>;
};
export default relay;
";
