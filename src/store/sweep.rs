//! Sweeping: writes down what has run out, forgets what ended long ago.

use super::{Bind, MAX_LIST, Store, retry::retry, statements::SweepStep};
use crate::error::Error;

/// What one sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Sessions whose timeout had passed and that are marked as ended now.
    pub expired: u64,
    /// Sign-ins that never became real and are deleted now.
    pub lapsed: u64,
    /// Sessions that ended longer ago than the retention period and are deleted now.
    pub deleted: u64,
}

impl Store {
    /// Counts in `swept` what it has done, as it goes on.
    pub(crate) async fn sweep(&self, swept: &mut Swept) -> Result<(), Error> {
        let [idle, overdue, lapsed, forgettable] = &self.statements.sweep;
        // All of them before any error: what one step cannot do must not keep the others' rows for ever.
        let steps = [
            self.sweep_step(idle, &mut swept.expired).await,
            self.sweep_step(overdue, &mut swept.expired).await,
            self.sweep_step(lapsed, &mut swept.lapsed).await,
            self.sweep_step(forgettable, &mut swept.deleted).await,
        ];
        steps.into_iter().collect()
    }

    /// Batch after batch, each a transaction of its own, so that nobody waits long for a lock.
    async fn sweep_step(&self, step: &SweepStep, total: &mut u64) -> Result<(), Error> {
        loop {
            let (due, changed) = self
                .within_budget(retry(|| async {
                    let mut link = self.driver.acquire().await?;
                    let rows = link.fetch(&step.due, Vec::new()).await?;
                    let ids: Vec<_> = rows.iter().filter_map(|row| row.uuid(0).ok()).collect();
                    if ids.is_empty() {
                        return Ok((rows.len(), 0));
                    }
                    Ok((
                        rows.len(),
                        link.execute(&step.act, vec![Bind::Uuids(ids)]).await?,
                    ))
                }))
                .await?;
            *total += changed;
            // Nothing changed: another node is at the same rows, or they cannot be read. The next sweep will see.
            if due < MAX_LIST || changed == 0 {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }
}
