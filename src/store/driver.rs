//! The driver seam: what the store asks of a database, and the one implementation for all of sqlx's.
//!
//! Nothing above this knows which database answers. What a database needs of its own is in [`Backend`].

use std::{fmt::Debug, future::Future, pin::Pin};

use sqlx::{
    Arguments, ColumnIndex, Decode, Encode, Executor, IntoArguments, Pool, Row as _, Transaction,
    Type, pool::PoolConnection,
};

use super::{
    dialect::Dialect,
    fault::{Fault, FaultKind},
    statement::Statement,
    value::{Bind, Cell, CellKind, Row},
};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A pool of connections to one database.
pub(crate) trait Driver: Debug + Send + Sync + 'static {
    fn dialect(&self) -> Dialect;
    fn is_exhausted(&self) -> bool;
    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn Link>, Fault>>;
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>>;
    fn migrate(&self) -> BoxFuture<'_, Result<(), sqlx::migrate::MigrateError>>;
}

/// A connection that runs statements.
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

    /// Gives up a connection whose answer did not come in time: it must not serve anybody else.
    fn discard(self: Box<Self>);
}

/// A transaction; dropped, it is undone.
pub(crate) trait Unit: Link {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>>;
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
    fn discard(connection: PoolConnection<Self>);
    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), sqlx::migrate::MigrateError>>;
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

impl<DB: Speaks> Driver for Pool<DB> {
    fn dialect(&self) -> Dialect {
        DB::DIALECT
    }

    fn is_exhausted(&self) -> bool {
        self.num_idle() == 0 && self.size() >= self.options().get_max_connections()
    }

    fn acquire(&self) -> BoxFuture<'_, Result<Box<dyn Link>, Fault>> {
        Box::pin(async move {
            let connection = Pool::acquire(self).await.map_err(Fault::of::<DB>)?;
            Ok(Box::new(Held::new(connection)) as Box<dyn Link>)
        })
    }

    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Unit>, Fault>> {
        Box::pin(async move {
            if DB::DIALECT != Dialect::Sqlite {
                let connection = Pool::acquire(self).await.map_err(Fault::of::<DB>)?;
                return Ok(Box::new(Held::begun(connection).await?) as Box<dyn Unit>);
            }
            let transaction = self
                .begin_with(DB::DIALECT.begin())
                .await
                .map_err(Fault::of::<DB>)?;
            Ok(Box::new(transaction) as Box<dyn Unit>)
        })
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), sqlx::migrate::MigrateError>> {
        DB::migrate(self)
    }
}

/// A connection that goes back to its pool only when nothing of ours is left on it: dropped in mid-statement or in
/// mid-transaction, it would carry half an answer, or an open transaction, to whoever comes next.
struct Held<DB: Speaks> {
    connection: Option<PoolConnection<DB>>,
    /// A statement is on its way.
    busy: bool,
    /// A transaction is open.
    open: bool,
}

const ROLLBACK_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

impl<DB: Speaks> Held<DB> {
    fn new(connection: PoolConnection<DB>) -> Self {
        Self {
            connection: Some(connection),
            busy: false,
            open: false,
        }
    }

    async fn begun(connection: PoolConnection<DB>) -> Result<Self, Fault> {
        let mut held = Self::new(connection);
        held.open = true;
        held.run(|connection| DB::say(connection, DB::DIALECT.begin()))
            .await?;
        Ok(held)
    }

    /// Nothing of ours is left on it.
    fn give_back(mut self) {
        self.open = false;
    }

    async fn run<T>(
        &mut self,
        work: impl for<'a> FnOnce(&'a mut DB::Connection) -> BoxFuture<'a, Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Some(connection) = &mut self.connection else {
            return Err(Fault::timed_out());
        };
        self.busy = true;
        let outcome = work(connection).await;
        self.busy = false;
        outcome
    }
}

impl<DB: Speaks> Drop for Held<DB> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.busy {
            DB::discard(connection);
        } else if self.open {
            let mut rest = Self {
                connection: Some(connection),
                busy: true,
                open: true,
            };
            let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                return;
            };
            runtime.spawn(async move {
                let undone = tokio::time::timeout(
                    ROLLBACK_PATIENCE,
                    rest.run(|connection| DB::say(connection, "ROLLBACK")),
                );
                match undone.await {
                    Ok(Ok(())) => rest.give_back(),
                    _ => Box::new(rest).discard(),
                }
            });
        }
    }
}

impl<DB: Speaks> Link for Held<DB> {
    fn fetch<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        Box::pin(async move {
            let Some(connection) = &mut self.connection else {
                return Err(Fault::timed_out());
            };
            self.busy = true;
            let outcome = <DB as Speaks>::fetch(connection, statement, binds).await;
            self.busy = false;
            outcome
        })
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        Box::pin(async move {
            let Some(connection) = &mut self.connection else {
                return Err(Fault::timed_out());
            };
            self.busy = true;
            let outcome = <DB as Speaks>::execute(connection, statement, binds).await;
            self.busy = false;
            outcome
        })
    }

    fn discard(mut self: Box<Self>) {
        if let Some(connection) = self.connection.take() {
            DB::discard(connection);
        }
    }
}

impl<DB: Speaks> Unit for Held<DB> {
    fn commit(mut self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move {
            self.run(|connection| DB::say(connection, "COMMIT")).await?;
            self.open = false;
            Ok(())
        })
    }
}

impl<DB: Speaks> Link for Transaction<'static, DB> {
    fn fetch<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        <DB as Speaks>::fetch(self, statement, binds)
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        <DB as Speaks>::execute(self, statement, binds)
    }

    fn discard(self: Box<Self>) {}
}

impl<DB: Speaks> Unit for Transaction<'static, DB> {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move { Transaction::commit(*self).await.map_err(Fault::of::<DB>) })
    }
}
