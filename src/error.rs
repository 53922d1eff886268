//! The one error of the operations, and those of setting up.

use std::{error::Error as StdError, fmt};

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
#[derive(Debug)]
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
    /// A statement failed for good: the schema or the application's SQL does not fit, or a row is corrupt.
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
            FaultKind::Lost | FaultKind::Conflict | FaultKind::TimedOut => ErrorKind::Unavailable,
            FaultKind::Data | FaultKind::Statement => ErrorKind::Store,
        };
        Self {
            kind,
            source: Some(Box::new(fault)),
        }
    }
}

/// Why [`SessionsBuilder::build`](crate::SessionsBuilder::build) refused.
///
/// Every message says what to change.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// No key, or the same key twice.
    Keys {
        /// What is wrong with them.
        problem: String,
    },
    /// The realm's name cannot be used.
    Realm {
        /// The name as given.
        realm: String,
    },
    /// The names of the two cookies cannot be used.
    CookieNames {
        /// What is wrong with them.
        problem: String,
    },
    /// A trusted proxy is neither an address nor a network.
    TrustedProxy {
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody said where accounts are.
    AccountMissing,
    /// The application's SQL lacks the user's id, or has it in an unknown form.
    UserPlaceholder {
        /// The SQL as given.
        sql: String,
    },
    /// A duration is zero, too long, or does not fit another one.
    Duration {
        /// The setting's name.
        setting: &'static str,
        /// What it has to be.
        rule: &'static str,
    },
    /// A number is out of its range.
    Number {
        /// The setting's name.
        setting: &'static str,
        /// What it has to be.
        rule: &'static str,
    },
    /// The page to sign in is not a path of this site.
    SignInPage {
        /// The path as given.
        path: String,
    },
    /// Both SQL and a [`PermissionSource`](crate::PermissionSource) were given.
    TwoPermissionSources,
    /// The tables are not there.
    SchemaMissing,
    /// The tables are older than this version of countersign.
    SchemaOlder {
        /// The version found.
        found: i64,
        /// The version needed.
        needed: i64,
    },
    /// The tables are newer than this version of countersign.
    SchemaNewer {
        /// The version found.
        found: i64,
        /// The version needed.
        needed: i64,
    },
    /// The database refused the application's SQL, or did not answer.
    Database(Error),
    /// The thread for [`on_event`](crate::SessionsBuilder::on_event) could not be started.
    EventThread(std::io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { problem } | Self::CookieNames { problem } | Self::TrustedProxy { problem } => {
                formatter.write_str(problem)
            }
            Self::Realm { realm } => write!(
                formatter,
                "the realm {realm:?} has to be 1 to 64 lower-case letters, digits, `.`, `_` and `-`"
            ),
            Self::AccountMissing => formatter.write_str(
                "it is not known which accounts may be used: call `.account(\"users WHERE id = {user:int} AND NOT disabled\")` \
                 with your own table, or `.any_account()` if accounts are never disabled or deleted",
            ),
            Self::UserPlaceholder { sql } => write!(
                formatter,
                "the SQL `{sql}` has to contain the user's id as {{user:int}}, {{user:uuid}} or {{user:text}}, and no other {{user…}}"
            ),
            Self::Duration { setting, rule } | Self::Number { setting, rule } => {
                write!(formatter, "`{setting}` has to be {rule}")
            }
            Self::SignInPage { path } => write!(
                formatter,
                "the sign-in page `{path}` has to be a path of this site: one slash, then no second slash, backslash, \
                 query, fragment, space or control character"
            ),
            Self::TwoPermissionSources => formatter.write_str(
                "a permission source answers for accounts and permissions alike: drop `.account`, `.any_account` and \
                 `.permissions`, or drop `.permission_source`",
            ),
            Self::SchemaMissing => formatter.write_str(
                "countersign's tables are missing: run `countersign::migrate(&pool).await` before building, with a \
                 database user that may create tables",
            ),
            Self::SchemaOlder { found, needed } => write!(
                formatter,
                "countersign's tables are of version {found}, this version needs {needed}: run `countersign::migrate(&pool).await`"
            ),
            Self::SchemaNewer { found, needed } => write!(
                formatter,
                "countersign's tables are of version {found}, this version knows {needed}: update the countersign dependency \
                 of this application"
            ),
            Self::Database(error) => match error.source() {
                Some(source) => write!(formatter, "{error}: {source}"),
                None => write!(formatter, "{error}"),
            },
            Self::EventThread(error) => {
                write!(formatter, "the thread for events could not be started: {error}")
            }
        }
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::EventThread(error) => Some(error),
            _ => None,
        }
    }
}

/// [`migrate`](crate::migrate()) failed. What was not applied is not recorded: it can be run again.
#[derive(Debug)]
pub struct MigrateError(sqlx::migrate::MigrateError);

impl From<sqlx::migrate::MigrateError> for MigrateError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self(error)
    }
}

impl fmt::Display for MigrateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use sqlx::migrate::MigrateError as Cause;
        match &self.0 {
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
                "countersign's tables could not be made: {other}; the database user has to be allowed to create tables and indexes"
            ),
        }
    }
}

impl StdError for MigrateError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}
