//! Sessions that long-lived connections hang on. A WebSocket or an event stream is one request that lasts for hours:
//! verified once, it would outlive its session.
//!
//! 1. All watched sessions of a node share one statement per interval, whatever their number.
//! 2. When something ends in this process, the watched are asked at once, though no more often than every
//!    [`NUDGE_PAUSE`], by a statement that only looks at what ended lately.
//! 3. Unknown is not ended: while the database is away nothing ends, until the grace is over.

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

use crate::{
    error::Error,
    store::{EndedReason, Store},
};

const NUDGE_PAUSE: Duration = Duration::from_millis(50);

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
pub(crate) struct Watch(watch::Receiver<Option<EndedReason>>);

impl Watch {
    /// The reason, if it has ended already: those who wait are woken one after the other.
    pub(crate) fn so_far(&self) -> Option<EndedReason> {
        *self.0.borrow()
    }

    pub(crate) async fn ended(mut self) -> EndedReason {
        match self.0.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(EndedReason::Unverifiable),
            // Whoever asked the database for us is gone.
            Err(_) => EndedReason::Unverifiable,
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

    /// Watches a session from now on. The task that does so ends when nobody watches any more.
    pub(crate) fn watch(&self, id: Uuid) -> Watch {
        let mut state = self.0.lock();
        let watch = Watch(
            state
                .sessions
                .entry(id)
                .or_insert_with(|| watch::Sender::new(None))
                .subscribe(),
        );
        if !state.running {
            state.running = true;
            tokio::spawn(
                Rounds {
                    shared: self.0.clone(),
                    over: false,
                }
                .run(),
            );
        }
        watch
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is watched; forgets whom nobody watches any longer, and says when there is nobody left.
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
    /// However the task ends, the next watcher starts another; those it leaves behind are told.
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
                match shared.store.ended_recently(&ids).await {
                    Ok(ended) => shared.announce(ended),
                    Err(error) => self.missed(&error, last_answer),
                }
                sleep_until((Instant::now() + NUDGE_PAUSE).min(next_round)).await;
                continue;
            }
            next_round = Instant::now() + shared.timings.interval;
            match shared.store.ended_among(&ids).await {
                Ok(ended) => {
                    last_answer = Instant::now();
                    shared.announce(ended);
                }
                Err(error) => self.missed(&error, last_answer),
            }
        }
    }

    fn missed(&self, error: &Error, last_answer: Instant) {
        let silent = last_answer.elapsed();
        tracing::warn!(%error, silent_seconds = silent.as_secs(), "watched sessions could not be verified");
        if silent >= self.shared.timings.grace {
            self.shared.give_up();
        }
    }
}
