//! Work that a client who hangs up cannot stop.

use std::{future::Future, time::Duration};

use tokio::runtime::Handle;
use tracing::Instrument;

use crate::error::Error;

/// Runs to its end even if the caller is dropped meanwhile.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work.in_current_span())
        .await
        .map_err(Error::unavailable)
}

const ATTEMPTS: u32 = 5;

/// Undoes something, with patience for a database that is away. What it cannot undo lapses or expires by itself.
pub(crate) fn undo<F>(what: &'static str, mut work: impl FnMut() -> F + Send + 'static)
where
    F: Future<Output = Result<u64, Error>> + Send,
{
    // Without a runtime the process is on its way out.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let undoing = async move {
        let mut pause = Duration::from_millis(100);
        for attempt in 1..=ATTEMPTS {
            match work().await {
                Ok(_) => return,
                Err(error) if attempt == ATTEMPTS => tracing::warn!(%error, "could not {what}"),
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
    };
    runtime.spawn(undoing.in_current_span());
}
