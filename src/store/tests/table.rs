//! A table of 100,000 sessions on each database.

use std::{sync::Arc, time::Duration};

use sqlx::AssertSqlSafe;

use crate::store::{
    ApplicationSql, ProfileSql, Store, Timings, dialect::Dialect, driver_of, migrate,
    pool::SessionPool,
};
#[cfg(feature = "postgres")]
use crate::store::{connections::Bounds, driver::Backend};

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
        Self::postgres_of(100_000).await
    }

    /// Of so many sessions, the newest of those 100,000.
    #[cfg(feature = "postgres")]
    pub(super) async fn postgres_of(sessions: u32) -> Self {
        let dropped = Dropped::new("COUNTERSIGN_TEST_POSTGRES");
        let admin = sqlx::PgPool::connect(&dropped.server).await.unwrap();
        let create = AssertSqlSafe(format!("CREATE DATABASE {}", dropped.name));
        sqlx::raw_sql(create).execute(&admin).await.unwrap();
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        // What our own connections set makes a difference to plans.
        let bounds = Bounds {
            time_budget: Duration::from_secs(600),
            ..Bounds::default()
        };
        let options =
            <sqlx::Postgres as Backend>::bounded(&dropped.url().parse().unwrap(), &bounds);
        let table = Self::Postgres(pool.connect_with(options).await.unwrap(), dropped);
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
                "{COLUMNS} {rows} FROM generate_series({}, 100000) i",
                100_001 - sessions
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
}

fn store<P: SessionPool>(pool: &P) -> Store {
    let day = Duration::from_secs(24 * 60 * 60);
    let minute = Duration::from_secs(60);
    let timings = Timings {
        idle_timeout: 20 * day,
        remembered_idle_timeout: 30 * day,
        absolute_timeout: 30 * day,
        touch_interval: minute,
        rotation_grace: minute,
        reservation_timeout: minute,
        acting_timeout: day,
        retention: 30 * day,
        time_budget: minute,
    };
    let users = || "people WHERE id = {user:int}".to_owned();
    let application = ApplicationSql {
        account: Some(users()),
        permissions: vec![("stamp".to_owned(), users())],
        limit: None,
        stamp: Some(("stamp".to_owned(), users())),
        profile: ProfileSql::new(&["stamp".to_owned()], users()).ok(),
        display_name: Some(("stamp".to_owned(), users())),
    };
    let realm = Arc::from("default");
    Store::new(driver_of(pool), realm, timings, &application)
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
