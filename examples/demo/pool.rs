//! Which database it is. This demo runs on three, and this is the only file that knows it.
//!
//! An application of your own has one, and needs none of this: its pool is a `SqlitePool`, a `PgPool`
//! or a `MySqlPool`, and `Sessions::builder(pool)` takes it as it is.

use std::error::Error;
use std::time::Duration;

use countersign::{MigrateError, Sessions, SessionsBuilder};
use sqlx::pool::PoolOptions;

use crate::config::SettingError;

#[derive(Clone)]
pub enum Pool {
    #[cfg(feature = "sqlite")]
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
            #[cfg(feature = "sqlite")]
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
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let options = countersign::sqlite_options(url).map_err(invalid)?;
                Ok(Self::Sqlite(pool_options().connect_with(options).await?))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let options: sqlx::postgres::PgConnectOptions = url.parse().map_err(invalid)?;
                Ok(Self::Postgres(pool_options().connect_with(options).await?))
            }
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => {
                let options: sqlx::mysql::MySqlConnectOptions = url.parse().map_err(invalid)?;
                Ok(Self::MySql(pool_options().connect_with(options).await?))
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

    pub async fn close(&self) {
        with_pool!(self, pool => pool.close().await);
    }
}

fn pool_options<DB: sqlx::Database>() -> PoolOptions<DB> {
    // When the database is away a page should say so soon: the default is to wait for half a minute.
    PoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(2))
}

/// The address itself stays out of the message: it may contain a password.
fn invalid(error: sqlx::Error) -> SettingError {
    SettingError::secret(
        "DATABASE_URL",
        format!("is not an address of a database: {error}"),
    )
}

fn unsupported(scheme: &str) -> SettingError {
    let fault = match scheme {
        "sqlite" => "starts with `sqlite:`, which this demo was built without; build with `--features sqlite`".into(),
        "postgres" | "postgresql" => {
            format!("starts with `{scheme}:`, which this demo was built without; build with `--features postgres`")
        }
        "mysql" | "mariadb" => {
            format!("starts with `{scheme}:`, which this demo was built without; build with `--features mysql`")
        }
        _ => "starts with an unknown scheme; allowed: sqlite:demo.db?mode=rwc, \
              postgres://user:password@host/database or mysql://user:password@host/database"
            .into(),
    };
    SettingError::secret("DATABASE_URL", fault)
}
