//! MySQL and MariaDB.

use std::io;

use sqlx::{
    Connection, MySql, Pool, Row as _,
    error::{BoxDynError, DatabaseError},
    migrate::MigrateError,
    mysql::{MySqlArguments, MySqlDatabaseError, MySqlQueryResult, MySqlRow},
    pool::PoolConnection,
};
use uuid::Uuid;

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture, Unit},
    fault::{Fault, FaultKind},
    held::Held,
    migrate,
    value::{Bind, texts_of_counted_json},
};

impl Backend for MySql {
    const DIALECT: Dialect = Dialect::MySql;

    fn add_list(_: &mut MySqlArguments, _: Bind) -> Result<(), BoxDynError> {
        Err("MySQL has no array parameters".into())
    }

    fn id(row: &MySqlRow, index: usize) -> Result<Option<Uuid>, sqlx::Error> {
        let text = row.try_get_unchecked::<Option<String>, _>(index)?;
        text.map(|text| Uuid::parse_str(&text))
            .transpose()
            .map_err(|error| sqlx::Error::Decode(error.into()))
    }

    fn texts(row: &MySqlRow, index: usize) -> Result<Option<Vec<Option<String>>>, sqlx::Error> {
        let text = row.try_get_unchecked::<Option<String>, _>(index)?;
        text.map(|text| {
            texts_of_counted_json(&text)
                .ok_or_else(|| sqlx::Error::Decode("not a whole list".into()))
        })
        .transpose()
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

/// MySQL's SQLSTATE is often the catch-all HY000; its own numbers tell.
fn number(error: &(dyn DatabaseError + 'static)) -> u16 {
    error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map_or(0, MySqlDatabaseError::number)
}
