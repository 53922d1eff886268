//! Asking about sessions that long-lived connections hang on: all of them in one statement.

use uuid::Uuid;

use super::{
    Bind, EndedReason, FaultKind, MAX_LIST, Purpose, Store,
    application::verdict,
    value::{CorruptRow, Row},
};
use crate::error::Error;

impl Store {
    /// Those of these sessions that are no longer live or whose account may no longer be used, and why. One that is
    /// not there at all any more counts as expired. One whose row makes the statement fail is asked about alone and is
    /// unverifiable; the others are unharmed.
    pub(crate) async fn ended_among(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, EndedReason)>, Error> {
        self.within_budget(async {
            let mut link = self.driver.acquire(Purpose::LookUp).await?;
            let (mut ended, mut parts) = (Vec::new(), vec![ids]);
            while let Some(part) = parts.pop() {
                // One parameter for any number of ids, on every database.
                let list = serde_json::Value::from_iter(part.iter().map(Uuid::to_string));
                let binds = vec![Bind::Text(list.to_string())];
                match link.fetch(&self.statements.ended_among, binds).await {
                    Ok(rows) => ended.push(read_all(&rows, read_watched)),
                    Err(fault) if fault.kind() == FaultKind::Data => match part {
                        [id] => {
                            tracing::error!(session_id = %id, error = %fault, "watched session cannot be verified");
                            ended.push(Ok(vec![(*id, EndedReason::Unverifiable)]));
                        }
                        part => {
                            let (half, other) = part.split_at(part.len() / 2);
                            parts.extend([half, other]);
                        }
                    },
                    Err(fault) => return Err(fault),
                }
            }
            Ok(ended)
        })
        .await?
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map(|ended| ended.concat())
    }

    /// The sessions that somebody ended within the last seconds, on whichever node; where those are more than it pays
    /// to read, those of these sessions.
    pub(crate) async fn ended_recently(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, EndedReason)>, Error> {
        let rows = self
            .fetch_for(Purpose::LookUp, &self.statements.ended_recently, Vec::new())
            .await?;
        if rows.len() > MAX_LIST {
            return self.ended_among(ids).await;
        }
        read_all(&rows, read_ended)
    }
}

fn read_all(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<(Uuid, EndedReason), CorruptRow>,
) -> Result<Vec<(Uuid, EndedReason)>, Error> {
    let read: Result<Vec<_>, _> = rows.iter().map(read).collect();
    Ok(read?)
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
