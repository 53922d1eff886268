//! The coalescing verifier: requests that wait at the same moment share one statement.
//!
//! 1. A request puts its token into the queue and waits. A lone one leaves at once: no request waits for a timer.
//! 2. A lane takes a connection first and everything that is queued second, asks once, and answers each.
//!    A request therefore only ever joins a statement that has not been sent yet, which is what makes a revocation
//!    hold from the next request on: whatever the statement sees is at least as new as the request.
//! 3. One lane works while the database is near. When the youngest statement has been away for longer than
//!    [`PATIENCE`], the next request opens another lane, up to the configured number: with a distant database
//!    statements overlap, with a near one they would only divide the batches.
//! 4. The queue is bounded, and each request waits no longer than its time budget. Past either, the answer is
//!    "unavailable", at once. Requests of one token share a place, and one that is dropped leaves its place at once.
//! 5. While the database cannot be reached at all, the answer is "unavailable" without waiting.
//! 6. A statement that fails on some row's data is asked again in smaller companies, until the row is alone
//!    ([`places`](super::places)).
//! 7. A lane can die with the runtime that it runs on. A request that it leaves without an answer queues up once more.
// docs/decisions/07-one-lane-more-when-slow.md

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{
    lane::Lane,
    outage::Outage,
    places::{Places, Ticket},
};
use crate::{
    event::Events,
    store::{Lookup, Store},
    token::TokenHash,
    user_id::UserId,
};

/// How long a statement may be away before another lane opens beside it.
const PATIENCE: Duration = Duration::from_millis(2);

/// How many lanes may die under one request. More have another reason than the end of a runtime.
const LOST_LANES: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneLimits {
    pub(crate) time_budget: Duration,
    /// How many tokens may wait.
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
    kin: RandomState,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) places: Places,
    pub(super) lanes: usize,
    /// When the youngest of the running lanes set out.
    pub(super) set_out: Option<Instant>,
    /// A lane asks for suspects. The others leave them to it: statements that fail may be slow ones as well.
    pub(super) suspects_are_asked: bool,
}

/// What a request is told.
pub(super) type Answer = Result<Lookup, Unanswered>;

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
            kin: RandomState::new(),
        }))
    }

    /// What the database says of this token, as of some moment after this call. The user is the one whom the cookie
    /// names: it decides nothing, and tells whose look-ups may fail together.
    pub(crate) async fn look_up(
        &self,
        token: TokenHash,
        user_id: &UserId,
    ) -> Result<Lookup, Unanswered> {
        let deadline = Instant::now() + self.0.limits.time_budget;
        let kin = self.0.kin.hash_one(user_id.as_str());
        for _ in 0..=LOST_LANES {
            let mut waiting = self.enqueue(token, kin)?;
            match timeout_at(deadline, &mut waiting.answer).await {
                Ok(Ok(answer)) => {
                    waiting.is_over = true;
                    return answer;
                }
                Ok(Err(_lane_gone)) => {}
                Err(_) => return Err(Unanswered::TimedOut),
            }
        }
        Err(Unanswered::Store)
    }

    fn enqueue(&self, token: TokenHash, kin: u64) -> Result<Waiting<'_>, Unanswered> {
        let shared = &self.0;
        if shared.outage.is_on() {
            return Err(Unanswered::Outage);
        }
        let (ticket, answer, opens_lane) = {
            let mut state = shared.lock();
            let capacity = shared.limits.queue_capacity;
            let entered = state.places.enter(token, kin, capacity);
            let (ticket, answer) = entered.ok_or(Unanswered::QueueFull)?;
            shared.count(&state);
            (
                ticket,
                answer,
                state.opens_lane(shared.limits.max_lanes, PATIENCE),
            )
        };
        if opens_lane {
            tokio::spawn(Lane::new(shared.clone()).run());
        }
        Ok(Waiting {
            shared,
            ticket,
            answer,
            is_over: false,
        })
    }
}

/// A request that waits. Dropped without an answer, it leaves the queue at once.
struct Waiting<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    answer: oneshot::Receiver<Answer>,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.shared.lock();
            state.places.leave(self.ticket);
            self.shared.count(&state);
        }
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock can leave it half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the gauge how many wait.
    pub(super) fn count(&self, state: &State) {
        self.events.meter().queued(state.places.requests());
    }

    /// Tells all that wait that the database cannot be asked.
    pub(super) fn refuse_all(&self) {
        let all = {
            let mut state = self.lock();
            let all = state.places.clear();
            self.count(&state);
            all
        };
        all.answer(|_| Err(Unanswered::Outage));
    }
}

impl State {
    /// Counts another lane in, where the youngest statement has been away for longer than this.
    pub(super) fn opens_lane(&mut self, max_lanes: usize, patience: Duration) -> bool {
        let opens = match (self.lanes, self.set_out) {
            (0, _) => true,
            (lanes, Some(set_out)) => lanes < max_lanes && set_out.elapsed() >= patience,
            (_, None) => false,
        };
        if opens {
            self.lanes += 1;
            self.set_out = Some(Instant::now());
        }
        opens
    }
}
