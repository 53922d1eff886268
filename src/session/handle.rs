//! The handle: sessions as operators, jobs and administrators see them. Nothing here needs a request.

use std::{fmt, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Limit, MaxSessions, PermissionSource, SignedIn, Sweeper};
use crate::{
    client::ClientPolicy,
    config::SessionsBuilder,
    cookie::Cookies,
    error::Error,
    event::{Event, EventKind, Events},
    layer::SessionLayer,
    store::{
        EndedReason, Filter, Page, SessionInfo, SessionPage, SessionPool, Stats, Store, Swept,
        ending::{Permits, Tally, Unrestricted},
    },
    user_id::UserId,
    verify::{LaneLimits, Touches, Verifier, WatchTimings, Watchers},
};

/// All sessions of an application: configure them, put their layer into the router, list and end them.
///
/// Cheap to clone; one per application and database. Everything that ends sessions takes effect at once, on every node
/// that shares the database, and needs no client's cooperation.
///
/// ```no_run
/// # async fn example(sessions: countersign::Sessions) -> Result<(), countersign::Error> {
/// use countersign::{Filter, Page, UserId};
///
/// // In a job, without any request:
/// for session in sessions.list(&Filter::user(2), Page::first(20)).await?.sessions {
///     println!("{} {:?} {:?}", session.id, session.state, session.ended_reason);
/// }
/// sessions.revoke_user(&UserId::from(2), "night job").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Sessions(Arc<Core>);

/// What the builder has checked.
#[derive(Debug)]
pub(crate) struct SessionsParts {
    pub(crate) store: Arc<Store>,
    pub(crate) events: Events,
    pub(crate) cookies: Cookies,
    pub(crate) client: ClientPolicy,
    pub(crate) limit: Limit,
    pub(crate) lanes: LaneLimits,
    pub(crate) watch: WatchTimings,
    pub(crate) permission_source: Option<Arc<dyn PermissionSource>>,
    pub(crate) sign_in_page: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) store: Arc<Store>,
    pub(crate) events: Events,
    pub(crate) verifier: Verifier,
    pub(crate) touches: Touches,
    pub(crate) watchers: Watchers,
    pub(crate) cookies: Cookies,
    pub(crate) client: ClientPolicy,
    pub(crate) limit: Limit,
    pub(crate) time_budget: Duration,
    pub(crate) permission_source: Option<Arc<dyn PermissionSource>>,
    pub(crate) sign_in_page: Option<String>,
}

impl Sessions {
    /// Starts configuring sessions in the application's own pool: `SqlitePool`, `PgPool` or
    /// `MySqlPool` (see [`SessionPool`]).
    pub fn builder<P: SessionPool>(pool: P) -> SessionsBuilder {
        SessionsBuilder::new(&pool)
    }

    pub(crate) fn new(parts: SessionsParts) -> Self {
        Self(Arc::new(Core {
            verifier: Verifier::new(parts.store.clone(), parts.lanes, parts.events.clone()),
            touches: Touches::new(parts.store.clone(), parts.events.meter().clone()),
            watchers: Watchers::new(parts.store.clone(), parts.watch),
            store: parts.store,
            events: parts.events,
            cookies: parts.cookies,
            client: parts.client,
            limit: parts.limit,
            time_budget: parts.lanes.time_budget,
            permission_source: parts.permission_source,
            sign_in_page: parts.sign_in_page,
        }))
    }

