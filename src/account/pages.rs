//! The pages for users: they list devices and sign them out.

use std::time::Duration;

use askama::Template;
use axum::{
    Router,
    extract::{RawQuery, State},
    middleware,
    response::Response,
    routing::{get, post},
};
use http::StatusCode;

use super::{InvalidOrigin, own::Own};
use crate::{
    pages::{
        self, FormFields, Frame, History, PageLook, SessionView, Site, Step, Visit, html, no_query,
        with_query,
    },
    session::Sessions,
    store::{Filter, Page, SessionState},
    web::{
        body::NoBody,
        conditions::Conditions,
        guard::{self, CrossSite, SessionIdInPath},
        listing::ListQuery,
        member::MadeFor,
        params::Blanks,
        refusal::Refusal,
    },
};

/// Starts configuring the pages for users.
pub fn pages(sessions: &Sessions) -> AccountPages {
    AccountPages {
        own: Own::new(sessions.clone()),
        cross_site: CrossSite::default(),
        look: PageLook::default(),
    }
}

/// Configures the pages for users; made by [`pages`].
///
/// They do what [`account::router`](super::router) does, with the same checks, as HTML without scripts. "Your devices"
/// marks the current device; another page shows one device with its history. Users can sign out one device, or all
/// others. The [guide](crate::guide::pages) shows how to mount them.
///
/// ```no_run
/// use axum::Router;
/// use countersign::{Sessions, account};
///
/// fn app(sessions: &Sessions) -> Router {
///     Router::new()
///         .nest("/account/sessions", account::pages(sessions).build())
///         .layer(sessions.layer())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "pages do nothing until they are built and nested"]
pub struct AccountPages {
    own: Own,
    cross_site: CrossSite,
    look: PageLook,
}

impl AccountPages {
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

    /// Also accepts forms from pages of this other origin. Write it as browsers do: `https://www.example.com`.
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
        let site = Site::new(self.look, "Your devices", &self.own.sessions);
        let guarded = |route| {
            let sessions = &self.own.sessions;
            self.cross_site
                .protect(sessions, pages::refuse_person, route)
        };
        let routes = Router::new()
            .route("/", guarded(get(list)))
            .route("/{id}", guarded(get(show)))
            .route("/{id}/end", guarded(post(end)))
            .route("/others/end", guarded(post(end_others)));
        guard::finish(routes)
            .route(&pages::stylesheet_route(), get(pages::stylesheet))
            .layer(middleware::from_fn_with_state(
                site.clone(),
                pages::as_pages,
            ))
            .with_state(Desk {
                own: self.own,
                site,
            })
    }
}

impl<S> From<AccountPages> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(pages: AccountPages) -> Self {
        pages.build()
    }
}

/// The state of the handlers.
#[derive(Clone, Debug)]
struct Desk {
    own: Own,
    site: Site,
}

impl MadeFor for Desk {
    fn sessions(&self) -> &Sessions {
        &self.own.sessions
    }
}

impl Desk {
    fn frame(&self, visit: &Visit) -> Frame {
        self.site.frame(&visit.mount, &visit.session, &visit.names)
    }

    /// Whether there are live sessions in which the user acts as another user. The list of the user's own sessions does
    /// not have them, but signing out all other devices ends them.
    async fn acts_as_somebody(&self, visit: &Visit) -> Result<bool, Refusal> {
        let acting = Filter::all().acting_user(visit.user.user_id());
        let acting = acting.state(SessionState::Live);
        let found = self.own.sessions.list(&acting, Page::first(1)).await?;
        Ok(!found.sessions.is_empty())
    }
}

#[derive(Template)]
#[template(path = "account/list.html")]
struct ListPage {
    frame: Frame,
    sessions: Vec<SessionView>,
    is_incomplete: bool,
    is_recent: bool,
    /// Whether the visitor is an administrator who acts as the user, and so cannot sign devices out.
    is_acting: bool,
    acts_as_somebody: bool,
    any_other: bool,
    others_href: String,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "account/session.html")]
struct SessionPage {
    frame: Frame,
    trail: Vec<Step>,
    here: String,
    session: SessionView,
    history: History,
}

