//! The proof that a user is signed in to this request.

use std::{str::FromStr, sync::Arc, time::Duration};

use uuid::Uuid;

use super::Permissions;
use crate::{
    event::{Event, EventKind, Events},
    extract::{Forbidden, NotRecent},
    store::{Found, Profile},
    user_id::{UserId, UserIdError},
};

/// A signed-in user, verified against the database for this request, with permissions read in the same statement.
///
/// As an extractor it refuses all other requests with 401, or redirects browsers if a [sign-in
/// page](crate::SessionsBuilder::sign_in_page) is configured. While the database is away it answers 503. Only a
/// verified request has one.
///
/// ```
/// use countersign::{Forbidden, SignedIn};
///
/// async fn edit(user: SignedIn) -> Result<String, Forbidden> {
///     user.require("articles:edit")?;
///     Ok(format!("{} may edit", user.user_id()))
/// }
/// ```
#[doc(alias("AuthSession", "login_required", "AuthUser"))]
#[derive(Clone, Debug)]
pub struct SignedIn {
    found: Arc<Found>,
    /// For reporting missing permissions.
    events: Events,
}

impl SignedIn {
    pub(crate) fn new(found: Found, events: Events) -> Self {
        Self {
            found: Arc::new(found),
            events,
        }
    }

    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.found.user_id
    }

    /// The user's id as the application's own key type: the one passed to [`login`](crate::Session::login).
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
    /// [`UserIdError::Parse`] if the id is not a `T`. As a response it is a 500, since the application passed another
    /// type to `login`.
    pub fn id<T: FromStr>(&self) -> Result<T, UserIdError> {
        self.user_id().parse()
    }

    /// The administrator who acts as this user, if any: see [`Session::login_as`](crate::Session::login_as). Show the
    /// administrator on every page, and record them with every action.
    #[must_use]
    pub fn acting_user(&self) -> Option<&UserId> {
        self.found.acting_user.as_ref()
    }

    /// Who acts in this session: the administrator who acts as the user, or else the user.
    pub(crate) fn actor(&self) -> &UserId {
        self.acting_user().unwrap_or(self.user_id())
    }

    /// The session's public id, which is safe in logs and URLs.
    #[must_use]
    pub fn session_id(&self) -> Uuid {
        self.found.id
    }

    /// What the application's table says of the user, if it was asked.
    pub(super) fn found_profile(&self) -> Option<&Profile> {
        self.found.profile.as_ref()
    }

    /// The user's permissions, as read when this request was verified.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        &self.found.permissions
    }

    /// Whether the user has this permission. It makes no query.
    #[must_use]
    pub fn can(&self, permission: &str) -> bool {
        self.found.permissions.contains(permission)
    }

    /// Refuses a user who lacks this permission, and logs the permission (ASVS 5.0, 16.3.2). It makes no query.
    ///
    /// # Errors
    ///
    /// [`Forbidden`], which is a 403 as a response.
    pub fn require(&self, permission: &str) -> Result<(), Forbidden> {
        if self.can(permission) {
            return Ok(());
        }
        self.report_refused(EventKind::PermissionMissing, |event| {
            self.named_in(event).permission(permission)
        });
        Err(Forbidden)
    }

    /// Adds this session, its user and its acting user to an event.
    pub(crate) fn named_in(&self, event: Event) -> Event {
        event
            .user(self.user_id().clone())
            .acting_user(self.acting_user().cloned())
            .session(self.session_id())
    }

    /// Reports that this user was refused something, with a limit per second.
    pub(crate) fn report_refused(&self, kind: EventKind, describe: impl FnOnce(Event) -> Event) {
        self.events.report_often(kind, describe);
    }

    /// How long ago the user proved who they are, by the database's clock when the request was verified.
    /// [`Duration::MAX`] if an administrator acts as the user, since the user has then proved nothing.
    #[must_use]
    pub fn age(&self) -> Duration {
        if self.acting_user().is_some() {
            return Duration::MAX;
        }
        match u64::try_from(self.found.authenticated_micros_ago) {
            Ok(micros) => Duration::from_micros(micros),
            // Up to a second may be rounding. Beyond that, the clock was set back, which must not make a sign-in
            // recent.
            Err(_) if self.found.authenticated_micros_ago > -1_000_000 => Duration::ZERO,
            Err(_) => Duration::MAX,
        }
    }

    /// Refuses a user who proved who they are longer ago than `within`. Use it for changes of credentials and other
    /// sensitive steps (ASVS 5.0, 7.5.1). It always refuses an administrator who acts as the user: the user has proved
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`NotRecent`], which is a 401 with the code `recent-sign-in-required` as a response.
    pub fn require_recent(&self, within: Duration) -> Result<(), NotRecent> {
        match self.acting_user().is_none() && self.age() <= within {
            true => Ok(()),
            false => Err(NotRecent::new(within)),
        }
    }
}
