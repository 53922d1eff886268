//! Signing in clients that are no browser of this site.
// docs/decisions/55-bearer-tokens.md

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use serde_core::{Serialize, Serializer};
use uuid::Uuid;

use super::{LoginError, Session, login::Wanted};
use crate::{cookie::Carrier, error::Error, user_id::UserId};

/// A sign-in by a bearer token; made by [`Login::bearer`](crate::Login::bearer), carried out by `.await`.
#[derive(Debug)]
#[must_use = "this signs no user in until it is awaited"]
pub struct BearerLogin<'a> {
    session: &'a Session,
    user_id: UserId,
}

impl<'a> BearerLogin<'a> {
    pub(super) fn new(session: &'a Session, user_id: UserId) -> Self {
        Self { session, user_id }
    }

    async fn run(self) -> Result<BearerToken, LoginError> {
        let cookies = &self.session.core().cookies;
        if !cookies.takes_bearer_tokens() {
            return Err(LoginError::BearerOff);
        }
        let wanted = Wanted {
            user_id: self.user_id.clone(),
            acting_user: None,
            remembered: false,
            carrier: Carrier::Bearer,
        };
        let made = wanted.reserve(self.session).await?;
        match cookies.bearer_token(&self.user_id, &made.token) {
            Some(value) => Ok(BearerToken {
                value,
                session_id: made.id,
            }),
            None => {
                if let Some(reservation) = self.session.take_reservation() {
                    reservation.release().await;
                }
                let error = Error::unavailable("the bearer token could not be encrypted");
                Err(LoginError::Unavailable(error))
            }
        }
    }
}

impl<'a> IntoFuture for BearerLogin<'a> {
    type Output = Result<BearerToken, LoginError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// What a client sends as `Authorization: Bearer …` from now on: 100 to 440 letters, digits, `-` and `_`.
///
/// It opens nothing until the response that carries it has succeeded. As JSON it is a string; `Debug` hides the value.
///
/// # Security
///
/// A client that has it is the user until the session ends. Send it only in the body of a response over TLS: not in a
/// URL, which ends up in logs and histories (ASVS 5.0, 14.2.1), and not in an event or a log line.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken {
    value: String,
    session_id: Uuid,
}

impl BearerToken {
    /// The value that the client sends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// The session's public id, which is safe in logs and URLs.
    #[must_use]
    pub fn session_id(&self) -> Uuid {
        self.session_id
    }
}

impl fmt::Display for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.value)
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BearerToken")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

impl Serialize for BearerToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.value)
    }
}
