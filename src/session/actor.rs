//! The user or job that ends sessions.

use std::fmt;

use super::SignedIn;
use crate::{error::Error, user_id::UserId};

/// Who ends a session or sets a limit: a user's id, or the name of a job. Sessions record it as `ended_by`, and the log
/// has it.
///
/// It must have 1 to 255 bytes, no control characters, and no white space at either end. The method that takes it
/// checks that, and returns an error of the kind [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    pub(super) fn checked(self) -> Result<String, Error> {
        UserId::from(self.0.as_str())
            .validate()
            .map_err(Error::invalid)?;
        Ok(self.0)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&str> for Actor {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl From<&UserId> for Actor {
    fn from(user_id: &UserId) -> Self {
        Self(user_id.to_string())
    }
}

/// The user who is signed in, or the administrator who acts as that user.
impl From<&SignedIn> for Actor {
    fn from(user: &SignedIn) -> Self {
        user.actor().into()
    }
}

impl From<UserId> for Actor {
    fn from(user_id: UserId) -> Self {
        Self(user_id.to_string())
    }
}
