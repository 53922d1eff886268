//! MySQL and MariaDB.

use sqlx::{
    MySql, Pool,
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
            let mut connection = pool.acquire().await?;
            migrate::migrator(Self::DIALECT)
                .run_direct(None, &mut *connection, false)
                .await
        })
    }
}
