//! One question to the database, and whose fault it is when there is no answer.

use std::{collections::HashMap, time::Duration};

use rand::RngExt;
use tokio::time::{Instant, sleep, timeout_at};

use super::places::Batch;
use crate::{
    store::{Fault, FaultKind, Link, Lookup, Store},
    token::TokenHash,
};

/// The first pause before a statement that met a conflict is sent again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(100)];
/// How long those who share a statement that meets conflicts are asked for together.
const SHARED_PATIENCE: Duration = Duration::from_millis(250);
/// How many times those are asked for again who came back because of a conflict. They may be about to cause it themselves.
const PATIENCE_WITH_THE_RETURNED: u32 = 2;

pub(super) struct Question<'a> {
    store: &'a Store,
    began: Instant,
    deadline: Instant,
    link: Option<Box<dyn Link>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Blame {
    /// The statement fails on some row: without that row it would not.
    Row(Fault),
    /// It fails for all, or has used up the time.
    Database(Fault),
    /// No connection can be had any more.
    Connection(Fault),
}

impl<'a> Question<'a> {
    pub(super) fn new(
        store: &'a Store,
        time_budget: Duration,
        link: Option<Box<dyn Link>>,
    ) -> Self {
        let began = Instant::now();
        Self {
            store,
            began,
            deadline: began + time_budget,
            link,
        }
    }

    /// The connection, for the next question; none if an answer may still come on it.
    pub(super) fn into_link(self) -> Option<Box<dyn Link>> {
        self.link
    }

    pub(super) async fn connect(&mut self) -> Result<(), Fault> {
        self.connected().await.map(drop)
    }

    async fn connected(&mut self) -> Result<&mut Box<dyn Link>, Fault> {
        let link = match self.link.take() {
            Some(link) => link,
            None => {
                let connecting = async {
                    match self.store.link().await {
                        // A connection can break while it is being made, as later.
                        Err(fault) if fault.kind() == FaultKind::Lost => self.store.link().await,
                        outcome => outcome,
                    }
                };
                let connected = timeout_at(self.deadline, connecting).await;
                connected.unwrap_or_else(|_| Err(Fault::timed_out()))?
            }
        };
        Ok(self.link.insert(link))
    }

    /// Asks for these tokens, again where that may help.
    pub(super) async fn ask(
        &mut self,
        tokens: &[TokenHash],
        batch: &Batch,
    ) -> Result<HashMap<TokenHash, Lookup>, Blame> {
        let mut spare_connections = 1;
        let mut conflicts = 0;
        loop {
            let fault = match self.ask_once(tokens).await? {
                Ok(found) => return Ok(found),
                Err(fault) => fault,
            };
            match fault.kind() {
                FaultKind::Lost => {
                    self.link = None;
                    if spare_connections == 0 {
                        return Err(self.blame(fault, batch).await);
                    }
                    spare_connections -= 1;
                }
                FaultKind::Conflict if self.pause(conflicts, batch).await => conflicts += 1,
                _ => return Err(self.blame(fault, batch).await),
            }
        }
    }

    /// The inner error is what the database says; the outer one, that it says nothing.
    async fn ask_once(
        &mut self,
        tokens: &[TokenHash],
    ) -> Result<Result<HashMap<TokenHash, Lookup>, Fault>, Blame> {
        let (store, deadline) = (self.store, self.deadline);
        let link = self.connected().await.map_err(Blame::Connection)?;
        match timeout_at(deadline, store.look_up(link.as_mut(), tokens)).await {
            Ok(outcome) => Ok(outcome),
            Err(_) => {
                self.link = None;
                Err(Blame::Database(Fault::timed_out()))
            }
        }
    }

    /// Waits a little after a conflict, longer each time and jittered, so that rivals come apart. Look-ups take no part in
    /// any order of locks, so they are repeated while there is time.
    async fn pause(&mut self, conflicts: u32, batch: &Batch) -> bool {
        let [first, longest] = PAUSES;
        let pause = first.saturating_mul(1 << conflicts.min(16)).min(longest);
        let pause = pause.mul_f64(rand::rng().random_range(0.5..1.5));
        let budget = self.deadline - self.began;
        let patience = match batch.is_shared() {
            // The others need time to be asked for apart.
            true => (budget / 8).min(SHARED_PATIENCE),
            false => budget / 2,
        };
        let is_enough = batch.came_back() && conflicts >= PATIENCE_WITH_THE_RETURNED;
        if is_enough || self.began.elapsed() + pause > patience {
            return false;
        }
        sleep(pause).await;
        true
    }

    /// Whether it is a row's fault: what a row makes fail can carry any code there is, as the application's functions
    /// raise what they like. A look-up of no row tells.
    async fn blame(&mut self, fault: Fault, batch: &Batch) -> Blame {
        let known = fault.kind() == FaultKind::Data || batch.came_back();
        if known {
            return Blame::Row(fault);
        }
        match self.ask_once(&[TokenHash::NONE]).await {
            Ok(Ok(_)) => Blame::Row(fault),
            Ok(Err(_)) => Blame::Database(fault),
            Err(blame) => blame,
        }
    }
}
