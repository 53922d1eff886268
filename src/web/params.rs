//! Parameters from a query, a form or a JSON body. Each may occur once.
//!
//! They are read strictly, since an ignored parameter would widen what is listed or ended. For example, ignoring a
//! misspelt `usr_id` would leave a filter that matches the sessions of all users.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use super::refusal::Refusal;

/// More parameters than any route has, so any further one is unknown or repeated.
const MOST: usize = 32;

/// What an empty parameter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blanks {
    /// The parameter is given, with an empty value.
    AreValues,
    /// The parameter is absent: browsers send every field of a form.
    AreAbsent,
}

/// Named values, which a route takes one by one. Any that are left over are unknown.
#[derive(Debug)]
#[must_use = "call `finish`, which refuses unknown parameters"]
pub(crate) struct Fields {
    entries: Vec<(String, Value)>,
    typing: Typing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    /// Every value is text.
    Query,
    Json,
}

impl Fields {
    /// Reads a query, or the body of a form, which has the same syntax.
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

    /// The text of this name. It must contain no NUL, which no database can store.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => {
                Err(Refusal::parameter(name, "contains a NUL character"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::parameter(name, "must be a string")),
        }
    }

    /// `true` or `false`; `false` if it is absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        match (self.take(name), self.typing) {
            (None, _) => Ok(false),
            (Some(Value::Bool(flag)), Typing::Json) => Ok(flag),
            (Some(Value::String(text)), Typing::Query) if text == "true" => Ok(true),
            (Some(Value::String(text)), Typing::Query) if text == "false" => Ok(false),
            (Some(_), _) => Err(Refusal::parameter(name, "must be true or false")),
        }
    }

    /// Refuses the request if a parameter is left over.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.entries.first() {
            Some((name, _)) => Err(Refusal::parameter(name, UNKNOWN)),
            None => Ok(()),
        }
    }
}

const UNKNOWN: &str = "is unknown here";

/// Percent-decodes, and rejects what the usual parsers accept: a lone `%`, and bytes that are not UTF-8.
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

/// The members of an object in order, including repeated ones: a map would silently keep the last of them.
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

/// A parameter's name from a request, safe to show anywhere: shortened, with all but ASCII letters, digits and `_-.`
/// escaped.
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
