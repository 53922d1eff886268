//! MySQL and MariaDB.

use std::io;

use sqlx::{
    Connection, MySql, Pool,
    error::{BoxDynError, DatabaseError},
    migrate::MigrateError,
    mysql::{MySqlArguments, MySqlDatabaseError, MySqlQueryResult},
    pool::PoolConnection,
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture, Unit},
    fault::{Fault, FaultKind},
    held::Held,
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

    fn begin(pool: &Pool<Self>) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>> {
        Box::pin(async move { Ok(Box::new(Held::begun(pool).await?) as Box<dyn Unit>) })
    }

    fn discard(connection: PoolConnection<Self>) {
        drop(connection.detach());
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), MigrateError>> {
        Box::pin(async move {
            // A lock belongs to its connection: one that does not come back to the pool cannot keep it there.
            let mut connection = pool.acquire().await?.detach();
            // sqlx waits for its own lock with a timeout of -1. MariaDB calls that incorrect, in a warning, and gives none.
            let locked: Option<i64> = sqlx::query_scalar(LOCK).fetch_one(&mut connection).await?;
            if locked != Some(1) {
                let waited = "another program has been migrating this database for half a minute";
                return Err(
                    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, waited)).into(),
                );
            }
            migrate::migrator(Self::DIALECT)
                .set_locking(false)
                .run_direct(None, &mut connection, false)
                .await?;
            Ok(connection.close().await?)
        })
    }
}

/// Held by whoever migrates this database; half a minute is longer than migrating takes.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('countersign:', MD5(DATABASE())), 30)";
