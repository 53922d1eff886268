//! What stands around every route: who asks, whether the request comes from this site, and the headers of the answer.

use std::{error::Error as StdError, fmt};

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};
use uuid::Uuid;

use super::{body, conditions::parse_user_id, refusal::Refusal};
use crate::{
    event::EventKind,
    extract,
    session::{Session, Sessions},
    user_id::UserId,
};

/// Refuses requests of other sites that would change something.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossSite {
    layer: CsrfLayer,
}

impl CrossSite {
    pub(crate) fn trust(self, origin: &str) -> Result<Self, InvalidOrigin> {
        match self.layer.add_trusted_origin(origin) {
            Ok(layer) => Ok(Self { layer }),
            Err(error) => Err(InvalidOrigin(error)),
        }
    }

    /// Puts a route behind the check, and behind the one for a user.
    pub(crate) fn protect<S>(&self, route: MethodRouter<S>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let layer = self.layer.clone().with_rejection_response(refuse);
        route
            .route_layer(layer)
            // Outside: that nobody is signed in comes first.
            .route_layer(middleware::from_fn(only_signed_in))
    }
}

/// Marks the answer to another site's page, for the one who knows whose browser it was.
#[derive(Clone, Copy, Debug)]
struct FromOtherSite;

fn refuse(_: ProtectionError) -> Response {
    let mut response = Refusal::cross_site().into_response();
    response.extensions_mut().insert(FromOtherSite);
    response
}

/// Puts a route behind the check that the layer around it is of this very handle. A user of another application may have
/// the id of one of this.
pub(crate) fn only_of<S>(sessions: &Sessions, route: MethodRouter<S>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let check = middleware::from_fn_with_state(sessions.clone(), same_application);
    route.route_layer(check)
}

async fn same_application(
    State(sessions): State<Sessions>,
    request: Request,
    next: Next,
) -> Response {
    let session = request.extensions().get::<Session>();
    if session.is_some_and(|session| !session.sessions().is_same(&sessions)) {
        tracing::error!(
            "this route has the SessionLayer of another `Sessions`: use the one of the handle that the router was made for"
        );
        return Refusal::internal().into_response();
    }
    next.run(request).await
}

async fn only_signed_in(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let user = match extract::signed_in(&parts) {
        Ok(user) => user,
        Err(rejection) => return Refusal::from(rejection).into_response(),
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    if response.extensions().get::<FromOtherSite>().is_some() {
        user.report_refused(EventKind::CrossSiteRefused, |event| user.named_in(event));
    }
    response
}

/// Adds what all routes of a router have in common.
pub(crate) fn finish<S>(routes: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
        .fallback(async || Refusal::no_route())
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .layer(body::limit())
        .layer(middleware::map_response(async |mut response: Response| {
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            response
        }))
}

/// An origin that no browser would send.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidOrigin(ConfigError);

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: write it as a browser does, such as https://admin.example.com",
            self.0
        )
    }
}

impl StdError for InvalidOrigin {}

/// `{id}` of the path.
pub(crate) struct SessionIdInPath(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for SessionIdInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = path_parameter(parts, state, "id").await?;
        // Hyphenated: the other spellings of a UUID are no address.
        let id = Uuid::try_parse(&text).ok();
        match id.filter(|id| id.hyphenated().to_string().eq_ignore_ascii_case(&text)) {
            Some(id) => Ok(Self(id)),
            None => Err(Refusal::parameter("id", "has to be a UUID")),
        }
    }
}

/// `{user_id}` of the path.
pub(crate) struct UserIdInPath(pub(crate) UserId);

impl<S: Send + Sync> FromRequestParts<S> for UserIdInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = path_parameter(parts, state, "user_id").await?;
        Ok(Self(parse_user_id("user_id", text)?))
    }
}

/// The innermost parameter of this name: a router may be nested below others.
async fn path_parameter<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &'static str,
) -> Result<String, Refusal> {
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Refusal::parameter(name, "is not valid percent-encoded UTF-8"))?;
    let value = params.iter().filter(|(key, _)| *key == name).last();
    value
        .map(|(_, value)| value.to_owned())
        .ok_or_else(Refusal::internal)
}
