//! MySQL and MariaDB.

use sqlx::{
    Connection, MySql, MySqlConnection, Pool,
    error::{BoxDynError, DatabaseError},
    migrate::MigrateError,
    mysql::{MySqlArguments, MySqlDatabaseError, MySqlQueryResult},
    pool::PoolConnection,
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture},
    fault::FaultKind,
    migrate,
    value::Bind,
};

impl Backend for MySql {
    const DIALECT: Dialect = Dialect::MySql;

    fn add_list(_: &mut MySqlArguments, _: Bind) -> Result<(), BoxDynError> {
        Err("MySQL has no array parameters".into())
    }

    fn rows_affected(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    fn fault_kind(error: &(dyn DatabaseError + 'static)) -> FaultKind {
        match error
            .try_downcast_ref::<MySqlDatabaseError>()
            .map(MySqlDatabaseError::number)
        {
            // lock wait timeout, deadlock, MariaDB's "record has changed since last read"
            Some(1205 | 1213 | 1020) => FaultKind::Conflict,
            // too many connections, shutdown, aborted, read-only, disk full, killed
            Some(1040 | 1053 | 1152 | 1158..=1161 | 1203 | 1290 | 1021 | 1114 | 1927 | 3168) => {
                FaultKind::Lost
            }
            _ => FaultKind::Statement,
        }
    }

    fn discard(connection: PoolConnection<Self>) {
        drop(connection.detach());
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), MigrateError>> {
        Box::pin(async move {
            // The lock belongs to the connection, which therefore never goes back to the pool: after a failure, or with
            // a caller who has gone, it would keep every other node waiting.
            let mut connection = pool.acquire().await?.detach();
            lock_for_migration(&mut connection).await?;
            migrate::migrator(Self::DIALECT)
                .set_locking(false)
                .run_direct(None, &mut connection, false)
                .await?;
            connection.close().await?;
            Ok(())
        })
    }
}

/// sqlx's own lock asks for an endless wait in MySQL's way, which MariaDB answers with `NULL` and no lock.
async fn lock_for_migration(connection: &mut MySqlConnection) -> Result<(), MigrateError> {
    // Named after the database, as locks are the whole server's, in at most 64 characters.
    let locked: Option<i64> =
        sqlx::query_scalar("SELECT GET_LOCK(CONCAT('countersign_', MD5(DATABASE())), 600)")
            .fetch_one(connection)
            .await?;
    match locked {
        Some(1) => Ok(()),
        _ => Err(MigrateError::Execute(sqlx::Error::Protocol(
            "another migration has held the lock for ten minutes".into(),
        ))),
    }
}
