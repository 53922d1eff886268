//! Connections of our own, to the database that the application's pool leads to.
//!
//! 1. No statement of ours runs on a connection that the application borrows too: whatever a handler leaves on one, such
//!    as a transaction whose BEGIN was cut off, would otherwise decide what a look-up sees and whether an ending lasts.
//! 2. The application's pool says where to connect and how to prepare a connection (`after_connect`). What is opened that
//!    way is ours from then on, and its state is looked at once, in its first statement ([`opening`]).
//! 3. Their number is bounded, in shares ([`shares`]): no look-up waits for sign-ins, no ending for either.
//! 4. The server is bounded too: each connection tells it when to give up a statement. A connection whose answer we no
//!    longer wait for keeps its place until the server has given up as well ([`leaving`]).
//! 5. They are closed when they have been idle or alive for as long as the application's pool allows, when that pool is
//!    closed, and with the last handle ([`keeper`]).
// docs/decisions/28-connections-of-our-own.md

mod discard;
mod keeper;
mod leaving;
mod opening;
mod shares;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use sqlx::{Connection as _, Pool, pool::PoolConnection};
use tokio::{runtime::Handle, time::Instant};

pub use self::discard::ConnectionDiscard;
use self::shares::Shares;
pub(crate) use self::{
    discard::OnDiscard,
    opening::{Opened, State},
    shares::{Bounds, Purpose},
};
pub(super) use self::{keeper::close_later, leaving::Leaving};
use super::{
    driver::{Backend, Speaks},
    fault::Fault,
    held::Held,
};

/// How long a connection may have been idle and still be used for a write without a look whether it is alive. Reads are
/// repeated on another one, and need no look.
const TRUSTED: Duration = Duration::from_secs(1);

/// All connections of one handle.
pub(crate) struct Connections<DB: Backend> {
    /// The application's.
    pool: Pool<DB>,
    /// There is no other way to its database than to borrow.
    borrows: bool,
    bounds: Bounds,
    shares: Shares,
    idle: Mutex<Idle<DB>>,
    on_discard: OnceLock<OnDiscard>,
}

struct Idle<DB: Backend> {
    /// The one that was used last comes last, and is used next.
    connections: Vec<Own<DB>>,
    /// Counts the times at which a connection was found dead: what was opened before is not trusted.
    generation: u64,
    /// A task watches over them.
    kept: bool,
}

/// A connection that nothing but this crate has ever used.
pub(super) struct Own<DB: Backend> {
    pub(super) raw: DB::Connection,
    /// The server's name for it.
    id: Option<i64>,
    born: Instant,
    /// When it was used last.
    rested: Instant,
    generation: u64,
}

/// Where statements run.
pub(super) enum Origin<DB: Backend> {
    Own(Own<DB>),
    /// Of a database that exists in its connection alone, such as `:memory:`: there is no way to it but to borrow.
    Lent(PoolConnection<DB>),
}

impl<DB: Backend> Origin<DB> {
    pub(super) fn raw(&mut self) -> &mut DB::Connection {
        match self {
            Self::Own(own) => &mut own.raw,
            Self::Lent(lent) => lent,
        }
    }
}

impl<DB: Backend> Connections<DB> {
    pub(crate) fn new(pool: Pool<DB>, bounds: Bounds) -> Self {
        Self {
            borrows: DB::lives_in_its_connection(&pool.connect_options()),
            pool,
            bounds,
            shares: Shares::new(bounds),
            idle: Mutex::new(Idle {
                connections: Vec::new(),
                generation: 0,
                kept: false,
            }),
            on_discard: OnceLock::new(),
        }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Whether all that look-ups may have are in use.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.shares.is_exhausted(Purpose::LookUp)
    }

    pub(crate) fn on_discard(&self, listener: OnDiscard) {
        // The first one stays: there is one application to a handle.
        let _ = self.on_discard.set(listener);
    }

