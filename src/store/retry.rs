//! Deadlocks, serialisation failures and a busy file: the same again, a little later.

use std::time::Duration;

use rand::RngExt;

use super::{Fault, FaultKind};

const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// Runs `work` again while it meets conflicts. Whatever else goes wrong is not repeated: its outcome may be unknown.
pub(crate) async fn retry<T, F>(mut work: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut pauses = Pauses::default();
    loop {
        let outcome = work().await;
        match &outcome {
            Err(fault) if fault.kind() == FaultKind::Conflict => {
                if !pauses.pause().await {
                    return outcome;
                }
            }
            _ => return outcome,
        }
    }
}

/// Pauses that double and are jittered, so that rivals come apart.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    taken: u32,
}

impl Pauses {
    /// Waits, or says at once that it has been enough.
    pub(crate) async fn pause(&mut self) -> bool {
        if self.taken + 1 >= ATTEMPTS {
            return false;
        }
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.taken);
        self.taken += 1;
        let jitter = rand::rng().random_range(0.5..1.5);
        tokio::time::sleep(pause.mul_f64(jitter)).await;
        true
    }
}
