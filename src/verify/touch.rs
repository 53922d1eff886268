//! `last_seen_at`, written behind: requests leave the id of their session here and go on; now and then all of them are
//! written with one statement. That statement can never bring back a session that has ended.
// docs/decisions/10-touches-are-collected.md

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    event::Meter,
    store::{MAX_LIST, Store},
};

/// How long ids are collected before they are written.
const COLLECT: Duration = Duration::from_millis(250);
const OVERDUE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct Touches(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    meter: Meter,
    pending: Mutex<Pending>,
    /// Held while a batch is on its way, so that closing can wait for it.
    writing: tokio::sync::Mutex<()>,
    missed: AtomicU64,
}

#[derive(Debug, Default)]
struct Pending {
    ids: HashSet<Uuid>,
    /// When the next batch should have been written at the latest.
    due: Option<Instant>,
}

impl Touches {
    pub(crate) fn new(store: Arc<Store>, meter: Meter) -> Self {
        Self(Arc::new(Shared {
            store,
            meter,
            pending: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            missed: AtomicU64::new(0),
        }))
    }

    pub(crate) fn add(&self, id: Uuid) {
        let mut pending = self.0.lock();
        pending.ids.insert(id);
        // The runtime that was to write them may be gone, where there is more than one.
        let overdue = |due: Instant| due < Instant::now();
        if pending.due.is_none_or(overdue) {
            pending.due = Some(Instant::now() + OVERDUE);
            let touches = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(COLLECT).await;
                touches.flush().await;
            });
        }
    }

    /// Writes what is pending. A failure is counted and logged: the session is seen again a touch interval later.
    pub(crate) async fn flush(&self) {
        let _writing = self.0.writing.lock().await;
        let mut ids: Vec<Uuid> = {
            let mut pending = self.0.lock();
            pending.due = None;
            pending.ids.drain().collect()
        };
        // In one order on every node: two batches cannot lock each other out.
        ids.sort_unstable();
        for batch in ids.chunks(MAX_LIST) {
            match self.0.store.touch(batch.to_vec()).await {
                Ok(touched) => self.0.meter.touched(touched),
                Err(error) => {
                    self.0.meter.touches_missed(batch.len());
                    let missed = batch.len() as u64;
                    let missed = self.0.missed.fetch_add(missed, Ordering::Relaxed) + missed;
                    // The cause says whether the database is away, or takes no writes.
                    let error = error.cause();
                    tracing::warn!(error, missed, "last_seen_at could not be written");
                }
            }
        }
    }

    /// How many touches could not be written since the start.
    pub(crate) fn missed(&self) -> u64 {
        self.0.missed.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
