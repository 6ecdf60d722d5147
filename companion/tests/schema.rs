//! The shape of `RELAY`, for editors and for TypeScript.

use access_relay_companion::schema::{bundled, schema, types};
use access_relay_core::config::keys::{ALL, Absent, Kind};
use access_relay_core::syntax::text::has_placeholder;
use serde_json::Value;

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_schema_has_every_key_and_no_other() {
    let schema = schema("./wrangler.json");
    let definitions = schema["definitions"].as_object().unwrap();
    for description in ALL {
        let table = match description.table {
            "relay" => "Relay",
            "access" => "RelayAccess",
            "routes" => "RelayRoute",
            _ => "RelayCors",
        };
        let property = &definitions[table]["properties"][description.key.name];
        let text = property["description"].as_str().unwrap();
        assert!(text.starts_with(description.meaning) && text.contains(description.section()), "{text}");
        assert_eq!(property["title"], description.path());
        let kind = match description.key.kind {
            Kind::Text(_) => property["type"] == "string",
            Kind::OneOf(choices) => property["enum"].as_array().unwrap().len() == choices.len(),
            Kind::Boolean => property["type"] == "boolean",
            Kind::Integer(least, most, _) => property["minimum"] == least && property["maximum"] == most,
            Kind::Texts(_) | Kind::Tables => property["type"] == "array",
            Kind::Table => property["allOf"][0]["$ref"].as_str().unwrap().starts_with("#/definitions/"),
        };
        assert!(kind, "{}: {property}", description.path());
        match description.key.absent {
            Absent::Is(_) => {
                assert!(!property["default"].is_null(), "{}: its default is JSON, too", description.path())
            }
            _ => assert!(property.get("default").is_none(), "{}", description.path()),
        }
        let example = match description.key.kind {
            Kind::Text(example) if !has_placeholder(example) => Some(serde_json::json!([example])),
            Kind::Texts(example) if !has_placeholder(example) => Some(serde_json::json!([value(example)])),
            _ => None,
        };
        assert_eq!(property.get("examples"), example.as_ref(), "{}", description.path());
        let least = (description.path() == "access.audience" || description.path() == "routes").then_some(1);
        assert_eq!(property.get("minItems").and_then(Value::as_u64), least, "{}", description.path());
    }
    let count: usize = definitions.values().map(|table| table["properties"].as_object().unwrap().len()).sum();
    assert_eq!(count, ALL.len());
    assert!(definitions.values().all(|table| table["additionalProperties"] == false));
    assert_eq!(schema["allOf"][0]["$ref"], "./wrangler.json");
    assert_eq!(definitions["RelayRoute"]["required"], serde_json::json!(["path", "upstream"]));
}

#[test]
fn a_bundle_leads_nowhere_else() {
    let wranglers = r##"{ "$schema": "x", "$id": "y", "allOf": [{ "$ref": "#/definitions/RawConfig" }],
        "definitions": { "RawConfig": { "type": "object" }, "Route": {} } }"##;
    let bundle = bundled(wranglers, "4.0.0").unwrap();
    assert_eq!(
        bundle["definitions"]["Wrangler"],
        serde_json::json!({ "allOf": [{ "$ref": "#/definitions/RawConfig" }] })
    );
    assert_eq!(bundle["allOf"][0]["$ref"], "#/definitions/Wrangler");
    assert!(bundle["$comment"].as_str().unwrap().contains("wrangler 4.0.0"));
    let text = bundle.to_string();
    assert_eq!(text.matches("\"$ref\":").count(), text.matches("\"$ref\":\"#/definitions/").count());
    for (wrong, why) in [
        ("[]", "found no JSON object"),
        ("x", "found no JSON object"),
        ("{}", "found no definitions"),
        (r#"{ "definitions": { "RelayRoute": {} } }"#, "found a definition RelayRoute of its own"),
    ] {
        assert!(bundled(wrong, "4").unwrap_err().ends_with(why), "{wrong}");
    }
}

#[test]
fn the_types_have_every_key() {
    let types = types();
    for description in ALL {
        let optional = if description.key.absent == Absent::Required { "" } else { "?" };
        assert!(types.contains(&format!("\n  {}{optional}: ", description.key.name)), "{}", description.path());
    }
    for line in [
        "access: RelayAccess | (Partial<RelayAccess> & { platform: true }) | { dangerously_allow_anyone: true };",
        "routes: readonly RelayRoute[];",
        "log?: \"refusals\" | \"requests\";",
        "allowed_origins?: readonly string[];",
        "timeout_ms?: number;",
        "cors?: RelayCors;",
        // What an editor shows above a key ends with its default.
        "Default: `\"refusals\"`. */",
    ] {
        assert!(types.contains(line), "{line} is not in\n{types}");
    }
}
