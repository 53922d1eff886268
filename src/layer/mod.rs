//! The tower layer: verifies what a request brings, runs the handler, settles what was promised.
//!
//! In this order, for every request that passes it:
//!
//! 1. The `Cookie` header is read. Without a valid session cookie there is no query, whatever the request sends.
//! 2. A session cookie is verified against the database, once, before the handler runs.
//! 3. The [`Session`](crate::Session) goes into the request's extensions, where the extractors find it.
//! 4. The handler answers. Below status 400, a login or a rotation is made real now; at 400 and above it is undone.
//!    If it cannot be made real, the handler's answer is replaced by a 503 without a cookie.
//! 5. Cookies are set; `Cache-Control: no-store` goes with any cookie, and `Vary: Cookie` with any answer for which
//!    the session was asked.
//!
//! The layer has to stand outside of whatever turns panics into responses, or inside: both work. It has to
//! stand inside of anything that caches or compresses by content.

mod headers;
mod service;

use std::fmt;

pub(crate) use self::headers::{NotGranted, RETRY_SECONDS};
pub use self::service::SessionService;
use crate::session::Sessions;

/// Verifies every request that carries a session; made by [`Sessions::layer`].
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign::{Sessions, SignedIn};
///
/// fn app(sessions: &Sessions) -> Router {
///     Router::new()
///         .route("/me", get(|user: SignedIn| async move { user.user_id().to_string() }))
///         .layer(sessions.layer())
///         // Routes that are added after the layer do not pay for it.
///         .route("/health", get(|| async { "ok" }))
/// }
/// ```
#[derive(Clone)]
pub struct SessionLayer {
    sessions: Sessions,
}

impl SessionLayer {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl<S> tower::Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, self.sessions.clone())
    }
}

impl fmt::Debug for SessionLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionLayer")
            .finish_non_exhaustive()
    }
}
