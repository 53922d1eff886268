//! What an ending would do, session by session.
// docs/decisions/43-preview-asks-the-same-rulings.md

use super::{
    Extent, Filter, Store,
    ending::{Permits, Tally, next_batch, sort},
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
        let Some(mut candidates) = self.candidates(filter, Extent::WithinBudget)? else {
            return Ok(tally);
        };
        while let Some(batch) = next_batch(&mut candidates).await? {
            let sorted = sort(batch, permits).await?;
            tally.kept += sorted.kept;
            let live = sorted.permitted.iter().filter(|candidate| candidate.live);
            tally.ended += u64::try_from(live.count()).unwrap_or(u64::MAX);
            if candidates.is_out_of_time() {
                tally.incomplete = true;
                break;
            }
        }
        Ok(tally)
    }
}
