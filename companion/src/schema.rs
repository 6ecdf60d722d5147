//! JSON Schema of `RELAY`, and its type in TypeScript: both made of the one description of the keys.
//!
//! Draft-07, for editors know it best; it stands around what wrangler says of its own file.

use access_relay_core::config::keys::access::{AUDIENCE, DANGEROUSLY_ALLOW_ANYONE, GROUPS, ISSUER, PLATFORM};
use access_relay_core::config::keys::{ALL, Absent, Description, Kind};
use serde_json::{Map, Value, json};

/// The schema of a wrangler file with `RELAY` in it: `wranglers` is where wrangler's own schema lies, seen from this one.
#[must_use]
pub fn schema(wranglers: &str) -> Value {
    let vars = json!({ "properties": { "RELAY": { "$ref": "#/definitions/Relay" } } });
    let environment = json!({ "properties": { "vars": vars } });
    let mut definitions = Map::new();
    for (table, name, about) in TABLES {
        definitions.insert(name.to_owned(), definition(table, about));
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A wrangler file with access-relay's RELAY",
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

/// The tables of `RELAY`, each with the name of its type.
const TABLES: [(&str, &str, &str); 4] = [
    ("relay", "Relay", "The configuration of access-relay."),
    ("access", "Access", "Who may call."),
    ("routes", "Route", "A path of the page's host, and the API that it leads to."),
    ("cors", "Cors", "Which other origins may call."),
];

/// What a table's key holds, by the key's name.
fn type_of_table(name: &str) -> &'static str {
    match name {
        "access" => "Access",
        "routes" => "Route",
        _ => "Cors",
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
    let required: Vec<&str> = keys_of(table).filter(|key| is_required(key)).map(|key| key.key.name).collect();
    let mut definition = json!({
        "description": about,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    let Some(keys) = definition.as_object_mut() else { return definition };
    if table == "access" {
        // Whose tokens open, or that the runtime says who may call, or that anybody may.
        let is_true = |key: &str| json!({ "required": [key], "properties": { key: { "const": true } } });
        let by_token = json!({ "required": required, "properties": { GROUPS.name: { "const": false } } });
        let by_word = json!({ "dependencies": { ISSUER.name: [AUDIENCE.name] } });
        let checked = json!({ "if": is_true(PLATFORM.name), "then": by_word, "else": by_token });
        keys.insert("if".to_owned(), is_true(DANGEROUSLY_ALLOW_ANYONE.name));
        keys.insert("else".to_owned(), checked);
    } else if !required.is_empty() {
        keys.insert("required".to_owned(), json!(required));
    }
    definition
}

fn property(description: &Description) -> Value {
    let mut property = match description.key.kind {
        Kind::Text(example) => json!({ "type": "string", "examples": [example] }),
        Kind::OneOf(choices) => json!({ "enum": choices }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer(least, most, _) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Texts(_) => json!({ "type": "array", "items": { "type": "string" } }),
        // A reference stands alone in draft-07, so it stands within.
        Kind::Table => json!({ "allOf": [{ "$ref": reference(description) }] }),
        Kind::Tables => json!({ "type": "array", "minItems": 1, "items": { "$ref": reference(description) } }),
    };
    if let Some(keys) = property.as_object_mut() {
        keys.insert("description".to_owned(), Value::from(description.meaning));
        if let Absent::Is(toml) = description.key.absent {
            keys.insert("default".to_owned(), value_of(toml));
        }
    }
    property
}

fn reference(description: &Description) -> String {
    format!("#/definitions/{}", type_of_table(description.key.name))
}

/// A default as a value: what stands in the description is TOML, and JSON as well (a test holds it).
fn value_of(toml: &str) -> Value {
    serde_json::from_str(toml).unwrap_or_default()
}

/// The package's declarations: what `import relay from "access-relay"` gives, and the shape of `RELAY`.
#[must_use]
pub fn types() -> String {
    let mut text = HEAD.to_owned();
    for (table, name, about) in TABLES {
        let name = if name == "Relay" { name.to_owned() } else { format!("Relay{name}") };
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
        Kind::Table => format!("Relay{}", type_of_table(description.key.name)),
        Kind::Tables => format!("readonly Relay{}[]", type_of_table(description.key.name)),
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
