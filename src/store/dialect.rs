//! What the three databases spell differently, as text. Everything else is written once.

mod row;

use std::time::Duration;

pub(super) use self::row::no_list;
use super::value::CellKind;

/// The SQL of one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

/// How the application's SQL wants the user's id: `{user:int}`, `{user:uuid}` or `{user:text}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserCast {
    Int,
    Uuid,
    Text,
}

impl UserCast {
    pub(crate) const ALL: [Self; 3] = [Self::Int, Self::Uuid, Self::Text];

    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::Int => "{user:int}",
            Self::Uuid => "{user:uuid}",
            Self::Text => "{user:text}",
        }
    }
}

const SQLITE_TIME: &str = "'%Y-%m-%d %H:%M:%f'";

impl Dialect {
    /// The database's clock, which is the only clock: the start of the statement, in UTC.
    pub(crate) fn now(self) -> String {
        match self {
            Self::Sqlite => format!("strftime({SQLITE_TIME}, 'now')"),
            Self::Postgres => "statement_timestamp()".into(),
            Self::MySql => "UTC_TIMESTAMP(6)".into(),
        }
    }

    pub(crate) fn ago(self, duration: Duration) -> String {
        self.offset('-', duration)
    }

    pub(crate) fn ahead(self, duration: Duration) -> String {
        self.offset('+', duration)
    }

    fn offset(self, sign: char, duration: Duration) -> String {
        let (now, micros) = (self.now(), duration.as_micros());
        match self {
            Self::Sqlite => {
                let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
                format!("strftime({SQLITE_TIME}, 'now', '{sign}{seconds}.{millis:03} seconds')")
            }
            Self::Postgres => format!("{now} {sign} interval '{micros} microseconds'"),
            Self::MySql => format!("{now} {sign} INTERVAL {micros} MICROSECOND"),
        }
    }

    /// So long after the time in a column.
    pub(crate) fn later(self, column: &str, duration: Duration) -> String {
        let micros = duration.as_micros();
        match self {
            Self::Sqlite => {
                let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
                format!("strftime({SQLITE_TIME}, {column}, '+{seconds}.{millis:03} seconds')")
            }
            Self::Postgres => format!("{column} + interval '{micros} microseconds'"),
            Self::MySql => format!("{column} + INTERVAL {micros} MICROSECOND"),
        }
    }

    /// A time as whole microseconds since 1970, so that one type crosses the driver seam.
    pub(crate) fn micros(self, time: &str) -> String {
        match self {
            Self::Sqlite => {
                format!(
                    "CAST(round((julianday({time}) - 2440587.5) * 86400000.0) AS INTEGER) * 1000"
                )
            }
            Self::Postgres => format!("(date_part('epoch', {time}) * 1000000)::bigint"),
            Self::MySql => format!("TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {time})"),
        }
    }

    /// A time as a number of microseconds, to be compared with others of the same statement. PostgreSQL's own form is such a
    /// number already, counted from 2000.
    pub(crate) fn instant(self, time: &str) -> String {
        match self {
            Self::Sqlite | Self::MySql => self.micros(time),
            Self::Postgres => time.to_owned(),
        }
    }

    /// The way back, for times that come from outside: `parameter` is a placeholder of whole microseconds.
    pub(crate) fn time(self, parameter: &str) -> String {
        match self {
            Self::Sqlite => {
                format!("strftime({SQLITE_TIME}, {parameter} / 1000000.0, 'unixepoch')")
            }
            Self::Postgres => {
                format!(
                    "(timestamptz '1970-01-01 00:00:00Z' + {parameter} * interval '1 microsecond')"
                )
            }
            Self::MySql => {
                format!("(TIMESTAMP'1970-01-01 00:00:00' + INTERVAL {parameter} MICROSECOND)")
            }
        }
    }

