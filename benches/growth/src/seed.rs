//! Tables of any size, written by the database itself.

use countersign::{Sessions, SessionsBuilder, uuid::Uuid};
use sqlx::{AssertSqlSafe, MySqlPool, PgPool, SqlitePool};

pub type Failure = Box<dyn std::error::Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MySql];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// The server's address, where there has to be one.
    pub fn server(self) -> Option<Result<String, std::env::VarError>> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(std::env::var("COUNTERSIGN_TEST_POSTGRES")),
            Self::MySql => Some(std::env::var("COUNTERSIGN_TEST_MYSQL")),
        }
    }
}

/// A database of its own.
pub enum Place {
    Sqlite(SqlitePool, tempfile::TempDir),
    Postgres(PgPool, String, String),
    MySql(MySqlPool, String, String),
}

/// How many sessions a user has. Half of all have ended.
pub const EACH: u64 = 4;

impl Place {
    pub async fn new(kind: Kind) -> Result<Self, Failure> {
        let name = format!("countersign_growth_{}", Uuid::now_v7().simple());
        let server = kind.server().transpose()?.unwrap_or_default();
        let url = match server.rsplit_once('/') {
            Some((start, _)) => format!("{start}/{name}"),
            None => String::new(),
        };
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        let place = match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir()?;
                let file = folder.path().join("growth.db");
                let options =
                    countersign::sqlite_options(&format!("sqlite:{}?mode=rwc", file.display()))?;
                Self::Sqlite(SqlitePool::connect_with(options).await?, folder)
            }
            Kind::Postgres => {
                let admin = PgPool::connect(&server).await?;
                sqlx::raw_sql(create).execute(&admin).await?;
                Self::Postgres(PgPool::connect(&url).await?, server, name)
            }
            Kind::MySql => {
                let admin = MySqlPool::connect(&server).await?;
                sqlx::raw_sql(create).execute(&admin).await?;
                Self::MySql(MySqlPool::connect(&url).await?, server, name)
            }
        };
        match &place {
            Self::Sqlite(pool, _) => countersign::migrate(pool).await?,
            Self::Postgres(pool, ..) => countersign::migrate(pool).await?,
            Self::MySql(pool, ..) => countersign::migrate(pool).await?,
        }
        Ok(place)
    }

    async fn run(&self, sql: &str) -> Result<(), Failure> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(pool, _) => drop(sqlx::raw_sql(sql).execute(pool).await?),
            Self::Postgres(pool, ..) => drop(sqlx::raw_sql(sql).execute(pool).await?),
            Self::MySql(pool, ..) => drop(sqlx::raw_sql(sql).execute(pool).await?),
        }
        Ok(())
    }

    /// Sessions of one realm, one a second up to now, of users who have [`EACH`] of them.
    pub async fn seed(&self, size: u64, analyze: bool) -> Result<(), Failure> {
        self.run("CREATE TABLE users (id BIGINT PRIMARY KEY)")
            .await?;
        let users = size.div_ceil(EACH).max(1) + 1000;
        let (numbers, number, id, hash) = match self {
            Self::Sqlite(..) => (
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n)",
                "i",
                "printf('%08x-0000-7000-8000-%012x', i, i)",
                "CAST(printf('%032d', i) AS BLOB)",
            ),
            Self::Postgres(..) => (
                "generate_series(1, {}) i",
                "i",
                "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid",
                "sha256(i::text::bytea)",
            ),
            Self::MySql(..) => (
                "seq_1_to_{}",
                "seq",
                "concat(lpad(lower(hex(seq)), 8, '0'), '-0000-7000-8000-', lpad(lower(hex(seq)), 12, '0'))",
                "unhex(sha2(seq, 256))",
            ),
        };
        let of = |count: u64| numbers.replace("{}", &count.to_string());
        self.run(&format!(
            "INSERT INTO users SELECT {number} FROM {}",
            of(users)
        ))
        .await?;
        let ago = |seconds: &str| match self {
            Self::Sqlite(..) => {
                format!("strftime('%Y-%m-%d %H:%M:%f', 'now', (-({seconds})) || ' seconds')")
            }
            Self::Postgres(..) => format!("now() - ({seconds}) * interval '1 second'"),
            Self::MySql(..) => format!("utc_timestamp(6) - INTERVAL ({seconds}) SECOND"),
        };
        let text = |before: &str, modulo: u64| match self {
            Self::MySql(..) => format!("concat('{before}', {number} % {modulo})"),
            _ => format!("'{before}' || ({number} % {modulo})"),
        };
        self.run(&format!(
            "INSERT INTO countersign_sessions (id, realm, user_id, token_hash, created_at, authenticated_at, last_seen_at, \
             expires_at, ip, user_agent, ended_at, ended_reason) \
             SELECT {id}, 'default', {}, {hash}, {created}, {created}, {}, {}, {}, 'Mozilla/5.0 (X11; Linux x86_64)', \
             CASE WHEN {number} % 2 = 0 THEN {} END, CASE WHEN {number} % 2 = 0 THEN 'logout' END FROM {}",
            text("", size.div_ceil(EACH).max(1)),
            ago("0"),
            ago("-2000000"),
            text("10.0.0.", size.div_ceil(20).max(1)),
            ago("60"),
            of(size),
            created = ago(&format!("{size} - {number}")),
        ))
        .await?;
        match (self, analyze) {
            (Self::Sqlite(..), true) => self.run("ANALYZE").await,
            (Self::Sqlite(..), false) => Ok(()),
            (Self::Postgres(..), true) => self.run("VACUUM ANALYZE").await,
            // Nor may the server gather statistics by itself.
            (Self::Postgres(..), false) => {
                self.run("ALTER TABLE countersign_sessions SET (autovacuum_enabled = off)")
                    .await
            }
            (Self::MySql(..), true) => self.run("ANALYZE TABLE countersign_sessions").await,
            (Self::MySql(..), false) => Ok(()),
        }
    }

    pub fn builder(&self) -> SessionsBuilder {
        match self {
            Self::Sqlite(pool, _) => Sessions::builder(pool.clone()),
            Self::Postgres(pool, ..) => Sessions::builder(pool.clone()),
            Self::MySql(pool, ..) => Sessions::builder(pool.clone()),
        }
    }

    pub async fn gone(self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(pool, _) => pool.close().await,
            Self::Postgres(pool, server, name) => {
                pool.close().await;
                let admin = PgPool::connect(&server).await?;
                let drop_it = format!("DROP DATABASE {name} WITH (FORCE)");
                sqlx::raw_sql(AssertSqlSafe(drop_it))
                    .execute(&admin)
                    .await?;
            }
            Self::MySql(pool, server, name) => {
                pool.close().await;
                let admin = MySqlPool::connect(&server).await?;
                let drop_it = AssertSqlSafe(format!("DROP DATABASE {name}"));
                sqlx::raw_sql(drop_it).execute(&admin).await?;
            }
        }
        Ok(())
    }
}
