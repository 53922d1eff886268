//! The driver seam: what the store asks of a database, and the one implementation for all of sqlx's.
//!
//! Nothing above this knows which database answers. What a database needs of its own is in [`Backend`].

use std::{fmt::Debug, future::Future, pin::Pin, sync::Arc};

use sqlx::{
    Arguments, ColumnIndex, Connection, Database, Decode, Encode, Executor, IntoArguments, Pool,
    Row as _, Type,
};
use uuid::Uuid;

use super::{
    connections::{Bounds, Connections, OnDiscard, Opened, Purpose},
    dialect::Dialect,
    fault::{Fault, FaultKind, class_quotes_no_data},
    statement::Statement,
    value::{Bind, Cell, CellKind, Row},
};
use crate::error::MigrateError;

/// How to connect to one of sqlx's databases.
pub(crate) type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The way to one database.
pub(crate) trait Driver: Debug + Send + Sync + 'static {
    fn dialect(&self) -> Dialect;
    /// The same database, within these bounds.
    fn bounded(&self, bounds: Bounds) -> Arc<dyn Driver>;
    /// Who is told of connections that are given up.
    fn on_discard(&self, listener: OnDiscard);
    /// Whether all connections that look-ups may have are out.
    fn is_exhausted(&self) -> bool;
    fn acquire(&self, purpose: Purpose) -> BoxFuture<'_, Result<Box<dyn Link>, Fault>>;
    fn begin(&self, purpose: Purpose) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>>;
    /// Gives up the connections that are not in use, without a word to the server, which may not be there to listen.
    fn distrust(&self);
    /// Closes the connections that are not in use.
    fn close_idle(&self) -> BoxFuture<'_, ()>;
    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>>;
}

/// A connection that runs statements; dropped, it goes back, or is closed if an answer may still come on it.
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

    /// Whether its holder may go on using it.
    fn is_good(&self) -> bool;
}

/// A transaction; dropped, it is undone.
pub(crate) trait Unit: Link {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>>;
    /// Undone when this returns, where dropping leaves it to a task. A connection that does not do it is closed.
    fn undo(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What one of sqlx's databases needs of its own.
#[diagnostic::on_unimplemented(
    message = "countersign cannot use a pool of `{Self}`",
    note = "enable countersign's feature for the database: `sqlite`, `postgres` or `mysql`"
)]
pub(crate) trait Backend: sqlx::Database {
    const DIALECT: Dialect;
    /// Whether statements run in another process, which does not notice at once that the client waits no longer.
    const HAS_SERVER: bool;

    fn add_list(
        arguments: &mut Self::Arguments,
        list: Bind,
    ) -> Result<(), sqlx::error::BoxDynError>;
    /// An id of a session.
    fn id(row: &Self::Row, index: usize) -> Result<Option<Uuid>, sqlx::Error>;
    /// A list of texts, as [`Dialect::texts`] makes it.
    fn texts(row: &Self::Row, index: usize) -> Result<Option<Vec<Option<String>>>, sqlx::Error>;
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

    /// The options of the application, and what the server must keep to.
    fn bounded(options: &Options<Self>, bounds: &Bounds) -> Options<Self>;
    /// Whether each connection has a database of its own, which no other connection can reach.
    fn lives_in_its_connection(_: &Options<Self>) -> bool {
        false
    }
    /// What is said on a new connection before anything else, and how it came.
    fn first_statement<'a>(
        connection: &'a mut Self::Connection,
        bounds: &'a Bounds,
    ) -> BoxFuture<'a, Result<Opened, Fault>>;
    /// Whether the server has worked on one statement of the connection of this name for at least so long.
    fn is_running(
        connection: &mut Self::Connection,
        id: i64,
        for_seconds: u64,
    ) -> BoxFuture<'_, Result<bool, Fault>>;
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

/// One of sqlx's databases.
#[derive(Debug)]
pub(crate) struct SqlxDriver<DB: Backend>(Arc<Connections<DB>>);

impl<DB: Backend> SqlxDriver<DB> {
    pub(crate) fn new(pool: &Pool<DB>) -> Self {
        Self(Arc::new(Connections::new(pool.clone(), Bounds::default())))
    }
}

impl<DB: Speaks> Driver for SqlxDriver<DB> {
    fn dialect(&self) -> Dialect {
        DB::DIALECT
    }

    fn bounded(&self, bounds: Bounds) -> Arc<dyn Driver> {
        let connections = Connections::new(self.0.pool().clone(), bounds);
        Arc::new(Self(Arc::new(connections)))
    }

    fn on_discard(&self, listener: OnDiscard) {
        self.0.on_discard(listener);
    }

    fn is_exhausted(&self) -> bool {
        self.0.is_exhausted()
    }

    fn acquire(&self, purpose: Purpose) -> BoxFuture<'_, Result<Box<dyn Link>, Fault>> {
        Box::pin(async move { Ok(Box::new(self.0.take(purpose).await?) as Box<dyn Link>) })
    }

    fn begin(&self, purpose: Purpose) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>> {
        Box::pin(async move { Ok(Box::new(self.0.begin(purpose).await?) as Box<dyn Unit>) })
    }

    fn distrust(&self) {
        self.0.distrust_all();
    }

    fn close_idle(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.close_idle())
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        DB::migrate(self.0.pool())
    }
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
    for<'v> Option<Vec<u8>>: Encode<'v, DB> + Type<DB>,
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
    for<'v> Option<Vec<u8>>: Encode<'v, DB> + Type<DB>,
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
            Bind::MaybeBytes(value) => arguments.add(value),
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
        CellKind::Id => DB::id(row, index).map(|value| value.map(Cell::Id)),
        CellKind::Texts => DB::texts(row, index).map(|value| value.map(Cell::Texts)),
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