    /// Locks the rows that were read. SQLite's writers hold the whole database since BEGIN IMMEDIATE.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::MySql => "FOR UPDATE",
        }
    }

    /// Locks those of the rows that are locked by no other; the rest are left out. SQLite: see
    /// [`for_update`](Self::for_update).
    pub(crate) fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::MySql => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// Whether a backslash in a text stands before a letter of the text, unless the server is told otherwise.
    pub(crate) fn escapes_by_backslash(self) -> bool {
        self == Self::MySql
    }

    /// Whether a statement may wait for a row after it has read the clock. A writer of SQLite waits before it begins.
    pub(crate) fn waits_for_rows(self) -> bool {
        self != Self::Sqlite
    }

    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            // What was counted after waiting for the lock must be what the last holder left.
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::MySql => "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION",
        }
    }

    pub(crate) fn insert_user_if_absent(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => {
                "INSERT INTO countersign_users (realm, user_id) VALUES ({realm}, {?text}) ON CONFLICT (realm, user_id) DO NOTHING"
            }
            Self::MySql => {
                "INSERT INTO countersign_users (realm, user_id) VALUES ({realm}, {?text}) ON DUPLICATE KEY UPDATE user_id = user_id"
            }
        }
    }

    /// The id column as text.
    pub(crate) fn id(self, column: &str) -> String {
        match self {
            Self::Sqlite | Self::MySql => column.to_owned(),
            Self::Postgres => format!("{column}::text"),
        }
    }

    /// Computed once for a statement. SQLite computes its times anew for each row, which takes a third of a look-up.
    pub(crate) fn once(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT {expression})"),
            Self::Postgres | Self::MySql => expression.to_owned(),
        }
    }

    /// The earlier of two times.
    pub(crate) fn earlier(self, one: &str, other: &str) -> String {
        match self {
            Self::Sqlite => format!("min({one}, {other})"),
            Self::Postgres | Self::MySql => format!("LEAST({one}, {other})"),
        }
    }

    pub(crate) fn boolean(self, condition: &str) -> String {
        self.integer(&format!("CASE WHEN {condition} THEN 1 ELSE 0 END"))
    }

    pub(crate) fn integer(self, expression: &str) -> String {
        match self {
            Self::Sqlite | Self::MySql => format!("({expression})"),
            Self::Postgres => format!("({expression})::bigint"),
        }
    }

    /// A number that the application computes, whatever type its column has.
    pub(crate) fn number(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST(({expression}) AS INTEGER)"),
            Self::Postgres => format!("({expression})::bigint"),
            Self::MySql => format!("CAST(({expression}) AS SIGNED)"),
        }
    }

    /// The user's id as the application's column has it; `column` is ours, which is text.
    pub(crate) fn user(self, cast: UserCast, column: &str) -> String {
        match (self, cast) {
            (_, UserCast::Text) => column.to_owned(),
            (Self::Sqlite, UserCast::Int) => format!("CAST({column} AS INTEGER)"),
            (Self::Postgres, UserCast::Int) => format!("{column}::bigint"),
            (Self::MySql, UserCast::Int) => format!("CAST({column} AS SIGNED)"),
            (Self::Sqlite, UserCast::Uuid) => format!("unhex(replace({column}, '-', ''))"),
            (Self::Postgres, UserCast::Uuid) => format!("{column}::uuid"),
            (Self::MySql, UserCast::Uuid) => format!("UNHEX(REPLACE({column}, '-', ''))"),
        }
    }

    /// Whether nothing is found there. PostgreSQL takes NOT EXISTS for an offer to read the application's whole table into
    /// a hash table; an array is read for the one user alone.
    pub(crate) fn absent(self, from: &str) -> String {
        match self {
            Self::Sqlite | Self::MySql => format!("NOT EXISTS (SELECT 1 FROM {from})"),
            Self::Postgres => format!("cardinality(ARRAY(SELECT 1 FROM {from})) = 0"),
        }
    }

    /// All values of a column as [texts](super::value::CellKind::Texts). The aggregate stands directly on the application's
    /// FROM part: MariaDB refuses an outer reference inside a derived table.
    ///
    /// MariaDB cuts JSON_ARRAYAGG at `group_concat_max_len`, in the midst of a name, and closes what is left into valid
    /// JSON. So there the number of values and of their letters come along, from aggregates that nothing cuts.
    pub(crate) fn texts(self, column: &str, from: &str) -> String {
        match self {
            Self::Sqlite => {
                format!("(SELECT json_group_array(CAST({column} AS TEXT)) FROM {from})")
            }
            Self::Postgres => format!("ARRAY(SELECT ({column})::text FROM {from})"),
            Self::MySql => format!(
                "(SELECT CONCAT(COUNT(*), ':', COALESCE(SUM(CHAR_LENGTH(CAST({column} AS CHAR))), 0), ':', \
                 COALESCE(JSON_ARRAYAGG(CAST({column} AS CHAR)), '[]')) FROM {from})"
            ),
        }
    }

    /// The way back from [`id`](Self::id): an id that is text, as the id column has it.
    pub(crate) fn key(self, text: &str) -> String {
        match self {
            Self::Sqlite | Self::MySql => text.to_owned(),
            Self::Postgres => format!("{text}::uuid"),
        }
    }

    /// NULL, of the type that such a cell has.
    pub(crate) fn null(self, kind: CellKind) -> &'static str {
        match (self, kind) {
            (Self::Sqlite | Self::MySql, _) => "NULL",
            (Self::Postgres, CellKind::Int) => "NULL::bigint",
            (Self::Postgres, CellKind::Text) => "NULL::text",
            (Self::Postgres, CellKind::Bytes) => "NULL::bytea",
            (Self::Postgres, CellKind::Id) => "NULL::uuid",
            (Self::Postgres, CellKind::Texts) => "NULL::text[]",
        }
    }

    /// A time column as text that a [`Cursor`](super::Cursor) takes back without loss.
    pub(crate) fn sortable(self, column: &str) -> String {
        match self {
            // Whatever stands there, even what is no time.
            Self::Sqlite => column.to_owned(),
            Self::Postgres => format!("({})::text", self.micros(column)),
            Self::MySql => format!("CAST({} AS CHAR)", self.micros(column)),
        }
    }

    /// The n-th parameter of a statement, counted from 1.
    pub(crate) fn parameter(self, number: usize, kind: ParameterKind) -> String {
        match (self, kind) {
            (Self::Postgres, ParameterKind::Uuid) => format!("${number}::text::uuid"),
            (Self::Postgres, ParameterKind::Text) => format!("${number}::text"),
            (Self::Postgres, ParameterKind::Int) => format!("${number}::bigint"),
            (Self::Postgres, ParameterKind::Bytes) => format!("${number}::bytea"),
            (Self::Sqlite | Self::MySql, _) => "?".into(),
        }
    }

    /// `column` is one of a list of `length` parameters.
    pub(crate) fn one_of(self, number: usize, kind: ParameterKind, length: usize) -> String {
        match (self, kind) {
            (Self::Postgres, ParameterKind::Uuid) => format!("= ANY(${number}::text[]::uuid[])"),
            (Self::Postgres, ParameterKind::Bytes) => format!("= ANY(${number}::bytea[])"),
            (Self::Postgres, _) => format!("= ANY(${number})"),
            (Self::Sqlite | Self::MySql, _) => format!("IN ({})", vec!["?"; length].join(",")),
        }
    }

    /// One array parameter serves a list of any length, instead of as many parameters as there are values.
    pub(crate) fn has_arrays(self) -> bool {
        self == Self::Postgres
    }

    /// A column that contains a piece of text, letter for letter.
    pub(crate) fn contains(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({column}, {{?text}}) > 0"),
            Self::Postgres => format!("strpos({column}, {{?text}}) > 0"),
            Self::MySql => format!("LOCATE({{?text}}, {column}) > 0"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Text,
    Uuid,
    Int,
    Bytes,
}
