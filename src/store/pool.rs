//! The application's own pool, of whichever database.

use std::sync::Arc;

use super::driver::{Driver, Speaks, SqlxDriver};
use crate::error::{Error, MigrateError};

/// A pool that sessions can live in: `sqlx::SqlitePool`, `sqlx::PgPool` or `sqlx::MySqlPool`, each behind the
/// feature of its name.
///
/// Sealed: what a database needs beyond standard SQL is countersign's business.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pool that countersign can use",
    note = "enable countersign's feature for the database: `sqlite`, `postgres` or `mysql`",
    note = "or the pool is of another version of sqlx: countersign needs sqlx 0.9"
)]
pub trait SessionPool: sealed::Sealed + Clone {}

pub(crate) mod sealed {
    use std::sync::Arc;

    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a pool that countersign can use",
        note = "enable countersign's feature for the database: `sqlite`, `postgres` or `mysql`",
        note = "or the pool is of another version of sqlx: countersign needs sqlx 0.9"
    )]
    pub trait Sealed {
        #[doc(hidden)]
        #[allow(private_interfaces)] // sealed: no other crate can call it
        fn driver(&self) -> Arc<dyn super::Driver>;
    }
}

impl<DB: sqlx::Database> SessionPool for sqlx::Pool<DB> where sqlx::Pool<DB>: sealed::Sealed {}

impl<DB: Speaks> sealed::Sealed for sqlx::Pool<DB> {
    #[allow(private_interfaces)]
    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(SqlxDriver::new(self))
    }
}

pub(crate) fn driver_of<P: SessionPool>(pool: &P) -> Arc<dyn Driver> {
    sealed::Sealed::driver(pool)
}

/// Creates or updates countersign's tables.
///
/// The tables start with `countersign_`; what was applied is kept in `_countersign_migrations`, apart from the
/// application's own migrations. It may run in several processes at once, and again and again. Old and new versions of
/// the application can serve side by side while it runs.
///
/// The database user needs the right to create tables and indexes; serving needs only to read and write them.
///
/// # Errors
///
/// [`MigrateError`], when the database refuses or is not reachable, or was migrated by a newer version.
pub async fn migrate<P: SessionPool>(pool: &P) -> Result<(), MigrateError> {
    driver_of(pool).migrate().await
}

/// The version of countersign's tables, or `None` where there are none: what [`migrate`] would start from.
///
/// # Errors
///
/// Unavailable.
pub async fn schema_version<P: SessionPool>(pool: &P) -> Result<Option<i64>, Error> {
    Ok(super::check::schema_version(driver_of(pool).as_ref()).await?)
}

/// Options for a SQLite database that serves many requests: write-ahead log, five seconds of patience with another
/// writer, foreign keys on.
///
/// # Security
///
/// `synchronous` stays at SQLite's `FULL`, so that a revocation that was answered survives a power failure. It costs
/// nothing on the way of a request, which only reads.
///
/// ```
/// # async fn example() -> Result<(), sqlx::Error> {
/// let options = countersign::sqlite_options("sqlite:app.db?mode=rwc")?;
/// let pool = sqlx::SqlitePool::connect_with(options).await?;
/// # Ok(()) }
/// ```
///
/// Programs that create one file at the same moment may get "database is locked" from their first connection, while
/// another one switches the file to write-ahead mode: try again.
///
/// # Errors
///
/// When the address is not one of SQLite's.
#[cfg(feature = "sqlite")]
pub fn sqlite_options(url: &str) -> Result<sqlx::sqlite::SqliteConnectOptions, sqlx::Error> {
    use std::{str::FromStr, time::Duration};

    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

    Ok(SqliteConnectOptions::from_str(url)?
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true))
}
