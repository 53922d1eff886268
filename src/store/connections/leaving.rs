//! What becomes of a connection that is not as it should be.
//!
//! Closing it frees nothing on the server: PostgreSQL and MariaDB notice only when they want to answer, and until then the
//! statement waits for its lock, or the commit for its replica. With its place free, the next request would open another
//! one beside it, and so on until the server takes no more connections. So the place stays taken until the
//! answer is there, or the server must have given up, or says that it has.

use std::{pin::pin, sync::Arc, time::Duration};

use sqlx::Connection as _;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout, timeout_at},
};

use super::{ConnectionDiscard, Connections, Origin, Own, Purpose, opening::is_running};
use crate::store::driver::Speaks;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection whose answer is awaited no longer, with its place.
pub(in crate::store) struct Leaving<DB: Speaks> {
    pub(in crate::store) origin: Origin<DB>,
    pub(in crate::store) permit: OwnedSemaphorePermit,
    pub(in crate::store) purpose: Purpose,
    /// When its statement was sent.
    pub(in crate::store) since: Instant,
}

impl<DB: Speaks> Leaving<DB> {
    pub(super) async fn run(self, home: Arc<Connections<DB>>) {
        match self.origin {
            Origin::Own(own) => {
                home.tell(ConnectionDiscard::Unanswered);
                until_given_up(&home, own, self.purpose, self.since).await;
            }
            Origin::Lent(mut lent) => {
                // There is no server: its thread finishes the statement by itself.
                if lent.ping().await.is_ok() {
                    let _ = DB::say(&mut lent, "ROLLBACK").await;
                }
            }
        }
        drop(self.permit);
    }
}

async fn until_given_up<DB: Speaks>(
    home: &Arc<Connections<DB>>,
    mut own: Own<DB>,
    purpose: Purpose,
    since: Instant,
) {
    let id = own.id;
    {
        // Reads what is still to come first.
        let mut answer = pin!(own.raw.ping());
        if !DB::HAS_SERVER {
            let _ = answer.await;
            return;
        }
        let bounds = home.bounds;
        let given_up = since + bounds.statement() + bounds.time_budget / 2;
        let mut answered = timeout_at(given_up, &mut answer).await.is_ok();
        let mut pause = FIRST_PAUSE;
        // What only reads has been cut off by now. A commit has no bound while a replica is waited for.
        while !answered && purpose != Purpose::LookUp {
            let elapsed = since.elapsed().as_secs();
            let asking = async {
                let mut other = home.take(Purpose::LookUp).await?;
                let outcome = is_running::<DB>(other.asked()?, id, elapsed).await;
                other.answered(outcome)
            };
            match timeout(bounds.time_budget, asking).await {
                // It cannot be asked now; nothing can be written either.
                Err(_) | Ok(Ok(true)) => {}
                Ok(Err(fault)) if fault.is_passing() => {}
                Ok(Ok(false) | Err(_)) => return,
            }
            answered = timeout(pause, &mut answer).await.is_ok();
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if !answered {
            return;
        }
    }
    super::keeper::close(own).await;
}
