//! What operators, jobs and administrators do with the handle. Nothing here needs a request.

use uuid::Uuid;

use super::{Actor, MaxSessions, Sessions, SignedIn};
use crate::{
    error::Error,
    event::{Event, EventKind},
    store::{
        EndedReason, Extent, Filter, Page, SessionInfo, SessionPage, Stats, Swept,
        ending::{Permits, Tally, Unrestricted},
    },
    user_id::UserId,
};

impl Sessions {
    /// Lists sessions, newest first by [`created_at`](SessionInfo::created_at), which the database's clock wrote. Sign-ins
    /// under way are not listed.
    ///
    /// It reads by an index, step by step, within the [`time_budget`](crate::SessionsBuilder::time_budget). What it did not
    /// get to in time, the next page goes on with: see [`SessionPage::incomplete`].
    ///
    /// # Errors
    ///
    /// Unavailable, or invalid input in the filter.
    pub async fn list(&self, filter: &Filter, page: Page) -> Result<SessionPage, Error> {
        self.core().store.list(filter, page).await
    }

    /// One session, live or ended; `None` when it is unknown or swept.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn get(&self, session_id: Uuid) -> Result<Option<SessionInfo>, Error> {
        let page = self
            .core()
            .store
            .list(&Filter::id(session_id), Page::first(1))
            .await?;
        Ok(page.sessions.into_iter().next())
    }

    /// Ends one session. `false`: there was no such live session. When this returns, no request that starts afterwards is
    /// accepted, on any node.
    ///
    /// # Errors
    ///
    /// Unavailable: it may or may not have ended, call again. Invalid input in the actor's name.
    ///
    /// # Security
    ///
    /// It does not ask whose session it is: compare [`SessionInfo::user_id`] first where users end their own (ASVS 5.0,
    /// 8.2.2).
    pub async fn revoke(&self, session_id: Uuid, by: impl Into<Actor>) -> Result<bool, Error> {
        Ok(self.end_where(&Filter::id(session_id), by.into()).await? > 0)
    }

    /// Ends all sessions of a user, sign-ins under way included, and counts those that were live. Those in which the user
    /// acts as somebody else ([`login_as`](crate::Session::login_as)) end as well.
    ///
    /// # Errors
    ///
    /// Unavailable: some may have ended, call again.
    pub async fn revoke_user(&self, user_id: &UserId, by: impl Into<Actor>) -> Result<u64, Error> {
        let own = Filter::user(user_id.clone());
        let tally = self.end_all(own, user_id, by.into(), Extent::ToTheEnd);
        Ok(tally.await?.ended)
    }

    /// Ends all other sessions of this user, those included in which the user acts as somebody else: to offer after a change
    /// of credentials (ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// Unavailable: some may have ended, call again.
    pub async fn revoke_others(&self, user: &SignedIn, by: impl Into<Actor>) -> Result<u64, Error> {
        let tally = self.end_others(user, by.into(), Extent::ToTheEnd);
        Ok(tally.await?.ended)
    }

    pub(crate) async fn end_others(
        &self,
        user: &SignedIn,
        by: Actor,
        extent: Extent,
    ) -> Result<Tally, Error> {
        let others = Filter::user(user.user_id().clone()).except(user.session_id());
        self.end_all(others, user.user_id(), by, extent).await
    }

    /// What a user has, and what a user holds as somebody else.
    async fn end_all(
        &self,
        own: Filter,
        user_id: &UserId,
        by: Actor,
        extent: Extent,
    ) -> Result<Tally, Error> {
        let acting = Filter::everybody().acting_user(user_id.clone());
        self.end_permitted([own, acting], by, Unrestricted, extent)
            .await
    }

    /// Ends all live sessions that the filter means, and counts them. [`Filter::everybody`] ends them all. Sign-ins under
    /// way end too and are not counted. Whatever state the filter names, what has ended stays as it is.
    ///
    /// Very many end in batches of 256, each a transaction with a
    /// [`time_budget`](crate::SessionsBuilder::time_budget) of its own. It goes on to the end even if its caller is dropped.
    ///
    /// # Errors
    ///
    /// Unavailable: some may have ended, call again. Invalid input in the filter or in the actor's name.
    pub async fn revoke_where(&self, filter: &Filter, by: impl Into<Actor>) -> Result<u64, Error> {
        self.end_where(filter, by.into()).await
    }

    /// How many live sessions [`revoke_where`](Self::revoke_where) would end now. Ends none. It counts by an index, step by
    /// step, each with a [`time_budget`](crate::SessionsBuilder::time_budget) of its own, however many there are.
    ///
    /// # Errors
    ///
    /// Unavailable, or invalid input in the filter.
    pub async fn revoke_where_dry_run(&self, filter: &Filter) -> Result<u64, Error> {
        let extent = Extent::ToTheEnd;
        let counted = self.core().store.count_live_where(filter, extent).await?;
        Ok(counted.sessions)
    }

    async fn end_where(&self, filter: &Filter, by: Actor) -> Result<u64, Error> {
        let extent = Extent::ToTheEnd;
        let tally = self.end_permitted([filter.clone()], by, Unrestricted, extent);
        Ok(tally.await?.ended)
    }

    /// Ends what the filters mean, one after the other, and somebody permits, and counts what is kept.
    pub(crate) async fn end_permitted<const FILTERS: usize>(
        &self,
        filters: [Filter; FILTERS],
        by: Actor,
        permits: impl Permits + 'static,
        extent: Extent,
    ) -> Result<Tally, Error> {
        let by = by.checked()?;
        let (store, events) = (self.core().store.clone(), self.core().events.clone());
        // Ending never waits, not even for the caller to stay.
        super::background::to_the_end(async move {
            let (mut all, reason) = (Tally::default(), EndedReason::Revoked);
            for filter in filters {
                let mut tally = Tally::default();
                let ending = store.end_where(&filter, reason, &by, &permits, extent, &mut tally);
                let outcome = ending.await;
                // After a failure too: those that have ended have ended.
                if tally.ended > 0 {
                    let told = Event::new(EventKind::Ended { reason }).meant_by(&filter);
                    events.report(told.by(by.as_str()).count(tally.ended));
                }
                outcome?;
                all = all + tally;
                if all.incomplete {
                    break;
                }
            }
            Ok(all)
        })
        .await?
    }

    /// A user's own maximum of sessions, if one was set with [`set_limit`](Self::set_limit).
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn limit(&self, user_id: &UserId) -> Result<Option<MaxSessions>, Error> {
        self.core().store.user_limit(user_id).await
    }

    /// Sets a user's own maximum of sessions, or with `None` takes it back. It applies from the next sign-in on; sessions
    /// beyond it stay until then. Who did it is told as an [event](EventKind::LimitSet), since it may lock somebody out.
    ///
    /// # Errors
    ///
    /// Unavailable: it may or may not be set, call again. Invalid input in the user's id or in the actor's name.
    pub async fn set_limit(
        &self,
        user_id: &UserId,
        max: Option<MaxSessions>,
        by: impl Into<Actor>,
    ) -> Result<(), Error> {
        let by = by.into().checked()?;
        user_id.validate().map_err(Error::invalid)?;
        self.core().store.set_user_limit(user_id, max).await?;
        let event = Event::new(EventKind::LimitSet { max });
        self.core()
            .events
            .report(event.user(user_id.clone()).by(by));
        Ok(())
    }

    /// Marks what has run out as ended and deletes what ended longer ago than the retention period, in small batches.
    ///
    /// # Errors
    ///
    /// Unavailable; what was done until then stays done.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        self.sweep_with(|_| {}).await
    }

    /// [Sweeps](Self::sweep), and tells after each batch what has been done so far.
    ///
    /// # Errors
    ///
    /// Unavailable; what was done until then stays done.
    pub async fn sweep_with(&self, mut progress: impl FnMut(Swept) + Send) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let mut so_far = |so_far| {
            swept = so_far;
            progress(so_far);
        };
        let outcome = self.core().store.sweep(&mut so_far).await;
        let events = &self.core().events;
        // After a failure too: what was done is done.
        for (reason, ended) in [
            (EndedReason::Expired, swept.expired),
            (EndedReason::StampChanged, swept.stamp_changed),
        ] {
            if ended > 0 {
                events.report(Event::new(EventKind::Ended { reason }).count(ended));
            }
        }
        events.meter().swept(&swept, &outcome);
        outcome
    }

    /// What [`sweep`](Self::sweep) would do now, counted up to 100,000 rows of a kind. Changes nothing.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn sweep_dry_run(&self) -> Result<Swept, Error> {
        self.core().store.sweep_dry_run().await
    }

    /// How many sessions there are, of each kind. It reads every row, so with very many of them it takes a long
    /// [`time_budget`](crate::SessionsBuilder::time_budget): for operators, not for requests.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn stats(&self) -> Result<Stats, Error> {
        self.core().store.stats().await
    }

    /// The names of all realms that have sessions, its own or not: for operators who do not know which there are.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn realms(&self) -> Result<Vec<String>, Error> {
        self.core().store.realms().await
    }
}
