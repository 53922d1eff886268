//! One error for all that this crate refuses with, so that an application's own needs one variant for it.

use std::{error::Error as StdError, fmt};

use axum::response::{IntoResponse, Response};

use super::{
    Forbidden, MissingSessionLayer, NotRecent, SignedInRejection, SignedOut, TwoCredentials,
    Unavailable,
};
use crate::{
    error::Error,
    session::{LoginError, ProfileError, TemporaryError},
    user_id::UserIdError,
};

/// Whatever this crate refuses with, or fails with: made by `?` from each of its errors, and answered as each of them is.
///
/// As the error of a handler it stands alone; in an error type of the application's own it is one variant, to which
/// [`from_rejections!`](crate::from_rejections) leads.
///
/// ```
/// use countersign::{Rejection, Session, SignedIn};
///
/// async fn close_account(session: Session, user: SignedIn) -> Result<&'static str, Rejection> {
///     user.require("account:close")?;
///     user.require_recent(std::time::Duration::from_secs(300))?;
///     let id: i64 = user.id()?;
///     // … closes the account of this id …
///     session.logout().await?;
///     Ok("closed")
/// }
/// ```
///
/// The page "Your own error type" of the [guide](crate::guide::errors) has whole types, with `thiserror` and with `anyhow`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rejection {
    /// 500: the route has no session layer.
    MissingSessionLayer(MissingSessionLayer),
    /// 401, or a redirect: no user is signed in.
    SignedOut(SignedOut),
    /// 503: the database cannot be asked.
    Unavailable(Unavailable),
    /// 400: the request has a session cookie and a bearer token.
    TwoCredentials(TwoCredentials),
    /// 403: a permission is missing.
    Forbidden(Forbidden),
    /// 401: the sign-in is too long ago.
    NotRecent(NotRecent),
    /// A user could not be signed in.
    Login(LoginError),
    /// 500: the user's id is not of the type that was asked for.
    UserId(UserIdError),
    /// 500 or 503: what is known of the user does not fit into the type that was asked for.
    Profile(ProfileError),
    /// 503 or 500: the browser does not keep a value.
    Temporary(TemporaryError),
    /// 503 or 500: an operation failed.
    Operation(Error),
}

impl Rejection {
    /// What to answer to an error of this crate that is somewhere in another one, such as an `anyhow::Error`: the error
    /// itself and what it came from are looked through. `None` where there is none of them.
    ///
    /// ```
    /// use axum::{http::StatusCode, response::{IntoResponse, Response}};
    /// use countersign::Rejection;
    ///
    /// struct AppError(Box<dyn std::error::Error + Send + Sync>); // or anyhow::Error
    ///
    /// impl IntoResponse for AppError {
    ///     fn into_response(self) -> Response {
    ///         let known = Rejection::response_to(self.0.as_ref());
    ///         known.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn response_to(error: &(dyn StdError + 'static)) -> Option<Response> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(response) = response_to_this(error) {
                return Some(response);
            }
            next = error.source();
        }
        None
    }

    /// The one that it was made from.
    fn cause(&self) -> &(dyn StdError + 'static) {
        match self {
            Self::MissingSessionLayer(cause) => cause,
            Self::SignedOut(cause) => cause,
            Self::Unavailable(cause) => cause,
            Self::TwoCredentials(cause) => cause,
            Self::Forbidden(cause) => cause,
            Self::NotRecent(cause) => cause,
            Self::Login(cause) => cause,
            Self::UserId(cause) => cause,
            Self::Profile(cause) => cause,
            Self::Temporary(cause) => cause,
            Self::Operation(cause) => cause,
        }
    }
}

