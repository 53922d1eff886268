//! PostgreSQL.

use sqlx::{
    Arguments, Pool, Postgres,
    error::{BoxDynError, DatabaseError},
    pool::PoolConnection,
    postgres::{PgArguments, PgQueryResult},
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture, Unit},
    fault::{Fault, FaultKind},
    held::Held,
    migrate,
    value::Bind,
};

impl Backend for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;

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

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn fault_kind(error: &(dyn DatabaseError + 'static)) -> FaultKind {
        let code = error.code().unwrap_or_default();
        let is_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
        match code.as_ref() {
            "40001" | "40P01" | "55P03" => FaultKind::Conflict,
            // A prepared statement that no longer fits, as when a migration runs: a fresh connection prepares it anew.
            "26000" | "0A000" => FaultKind::Lost,
            // Connections, transactions (a standby that became read-only under us), resources, operators, the system.
            _ if is_of(&["08", "25", "53", "57", "58"]) => FaultKind::Lost,
            // Cardinality, data, constraints, and what functions of the application raise.
            _ if is_of(&["21", "22", "23", "P0"]) => FaultKind::Data,
            _ => FaultKind::Statement,
        }
    }

    fn begin(pool: &Pool<Self>) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>> {
        Box::pin(async move { Ok(Box::new(Held::begun(pool).await?) as Box<dyn Unit>) })
    }

    fn discard(connection: PoolConnection<Self>) {
        drop(connection.detach());
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), crate::error::MigrateError>> {
        Box::pin(migrate::postgres::migrate(pool))
    }
}
