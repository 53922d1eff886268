//! The task that sweeps now and then.

use std::time::Duration;

use rand::RngExt;
use tokio::task::JoinHandle;

use super::Sessions;

/// Sweeps in the background until it is dropped; made by [`Sessions::spawn_sweeper`]. Keep it in a variable with a name
/// (`_sweeper`, not `_`) for as long as the application serves.
#[derive(Debug)]
#[must_use = "the sweeper stops when it is dropped"]
pub struct Sweeper(JoinHandle<()>);

impl Sweeper {
    pub(crate) fn spawn(sessions: Sessions, every: Duration) -> Self {
        let every = every.clamp(Duration::from_millis(1), Duration::from_secs(24 * 60 * 60));
        Self(tokio::spawn(async move {
            loop {
                match sessions.sweep().await {
                    Ok(swept) => tracing::debug!(?swept, "swept sessions"),
                    Err(error) => {
                        tracing::warn!(%error, "sessions could not be swept; trying again")
                    }
                }
                // Nodes that were started together come apart.
                let jitter = rand::rng().random_range(0.9..1.1);
                let pause = every.mul_f64(jitter);
                tokio::time::sleep(pause).await;
            }
        }))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
