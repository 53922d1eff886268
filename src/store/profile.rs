//! The application's own facts of a user, such as a name: columns that come along with each look-up.
// docs/decisions/54-profile-in-the-statement.md

use std::{fmt, sync::Arc};

use super::{
    application::{OWNER, with_user},
    dialect::no_list,
    fragments::Fragments,
    value::{CorruptRow, Row},
};

/// Columns of one row for each user, and where that row is.
#[derive(Clone, Debug)]
pub(crate) struct ProfileSql {
    columns: Arc<[ProfileColumn]>,
    pub(super) from: String,
}

/// An expression and its name for the application's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProfileColumn {
    pub(super) expression: String,
    pub(crate) name: String,
}

impl ProfileColumn {
    /// Not one of the application's.
    pub(super) fn constant() -> Self {
        Self {
            expression: "1".into(),
            name: "one".into(),
        }
    }

    /// `name`, `table.name` or `expression AS name`. `None`: an expression that lacks a name.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // ASCII letters alone change, so the places of bytes stay.
        let (expression, name) = match text.to_ascii_lowercase().rfind(" as ") {
            Some(place) => (text.get(..place)?, text.get(place + " as ".len()..)?),
            None => (text, text.rsplit('.').next()?),
        };
        let name = name.trim();
        let name = match name.as_bytes() {
            [b'"', .., b'"'] | [b'`', .., b'`'] => name.get(1..name.len() - 1)?,
            _ => name,
        };
        let is_name = |letter: char| letter == '_' || letter.is_alphanumeric();
        let is_named = !name.is_empty() && name.chars().all(is_name);
        (is_named && !expression.trim().is_empty()).then(|| Self {
            expression: expression.trim().to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Why columns cannot be used.
#[derive(Debug)]
pub(crate) enum ColumnProblem {
    None,
    Nameless(String),
    Twice(String),
}

impl fmt::Display for ColumnProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str(
                "`.profile` has no columns: name at least one, such as `.profile([\"name\"], \"users WHERE id = {user:int}\")`",
            ),
            Self::Nameless(text) => write!(
                formatter,
                "`{text}` in `.profile` is no column with a name: name one column at a time, and give an expression a name \
                 with `… AS name`"
            ),
            Self::Twice(name) => write!(
                formatter,
                "`.profile` has two columns of the name `{name}`: give one of them another name with `… AS name`"
            ),
        }
    }
}

impl ProfileSql {
    pub(crate) fn new(columns: &[String], from: String) -> Result<Self, ColumnProblem> {
        let mut parsed: Vec<ProfileColumn> = Vec::with_capacity(columns.len());
        for text in columns {
            let column =
                ProfileColumn::parse(text).ok_or_else(|| ColumnProblem::Nameless(text.clone()))?;
            if parsed.iter().any(|other| other.name == column.name) {
                return Err(ColumnProblem::Twice(column.name));
            }
            parsed.push(column);
        }
        match parsed.is_empty() {
            true => Err(ColumnProblem::None),
            false => Ok(Self {
                columns: parsed.into(),
                from,
            }),
        }
    }

    pub(super) fn columns(&self) -> &[ProfileColumn] {
        &self.columns
    }

    /// The row of a session's user as a JSON list, as [`Dialect::row_as_json`](super::dialect::Dialect::row_as_json) makes it.
    pub(super) fn row(&self, fragments: &Fragments) -> String {
        self.row_of(fragments, self.columns.iter())
    }

    /// The same of these columns alone.
    pub(super) fn row_of<'a>(
        &self,
        fragments: &Fragments,
        columns: impl Iterator<Item = &'a ProfileColumn>,
    ) -> String {
        let expressions: Vec<_> = columns.map(|column| column.expression.as_str()).collect();
        let from = with_user(fragments, &self.from, OWNER);
        fragments.dialect.row_as_json(&expressions, &from)
    }

    /// What a live session's row says in this column.
    pub(super) fn read(&self, row: &Row, column: usize) -> Profile {
        let row = match row.maybe_text(column) {
            Ok(Some(no_list::MISSING)) => ProfileRow::Missing,
            Ok(Some(no_list::SEVERAL)) => ProfileRow::Several,
            // No list, and no letters that this crate can read: what the row says is not known.
            Ok(Some(no_list::LOST) | None) | Err(CorruptRow) => ProfileRow::Unreadable,
            Ok(Some(json)) => ProfileRow::Json(json.into()),
        };
        Profile {
            columns: self.columns.clone(),
            row,
        }
    }
}

/// What the application's table says of a user at this request.
#[derive(Clone)]
pub(crate) struct Profile {
    columns: Arc<[ProfileColumn]>,
    pub(crate) row: ProfileRow,
}

#[derive(Clone)]
pub(crate) enum ProfileRow {
    /// A list with a value for each column.
    Json(Arc<str>),
    /// The user has no row.
    Missing,
    /// The user has more than one row.
    Several,
    /// Something on the way has spoiled it.
    Unreadable,
}

impl Profile {
    /// The names of the values, in their order.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// The values are about a person, and a log is not the place for them.
impl fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Profile(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::ProfileColumn;

    #[test]
    fn a_column_has_a_name() {
        for (text, expression, name) in [
            ("name", "name", "name"),
            ("u.name", "u.name", "name"),
            (" a.u.name ", "a.u.name", "name"),
            ("\"order\"", "\"order\"", "order"),
            ("u.`order`", "u.`order`", "order"),
            ("lower(email) AS email", "lower(email)", "email"),
            ("CAST(a AS TEXT) as b", "CAST(a AS TEXT)", "b"),
            ("'x' As \"B\"", "'x'", "B"),
            ("größe", "größe", "größe"),
        ] {
            let column = ProfileColumn::parse(text);
            let expected = ProfileColumn {
                expression: expression.into(),
                name: name.into(),
            };
            assert_eq!(column, Some(expected), "{text}");
        }
        for text in [
            "",
            " ",
            "*",
            "u.*",
            "lower(email)",
            "a, b",
            "x AS ",
            "a AS b c",
            " AS x",
            "a.",
            "CAST(a AS TEXT)",
        ] {
            assert_eq!(ProfileColumn::parse(text), None, "{text}");
        }
    }
}
