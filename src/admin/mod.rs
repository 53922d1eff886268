//! Routes for administrators: list, show and end the sessions of all users, and set users' limits.
//!
//! [`router`] makes JSON routes that you can nest anywhere inside the application's
//! [`SessionLayer`](crate::SessionLayer). The [guide](crate::guide::administrators) describes all of them with their
//! responses. With the feature `pages`, `pages` makes the same as HTML.
//!
//! ```no_run
//! use axum::Router;
//! use countersign::{Sessions, admin};
//!
//! fn app(sessions: &Sessions) -> Router {
//!     Router::new()
//!         .nest("/api/admin", admin::router(sessions).build())
//!         .layer(sessions.layer())
//! }
//! ```

mod authorize;
pub(crate) mod control;
mod handlers;
#[cfg(feature = "pages")]
mod pages;

use std::sync::Arc;

use axum::Router;

pub use self::authorize::{Authorization, Authorize, AuthorizeFuture};
use self::control::Control;
#[cfg(feature = "pages")]
pub use self::pages::{AdminPages, pages};
pub use crate::web::guard::InvalidOrigin;
use crate::{session::Sessions, web::guard::CrossSite};

/// Starts configuring the routes for administrators.
pub fn router(sessions: &Sessions) -> AdminRouter {
    AdminRouter {
        control: Control::new(sessions.clone()),
        cross_site: CrossSite::default(),
    }
}

/// Configures the routes for administrators; made by [`router`].
///
/// Reading needs one permission; ending sessions and setting limits need another. Every request verifies them, like all
/// permissions (ASVS 5.0, 8.2.1, 8.3.2).
#[derive(Clone, Debug)]
#[must_use = "a router does nothing until it is built and nested"]
pub struct AdminRouter {
    control: Control,
    cross_site: CrossSite,
}

impl AdminRouter {
    /// The permission that reading needs. Default: `sessions:read`.
    pub fn read_permission(mut self, permission: impl Into<Arc<str>>) -> Self {
        self.control.read_permission = permission.into();
        self
    }

    /// The permission that ending sessions and setting limits need. Default: `sessions:revoke`. It does not include the
    /// permission to read.
    pub fn revoke_permission(mut self, permission: impl Into<Arc<str>>) -> Self {
        self.control.revoke_permission = permission.into();
        self
    }

    /// Decides which users' sessions an administrator may manage. Default: an administrator with the permission may
    /// manage the sessions of all users.
    ///
    /// ```no_run
    /// use countersign::{Sessions, SignedIn, UserId, admin::{self, AdminRouter, Authorization}};
    ///
    /// /// Junior administrators may not end directors' sessions.
    /// fn router(sessions: &Sessions) -> AdminRouter {
    ///     admin::router(sessions).authorize(async |by: SignedIn, user: UserId| {
    ///         let protected = is_director(&user).await? && !by.can("directors:manage");
    ///         Ok(match protected {
    ///             true => Authorization::Refused,
    ///             false => Authorization::Granted,
    ///         })
    ///     })
    /// }
    /// # async fn is_director(user: &UserId) -> Result<bool, std::io::Error> { Ok(user.as_str() == "1") }
    /// ```
    pub fn authorize(mut self, authorize: impl Authorize) -> Self {
        self.control.authorize = Some(Arc::new(authorize));
        self
    }

    /// Also accepts changes from pages of this other origin. Write it as browsers do: `https://admin.example.com`.
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
        handlers::routes(self.control, &self.cross_site)
    }
}

impl<S> From<AdminRouter> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(router: AdminRouter) -> Self {
        router.build()
    }
}
