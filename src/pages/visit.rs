//! A request for a page: its user, and the path of the pages.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE, request::Parts};
use time::OffsetDateTime;

use super::{mount::Mount, view::SessionView};
use crate::{
    session::{Session, Sessions},
    store::{DisplayNames, SessionInfo},
    web::{
        member::{MadeFor, Member, NotMember},
        params::{Blanks, Fields},
        refusal::Refusal,
    },
};

/// How long a page waits for the name of whoever looks at it.
const NAMES_BUDGET: Duration = Duration::from_secs(1);

/// What every handler of a page needs.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) user: Member,
    pub(crate) session: Session,
    pub(crate) mount: Mount,
    pub(crate) now: OffsetDateTime,
    /// What people call the user, for the page.
    pub(crate) names: DisplayNames,
}

impl Visit {
    pub(crate) fn view(&self, session: &SessionInfo) -> SessionView {
        SessionView::new(session, self.user.session_id(), &self.mount, self.now)
    }

    /// Redirects to the next page, which shows the message. Reloading that page then repeats nothing.
    pub(crate) fn done(&self, message: impl Into<String>, next: &str) -> Response {
        self.session.flash().success(message);
        Redirect::to(next).into_response()
    }
}

impl<S: MadeFor + Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let user = Member::of(parts, state.sessions())?;
        let session = parts.extensions.get::<Session>().cloned();
        let mount = parts.extensions.get::<Mount>().cloned();
        match (session, mount) {
            (Some(session), Some(mount)) => Ok(Self {
                names: names(parts, state.sessions(), &user).await,
                user,
                session,
                mount,
                now: OffsetDateTime::now_utc(),
            }),
            _ => Err(Refusal::internal()),
        }
    }
}

/// No page is refused because a name cannot be had. A form's answer shows none.
async fn names(parts: &Parts, sessions: &Sessions, user: &Member) -> DisplayNames {
    if parts.method != Method::GET {
        return DisplayNames::default();
    }
    let id = user.session_id();
    let store = &sessions.core().store;
    let found = store.display_names(&[id], NAMES_BUDGET).await;
    found
        .ok()
        .and_then(|mut names| names.remove(&id))
        .unwrap_or_default()
}

/// The response for people. Unlike programs, which get a 401, browsers are redirected to the sign-in page.
pub(crate) fn refuse_person(not_member: NotMember) -> Response {
    match not_member {
        NotMember::OtherApplication => Refusal::internal().into_response(),
        NotMember::SignedIn(rejection) => rejection.into_response(),
    }
}

/// The fields of a form. The user who sends it must be the one who loaded its page. Empty fields count as absent.
pub(crate) struct FormFields(pub(crate) Fields);

impl<S: MadeFor + Send + Sync> FromRequest<S> for FormFields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let user = Member::of(&parts, state.sessions())?;
        let is_form = is_form(&parts.headers);
        let request = Request::from_parts(parts, body);
        let body = match Bytes::from_request(request, state).await {
            Ok(body) => body,
            Err(rejection) => {
                return Err(match rejection.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Refusal::body_too_large(),
                    _ => Refusal::parameter("body", "could not be read: send the form again"),
                });
            }
        };
        // A form without fields needs no `Content-Type`.
        if !is_form && !body.is_empty() {
            return Err(Refusal::unsupported_body());
        }
        let body = str::from_utf8(&body)
            .map_err(|_| Refusal::parameter("body", "must be a form as browsers send it"))?;
        let mut fields = Fields::from_query(body, Blanks::AreAbsent)?;
        // Each form of our pages names the user. One that names none comes from another program, or from a page of an
        // older version.
        match user.is_named_in(&mut fields)? {
            true => Ok(Self(fields)),
            false => Err(Refusal::user_changed()),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let media_type = value.to_str().unwrap_or_default().split(';').next();
    media_type.is_some_and(|kind| {
        kind.trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// Refuses any query.
pub(crate) fn no_query(query: Option<&str>) -> Result<(), Refusal> {
    Fields::from_query(query.unwrap_or_default(), Blanks::AreAbsent)?.finish()
}
