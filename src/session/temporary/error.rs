//! Why temporary state is not kept.

use std::{error::Error as StdError, fmt};

use crate::error::Error;

/// Why a value is not kept.
///
/// As a response: 503 with `Retry-After` for [`Unavailable`](Self::Unavailable), 500 for the rest, which is the application's
/// to mend.
#[derive(Debug)]
#[non_exhaustive]
pub enum TemporaryError {
    /// A purpose has 1 to 32 letters `a`–`z`, digits and `-`.
    InvalidPurpose {
        /// What was given.
        purpose: &'static str,
    },
    /// The value does not fit into a cookie.
    TooLarge {
        /// How many bytes it has as JSON.
        bytes: usize,
        /// How many fit.
        max: usize,
    },
    /// The value cannot be written as JSON.
    NotSerializable(Box<dyn StdError + Send + Sync>),
    /// The response is out already, and with it the chance to send a cookie.
    ResponseSent,
    /// It is not known whose session this is, since the database is away, or the system has no randomness to give.
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
                "{purpose:?} is no purpose: use 1 to 32 letters a–z, digits and `-`"
            ),
            Self::TooLarge { bytes, max } => write!(
                formatter,
                "the value has {bytes} bytes as JSON and {max} fit into a cookie: keep less, or keep it in your database"
            ),
            Self::NotSerializable(_) => {
                formatter.write_str("the value cannot be written as JSON: see its `Serialize`")
            }
            Self::ResponseSent => formatter.write_str(
                "the response has been sent already: keep the value inside the handler, before it answers",
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
