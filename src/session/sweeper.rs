//! The task that sweeps at intervals.

use std::time::Duration;

use rand::RngExt;
use tokio::task::JoinHandle;

use super::Sessions;

/// Sweeps in the background until it is dropped; made by [`Sessions::spawn_sweeper`]. Keep it in a named variable
/// (`_sweeper`, not `_`) as long as the application serves requests: `_` would drop it at once.
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
                // Keeps nodes that started together from sweeping at the same time.
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
