//! What must be undone after a request, one after the other.
//!
//! While the database is away every failed sign-in may leave something to undo. A task for each would compete with
//! look-ups for the database as soon as it is back, and their number would grow with the failures; so there is one task,
//! and a bounded queue. What is undone here opens nothing meanwhile, and lapses or expires by itself.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, time::Instant};

use super::driver::BoxFuture;
use crate::error::Error;

/// How much is remembered. More is left to lapse.
const CAPACITY: usize = 1024;
/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Something to undo; it may be tried any number of times.
pub(crate) type Undo = Box<dyn FnMut() -> BoxFuture<'static, Result<u64, Error>> + Send>;

#[derive(Clone, Default)]
pub(crate) struct Backlog(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    running: bool,
    /// How many found no room since it was empty.
    left: u64,
}

struct Job {
    what: &'static str,
    undo: Undo,
    since: Instant,
}

impl Backlog {
    /// Undoes this as soon as it can be done; `what` says it, and what becomes of it otherwise.
    pub(crate) fn push(&self, what: &'static str, undo: Undo) {
        // Without a runtime the process is on its way out.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let since = Instant::now();
        let starts = {
            let mut state = self.lock();
            if state.jobs.len() >= CAPACITY {
                state.left += 1;
                return;
            }
            state.jobs.push_back(Job { what, undo, since });
            !std::mem::replace(&mut state.running, true)
        };
        if starts {
            runtime.spawn(Worker(self.clone()).run());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker(Backlog);

impl Worker {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        while let Some(mut job) = self.next() {
            let Err(error) = (job.undo)().await else {
                pause = FIRST_PAUSE;
                continue;
            };
            if job.since.elapsed() >= PATIENCE {
                tracing::warn!(%error, "could not {}", job.what);
                continue;
            }
            // Behind the others: what always fails must not keep them.
            self.0.lock().jobs.push_back(job);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.0.lock();
        let job = state.jobs.pop_front();
        if job.is_none() {
            state.running = false;
            let left = std::mem::take(&mut state.left);
            drop(state);
            if left > 0 {
                tracing::warn!(
                    left,
                    "too much to undo at once; the rest lapses or expires by itself"
                );
            }
        }
        job
    }
}

/// However the task ends, the next job starts another.
impl Drop for Worker {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        // Its own end, or that of a runtime. A task that was started meanwhile does no harm beside another.
        state.running = false;
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Backlog").finish_non_exhaustive()
    }
}
