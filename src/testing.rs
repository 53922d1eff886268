//! Help for tests of an application's own handlers (feature `testing`).
//!
//! A test signs a user in without the application's sign-in page, and sends requests as that user:
//!
//! ```
//! use axum::{Router, body::Body, http::{Method, StatusCode}, routing::get};
//! use countersign::{Key, Sessions, SignedIn, testing};
//! use tower::ServiceExt;
//!
//! fn router(sessions: &Sessions) -> Router {
//!     Router::new()
//!         .route("/me", get(async |user: SignedIn| user.user_id().to_string()))
//!         .layer(sessions.layer())
//! }
//!
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = testing::sqlite().await?;
//! let sessions = Sessions::builder(pool).key(Key::generate()).any_account().build().await?;
//! let alice = testing::sign_in(&sessions, 2).await?;
//! let request = alice.request(Method::GET, "/me").body(Body::empty())?;
//! let response = router(&sessions).oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! # Ok(()) }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! The session is a real one: its row is in the database, limits count it, and it ends like any other. The
//! [guide](crate::guide::testing) has whole tests.
//!
//! # Security
//!
//! [`sign_in`] asks for no password. Enable the feature under `[dev-dependencies]` alone, so that no release of the
//! application has it.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, COOKIE},
    request,
};
use uuid::Uuid;

#[cfg(feature = "sqlite")]
pub use crate::store::sqlite;
use crate::{
    error::Error,
    session::{BearerToken, LoginError, Session, Sessions},
    user_id::UserId,
};

/// Signs this user in, as a browser that keeps the session cookie.
///
/// # Errors
///
/// What [`Session::login`] refuses: an account that may not be used, a limit, an id of the wrong form.
pub async fn sign_in(
    sessions: &Sessions,
    user_id: impl Into<UserId>,
) -> Result<TestClient, LoginError> {
    let session = Session::open(sessions, None, &HeaderMap::new()).await;
    let id = session.login(user_id).await?;
    let cookie = settled(&session).await?;
    // What a browser sends back of it: name and value.
    let pair = cookie
        .as_ref()
        .and_then(|cookie| cookie.as_bytes().split(|byte| *byte == b';').next())
        .and_then(|pair| HeaderValue::from_bytes(pair).ok());
    let pair = pair.ok_or_else(|| {
        LoginError::Unavailable(Error::unavailable("the sign-in gave no session cookie"))
    })?;
    Ok(TestClient::new(COOKIE, pair, id))
}

/// Signs this user in, as a client that sends a bearer token. The builder must have
/// [`bearer_tokens`](crate::SessionsBuilder::bearer_tokens).
///
/// # Errors
///
/// As [`sign_in`], and [`LoginError::BearerOff`].
pub async fn sign_in_with_token(
    sessions: &Sessions,
    user_id: impl Into<UserId>,
) -> Result<TestClient, LoginError> {
    let session = Session::open(sessions, None, &HeaderMap::new()).await;
    let token: BearerToken = session.login(user_id).bearer().await?;
    settled(&session).await?;
    let value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|error| LoginError::Unavailable(Error::unavailable(error)))?;
    Ok(TestClient::new(AUTHORIZATION, value, token.session_id()))
}

/// As after a response with the status 200, which went out.
async fn settled(session: &Session) -> Result<Option<HeaderValue>, LoginError> {
    let outcome = session.settle(&Method::POST, StatusCode::OK).await;
    let outcome = outcome.map_err(LoginError::from_activation)?;
    if let Some(mut granted) = outcome.granted {
        granted.accept();
    }
    Ok(outcome.session_cookie)
}

/// A user who is signed in, for requests of a test.
#[derive(Clone)]
pub struct TestClient {
    name: HeaderName,
    value: HeaderValue,
    session_id: Uuid,
}

impl TestClient {
    fn new(name: HeaderName, mut value: HeaderValue, session_id: Uuid) -> Self {
        value.set_sensitive(true);
        Self {
            name,
            value,
            session_id,
        }
    }

    /// The header that signs each request in: `Cookie`, or `Authorization` for a client with a token. For clients that are
    /// no [`http::Request`], such as reqwest's.
    #[must_use]
    pub fn header(&self) -> (HeaderName, HeaderValue) {
        (self.name.clone(), self.value.clone())
    }

    /// A request by this user, to which the test adds further headers and the body.
    pub fn request(&self, method: Method, path: &str) -> request::Builder {
        let builder = http::Request::builder().method(method).uri(path);
        builder.header(&self.name, &self.value)
    }

    /// The session's public id, for [`Sessions::get`] and [`Sessions::revoke`].
    #[must_use]
    pub fn session_id(&self) -> Uuid {
        self.session_id
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestClient")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}
