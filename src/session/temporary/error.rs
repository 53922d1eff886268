//! Errors of temporary state.

use std::{error::Error as StdError, fmt};

use crate::error::Error;

/// Why the browser does not keep a value. As a response, [`Unavailable`](Self::Unavailable) is 503 with `Retry-After`; the
/// others are mistakes of the application, and 500.
#[derive(Debug)]
#[non_exhaustive]
pub enum TemporaryError {
    /// A purpose has 1 to 32 letters `a`–`z`, digits and `-`.
    InvalidPurpose {
        /// The purpose that the application passed.
        purpose: &'static str,
    },
    /// The value does not fit into a cookie.
    TooLarge {
        /// The value's length as JSON, in bytes.
        bytes: usize,
        /// The longest that fits, in bytes.
        max: usize,
    },
    /// serde cannot write the value as JSON.
    NotSerializable(Box<dyn StdError + Send + Sync>),
    /// The response is out, so it is too late for a cookie.
    ResponseSent,
    /// The database cannot verify the session, so the value's owner is unknown; or the system gives no random bytes.
    Unavailable(Error),
}

pub(super) fn unavailable(why: &'static str) -> TemporaryError {
    TemporaryError::Unavailable(Error::unavailable(why))
}

impl fmt::Display for TemporaryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPurpose { purpose } => write!(
                formatter,
                "{purpose:?} is not a purpose: use 1 to 32 letters a–z, digits and `-`"
            ),
            Self::TooLarge { bytes, max } => write!(
                formatter,
                "the value has {bytes} bytes as JSON, and a cookie holds {max}: keep less, or keep it in your database"
            ),
            Self::NotSerializable(_) => {
                formatter.write_str("serde cannot write the value as JSON: look at its `Serialize`")
            }
            Self::ResponseSent => formatter.write_str(
                "the response is out: keep the value inside the handler, before it returns",
            ),
            Self::Unavailable(error) => error.fmt(formatter),
        }
    }
}

impl StdError for TemporaryError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NotSerializable(error) => Some(error.as_ref()),
            Self::Unavailable(error) => Some(error),
            Self::InvalidPurpose { .. } | Self::TooLarge { .. } | Self::ResponseSent => None,
        }
    }
}
