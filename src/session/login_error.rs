//! Why a sign-in fails.

use std::{error::Error as StdError, fmt};

#[cfg(feature = "testing")]
use crate::store::SignInError;
use crate::{error::Error, user_id::UserIdError};

/// Why a user was not signed in. A wrong password is not among the reasons: the application checks passwords itself.
///
/// | status of the response | variants |
/// | --- | --- |
/// | 409 | `LimitReached` |
/// | 403 | `AccountRefused`, `Acting` |
/// | 401 | `SignedOut` |
/// | 503 with `Retry-After` | `Unavailable` |
/// | 400 | `BearerRequest` |
/// | 500, a mistake of the application | `InvalidUserId`, `ResponseSent`, `BearerOff` |
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginError {
    /// The user has as many sessions as allowed, and the policy is to refuse.
    LimitReached {
        /// The maximum.
        max: u32,
    },
    /// The account may not be used: [`account`](crate::SessionsBuilder::account) finds no row, the
    /// [security stamp](crate::SessionsBuilder::security_stamp) has none, or the
    /// [`PermissionSource`](crate::PermissionSource) denies it.
    AccountRefused,
    /// The user's id cannot be stored, or is not of the form that the builder's SQL casts it to.
    InvalidUserId(UserIdError),
    /// The response is out already, and with it the chance to send a cookie: a session that was carried into a task or
    /// a streaming body.
    ResponseSent,
    /// The request has no administrator who could act as a user.
    SignedOut,
    /// The administrator acts as a user already, or names themselves.
    Acting,
    /// The request came with a bearer token, so the response sets no cookie: use
    /// [`Login::bearer`](crate::Login::bearer), or send the request without the token.
    BearerRequest,
    /// [`Login::bearer`](crate::Login::bearer) without
    /// [`bearer_tokens`](crate::SessionsBuilder::bearer_tokens) on the builder.
    BearerOff,
    /// The database is away, slow or busy.
    Unavailable(Error),
}

#[cfg(feature = "testing")]
impl LoginError {
    /// For a caller that has no response to replace.
    pub(crate) fn from_activation(error: SignInError) -> Self {
        match error {
            SignInError::LimitReached { max } => Self::LimitReached { max },
            SignInError::AccountRefused => Self::AccountRefused,
            SignInError::PreviousOver => Self::SignedOut,
            SignInError::Store(error) | SignInError::Unknown(error) => Self::Unavailable(error),
            SignInError::Lapsed | SignInError::Abandoned => {
                Self::Unavailable(Error::unavailable("the sign-in was interrupted"))
            }
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitReached { max } => write!(
                formatter,
                "the user has {max} sessions already, which is the limit: end one of them first"
            ),
            Self::AccountRefused => formatter.write_str("the user's account may not be used"),
            Self::InvalidUserId(error) => write!(formatter, "{error}"),
            Self::ResponseSent => formatter.write_str(
                "the response has been sent already: sign in inside the handler, before it answers",
            ),
            Self::SignedOut => formatter
                .write_str("no administrator is signed in who could act as a user: sign in first"),
            Self::BearerRequest => formatter.write_str(
                "a request with a bearer token gets no cookie: sign in with `login(…).bearer()`, or send the request \
                 without the token",
            ),
            Self::BearerOff => formatter.write_str(
                "this application takes no bearer tokens: call `.bearer_tokens()` on the builder",
            ),
            Self::Acting => formatter.write_str(
                "an administrator acts as one other user at a time: sign out and in again first",
            ),
            Self::Unavailable(error) => write!(formatter, "{error}"),
        }
    }
}

impl StdError for LoginError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::LimitReached { .. }
            | Self::AccountRefused
            | Self::ResponseSent
            | Self::SignedOut
            | Self::Acting
            | Self::BearerRequest
            | Self::BearerOff => None,
            Self::InvalidUserId(error) => Some(error),
            Self::Unavailable(error) => Some(error),
        }
    }
}
