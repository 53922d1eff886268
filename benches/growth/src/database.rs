//! A database of its own for each table, dropped afterwards.

use countersign::{Sessions, SessionsBuilder, uuid::Uuid};
use sqlx::{AssertSqlSafe, MySqlPool, PgPool, Row, SqlitePool};

use crate::Failure;

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

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The server's address.
    fn server(self) -> Result<String, Failure> {
        let variable = match self {
            Self::Sqlite => return Ok(String::new()),
            Self::Postgres => "COUNTERSIGN_TEST_POSTGRES",
            Self::MySql => "COUNTERSIGN_TEST_MYSQL",
        };
        std::env::var(variable).map_err(|_| {
            format!(
                "{variable} is not set: run scripts/growth, or leave {} out",
                self.name()
            )
            .into()
        })
    }
}

pub enum Database {
    Sqlite(
        SqlitePool,
        #[expect(dead_code, reason = "the folder goes away with it")] tempfile::TempDir,
    ),
    Postgres(PgPool, String, String),
    MySql(MySqlPool, String, String),
}

impl Database {
    pub async fn new(kind: Kind) -> Result<Self, Failure> {
        let name = format!("countersign_growth_{}", Uuid::now_v7().simple());
        let server = kind.server()?;
        let url = server
            .rsplit_once('/')
            .map_or(String::new(), |(start, _)| format!("{start}/{name}"));
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        Ok(match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir()?;
                let file = folder.path().join("growth.db");
                let options =
                    countersign::sqlite_options(&format!("sqlite:{}?mode=rwc", file.display()))?;
                let pool = SqlitePool::connect_with(options).await?;
                countersign::migrate(&pool).await?;
                Self::Sqlite(pool, folder)
            }
            Kind::Postgres => {
                let admin = PgPool::connect(&server).await?;
                sqlx::raw_sql(create).execute(&admin).await?;
                let pool = PgPool::connect(&url).await?;
                countersign::migrate(&pool).await?;
                Self::Postgres(pool, server, name)
            }
            Kind::MySql => {
                let admin = MySqlPool::connect(&server).await?;
                sqlx::raw_sql(create).execute(&admin).await?;
                let pool = MySqlPool::connect(&url).await?;
                countersign::migrate(&pool).await?;
                Self::MySql(pool, server, name)
            }
        })
    }

    pub async fn run(&self, sql: &str) -> Result<(), Failure> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(pool, _) => drop(sqlx::raw_sql(sql).execute(pool).await?),
            Self::Postgres(pool, ..) => drop(sqlx::raw_sql(sql).execute(pool).await?),
            Self::MySql(pool, ..) => drop(sqlx::raw_sql(sql).execute(pool).await?),
        }
        Ok(())
    }

    /// What server it is.
    pub async fn version(&self) -> Result<String, Failure> {
        Ok(match self {
            Self::Sqlite(pool, _) => {
                let row = sqlx::query("SELECT sqlite_version()")
                    .fetch_one(pool)
                    .await?;
                format!("SQLite {}", row.try_get::<String, _>(0)?)
            }
            Self::Postgres(pool, ..) => {
                let row = sqlx::query("SHOW server_version").fetch_one(pool).await?;
                format!("PostgreSQL {}", row.try_get::<String, _>(0)?)
            }
            Self::MySql(pool, ..) => {
                let row = sqlx::query("SELECT version()").fetch_one(pool).await?;
                row.try_get::<String, _>(0)?
            }
        })
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
                let drop_it = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
                sqlx::raw_sql(drop_it).execute(&admin).await?;
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
