//! The service: what happens to one request.

use std::{
    fmt,
    future::Future,
    mem,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::extract::ConnectInfo;
use http::{Request, Response};

use super::{headers, plain_http};
use crate::session::{Session, Sessions};

/// The middleware that [`SessionLayer`](super::SessionLayer) puts around a service.
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    sessions: Sessions,
}

impl<S> SessionService<S> {
    pub(super) fn new(inner: S, sessions: Sessions) -> Self {
        Self { inner, sessions }
    }
}

impl<S, B, R> tower::Service<Request<B>> for SessionService<S>
where
    S: tower::Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // `call` must use the instance that `poll_ready` reported as ready, so the clone stays behind.
        let ready = self.inner.clone();
        let inner = mem::replace(&mut self.inner, ready);
        Box::pin(handle(inner, self.sessions.clone(), request))
    }
}

async fn handle<S, B, R>(
    mut inner: S,
    sessions: Sessions,
    mut request: Request<B>,
) -> Result<Response<R>, S::Error>
where
    S: tower::Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    // Two layers of one handle verify once. Layers of different handles each verify their own session.
    let outer = request.extensions().get::<Session>();
    if outer.is_some_and(|outer| outer.sessions().is_same(&sessions)) {
        return inner.call(request).await;
    }
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0);
    let method = request.method().clone();
    let is_plain_http = plain_http::is_plain_http(request.headers());
    let session = Session::open(&sessions, peer, request.headers()).await;
    request.extensions_mut().insert(session.clone());
    let response = inner.call(request).await?;
    Ok(match session.settle(&method, response.status()).await {
        Ok(outcome) => {
            if is_plain_http {
                plain_http::warn_of_lost_cookie(&outcome);
            }
            let challenge = session.bearer_challenge();
            headers::finish(response, outcome, session.was_consulted(), challenge)
        }
        Err(_) => headers::unavailable(),
    })
}

impl<S: fmt::Debug> fmt::Debug for SessionService<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
