//! Who ends sessions.

use std::fmt;

use super::SignedIn;
use crate::{error::Error, user_id::UserId};

/// Who ends a session: a user's id, or the name of a job. Recorded as `ended_by`, and logged.
///
/// 1 to 255 bytes, no control characters, no white space at either end; checked where it is used, as invalid input.
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

/// Who does what is done in this request: the administrator, where one acts as the user.
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
