//! Request bodies: JSON of bounded size where a route takes one, and an empty body elsewhere.

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{DefaultBodyLimit, FromRequest, Request},
    response::IntoResponse,
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use super::{params::Fields, refusal::Refusal};

/// The largest body that a route reads.
const MAX_BYTES: usize = 16 * 1024;

/// The size limit on bodies, as a layer of the router.
pub(crate) fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_BYTES)
}

/// A body that is a JSON object.
pub(crate) struct JsonFields(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for JsonFields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::unsupported_body());
        }
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(Fields::from_json(&body)?)),
            Err(rejection) => Err(match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::body_too_large(),
                _ => Refusal::not_json(),
            }),
        }
    }
}

/// Whether there is exactly one `Content-Type`, and it is `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let media_type = value.to_str().unwrap_or_default().split(';').next();
    media_type.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// A request without a body.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let body: Body = request.into_body();
        if body.is_end_stream() {
            return Ok(Self);
        }
        // A chunked body may still be empty.
        match axum::body::to_bytes(body, 0).await {
            Ok(_) => Ok(Self),
            Err(_) => Err(Refusal::unexpected_body()),
        }
    }
}
