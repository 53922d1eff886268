//! The pages for administrators: HTML on top of [`Control`], without a script.

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
/// They do what [`admin::router`](super::router) does, with the same permissions, checks and strictness, as HTML without a
/// single script: all live sessions with filters, one with its history, those of a user and their limit, and ending them
/// after a confirmation. The [guide](crate::guide::pages) shows how they are mounted.
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

    /// The permission that ending sessions and setting limits needs. Default: `sessions:revoke`. It does not include
    /// the one to read.
    pub fn revoke_permission(mut self, permission: impl Into<Arc<str>>) -> Self {
        self.control.revoke_permission = permission.into();
        self
    }

    /// Decides which administrator may decide over whose sessions, as for
    /// [`AdminRouter::authorize`](super::AdminRouter::authorize).
    pub fn authorize(mut self, authorize: impl Authorize) -> Self {
        self.control.authorize = Some(Arc::new(authorize));
        self
    }

    /// Lets forms of another origin be sent here too, written as browsers write it: `https://admin.example.com`.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] for what no browser would send.
    ///
    /// # Security
    ///
    /// Whoever can run a script on that origin can do everything that its visitors may do here.
    pub fn trusted_origin(mut self, origin: impl AsRef<str>) -> Result<Self, InvalidOrigin> {
        self.cross_site = self.cross_site.trust(origin.as_ref())?;
        Ok(self)
    }

    /// Title, stylesheets and ways out. Default: [`PageLook::default`].
    pub fn look(mut self, look: PageLook) -> Self {
        self.look = look;
        self
    }

    /// The routes, to be nested under a path, inside the [`SessionLayer`](crate::SessionLayer).
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

/// What the handlers work with.
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
        self.site.frame(&visit.mount, &visit.session)
    }

    /// Whether the page offers to end sessions.
    fn offers_ending(&self, visit: &Visit) -> bool {
        // What `Control::revoker` asks for; nobody is refused by looking.
        visit.user.can(&self.control.revoke_permission) && visit.user.acting_user().is_none()
    }
}
