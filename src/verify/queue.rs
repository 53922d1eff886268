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
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{lane::Lane, outage::Outage};
use crate::{
    event::Events,
    store::{Lookup, Store},
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
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) limits: LaneLimits,
    pub(super) events: Events,
    state: Mutex<State>,
    pub(super) outage: Outage,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<Waiting>,
    pub(super) lanes: usize,
    /// When the youngest of the running lanes set out.
    pub(super) set_out: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) token: TokenHash,
    pub(super) answer: oneshot::Sender<Result<Lookup, Unanswered>>,
}

/// Why nothing is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    QueueFull,
    Outage,
    TimedOut,
    Store,
}

impl Verifier {
    pub(crate) fn new(store: Arc<Store>, limits: LaneLimits, events: Events) -> Self {
        Self(Arc::new(Shared {
            store,
            limits,
            events,
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
            self.0.events.meter().queued(state.queue.len());
            state.opens_lane(self.0.limits.max_lanes)
        };
        if opens_lane {
            tokio::spawn(Lane::new(self.0.clone()).run());
        }
        Ok(receiver)
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
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
