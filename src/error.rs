//! The one error of the operations, and those of setting up.

mod build;
mod migrate;

use std::{error::Error as StdError, fmt};

pub(crate) use self::migrate::MigrateAdvice;
pub use self::{build::BuildError, migrate::MigrateError};
use crate::store::{Fault, FaultKind};

/// An operation on sessions failed.
///
/// Opaque, so that a driver can change without changing signatures: ask [`kind`](Self::kind) what to do, and
/// [`source`](StdError::source) what happened.
///
/// # Security
///
/// Neither this error's text nor that of its source holds a token, a digest or a value of a row
/// (ASVS 5.0, 16.2.5).
pub struct Error {
    kind: ErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What can be done about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The database is away, slow, full or busy. Nothing is known and nothing was granted: answer 503, try again.
    Unavailable,
    /// An argument cannot be right. Nothing was changed.
    InvalidInput,
    /// A statement failed and would fail again: the schema or the application's SQL does not fit, or a row is corrupt.
    Store,
}

impl Error {
    /// What can be done about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }

    /// What happened, for logs.
    pub(crate) fn cause(&self) -> String {
        match &self.source {
            Some(source) => source.to_string(),
            None => self.to_string(),
        }
    }

    pub(crate) fn invalid(what: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind: ErrorKind::InvalidInput,
            source: Some(what.into()),
        }
    }

    pub(crate) fn unavailable(what: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind: ErrorKind::Unavailable,
            source: Some(what.into()),
        }
    }

    pub(crate) fn corrupt() -> Self {
        Self {
            kind: ErrorKind::Store,
            source: Some("a row does not read as a session; look at countersign_sessions".into()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            ErrorKind::Unavailable => "the session database is not available; try again later",
            ErrorKind::InvalidInput => "an argument of a session operation is not valid",
            ErrorKind::Store => {
                "a session statement failed; check the schema and the SQL given to the builder"
            }
        })
    }
}

/// The text and what happened, as `main` prints them for an error that it returns.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(formatter, "{self}: {source}"),
            None => fmt::Display::fmt(self, formatter),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind() {
            _ if fault.is_of_the_argument() => ErrorKind::InvalidInput,
            FaultKind::Lost | FaultKind::Conflict | FaultKind::TimedOut => ErrorKind::Unavailable,
            FaultKind::Data | FaultKind::Statement => ErrorKind::Store,
        };
        Self {
            kind,
            source: Some(Box::new(fault)),
        }
    }
}
