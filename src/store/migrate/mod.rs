//! The schema: embedded migrations, tracked in a table of our own, so that the application's are left alone.
//!
//! How they are carried out differs by database, and has a file for each. Common to all: a connection that returns to
//! no pool, one program at a time, and a bound for every wait.
// docs/decisions/09-migrations-of-our-own.md

#[cfg(feature = "mysql")]
pub(super) mod mysql;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;

use std::{borrow::Cow, future::Future, io, time::Duration};

use sqlx::{
    Connection, Database, Pool, SqlSafeStr,
    migrate::{MigrateError as Cause, Migration, MigrationType, Migrator},
};

use super::dialect::Dialect;
use crate::error::{MigrateAdvice, MigrateError};

/// For a connection, and for a lock that another program holds. Longer than a migration takes on tables in use.
const PATIENCE: Duration = Duration::from_secs(30);
/// For all of it: an index of a large table takes minutes, and a server that is gone says nothing.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What one migration is called and says in each database.
struct Step {
    version: i64,
    description: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    mysql: &'static str,
}

macro_rules! step {
    ($version:literal, $description:literal, $file:literal) => {
        Step {
            version: $version,
            description: $description,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../../migrations/postgres/", $file)),
            mysql: include_str!(concat!("../../../migrations/mysql/", $file)),
        }
    };
}

impl Step {
    fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
            Dialect::MySql => self.mysql,
        }
    }
}

const STEPS: [Step; 1] = [step!(1, "sessions", "0001_sessions.sql")];

/// The version that this code needs.
pub(crate) const SCHEMA_VERSION: i64 = STEPS.len() as i64;

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = STEPS.iter().map(|step| {
        Migration::new(
            step.version,
            Cow::Borrowed(step.description),
            MigrationType::Simple,
            step.text(dialect).into_sql_str(),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name("_countersign_migrations");
    migrator
}

/// The text of all migrations, in their order.
pub(super) fn texts(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(move |step| step.text(dialect))
}

/// A connection that the pool's settings and hooks have made and that belongs to no pool: whatever is left on it by a
/// migration that fails, no request meets.
#[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code))]
async fn connection<DB: Database>(
    pool: &Pool<DB>,
    options: <DB::Connection as Connection>::Options,
) -> Result<DB::Connection, Cause> {
    if pool.is_closed() {
        return Err(sqlx::Error::PoolClosed.into());
    }
    let one = pool.options().clone().min_connections(0).max_connections(1);
    let connecting = async { Ok(one.connect_lazy_with(options).acquire().await?.detach()) };
    within(PATIENCE, connecting).await
}

/// No wait is without end.
#[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code))]
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Cause> {
    match tokio::time::timeout(patience, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            "the database did not answer in time",
        ))
        .into()),
    }
}

/// With the advice that fits what the database says.
fn advised(
    cause: Cause,
    advice: impl FnOnce(&sqlx::Error) -> Option<MigrateAdvice>,
) -> MigrateError {
    let advice = match &cause {
        Cause::Execute(error) | Cause::ExecuteMigration(error, _) => advice(error),
        _ => None,
    };
    MigrateError::new(cause, advice.unwrap_or_default())
}
