//! The coalescing verifier: requests that wait at the same moment share one statement.
//!
//! 1. A request puts its token into the queue and waits. A lone one leaves at once: nobody waits for a timer.
//! 2. A lane takes a connection first and everything that is queued second, asks once, and answers each.
//!    A request therefore only ever joins a statement that has not been sent yet, which is what makes a revocation
//!    hold from the next request on: whatever the statement sees is at least as new as the request.
//! 3. One lane works while the database is near. When the youngest statement has been away for longer than
//!    [`PATIENCE`], the next request opens another lane, up to the configured number: with a distant database
//!    statements overlap, with a near one they would only divide the batches.
//! 4. The queue is bounded, and each request waits no longer than its time budget. Past either, the answer is
//!    "unavailable", at once.
//! 5. While the database cannot be reached at all, the answer is "unavailable" without waiting.
//! 6. A statement that fails on some row's data is asked again in halves, until the row is alone.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use super::outage::Outage;
use crate::{
    store::{Fault, FaultKind, Link, Lookup, MAX_LIST, Pooled, Store},
    token::TokenHash,
};

/// How long a statement may be away before another lane opens beside it.
const PATIENCE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneLimits {
    pub(crate) time_budget: Duration,
    pub(crate) queue_capacity: usize,
    pub(crate) max_lanes: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Verifier(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    limits: LaneLimits,
    state: Mutex<State>,
    outage: Outage,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Waiting>,
    lanes: usize,
    /// When the youngest of the running lanes set out.
    set_out: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    token: TokenHash,
    answer: oneshot::Sender<Result<Lookup, Unanswered>>,
}

/// Why nothing is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    QueueFull,
    Outage,
    TimedOut,
    Store,
}

impl Unanswered {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue full",
            Self::Outage => "database cannot be reached",
            Self::TimedOut => "time budget spent",
            Self::Store => "store failed",
        }
    }
}

impl Verifier {
    pub(crate) fn new(store: Arc<Store>, limits: LaneLimits) -> Self {
        Self(Arc::new(Shared {
            store,
            limits,
            state: Mutex::default(),
            outage: Outage::default(),
        }))
    }

    /// What the database says of this token, as of some moment after this call.
    pub(crate) async fn look_up(&self, token: TokenHash) -> Result<Lookup, Unanswered> {
        let answer = self.enqueue(token)?;
        match timeout(self.0.limits.time_budget, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_lane_gone)) => Err(Unanswered::Store),
            Err(_) => Err(Unanswered::TimedOut),
        }
    }

    fn enqueue(
        &self,
        token: TokenHash,
    ) -> Result<oneshot::Receiver<Result<Lookup, Unanswered>>, Unanswered> {
        if self.0.outage.is_on() {
            return Err(Unanswered::Outage);
        }
        let (answer, receiver) = oneshot::channel();
        let opens_lane = {
            let mut state = self.0.lock();
            if state.queue.len() >= self.0.limits.queue_capacity {
                return Err(Unanswered::QueueFull);
            }
            state.queue.push_back(Waiting { token, answer });
            state.opens_lane(self.0.limits.max_lanes)
        };
        if opens_lane {
            tokio::spawn(
                Lane {
                    shared: self.0.clone(),
                    counted: true,
                }
                .run(),
            );
        }
        Ok(receiver)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock can leave it half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn opens_lane(&mut self, max_lanes: usize) -> bool {
        let opens = match (self.lanes, self.set_out) {
            (0, _) => true,
            (lanes, Some(set_out)) => lanes < max_lanes && set_out.elapsed() > PATIENCE,
            (_, None) => false,
        };
        if opens {
            self.lanes += 1;
            self.set_out = Some(Instant::now());
        }
        opens
    }
}

/// One lane: a task that asks for whoever waits, until nobody does.
struct Lane {
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
    async fn run(mut self) {
        let mut link = None;
        while self.has_work() {
            link = self.serve(link).await;
        }
    }

    /// Nobody can queue up between the look at the queue and the end of the lane.
    fn has_work(&mut self) -> bool {
        if !self.counted {
            return false;
        }
        let mut state = self.shared.lock();
        if state.queue.is_empty() {
            state.lanes -= 1;
            self.counted = false;
        }
        self.counted
    }

    /// Serves everybody who is queued by the time a connection is there; gives the connection back for the next turn.
    async fn serve(&mut self, link: Option<Box<dyn Pooled>>) -> Option<Box<dyn Pooled>> {
        let deadline = Instant::now() + self.shared.limits.time_budget;
        let mut link = match self.connect(link, deadline).await {
            Ok(link) => link,
            Err(fault) => {
                // Whoever waits came for any lane, and one of the others may have a connection.
                if !self.gives_way() {
                    self.refuse(self.take_batch(), &fault);
                    self.declare_outage();
                }
                return None;
            }
        };
        let mut parts = vec![self.take_batch()];
        let mut tries = 2;
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
                FaultKind::Data => self.refuse(batch, &fault),
                FaultKind::Statement => {
                    parts.push(batch);
                    parts
                        .into_iter()
                        .for_each(|batch| self.refuse(batch, &fault));
                    return None;
                }
                FaultKind::Lost | FaultKind::Conflict | FaultKind::TimedOut => {
                    link.discard();
                    tries -= 1;
                    let again = fault.kind() != FaultKind::TimedOut && tries > 0;
                    match if again {
                        self.connect(None, deadline).await
                    } else {
                        Err(fault)
                    } {
                        Ok(fresh) => {
                            link = fresh;
                            parts.push(batch);
                        }
                        Err(fault) => {
                            parts.push(batch);
                            parts
                                .into_iter()
                                .for_each(|batch| self.refuse(batch, &fault));
                            return None;
                        }
                    }
                }
            }
        }
        // While everybody waits for a connection, a busy lane must not sit on one.
        (!self.shared.store.is_exhausted()).then_some(link)
    }

    /// A connection that cannot be had is an outage, unless it is only that all of them are in use.
    fn declare_outage(&self) {
        let shared = &self.shared;
        if !shared.store.is_exhausted() {
            shared
                .outage
                .declare(&shared.store, shared.limits.time_budget);
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
        link: Option<Box<dyn Pooled>>,
        deadline: Instant,
    ) -> Result<Box<dyn Pooled>, Fault> {
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
        state
            .queue
            .drain(..length)
            .filter(|waiting| !waiting.answer.is_closed())
            .collect()
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
            false => self.shared.store.look_up(link, &tokens).await,
        }
    }

    fn refuse(&self, batch: Vec<Waiting>, fault: &Fault) {
        let reason = match fault.kind() {
            FaultKind::TimedOut => Unanswered::TimedOut,
            FaultKind::Lost | FaultKind::Conflict | FaultKind::Data | FaultKind::Statement => {
                Unanswered::Store
            }
        };
        if !batch.is_empty() {
            tracing::error!(requests = batch.len(), error = %fault, "sessions could not be verified");
        }
        for waiting in batch {
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
