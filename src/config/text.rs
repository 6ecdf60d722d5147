//! `RELAY` as a JSON text, read more strictly than JSON has to be: no key stands there twice. Pure.
//!
//! RFC 8259 §4 leaves it open which of two counts. Readers take the last one, people the first one they see, and a
//! second `access` at the end of a long text would open the API to anybody.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::ConfigError;
use crate::redact::NOT_SHOWN;

/// Reads the table.
///
/// # Errors
/// That it is no JSON, or every key that stands there once more.
pub fn from_text(text: &[u8]) -> Result<Value, Vec<ConfigError>> {
    let repeated = RefCell::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Strict { path: String::new(), repeated: &repeated }.deserialize(&mut json);
    match value.and_then(|value| json.end().map(|()| value)) {
        Err(error) => Err(vec![ConfigError {
            path: "RELAY".to_owned(),
            found: format!("a text that is no JSON (line {}, column {})", error.line(), error.column()),
            expected: "write the table [vars.RELAY] in wrangler.toml".to_owned(),
        }]),
        Ok(value) if repeated.borrow().is_empty() => Ok(value),
        Ok(_) => Err(repeated.into_inner().into_iter().map(once_more).collect()),
    }
}

fn once_more(path: String) -> ConfigError {
    ConfigError {
        path,
        found: "the same key once more".to_owned(),
        expected: "leave one of the two out: it is not clear which counts".to_owned(),
    }
}

/// Reads one value, and notes the paths of keys that are repeated within it.
struct Strict<'r> {
    path: String,
    repeated: &'r RefCell<Vec<String>>,
}

impl Strict<'_> {
    fn within(&self, path: String) -> Self {
        Self { path, ..*self }
    }

    /// The path of a key. The secrets are not known yet: only what could be a key of the relay's own is shown.
    fn key(&self, key: &str) -> String {
        let is_plain = !key.is_empty() && key.len() <= 40 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let dot = if self.path.is_empty() { "" } else { "." };
        [self.path.as_str(), dot, if is_plain { key } else { NOT_SHOWN }].concat()
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.within(format!("{}[{}]", self.path, values.len())))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = table.next_key::<String>()? {
            let path = self.key(&key);
            if values.contains_key(&key) {
                self.repeated.borrow_mut().push(path.clone());
            }
            let value = table.next_value_seed(self.within(path))?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}
