//! Exit codes for scripts, and error messages.

use std::{error::Error as StdError, fmt, io, process::ExitCode};

use countersign::{BuildError, Error, ErrorKind, MigrateError};

/// The exit codes in `--help`. The numbers are those of [`Exit`].
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  nothing was found: no such session, no session that matches, no limit;
     or not all of the sessions named were live
  2  the command or an argument is invalid
  3  the database cannot be reached, or does not answer in time
  4  countersign's tables are missing, older or newer than this program
  5  not confirmed: nothing was changed
  6  failed: the database refused, or the result could not be written";

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    NothingFound = 1,
    Usage = 2,
    Unavailable = 3,
    Schema = 4,
    NotConfirmed = 5,
    Failed = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The result of a command.
pub(crate) type Outcome = Result<Exit, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    broken_pipe: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            broken_pipe: false,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether the reader of the output has gone.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }

    /// The same failure, with a text before its message.
    pub(crate) fn after(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            exit: Exit::Failed,
            message: format!("the result could not be written: {error}"),
            broken_pipe: error.kind() == io::ErrorKind::BrokenPipe,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let cause = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        match error.kind() {
            ErrorKind::Unavailable => Self::new(
                Exit::Unavailable,
                format!("the database is not available: {cause}"),
            ),
            ErrorKind::InvalidInput => Self::usage(cause),
            _ => Self::new(Exit::Failed, format!("the database refused: {cause}")),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Database(error) => error.into(),
            BuildError::SchemaMissing => Self::new(
                Exit::Schema,
                "countersign's tables are missing, or this user may not read them. Check that it is the right database; \
                 `countersign migrate` creates the tables",
            ),
            BuildError::SchemaOlder { found, needed } => Self::new(
                Exit::Schema,
                format!(
                    "countersign's tables have version {found}, but this program needs {needed}: run `countersign migrate`"
                ),
            ),
            BuildError::SchemaNewer { found, needed } => Self::new(
                Exit::Schema,
                format!(
                    "countersign's tables have version {found}, but this program knows {needed}: install a newer countersign-cli"
                ),
            ),
            error @ (BuildError::SchemaUnfinished { .. } | BuildError::SchemaDamaged { .. }) => {
                Self::new(Exit::Schema, error.to_string())
            }
            error @ (BuildError::ReadOnly { .. }
            | BuildError::RightMissing(_)
            | BuildError::BinlogFormat) => Self::new(Exit::Failed, error.to_string()),
            other => Self::usage(other.to_string()),
        }
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        use sqlx::migrate::MigrateError as Cause;
        let cause = error
            .source()
            .and_then(|source| source.downcast_ref::<Cause>());
        let exit = match cause {
            Some(Cause::VersionMissing(_) | Cause::VersionMismatch(_) | Cause::Dirty(_)) => {
                Exit::Schema
            }
            Some(Cause::Execute(error)) if is_lost(error) => Exit::Unavailable,
            _ => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

/// Whether the connection failed.
fn is_lost(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
    )
}
