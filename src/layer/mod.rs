//! The tower layer: verifies the request's session, runs the handler, then grants or undoes what the handler asked for.
//!
//! For every request, in this order:
//!
//! 1. The layer reads the `Cookie` header. Without a valid session cookie it makes no query, whatever the request
//!    sends.
//! 2. It verifies a session cookie against the database, once, before the handler runs.
//! 3. It puts the [`Session`](crate::Session) into the request's extensions, where the extractors find it.
//! 4. The handler answers. Below status 400, the layer now activates a login or a rotation; at 400 and above it undoes
//!    it. If the activation fails, a 503 without a cookie replaces the handler's response.
//! 5. It sets the cookies. Every response that sets a cookie has `Cache-Control: no-store`, and every response for
//!    which the handler read the session has `Vary: Cookie`.
//!
//! The order of this layer and of one that turns panics into responses does not matter. A layer that caches, or that
//! compresses by content, must be outside of this one.

mod headers;
mod plain_http;
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
///         // Routes added after the layer skip the verification and its cost.
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
