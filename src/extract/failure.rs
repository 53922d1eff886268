//! The answers to operations that fail, and to mistakes of the application.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{
    problem::Problem,
    rejection::{INTERNAL, SIGNED_OUT, UNAVAILABLE},
};
use crate::{
    error::{Error, ErrorKind},
    session::{LoginError, ProfileError, TemporaryError},
    user_id::UserIdError,
};

const LIMIT_REACHED: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "limit-reached",
    detail: "This account has as many sessions as it may have. End one of them and try again.",
};
const ACCOUNT_REFUSED: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "account-refused",
    detail: "This account may not be used. Ask an administrator.",
};
const ACTING: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "acting",
    detail: "An administrator acts as one other user at a time. Sign out and in again first.",
};
const BEARER_REQUEST: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "bearer-request",
    detail: "A browser signs in here, and gets a cookie. Send the request without a bearer token.",
};

impl LoginError {
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::LimitReached { .. } => LIMIT_REACHED,
            Self::AccountRefused => ACCOUNT_REFUSED,
            Self::InvalidUserId(_) => INTERNAL,
            Self::ResponseSent => INTERNAL,
            Self::SignedOut => SIGNED_OUT,
            Self::Acting => ACTING,
            Self::BearerRequest => BEARER_REQUEST,
            Self::BearerOff => INTERNAL,
            Self::Unavailable(_) => UNAVAILABLE,
        }
    }
}

impl IntoResponse for LoginError {
    fn into_response(self) -> Response {
        if matches!(
            self,
            Self::InvalidUserId(_) | Self::ResponseSent | Self::BearerOff
        ) {
            tracing::error!("{self}");
        }
        self.problem().into_response()
    }
}

impl TemporaryError {
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Unavailable(_) => UNAVAILABLE,
            Self::InvalidPurpose { .. }
            | Self::TooLarge { .. }
            | Self::NotSerializable(_)
            | Self::ResponseSent => INTERNAL,
        }
    }
}

impl IntoResponse for TemporaryError {
    fn into_response(self) -> Response {
        if !matches!(self, Self::Unavailable(_)) {
            tracing::error!("{self}");
        }
        self.problem().into_response()
    }
}

impl ProfileError {
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Unreadable => UNAVAILABLE,
            Self::NotConfigured | Self::Missing | Self::Several | Self::Decode { .. } => INTERNAL,
        }
    }
}

impl IntoResponse for ProfileError {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        self.problem().into_response()
    }
}

/// The application asked for the id as another type than the one that it signs in with.
impl IntoResponse for UserIdError {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        INTERNAL.into_response()
    }
}

impl Error {
    pub(super) fn problem(&self) -> Problem {
        match self.kind() {
            ErrorKind::Unavailable => UNAVAILABLE,
            ErrorKind::InvalidInput | ErrorKind::Store => INTERNAL,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}
