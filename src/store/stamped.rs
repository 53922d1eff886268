//! Sessions whose account is not what it was at sign-in, and whose browser does not come to be told: the sweeper writes them
//! down as over, so that an account that looks as before brings none of them back.
// docs/decisions/47-stamps-are-compared-here.md

use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;

use super::{
    Bind, EndedReason, MAX_LIST, Store,
    judging::{STAMPED_COLUMNS, verdict},
    statement::Statement,
    value::{CorruptRow, Row},
};
use crate::error::Error;

/// How many batches one sweep looks at; the next one goes on behind them.
const BATCHES: usize = 64;

/// The time of expiry, in microseconds since 1970, up to which the sessions have been looked at.
#[derive(Debug, Default)]
pub(super) struct StampCursor(AtomicI64);

impl Store {
    /// Ends sessions whose stamp has changed, among the next sixteen thousand that have not ended. How many there were is
    /// told after each batch.
    pub(super) async fn sweep_stamps(&self, mut done: impl FnMut(u64)) -> Result<(), Error> {
        let Some(statement) = &self.statements.stamped else {
            return Ok(());
        };
        for _ in 0..BATCHES {
            let more = self.sweep_stamps_once(statement, &mut done).await?;
            if !more {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn sweep_stamps_once(
        &self,
        statement: &Statement,
        done: &mut impl FnMut(u64),
    ) -> Result<bool, Error> {
        let from = self.stamp_cursor.0.load(Ordering::Relaxed);
        let rows = self.fetch(statement, vec![Bind::Int(from)]).await?;
        let changed: Vec<_> = rows
            .iter()
            .filter_map(|row| self.changed(row).ok()?)
            .collect();
        let last = rows.iter().filter_map(|row| row.int(2).ok()).max();
        let next = match last {
            Some(last) if rows.len() == MAX_LIST => {
                // As many at one time as fit into a batch: those behind them are left to their browsers.
                last.max(from.saturating_add(1000))
            }
            _ => 0,
        };
        self.stamp_cursor.0.store(next, Ordering::Relaxed);
        if !changed.is_empty() {
            done(self.end(&changed, EndedReason::StampChanged, None).await?);
        }
        Ok(next != 0)
    }

    /// The session, where its stamp has changed.
    fn changed(&self, row: &Row) -> Result<Option<Uuid>, CorruptRow> {
        let live = matches!(row.int(1)?, verdict::LIVE | verdict::LIVE_TOUCH_DUE);
        let acting = row.maybe_text(3)?.is_some();
        let changed = live && self.stamp_changed(row, STAMPED_COLUMNS.len(), acting)?;
        Ok(if changed { Some(row.uuid(0)?) } else { None })
    }
}