    pub(super) fn tell(&self, why: ConnectionDiscard) {
        if let Some(listener) = self.on_discard.get() {
            listener.hear(why);
        }
    }

    /// Whether this connection may go on being used.
    pub(super) fn trusts(&self, own: &Own<DB>) -> bool {
        !self.pool.is_closed()
            && own.generation == self.idle().generation
            && self
                .pool
                .options()
                .get_max_lifetime()
                .is_none_or(|lifetime| own.born.elapsed() < lifetime)
    }

    fn pop_idle(&self) -> Option<Own<DB>> {
        loop {
            let own = self.idle().connections.pop()?;
            match self.trusts(&own) {
                true => return Some(own),
                false => close_later(own),
            }
        }
    }

    /// Something answered in a way that leaves nothing to be expected of the connections that were there before.
    pub(crate) fn distrust_all(&self) {
        let stale = {
            let mut idle = self.idle();
            idle.generation += 1;
            std::mem::take(&mut idle.connections)
        };
        // Without a word to the server: it may not be there to listen.
        drop(stale);
    }

    fn idle(&self) -> MutexGuard<'_, Idle<DB>> {
        // Nothing that runs under the lock can leave it half-changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: Speaks> Connections<DB> {
    /// A connection on which nothing is open.
    pub(crate) async fn take(self: &Arc<Self>, purpose: Purpose) -> Result<Held<DB>, Fault> {
        let permit = self.shares.permit(purpose).await?;
        if self.borrows {
            let lent = self.borrow_clean().await?;
            return Ok(Held::new(self, Origin::Lent(lent), permit, purpose));
        }
        while let Some(mut own) = self.pop_idle() {
            let trusted = purpose == Purpose::LookUp || own.rested.elapsed() < TRUSTED;
            if trusted || own.raw.ping().await.is_ok() {
                return Ok(Held::new(self, Origin::Own(own), permit, purpose));
            }
            self.tell(ConnectionDiscard::Broken);
            self.distrust_all();
        }
        let own = self.open().await?;
        Ok(Held::new(self, Origin::Own(own), permit, purpose))
    }

    /// A connection with an open transaction.
    pub(crate) async fn begin(self: &Arc<Self>, purpose: Purpose) -> Result<Held<DB>, Fault> {
        let mut held = self.take(purpose).await?;
        match held.begin().await {
            Ok(()) => return Ok(held),
            Err(fault) if !fault.is_lost() => return Err(fault),
            // It died while it was idle. Nothing has been carried out yet.
            Err(_) => drop(held),
        }
        let mut held = self.take(purpose.again()).await?;
        held.begin().await?;
        Ok(held)
    }

    /// Takes back a connection on which nothing is open and no answer is expected.
    pub(super) fn put_back(self: &Arc<Self>, mut own: Own<DB>) {
        own.rested = Instant::now();
        if !self.trusts(&own) {
            return close_later(own);
        }
        let unkept = {
            let mut idle = self.idle();
            idle.connections.push(own);
            !std::mem::replace(&mut idle.kept, true)
        };
        if unkept {
            self.keep();
        }
    }

    /// Sees to a connection that is not as it should be; its place stays taken until that is done.
    pub(super) fn leave(self: &Arc<Self>, leaving: Leaving<DB>) {
        // Without a runtime the process is on its way out, and so is the connection.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(leaving.run(self.clone()));
        }
    }

    /// Closes those that are not in use; others are opened when they are needed.
    pub(crate) async fn close_idle(&self) {
        let idle = std::mem::take(&mut self.idle().connections);
        for own in idle {
            keeper::close(own).await;
        }
    }
}

impl<DB: Backend> Drop for Connections<DB> {
    fn drop(&mut self) {
        for own in std::mem::take(&mut self.idle().connections) {
            close_later(own);
        }
    }
}

impl<DB: Backend> fmt::Debug for Connections<DB> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connections")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}
