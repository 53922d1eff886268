//! How many connections there may be, and what for: shares that cannot starve one another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::fault::Fault;

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading whether sessions are live. Such a statement changes nothing and waits for no row.
    LookUp,
    /// A new sign-in. When many wait, further ones are refused at once: each would only wait in vain.
    SignIn,
    /// What a sign-in or a rotation under way still needs.
    Grant,
    /// Ending sessions.
    Ending,
    /// Whatever can wait: last-seen times, sweeping, lists, undoing.
    Upkeep,
}

impl Purpose {
    /// For the second attempt: a sign-in that has had a turn is not refused for coming late.
    pub(super) fn again(self) -> Self {
        match self {
            Self::SignIn => Self::Grant,
            other => other,
        }
    }
}

/// How many sign-ins may wait for their share.
const WAITING_SIGN_INS: usize = 64;

/// How many there may be, and how long their statements may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long a caller waits.
    pub(crate) time_budget: Duration,
    /// How many verification statements may be under way at once.
    pub(crate) lanes: usize,
    /// All of them together.
    pub(crate) connections: usize,
}

impl Bounds {
    /// Beyond the lanes: one more for look-ups, so that streams and an outage's probe need not wait for a lane, and one
    /// for each other purpose.
    pub(crate) const LEAST_BESIDE_LANES: usize = 4;
    pub(crate) const USUAL_BESIDE_LANES: usize = 8;

    /// How long the server may work on one statement: a little less than we wait for it, so that its answer is an error
    /// and the connection stays good.
    pub(crate) fn statement(self) -> Duration {
        self.time_budget.mul_f64(0.9)
    }

    /// How long a statement may wait for a lock: a little less than that.
    pub(crate) fn lock(self) -> Duration {
        self.time_budget.mul_f64(0.8)
    }
}

/// For what is done with a pool alone, before there is a builder.
impl Default for Bounds {
    fn default() -> Self {
        Self {
            time_budget: Duration::from_secs(30),
            lanes: 1,
            connections: 1 + Self::LEAST_BESIDE_LANES,
        }
    }
}

#[derive(Debug)]
pub(super) struct Shares {
    look_ups: Arc<Semaphore>,
    sign_ins: Arc<Semaphore>,
    endings: Arc<Semaphore>,
    upkeep: Arc<Semaphore>,
    waiting_sign_ins: AtomicUsize,
}

impl Shares {
    pub(super) fn new(bounds: Bounds) -> Self {
        let look_ups = bounds.lanes + 1;
        let others = bounds.connections.saturating_sub(look_ups).max(3);
        let third = others / 3;
        let share = |places| Arc::new(Semaphore::new(places));
        Self {
            look_ups: share(look_ups),
            sign_ins: share(others - 2 * third),
            endings: share(third),
            upkeep: share(third),
            waiting_sign_ins: AtomicUsize::new(0),
        }
    }

    fn of(&self, purpose: Purpose) -> &Arc<Semaphore> {
        match purpose {
            Purpose::LookUp => &self.look_ups,
            Purpose::SignIn | Purpose::Grant => &self.sign_ins,
            Purpose::Ending => &self.endings,
            Purpose::Upkeep => &self.upkeep,
        }
    }

    pub(super) fn is_exhausted(&self, purpose: Purpose) -> bool {
        self.of(purpose).available_permits() == 0
    }

    /// A place for one connection. Those who wait get theirs in the order in which they came.
    pub(super) async fn permit(&self, purpose: Purpose) -> Result<OwnedSemaphorePermit, Fault> {
        let share = self.of(purpose).clone();
        if let Ok(permit) = share.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = match purpose {
            Purpose::SignIn => Some(Waiting::among(&self.waiting_sign_ins)?),
            _ => None,
        };
        share.acquire_owned().await.map_err(|_| Fault::gone())
    }
}

/// One who waits; counted out when that is over, however it ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(waiting: &'a AtomicUsize) -> Result<Self, Fault> {
        let counted_in = Self(waiting);
        match waiting.fetch_add(1, Ordering::Relaxed) < WAITING_SIGN_INS {
            true => Ok(counted_in),
            false => Err(Fault::crowded()),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Duration, Shares};

    #[test]
    fn shares_add_up_and_none_is_empty() {
        for lanes in 1..=16 {
            let least = lanes + Bounds::LEAST_BESIDE_LANES;
            for connections in least..least + 40 {
                let shares = Shares::new(Bounds {
                    time_budget: Duration::from_secs(2),
                    lanes,
                    connections,
                });
                let places = [
                    &shares.look_ups,
                    &shares.sign_ins,
                    &shares.endings,
                    &shares.upkeep,
                ]
                .map(|share| share.available_permits());
                assert_eq!(places.iter().sum::<usize>(), connections);
                assert!(places.iter().all(|places| *places > 0), "{places:?}");
                assert_eq!(places[0], lanes + 1);
            }
        }
    }
}
