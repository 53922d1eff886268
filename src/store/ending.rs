//! Ending sessions: one, that of a browser, or all that a filter means.
// docs/decisions/03-ended-is-for-good.md

use std::{future::Future, ops::Add, pin::Pin};

use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, Filter, MAX_LIST, Previous, Purpose, Store,
    driver::Link,
    retry::retry,
    value::{CellKind, CorruptRow, Row},
    walk::{Extent, Walk},
    window::Looking,
};
use crate::{error::Error, token::TokenHash, user_id::UserId};

impl Store {
    /// Ends sessions, whether they are live or still reserved. Those that have ended stay as they are.
    pub(crate) async fn end(
        &self,
        ids: &[Uuid],
        reason: EndedReason,
        by: Option<&str>,
    ) -> Result<u64, Error> {
        let binds = || self.end_binds(reason, by, Bind::Uuids(ids.to_vec()));
        let ending = retry(|| async {
            let mut link = self.driver.acquire(Purpose::Ending).await?;
            link.execute(&self.statements.end_ids, binds()).await
        });
        self.announced(self.within_budget(ending).await)
    }

    /// Ends the session that a browser had until now.
    pub(crate) async fn end_previous(
        &self,
        previous: Previous,
        reason: EndedReason,
        by: Option<&str>,
    ) -> Result<u64, Error> {
        let ending = retry(|| async {
            let mut link = self.driver.acquire(Purpose::Ending).await?;
            let id = match previous {
                Previous::Session(id) => Some(id),
                Previous::Token(token) => self.find_token(link.as_mut(), token).await?,
            };
            let Some(id) = id else { return Ok(0) };
            let binds = self.end_binds(reason, by, Bind::Uuids(vec![id]));
            link.execute(&self.statements.end_ids, binds).await
        });
        self.announced(self.within_budget(ending).await)
    }

    /// The session that has this token, or had it until a moment ago: by its id, which no rotation changes.
    pub(super) async fn find_token(
        &self,
        link: &mut (impl Link + ?Sized),
        token: TokenHash,
    ) -> Result<Option<Uuid>, Fault> {
        let binds = vec![Bind::Hash(token), Bind::Hash(token)];
        let rows = link.fetch(&self.statements.find_token, binds).await?;
        match rows.first() {
            Some(row) => Ok(Some(row.uuid(0).map_err(|_| Fault::corrupt())?)),
            None => Ok(None),
        }
    }

    pub(super) fn end_binds(&self, reason: EndedReason, by: Option<&str>, ids: Bind) -> Vec<Bind> {
        vec![
            Bind::Text(reason.as_str().to_owned()),
            Bind::MaybeText(by.map(|by| self.letters.keep(by).into_owned())),
            ids,
        ]
    }

    /// Ends all live sessions that the filter means and that may be ended, and sign-ins that are under way; counts the
    /// live ones in `tally`, as it goes on.
    ///
    /// In batches: ending ten million sessions must neither hold their locks until the last one is done, nor fail as a
    /// whole because it takes longer than a client waits for a page.
    pub(crate) async fn end_where(
        &self,
        filter: &Filter,
        reason: EndedReason,
        by: &str,
        permits: &dyn Permits,
        extent: Extent,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        self.end_found(filter, reason, by, permits, extent, tally)
            .await?;
        if tally.incomplete {
            return Ok(());
        }
        // An administrator who began to act as a user after they were found did so with a session that was to end, and that is
        // over now in favour of another.
        let Some(acting) = filter.once_more_among_acting() else {
            return Ok(());
        };
        let mut late = Tally::default();
        let outcome = self
            .end_found(&acting, reason, by, permits, extent, &mut late)
            .await;
        tally.ended += late.ended;
        tally.incomplete |= late.incomplete;
        outcome
    }

