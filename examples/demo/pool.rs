//! Which database it is. This demo runs on three, and this is the only file that knows it.
//!
//! An application of your own has one, and needs none of this: its pool is a `SqlitePool`, a `PgPool`
//! or a `MySqlPool`, and `Sessions::builder(pool)` takes it as it is.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use countersign::{MigrateError, Sessions, SessionsBuilder};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Database};

use crate::config::SettingError;

#[derive(Clone)]
pub enum Pool {
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

/// Says the same to whichever database it is: the expression is compiled once for each of them.
macro_rules! with_pool {
    ($pool:expr, $name:ident => $expression:expr) => {
        match $pool {
            $crate::pool::Pool::Sqlite($name) => $expression,
            #[cfg(feature = "postgres")]
            $crate::pool::Pool::Postgres($name) => $expression,
            #[cfg(feature = "mysql")]
            $crate::pool::Pool::MySql($name) => $expression,
        }
    };
}
pub(crate) use with_pool;

impl Pool {
    /// Opens what `DATABASE_URL` says.
    pub async fn connect(url: &str) -> Result<Self, Box<dyn Error>> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "sqlite" => {
                let options = countersign::sqlite_options(url).map_err(invalid)?;
                Ok(Self::Sqlite(connect_sqlite(options).await?))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let options: sqlx::postgres::PgConnectOptions = url.parse().map_err(invalid)?;
                Ok(Self::Postgres(connect(options).await?))
            }
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => {
                let options: sqlx::mysql::MySqlConnectOptions = url.parse().map_err(invalid)?;
                Ok(Self::MySql(connect(options).await?))
            }
            _ => Err(unsupported(scheme).into()),
        }
    }

    pub async fn migrate_countersign(&self) -> Result<(), MigrateError> {
        with_pool!(self, pool => countersign::migrate(pool).await)
    }

    pub fn sessions_builder(&self) -> SessionsBuilder {
        with_pool!(self, pool => Sessions::builder(pool.clone()))
    }

    /// What the database calls a moment in time, whatever the time zone.
    pub fn timestamp_type(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "TIMESTAMP",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "TIMESTAMPTZ",
            #[cfg(feature = "mysql")]
            Self::MySql(_) => "TIMESTAMP",
        }
    }

    pub async fn close(&self) {
        with_pool!(self, pool => pool.close().await);
    }
}

/// Where several programs make one file at once, all but one may be told that it is locked, without
/// a wait, while it gets its write-ahead log. A moment later it has it.
async fn connect_sqlite(options: SqliteConnectOptions) -> Result<sqlx::SqlitePool, Unreachable> {
    for _ in 0..10 {
        match connect(options.clone()).await {
            Err(Unreachable(sqlx::Error::Database(error)))
                if error.code().as_deref() == Some("5") =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            done => return done,
        }
    }
    connect(options).await
}

async fn connect<DB: Database>(
    options: <DB::Connection as Connection>::Options,
) -> Result<sqlx::Pool<DB>, Unreachable> {
    PoolOptions::new()
        .max_connections(10)
        // When the database is away a page should say so soon: the default is to wait for half a minute.
        .acquire_timeout(Duration::from_secs(2))
        .connect_with(options)
        .await
        .map_err(Unreachable)
}

#[derive(Debug)]
struct Unreachable(sqlx::Error);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database that DATABASE_URL names cannot be reached")
    }
}

impl Error for Unreachable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The address itself stays out of the message: it may contain a password.
fn invalid(error: sqlx::Error) -> SettingError {
    SettingError::secret(
        "DATABASE_URL",
        format!("is not an address of a database: {error}"),
    )
}

fn unsupported(scheme: &str) -> SettingError {
    let feature = match scheme {
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        _ => {
            let allowed = "sqlite:demo.db?mode=rwc, postgres://user:password@host/database or mysql://user:password@host/database";
            return SettingError::secret(
                "DATABASE_URL",
                format!("starts with {scheme:?}; allowed: {allowed}"),
            );
        }
    };
    let fault = format!(
        "starts with `{scheme}:`, which this demo was built without; build with `--features {feature}`"
    );
    SettingError::secret("DATABASE_URL", fault)
}
