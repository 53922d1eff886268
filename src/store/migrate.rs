//! The schema: embedded migrations, tracked in a table of our own, so that the application's are left alone.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{
    Purpose,
    dialect::Dialect,
    driver::Driver,
    fault::{Fault, FaultKind},
    statement::Statement,
    value::CellKind,
};

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
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../migrations/postgres/", $file)),
            mysql: include_str!(concat!("../../migrations/mysql/", $file)),
        }
    };
}

const STEPS: [Step; 1] = [step!(1, "sessions", "0001_sessions.sql")];

/// The version that this code needs.
pub(crate) const SCHEMA_VERSION: i64 = STEPS.len() as i64;

pub(crate) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = STEPS.iter().map(|step| {
        let sql = match dialect {
            Dialect::Sqlite => step.sqlite,
            Dialect::Postgres => step.postgres,
            Dialect::MySql => step.mysql,
        };
        Migration::new(
            step.version,
            Cow::Borrowed(step.description),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name("_countersign_migrations");
    migrator
}

/// The version of the tables that are there; `None` when there are none.
pub(crate) async fn schema_version(driver: &dyn Driver) -> Result<Option<i64>, Fault> {
    let dialect = driver.dialect();
    let query = format!(
        "SELECT {} FROM _countersign_migrations",
        dialect.integer("max(version)")
    );
    let statement = Statement::new(dialect, &query, &[CellKind::Int], |_| None);
    let mut link = driver.acquire(Purpose::LookUp).await?;
    match link.fetch(&statement, Vec::new()).await {
        Ok(rows) => Ok(rows.first().and_then(|row| row.maybe_int(0).ok().flatten())),
        Err(fault) if fault.kind() == FaultKind::Statement => Ok(None),
        Err(fault) => Err(fault),
    }
}
