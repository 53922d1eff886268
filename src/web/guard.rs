//! What surrounds every route: the check of the user, the cross-site check, and the headers of the response.

use std::{error::Error as StdError, fmt};

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, ORIGIN, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};
use uuid::Uuid;

use super::{
    body,
    conditions::parse_user_id,
    member::{Member, NotMember, only_members},
    refusal::Refusal,
};
use crate::{
    event::EventKind,
    session::{Carrier, Session, Sessions},
    user_id::UserId,
};

/// Refuses requests from other sites' pages that would change something.
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

    /// Puts a route behind two checks: a user of this application must be signed in, and the request must not come from
    /// another site. `refuse` makes the response if no such user is signed in.
    pub(crate) fn protect<S>(
        &self,
        sessions: &Sessions,
        refuse: fn(NotMember) -> Response,
        route: MethodRouter<S>,
    ) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let layer = self
            .layer
            .clone()
            .with_rejection_response(refuse_other_site);
        // Outside of the cross-site check: a request without a signed-in user gets the 401 first.
        only_members(
            sessions,
            refuse,
            report_other_site,
            route
                .route_layer(layer)
                .route_layer(middleware::from_fn(bearer_is_no_browsers)),
        )
    }
}

/// Takes a bearer token's request past the cross-site check: no browser adds a token by itself, so no other site's page can
/// forge the request. The check takes a request without these headers for a program's.
async fn bearer_is_no_browsers(mut request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    if session.is_some_and(|session| session.carrier() == Carrier::Bearer) {
        request.headers_mut().remove(ORIGIN);
        request.headers_mut().remove("sec-fetch-site");
    }
    next.run(request).await
}

/// Marks the response to another site's page, so that the outer layer, which knows the user, can report it.
#[derive(Clone, Copy, Debug)]
struct FromOtherSite;

fn refuse_other_site(_: ProtectionError) -> Response {
    let mut response = Refusal::cross_site().into_response();
    response.extensions_mut().insert(FromOtherSite);
    response
}

fn report_other_site(member: &Member, response: &Response) {
    if response.extensions().get::<FromOtherSite>().is_some() {
        member.report_refused(EventKind::CrossSiteRefused, |event| member.named_in(event));
    }
}

/// Adds the fallbacks, body limit and headers that all routes of a router share.
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
        // Only the hyphenated form counts: the other spellings of a UUID would be second addresses of one session.
        let id = Uuid::try_parse(&text).ok();
        match id.filter(|id| id.hyphenated().to_string().eq_ignore_ascii_case(&text)) {
            Some(id) => Ok(Self(id)),
            None => Err(Refusal::parameter("id", "must be a UUID")),
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

/// The innermost parameter of this name: the application may nest the router below a path that has one too.
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
