//! JSON of somebody else's, read without a fuss: whatever is of another type than expected is as if it were not there. Values are read
//! where they stand, however deep whatever is passed over is nested, and are not copied.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// An object of which some members are known.
pub trait Object<'t>: Default {
    /// Reads the value of a member; whether it is a known one, else nothing was read.
    ///
    /// # Errors
    /// It is no JSON.
    fn member<A: MapAccess<'t>>(&mut self, name: &str, values: &mut A) -> Result<bool, A::Error>;
}

/// A struct of members that are [`Object`]s, [`List`]s, or what stands there.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $seen:vis $member:ident: $type:ty = $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name<'t> { $($(#[$member_doc])* $seen $member: $type,)* }

        impl<'t> $crate::har::lenient::Object<'t> for $name<'t> {
            fn member<A: serde::de::MapAccess<'t>>(&mut self, name: &str, values: &mut A) -> Result<bool, A::Error> {
                match name {
                    $($key => self.$member = $crate::har::lenient::value(values)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }

        impl<'t> serde::Deserialize<'t> for $name<'t> {
            fn deserialize<D: serde::Deserializer<'t>>(reader: D) -> Result<Self, D::Error> {
                $crate::har::lenient::read_object(reader)
            }
        }
    };
}
pub(crate) use object;

/// A value of an object.
///
/// # Errors
/// It is no JSON.
pub fn value<'t, T: Deserialize<'t>, A: MapAccess<'t>>(values: &mut A) -> Result<T, A::Error> {
    values.next_value()
}

/// A value as it stands in the file.
#[derive(Debug, Default, Clone, Copy)]
pub struct Raw<'t>(Option<&'t RawValue>);

impl Raw<'_> {
    /// Whether there is one, be it `null`.
    #[must_use]
    pub const fn is_there(self) -> bool {
        self.0.is_some()
    }
}

impl<'t> Deserialize<'t> for Raw<'t> {
    fn deserialize<D: Deserializer<'t>>(reader: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(reader).map(|raw| Self(Some(raw)))
    }
}

/// A list; anything else is an empty one.
#[derive(Debug)]
pub struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'t, T: Deserialize<'t>> Deserialize<'t> for List<T> {
    fn deserialize<D: Deserializer<'t>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Elements(PhantomData))
    }
}

/// Reads an object; anything else is an empty one.
///
/// # Errors
/// It is no JSON.
pub fn read_object<'t, T: Object<'t>, D: Deserializer<'t>>(reader: D) -> Result<T, D::Error> {
    reader.deserialize_any(Members(PhantomData))
}

/// The text of a value: a number and a truth value are what stands there, all else is empty. Half a surrogate pair, which JSON may have and
/// no text, becomes U+FFFD.
#[must_use]
pub fn text(value: Raw) -> String {
    let Some(raw) = value.0.map(RawValue::get) else { return String::new() };
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).unwrap_or_else(|_| with_halves(raw)),
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => raw.to_owned(),
        _ => String::new(),
    }
}

fn with_halves(raw: &str) -> String {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("a text")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    serde_json::Deserializer::from_str(raw).deserialize_bytes(Bytes).unwrap_or_default()
}

/// What is of another type is passed over.
macro_rules! nothing_else {
    () => {
        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("a value")
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

struct Elements<T>(PhantomData<T>);

impl<'t, T: Deserialize<'t>> Visitor<'t> for Elements<T> {
    type Value = List<T>;

    nothing_else!();

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(List(list))
    }

    fn visit_map<A: MapAccess<'t>>(self, members: A) -> Result<List<T>, A::Error> {
        IgnoredAny.visit_map(members)?;
        Ok(List::default())
    }
}

struct Members<T>(PhantomData<T>);

impl<'t, T: Object<'t>> Visitor<'t> for Members<T> {
    type Value = T;

    nothing_else!();

    fn visit_seq<A: SeqAccess<'t>>(self, elements: A) -> Result<T, A::Error> {
        IgnoredAny.visit_seq(elements)?;
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(key) = members.next_key::<&RawValue>()? {
            if !object.member(&name(key), &mut members)? {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(object)
    }
}

fn name(key: &RawValue) -> Cow<'_, str> {
    match key.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(text(Raw(Some(key)))),
    }
}
