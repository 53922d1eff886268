//! While the database cannot be reached, requests are told so at once instead of waiting out their time budget one
//! after the other. A task of its own finds out when it is back: no request is sacrificed for that.
//!
//! A connection that cannot be had is an outage. A statement that has no answer within the budget raises a doubt: the same
//! task asks, and unless something is answered soon, that is an outage too. So only the first request waits for long.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::queue::Shared;
use crate::{
    event::{Event, EventKind},
    store::Store,
    token::TokenHash,
};

const PROBE_PAUSE: Duration = Duration::from_millis(100);
/// How many probes may be under way at once. After a failover each connection in the pool can lead to a server that is
/// gone, and takes a whole time budget to find that out: one after the other they would keep all requests waiting.
const PROBES: usize = 16;
/// How long a doubt lasts at the most. A new connection and a look-up take a few round trips.
const DOUBT: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(super) struct Outage {
    /// What each request looks at.
    is_on: AtomicBool,
    is_doubted: AtomicBool,
    probing: Mutex<Probing>,
    /// Told when one begins.
    begins: Notify,
}

#[derive(Debug, Default)]
struct Probing {
    phase: Phase,
    /// There is a task that asks.
    runs: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Phase {
    #[default]
    Fine,
    Doubt {
        since: Instant,
    },
    Outage {
        since: Instant,
    },
}

impl Outage {
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Resolves when an outage begins, after this call.
    pub(super) fn begins(&self) -> impl Future<Output = ()> {
        self.begins.notified()
    }

    /// A statement has been answered: there is nothing to doubt.
    pub(super) fn answered(&self) {
        if self.is_doubted.load(Ordering::Relaxed) {
            let mut probing = self.lock();
            if let Phase::Doubt { .. } = probing.phase {
                self.enter(&mut probing, Phase::Fine);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Probing> {
        self.probing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, probing: &mut Probing, phase: Phase) {
        probing.phase = phase;
        self.is_on
            .store(matches!(phase, Phase::Outage { .. }), Ordering::Relaxed);
        self.is_doubted
            .store(matches!(phase, Phase::Doubt { .. }), Ordering::Relaxed);
    }
}

impl Shared {
    /// A statement has not been answered in time. Asks whether any is.
    pub(super) fn doubt(self: &Arc<Self>) {
        {
            let mut probing = self.outage.lock();
            if probing.phase != Phase::Fine {
                return;
            }
            let since = Instant::now();
            self.outage.enter(&mut probing, Phase::Doubt { since });
        }
        self.probe();
    }

    /// Declares the database unreachable until a statement has been answered again. Those who wait are told at once.
    pub(super) fn declare_outage(self: &Arc<Self>) {
        {
            let mut probing = self.outage.lock();
            if let Phase::Outage { .. } = probing.phase {
                return;
            }
            let since = Instant::now();
            self.outage.enter(&mut probing, Phase::Outage { since });
        }
        self.events.report(Event::new(EventKind::StoreUnavailable));
        // Each would cost the first requests afterwards a round trip, or a whole budget where it is only silent.
        self.store.distrust();
        self.refuse_all();
        self.outage.begins.notify_waiters();
        self.probe();
    }

    fn probe(self: &Arc<Self>) {
        if std::mem::replace(&mut self.outage.lock().runs, true) {
            return;
        }
        let probe = Probe {
            shared: Arc::downgrade(self),
            time_budget: self.limits.time_budget,
            is_over: false,
        };
        // Not under the lock: a runtime that shuts down drops the task here.
        tokio::spawn(probe.run());
    }

    /// A probe was answered.
    fn answers_again(&self) {
        let phase = {
            let mut probing = self.outage.lock();
            let phase = probing.phase;
            self.outage.enter(&mut probing, Phase::Fine);
            phase
        };
        if let Phase::Outage { since } = phase {
            let after = since.elapsed();
            self.events
                .report(Event::new(EventKind::StoreAvailable { after }));
        }
    }

    /// Whether there is still something to find out. A doubt that has lasted long enough is an outage by then.
    fn is_in_question(self: &Arc<Self>) -> bool {
        let phase = {
            let mut probing = self.outage.lock();
            probing.runs = probing.phase != Phase::Fine;
            probing.phase
        };
        match phase {
            Phase::Fine => false,
            Phase::Outage { .. } => true,
            Phase::Doubt { since } => {
                let doubt = DOUBT.min(self.limits.time_budget / 4);
                if since.elapsed() >= doubt {
                    self.declare_outage();
                }
                true
            }
        }
    }
}

struct Probe {
    /// There is no probe for an application that is gone.
    shared: Weak<Shared>,
    time_budget: Duration,
    /// Counted out already.
    is_over: bool,
}

impl Probe {
    async fn run(mut self) {
        let mut probes = JoinSet::new();
        while let Some(shared) = self.shared.upgrade() {
            if !shared.is_in_question() {
                self.is_over = true;
                return;
            }
            if probes.len() < PROBES {
                let (store, time_budget) = (shared.store.clone(), self.time_budget);
                probes.spawn(async move {
                    matches!(timeout(time_budget, answers(&store)).await, Ok(true))
                });
            }
            let answered = async {
                while let Some(probe) = probes.join_next().await {
                    if matches!(probe, Ok(true)) {
                        return;
                    }
                }
                std::future::pending().await
            };
            if timeout(PROBE_PAUSE, answered).await.is_ok() {
                shared.answers_again();
            }
        }
    }
}

/// However the probe ends, requests ask for themselves again.
impl Drop for Probe {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if let Some(shared) = self.shared.upgrade() {
            let mut probing = shared.outage.lock();
            probing.runs = false;
            shared.outage.enter(&mut probing, Phase::Fine);
        }
    }
}

async fn answers(store: &Store) -> bool {
    match store.link().await {
        Ok(mut link) => store
            .look_up(link.as_mut(), &[TokenHash::NONE])
            .await
            .is_ok(),
        Err(_) => false,
    }
}