    async fn end_found(
        &self,
        filter: &Filter,
        reason: EndedReason,
        by: &str,
        permits: &dyn Permits,
        extent: Extent,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let Some(mut candidates) = self.candidates(filter, extent)? else {
            return Ok(());
        };
        while let Some(batch) = next_batch(&mut candidates).await? {
            let sorted = sort(batch, permits).await?;
            tally.kept += sorted.kept;
            let ids: Vec<_> = sorted.permitted.iter().map(|due| due.id).collect();
            for ids in ids.chunks(MAX_LIST) {
                let batch = self.within_budget(retry(|| self.end_batch(ids, reason, by)));
                tally.ended += self.announced(batch.await)?;
            }
            if candidates.is_out_of_time() {
                tally.incomplete = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// What an ending with this filter looks at; `None` when the filter is about ended ones.
    pub(super) fn candidates(
        &self,
        filter: &Filter,
        extent: Extent,
    ) -> Result<Option<Walk<'_>>, Error> {
        filter.check()?;
        let Some(filter) = filter.over_live() else {
            return Ok(None);
        };
        let walk = self.walk(&filter, Looking::Endable, CANDIDATE, &CANDIDATE_COLUMNS)?;
        Ok(Some(walk.lasting(extent)))
    }

    /// Reservations first: one that becomes real between the two statements is caught by the second.
    async fn end_batch(&self, ids: &[Uuid], reason: EndedReason, by: &str) -> Result<u64, Fault> {
        let binds = || self.end_binds(reason, Some(by), Bind::Uuids(ids.to_vec()));
        let mut link = self.driver.acquire(Purpose::Ending).await?;
        link.execute(&self.statements.end_reserved, binds()).await?;
        link.execute(&self.statements.end_live, binds()).await
    }

    /// Resolves when this process has ended a session since it was last asked.
    pub(crate) async fn something_ended(&self) {
        self.ended.notified().await;
    }

    /// Passes on what ended sessions, and tells those who watch.
    pub(super) fn announced<T, E>(&self, outcome: Result<T, E>) -> Result<T, E> {
        // After a failure too: it may have been carried out.
        self.ended.notify_one();
        outcome
    }
}

/// What is to be decided about each session before it is ended.
pub(crate) trait Permits: Send + Sync {
    /// Whether it may be ended.
    fn permits<'a>(&'a self, session: &'a Candidate) -> Permission<'a>;
}

pub(crate) type Permission<'a> = Pin<Box<dyn Future<Output = Result<bool, Error>> + Send + 'a>>;

/// Everything may be ended.
pub(crate) struct Unrestricted;

impl Permits for Unrestricted {
    fn permits<'a>(&'a self, _: &'a Candidate) -> Permission<'a> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

/// A session or a sign-in under way that a filter means.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    /// Who acts as this user.
    pub(crate) acting_user: Option<UserId>,
    /// Otherwise it is reserved, and ends without being counted.
    pub(crate) live: bool,
}

/// How many live sessions have ended, and how many were spared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) ended: u64,
    pub(crate) kept: u64,
    /// Time ran out: more may be there that are meant.
    pub(crate) incomplete: bool,
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            ended: self.ended + other.ended,
            kept: self.kept + other.kept,
            incomplete: self.incomplete || other.incomplete,
        }
    }
}

const CANDIDATE: &str = "{id:id}, user_id, acting_user, {flag:live}";
const CANDIDATE_COLUMNS: [CellKind; 4] = [
    CellKind::Text,
    CellKind::Text,
    CellKind::Text,
    CellKind::Int,
];

/// The next sessions that a filter means; `None` after the last ones. A row that cannot be read is left out, and those
/// behind it are met.
pub(super) async fn next_batch(walk: &mut Walk<'_>) -> Result<Option<Vec<Candidate>>, Error> {
    if walk.is_done() {
        return Ok(None);
    }
    let rows = walk.step(MAX_LIST).await?;
    let batch: Vec<_> = rows.iter().filter_map(|row| read(row).ok()).collect();
    let unreadable = rows.len() - batch.len();
    if unreadable > 0 {
        tracing::error!(
            unreadable,
            "sessions whose rows cannot be read are left as they are"
        );
    }
    Ok(Some(batch))
}

fn read(row: &Row) -> Result<Candidate, CorruptRow> {
    Ok(Candidate {
        id: row.uuid(0)?,
        user_id: UserId::from(row.text(1)?),
        acting_user: row.maybe_text(2)?.map(UserId::from),
        live: row.int(3)? == 1,
    })
}

pub(super) struct Sorted {
    pub(super) permitted: Vec<Candidate>,
    /// Live ones that may not be ended.
    pub(super) kept: u64,
}

pub(super) async fn sort(batch: Vec<Candidate>, permits: &dyn Permits) -> Result<Sorted, Error> {
    let mut sorted = Sorted {
        permitted: Vec::with_capacity(batch.len()),
        kept: 0,
    };
    for candidate in batch {
        match permits.permits(&candidate).await? {
            true => sorted.permitted.push(candidate),
            false => sorted.kept += u64::from(candidate.live),
        }
    }
    Ok(sorted)
}
