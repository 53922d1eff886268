//! sqlx's migrations without prepared statements that have a name.
//!
//! sqlx names each one, whether it keeps it or not. A pooler of transactions hands the server connection on with the
//! name, and the next program that migrates is told that it exists already.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, SqlSafeStr,
    migrate::{AppliedMigration, Migrate, MigrateError as Cause, Migration},
    postgres::PgArguments,
    query::Query,
};

use crate::store::driver::BoxFuture;

/// A connection in the transaction of all migrations.
pub(super) struct Unnamed<'c>(pub(super) &'c mut PgConnection);

pub(super) fn query<'q>(sql: impl SqlSafeStr) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql).persistent(false)
}

impl Migrate for Unnamed<'_> {
    fn create_schema_if_not_exists<'e>(
        &'e mut self,
        schema: &'e str,
    ) -> BoxFuture<'e, Result<(), Cause>> {
        self.0.create_schema_if_not_exists(schema)
    }

    fn ensure_migrations_table<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<(), Cause>> {
        self.0.ensure_migrations_table(table)
    }

    fn dirty_version<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Option<i64>, Cause>> {
        Box::pin(async move {
            let unfinished = format!("SELECT min(version) FROM {table} WHERE NOT success");
            let unfinished = sqlx::query_scalar(AssertSqlSafe(unfinished)).persistent(false);
            Ok(unfinished.fetch_one(&mut *self.0).await?)
        })
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, Cause>> {
        Box::pin(async move {
            let applied = format!("SELECT version, checksum FROM {table} ORDER BY version");
            let applied = sqlx::query_as::<_, (i64, Vec<u8>)>(AssertSqlSafe(applied));
            let rows = applied.persistent(false).fetch_all(&mut *self.0).await?;
            let applied = rows
                .into_iter()
                .map(|(version, checksum)| AppliedMigration {
                    version,
                    checksum: checksum.into(),
                });
            Ok(applied.collect())
        })
    }

    /// The transaction has it already.
    fn lock(&mut self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async { Ok(()) })
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async { Ok(()) })
    }

    fn apply<'e>(
        &'e mut self,
        table: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, Cause>> {
        Box::pin(async move {
            let start = std::time::Instant::now();
            sqlx::raw_sql(migration.sql.clone())
                .execute(&mut *self.0)
                .await
                .map_err(|error| Cause::ExecuteMigration(error, migration.version))?;
            let elapsed = start.elapsed();
            let applied = format!(
                "INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES ($1, $2, TRUE, $3, $4)"
            );
            query(AssertSqlSafe(applied))
                .bind(migration.version)
                .bind(&*migration.description)
                .bind(&*migration.checksum)
                .bind(i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX))
                .execute(&mut *self.0)
                .await?;
            Ok(elapsed)
        })
    }

    /// No migration of ours has a way back.
    fn revert<'e>(
        &'e mut self,
        _: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, Cause>> {
        Box::pin(async move { Err(Cause::VersionNotPresent(migration.version)) })
    }
}
