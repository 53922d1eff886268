//! A request for a page: who asks, and where the pages are.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::MethodRouter,
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts};
use time::OffsetDateTime;

use super::{mount::Mount, view::SessionView};
use crate::{
    extract,
    session::{Session, SignedIn},
    store::SessionInfo,
    web::{
        params::{Blanks, Fields},
        refusal::Refusal,
    },
};

/// What every handler of a page knows.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) user: SignedIn,
    pub(crate) session: Session,
    pub(crate) mount: Mount,
    pub(crate) now: OffsetDateTime,
}

impl Visit {
    pub(crate) fn view(&self, session: &SessionInfo) -> SessionView {
        SessionView::new(session, self.user.session_id(), &self.mount, self.now)
    }

    /// Tells the next page what has been done, and leads there: loading it again does nothing twice.
    pub(crate) fn done(&self, message: impl Into<String>, next: &str) -> Response {
        self.session.flash().success(message);
        Redirect::to(next).into_response()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let user = extract::signed_in(parts)?;
        let session = parts.extensions.get::<Session>().cloned();
        let mount = parts.extensions.get::<Mount>().cloned();
        match (session, mount) {
            (Some(session), Some(mount)) => Ok(Self {
                user,
                session,
                mount,
                now: OffsetDateTime::now_utc(),
            }),
            _ => Err(Refusal::internal()),
        }
    }
}

/// Puts a route behind the sign-in page: people are sent there, where programs get a 401.
pub(crate) fn for_people<S>(route: MethodRouter<S>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    route.route_layer(middleware::from_fn(only_signed_in))
}

async fn only_signed_in(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match extract::signed_in(&parts) {
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// The fields of a form that was sent. Empty ones count as left out.
pub(crate) struct FormFields(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for FormFields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let is_form = is_form(request.headers());
        let body = match Bytes::from_request(request, state).await {
            Ok(body) => body,
            Err(rejection) => {
                return Err(match rejection.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Refusal::body_too_large(),
                    _ => Refusal::parameter("body", "could not be read"),
                });
            }
        };
        // A form without fields has nothing to say about its kind.
        if !is_form && !body.is_empty() {
            return Err(Refusal::unsupported_body());
        }
        let body = str::from_utf8(&body)
            .map_err(|_| Refusal::parameter("body", "is not a form as browsers send it"))?;
        Ok(Self(Fields::from_query(body, Blanks::AreAbsent)?))
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

/// Refuses a query where none is expected.
pub(crate) fn no_query(query: Option<&str>) -> Result<(), Refusal> {
    Fields::from_query(query.unwrap_or_default(), Blanks::AreAbsent)?.finish()
}