    /// Whether this is the same handle, cloned.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0
    }

    /// The realm of all that this handle sees, lists and ends: see [`realm`](SessionsBuilder::realm).
    #[must_use]
    pub fn realm(&self) -> &str {
        self.0.store.realm()
    }

    /// The layer that verifies every request that carries a session. Where it is placed decides which routes pay.
    #[must_use]
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.clone())
    }

    /// Lists sessions, newest first. Sign-ins under way are not listed.
    ///
    /// # Errors
    ///
    /// Unavailable, or invalid input in the filter.
    pub async fn list(&self, filter: &Filter, page: Page) -> Result<SessionPage, Error> {
        self.0.store.list(filter, page).await
    }

    /// One session, live or ended; `None` when it is unknown or swept.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn get(&self, session_id: Uuid) -> Result<Option<SessionInfo>, Error> {
        let page = self
            .0
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
        self.end_all(Filter::user(user_id.clone()), user_id, by.into())
            .await
    }

    /// Ends all other sessions of this user, those included in which the user acts as somebody else: to offer after a change of credentials (ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// Unavailable: some may have ended, call again.
    pub async fn revoke_others(&self, user: &SignedIn, by: impl Into<Actor>) -> Result<u64, Error> {
        let others = Filter::user(user.user_id().clone()).except(user.session_id());
        self.end_all(others, user.user_id(), by.into()).await
    }

    /// What a user has, and what a user holds as somebody else.
    async fn end_all(&self, own: Filter, user_id: &UserId, by: Actor) -> Result<u64, Error> {
        let acting = Filter::everybody().acting_user(user_id.clone());
        Ok(self.end_where(&own, by.clone()).await? + self.end_where(&acting, by).await?)
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

    /// How many live sessions [`revoke_where`](Self::revoke_where) would end now. Ends none.
    ///
    /// # Errors
    ///
    /// Unavailable, or invalid input in the filter.
    pub async fn revoke_where_dry_run(&self, filter: &Filter) -> Result<u64, Error> {
        self.0.store.count_live_where(filter).await
    }

    async fn end_where(&self, filter: &Filter, by: Actor) -> Result<u64, Error> {
        let tally = self.end_permitted(filter, by, Unrestricted).await?;
        Ok(tally.ended)
    }

    /// Ends what the filter means and somebody permits, and counts what is kept.
    pub(crate) async fn end_permitted(
        &self,
        filter: &Filter,
        by: Actor,
        permits: impl Permits + 'static,
    ) -> Result<Tally, Error> {
        let by = by.checked()?;
        let (store, events) = (self.0.store.clone(), self.0.events.clone());
        let filter = filter.clone();
        // Ending never waits, not even for the caller to stay.
        super::background::to_the_end(async move {
            let (mut tally, reason) = (Tally::default(), EndedReason::Revoked);
            let ending = store.end_where(&filter, reason, &by, &permits, &mut tally);
            let outcome = ending.await;
            // After a failure too: those that have ended have ended.
            if tally.ended > 0 {
                let told = Event::new(EventKind::Ended { reason }).meant_by(&filter);
                events.report(told.by(by).count(tally.ended));
            }
            outcome.map(|()| tally)
        })
        .await?
    }

    /// A user's own maximum of sessions, if one was set with [`set_limit`](Self::set_limit).
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn limit(&self, user_id: &UserId) -> Result<Option<MaxSessions>, Error> {
        self.0.store.user_limit(user_id).await
    }

    /// Sets a user's own maximum of sessions, or with `None` takes it back. It applies from the next sign-in on; sessions
    /// beyond it stay until then.
    ///
    /// # Errors
    ///
    /// Unavailable, or invalid input in the user's id.
    pub async fn set_limit(&self, user_id: &UserId, max: Option<MaxSessions>) -> Result<(), Error> {
        user_id.validate().map_err(Error::invalid)?;
        self.0.store.set_user_limit(user_id, max).await
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
        let outcome = self.0.store.sweep(&mut so_far).await;
        let events = &self.0.events;
        // After a failure too: what was done is done.
        if swept.expired > 0 {
            let reason = EndedReason::Expired;
            events.report(Event::new(EventKind::Ended { reason }).count(swept.expired));
        }
        events.meter().swept(&swept, &outcome);
        outcome
    }

    /// What [`sweep`](Self::sweep) would do now. Changes nothing.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn sweep_dry_run(&self) -> Result<Swept, Error> {
        self.0.store.sweep_dry_run().await
    }

    /// How many sessions there are, of each kind. It reads every row, so with very many of them it takes a long
    /// [`time_budget`](crate::SessionsBuilder::time_budget): for operators, not for requests.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn stats(&self) -> Result<Stats, Error> {
        self.0.store.stats().await
    }

    /// The names of all realms that have sessions, its own or not: for operators who do not know which there are.
    ///
    /// # Errors
    ///
    /// Unavailable.
    pub async fn realms(&self) -> Result<Vec<String>, Error> {
        self.0.store.realms().await
    }

    /// Sweeps now and then in the background, until the guard is dropped: at once, then after pauses of this length,
    /// a tenth more or less. Errors are logged and survived; any number of nodes may sweep. A minute suits most.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn spawn_sweeper(&self, every: Duration) -> Sweeper {
        Sweeper::spawn(self.clone(), every)
    }

    /// Writes what is still to be written, `last_seen_at` of the last quarter of a second, and waits until
    /// [`on_event`](crate::SessionsBuilder::on_event) has had every event, for five seconds at most. Call it when serving
    /// has ended, before the pool is closed. Sessions stay as they are.
    pub async fn close(&self) {
        self.0.touches.flush().await;
        self.0.events.close().await;
    }

    /// How many times `last_seen_at` could not be written since the start.
    #[must_use]
    pub fn missed_touches(&self) -> u64 {
        self.0.touches.missed()
    }
}

/// Who ends a session: a user's id, or the name of a job. Recorded as `ended_by`, and logged.
///
/// 1 to 255 bytes, no control characters, no white space at either end; checked where it is used, as invalid input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    fn checked(self) -> Result<String, Error> {
        UserId::from(self.0.as_str())
            .validate()
            .map_err(Error::invalid)?;
        Ok(self.0)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&str> for Actor {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl From<&UserId> for Actor {
    fn from(user_id: &UserId) -> Self {
        Self(user_id.to_string())
    }
}

impl From<UserId> for Actor {
    fn from(user_id: UserId) -> Self {
        Self(user_id.to_string())
    }
}
