//! PostgreSQL.

use std::time::Duration;

use sqlx::{
    Arguments, Executor, PgConnection, Pool, Postgres, Row,
    error::{BoxDynError, DatabaseError},
    postgres::{PgArguments, PgConnectOptions, PgQueryResult, PgRow},
};
use uuid::Uuid;

use crate::store::{
    connections::{Bounds, Opened, State},
    dialect::Dialect,
    driver::{Backend, BoxFuture},
    fault::{Fault, FaultKind},
    migrate,
    value::Bind,
};

impl Backend for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;
    const HAS_SERVER: bool = true;

    fn add_list(arguments: &mut PgArguments, list: Bind) -> Result<(), BoxDynError> {
        match list {
            Bind::Hashes(list) => arguments.add(
                list.iter()
                    .map(|hash| hash.as_bytes().to_vec())
                    .collect::<Vec<_>>(),
            ),
            Bind::Uuids(list) => {
                arguments.add(list.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            _ => Err("not a list".into()),
        }
    }

    fn id(row: &PgRow, index: usize) -> Result<Option<Uuid>, sqlx::Error> {
        let bytes = row.try_get_unchecked::<Option<[u8; 16]>, _>(index)?;
        Ok(bytes.map(Uuid::from_bytes))
    }

    fn texts(row: &PgRow, index: usize) -> Result<Option<Vec<Option<String>>>, sqlx::Error> {
        row.try_get_unchecked(index)
    }

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn fault_kind(error: &(dyn DatabaseError + 'static)) -> FaultKind {
        let code = error.code().unwrap_or_default();
        let is_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
        match code.as_ref() {
            "40001" | "40P01" => FaultKind::Conflict,
            // lock_timeout, statement_timeout: the whole budget is gone.
            "55P03" | "57014" => FaultKind::TimedOut,
            // A prepared statement that no longer fits, as when a migration runs: a fresh connection prepares it anew.
            "26000" | "0A000" => FaultKind::Lost,
            // Connections, transactions (a standby that became read-only under us), resources, operators, the system.
            _ if is_of(&["08", "25", "53", "57", "58"]) => FaultKind::Lost,
            // Cardinality, data, constraints, and what functions of the application raise.
            _ if is_of(&["21", "22", "23", "P0"]) => FaultKind::Data,
            _ => FaultKind::Statement,
        }
    }

    fn bounded(options: &PgConnectOptions, bounds: &Bounds) -> PgConnectOptions {
        // In the start-up message and not by SET: a pooler that shares connections would hand what was set on to others.
        // Of two options of one name the later one holds.
        options.clone().options([
            ("statement_timeout", millis(bounds.statement())),
            ("lock_timeout", millis(bounds.lock())),
            // For a process that was stopped in mid-transaction.
            (
                "idle_in_transaction_session_timeout",
                millis(bounds.time_budget),
            ),
            // Look-ups take no part in serialisation, and a single statement sees what was committed when it began.
            ("default_transaction_isolation", "read committed".into()),
            // Compiling costs more than any statement of ours.
            ("jit", "off".into()),
            // Without statistics PostgreSQL takes rows by an index for so dear that it reads and sorts up to 90,000 of them instead.
            ("random_page_cost", "1.1".into()),
        ])
    }

    fn first_statement<'a>(
        connection: &'a mut PgConnection,
        _: &'a Bounds,
    ) -> BoxFuture<'a, Result<Opened, Fault>> {
        Box::pin(async move {
            // As one message: with the extended protocol each of its messages has a time of its own.
            let row = connection
                .fetch_one(sqlx::raw_sql(FIRST))
                .await
                .map_err(Fault::of::<Self>)?;
            let cell = |index: usize| row.try_get::<i64, _>(index).map_err(Fault::of::<Self>);
            let state = match (cell(1)?, cell(2)?) {
                (0, 0) => State::Clean,
                (0, _) => State::ReadOnly,
                _ => State::InTransaction,
            };
            Ok(Opened {
                id: Some(cell(0)?),
                state,
            })
        })
    }

    fn is_running(
        connection: &mut PgConnection,
        id: i64,
        for_seconds: u64,
    ) -> BoxFuture<'_, Result<bool, Fault>> {
        Box::pin(async move {
            sqlx::query_scalar(RUNNING)
                .bind(id)
                .bind(i64::try_from(for_seconds).unwrap_or(i64::MAX))
                .fetch_one(connection)
                .await
                .map_err(Fault::of::<Self>)
        })
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), crate::error::MigrateError>> {
        Box::pin(migrate::postgres::migrate(pool))
    }
}

/// Who it is; whether a transaction began before this statement did; whether the server only reads.
const FIRST: &str = "SELECT pg_backend_pid()::bigint, (now() <> statement_timestamp())::int::bigint, \
    (pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on')::int::bigint";

/// Behind a pooler the server's connection serves others afterwards, with younger statements.
const RUNNING: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state <> 'idle' \
    AND query_start <= statement_timestamp() - $2::bigint * interval '1 second' + interval '1 second')";

/// As the server takes it: whole and not zero, which would mean "for ever".
fn millis(duration: Duration) -> String {
    duration.as_millis().clamp(1, i32::MAX as u128).to_string()
}
