//! Sessions that long-lived connections hang on. A WebSocket or an event stream is one request that lasts for hours:
//! verified once, it would outlive its session.
//!
//! 1. All watched sessions of a node share one statement per interval, whatever their number.
//! 2. When something ends in this process, the watched are asked at once, though no more often than every
//!    [`NUDGE_PAUSE`], by a statement that only looks at what ended lately.
//! 3. Unknown is not ended: while the database is away nothing ends, until the grace is over.
//! 4. The task that asks can die with the runtime that it runs on. Those whom it leaves watch again, on their own.
// docs/decisions/25-grace-for-open-connections.md

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use uuid::Uuid;

use super::round;
use crate::{
    error::Error,
    store::{EndedReason, Store},
};

const NUDGE_PAUSE: Duration = Duration::from_millis(50);
/// How many tasks may be lost one right after the other. More have another reason than the end of a runtime.
const LOST_ROUNDS: u32 = 3;
const AT_ONCE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(crate) struct WatchTimings {
    pub(crate) interval: Duration,
    pub(crate) grace: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct Watchers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    timings: WatchTimings,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<Uuid, watch::Sender<Option<EndedReason>>>,
    running: bool,
}

/// Resolves when the session has ended.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    id: Uuid,
    watchers: Watchers,
    reason: watch::Receiver<Option<EndedReason>>,
}

impl Watch {
    /// The reason, if it has ended already: those who wait are woken one after the other.
    pub(crate) fn so_far(&self) -> Option<EndedReason> {
        *self.reason.borrow()
    }

    pub(crate) async fn ended(mut self) -> EndedReason {
        let mut lost = 0;
        loop {
            let began = Instant::now();
            if let Ok(reason) = self.reason.wait_for(Option::is_some).await {
                return reason.unwrap_or(EndedReason::Unverifiable);
            }
            // The task that asked for us is gone, with its runtime. Ours lives, or is about to end as well.
            lost = if began.elapsed() < AT_ONCE {
                lost + 1
            } else {
                1
            };
            if lost > LOST_ROUNDS {
                return EndedReason::Unverifiable;
            }
            self.reason = self.watchers.watch(self.id).reason;
        }
    }
}

impl Watchers {
    pub(crate) fn new(store: Arc<Store>, timings: WatchTimings) -> Self {
        Self(Arc::new(Shared {
            store,
            timings,
            state: Mutex::default(),
        }))
    }

    /// Watches a session from now on. The task that does so ends when no connection is watched any more.
    pub(crate) fn watch(&self, id: Uuid) -> Watch {
        let mut state = self.0.lock();
        let reason = state
            .sessions
            .entry(id)
            .or_insert_with(|| watch::Sender::new(None))
            .subscribe();
        let starts = !std::mem::replace(&mut state.running, true);
        drop(state);
        if starts {
            // Not under the lock: a runtime that shuts down drops the task here.
            let rounds = Rounds {
                shared: self.0.clone(),
                over: false,
            };
            tokio::spawn(rounds.run());
        }
        Watch {
            id,
            watchers: self.clone(),
            reason,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The watched sessions. It forgets those that no connection watches any longer, and says when none is left.
    fn watched(&self) -> Option<Vec<Uuid>> {
        let mut state = self.lock();
        state
            .sessions
            .retain(|_, sender| sender.receiver_count() > 0);
        state.running = !state.sessions.is_empty();
        state
            .running
            .then(|| state.sessions.keys().copied().collect())
    }

    fn announce(&self, ended: Vec<(Uuid, EndedReason)>) {
        let mut state = self.lock();
        for (id, reason) in ended {
            if let Some(sender) = state.sessions.remove(&id) {
                sender.send_replace(Some(reason));
            }
        }
    }

    fn give_up(&self) {
        for (_, sender) in self.lock().sessions.drain() {
            sender.send_replace(Some(EndedReason::Unverifiable));
        }
    }
}

/// The task that asks.
struct Rounds {
    shared: Arc<Shared>,
    /// Counted out already: what is watched since then belongs to the task that the next watcher has started.
    over: bool,
}

impl Drop for Rounds {
    /// However the task ends, the next watcher starts another; those it leaves behind notice, and are the next.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut state = self.shared.lock();
        state.running = false;
        state.sessions.clear();
    }
}

impl Rounds {
    async fn run(mut self) {
        let shared = self.shared.clone();
        let mut last_answer = Instant::now();
        let mut next_round = last_answer + shared.timings.interval;
        loop {
            // An ending between two waits is not lost: the signal keeps one. However many there are, rounds are due as
            // ever: only they see what timed out and whose account was closed.
            let signal = timeout_at(next_round, shared.store.something_ended()).await;
            let nudged = signal.is_ok() && Instant::now() < next_round;
            let Some(ids) = shared.watched() else {
                self.over = true;
                return;
            };
            if nudged {
                match self.ended_recently(ids).await {
                    Ok(()) => {}
                    Err(error) => self.missed(&error, last_answer),
                }
                sleep_until((Instant::now() + NUDGE_PAUSE).min(next_round)).await;
                continue;
            }
            next_round = Instant::now() + shared.timings.interval;
            match self.ended_among(ids).await {
                Ok(()) => last_answer = Instant::now(),
                Err(error) => self.missed(&error, last_answer),
            }
        }
    }

    async fn ended_among(&self, ids: Vec<Uuid>) -> Result<(), Error> {
        let announce = |ended| self.shared.announce(ended);
        Ok(round::ended_among(&self.shared.store, ids, announce).await?)
    }

    async fn ended_recently(&self, ids: Vec<Uuid>) -> Result<(), Error> {
        match self.shared.store.ended_recently().await? {
            Some(ended) => self.shared.announce(ended),
            None => self.ended_among(ids).await?,
        }
        Ok(())
    }

    fn missed(&self, error: &Error, last_answer: Instant) {
        let silent = last_answer.elapsed();
        tracing::warn!(%error, silent_seconds = silent.as_secs(), "watched sessions could not be verified");
        if silent >= self.shared.timings.grace {
            self.shared.give_up();
        }
    }
}
