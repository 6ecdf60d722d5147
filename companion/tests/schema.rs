//! The shape of `RELAY`, for editors and for TypeScript.

use access_relay_companion::schema::{schema, types};
use access_relay_core::config::keys::{ALL, Absent, Kind};

#[test]
fn the_schema_has_every_key_and_no_other() {
    let schema = schema("./wrangler.json");
    let definitions = schema["definitions"].as_object().unwrap();
    for description in ALL {
        let table = match description.table {
            "relay" => "Relay",
            "access" => "Access",
            "routes" => "Route",
            _ => "Cors",
        };
        let property = &definitions[table]["properties"][description.key.name];
        assert_eq!(property["description"], description.meaning);
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
    }
    let count: usize = definitions.values().map(|table| table["properties"].as_object().unwrap().len()).sum();
    assert_eq!(count, ALL.len());
    assert!(definitions.values().all(|table| table["additionalProperties"] == false));
    assert_eq!(schema["allOf"][0]["$ref"], "./wrangler.json");
    assert_eq!(definitions["Route"]["required"], serde_json::json!(["path", "upstream"]));
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
    ] {
        assert!(types.contains(line), "{line} is not in\n{types}");
    }
}
