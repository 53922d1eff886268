//! Parameters as they come: from a query, a form or a JSON body, each of them once.
//!
//! Strict, since a parameter that is overlooked here widens what is listed or ended: a misspelt `usr_id` would leave a
//! filter that means everybody.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use super::refusal::Refusal;

/// More than any route knows: what comes after is unknown or repeated in any case.
const MOST: usize = 32;

/// What an empty parameter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blanks {
    /// It was given, and is empty.
    AreValues,
    /// It was left out: browsers send every field of a form.
    AreAbsent,
}

/// Named values that are taken one by one. What nobody takes is unknown.
#[derive(Debug)]
#[must_use = "call `finish`: what is left over is unknown"]
pub(crate) struct Fields {
    entries: Vec<(String, Value)>,
    typing: Typing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    /// Everything is text.
    Query,
    Json,
}

impl Fields {
    /// Reads a query, or the body of a form, which is written alike.
    pub(crate) fn from_query(query: &str, blanks: Blanks) -> Result<Self, Refusal> {
        let mut fields = Self::empty(Typing::Query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            const UNREADABLE: &str = "is not valid percent-encoded UTF-8";
            let name = decode(name).ok_or_else(|| Refusal::parameter(name, UNREADABLE))?;
            let Some(value) = decode(value) else {
                return Err(Refusal::parameter(&name, UNREADABLE));
            };
            fields.add(name, Value::String(value))?;
        }
        if blanks == Blanks::AreAbsent {
            fields.entries.retain(|(_, value)| value != "");
        }
        Ok(fields)
    }

    /// Reads a JSON object.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, Refusal> {
        let object: Object = serde_json::from_slice(body).map_err(|_| Refusal::not_json())?;
        let mut fields = Self::empty(Typing::Json);
        for (name, value) in object.0 {
            fields.add(name, value)?;
        }
        Ok(fields)
    }

    fn empty(typing: Typing) -> Self {
        Self {
            entries: Vec::new(),
            typing,
        }
    }

    pub(crate) fn add(&mut self, name: String, value: Value) -> Result<(), Refusal> {
        if self.entries.iter().any(|(earlier, _)| *earlier == name) {
            return Err(Refusal::parameter(&name, "is given more than once"));
        }
        if self.entries.len() == MOST {
            return Err(Refusal::parameter(&name, UNKNOWN));
        }
        self.entries.push((name, value));
        Ok(())
    }

    /// The value of this name, if there is one.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let position = self.entries.iter().position(|(known, _)| known == name)?;
        Some(self.entries.swap_remove(position).1)
    }

    /// A text without NUL, which no database keeps.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => {
                Err(Refusal::parameter(name, "contains a NUL character"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::parameter(name, "has to be a string")),
        }
    }

    /// `true` or `false`; `false` when it is left out.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        match (self.take(name), self.typing) {
            (None, _) => Ok(false),
            (Some(Value::Bool(flag)), Typing::Json) => Ok(flag),
            (Some(Value::String(text)), Typing::Query) if text == "true" => Ok(true),
            (Some(Value::String(text)), Typing::Query) if text == "false" => Ok(false),
            (Some(_), _) => Err(Refusal::parameter(name, "has to be true or false")),
        }
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.entries.first() {
            Some((name, _)) => Err(Refusal::parameter(name, UNKNOWN)),
            None => Ok(()),
        }
    }
}

const UNKNOWN: &str = "is unknown here";

/// Percent-decodes, and refuses what the usual parsers let through: a lone `%`, and bytes that are no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut rest = text.bytes();
    let mut bytes = Vec::with_capacity(text.len());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The members of an object in their order, repeated ones included: a map would keep the last of them in silence.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A name that came with a request, in a form that can be shown anywhere: a few letters, everything else escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    const LONGEST: usize = 64;

    pub(crate) fn shown(name: &str) -> Self {
        let mut shown = String::new();
        for character in name.chars() {
            if shown.len() >= Self::LONGEST {
                shown.push_str("...");
                break;
            }
            match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' => shown.push(character),
                other => shown.extend(other.escape_unicode()),
            }
        }
        Self(shown)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
