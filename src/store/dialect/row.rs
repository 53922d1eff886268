//! A row of the application's as one JSON list.
// docs/decisions/54-profile-in-the-statement.md

use super::Dialect;

impl Dialect {
    /// A row's values as a JSON list; NULL without a row. More than one row is an error, or `!`, which is no list.
    ///
    /// PostgreSQL's own JSON keeps each value's form and all its digits. In SQLite's, a BLOB has no form, and a real number
    /// has 15 digits. MariaDB's JSON_ARRAY spoils what stands beside a binary string, so there everything is text.
    /// `COERCIBILITY` tells binary strings from numbers and times, whose character set is `binary` as well.
    pub(in crate::store) fn row_as_json(self, expressions: &[&str], from: &str) -> String {
        let values = |value: &dyn Fn(&&str) -> String| {
            expressions.iter().map(value).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Sqlite => format!(
                "(SELECT CASE count(*) OVER () WHEN 1 THEN json_array({}) ELSE '!' END FROM {from})",
                values(&sqlite_json_value)
            ),
            Self::Postgres => format!(
                "(SELECT json_build_array({})::text FROM {from})",
                values(&|value| format!("({value})"))
            ),
            Self::MySql => format!(
                "(SELECT COALESCE(JSON_ARRAY({}), '!') FROM {from})",
                values(&|value| format!(
                    "IF(CHARSET({value}) = 'binary' AND COERCIBILITY({value}) < 5, LOWER(HEX({value})), \
                     CONVERT({value} USING utf8mb4))"
                ))
            ),
        }
    }
}

/// A real number as text: the shortest of three that means the same number, since SQLite's own JSON has 15 digits.
fn sqlite_json_value(value: &&str) -> String {
    let digits = |digits: u32| format!("printf('%!.{digits}g', {value})");
    let [few, more, all] = [15, 16, 17].map(digits);
    format!(
        "CASE typeof({value}) WHEN 'blob' THEN lower(hex({value})) WHEN 'real' THEN CASE {value} WHEN {few} + 0.0 THEN {few} \
         WHEN {more} + 0.0 THEN {more} ELSE {all} END ELSE {value} END"
    )
}
