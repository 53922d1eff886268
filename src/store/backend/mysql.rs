//! MySQL and MariaDB.

use sqlx::{
    AssertSqlSafe, Executor, MySql, MySqlConnection, Pool, Row,
    error::{BoxDynError, DatabaseError},
    mysql::{MySqlArguments, MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult, MySqlRow},
};
use uuid::Uuid;

use crate::store::{
    connections::{Bounds, Opened, State},
    dialect::Dialect,
    driver::{Backend, BoxFuture},
    fault::{Fault, FaultKind, class_quotes_no_data},
    migrate,
    value::{Bind, texts_of_counted_json},
};

impl Backend for MySql {
    const DIALECT: Dialect = Dialect::MySql;
    const HAS_SERVER: bool = true;

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
            // Changed meanwhile, deadlock, tables altered, prepare again, certification
            1020 | 1213 | 1412 | 1615 | 3101 => FaultKind::Conflict,
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
            // Lock wait, max_statement_time, max_execution_time: the whole budget is gone.
            1205 | 1969 | 3024 => FaultKind::TimedOut,
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

    fn bounded(options: &MySqlConnectOptions, _: &Bounds) -> MySqlConnectOptions {
        // It has none for settings; they come with the first statement.
        options.clone()
    }

    fn first_statement<'a>(
        connection: &'a mut MySqlConnection,
        bounds: &'a Bounds,
    ) -> BoxFuture<'a, Result<Opened, Fault>> {
        Box::pin(async move {
            let words = first(bounds);
            let outcome = connection
                .fetch_one(sqlx::raw_sql(AssertSqlSafe(words)))
                .await;
            let row = match outcome {
                Ok(row) => row,
                Err(sqlx::Error::Database(error)) if number(error.as_ref()) == IN_TRANSACTION => {
                    let state = State::InTransaction;
                    return Ok(Opened { id: None, state });
                }
                Err(error) => return Err(Fault::of::<Self>(error)),
            };
            // Unchecked: what type a computed column has differs between versions.
            let cell = |index: usize| {
                let cell = row.try_get_unchecked::<i64, _>(index);
                cell.map_err(Fault::of::<Self>)
            };
            let state = match cell(1)? {
                0 => State::Clean,
                _ => State::ReadOnly,
            };
            Ok(Opened {
                id: Some(cell(0)?),
                state,
            })
        })
    }

    fn is_running(
        connection: &mut MySqlConnection,
        id: i64,
        for_seconds: u64,
    ) -> BoxFuture<'_, Result<bool, Fault>> {
        Box::pin(async move {
            let running: i64 = sqlx::query_scalar(RUNNING)
                .bind(id)
                .bind(i64::try_from(for_seconds).unwrap_or(i64::MAX))
                .fetch_one(connection)
                .await
                .map_err(Fault::of::<Self>)?;
            Ok(running > 0)
        })
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

/// "Transaction characteristics can't be changed while a transaction is in progress"
const IN_TRANSACTION: u16 = 1568;

/// Fails inside a transaction; sets what the server must keep to, and takes back what may cut answers; asks who it is
/// and whether the server only reads. Locks wait for whole seconds. Comments that begin with M are read by MariaDB alone,
/// those with a version of 5.7 by MySQL alone.
fn first(bounds: &Bounds) -> String {
    let seconds = bounds.statement().as_secs_f64().max(0.001);
    let (whole, millis) = (
        bounds.statement().as_secs().max(1),
        (seconds * 1000.0).ceil(),
    );
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; \
         SET SESSION autocommit = 1, innodb_lock_wait_timeout = {whole}, lock_wait_timeout = {whole}, \
         group_concat_max_len = 1073741824, sql_select_limit = 18446744073709551615, sql_safe_updates = 0 \
         /*M! , max_statement_time = {seconds:.3} */ /*!50708 , max_execution_time = {millis} */; \
         SELECT CONNECTION_ID(), \
         CASE WHEN CONCAT(@@global.read_only) IN ('0', 'OFF') AND CONCAT(@@global.innodb_read_only) IN ('0', 'OFF') \
         THEN 0 ELSE 1 END"
    )
}

/// Without a right of its own, a user sees the connections of that user.
const RUNNING: &str = "SELECT CAST(COUNT(*) AS SIGNED) FROM information_schema.PROCESSLIST WHERE ID = ? \
    AND COMMAND <> 'Sleep' AND TIME + 1 >= ?";
