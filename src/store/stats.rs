//! How many sessions there are, of each kind.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use super::{
    Bind, EndedReason, Extent, Filter, Store,
    value::{
        CellKind::{Int, Text},
        CorruptRow, Row,
    },
    window::{Looking, Shape},
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

/// Numbers that grow window by window.
#[derive(Default)]
struct Count {
    stats: Stats,
    ended: BTreeMap<&'static str, (EndedReason, u64)>,
    /// Digests of the users who have a live session. Ids would take several times the memory.
    users: HashSet<u64>,
    digest: RandomState,
}

impl Count {
    fn add(&mut self, row: &Row) -> Result<(), CorruptRow> {
        let sessions = u64::try_from(row.int(5)?).map_err(|_| CorruptRow)?;
        match (row.int(0)?, row.int(1)?, row.int(2)?) {
            (1, _, _) => {
                self.stats.live += sessions;
                self.users.insert(self.digest.hash_one(row.text(4)?));
            }
            (_, 1, _) => self.stats.reserved += sessions,
            (_, _, 1) => self.stats.lapsed += sessions,
            _ => {
                let reason = row
                    .maybe_text(3)?
                    .map_or(EndedReason::Expired, EndedReason::from_column);
                let ended = self.ended.entry(reason.as_str()).or_insert((reason, 0));
                ended.1 += sessions;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Stats, Error> {
        Ok(Stats {
            users: u64::try_from(self.users.len()).map_err(|_| CorruptRow)?,
            ended: self.ended.into_values().collect(),
            ..self.stats
        })
    }
}

impl Store {
    /// Counts window by window, newest first. Each statement has a time budget of its own, so the size of the table makes
    /// none of them fail.
    pub(crate) async fn stats(&self) -> Result<Stats, Error> {
        let mut walk = self
            .walk(&Filter::all(), Looking::Listed, "", &[])?
            .lasting(Extent::ToTheEnd);
        let mut count = Count::default();
        while !walk.is_done() {
            let columns = [Int, Int, Int, Text, Text, Int];
            for row in walk.groups_step(&Shape::States, &columns).await? {
                count.add(&row)?;
            }
        }
        count.finish()
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
