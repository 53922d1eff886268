//! One type per cause of a refusal; each knows its answer.

use std::{error::Error as StdError, fmt, time::Duration};

use axum::response::{IntoResponse, Redirect, Response};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, VARY},
    request::Parts,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{missing_layer::MissingSessionLayer, navigation, problem::Problem};
use crate::{
    local_path::local_path,
    session::{Carrier, Session},
};

/// No user is signed in: 401, or a redirect to the [sign-in page](crate::SessionsBuilder::sign_in_page), where one is
/// configured and the request is a browser's that navigates.
#[derive(Clone, Debug)]
pub struct SignedOut {
    /// Where to send a browser.
    redirect: Option<String>,
    /// Whether another client would be answered in another way.
    depends_on_client: bool,
}

/// The database cannot be asked who this is: 503 with `Retry-After`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Unavailable;

/// The request carries a session cookie and a bearer token: 400. Which of the two users the client means is not known.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TwoCredentials;

/// The user lacks a permission: 403. Which one is in the log, not in the answer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Forbidden;

/// The user signed in too long ago for this step: 401 with the code `recent-sign-in-required`.
#[derive(Clone, Copy, Debug)]
pub struct NotRecent {
    within: Duration,
}

/// Why there is no [`SignedIn`](crate::SignedIn).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignedInRejection {
    /// 500.
    MissingSessionLayer(MissingSessionLayer),
    /// 401 or a redirect.
    SignedOut(SignedOut),
    /// 503.
    Unavailable(Unavailable),
    /// 400.
    TwoCredentials(TwoCredentials),
}

/// What the `next` parameter keeps as it is.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl SignedOut {
    pub(super) fn new(session: &Session, parts: &Parts) -> Self {
        let is_bearer = session.carrier() == Carrier::Bearer;
        let page = session.core().sign_in_page.as_deref();
        let page = page.filter(|_| !is_bearer);
        let navigates = navigation::is_navigation(&parts.headers);
        let redirect = page.filter(|_| navigates).map(|page| {
            // Only what can be repeated by a GET is worth coming back to, and only to this site.
            let wanted = matches!(parts.method, Method::GET | Method::HEAD)
                .then(|| original_path(parts))
                .filter(|path| local_path(path).is_some());
            match wanted {
                Some(path) => format!("{page}?next={}", utf8_percent_encode(&path, IN_QUERY)),
                None => page.to_owned(),
            }
        });
        Self {
            redirect,
            depends_on_client: page.is_some(),
        }
    }
}

/// The path as the browser sent it: nested routers see only the rest of it.
fn original_path(parts: &Parts) -> String {
    let uri = parts
        .extensions
        .get::<axum::extract::OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    uri.path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string)
}

impl NotRecent {
    pub(crate) fn new(within: Duration) -> Self {
        Self { within }
    }

    /// How recent the sign-in must be.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }
}

pub(crate) const SIGNED_OUT: Problem = Problem {
    status: StatusCode::UNAUTHORIZED,
    code: "signed-out",
    detail: "You are not signed in. Sign in and try again.",
};
pub(crate) const NOT_RECENT: Problem = Problem {
    status: StatusCode::UNAUTHORIZED,
    code: "recent-sign-in-required",
    detail: "This step needs a recent sign-in. Sign in again and repeat it.",
};
pub(crate) const FORBIDDEN: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "forbidden",
    detail: "This account lacks the permission for this. Ask an administrator for it.",
};
pub(crate) const UNAVAILABLE: Problem = Problem {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "unavailable",
    detail: "Sessions cannot be verified at the moment. Try again shortly.",
};
pub(crate) const TWO_CREDENTIALS: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "two-credentials",
    detail: "The request has a session cookie and a bearer token. Send one of them.",
};
pub(crate) const INTERNAL: Problem = Problem {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    code: "internal",
    detail: "The application is not set up correctly. Its log says more.",
};

impl IntoResponse for SignedOut {
    fn into_response(self) -> Response {
        let mut response = match self.redirect {
            Some(page) => Redirect::to(&page).into_response(),
            None => SIGNED_OUT.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.depends_on_client {
            headers.append(VARY, navigation::VARIES_BY);
        }
        response
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        UNAVAILABLE.into_response()
    }
}

impl IntoResponse for TwoCredentials {
    fn into_response(self) -> Response {
        TWO_CREDENTIALS.into_response()
    }
}

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        FORBIDDEN.into_response()
    }
}

impl IntoResponse for NotRecent {
    fn into_response(self) -> Response {
        NOT_RECENT.into_response()
    }
}

impl IntoResponse for SignedInRejection {
    fn into_response(self) -> Response {
        match self {
            Self::MissingSessionLayer(rejection) => rejection.into_response(),
            Self::SignedOut(rejection) => rejection.into_response(),
            Self::Unavailable(rejection) => rejection.into_response(),
            Self::TwoCredentials(rejection) => rejection.into_response(),
        }
    }
}

impl fmt::Display for SignedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no user is signed in")
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("sessions cannot be verified at the moment")
    }
}

impl fmt::Display for TwoCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the request has a session cookie and a bearer token: send one of them")
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the user lacks a permission")
    }
}

impl fmt::Display for NotRecent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the user must have signed in within the last {} seconds",
            self.within.as_secs()
        )
    }
}

impl fmt::Display for SignedInRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingSessionLayer(rejection) => rejection.fmt(formatter),
            Self::SignedOut(rejection) => rejection.fmt(formatter),
            Self::Unavailable(rejection) => rejection.fmt(formatter),
            Self::TwoCredentials(rejection) => rejection.fmt(formatter),
        }
    }
}

impl StdError for SignedOut {}
impl StdError for Unavailable {}
impl StdError for TwoCredentials {}
impl StdError for Forbidden {}
impl StdError for NotRecent {}
impl StdError for SignedInRejection {}

impl From<MissingSessionLayer> for SignedInRejection {
    fn from(rejection: MissingSessionLayer) -> Self {
        Self::MissingSessionLayer(rejection)
    }
}

impl From<SignedOut> for SignedInRejection {
    fn from(rejection: SignedOut) -> Self {
        Self::SignedOut(rejection)
    }
}

impl From<Unavailable> for SignedInRejection {
    fn from(rejection: Unavailable) -> Self {
        Self::Unavailable(rejection)
    }
}

impl From<TwoCredentials> for SignedInRejection {
    fn from(rejection: TwoCredentials) -> Self {
        Self::TwoCredentials(rejection)
    }
}
