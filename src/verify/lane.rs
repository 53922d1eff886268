//! One lane of the verifier: takes a connection, takes whoever waits, asks once, answers each.

use std::{collections::HashMap, sync::Arc};

use tokio::time::{Instant, timeout_at};

use super::queue::{Shared, Unanswered, Waiting};
use crate::{
    store::{Fault, FaultKind, Link, Lookup, MAX_LIST},
    token::TokenHash,
};

/// One lane: a task that asks for whoever waits, until nobody does.
pub(super) struct Lane {
    shared: Arc<Shared>,
    /// Not counted out yet. A lane whose task is cancelled or panics is counted out when it is dropped; whoever is
    /// still queued then is served by the lane that the next request opens, or released by their time budget.
    counted: bool,
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.counted {
            self.shared.lock().lanes -= 1;
        }
    }
}

impl Lane {
    /// A lane that has been counted in.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            counted: true,
        }
    }

    pub(super) async fn run(mut self) {
        let mut link = None;
        while self.has_work(&mut link) {
            link = self.serve(link).await;
        }
    }

    /// Nobody can queue up between the look at the queue and the end of the lane.
    fn has_work(&mut self, link: &mut Option<Box<dyn Link>>) -> bool {
        if !self.counted {
            return false;
        }
        let mut state = self.shared.lock();
        if state.queue.is_empty() {
            // Given back first: the lane that the next request opens finds it there, instead of opening another.
            drop(link.take());
            state.lanes -= 1;
            self.counted = false;
        }
        self.counted
    }

    /// Serves everybody who is queued by the time a connection is there; gives the connection back for the next turn.
    async fn serve(&mut self, link: Option<Box<dyn Link>>) -> Option<Box<dyn Link>> {
        let deadline = Instant::now() + self.shared.limits.time_budget;
        let others_had_all = self.shared.store.is_exhausted();
        let mut link = match self.connect(link, deadline).await {
            Ok(link) => link,
            Err(fault) => {
                // Whoever waits came for any lane, and one of the others may have a connection.
                if !self.gives_way() {
                    self.refuse(vec![self.take_batch()], &fault);
                    if !others_had_all {
                        self.declare_outage();
                    }
                }
                return None;
            }
        };
        let mut parts = vec![self.take_batch()];
        let mut spare_connections = 1;
        while let Some(mut batch) = parts.pop() {
            let fault = match timeout_at(deadline, self.ask(link.as_mut(), &batch)).await {
                Ok(Ok(found)) => {
                    answer(batch, &found);
                    continue;
                }
                Ok(Err(fault)) => fault,
                Err(_) => Fault::timed_out(),
            };
            match fault.kind() {
                FaultKind::Data if batch.len() > 1 => {
                    let half = batch.split_off(batch.len() / 2);
                    parts.extend([batch, half]);
                }
                FaultKind::Data => self.refuse(vec![batch], &fault),
                FaultKind::Lost | FaultKind::Conflict if spare_connections > 0 => {
                    drop(link);
                    parts.push(batch);
                    spare_connections -= 1;
                    link = match self.connect(None, deadline).await {
                        Ok(fresh) => fresh,
                        Err(fault) => {
                            self.refuse(parts, &fault);
                            return None;
                        }
                    };
                }
                FaultKind::Lost
                | FaultKind::Conflict
                | FaultKind::TimedOut
                | FaultKind::Statement => {
                    parts.push(batch);
                    self.refuse(parts, &fault);
                    return None;
                }
            }
        }
        // While everybody waits for a connection, a busy lane must not sit on one; nor on one that has had its time.
        (link.is_good() && !self.shared.store.is_exhausted()).then_some(link)
    }

    /// A connection that cannot be had is an outage, unless it is only that all of them are in use.
    fn declare_outage(&self) {
        let shared = &self.shared;
        if !shared.store.is_exhausted() {
            shared
                .outage
                .declare(&shared.store, &shared.events, shared.limits.time_budget);
        }
    }

    /// Ends this lane unless it is the only one.
    fn gives_way(&mut self) -> bool {
        let mut state = self.shared.lock();
        if state.lanes > 1 {
            state.lanes -= 1;
            self.counted = false;
        }
        !self.counted
    }

    async fn connect(
        &self,
        link: Option<Box<dyn Link>>,
        deadline: Instant,
    ) -> Result<Box<dyn Link>, Fault> {
        if let Some(link) = link {
            return Ok(link);
        }
        let connecting = async {
            match self.shared.store.link().await {
                // A connection can break while it is being made, as later.
                Err(fault) if fault.kind() == FaultKind::Lost => self.shared.store.link().await,
                outcome => outcome,
            }
        };
        timeout_at(deadline, connecting)
            .await
            .unwrap_or_else(|_| Err(Fault::timed_out()))
    }

    /// Takes those who still wait, in the order in which they came.
    fn take_batch(&self) -> Vec<Waiting> {
        let mut state = self.shared.lock();
        let length = state.queue.len().min(MAX_LIST);
        state.set_out = Some(Instant::now());
        let batch = state
            .queue
            .drain(..length)
            .filter(|waiting| !waiting.answer.is_closed())
            .collect();
        self.shared.events.meter().queued(state.queue.len());
        batch
    }

    async fn ask(
        &self,
        link: &mut dyn Link,
        batch: &[Waiting],
    ) -> Result<HashMap<TokenHash, Lookup>, Fault> {
        let mut tokens: Vec<_> = batch.iter().map(|waiting| waiting.token).collect();
        // Parallel requests of one browser need one answer.
        tokens.sort_unstable();
        tokens.dedup();
        match tokens.is_empty() {
            true => Ok(HashMap::new()),
            false => {
                self.shared.events.meter().asked_for(tokens.len());
                self.shared.store.look_up(link, &tokens).await
            }
        }
    }

    fn refuse(&self, batches: Vec<Vec<Waiting>>, fault: &Fault) {
        let reason = match fault.kind() {
            FaultKind::TimedOut => Unanswered::TimedOut,
            FaultKind::Lost | FaultKind::Conflict | FaultKind::Data | FaultKind::Statement => {
                Unanswered::Store
            }
        };
        let requests = batches.iter().map(Vec::len).sum::<usize>();
        if requests > 0 {
            tracing::error!(requests, error = %fault, "sessions could not be verified");
        }
        for waiting in batches.into_iter().flatten() {
            // Whoever has gone needs no answer.
            let _ = waiting.answer.send(Err(reason));
        }
    }
}

fn answer(batch: Vec<Waiting>, found: &HashMap<TokenHash, Lookup>) {
    for waiting in batch {
        let lookup = found
            .get(&waiting.token)
            .cloned()
            .unwrap_or(Lookup::Unknown);
        let _ = waiting.answer.send(Ok(lookup));
    }
}
