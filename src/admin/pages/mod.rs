//! The pages for administrators: HTML without scripts, on top of [`Control`].

mod consequences;
mod filters;
mod limit;
mod list;
mod many;
mod session;
mod user;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use super::{Authorize, InvalidOrigin, control::Control};
use crate::{
    pages::{self, Frame, PageLook, Site, Visit},
    session::Sessions,
    web::{
        guard::{self, CrossSite},
        member::MadeFor,
    },
};

/// Starts configuring the pages for administrators.
pub fn pages(sessions: &Sessions) -> AdminPages {
    AdminPages {
        control: Control::new(sessions.clone()),
        cross_site: CrossSite::default(),
        look: PageLook::default(),
    }
}

/// Configures the pages for administrators; made by [`pages`].
///
/// They do what [`admin::router`](super::router) does, with the same permissions and checks, as HTML without scripts.
/// There is a page for all live sessions with filters, one for a session with its history, and one for a user's
/// sessions and limit. Ending sessions takes a confirmation. The [guide](crate::guide::pages) shows how to mount them.
///
/// ```no_run
/// use axum::Router;
/// use countersign::{PageLook, Sessions, admin};
///
/// fn app(sessions: &Sessions) -> Router {
///     let look = PageLook::new("Example Shop").home("/");
///     Router::new()
///         .nest("/admin/sessions", admin::pages(sessions).look(look).build())
///         .layer(sessions.layer())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "pages do nothing until they are built and nested"]
pub struct AdminPages {
    control: Control,
    cross_site: CrossSite,
    look: PageLook,
}

impl AdminPages {
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

    /// Decides which users' sessions an administrator may manage, like
    /// [`AdminRouter::authorize`](super::AdminRouter::authorize).
    pub fn authorize(mut self, authorize: impl Authorize) -> Self {
        self.control.authorize = Some(Arc::new(authorize));
        self
    }

    /// Also accepts forms from pages of this other origin. Write it as browsers do: `https://admin.example.com`.
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

    /// Title, stylesheets and links to the application. Default: [`PageLook::default`].
    pub fn look(mut self, look: PageLook) -> Self {
        self.look = look;
        self
    }

    /// The routes. Nest them under a path, inside the [`SessionLayer`](crate::SessionLayer).
    pub fn build<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let site = Site::new(self.look, "Sessions", &self.control.sessions);
        let guarded = |route| {
            let sessions = &self.control.sessions;
            self.cross_site
                .protect(sessions, pages::refuse_person, route)
        };
        let routes = Router::new()
            .route("/", guarded(get(list::show)))
            .route("/end", guarded(get(many::preview).post(many::end)))
            .route("/{id}", guarded(get(session::show)))
            .route(
                "/{id}/end",
                guarded(get(session::confirm).post(session::end)),
            )
            .route("/users/{user_id}", guarded(get(user::show)))
            .route(
                "/users/{user_id}/end",
                guarded(get(user::confirm).post(user::end)),
            )
            .route("/users/{user_id}/limit", guarded(post(user::set_limit)));
        guard::finish(routes)
            .route(&pages::stylesheet_route(), get(pages::stylesheet))
            .layer(middleware::from_fn_with_state(
                site.clone(),
                pages::as_pages,
            ))
            .with_state(Desk {
                control: self.control,
                site,
            })
    }
}

impl<S> From<AdminPages> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(pages: AdminPages) -> Self {
        pages.build()
    }
}

/// The state of the handlers.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    control: Control,
    site: Site,
}

impl MadeFor for Desk {
    fn sessions(&self) -> &Sessions {
        &self.control.sessions
    }
}

impl Desk {
    fn frame(&self, visit: &Visit) -> Frame {
        self.site.frame(&visit.mount, &visit.session, &visit.names)
    }

    /// Whether the page offers to end sessions.
    fn offers_ending(&self, visit: &Visit) -> bool {
        // The conditions of `Control::revoker`, without its report of a refusal.
        visit.user.can(&self.control.revoke_permission) && visit.user.acting_user().is_none()
    }
}
