//! Asking about sessions that long-lived connections hang on: all of them in one statement.

use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, MAX_LIST, Purpose, Store,
    judging::{WATCHED_COLUMNS, verdict},
    value::{CorruptRow, Row},
};
use crate::error::Error;

impl Store {
    /// Those of these sessions that are no longer live or whose account may no longer be used, and why. One that is
    /// not there at all any more counts as expired. One statement: it fails for all if it fails for one.
    pub(crate) async fn ended_among(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, EndedReason)>, Fault> {
        // One parameter for any number of ids, on every database.
        let list = serde_json::Value::from_iter(ids.iter().map(Uuid::to_string));
        let binds = vec![Bind::Text(list.to_string())];
        let asking = async {
            let mut link = self.driver.acquire(Purpose::LookUp).await?;
            link.fetch(&self.statements.ended_among, binds).await
        };
        let rows = tokio::time::timeout(self.time_budget, asking).await;
        let rows = rows.unwrap_or_else(|_| Err(Fault::timed_out()))?;
        let over = self.read_watched(&rows)?;
        let changed = |(id, reason): &(Uuid, EndedReason)| {
            (*reason == EndedReason::StampChanged).then_some(*id)
        };
        let changed: Vec<_> = over.iter().filter_map(changed).collect();
        for changed in changed.chunks(MAX_LIST) {
            // Written down, so that an account that looks as before brings none of them back. Where it fails, the sweeper
            // or the next request does it.
            if let Err(error) = self.end(changed, EndedReason::StampChanged, None).await {
                tracing::warn!(%error, "sessions whose account has changed could not be ended");
            }
        }
        Ok(over)
    }

    /// The sessions that are over, of an answer that has all its rows.
    fn read_watched(&self, rows: &[Row]) -> Result<Vec<(Uuid, EndedReason)>, Fault> {
        let counted = |row: &Row| row.int(0) == i64::try_from(rows.len()).map_err(|_| CorruptRow);
        if rows.is_empty() || !rows.iter().all(counted) {
            return Err(Fault::incomplete());
        }
        let mut over = Vec::new();
        for row in rows {
            // The first row has none: it is there to be counted.
            let Ok(id) = row.uuid(1) else { continue };
            // What it says cannot be read: for this session that is "not known".
            match self.over(row) {
                Ok(reason) => over.extend(reason.map(|reason| (id, reason))),
                Err(CorruptRow) => over.push((id, EndedReason::Unverifiable)),
            }
        }
        Ok(over)
    }

    fn over(&self, row: &Row) -> Result<Option<EndedReason>, CorruptRow> {
        Ok(match row.int(2)? {
            verdict::LIVE | verdict::LIVE_TOUCH_DUE | verdict::ACCOUNT_REFUSED
                if self.stamp_changed(
                    row,
                    WATCHED_COLUMNS.len(),
                    row.maybe_text(4)?.is_some(),
                )? =>
            {
                Some(EndedReason::StampChanged)
            }
            verdict::LIVE | verdict::LIVE_TOUCH_DUE => None,
            verdict::ACCOUNT_REFUSED => Some(EndedReason::AccountRefused),
            _ => Some(
                row.maybe_text(3)?
                    .map_or(EndedReason::Expired, EndedReason::from_column),
            ),
        })
    }

    /// The sessions that were ended within the last seconds, on whichever node; `None` where those are more than it
    /// pays to read.
    pub(crate) async fn ended_recently(&self) -> Result<Option<Vec<(Uuid, EndedReason)>>, Error> {
        let rows = self
            .fetch_for(
                Purpose::LookUp,
                self.time_budget,
                &self.statements.ended_recently,
                Vec::new(),
            )
            .await?;
        if rows.len() > MAX_LIST {
            return Ok(None);
        }
        let ended: Result<Vec<_>, CorruptRow> = rows.iter().map(read_ended).collect();
        Ok(Some(ended?))
    }
}

fn read_ended(row: &Row) -> Result<(Uuid, EndedReason), CorruptRow> {
    Ok((row.uuid(0)?, EndedReason::from_column(row.text(1)?)))
}