fn response_to_this(error: &(dyn StdError + 'static)) -> Option<Response> {
    if let Some(rejection) = error.downcast_ref::<Rejection>() {
        return response_to_this(rejection.cause());
    }
    if let Some(rejection) = error.downcast_ref::<SignedInRejection>() {
        return Some(rejection.clone().into_response());
    }
    let signed_out = error.downcast_ref::<SignedOut>();
    let response = signed_out.map(|refusal| refusal.clone().into_response());
    let response = response.or_else(|| copied::<MissingSessionLayer>(error));
    let response = response.or_else(|| copied::<Unavailable>(error));
    let response = response.or_else(|| copied::<TwoCredentials>(error));
    let response = response.or_else(|| copied::<Forbidden>(error));
    let response = response.or_else(|| copied::<NotRecent>(error));
    response
        .or_else(|| {
            Some(
                error
                    .downcast_ref::<LoginError>()?
                    .problem()
                    .into_response(),
            )
        })
        .or_else(|| Some(error.downcast_ref::<UserIdError>()?.clone().into_response()))
        .or_else(|| {
            Some(
                error
                    .downcast_ref::<ProfileError>()?
                    .clone()
                    .into_response(),
            )
        })
        .or_else(|| {
            Some(
                error
                    .downcast_ref::<TemporaryError>()?
                    .problem()
                    .into_response(),
            )
        })
        .or_else(|| Some(error.downcast_ref::<Error>()?.problem().into_response()))
}

fn copied<T: StdError + IntoResponse + Copy + 'static>(
    error: &(dyn StdError + 'static),
) -> Option<Response> {
    Some((*error.downcast_ref::<T>()?).into_response())
}

/// Lets `?` make an application's own error out of each error of this crate, in one line.
///
/// ```
/// use axum::{http::StatusCode, response::{IntoResponse, Response}};
/// use countersign::{Rejection, Session, SignedIn};
///
/// enum AppError {
///     Sessions(Rejection),
///     Database(sqlx::Error),
/// }
///
/// countersign::from_rejections!(AppError::Sessions);
///
/// impl From<sqlx::Error> for AppError {
///     fn from(error: sqlx::Error) -> Self {
///         Self::Database(error)
///     }
/// }
///
/// impl IntoResponse for AppError {
///     fn into_response(self) -> Response {
///         match self {
///             Self::Sessions(rejection) => rejection.into_response(),
///             Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
///         }
///     }
/// }
///
/// async fn publish(session: Session, user: SignedIn) -> Result<&'static str, AppError> {
///     user.require("articles:edit")?;
///     session.logout().await?;
///     Ok("published")
/// }
/// ```
#[macro_export]
macro_rules! from_rejections {
    ($error:ident :: $variant:ident) => {
        $crate::from_rejections!(
            @ $error $variant
            Rejection SignedInRejection MissingSessionLayer SignedOut Unavailable TwoCredentials Forbidden NotRecent LoginError UserIdError ProfileError TemporaryError
            Error
        );
    };
    (@ $error:ident $variant:ident $($cause:ident)+) => {
        $(impl ::core::convert::From<$crate::$cause> for $error {
            fn from(cause: $crate::$cause) -> Self {
                Self::$variant(::core::convert::Into::into(cause))
            }
        })+
    };
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::MissingSessionLayer(cause) => cause.into_response(),
            Self::SignedOut(cause) => cause.into_response(),
            Self::Unavailable(cause) => cause.into_response(),
            Self::TwoCredentials(cause) => cause.into_response(),
            Self::Forbidden(cause) => cause.into_response(),
            Self::NotRecent(cause) => cause.into_response(),
            Self::Login(cause) => cause.into_response(),
            Self::UserId(cause) => cause.into_response(),
            Self::Profile(cause) => cause.into_response(),
            Self::Temporary(cause) => cause.into_response(),
            Self::Operation(cause) => cause.into_response(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.cause(), formatter)
    }
}

/// It says what its cause says, so its source is the source of that.
impl StdError for Rejection {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause().source()
    }
}

impl From<SignedInRejection> for Rejection {
    fn from(rejection: SignedInRejection) -> Self {
        match rejection {
            SignedInRejection::MissingSessionLayer(cause) => cause.into(),
            SignedInRejection::SignedOut(cause) => cause.into(),
            SignedInRejection::Unavailable(cause) => cause.into(),
            SignedInRejection::TwoCredentials(cause) => cause.into(),
        }
    }
}

macro_rules! from {
    ($($variant:ident($cause:ty))+) => {
        $(impl From<$cause> for Rejection {
            fn from(cause: $cause) -> Self {
                Self::$variant(cause)
            }
        })+
    };
}

from! {
    MissingSessionLayer(MissingSessionLayer)
    SignedOut(SignedOut)
    Unavailable(Unavailable)
    TwoCredentials(TwoCredentials)
    Forbidden(Forbidden)
    NotRecent(NotRecent)
    Login(LoginError)
    UserId(UserIdError)
    Profile(ProfileError)
    Temporary(TemporaryError)
    Operation(Error)
}
