//! While the database cannot be reached, requests are told so at once instead of waiting out their time budget one
//! after the other. A task of its own finds out when it is back: no request has to be sacrificed for that.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    event::{Event, EventKind, Events},
    store::Store,
    token::TokenHash,
};

const PROBE_PAUSE: Duration = Duration::from_millis(100);
/// How many probes may be under way at once. After a failover each connection in the pool can lead to a server that is
/// gone, and takes a whole time budget to find that out: one after the other they would keep everybody waiting.
const PROBES: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Outage(Arc<AtomicBool>);

impl Outage {
    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Declares the database unreachable until a statement has been answered again.
    pub(super) fn declare(&self, store: &Arc<Store>, events: &Events, time_budget: Duration) {
        if self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        events.report(Event::new(EventKind::StoreUnavailable));
        let probe = Probe {
            outage: self.clone(),
            store: Arc::downgrade(store),
            events: events.clone(),
            began: Instant::now(),
            time_budget,
        };
        tokio::spawn(probe.run());
    }
}

struct Probe {
    outage: Outage,
    /// Nobody probes for an application that is gone.
    store: Weak<Store>,
    events: Events,
    began: Instant,
    time_budget: Duration,
}

impl Probe {
    async fn run(self) {
        let mut probes = JoinSet::new();
        while let Some(store) = self.store.upgrade() {
            if probes.len() < PROBES {
                let time_budget = self.time_budget;
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
                let after = self.began.elapsed();
                self.events
                    .report(Event::new(EventKind::StoreAvailable { after }));
                return;
            }
        }
    }
}

/// However the probe ends, requests ask for themselves again.
impl Drop for Probe {
    fn drop(&mut self) {
        self.outage.0.store(false, Ordering::Relaxed);
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
