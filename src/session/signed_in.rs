//! Proof that this request comes from a user who is signed in.

use std::{str::FromStr, sync::Arc, time::Duration};

use uuid::Uuid;

use super::Permissions;
use crate::{
    event::{Event, EventKind, Events},
    extract::{Forbidden, NotRecent},
    store::Found,
    user_id::{UserId, UserIdError},
};

/// A signed-in user, verified against the database for this request, with permissions read in the same statement.
///
/// As an extractor it refuses everybody else: 401, or a redirect for browsers when a
/// [sign-in page](crate::SessionsBuilder::sign_in_page) is configured; 503 while the database is away. There is no other
/// way to come by one.
///
/// ```
/// use countersign::{Forbidden, SignedIn};
///
/// async fn edit(user: SignedIn) -> Result<String, Forbidden> {
///     user.require("articles:edit")?;
///     Ok(format!("{} may edit", user.user_id()))
/// }
/// ```
#[doc(alias(
    "AuthSession",
    "CurrentUser",
    "current_user",
    "login_required",
    "AuthUser"
))]
#[derive(Clone, Debug)]
pub struct SignedIn {
    found: Arc<Found>,
    /// Where a missing permission is reported.
    events: Events,
}

impl SignedIn {
    pub(crate) fn new(found: Found, events: Events) -> Self {
        Self {
            found: Arc::new(found),
            events,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.found.user_id
    }

    /// Who it is, as the application's own key type: what was given to [`login`](crate::Session::login).
    ///
    /// ```
    /// use countersign::{SignedIn, UserIdError};
    ///
    /// async fn profile(user: SignedIn) -> Result<String, UserIdError> {
    ///     let id: i64 = user.id()?;
    ///     Ok(format!("user number {id}"))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UserIdError::Parse`] when it is of another type. It answers 500, since the application asks for what it did not
    /// sign in.
    pub fn id<T: FromStr>(&self) -> Result<T, UserIdError> {
        self.user_id().parse()
    }

    /// The administrator who acts as this user, if one does: see [`Session::login_as`](crate::Session::login_as). Show it on
    /// every page, and record it with what is done.
    #[must_use]
    pub fn acting_user(&self) -> Option<&UserId> {
        self.found.acting_user.as_ref()
    }

    /// Who does what is done with this session.
    pub(crate) fn actor(&self) -> &UserId {
        self.acting_user().unwrap_or(self.user_id())
    }

    /// The session's public name: safe in logs and URLs.
    #[must_use]
    pub fn session_id(&self) -> Uuid {
        self.found.id
    }

    /// What the user may do, as it was when this request was verified.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        &self.found.permissions
    }

    /// Whether the user has this permission. Costs no query.
    #[must_use]
    pub fn can(&self, permission: &str) -> bool {
        self.found.permissions.contains(permission)
    }

    /// Refuses a user who lacks this permission, and logs which (ASVS 5.0, 16.3.2). Costs no query.
    ///
    /// # Errors
    ///
    /// [`Forbidden`], which answers 403.
    pub fn require(&self, permission: &str) -> Result<(), Forbidden> {
        if self.can(permission) {
            return Ok(());
        }
        self.report_refused(EventKind::PermissionMissing, |event| {
            self.named_in(event).permission(permission)
        });
        Err(Forbidden)
    }

    /// An event of this session.
    pub(crate) fn named_in(&self, event: Event) -> Event {
        event
            .user(self.user_id().clone())
            .acting_user(self.acting_user().cloned())
            .session(self.session_id())
    }

    /// Reports what this user may not do.
    pub(crate) fn report_refused(&self, kind: EventKind, describe: impl FnOnce(Event) -> Event) {
        self.events.report_often(kind, describe);
    }

    /// How long ago the user proved who they are, by the database's clock when the request was verified.
    /// [`Duration::MAX`] where an administrator acts as the user, who proved nothing then.
    #[must_use]
    pub fn age(&self) -> Duration {
        if self.acting_user().is_some() {
            return Duration::MAX;
        }
        match u64::try_from(self.found.authenticated_micros_ago) {
            Ok(micros) => Duration::from_micros(micros),
            // Rounding is forgiven; a clock that was set back must not make a sign-in recent.
            Err(_) if self.found.authenticated_micros_ago > -1_000_000 => Duration::ZERO,
            Err(_) => Duration::MAX,
        }
    }

    /// Refuses a user who signed in longer ago than this: for changes of credentials and other sensitive steps
    /// (ASVS 5.0, 7.5.1). An administrator who acts as the user is always refused: that is not the user's proof.
    ///
    /// # Errors
    ///
    /// [`NotRecent`], which answers 401 with the code `recent-sign-in-required`.
    pub fn require_recent(&self, within: Duration) -> Result<(), NotRecent> {
        match self.acting_user().is_none() && self.age() <= within {
            true => Ok(()),
            false => Err(NotRecent::new(within)),
        }
    }
}
