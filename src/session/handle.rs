//! The handle for all sessions of an application.

use std::{sync::Arc, time::Duration};

use super::{Limit, PermissionSource, Sweeper};
use crate::{
    client::ClientPolicy,
    config::SessionsBuilder,
    cookie::Cookies,
    event::Events,
    layer::SessionLayer,
    store::{SessionPool, Store},
    verify::{LaneLimits, Touches, Verifier, WatchTimings, Watchers},
};

/// All sessions of an application: build this handle, add its layer to the router, list sessions and end them.
///
/// It is cheap to clone; build one per application and database. Every method that ends sessions takes effect at once,
/// on every node that shares the database. No client needs to cooperate.
///
/// ```no_run
/// # async fn example(sessions: countersign::Sessions) -> Result<(), countersign::Error> {
/// use countersign::{Filter, Page};
///
/// // In a job, without any request:
/// for session in sessions.list(&Filter::user(2), Page::first(20)).await?.sessions {
///     println!("{} {:?} {:?}", session.id, session.state, session.ended_reason);
/// }
/// sessions.revoke_user(2, "night job").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Sessions(Arc<Core>);

/// The settings that the builder has checked.
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

    /// Whether the two are clones of one handle.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0
    }

    /// The realm to which this handle is limited: see [`realm`](SessionsBuilder::realm).
    #[must_use]
    pub fn realm(&self) -> &str {
        self.0.store.realm()
    }

    /// The layer that verifies every request that carries a session. Only the routes inside of it have that cost.
    #[must_use]
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.clone())
    }

    /// [Sweeps](Self::sweep) in the background until the returned guard is dropped: now, and then after every pause of
    /// this length, plus or minus a tenth. It logs errors and goes on. Any number of nodes may sweep. A minute suits
    /// most applications.
    ///
    /// # Panics
    ///
    /// If called outside of a Tokio runtime.
    pub fn spawn_sweeper(&self, every: Duration) -> Sweeper {
        Sweeper::spawn(self.clone(), every)
    }

    /// Finishes pending work. It writes the `last_seen_at` values of the last quarter of a second, then closes unused
    /// [connections](SessionsBuilder::connections). Then it waits, for at most five seconds, until
    /// [`on_event`](crate::SessionsBuilder::on_event) has received every event. Call it after the server has stopped
    /// and before you close the pool. It ends no session.
    pub async fn close(&self) {
        self.0.touches.flush().await;
        self.0.store.close_idle().await;
        self.0.events.close().await;
    }

    /// How many writes of `last_seen_at` have failed since the start.
    #[must_use]
    pub fn missed_touches(&self) -> u64 {
        self.0.touches.missed()
    }
}