async fn list(
    visit: Visit,
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    let _: NoBody = body?;
    let asked = ListQuery::read(&query.unwrap_or_default(), Blanks::AreAbsent, |_| {
        Ok(Conditions {
            state: Some(SessionState::Live),
            ..Conditions::default()
        })
    })?;
    let listing = desk.own.list(&visit.user, &asked).await?;
    let page = |token: Option<&String>| {
        let size = asked.page_size.map(|size| ("page_size", size.to_string()));
        let token = token.map(|token| ("page_token", token.clone()));
        with_query(
            visit.mount.start(),
            &size.into_iter().chain(token).collect::<Vec<_>>(),
        )
    };
    let mut sessions: Vec<_> = listing
        .sessions
        .iter()
        .map(|session| own_view(&visit, session))
        .collect();
    // The current device comes first, if it is on this page.
    sessions.sort_by_key(|session| !session.is_current);
    let acts_as_somebody = desk.acts_as_somebody(&visit).await?;
    let any_other = acts_as_somebody
        || sessions.iter().any(|session| !session.is_current)
        || asked.page_token.is_some()
        || listing.next_page_token.is_some();
    let shown = ListPage {
        frame: desk.frame(&visit),
        is_incomplete: listing.incomplete,
        is_recent: desk.own.owner(visit.user.clone()).is_ok(),
        is_acting: visit.user.acting_user().is_some(),
        acts_as_somebody,
        any_other,
        others_href: visit.mount.to(&[&"others", &"end"]),
        newest: asked.page_token.is_some().then(|| page(None)),
        older: listing
            .next_page_token
            .as_ref()
            .map(|token| page(Some(token))),
        sessions,
    };
    Ok(html(StatusCode::OK, &shown))
}

async fn show(
    visit: Visit,
    State(desk): State<Desk>,
    id: Result<SessionIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    let (SessionIdInPath(id), NoBody) = (id?, body?);
    no_query(query.as_deref())?;
    let theirs = Filter::user(visit.user.user_id()).only(id);
    let found = desk.own.sessions.list(&theirs, Page::first(1)).await?;
    let info = found
        .sessions
        .into_iter()
        .next()
        .ok_or_else(Refusal::not_found)?;
    let session = own_view(&visit, &info);
    let page = SessionPage {
        frame: desk.frame(&visit),
        trail: Vec::new(),
        here: session.device.clone(),
        history: History::of(&info, visit.now),
        session,
    };
    Ok(html(StatusCode::OK, &page))
}

async fn end(
    visit: Visit,
    State(desk): State<Desk>,
    id: Result<SessionIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    form: Result<FormFields, Refusal>,
) -> Result<Response, Refusal> {
    let owner = desk.own.owner(visit.user.clone())?;
    let (SessionIdInPath(id), FormFields(fields)) = (id?, form?);
    no_query(query.as_deref())?;
    fields.finish()?;
    desk.own.end(&owner, id).await?;
    Ok(visit.done("That device is signed out.", visit.mount.start()))
}

async fn end_others(
    visit: Visit,
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
    form: Result<FormFields, Refusal>,
) -> Result<Response, Refusal> {
    let owner = desk.own.owner(visit.user.clone())?;
    no_query(query.as_deref())?;
    let FormFields(fields) = form?;
    fields.finish()?;
    let tally = desk.own.end_others(&owner).await?;
    let message = match tally.ended {
        0 => "There was no other device to sign out.".to_owned(),
        1 => "1 other device is signed out.".to_owned(),
        number => format!("{number} other devices are signed out."),
    };
    let message = match tally.incomplete {
        true => format!(
            "{message} Time ran out, so there may be more: sign out all other devices again."
        ),
        false => message,
    };
    Ok(visit.done(message, visit.mount.start()))
}

/// A session as its user sees it. The page does not offer to end the current one, which signing out ends.
fn own_view(visit: &Visit, session: &crate::store::SessionInfo) -> SessionView {
    let mut view = visit.view(session);
    // An administrator who acts as the user would be refused, so the page offers no form.
    view.may_end &= !view.is_current && visit.user.acting_user().is_none();
    view.end_label = format!("Sign out {}", view.device);
    view
}
