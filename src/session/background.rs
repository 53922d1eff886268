//! Work that goes on when the client hangs up.

use std::future::Future;

use tracing::Instrument;

use crate::{error::Error, store::Store};

/// Runs `work` to its end, even if the caller is dropped meanwhile. For example, a client that hangs up during its
/// sign-out does not keep its session.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work.in_current_span())
        .await
        .map_err(Error::unavailable)
}

/// Undoes something in the background, and retries while the database is away. What it cannot undo lapses or expires by
/// itself.
pub(crate) fn undo<F>(
    store: &Store,
    what: &'static str,
    mut work: impl FnMut() -> F + Send + 'static,
) where
    F: Future<Output = Result<u64, Error>> + Send + 'static,
{
    store
        .backlog()
        .push(what, Box::new(move || Box::pin(work())));
}
