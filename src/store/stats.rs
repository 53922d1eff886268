//! How many sessions there are, of each kind.

use std::collections::BTreeMap;

use super::{
    Bind, EndedReason, Store,
    value::{
        CellKind::{Int, Text},
        CorruptRow, Row,
    },
};
use crate::error::Error;

/// How many sessions there are, of each kind; from [`Sessions::stats`](crate::Sessions::stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions that are live.
    pub live: u64,
    /// Users who have a live session.
    pub users: u64,
    /// Sign-ins under way.
    pub reserved: u64,
    /// Sign-ins that never became real and wait to be swept.
    pub lapsed: u64,
    /// Sessions that have ended, by the reason, in the order of its word. Those that have run out count as
    /// [`Expired`](EndedReason::Expired), swept or not.
    pub ended: Vec<(EndedReason, u64)>,
}

impl Stats {
    fn add(
        &mut self,
        row: &Row,
        ended: &mut BTreeMap<&'static str, (EndedReason, u64)>,
    ) -> Result<(), CorruptRow> {
        let number = |column| Ok(u64::try_from(row.int(column)?).unwrap_or_default());
        let sessions = number(4)?;
        match (row.int(0)?, row.int(1)?, row.int(2)?) {
            (1, _, _) => (self.live, self.users) = (sessions, number(5)?),
            (_, 1, _) => self.reserved += sessions,
            (_, _, 1) => self.lapsed += sessions,
            _ => {
                let reason = row
                    .maybe_text(3)?
                    .map_or(EndedReason::Expired, EndedReason::from_column);
                ended.entry(reason.as_str()).or_insert((reason, 0)).1 += sessions;
            }
        }
        Ok(())
    }
}

impl Store {
    /// One statement that reads all rows, so that the numbers belong together.
    pub(crate) async fn stats(&self) -> Result<Stats, Error> {
        let statement = self.compile(
            "SELECT {flag:live}, {flag:reserved}, {flag:reserved_until IS NOT NULL}, ended_reason, \
             {integer:count(*)}, {integer:count(DISTINCT user_id)} FROM countersign_sessions WHERE {in_realm} GROUP BY 1, 2, 3, 4",
            &[Int, Int, Int, Text, Int, Int],
        );
        let (mut stats, mut ended) = (Stats::default(), BTreeMap::new());
        for row in self.fetch(&statement, Vec::new()).await? {
            stats.add(&row, &mut ended)?;
        }
        stats.ended = ended.into_values().collect();
        Ok(stats)
    }

    /// The one statement that looks beyond its realm, and learns no more than names. It goes from one name to the next by
    /// index, however many sessions there are of each.
    pub(crate) async fn realms(&self) -> Result<Vec<String>, Error> {
        let next = self.compile(NEXT_REALM, &[Text]);
        let mut names: Vec<String> = Vec::new();
        loop {
            let last = names.last().cloned().unwrap_or_default();
            let rows = self.fetch(&next, vec![Bind::Text(last)]).await?;
            match rows.first().ok_or(CorruptRow)?.maybe_text(0)? {
                Some(name) => names.push(name.to_owned()),
                None => return Ok(names),
            }
        }
    }
}

pub(super) const NEXT_REALM: &str =
    "SELECT min(realm) FROM countersign_sessions WHERE realm > {?text}";
