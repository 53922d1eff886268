//! Which users' sessions an administrator may manage.

use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::{
    error::Error,
    event::EventKind,
    session::SignedIn,
    store::ending::{Candidate, Permission, Permits},
    user_id::UserId,
};

/// Decides which users' sessions an administrator may manage: end them, and set the user's limit.
///
/// countersign asks it after the permission check, once for each user whose sessions a request would end. If a request
/// ends many sessions, those that it protects are kept, and counted as kept. If a request ends one, a protected session
/// answers 403. An error answers 503, and so does a decision that takes longer than the
/// [`time_budget`](crate::SessionsBuilder::time_budget). Sessions that ended before that stay ended.
///
/// A session in which an administrator acts as a user concerns both: countersign asks about each of them.
///
/// A closure that takes a [`SignedIn`] and a [`UserId`] and returns a future implements it:
/// [`AdminRouter::authorize`](super::AdminRouter::authorize) has an example.
///
/// # Security
///
/// It does not restrict listings: an administrator with the permission to read sees the sessions of all users. `by`
/// never acts as another user: such a session may manage no sessions, whatever permissions the user has.
pub trait Authorize: Send + Sync + 'static {
    /// Whether `by` may manage the sessions of `user_id`.
    ///
    /// # Errors
    ///
    /// If the decision cannot be made now.
    fn authorize<'a>(&'a self, by: &'a SignedIn, user_id: &'a UserId) -> AuthorizeFuture<'a>;
}

/// The decision of an [`Authorize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// The administrator may manage the user's sessions.
    Granted,
    /// The administrator may not: the user is protected.
    Refused,
}

/// What [`Authorize::authorize`] returns.
pub type AuthorizeFuture<'a> = Pin<
    Box<dyn Future<Output = Result<Authorization, Box<dyn StdError + Send + Sync>>> + Send + 'a>,
>;

impl fmt::Debug for dyn Authorize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authorize")
    }
}

impl<F, Decision> Authorize for F
where
    F: Fn(SignedIn, UserId) -> Decision + Send + Sync + 'static,
    Decision: Future<Output = Result<Authorization, Box<dyn StdError + Send + Sync>>> + Send,
{
    fn authorize<'a>(&'a self, by: &'a SignedIn, user_id: &'a UserId) -> AuthorizeFuture<'a> {
        Box::pin(async move { self(by.clone(), user_id.clone()).await })
    }
}

/// The decisions of one request, remembered.
pub(crate) struct Rulings {
    by: SignedIn,
    authorize: Option<Arc<dyn Authorize>>,
    /// The session that is kept whatever the decision.
    keep: Option<Uuid>,
    /// How long a decision may take.
    time_budget: Duration,
    known: Mutex<HashMap<UserId, Authorization>>,
}

/// The most decisions that one request remembers while it ends sessions of many users.
const MOST_KNOWN: usize = 4096;

impl Rulings {
    pub(crate) fn new(
        by: SignedIn,
        authorize: Option<Arc<dyn Authorize>>,
        keep: Option<Uuid>,
        time_budget: Duration,
    ) -> Self {
        Self {
            by,
            authorize,
            keep,
            time_budget,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Whether this session may end in this request.
    pub(super) async fn permit(
        &self,
        id: Uuid,
        user_id: &UserId,
        acting_user: Option<&UserId>,
    ) -> Result<bool, Error> {
        if self.keeps(id) {
            return Ok(false);
        }
        Ok(self.over_session(user_id, acting_user).await? == Authorization::Granted)
    }

    /// The session that is kept whatever the decision.
    pub(crate) fn kept(&self) -> Option<Uuid> {
        self.keep
    }

    /// Whether this session is kept whatever the decision.
    pub(crate) fn keeps(&self, id: Uuid) -> bool {
        self.keep == Some(id)
    }

    /// Whether a session may be ended. That concerns its user, and the administrator who acts as the user.
    pub(crate) async fn over_session(
        &self,
        user_id: &UserId,
        acting_user: Option<&UserId>,
    ) -> Result<Authorization, Error> {
        for user_id in [Some(user_id), acting_user].into_iter().flatten() {
            if self.over(user_id).await? == Authorization::Refused {
                return Ok(Authorization::Refused);
            }
        }
        Ok(Authorization::Granted)
    }

    /// Whether the administrator may manage the sessions of this user.
    pub(crate) async fn over(&self, user_id: &UserId) -> Result<Authorization, Error> {
        let Some(authorize) = &self.authorize else {
            return Ok(Authorization::Granted);
        };
        if let Some(known) = self.known(|known| known.get(user_id).copied()) {
            return Ok(known);
        }
        let deciding = authorize.authorize(&self.by, user_id);
        let decided = tokio::time::timeout(self.time_budget, deciding).await;
        let decided = decided.unwrap_or_else(|_| Err("no answer within the time budget".into()));
        let ruling = decided.map_err(|error| {
            tracing::warn!(%error, "authorization of an ending could not be decided: the closure of `authorize` failed or took too long");
            Error::unavailable(error)
        })?;
        if ruling == Authorization::Refused {
            let kind = EventKind::AuthorizationRefused;
            self.by.report_refused(kind, |event| {
                event.user(user_id.clone()).by(self.by.actor().as_str())
            });
        }
        self.known(|known| {
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(user_id.clone(), ruling);
        });
        Ok(ruling)
    }

    fn known<T>(&self, ask: impl FnOnce(&mut HashMap<UserId, Authorization>) -> T) -> T {
        ask(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Permits for Rulings {
    fn permits<'a>(&'a self, session: &'a Candidate) -> Permission<'a> {
        let acting_user = session.acting_user.as_ref();
        Box::pin(self.permit(session.id, &session.user_id, acting_user))
    }
}
