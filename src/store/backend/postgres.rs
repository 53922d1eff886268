//! PostgreSQL.

use sqlx::{
    Arguments, Connection, Pool, Postgres,
    error::{BoxDynError, DatabaseError},
    migrate::MigrateError,
    pool::PoolConnection,
    postgres::{PgArguments, PgQueryResult},
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture},
    fault::FaultKind,
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
        match error.code().as_deref().unwrap_or_default() {
            "40001" | "40P01" | "55P03" => FaultKind::Conflict,
            // 25006: a standby that became read-only under us
            code if ["08", "53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "25006" =>
            {
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
            // Migrations run under a lock that belongs to the connection, and a failed run does not give it back: in the
            // pool, the connection would keep every other node waiting.
            let mut connection = pool.acquire().await?.detach();
            migrate::migrator(Self::DIALECT)
                .run_direct(None, &mut connection, false)
                .await?;
            connection.close().await?;
            Ok(())
        })
    }
}
