//! A table of 100,000 sessions on each database, and the plans that it is read by.

use std::{sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Row as _};

use crate::store::{
    ApplicationSql, Bind, Store, Timings, dialect::Dialect, driver_of, migrate, pool::SessionPool,
};

/// What the planner believes of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistics {
    /// Nothing: as after a restore.
    None,
    /// What is so.
    Fresh,
    /// What was so when all sessions were one user's, from one address, live, and an administrator's who acts.
    Misleading,
}

impl Statistics {
    pub(super) const ALL: [Self; 3] = [Self::None, Self::Fresh, Self::Misleading];
}

/// One access to the sessions: the index, and whether what it yields is sorted as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// `None` for a scan of the table, or of an index in full.
    pub(super) index: Option<String>,
    pub(super) is_sorted: bool,
}

#[derive(Debug)]
pub(super) enum Table {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool, Dropped),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool, Dropped),
}

/// A database that goes away with its table.
#[derive(Debug)]
pub(super) struct Dropped {
    server: String,
    name: String,
}

const COLUMNS: &str = "INSERT INTO countersign_sessions (id, realm, user_id, token_hash, created_at, authenticated_at, \
     last_seen_at, expires_at, ip, user_agent, acting_user, reserved_until, ended_at, ended_reason)";

/// Of 100,000 sessions of 1,000 users in one realm every second has ended, every hundredth is a sign-in under way, and in
/// every fiftieth an administrator acts.
fn rows(number: &str, id: &str, hash: &str, ago: impl Fn(&str) -> String) -> String {
    let text = |text: &str| match number {
        "seq" => format!("concat('{text}', seq % 1000)"),
        number => format!("'{text}' || ({number} % 1000)"),
    };
    format!(
        "SELECT {id}, 'default', {}, {hash}, {created}, {created}, {created}, {}, {}, 'curl/8', \
         CASE WHEN {number} % 50 = 0 THEN {} END, CASE WHEN {number} % 100 = 1 THEN {now} END, \
         CASE WHEN {number} % 2 = 0 THEN {now} END, CASE WHEN {number} % 2 = 0 THEN 'logout' END",
        text("u"),
        ago("-1000000"),
        text("10.0.0."),
        text("a"),
        created = ago(&format!("(100000 - {number})")),
        now = ago("0"),
    )
}

/// What [`Statistics::Misleading`] is about.
const ALL_ALIKE: &str = "UPDATE countersign_sessions SET user_id = 'u1', ip = '10.0.0.1', acting_user = 'a1', \
     reserved_until = created_at, ended_at = NULL, ended_reason = NULL";

impl Table {
    #[cfg(feature = "sqlite")]
    pub(super) async fn sqlite() -> Self {
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        let table = Self::Sqlite(pool.connect("sqlite::memory:").await.unwrap());
        let ago = |seconds: &str| {
            format!("strftime('%Y-%m-%d %H:%M:%f', 'now', (-({seconds})) || ' seconds')")
        };
        let rows = rows(
            "i",
            "printf('%08x-0000-7000-8000-%012x', i, i)",
            "CAST(printf('%032d', i) AS BLOB)",
            ago,
        );
        table.migrate().await;
        table
            .run(&format!("{COLUMNS} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) {rows} FROM n"))
            .await;
        table
    }

    #[cfg(feature = "postgres")]
    pub(super) async fn postgres() -> Self {
        let dropped = Dropped::new("COUNTERSIGN_TEST_POSTGRES");
        let admin = sqlx::PgPool::connect(&dropped.server).await.unwrap();
        let create = AssertSqlSafe(format!("CREATE DATABASE {}", dropped.name));
        sqlx::raw_sql(create).execute(&admin).await.unwrap();
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        let table = Self::Postgres(pool.connect(&dropped.url()).await.unwrap(), dropped);
        let rows = rows(
            "i",
            "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid",
            "sha256(i::text::bytea)",
            |seconds| format!("now() - {seconds} * interval '1 second'"),
        );
        table.migrate().await;
        // No statistics but those that this test asks for.
        table
            .run("ALTER TABLE countersign_sessions SET (autovacuum_enabled = off)")
            .await;
        table
            .run(&format!(
                "{COLUMNS} {rows} FROM generate_series(1, 100000) i"
            ))
            .await;
        table
    }

    #[cfg(feature = "mysql")]
    pub(super) async fn mysql() -> Self {
        let dropped = Dropped::new("COUNTERSIGN_TEST_MYSQL");
        let admin = sqlx::MySqlPool::connect(&dropped.server).await.unwrap();
        let create = AssertSqlSafe(format!("CREATE DATABASE {}", dropped.name));
        sqlx::raw_sql(create).execute(&admin).await.unwrap();
        let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(1);
        let table = Self::MySql(pool.connect(&dropped.url()).await.unwrap(), dropped);
        let rows = rows(
            "seq",
            "concat(lpad(lower(hex(seq)), 8, '0'), '-0000-7000-8000-', lpad(lower(hex(seq)), 12, '0'))",
            "unhex(sha2(seq, 256))",
            |seconds| format!("utc_timestamp(6) - INTERVAL {seconds} SECOND"),
        );
        table.migrate().await;
        table
            .run(&format!("{COLUMNS} {rows} FROM seq_1_to_100000"))
            .await;
        table
    }

