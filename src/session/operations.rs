//! What operators, jobs and administrators can do with the handle. Nothing here needs a request.

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
    /// Lists sessions, newest first by [`created_at`](SessionInfo::created_at), which is the database's time. It omits
    /// sign-ins under way.
    ///
    /// It reads an index in steps, within the [`time_budget`](crate::SessionsBuilder::time_budget). If time runs out,
    /// the next page continues where it stopped: see [`SessionPage::incomplete`].
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the filter contains invalid input.
    pub async fn list(&self, filter: &Filter, page: Page) -> Result<SessionPage, Error> {
        self.core().store.list(filter, page).await
    }

    /// One session, live or ended; `None` if it is unknown or was swept.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn get(&self, session_id: Uuid) -> Result<Option<SessionInfo>, Error> {
        let page = self
            .core()
            .store
            .list(&Filter::id(session_id), Page::first(1))
            .await?;
        Ok(page.sessions.into_iter().next())
    }

    /// Ends one session; `false` if no live session has this id. Once this returns, every node refuses the session from
    /// the next request on.
    ///
    /// # Errors
    ///
    /// If the database is unavailable: the session may or may not have ended, so call again. If the actor's name is
    /// invalid.
    ///
    /// # Security
    ///
    /// It does not check whose session it is. Where users end their own sessions, compare [`SessionInfo::user_id`]
    /// first (ASVS 5.0, 8.2.2).
    pub async fn revoke(&self, session_id: Uuid, by: impl Into<Actor>) -> Result<bool, Error> {
        Ok(self.end_where(&Filter::id(session_id), by.into()).await? > 0)
    }

    /// Ends all sessions of a user, including sign-ins under way, and returns how many were live. Sessions in which the
    /// user acts as another user ([`login_as`](crate::Session::login_as)) end as well.
    ///
    /// # Errors
    ///
    /// If the database is unavailable: some sessions may have ended, so call again.
    pub async fn revoke_user(
        &self,
        user_id: impl Into<UserId>,
        by: impl Into<Actor>,
    ) -> Result<u64, Error> {
        let user_id = user_id.into();
        let own = Filter::user(&user_id);
        let tally = self.end_all(own, &user_id, by.into(), Extent::ToTheEnd);
        Ok(tally.await?.ended)
    }

    /// Ends all other sessions of this user, including those in which the user acts as another user, and returns how
    /// many were live. Offer it after a change of credentials (ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// If the database is unavailable: some sessions may have ended, so call again.
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

    /// The user's own sessions, and those in which the user acts as another user.
    async fn end_all(
        &self,
        own: Filter,
        user_id: &UserId,
        by: Actor,
        extent: Extent,
    ) -> Result<Tally, Error> {
        let acting = Filter::all().acting_user(user_id.clone());
        self.end_permitted([own, acting], by, Unrestricted, extent)
            .await
    }

    /// Ends all live sessions that match the filter, and returns how many. [`Filter::all`] matches all. Matching
    /// sign-ins under way end too, but do not count. The filter's state does not matter: ended sessions stay unchanged.
    ///
    /// It ends them in batches of 256, each in its own transaction with its own
    /// [`time_budget`](crate::SessionsBuilder::time_budget). It continues to the end even if its caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable: some sessions may have ended, so call again. If the filter or the actor's name
    /// is invalid.
    pub async fn revoke_where(&self, filter: &Filter, by: impl Into<Actor>) -> Result<u64, Error> {
        self.end_where(filter, by.into()).await
    }

    /// How many live sessions [`revoke_where`](Self::revoke_where) would end now; ends none. It reads an index in
    /// steps, each with its own [`time_budget`](crate::SessionsBuilder::time_budget), however many sessions there are.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the filter contains invalid input.
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

    /// Ends the sessions that match one filter after the other, as far as `permits` allows, and counts the sessions
    /// that it ends and keeps.
    pub(crate) async fn end_permitted<const FILTERS: usize>(
        &self,
        filters: [Filter; FILTERS],
        by: Actor,
        permits: impl Permits + 'static,
        extent: Extent,
    ) -> Result<Tally, Error> {
        let by = by.checked()?;
        let (store, events) = (self.core().store.clone(), self.core().events.clone());
        // The task goes on if the caller is dropped: a client that hangs up cannot stop a revocation.
        super::background::to_the_end(async move {
            let (mut all, reason) = (Tally::default(), EndedReason::Revoked);
            for filter in filters {
                let mut tally = Tally::default();
                let ending = store.end_where(&filter, reason, &by, &permits, extent, &mut tally);
                let outcome = ending.await;
                // Reported after a failure too: earlier batches have ended.
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

    /// A user's own maximum of sessions, as set with [`set_limit`](Self::set_limit); `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn limit(&self, user_id: impl Into<UserId>) -> Result<Option<MaxSessions>, Error> {
        self.core().store.user_limit(&user_id.into()).await
    }

    /// Sets a user's own maximum of sessions, or removes it with `None`. It applies from the next sign-in on; until
    /// then, sessions beyond it stay. An [event](EventKind::LimitSet) reports who did it, since it can lock the user
    /// out.
    ///
    /// # Errors
    ///
    /// If the database is unavailable: the maximum may or may not be set, so call again. If the user's id or the
    /// actor's name is invalid.
    pub async fn set_limit(
        &self,
        user_id: impl Into<UserId>,
        max: Option<MaxSessions>,
        by: impl Into<Actor>,
    ) -> Result<(), Error> {
        let user_id = user_id.into();
        let by = by.into().checked()?;
        user_id.validate().map_err(Error::invalid)?;
        self.core().store.set_user_limit(&user_id, max).await?;
        let event = Event::new(EventKind::LimitSet { max });
        self.core().events.report(event.user(user_id).by(by));
        Ok(())
    }

    /// Marks expired sessions as ended, and deletes sessions that ended longer ago than the
    /// [`retention`](crate::SessionsBuilder::retention), in small batches.
    ///
    /// # Errors
    ///
    /// If the database is unavailable; finished batches stay done.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        self.sweep_with(|_| {}).await
    }

    /// [Sweeps](Self::sweep), and calls `progress` with the counts so far after each batch.
    ///
    /// # Errors
    ///
    /// If the database is unavailable; finished batches stay done.
    pub async fn sweep_with(&self, mut progress: impl FnMut(Swept) + Send) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let mut so_far = |so_far| {
            swept = so_far;
            progress(so_far);
        };
        let outcome = self.core().store.sweep(&mut so_far).await;
        let events = &self.core().events;
        // Reported after a failure too: finished batches stay done.
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

    /// Counts what [`sweep`](Self::sweep) would do now, up to 100,000 rows of each kind. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn sweep_dry_run(&self) -> Result<Swept, Error> {
        self.core().store.sweep_dry_run().await
    }

    /// Counts the sessions of each kind, in steps of a thousand rows. It reads every row of the realm, so it takes
    /// seconds for each million of them. Each step has the [`time_budget`](crate::SessionsBuilder::time_budget), so a large
    /// table does not make it fail. Use it for operators, not in requests.
    ///
    /// The numbers are not of one moment: a session that begins or ends meanwhile is counted as it was, as it is, or not.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn stats(&self) -> Result<Stats, Error> {
        self.core().store.stats().await
    }

    /// The names of all realms that have sessions, including other applications' realms. For operators who do not know
    /// them.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn realms(&self) -> Result<Vec<String>, Error> {
        self.core().store.realms().await
    }
}
