//! How a database says that it reads the sessions.

use sqlx::{AssertSqlSafe, Row as _};

use super::table::Table;
use crate::store::Bind;

/// One access to the sessions: the index, and whether what it yields is sorted as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// `None` for a scan of the table, or of an index in full.
    pub(super) index: Option<String>,
    pub(super) is_sorted: bool,
}

impl Table {
    /// How many pages PostgreSQL reads for a statement.
    #[cfg(feature = "postgres")]
    pub(super) async fn pages_read(&self, sql: &str, binds: &[Bind]) -> u64 {
        let pool = match self {
            Self::Postgres(pool, _) => pool,
            #[allow(unreachable_patterns, reason = "PostgreSQL may be the only one")]
            _ => panic!("only PostgreSQL tells it"),
        };
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS) {sql}");
        let mut query = sqlx::query(AssertSqlSafe(explain));
        for bind in binds {
            query = match bind {
                Bind::Int(value) => query.bind(*value),
                Bind::Text(value) => query.bind(value.clone()),
                other => panic!("no list binds {other:?}"),
            };
        }
        let rows = query.fetch_all(pool).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        // The first line of the kind is about the whole plan: `Buffers: shared hit=12 read=3`.
        let buffers = lines
            .iter()
            .find(|line| line.contains("Buffers: "))
            .unwrap();
        let numbers = buffers.split(' ').filter_map(|word| {
            let number = word.strip_prefix("hit=").or(word.strip_prefix("read="))?;
            number.parse::<u64>().ok()
        });
        numbers.sum()
    }

    /// How the sessions are read by this statement.
    #[cfg_attr(
        not(feature = "mysql"),
        allow(unused_variables, reason = "only MariaDB plans with values")
    )]
    pub(super) async fn accesses(&self, sql: &str, binds: &[Bind]) -> (Vec<Access>, String) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => {
                let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
                let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
                let steps: Vec<(i64, String)> = rows
                    .iter()
                    .map(|row| (row.get("parent"), row.get("detail")))
                    .collect();
                (of_sqlite(&steps), format!("{steps:#?}"))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool, _) => {
                let mut connection = pool.acquire().await.unwrap();
                let (mut all, mut text) = (Vec::new(), String::new());
                // As it is planned for its values, and as it is planned once for all of them.
                for mode in ["force_custom_plan", "force_generic_plan"] {
                    let set = format!(
                        "SET plan_cache_mode = {mode}; DEALLOCATE ALL; PREPARE pinned AS {sql}"
                    );
                    sqlx::raw_sql(AssertSqlSafe(set))
                        .execute(&mut *connection)
                        .await
                        .unwrap();
                    let explain = format!("EXPLAIN EXECUTE pinned{}", arguments(sql));
                    let rows = sqlx::raw_sql(AssertSqlSafe(explain))
                        .fetch_all(&mut *connection)
                        .await
                        .unwrap();
                    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                    all.extend(of_postgres(&lines));
                    text.push_str(&lines.join("\n"));
                }
                (all, text)
            }
            #[cfg(feature = "mysql")]
            Self::MySql(pool, _) => {
                let mut query = sqlx::query(AssertSqlSafe(format!("EXPLAIN {sql}")));
                for number in 0..sql.matches('?').count() {
                    query = match binds.get(number) {
                        Some(Bind::Int(value)) => query.bind(*value),
                        Some(Bind::Text(value)) => query.bind(value.clone()),
                        _ => query.bind("1"),
                    };
                }
                let rows = query.fetch_all(pool).await.unwrap();
                let steps: Vec<[String; 4]> = rows
                    .iter()
                    .map(|row| {
                        ["table", "type", "key", "Extra"].map(|column| {
                            let cell: Option<String> = row.get(column);
                            cell.unwrap_or_default()
                        })
                    })
                    .collect();
                (of_mysql(&steps), format!("{steps:#?}"))
            }
        }
    }
}

/// Values for the parameters, as their casts want them.
#[cfg(feature = "postgres")]
fn arguments(sql: &str) -> String {
    let kinds = [
        ("::text[]", "ARRAY['00000001-0000-7000-8000-000000000001']"),
        ("::bytea[]", "ARRAY['\\x00'::bytea]"),
        ("::text::uuid", "'00000001-0000-7000-8000-000000000001'"),
        ("::text::json", "'[]'"),
        ("::text", "'u7'"),
        ("::bigint", "1"),
        ("::bytea", "'\\x00'"),
    ];
    let values: Vec<_> = (1..)
        .map_while(|number: usize| {
            let place = format!("${number}::");
            let at = sql.find(&place)? + place.len() - 2;
            let (_, value) = kinds.iter().find(|(cast, _)| sql[at..].starts_with(cast))?;
            Some((*value).to_owned())
        })
        .collect();
    match values.is_empty() {
        true => String::new(),
        false => format!("({})", values.join(", ")),
    }
}

#[cfg(feature = "sqlite")]
fn of_sqlite(steps: &[(i64, String)]) -> Vec<Access> {
    let of_sessions = steps
        .iter()
        .filter(|(_, detail)| detail.contains("countersign_sessions"));
    of_sessions
        .map(|(parent, detail)| Access {
            index: match detail.contains("USING INTEGER PRIMARY KEY (rowid=?)") {
                true => Some("rowid".to_owned()),
                false => detail
                    .strip_prefix("SEARCH")
                    .and_then(|detail| detail.split("INDEX ").nth(1))
                    .and_then(|rest| rest.split(' ').next())
                    .map(str::to_owned),
            },
            is_sorted: steps
                .iter()
                .any(|(other, detail)| other == parent && detail.contains("TEMP B-TREE")),
        })
        .collect()
}

#[cfg(feature = "postgres")]
fn of_postgres(lines: &[String]) -> Vec<Access> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut accesses = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let is_part = line.contains("Bitmap Index Scan");
        if !line.contains(" on countersign_sessions") || !line.contains("Scan") || is_part {
            continue;
        }
        // Several indexes that are united are none: each of them is read in full.
        let parts: Vec<_> = lines[number..]
            .iter()
            .filter_map(|line| line.split("Bitmap Index Scan on ").nth(1))
            .collect();
        let index = match parts.as_slice() {
            [part] if line.contains("Bitmap Heap Scan") => Some(*part),
            _ => line.split(" using ").nth(1),
        };
        let above = lines[..number]
            .iter()
            .rev()
            .filter(|other| other.trim_start().starts_with("->") || depth(other) == 0)
            .find(|other| depth(other) < depth(line));
        accesses.push(Access {
            index: index
                .and_then(|rest| rest.split(' ').next())
                .map(str::to_owned),
            is_sorted: above.is_some_and(|above| above.contains("Sort")),
        });
    }
    accesses
}

#[cfg(feature = "mysql")]
fn of_mysql(steps: &[[String; 4]]) -> Vec<Access> {
    let of_sessions = steps
        .iter()
        // As themselves, or by the names that statements give them.
        .filter(|[table, ..]| {
            [
                "countersign_sessions",
                "newest",
                "former",
                "new",
                "previous",
            ]
            .contains(&table.as_str())
        });
    of_sessions
        .map(|[_, kind, key, extra]| Access {
            index: (kind != "ALL" && kind != "index").then(|| key.clone()),
            is_sorted: extra.contains("filesort"),
        })
        .collect()
}
