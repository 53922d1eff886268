//! Routes for users: list and end their own sessions.
//!
//! [`router`] makes JSON routes that you can nest anywhere inside the application's
//! [`SessionLayer`](crate::SessionLayer). The [guide](crate::guide::administrators) describes all of them with their
//! responses. With the feature `pages`, `pages` makes the same as HTML.
//!
//! ```no_run
//! use axum::Router;
//! use countersign::{Sessions, account};
//!
//! fn app(sessions: &Sessions) -> Router {
//!     Router::new()
//!         .nest("/api/account", account::router(sessions).build())
//!         .layer(sessions.layer())
//! }
//! ```

mod handlers;
pub(crate) mod own;
#[cfg(feature = "pages")]
mod pages;

use std::time::Duration;

use axum::Router;

use self::own::Own;
#[cfg(feature = "pages")]
pub use self::pages::{AccountPages, pages};
pub use crate::web::guard::InvalidOrigin;
use crate::{session::Sessions, web::guard::CrossSite};

/// Starts configuring the routes for users.
pub fn router(sessions: &Sessions) -> AccountRouter {
    AccountRouter {
        own: Own::new(sessions.clone()),
        cross_site: CrossSite::default(),
    }
}

/// Configures the routes for users; made by [`router`].
///
/// Users see and end only their own sessions. Every statement has the user's id as a condition, so another user's
/// session looks like one that never existed (ASVS 5.0, 8.2.2).
#[derive(Clone, Debug)]
#[must_use = "a router does nothing until it is built and nested"]
pub struct AccountRouter {
    own: Own,
    cross_site: CrossSite,
}

impl AccountRouter {
    /// How recently users must have signed in to end sessions. Default: 15 minutes (ASVS 5.0, 7.5.2).
    pub fn recent_sign_in(mut self, within: Duration) -> Self {
        self.own.recent = within;
        self
    }

    /// Lets users end sessions however long ago they signed in.
    ///
    /// # Security
    ///
    /// A person at an unlocked browser, or with a stolen cookie, can then sign the user out everywhere else (ASVS 5.0,
    /// 7.5.2).
    pub fn insecure_any_sign_in_age(mut self) -> Self {
        self.own.recent = Duration::MAX;
        self
    }

    /// Also accepts changes from pages of this other origin. Write it as browsers do: `https://www.example.com`.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] if no browser would send such an origin.
    ///
    /// # Security
    ///
    /// A script on that origin can do everything that its visitors may do here.
    pub fn trusted_origin(mut self, origin: impl AsRef<str>) -> Result<Self, InvalidOrigin> {
        self.cross_site = self.cross_site.trust(origin.as_ref())?;
        Ok(self)
    }

    /// The routes. Nest them under a path, inside the [`SessionLayer`](crate::SessionLayer).
    pub fn build<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        handlers::routes(self.own, &self.cross_site)
    }
}

impl<S> From<AccountRouter> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(router: AccountRouter) -> Self {
        router.build()
    }
}
