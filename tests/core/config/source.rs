//! `RELAY` as a JSON text.

use access_relay_core::config::source::from_text;
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn a_key_of_a_json_text_stands_there_once() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str])] = &[
        (r#"{"access":{"dangerously_allow_anyone":false,"dangerously_allow_anyone":true}}"#, &["access.dangerously_allow_anyone: found the same key once more; leave one of the two out"]),
        (r#"{"access":{"issuer":"x"},"routes":[],"access":{"dangerously_allow_anyone":true}}"#, &["access: found the same key once more"]),
        (r#"{"routes":[{},{"cors":{"max_age":1,"max_age":1}}],"log":1,"log":1,"log":1}"#, &["routes[1].cors.max_age: found", "log: found", "log: found"]),
        // The same key, spelled in two ways.
        (r#"{"log":"requests","log":"refusals"}"#, &["log: found"]),
        // What could be a secret is not shown.
        (r#"{"s3cr3t":1,"s3cr3t":1,"a":{"S":{"b":1,"b":1}}}"#, &["(not shown): found", "a.(not shown).b: found"]),
        (r#"{"":1,"":1,"abcdefghijklmnopqrstuvwxyz_abcdefghijklmn":1,"abcdefghijklmnopqrstuvwxyz_abcdefghijklmn":1}"#, &["(not shown): found", "(not shown): found"]),
        // The same key at another place, or the same value twice, is none.
        (r#"{"a":{"b":1},"b":{"a":1,"b":{"b":[1,1,{},{}]}}}"#, &[]),
    ];
    for (text, expected) in table {
        let found = from_text(text.as_bytes()).err().unwrap_or_default();
        assert_eq!(found.len(), expected.len(), "{text} {found:?}");
        for (found, expected) in found.iter().zip(*expected) {
            assert!(found.to_string().starts_with(expected), "{found}");
        }
    }
    for (text, place) in
        [("", "line 1, column 0"), ("{", "line 1, column 1"), ("{}\n{}", "line 2, column 1"), ("s3cr3t", "line 1")]
    {
        let found = from_text(text.as_bytes()).unwrap_err();
        let [error] = &found[..] else { panic!("{found:?}") };
        let error = error.to_string();
        assert!(error.starts_with("RELAY: found a text that is no JSON (") && error.contains(place), "{error}");
        assert!(!error.contains("s3cr3t"));
    }
    // Too deep to be read is no reason to end.
    assert!(from_text("[".repeat(100_000).as_bytes()).is_err());
}

proptest! {
    /// Apart from that, it is read as JSON is.
    #[test]
    fn a_json_text_is_read_as_json(value in json_value()) {
        let text = value.to_string();
        prop_assert_eq!(from_text(text.as_bytes()).ok(), serde_json::from_str(&text).ok());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}
