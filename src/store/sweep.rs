//! Sweeping: writes down what has run out, forgets what ended long ago.

use super::{
    Bind, MAX_LIST, Purpose, Store,
    retry::retry,
    statements::{Due, SweepStep},
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
    /// Of a [dry run](crate::Sessions::sweep_dry_run): more is due than was counted, which ends at 100,000 rows of a kind.
    pub incomplete: bool,
}

/// Told after each batch what the sweep has done so far.
pub(crate) type Progress<'a> = &'a mut (dyn FnMut(Swept) + Send);

impl Store {
    pub(crate) async fn sweep(&self, progress: Progress<'_>) -> Result<Swept, Error> {
        let [idle, kept, overdue, lapsed, forgettable] = &self.statements.sweep;
        let mut swept = Swept::default();
        let (expired, gone, deleted): (Count, Count, Count) = (
            |swept| &mut swept.expired,
            |swept| &mut swept.lapsed,
            |swept| &mut swept.deleted,
        );
        let mut outcome = Ok(());
        // All of them before any error: what one step cannot do must not keep the others' rows for ever.
        // Sign-ins that came to nothing first: in the other indexes they would stand in the way.
        for (step, count) in [
            (lapsed, gone),
            (idle, expired),
            (kept, expired),
            (overdue, expired),
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

    /// What a sweep would do now, counted by index up to [`MOST_COUNTED`] of each kind.
    pub(crate) async fn sweep_dry_run(&self) -> Result<Swept, Error> {
        let idle = self.count_due(Due::IDLE, "1 = 1").await?;
        let kept = self.count_due(Due::KEPT, "1 = 1").await?;
        // Those that are idle as well are counted already.
        let overdue = self.count_due(Due::OVERDUE, "NOT {idle}").await?;
        let lapsed = self.count_due(Due::LAPSED, "1 = 1").await?;
        let forgettable = self.count_due(Due::FORGETTABLE, "1 = 1").await?;
        let all = [idle, kept, overdue, lapsed, forgettable];
        Ok(Swept {
            expired: idle.due + kept.due + overdue.due,
            // Known only by looking at each.
            stamp_changed: 0,
            lapsed: lapsed.due,
            // What expired long ago is marked and forgotten by the same sweep.
            deleted: forgettable.due + idle.old + kept.old + overdue.old,
            incomplete: all.iter().any(|count| count.read >= MOST_COUNTED),
        })
    }

    /// In steps that begin small and grow, so that what is due is paid for and not what is allowed.
    async fn count_due(&self, due: Due, also: &str) -> Result<DueCount, Error> {
        let mut all = DueCount::default();
        let mut step = FIRST_COUNTED;
        while all.read < MOST_COUNTED {
            let limit = step.min(MOST_COUNTED - all.read);
            let counted = self.count_due_step(due, also, limit, all.read).await?;
            all.read += counted.read;
            all.due += counted.due;
            all.old += counted.old;
            if counted.read < limit {
                break;
            }
            step *= 4;
        }
        Ok(all)
    }

    async fn count_due_step(
        &self,
        due: Due,
        also: &str,
        limit: u64,
        offset: u64,
    ) -> Result<DueCount, Error> {
        let dialect = self.fragments.dialect;
        let sum = |condition: &str| {
            let one = format!("COALESCE(sum(CASE WHEN {condition} THEN 1 ELSE 0 END), 0)");
            dialect.number(&one)
        };
        let is_due = format!("{{in_realm}} AND {} AND {also}", due.condition);
        let template = format!(
            "SELECT {{integer:count(*)}}, {}, {} FROM {}",
            sum(&is_due),
            sum(&format!("{is_due} AND {{expired_long_ago}}")),
            due.rows(dialect, &format!("{limit} OFFSET {offset}")),
        );
        let statement = self.compile(&template, &[CellKind::Int; 3]);
        let rows = self.fetch(&statement, Vec::new()).await?;
        let row = rows.first().ok_or(CorruptRow)?;
        let number =
            |column| Ok::<_, CorruptRow>(u64::try_from(row.int(column)?).unwrap_or_default());
        Ok(DueCount {
            read: number(0)?,
            due: number(1)?,
            old: number(2)?,
        })
    }

    /// Batch after batch, each a transaction of its own, so that no request waits long for a lock.
    async fn sweep_step(&self, step: &SweepStep, mut done: impl FnMut(u64)) -> Result<(), Error> {
        // Rows that cannot be read stay due, and first: those behind them are swept.
        let mut unreadable = 0;
        loop {
            let limit = format!("{MAX_LIST} OFFSET {unreadable}");
            let template = format!(
                "SELECT {{id:id}} FROM {} WHERE {{in_realm}} AND {}",
                step.due.rows(self.fragments.dialect, &limit),
                step.due.condition,
            );
            let due = self.compile(&template, &[CellKind::Text]);
            let (read, found, changed) = self
                .within_budget(retry(|| async {
                    let mut link = self.driver.acquire(Purpose::Upkeep).await?;
                    let rows = link.fetch(&due, Vec::new()).await?;
                    let ids: Vec<_> = rows.iter().filter_map(|row| row.uuid(0).ok()).collect();
                    let (read, found) = (ids.len(), rows.len());
                    let changed = match ids.is_empty() {
                        true => 0,
                        false => link.execute(&step.act, vec![Bind::Uuids(ids)]).await?,
                    };
                    Ok((read, found, changed))
                }))
                .await?;
            done(changed);
            if found > read {
                unreadable += found - read;
                tracing::error!(
                    unreadable,
                    "sessions whose rows cannot be read are not swept"
                );
            }
            // Nothing changed of what could be read: another node is at the same rows. The next sweep will see.
            if found < MAX_LIST || (changed == 0 && read > 0) {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The most rows of one kind that a dry run counts.
const MOST_COUNTED: u64 = 100_000;

/// How many rows of one kind a dry run's first step reads.
const FIRST_COUNTED: u64 = 1_024;

/// How many rows of one kind are due.
#[derive(Clone, Copy, Debug, Default)]
struct DueCount {
    /// Rows that were read: at the most [`MOST_COUNTED`].
    read: u64,
    due: u64,
    /// Of those that are due, such as will also be deleted at once.
    old: u64,
}

/// Where a step's batches are counted.
type Count = fn(&mut Swept) -> &mut u64;
