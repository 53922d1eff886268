//! MySQL and MariaDB.

use sqlx::{
    MySql, Pool,
    error::{BoxDynError, DatabaseError},
    mysql::{MySqlArguments, MySqlDatabaseError, MySqlQueryResult},
    pool::PoolConnection,
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture, Unit},
    fault::{Fault, FaultKind, class_quotes_no_data},
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
        match number(error) {
            // Changed meanwhile, lock wait, deadlock, tables altered, prepare again, certification
            1020 | 1205 | 1213 | 1412 | 1615 | 3101 => FaultKind::Conflict,
            // Disk or memory full, too many connections, Galera not ready, shutdown, network, unknown statement, read-only,
            // interrupted, killed
            1021
            | 1037
            | 1038
            | 1040
            | 1041
            | 1047
            | 1053
            | 1114
            | 1152
            | 1158..=1161
            | 1203
            | 1243
            | 1290
            | 1317
            | 1792
            | 1836
            | 1927
            | 3168
            | 4031 => FaultKind::Lost,
            // max_statement_time, max_execution_time
            1969 | 3024 => FaultKind::TimedOut,
            // Duplicate, more than one row, out of range, truncated, too long, incorrect values, JSON
            1062
            | 1242
            | 1264
            | 1265
            | 1292
            | 1366
            | 1406
            | 1411
            | 1525
            | 1690
            | 3140..=3160
            | 4037..=4044 => FaultKind::Data,
            _ => FaultKind::Statement,
        }
    }

    fn code(error: &(dyn DatabaseError + 'static)) -> String {
        number(error).to_string()
    }

    fn quotes_no_data(error: &(dyn DatabaseError + 'static)) -> bool {
        // Read-only and the format of the binary log: the server's state, under the catch-all SQLSTATE.
        matches!(number(error), 1290 | 1665 | 1836)
            || class_quotes_no_data(&error.code().unwrap_or_default())
    }

    fn begin(pool: &Pool<Self>) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>> {
        Box::pin(async move { Ok(Box::new(Held::begun(pool).await?) as Box<dyn Unit>) })
    }

    fn discard(connection: PoolConnection<Self>) {
        drop(connection.detach());
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), crate::error::MigrateError>> {
        Box::pin(migrate::mysql::migrate(pool))
    }
}

/// MySQL's SQLSTATE is often the catch-all HY000; its own numbers tell.
fn number(error: &(dyn DatabaseError + 'static)) -> u16 {
    error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map_or(0, MySqlDatabaseError::number)
}
