//! A row of the application's as one JSON list.
// docs/decisions/54-profile-in-the-statement.md

use super::Dialect;

/// What stands in the place of a list: no row is there, there are several, the list was too long for the server.
pub(in crate::store) mod no_list {
    pub(in crate::store) const MISSING: &str = "";
    pub(in crate::store) const SEVERAL: &str = "!";
    pub(in crate::store) const LOST: &str = "-";
}

impl Dialect {
    /// The values of the only row as a JSON list, or one of [`no_list`]. It is never NULL, so NULL says that the answer was
    /// spoiled on its way. Expressions stand in an aggregate: counting the rows costs no second look at them.
    pub(in crate::store) fn row_as_json(self, expressions: &[&str], from: &str) -> String {
        let values = |value: &dyn Fn(&str) -> String| {
            let values = expressions.iter().map(|expression| value(expression));
            values.collect::<Vec<_>>().join(", ")
        };
        let only = |list: &str| {
            format!(
                "CASE count(*) WHEN 0 THEN '{}' WHEN 1 THEN {list} ELSE '{}' END",
                no_list::MISSING,
                no_list::SEVERAL
            )
        };
        match self {
            // A column beside an aggregate has the value of the only row.
            Self::Sqlite => {
                let list = format!("json_array({})", values(&sqlite));
                format!("(SELECT {} FROM {from})", only(&list))
            }
            // Each expression is computed once, behind the fence.
            Self::Postgres => {
                let numbered = 1..=expressions.len();
                let named = numbered.clone().zip(expressions);
                let named =
                    named.map(|(number, value)| format!("({value}) AS countersign_{number}"));
                let named: Vec<_> = named.collect();
                let list: Vec<_> = numbered.map(postgres).collect();
                let list = format!("min(json_build_array({})::text)", list.join(", "));
                format!(
                    "(SELECT {} FROM (SELECT {} FROM {from} OFFSET 0) countersign_row)",
                    only(&list),
                    named.join(", ")
                )
            }
            // As bytes, so that no character set of the connection changes letters on the way.
            Self::MySql => {
                let list = format!(
                    "COALESCE(MIN(JSON_ARRAY({})), '{}')",
                    values(&mysql),
                    no_list::LOST
                );
                format!("(SELECT CONVERT({} USING binary) FROM {from})", only(&list))
            }
        }
    }
}

/// In JSON of SQLite, a BLOB has no form, and a real number has 15 digits. So a real number becomes the shortest of three
/// texts that mean the same number. JSON has no infinity: it becomes text.
fn sqlite(expression: &str) -> String {
    let value = identifier(expression);
    let digits = |digits: u32| format!("printf('%!.{digits}g', {value})");
    let [few, more, all] = [15, 16, 17].map(digits);
    format!(
        "CASE typeof({value}) WHEN 'blob' THEN lower(hex({value})) WHEN 'real' THEN \
         CASE WHEN abs({value}) > 1.7976931348623157e308 THEN printf('%g', {value}) \
         ELSE json(CASE {value} WHEN {few} + 0.0 THEN {few} WHEN {more} + 0.0 THEN {more} ELSE {all} END) END \
         ELSE {value} END"
    )
}

/// JSON of PostgreSQL keeps the form and all digits of each type. Of byte strings it makes what `bytea_output` says, which
/// both `hex` and `escape` read back.
fn postgres(number: usize) -> String {
    let value = format!("countersign_{number}");
    format!(
        "CASE pg_typeof({value}) WHEN 'pg_catalog.bytea'::regtype THEN to_json(encode({value}::text::bytea, 'hex')) \
         ELSE to_json({value}) END"
    )
}

/// JSON_ARRAY of MariaDB spoils letters that stand beside a binary string, so there everything is text. Numbers and times
/// have the character set `binary` too; their coercibility tells them apart. A BIT has the coercibility of a string: its
/// hexadecimal digits are those of a number, without leading zeros.
fn mysql(expression: &str) -> String {
    let value = identifier(expression);
    format!(
        "IF(CHARSET({value}) = 'binary' AND COERCIBILITY({value}) < 5, \
         IF(HEX({value}) = CONV({value}, 10, 16), CONV({value}, 10, 10), LOWER(CONVERT(HEX({value}) USING utf8mb4))), \
         CONVERT({value} USING utf8mb4))"
    )
}

/// A name in double quotes in the quotes that mean a name alone: SQLite takes `"nmae"` for a text if there is no such
/// column, and MySQL always does.
fn identifier(expression: &str) -> String {
    let inner = expression
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(name) if !name.contains(['"', '`']) => format!("`{name}`"),
        _ => format!("({expression})"),
    }
}
