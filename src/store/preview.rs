//! What an ending would do, session by session.

use super::{
    Filter, Purpose, Store,
    ending::{Permits, Tally, sort},
};
use crate::error::Error;

impl Store {
    /// Counts like [`Store::end_where`], and ends nothing.
    pub(crate) async fn preview_where(
        &self,
        filter: &Filter,
        permits: &dyn Permits,
    ) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let Some(mut candidates) = self.candidates(filter)? else {
            return Ok(tally);
        };
        while let Some(batch) = candidates.next_batch(self, Purpose::Upkeep).await? {
            let sorted = sort(batch, permits).await?;
            tally.kept += sorted.kept;
            let live = sorted.permitted.iter().filter(|candidate| candidate.live);
            tally.ended += u64::try_from(live.count()).unwrap_or(u64::MAX);
        }
        Ok(tally)
    }
}
