//! Extractors and route layers, and what they answer when they refuse.

mod current_user;
mod failure;
mod missing_layer;
mod navigation;
pub(crate) mod problem;
pub(crate) mod rejection;
mod route;
mod umbrella;
mod wording;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

pub use self::{
    current_user::CurrentUser,
    missing_layer::MissingSessionLayer,
    rejection::{Forbidden, NotRecent, SignedInRejection, SignedOut, TwoCredentials, Unavailable},
    route::{Require, RequireRecent, RequireService, require},
    umbrella::Rejection,
    wording::{RefusalLayer, RefusalService, Refused},
};
use crate::session::{Flash, Identity, Session, SignedIn};

fn session_of(extensions: &http::Extensions) -> Result<&Session, MissingSessionLayer> {
    let session = extensions
        .get::<Session>()
        .ok_or_else(MissingSessionLayer::reported)?;
    session.consult();
    Ok(session)
}

/// The user of this request, or what to answer instead.
pub(crate) fn signed_in(parts: &Parts) -> Result<SignedIn, SignedInRejection> {
    let session = session_of(&parts.extensions)?;
    match session.identity() {
        Identity::SignedIn(user) => Ok(user),
        Identity::Anonymous if session.has_two_credentials() => Err(TwoCredentials.into()),
        Identity::Anonymous => Err(SignedOut::new(session, parts).into()),
        Identity::Unavailable => Err(Unavailable.into()),
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = MissingSessionLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        session_of(&parts.extensions).cloned()
    }
}

impl<S: Sync> FromRequestParts<S> for Flash {
    type Rejection = MissingSessionLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        session_of(&parts.extensions).map(Session::flash)
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = SignedInRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        signed_in(parts)
    }
}

/// `None` for anonymous requests. While the database is away it refuses all the same: unknown is not anonymous. So it does
/// for a request with two credentials.
impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = SignedInRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        match signed_in(parts) {
            Ok(user) => Ok(Some(user)),
            Err(SignedInRejection::SignedOut(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
