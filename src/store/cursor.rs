//! Where a page of a listing ends and the next one starts.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Bind,
    dialect::Dialect,
    index::Order,
    part::Bound,
    value::{CorruptRow, Row},
};
use crate::error::Error;

/// The longest part of a key that is kept. What is longer was never written by this crate.
const MAX_PART: usize = 64;

/// The first byte of the text form: another form gets another number.
const VERSION: u8 = 1;

/// The place in a listing after which the next page starts; from [`SessionPage::next`](crate::SessionPage::next).
///
/// It is opaque, and of use to the database that it came from. Its text form has letters, digits, `-` and `_` only. It
/// holds a time and a session's id, neither of which opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// `created_at` as the database sorts it: SQLite's own text, elsewhere microseconds since 1970.
    made: String,
    id: String,
}

/// A text that is no [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCursor;

impl Cursor {
    pub(super) fn read(row: &Row, made: usize, id: usize) -> Result<Self, CorruptRow> {
        Ok(Self {
            made: shortened(row.text(made)?),
            id: shortened(row.text(id)?),
        })
    }

    /// One of this time.
    #[cfg(test)]
    pub(super) fn of(made: &str) -> Self {
        Self {
            made: made.to_owned(),
            id: uuid::Uuid::nil().to_string(),
        }
    }

    /// What comes after it in this order.
    pub(super) fn beyond(&self, dialect: Dialect, order: Order) -> Result<Bound, Error> {
        let foreign = || Error::invalid("the cursor is not one of this database");
        let comparison = match order {
            Order::NewestFirst => "<",
            Order::OldestFirst => ">",
        };
        let (time, bind) = match dialect {
            Dialect::Sqlite => ("{?text}".into(), Bind::Text(self.made.clone())),
            Dialect::Postgres | Dialect::MySql => {
                let micros = self.made.parse().map_err(|_| foreign())?;
                (dialect.time("{?int}"), Bind::Int(micros))
            }
        };
        if dialect == Dialect::Postgres {
            uuid::Uuid::try_parse(&self.id).map_err(|_| foreign())?;
        }
        let id = Bind::Text(self.id.clone());
        Ok(Bound::new(comparison, time, vec![bind]).with_id(id))
    }
}

/// A shorter text sorts before the long one, so nothing but such texts can be passed over.
fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_PART);
    text.get(..end).unwrap_or_default().to_owned()
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.made.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.id.as_bytes());
        formatter.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let Some((&VERSION, parts)) = bytes.split_first() else {
            return Err(InvalidCursor);
        };
        let parts = str::from_utf8(parts).map_err(|_| InvalidCursor)?;
        match parts.split_once('\0') {
            Some((made, id)) if made.len().max(id.len()) <= MAX_PART && !id.contains('\0') => {
                Ok(Self {
                    made: made.to_owned(),
                    id: id.to_owned(),
                })
            }
            _ => Err(InvalidCursor),
        }
    }
}

impl fmt::Display for InvalidCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("it does not lead to any page")
    }
}

impl std::error::Error for InvalidCursor {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn cursor(made: &str, id: &str) -> Cursor {
        Cursor {
            made: shortened(made),
            id: shortened(id),
        }
    }

    #[test]
    fn a_cursor_survives_its_text_form() {
        for (made, id) in [
            (
                "2026-01-31 23:59:59.123",
                "019ab1c2-3d4e-7f50-8a6b-7c8d9e0f1a2b",
            ),
            ("1767225599123456", "019ab1c2-3d4e-7f50-8a6b-7c8d9e0f1a2b"),
            ("", ""),
            ("ä", "\u{1f980}"),
        ] {
            let text = cursor(made, id).to_string();
            let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(text.bytes().all(safe), "{text}");
            assert_eq!(text.parse(), Ok(cursor(made, id)));
        }
    }

    #[test]
    fn other_texts_are_none() {
        let long = URL_SAFE_NO_PAD.encode([&[1_u8][..], &[b'x'; 65], &[0], b"id"].concat());
        for text in ["", "AQ", "!", "019ab1c2-3d4e-7f50-8a6b-7c8d9e0f1a2b", &long] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
        assert_eq!(cursor(&"ä".repeat(100), "").made, "ä".repeat(32));
    }

    #[test]
    fn another_databases_cursor_is_refused() {
        let sqlite = cursor("2026-01-31 23:59:59.123", "x");
        assert!(sqlite.beyond(Dialect::Sqlite, Order::NewestFirst).is_ok());
        assert!(
            sqlite
                .beyond(Dialect::Postgres, Order::NewestFirst)
                .is_err()
        );
        assert!(sqlite.beyond(Dialect::MySql, Order::NewestFirst).is_err());
        assert!(
            cursor("1", "x")
                .beyond(Dialect::Postgres, Order::NewestFirst)
                .is_err()
        );
    }
}
