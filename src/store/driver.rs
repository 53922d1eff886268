//! The driver seam: what the store asks of a database, and the one implementation for all of sqlx's.
//!
//! Nothing above this knows which database answers. What a database needs of its own is in [`Backend`].

use std::{fmt::Debug, future::Future, pin::Pin};

use sqlx::{
    Arguments, ColumnIndex, Decode, Encode, Executor, IntoArguments, Pool, Row as _, Type,
    pool::PoolConnection,
};

use super::{
    dialect::Dialect,
    fault::{Fault, FaultKind, class_quotes_no_data},
    statement::Statement,
    value::{Bind, Cell, CellKind, Row},
};
use crate::error::MigrateError;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A pool of connections to one database.
pub(crate) trait Driver: Debug + Send + Sync + 'static {
    fn dialect(&self) -> Dialect;
    /// Whether all connections are out.
    fn is_exhausted(&self) -> bool;
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn Link>, Fault>>;
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>>;
    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>>;
}

/// A connection that runs statements; dropped, it goes back to its pool, or is closed if an answer may still come on it.
pub(crate) trait Link: Send {
    fn fetch<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>>;

    /// The number of rows that were changed.
    fn execute<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>>;
}

/// A transaction; dropped, it is undone.
pub(crate) trait Unit: Link {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>>;
    /// Undone when this returns, where dropping leaves it to a task. A connection that does not do it is closed.
    fn undo(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What one of sqlx's databases needs of its own.
pub(crate) trait Backend: sqlx::Database {
    const DIALECT: Dialect;

    fn add_list(
        arguments: &mut Self::Arguments,
        list: Bind,
    ) -> Result<(), sqlx::error::BoxDynError>;
    fn rows_affected(result: &Self::QueryResult) -> u64;
    fn fault_kind(error: &(dyn sqlx::error::DatabaseError + 'static)) -> FaultKind;

    /// What to look up in the database's manual.
    fn code(error: &(dyn sqlx::error::DatabaseError + 'static)) -> String {
        error.code().unwrap_or_default().into_owned()
    }

    /// Whether the message can be logged.
    fn quotes_no_data(error: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
        class_quotes_no_data(&error.code().unwrap_or_default())
    }

    fn begin(pool: &Pool<Self>) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>>;
    /// Closes a connection on which an answer may still come.
    fn discard(connection: PoolConnection<Self>);
    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), MigrateError>>;
}

/// The four types of the seam, in both directions. Implemented for every database that has them.
pub(crate) trait Speaks: Backend<Arguments: IntoArguments<Self>, Connection: Send> {
    fn fetch<'a>(
        connection: &'a mut Self::Connection,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>>;

    fn execute<'a>(
        connection: &'a mut Self::Connection,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>>;

    /// Runs words that no driver prepares, such as BEGIN.
    fn say<'a>(
        connection: &'a mut Self::Connection,
        words: &'static str,
    ) -> BoxFuture<'a, Result<(), Fault>>;
}

impl<DB> Speaks for DB
where
    DB: Backend,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> String: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> Option<String>: Encode<'v, DB> + Type<DB>,
    for<'v> Vec<u8>: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
{
    fn fetch<'a>(
        connection: &'a mut DB::Connection,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        Box::pin(async move {
            let (text, arguments) = bind::<DB>(statement, binds)?;
            let rows = connection
                .fetch_all(sqlx::query_with(text, arguments))
                .await
                .map_err(Fault::of::<DB>)?;
            Ok(rows
                .iter()
                .map(|row| read::<DB>(row, statement.columns()))
                .collect())
        })
    }

    fn execute<'a>(
        connection: &'a mut DB::Connection,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        Box::pin(async move {
            let (text, arguments) = bind::<DB>(statement, binds)?;
            let result = connection
                .execute(sqlx::query_with(text, arguments))
                .await
                .map_err(Fault::of::<DB>)?;
            Ok(DB::rows_affected(&result))
        })
    }

    fn say<'a>(
        connection: &'a mut DB::Connection,
        words: &'static str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            connection
                .execute(sqlx::raw_sql(words))
                .await
                .map_err(Fault::of::<DB>)?;
            Ok(())
        })
    }
}

fn bind<DB>(statement: &Statement, binds: Vec<Bind>) -> Result<(sqlx::SqlStr, DB::Arguments), Fault>
where
    DB: Backend,
    for<'v> i64: Encode<'v, DB> + Type<DB>,
    for<'v> String: Encode<'v, DB> + Type<DB>,
    for<'v> Option<String>: Encode<'v, DB> + Type<DB>,
    for<'v> Vec<u8>: Encode<'v, DB> + Type<DB>,
{
    let longest = binds.iter().map(Bind::list_length).max().unwrap_or(1);
    let (text, padded) = statement.for_list(longest);
    let mut arguments = DB::Arguments::default();
    for bind in binds {
        let added = match bind {
            Bind::Int(value) => arguments.add(value),
            Bind::Text(value) => arguments.add(value),
            Bind::MaybeText(value) => arguments.add(value),
            Bind::Hash(value) => arguments.add(value.as_bytes().to_vec()),
            list if DB::DIALECT.has_arrays() => DB::add_list(&mut arguments, list),
            Bind::Hashes(list) => {
                let last = list.last().copied();
                let padding =
                    std::iter::repeat_n(last, padded.saturating_sub(list.len())).flatten();
                list.iter()
                    .copied()
                    .chain(padding)
                    .try_for_each(|hash| arguments.add(hash.as_bytes().to_vec()))
            }
            Bind::Uuids(list) => {
                let last = list.last().copied();
                let padding =
                    std::iter::repeat_n(last, padded.saturating_sub(list.len())).flatten();
                list.iter()
                    .copied()
                    .chain(padding)
                    .try_for_each(|id| arguments.add(id.to_string()))
            }
        };
        added.map_err(|error| Fault::of::<DB>(sqlx::Error::Encode(error)))?;
    }
    Ok((text, arguments))
}

fn read<DB>(row: &DB::Row, columns: &[CellKind]) -> Row
where
    DB: Backend,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Decode<'v, DB> + Type<DB>,
    for<'v> String: Decode<'v, DB> + Type<DB>,
    for<'v> Vec<u8>: Decode<'v, DB> + Type<DB>,
{
    // The kinds were chosen with the statement; databases name the types of computed columns differently.
    let cell = |index: usize, kind: &CellKind| match kind {
        CellKind::Int => row
            .try_get_unchecked::<Option<i64>, _>(index)
            .map(|value| value.map(Cell::Int)),
        CellKind::Text => row
            .try_get_unchecked::<Option<String>, _>(index)
            .map(|value| value.map(Cell::Text)),
        CellKind::Bytes => row
            .try_get_unchecked::<Option<Vec<u8>>, _>(index)
            .map(|value| value.map(Cell::Bytes)),
    };
    let cells = columns
        .iter()
        .enumerate()
        .map(|(index, kind)| match cell(index, kind) {
            Ok(Some(cell)) => cell,
            Ok(None) => Cell::Null,
            Err(_) => Cell::Unreadable,
        });
    Row::new(cells.collect())
}
