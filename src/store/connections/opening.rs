//! A new connection: opened the way the application opens its own, and looked at before it is trusted.

use sqlx::{Connection as _, Pool, pool::PoolConnection};
use tokio::time::Instant;

use super::{ConnectionDiscard, Connections, Own};
use crate::store::{
    driver::{Backend, Speaks},
    fault::Fault,
};

/// What the first statement of a connection has found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    /// The server's name for the connection, where it has one.
    pub(crate) id: Option<i64>,
    pub(crate) state: State,
}

/// In which state a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Clean,
    /// A transaction is open that is not ours.
    InTransaction,
    /// The server is a replica or a standby.
    ReadOnly,
}

impl<DB: Speaks> Connections<DB> {
    pub(super) async fn open(&self) -> Result<Own<DB>, Fault> {
        let generation = self.idle().generation;
        let mut raw = self.connect().await?;
        let opened = DB::first_statement(&mut raw, &self.bounds).await?;
        let (why, fault) = match opened.state {
            State::Clean => {
                let now = Instant::now();
                return Ok(Own {
                    raw,
                    id: opened.id,
                    born: now,
                    rested: now,
                    generation,
                });
            }
            State::InTransaction => (ConnectionDiscard::OpenTransaction, Fault::in_transaction()),
            State::ReadOnly => (ConnectionDiscard::ReadOnly, Fault::read_only()),
        };
        self.tell(why);
        // Its answer is here already, so there is nothing to wait for.
        let _ = raw.close().await;
        Err(fault)
    }

    /// By way of a pool that lives no longer than this: it runs the application's hooks, and gives the connection away.
    async fn connect(&self) -> Result<DB::Connection, Fault> {
        if self.pool.is_closed() {
            return Err(Fault::of::<DB>(sqlx::Error::PoolClosed));
        }
        // Read anew each time: `set_connect_options` is how passwords and servers are changed.
        let options = DB::bounded(&self.pool.connect_options(), &self.bounds);
        let connector: Pool<DB> = self
            .pool
            .options()
            .clone()
            .min_connections(0)
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .test_before_acquire(false)
            .acquire_timeout(self.bounds.time_budget)
            .connect_lazy_with(options);
        let connection = connector.acquire().await.map_err(Fault::of::<DB>)?;
        Ok(connection.detach())
    }

    /// A connection of the application's pool, rid of whatever was left open on it.
    pub(super) async fn borrow_clean(&self) -> Result<PoolConnection<DB>, Fault> {
        let mut lent = self.pool.acquire().await.map_err(Fault::of::<DB>)?;
        let opened = DB::first_statement(&mut lent, &self.bounds).await?;
        if opened.state == State::InTransaction {
            self.tell(ConnectionDiscard::OpenTransaction);
            // Closing the connection would lose the database.
            DB::say(&mut lent, "ROLLBACK").await?;
        }
        Ok(lent)
    }
}

/// Whether the server still works on what it was asked on a connection that we no longer wait for.
pub(super) async fn is_running<DB: Backend>(
    connection: &mut DB::Connection,
    id: Option<i64>,
    for_seconds: u64,
) -> Result<bool, Fault> {
    match id {
        Some(id) => DB::is_running(connection, id, for_seconds).await,
        None => Ok(false),
    }
}
