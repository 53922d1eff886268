//! Route layers: guards for routes, so that handlers need no check of their own.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};

use super::signed_in;
use crate::session::SignedIn;

/// Lets only users with this permission through: 401 (or a redirect) for anonymous requests, 403 without the permission,
/// 503 while the database is away. Costs no query.
///
/// ```
/// use axum::{Router, routing::post};
///
/// # fn router() -> Router {
/// Router::new()
///     .route("/articles", post(|| async { "created" }))
///     .route_layer(countersign::require("articles:edit"))
/// # }
/// ```
#[must_use]
#[doc(alias("permission_required", "has_permission", "authorize"))]
pub fn require(permission: impl Into<String>) -> Require {
    Require(Guard::Permission(permission.into().into()))
}

/// A guard for routes; made by [`require`] and [`RequireRecent::within`].
#[derive(Clone, Debug)]
pub struct Require(Guard);

/// Lets only users through who proved a short while ago who they are (ASVS 5.0, 7.5.1).
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::post};
/// use countersign::RequireRecent;
///
/// # fn router() -> Router {
/// Router::new()
///     .route("/password", post(|| async { "changed" }))
///     .route_layer(RequireRecent::within(Duration::from_secs(5 * 60)))
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequireRecent;

impl RequireRecent {
    /// Within so long before the request: 401 otherwise, with the code `recent-sign-in-required`.
    #[must_use]
    pub fn within(duration: Duration) -> Require {
        Require(Guard::Recent(duration))
    }
}

#[derive(Clone, Debug)]
enum Guard {
    Permission(Arc<str>),
    Recent(Duration),
}

impl Guard {
    /// The answer for a user who may not pass.
    fn refusal(&self, user: &SignedIn) -> Option<Response> {
        match self {
            Self::Permission(permission) => user
                .require(permission)
                .err()
                .map(IntoResponse::into_response),
            Self::Recent(within) => user
                .require_recent(*within)
                .err()
                .map(IntoResponse::into_response),
        }
    }
}

impl<S> tower::Layer<S> for Require {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService {
            inner,
            guard: self.0.clone(),
        }
    }
}

/// The middleware of [`Require`].
#[derive(Clone, Debug)]
pub struct RequireService<S> {
    inner: S,
    guard: Guard,
}

impl<S> tower::Service<Request> for RequireService<S>
where
    S: tower::Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (parts, body) = request.into_parts();
        let refusal = match signed_in(&parts) {
            Ok(user) => self.guard.refusal(&user),
            Err(rejection) => Some(rejection.into_response()),
        };
        match refusal {
            None => Box::pin(self.inner.call(Request::from_parts(parts, body))),
            Some(refusal) => Box::pin(async { Ok(refusal) }),
        }
    }
}
