//! SQLite, embedded.

use sqlx::{
    Pool, Sqlite, Transaction,
    error::{BoxDynError, DatabaseError},
    pool::PoolConnection,
    sqlite::{SqliteArguments, SqliteQueryResult},
};

use crate::store::{
    dialect::Dialect,
    driver::{Backend, BoxFuture, Link, Speaks, Unit},
    fault::{Fault, FaultKind},
    migrate,
    statement::Statement,
    value::{Bind, Row},
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
            // BUSY, LOCKED, PROTOCOL, SCHEMA
            5 | 6 | 15 | 17 => FaultKind::Conflict,
            // NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, AUTH, NOTADB
            7..=11 | 13 | 14 | 23 | 26 => FaultKind::Lost,
            // TOOBIG, CONSTRAINT, MISMATCH
            18..=20 => FaultKind::Data,
            // ERROR is both: what a function says of its arguments, and what the parser says of the text.
            1 if !error.message().starts_with("no such") => FaultKind::Data,
            _ => FaultKind::Statement,
        }
    }

    fn quotes_no_data(_: &(dyn DatabaseError + 'static)) -> bool {
        true // its messages name tables, columns and functions
    }

    fn begin(pool: &Pool<Self>) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>> {
        Box::pin(async move {
            let begun = pool.begin_with(Self::DIALECT.begin()).await;
            let transaction = begun.map_err(Fault::of::<Self>)?;
            Ok(Box::new(Written(transaction)) as Box<dyn Unit>)
        })
    }

    fn discard(connection: PoolConnection<Self>) {
        // It goes back: its thread finishes the statement by itself, and closing it would lose an in-memory database.
        drop(connection);
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), crate::error::MigrateError>> {
        Box::pin(migrate::sqlite::migrate(pool))
    }
}

/// sqlx's own transaction: its thread notices a caller who is gone, in BEGIN and in every statement.
struct Written(Transaction<'static, Sqlite>);

impl Link for Written {
    fn fetch<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        <Sqlite as Speaks>::fetch(&mut self.0, statement, binds)
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        <Sqlite as Speaks>::execute(&mut self.0, statement, binds)
    }
}

impl Unit for Written {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move { self.0.commit().await.map_err(Fault::of::<Sqlite>) })
    }

    fn undo(self: Box<Self>) -> BoxFuture<'static, ()> {
        // What fails here is undone by its thread before the connection is used again.
        Box::pin(async move { self.0.rollback().await.unwrap_or_default() })
    }
}
