//! Closing: those that were idle or alive for long enough, and all of them when the application closes its pool.

use std::{
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use sqlx::{Connection as _, pool::CloseEvent};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout},
};

use super::{Connections, Own};
use crate::store::driver::{Backend, Speaks};

/// How long a server may take to hear that we go.
const GOODBYE: Duration = Duration::from_secs(1);
/// How often is looked, where nothing ever runs out.
const SELDOM: Duration = Duration::from_secs(60 * 60);

impl<DB: Speaks> Connections<DB> {
    /// Starts the task that watches over idle connections; it ends when there are none.
    pub(super) fn keep(self: &Arc<Self>) {
        let keeper = Keeper(Arc::downgrade(self));
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(keeper.run(self.pool.close_event()))),
            Err(_) => drop(keeper),
        }
    }

    /// Closes what has run out; says when the next one does, or that there is none.
    fn retire(&self) -> Option<Duration> {
        let options = self.pool.options();
        let (idle_timeout, lifetime) = (options.get_idle_timeout(), options.get_max_lifetime());
        let now = Instant::now();
        let due = |own: &Own<DB>| {
            let ends = [
                idle_timeout.and_then(|timeout| own.rested.checked_add(timeout)),
                lifetime.and_then(|lifetime| own.born.checked_add(lifetime)),
            ];
            ends.into_iter().flatten().min()
        };
        let mut idle = self.idle();
        let (out, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut idle.connections)
            .into_iter()
            .partition(|own| due(own).is_some_and(|due| due <= now));
        let next = stay.iter().filter_map(due).min();
        idle.connections = stay;
        idle.kept = !idle.connections.is_empty();
        let kept = idle.kept;
        drop(idle);
        out.into_iter().for_each(close_later);
        kept.then(|| {
            next.map_or(SELDOM, |next| {
                next.saturating_duration_since(now).min(SELDOM)
            })
        })
    }
}

struct Keeper<DB: Backend>(Weak<Connections<DB>>);

impl<DB: Speaks> Keeper<DB> {
    async fn run(self, closing: CloseEvent) {
        let mut closing = pin!(closing);
        while let Some(pause) = self
            .0
            .upgrade()
            .and_then(|connections| connections.retire())
        {
            if timeout(pause, &mut closing).await.is_ok() {
                if let Some(connections) = self.0.upgrade() {
                    connections.close_idle().await;
                }
                return;
            }
        }
    }
}

/// However the task ends, the next connection that comes back starts another.
impl<DB: Backend> Drop for Keeper<DB> {
    fn drop(&mut self) {
        if let Some(connections) = self.0.upgrade() {
            let mut idle = connections.idle();
            // One that has been started meanwhile does no harm beside it.
            idle.kept = false;
        }
    }
}

/// Tells the server, so that it has nothing to complain of in its log.
pub(super) async fn close<DB: Backend>(own: Own<DB>) {
    let _ = timeout(GOODBYE, own.raw.close()).await;
}

/// The same, in the background where there is one.
pub(in crate::store) fn close_later<DB: Backend>(own: Own<DB>) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(close(own));
    }
}
