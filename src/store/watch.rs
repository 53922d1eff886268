//! Asking about sessions that long-lived connections hang on: all of them in one statement.

use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, MAX_LIST, Purpose, Store,
    application::verdict,
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
        read_all(&rows, read_watched).map_err(|_| Fault::corrupt())
    }

    /// The sessions that somebody ended within the last seconds, on whichever node; `None` where those are more than it
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
        Ok(Some(read_all(&rows, read_ended)?))
    }
}

fn read_all(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<(Uuid, EndedReason), CorruptRow>,
) -> Result<Vec<(Uuid, EndedReason)>, CorruptRow> {
    rows.iter().map(read).collect()
}

fn read_watched(row: &Row) -> Result<(Uuid, EndedReason), CorruptRow> {
    let reason = match row.maybe_text(2)? {
        Some(reason) => EndedReason::from_column(reason),
        None if row.int(1)? == verdict::ACCOUNT_REFUSED => EndedReason::AccountRefused,
        None => EndedReason::Expired,
    };
    Ok((row.uuid(0)?, reason))
}

fn read_ended(row: &Row) -> Result<(Uuid, EndedReason), CorruptRow> {
    Ok((row.uuid(0)?, EndedReason::from_column(row.text(1)?)))
}
