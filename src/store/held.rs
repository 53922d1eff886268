//! A connection that is held for a while, and what becomes of it when its holder is dropped.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    connections::{ConnectionDiscard, Connections, Leaving, Origin, Purpose, close_later},
    driver::{BoxFuture, Link, Speaks, Unit},
    fault::Fault,
    statement::Statement,
    value::{Bind, Row},
};

/// A connection that goes back only when nothing is left on it: dropped in mid-statement or in mid-transaction, it would
/// carry half an answer, or an open transaction, to its next holder.
pub(crate) struct Held<DB: Speaks> {
    home: Arc<Connections<DB>>,
    /// Taken out when it is dropped.
    rest: Option<(Origin<DB>, OwnedSemaphorePermit)>,
    purpose: Purpose,
    condition: Condition,
    /// A transaction is open.
    open: bool,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    Resting,
    /// A statement was sent at this moment, and its answer is not here.
    Asked(Instant),
    /// A statement ended in a way that leaves nothing to be expected of the connection.
    Broken,
    /// This connection alone is in a state that is not known.
    Spoiled,
}

/// How long a rollback may take before the connection is given up, which undoes the transaction as well.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(1);

impl<DB: Speaks> Held<DB> {
    pub(super) fn new(
        home: &Arc<Connections<DB>>,
        origin: Origin<DB>,
        permit: OwnedSemaphorePermit,
        purpose: Purpose,
    ) -> Self {
        Self {
            home: home.clone(),
            rest: Some((origin, permit)),
            purpose,
            condition: Condition::Resting,
            open: false,
        }
    }

    pub(super) async fn begin(&mut self) -> Result<(), Fault> {
        let begun = self.say(DB::DIALECT.begin()).await;
        // Cut off before its answer, the connection is closed, whatever has been carried out.
        self.open = begun.is_ok();
        begun
    }

    async fn say(&mut self, words: &'static str) -> Result<(), Fault> {
        let outcome = DB::say(self.asked()?, words).await;
        self.answered(outcome)
    }

    /// The connection, for one statement; [`answered`](Self::answered) must follow.
    pub(super) fn asked(&mut self) -> Result<&mut DB::Connection, Fault> {
        self.condition = Condition::Asked(Instant::now());
        match &mut self.rest {
            Some((origin, _)) => Ok(origin.raw()),
            None => Err(Fault::gone()),
        }
    }

    pub(super) fn answered<T>(&mut self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        // A server that was demoted keeps its connections, and reads on them would be of yesterday.
        self.condition = match &outcome {
            Err(fault) if fault.is_lost() => Condition::Broken,
            _ => Condition::Resting,
        };
        outcome
    }

    /// Undoes the transaction, or closes the connection, which does the same.
    async fn roll_back(mut self) {
        match timeout(ROLLBACK_PATIENCE, self.say("ROLLBACK")).await {
            Ok(Ok(())) => self.open = false,
            Ok(Err(_)) => {
                self.condition = match (&self.rest, self.condition) {
                    (Some((Origin::Own(_), _)), Condition::Broken) => Condition::Broken,
                    _ => Condition::Spoiled,
                };
            }
            // It is still at it, and does not go back.
            Err(_) => {}
        }
    }
}

impl<DB: Speaks> Drop for Held<DB> {
    fn drop(&mut self) {
        let Some((origin, permit)) = self.rest.take() else {
            return;
        };
        match (self.condition, origin) {
            (Condition::Asked(since), origin) => self.home.leave(Leaving {
                origin,
                permit,
                purpose: self.purpose,
                since,
            }),
            // sqlx's pool looks at it before it lends it again.
            (Condition::Broken, Origin::Own(own)) => {
                self.home.tell(ConnectionDiscard::Broken);
                self.home.distrust_all();
                drop((own, permit));
            }
            (Condition::Spoiled, Origin::Own(own)) => {
                close_later(own);
                drop(permit);
            }
            (Condition::Spoiled, Origin::Lent(lent)) => drop((lent, permit)),
            (Condition::Resting, Origin::Own(own)) if !self.open => {
                self.home.put_back(own);
                // The next in line for the place finds the connection there.
                drop(permit);
            }
            (Condition::Resting, Origin::Lent(lent)) if !self.open => drop((lent, permit)),
            (Condition::Resting | Condition::Broken, origin) => {
                let rest = Self {
                    home: self.home.clone(),
                    rest: Some((origin, permit)),
                    purpose: self.purpose,
                    // Until it is rolled back it must not go back: neither when the task is dropped before it runs.
                    condition: Condition::Asked(Instant::now()),
                    open: false,
                };
                match Handle::try_current() {
                    Ok(runtime) => drop(runtime.spawn(rest.roll_back())),
                    Err(_) => drop(rest),
                }
            }
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
            let outcome = DB::fetch(self.asked()?, statement, binds).await;
            self.answered(outcome)
        })
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        Box::pin(async move {
            let outcome = DB::execute(self.asked()?, statement, binds).await;
            self.answered(outcome)
        })
    }

    fn is_good(&self) -> bool {
        match (&self.rest, self.condition) {
            (Some((Origin::Own(own), _)), Condition::Resting) => self.home.trusts(own),
            _ => false,
        }
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
