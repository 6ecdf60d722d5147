//! JSON, read more strictly than it has to be: keys that stand twice in a table are noted.
//!
//! RFC 8259 §4 leaves it open which of two counts. Readers take the last one, people the first one that they see.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::syntax::redact::NOT_SHOWN;

/// Reads JSON. If a key stands twice, the last value counts, as in `serde_json`, and its path is returned as well:
/// `routes[1].cors`. A path shows only what could be a key of the relay's own, for a secret may stand anywhere.
///
/// # Errors
/// Where it is no JSON.
pub fn read(text: &[u8]) -> serde_json::Result<(Value, Vec<String>)> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = read_from(&mut json)?;
    json.end()?;
    Ok(read)
}

/// The same of another reader, which knows JSON with comments, say.
///
/// # Errors
/// The reader's own.
pub fn read_from<'de, D: Deserializer<'de>>(reader: D) -> Result<(Value, Vec<String>), D::Error> {
    let repeated = RefCell::default();
    let value = Strict { path: String::new(), repeated: &repeated }.deserialize(reader)?;
    Ok((value, repeated.into_inner()))
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

    /// The path of a key.
    fn key(&self, key: &str) -> String {
        let is_name = !key.is_empty() && key.len() <= 40 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_plain = is_name || key == "RELAY";
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
