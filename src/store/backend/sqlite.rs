//! SQLite, embedded.

use sqlx::{
    Pool, Sqlite,
    error::{BoxDynError, DatabaseError},
    migrate::MigrateError,
    pool::PoolConnection,
    sqlite::{SqliteArguments, SqliteQueryResult},
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture},
    fault::FaultKind,
    migrate,
    value::Bind,
};

impl Backend for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;

    fn add_list(_: &mut SqliteArguments, _: Bind) -> Result<(), BoxDynError> {
        Err("SQLite has no array parameters".into())
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn fault_kind(error: &(dyn DatabaseError + 'static)) -> FaultKind {
        let extended: i64 = error
            .code()
            .and_then(|code| code.parse().ok())
            .unwrap_or_default();
        match extended & 0xff {
            5 | 6 => FaultKind::Conflict,                      // BUSY, LOCKED
            7 | 8 | 10 | 13 | 14 | 23 | 26 => FaultKind::Lost, // NOMEM, READONLY, IOERR, FULL, CANTOPEN, AUTH, NOTADB
            _ => FaultKind::Statement,
        }
    }

    fn discard(connection: PoolConnection<Self>) {
        // It goes back: its thread finishes the statement by itself, and closing it would lose an in-memory database.
        drop(connection);
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), MigrateError>> {
        Box::pin(async move {
            // sqlx has no lock for SQLite's migrations; the write lock of a transaction around all of them is one.
            let mut transaction = pool.begin_with(Self::DIALECT.begin()).await?;
            migrate::migrator(Self::DIALECT)
                .set_locking(false)
                .run_direct(None, &mut *transaction, false)
                .await?;
            Ok(transaction.commit().await?)
        })
    }
}
