//! Why the tables could not be made.

use std::{error::Error as StdError, fmt};

use sqlx::migrate::MigrateError as Cause;

/// [`migrate`](crate::migrate()) failed. What was not applied is not recorded: it can be run again.
pub struct MigrateError {
    cause: Cause,
    advice: MigrateAdvice,
}

/// What most likely helps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum MigrateAdvice {
    #[default]
    Rights,
    /// Wait for whatever holds the lock, or end it.
    Busy,
    /// Go to the primary.
    ReadOnly,
}

impl MigrateError {
    pub(crate) fn new(cause: Cause, advice: MigrateAdvice) -> Self {
        Self { cause, advice }
    }
}

impl From<Cause> for MigrateError {
    fn from(cause: Cause) -> Self {
        Self::new(cause, MigrateAdvice::default())
    }
}

impl fmt::Display for MigrateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::VersionMissing(version) => write!(
                formatter,
                "the database has countersign's migration {version}, which this version does not know: update the \
                 countersign dependency of this application"
            ),
            Cause::VersionMismatch(version) => write!(
                formatter,
                "countersign's migration {version} was applied with another text: compare `_countersign_migrations` with \
                 the migrations of the version that ran it"
            ),
            Cause::Dirty(version) => write!(
                formatter,
                "countersign's migration {version} stopped halfway: delete its row from `_countersign_migrations` and run \
                 migrate again, its statements may be repeated"
            ),
            other => write!(
                formatter,
                "countersign's tables could not be made: {other}; {}",
                self.advice
            ),
        }
    }
}

impl fmt::Display for MigrateAdvice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rights => "the database user needs the right to create tables and indexes",
            Self::Busy => {
                "another program is migrating this database, or a transaction holds countersign's tables: wait for it, or \
                 end it, and run migrate again"
            }
            Self::ReadOnly => {
                "this is a replica, or a database that takes no writes: migrate on the primary"
            }
        })
    }
}

/// The text, as `main` prints it for an error that it returns.
impl fmt::Debug for MigrateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl StdError for MigrateError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.cause)
    }
}
