//! The schema: embedded migrations, tracked in a table of our own, so that the application's are left alone.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::dialect::Dialect;

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
