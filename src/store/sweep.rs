//! Sweeping: writes down what has run out, forgets what ended long ago.

use super::{
    Bind, MAX_LIST, Store,
    retry::retry,
    statements::SweepStep,
    value::{CellKind, CorruptRow},
};
use crate::error::Error;

/// What one sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Sessions whose timeout had passed and that are marked as ended now.
    pub expired: u64,
    /// Sessions whose account is not what it was at sign-in and that are marked as ended now.
    pub stamp_changed: u64,
    /// Sign-ins that never became real and are deleted now.
    pub lapsed: u64,
    /// Sessions that ended longer ago than the retention period and are deleted now.
    pub deleted: u64,
}

/// Told after each batch what the sweep has done so far.
pub(crate) type Progress<'a> = &'a mut (dyn FnMut(Swept) + Send);

impl Store {
    pub(crate) async fn sweep(&self, progress: Progress<'_>) -> Result<Swept, Error> {
        let [idle, overdue, lapsed, forgettable] = &self.statements.sweep;
        let mut swept = Swept::default();
        let (expired, gone, deleted): (Count, Count, Count) = (
            |swept| &mut swept.expired,
            |swept| &mut swept.lapsed,
            |swept| &mut swept.deleted,
        );
        let mut outcome = Ok(());
        // All of them before any error: what one step cannot do must not keep the others' rows for ever.
        for (step, count) in [
            (idle, expired),
            (overdue, expired),
            (lapsed, gone),
            (forgettable, deleted),
        ] {
            let done = self.sweep_step(step, |changed| {
                *count(&mut swept) += changed;
                progress(swept);
            });
            outcome = outcome.and(done.await);
        }
        let done = self.sweep_stamps(|changed| {
            swept.stamp_changed += changed;
            progress(swept);
        });
        outcome.and(done.await).map(|()| swept)
    }

    /// What a sweep would do now. Three look-ups by index, in one statement.
    pub(crate) async fn sweep_dry_run(&self) -> Result<Swept, Error> {
        let count = |what: &str| {
            format!(
                "(SELECT {{integer:count(*)}} FROM countersign_sessions WHERE {{in_realm}} AND ({what}))"
            )
        };
        let template = format!(
            "SELECT {}, {}, {}",
            count("{idle} OR {overdue}"),
            count("{lapsed}"),
            // What expired long ago is marked and forgotten by the same sweep.
            count("{forgettable} OR (({idle} OR {overdue}) AND {expired_long_ago})"),
        );
        let rows = self
            .fetch(&self.compile(&template, &[CellKind::Int; 3]), Vec::new())
            .await?;
        let row = rows.first().ok_or(CorruptRow)?;
        let number =
            |column| Ok::<_, CorruptRow>(u64::try_from(row.int(column)?).unwrap_or_default());
        Ok(Swept {
            expired: number(0)?,
            // Known only by looking at each.
            stamp_changed: 0,
            lapsed: number(1)?,
            deleted: number(2)?,
        })
    }

    /// Batch after batch, each a transaction of its own, so that nobody waits long for a lock.
    async fn sweep_step(&self, step: &SweepStep, mut done: impl FnMut(u64)) -> Result<(), Error> {
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
            done(changed);
            // Nothing changed: another node is at the same rows, or they cannot be read. The next sweep will see.
            if due < MAX_LIST || changed == 0 {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Where a step's batches are counted.
type Count = fn(&mut Swept) -> &mut u64;
