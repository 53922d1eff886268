//! Connections that are held for a while, and what becomes of them when whoever holds them is dropped.

use std::time::Duration;

use sqlx::{Pool, pool::PoolConnection};
use tokio::{runtime::Handle, time::timeout};

use super::{
    dialect::Dialect,
    driver::{BoxFuture, Driver, Link, Speaks, Unit},
    fault::{Fault, FaultKind},
    statement::Statement,
    value::{Bind, Row},
};
use crate::error::MigrateError;

/// A connection that goes back to its pool only when nothing of ours is left on it: dropped in mid-statement or in
/// mid-transaction, it would carry half an answer, or an open transaction, to whoever comes next. sqlx's own
/// `Transaction` does not see to that when its BEGIN is cut off.
pub(crate) struct Held<DB: Speaks> {
    connection: Option<PoolConnection<DB>>,
    /// A statement is on its way, or ended in a way that leaves nothing to be expected of the connection.
    busy: bool,
    /// A transaction is open.
    open: bool,
}

/// How long a rollback may take before the connection is given up, which undoes the transaction as well.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(1);

impl<DB: Speaks> Held<DB> {
    fn new(connection: PoolConnection<DB>) -> Self {
        Self {
            connection: Some(connection),
            busy: false,
            open: false,
        }
    }

    /// A connection with an open transaction.
    pub(crate) async fn begun(pool: &Pool<DB>) -> Result<Self, Fault> {
        let connection = pool.acquire().await.map_err(Fault::of::<DB>)?;
        let mut held = Self::new(connection);
        held.open = true;
        held.say(DB::DIALECT.begin()).await?;
        Ok(held)
    }

    async fn say(&mut self, words: &'static str) -> Result<(), Fault> {
        self.run(|connection| DB::say(connection, words)).await
    }

    async fn run<T>(
        &mut self,
        work: impl for<'a> FnOnce(&'a mut DB::Connection) -> BoxFuture<'a, Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Some(connection) = &mut self.connection else {
            return Err(Fault::gone());
        };
        self.busy = true;
        let outcome = work(connection).await;
        self.busy = is_lost(&outcome);
        outcome
    }

    fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            DB::discard(connection);
        }
    }

    /// Undoes the transaction, or closes the connection, which does the same.
    async fn roll_back(mut self) {
        match timeout(ROLLBACK_PATIENCE, self.say("ROLLBACK")).await {
            Ok(Ok(())) => self.open = false,
            _ => self.close(),
        }
    }
}

/// A server that was demoted keeps its connections, and reads on them would be of yesterday.
fn is_lost<T>(outcome: &Result<T, Fault>) -> bool {
    matches!(outcome, Err(fault) if fault.kind() == FaultKind::Lost)
}

impl<DB: Speaks> Drop for Held<DB> {
    fn drop(&mut self) {
        if self.busy {
            self.close();
        }
        if !self.open {
            return;
        }
        let rest = Self {
            connection: self.connection.take(),
            // Until it is rolled back, it must not go back: neither when the task is dropped before it runs.
            busy: true,
            open: false,
        };
        if let (Some(_), Ok(runtime)) = (&rest.connection, Handle::try_current()) {
            runtime.spawn(rest.roll_back());
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
                return Err(Fault::gone());
            };
            self.busy = true;
            let outcome = DB::fetch(connection, statement, binds).await;
            self.busy = is_lost(&outcome);
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
                return Err(Fault::gone());
            };
            self.busy = true;
            let outcome = DB::execute(connection, statement, binds).await;
            self.busy = is_lost(&outcome);
            outcome
        })
    }
}

impl<DB: Speaks> Unit for Held<DB> {
    fn commit(mut self: Box<Self>) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move {
            self.say("COMMIT").await?;
            self.open = false;
            Ok(())
        })
    }

    fn undo(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.roll_back())
    }
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
        DB::begin(self)
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        DB::migrate(self)
    }
}
