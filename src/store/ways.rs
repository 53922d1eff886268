//! How a session's row is found: by one index each, on each database, whatever its planner believes.
//!
//! Without statistics, and with misleading ones, planners take the strangest ways. So nothing but the key is a condition
//! here, the order of the joins is fixed, and indexes are named where a database lets us name them.
// docs/decisions/49-one-way-to-the-rows.md

use super::{dialect::Dialect, value::Bind};
use crate::token::TokenHash;

impl Dialect {
    /// What stands behind a table's name in FROM, so that its rows are found by this index or not at all.
    pub(crate) fn by_index(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!("INDEXED BY {index}"),
            // PostgreSQL has no such words: there the conditions leave no other way.
            Self::Postgres => String::new(),
            Self::MySql => format!("FORCE INDEX ({index})"),
        }
    }

    /// Sessions by their tokens, one row at least for each token that is asked for; `columns` of the session, as a
    /// template. The state is `unknown` where an old token's grace is over, and `ambiguous` where two rows have the token.
    pub(super) fn find_by_token(self, columns: &str, unknown: i64, ambiguous: i64) -> String {
        let key = match self {
            // In both indexes, so that the table itself is read once.
            Self::Sqlite => "rowid",
            Self::MySql => "id",
            // Two branches of its own for each token: no way leads through the table. Two rows are seen by the reader.
            Self::Postgres => {
                return format!(
                    "SELECT asked.number AS countersign_number, found.* FROM {{?asked}} LEFT JOIN LATERAL (\
                     SELECT {columns} FROM countersign_sessions WHERE token_hash = asked.token UNION ALL \
                     SELECT {} FROM countersign_sessions WHERE previous_token_hash = asked.token) found ON TRUE",
                    columns.replace(
                        "{state}",
                        &format!("CASE WHEN {{in_grace}} THEN {{state}} ELSE {unknown} END")
                    )
                );
            }
        };
        format!(
            "SELECT asked.number AS countersign_number, found.countersign_id, found.countersign_user, \
             found.countersign_acting, found.countersign_reason, found.countersign_proved, found.countersign_stamp, \
             CASE WHEN newest.{key} IS NOT NULL AND former.{key} IS NOT NULL THEN {ambiguous} \
             WHEN newest.{key} IS NULL AND found.countersign_in_grace = 0 THEN {unknown} \
             ELSE found.countersign_state END AS countersign_state FROM {{?asked}} \
             LEFT JOIN countersign_sessions newest {} ON newest.token_hash = {token} \
             LEFT JOIN countersign_sessions former {} ON former.previous_token_hash = {token} \
             LEFT JOIN (SELECT {key} AS countersign_key, {columns} FROM countersign_sessions {}) found \
             ON found.countersign_key = COALESCE(newest.{key}, former.{key})",
            self.by_index("countersign_sessions_token_hash"),
            self.by_index("countersign_sessions_previous_token_hash"),
            match self {
                Self::MySql => self.by_index("PRIMARY"),
                Self::Sqlite | Self::Postgres => String::new(),
            },
            token = match self {
                Self::MySql => "UNHEX(asked.token)",
                Self::Sqlite | Self::Postgres => "asked.token",
            },
        )
    }

    /// A list of tokens as a table, `asked (number, token)`, numbered from 1.
    pub(crate) fn asked(self, number: usize, length: usize) -> String {
        match self {
            Self::Sqlite => {
                let rows = (2..=length).map(|number| format!(" UNION ALL SELECT {number}, ?"));
                format!(
                    "(SELECT 1 AS number, ? AS token{}) asked",
                    String::from_iter(rows)
                )
            }
            Self::Postgres => {
                // From a SELECT, so that no value of it is worth a plan of its own: planning costs more than a look-up.
                format!("unnest((SELECT ${number}::bytea[])) WITH ORDINALITY asked (token, number)")
            }
            Self::MySql => "JSON_TABLE(?, '$[*]' COLUMNS (number FOR ORDINALITY, \
                 token CHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$')) asked"
                .into(),
        }
    }

    /// The parameter of [`asked`](Self::asked).
    pub(crate) fn asked_for(self, tokens: &[TokenHash]) -> Bind {
        match self {
            Self::Sqlite | Self::Postgres => Bind::Hashes(tokens.to_vec()),
            Self::MySql => {
                let hex = |token: &TokenHash| {
                    let digits = token.as_bytes().iter().map(|byte| format!("{byte:02x}"));
                    format!("\"{}\"", String::from_iter(digits))
                };
                let list: Vec<_> = tokens.iter().map(hex).collect();
                Bind::Text(format!("[{}]", list.join(",")))
            }
        }
    }

    /// A list of ids that comes as one parameter, a JSON array: its FROM part, and the id in it, as text.
    pub(crate) fn each_id(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("json_each({?text}) list", "list.value"),
            Self::Postgres => (
                "json_array_elements_text({?text}::json) list (id)",
                "list.id",
            ),
            Self::MySql => (
                "JSON_TABLE({?text}, '$[*]' COLUMNS (id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$')) list",
                "list.id",
            ),
        }
    }

    /// Sessions by their ids, one row for each id that is asked for.
    pub(super) fn find_by_id(self, columns: &str) -> String {
        let (list, id) = self.each_id();
        let key = self.key(id);
        match self {
            Self::Sqlite | Self::MySql => format!(
                "SELECT {key} AS countersign_key, found.* FROM {list} \
                 LEFT JOIN (SELECT {columns} FROM countersign_sessions {}) found ON found.countersign_id = {key}",
                self.by_index(match self {
                    Self::MySql => "PRIMARY",
                    Self::Sqlite | Self::Postgres => "sqlite_autoindex_countersign_sessions_1",
                })
            ),
            // The fence keeps the row's condition inside, where only the primary key fits it.
            Self::Postgres => format!(
                "SELECT {key} AS countersign_key, found.* FROM {list} LEFT JOIN LATERAL (\
                 SELECT {columns} FROM countersign_sessions WHERE id = {key} OFFSET 0) found ON TRUE"
            ),
        }
    }
}