    async fn migrate(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => migrate(pool).await.unwrap(),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool, _) => migrate(pool).await.unwrap(),
            #[cfg(feature = "mysql")]
            Self::MySql(pool, _) => migrate(pool).await.unwrap(),
        }
        self.run("CREATE TABLE people (id BIGINT PRIMARY KEY, stamp VARCHAR(9))")
            .await;
    }

    pub(super) fn store(&self) -> Store {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => store(pool),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool, _) => store(pool),
            #[cfg(feature = "mysql")]
            Self::MySql(pool, _) => store(pool),
        }
    }

    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool, _) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
            #[cfg(feature = "mysql")]
            Self::MySql(pool, _) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
        }
    }

    pub(super) async fn believe(&self, statistics: Statistics) {
        match (self, statistics) {
            #[cfg(feature = "sqlite")]
            (Self::Sqlite(_), Statistics::None) => {}
            #[cfg(feature = "sqlite")]
            (Self::Sqlite(_), Statistics::Fresh) => self.run("ANALYZE").await,
            #[cfg(feature = "sqlite")]
            (Self::Sqlite(_), Statistics::Misleading) => {
                self.run(ALL_ALIKE).await;
                self.run("ANALYZE").await;
            }
            #[cfg(feature = "postgres")]
            (Self::Postgres(..), Statistics::None) => {
                self.run("DELETE FROM pg_statistic WHERE starelid::regclass::text LIKE 'countersign_sessions%'").await;
            }
            #[cfg(feature = "postgres")]
            (Self::Postgres(..), Statistics::Fresh) => {
                self.run("ANALYZE countersign_sessions").await;
            }
            #[cfg(feature = "postgres")]
            (Self::Postgres(..), Statistics::Misleading) => {
                self.run(ALL_ALIKE).await;
                self.run("ANALYZE countersign_sessions").await;
            }
            #[cfg(feature = "mysql")]
            (Self::MySql(..), Statistics::None) => {}
            #[cfg(feature = "mysql")]
            (Self::MySql(..), Statistics::Fresh) => {
                self.run("ANALYZE TABLE countersign_sessions").await;
            }
            #[cfg(feature = "mysql")]
            (Self::MySql(..), Statistics::Misleading) => {
                // That update would take a minute here. Every value once, or every value the same, by turns.
                self.run("UPDATE mysql.innodb_index_stats SET stat_value = IF(crc32(index_name) % 2, 1, 100000) \
                     WHERE database_name = database() AND stat_name LIKE 'n_diff%'").await;
                self.run("FLUSH TABLE countersign_sessions").await;
            }
        }
    }

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

fn store<P: SessionPool>(pool: &P) -> Store {
    let day = Duration::from_secs(24 * 60 * 60);
    let minute = Duration::from_secs(60);
    let timings = Timings {
        idle_timeout: 30 * day,
        absolute_timeout: 30 * day,
        touch_interval: minute,
        rotation_grace: minute,
        reservation_timeout: minute,
        acting_timeout: day,
        retention: 30 * day,
    };
    let users = || "people WHERE id = {user:int}".to_owned();
    let application = ApplicationSql {
        account: Some(users()),
        permissions: vec![("stamp".to_owned(), users())],
        limit: None,
        stamp: Some(("stamp".to_owned(), users())),
    };
    let realm = Arc::from("default");
    Store::new(driver_of(pool), realm, timings, &application, minute)
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

#[cfg(any(feature = "postgres", feature = "mysql"))]
impl Dropped {
    fn new(variable: &str) -> Self {
        Self {
            server: std::env::var(variable)
                .unwrap_or_else(|_| panic!("{variable} is not set: see scripts/with-servers")),
            name: format!("countersign_{}", uuid::Uuid::now_v7().simple()),
        }
    }

    fn url(&self) -> String {
        let (start, _) = self.server.rsplit_once('/').unwrap();
        format!("{start}/{}", self.name)
    }
}

impl Table {
    /// Takes the database away.
    pub(super) async fn gone(self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => pool.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(pool, dropped) => {
                pool.close().await;
                let admin = sqlx::PgPool::connect(&dropped.server).await.unwrap();
                let sql = AssertSqlSafe(format!("DROP DATABASE {}", dropped.name));
                sqlx::raw_sql(sql).execute(&admin).await.unwrap();
            }
            #[cfg(feature = "mysql")]
            Self::MySql(pool, dropped) => {
                pool.close().await;
                let admin = sqlx::MySqlPool::connect(&dropped.server).await.unwrap();
                let sql = AssertSqlSafe(format!("DROP DATABASE {}", dropped.name));
                sqlx::raw_sql(sql).execute(&admin).await.unwrap();
            }
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(..) => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            Self::MySql(..) => Dialect::MySql,
        }
    }
}
