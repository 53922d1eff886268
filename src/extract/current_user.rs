//! The user of a request as the application's own type.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde_core::de::DeserializeOwned;

use super::{Rejection, SignedInRejection, signed_in};

/// The signed-in user as the application's own type, read in the same statement as the session.
///
/// `T` is what [`SignedIn::profile`](crate::SignedIn::profile) makes of the columns that
/// [`profile`](crate::SessionsBuilder::profile) names. The extractor refuses whatever [`SignedIn`](crate::SignedIn) refuses,
/// and answers a [`ProfileError`](crate::ProfileError) with 500 or 503. `Option<CurrentUser<T>>` is `None` for anonymous
/// requests.
///
/// ```
/// use countersign::CurrentUser;
///
/// #[derive(serde::Deserialize)]
/// struct Me {
///     name: String,
/// }
///
/// async fn greet(CurrentUser(me): CurrentUser<Me>) -> String {
///     format!("Hello, {}", me.name)
/// }
/// ```
///
/// # Security
///
/// A profile shows who the user is. Permissions decide what the user may do: ask [`SignedIn`](crate::SignedIn) for them.
#[derive(Clone, Copy, Debug)]
#[doc(alias("AuthUser", "AuthSession", "current_user"))]
pub struct CurrentUser<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for CurrentUser<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Ok(Self(signed_in(parts)?.profile()?))
    }
}

/// `None` for anonymous requests. While the database is away it refuses all the same: unknown is not anonymous.
impl<S: Sync, T: DeserializeOwned> OptionalFromRequestParts<S> for CurrentUser<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        match signed_in(parts) {
            Ok(user) => Ok(Some(Self(user.profile()?))),
            Err(SignedInRejection::SignedOut(_)) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}
