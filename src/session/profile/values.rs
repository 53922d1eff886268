//! From a row's values, as a JSON list, to the application's own type.
//!
//! Databases differ in what they call a number, a truth value or a list. So each value is read as what the type asks for: a
//! number may come as text, text as a number with all its digits, and a list or an object as text that holds JSON.

use std::fmt;

use serde_core::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, MapAccess,
        Unexpected, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

use super::ProfileError;

pub(super) fn read<'a, T: DeserializeOwned>(
    names: impl ExactSizeIterator<Item = &'a str>,
    json: &str,
) -> Result<T, ProfileError> {
    let values: Vec<&RawValue> =
        serde_json::from_str(json).map_err(|_| ProfileError::Unreadable)?;
    if values.len() != names.len() {
        return Err(ProfileError::Unreadable);
    }
    let mut columns = Columns {
        columns: names.zip(values),
        value: None,
        current: None,
    };
    T::deserialize(Record(&mut columns)).map_err(|problem| ProfileError::Decode {
        column: columns.current.map(str::to_owned),
        problem: problem.0,
        wanted: std::any::type_name::<T>(),
    })
}

/// What is wrong, without the value: it is about a person.
#[derive(Debug)]
struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl serde_core::de::Error for Problem {
    /// The message may quote the value.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("the type refuses the value".into())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("found {}, expected {expected}", kind(&unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!(
            "found another {}, expected {expected}",
            kind(&unexpected)
        ))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self(format!("found {length} values, expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("expected one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self(format!("it has no field `{field}`"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("no column has the name `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("two columns are for the field `{field}`"))
    }
}

fn kind(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "truth value",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "number",
        Unexpected::Char(_) | Unexpected::Str(_) => "text",
        Unexpected::Bytes(_) => "byte string",
        Unexpected::Unit | Unexpected::Option => "NULL",
        Unexpected::Seq | Unexpected::TupleVariant => "list",
        Unexpected::Map | Unexpected::StructVariant => "object",
        _ => "value",
    }
}

/// What serde_json says of a value, without the value.
fn of_json(error: &serde_json::Error) -> Problem {
    Problem(match error.classify() {
        serde_json::error::Category::Data => "its JSON has another shape".into(),
        _ => "it is not JSON".into(),
    })
}

/// The columns of the row, one after another.
struct Columns<'a, 'json, I> {
    columns: std::iter::Zip<I, std::vec::IntoIter<&'json RawValue>>,
    value: Option<&'json RawValue>,
    /// The column that is being read.
    current: Option<&'a str>,
}

struct Record<'r, 'a, 'json, I>(&'r mut Columns<'a, 'json, I>);

impl<'de, 'a, 'json, I: Iterator<Item = &'a str>> Deserializer<'de> for Record<'_, 'a, 'json, I> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_map(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, 'a, I: Iterator<Item = &'a str>> MapAccess<'de> for &mut Columns<'a, '_, I> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some((name, value)) = self.columns.next() else {
            self.current = None;
            return Ok(None);
        };
        (self.current, self.value) = (Some(name), Some(value));
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let value = self.value.take();
        let value = value.ok_or_else(|| Problem("the type asks for a value twice".into()))?;
        seed.deserialize(Value(value.get()))
    }
}

/// One value, as JSON.
struct Value<'json>(&'json str);

impl Value<'_> {
    /// Text as it is, and the digits or letters of anything else.
    fn text(&self) -> Result<String, Problem> {
        match self.0.starts_with('"') {
            true => serde_json::from_str(self.0).map_err(|error| of_json(&error)),
            false => Ok(self.0.to_owned()),
        }
    }

    fn is_null(&self) -> bool {
        self.0 == "null"
    }

    fn unexpected(&self) -> Unexpected<'static> {
        match self.0.as_bytes().first() {
            Some(b'"') => Unexpected::Str(""),
            Some(b'[') => Unexpected::Seq,
            Some(b'{') => Unexpected::Map,
            Some(b't' | b'f') => Unexpected::Bool(true),
            Some(b'n') => Unexpected::Unit,
            _ => Unexpected::Float(0.0),
        }
    }

    fn number<'de, V: Visitor<'de>, N: std::str::FromStr>(
        &self,
        visitor: V,
        visit: impl FnOnce(V, N) -> Result<V::Value, Problem>,
    ) -> Result<V::Value, Problem> {
        match self.text()?.trim().parse() {
            Ok(number) => visit(visitor, number),
            Err(_) => Err(Problem::invalid_type(self.unexpected(), &visitor)),
        }
    }

    fn truth(&self) -> Result<Option<bool>, Problem> {
        Ok(match self.text()?.as_str() {
            "true" | "t" | "1" => Some(true),
            "false" | "f" | "0" => Some(false),
            _ => None,
        })
    }

    /// A list, an object or a variant: as it is, or as text that holds its JSON.
    fn nested(&self) -> Result<String, Problem> {
        self.text()
    }
}

macro_rules! numbers {
    ($($deserialize:ident $visit:ident)+) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            self.number(visitor, |visitor, number| visitor.$visit(number))
        })+
    };
}

macro_rules! nested {
    ($($deserialize:ident($($name:ident: $kind:ty),*))+) => {
        $(fn $deserialize<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, Problem> {
            let json = self.nested()?;
            let mut json = serde_json::Deserializer::from_reader(json.as_bytes());
            let value = json.$deserialize($($name,)* visitor);
            let whole = value.and_then(|value| json.end().map(|()| value));
            whole.map_err(|error| of_json(&error))
        })+
    };
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Problem;

    numbers! {
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }
    nested! {
        deserialize_seq()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    /// What the database says it is.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let mut json = serde_json::Deserializer::from_reader(self.0.as_bytes());
        json.deserialize_any(visitor)
            .map_err(|error| of_json(&error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.truth()? {
            Some(truth) => visitor.visit_bool(truth),
            None => Err(Problem::invalid_type(self.unexpected(), &visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.is_null() {
            true => Err(Problem::invalid_type(Unexpected::Unit, &visitor)),
            false => visitor.visit_string(self.text()?),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.is_null() {
            true => Err(Problem::invalid_type(Unexpected::Unit, &visitor)),
            false => visitor.visit_byte_buf(self.text()?.into_bytes()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.is_null() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.is_null() {
            true => visitor.visit_unit(),
            false => Err(Problem::invalid_type(self.unexpected(), &visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    /// A name alone, or an object with one.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let text = self.text()?;
        match text.starts_with('{') {
            true => {
                let mut json = serde_json::Deserializer::from_reader(text.as_bytes());
                json.deserialize_enum(name, variants, visitor)
                    .map_err(|error| of_json(&error))
            }
            false => visitor.visit_enum(StrDeserializer::new(&text)),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }
}
