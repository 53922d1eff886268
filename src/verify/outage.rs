//! While the database cannot be reached, requests are told so at once instead of waiting out their time budget one
//! after the other. A task of its own finds out when it is back: no request has to be sacrificed for that.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{sleep, timeout};

use crate::{store::Store, token::TokenHash};

const PROBE_PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, Default)]
pub(super) struct Outage(Arc<AtomicBool>);

impl Outage {
    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Declares the database unreachable until a statement has been answered again.
    pub(super) fn declare(&self, store: &Arc<Store>, time_budget: Duration) {
        if self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::error!(
            "the session database cannot be reached; answering \"unavailable\" until it can"
        );
        let probe = Probe {
            outage: self.clone(),
            store: Arc::downgrade(store),
            time_budget,
        };
        tokio::spawn(probe.run());
    }
}

struct Probe {
    outage: Outage,
    /// Nobody probes for an application that is gone.
    store: Weak<Store>,
    time_budget: Duration,
}

impl Probe {
    async fn run(self) {
        while let Some(store) = self.store.upgrade() {
            if matches!(timeout(self.time_budget, answers(&store)).await, Ok(true)) {
                tracing::info!("the session database answers again");
                return;
            }
            drop(store);
            sleep(PROBE_PAUSE).await;
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
