//! Why a handle could not be built.

use std::{error::Error as StdError, fmt};

use super::Error;

/// Why [`SessionsBuilder::build`](crate::SessionsBuilder::build) refused.
///
/// Every message says what to change.
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
    /// The builder was not told where accounts are.
    AccountMissing,
    /// A part of the application's SQL has another shape than the builder's call takes.
    SqlShape {
        /// The builder's method.
        call: &'static str,
        /// What it takes.
        rule: &'static str,
        /// The SQL as given.
        sql: String,
    },
    /// The application's SQL lacks the user's id, has it in an unknown form, or in quotes.
    UserPlaceholder {
        /// The SQL as given.
        sql: String,
    },
    /// The columns of [`profile`](crate::SessionsBuilder::profile) cannot be told apart by name.
    ProfileColumns {
        /// What is wrong with them.
        problem: String,
    },
    /// The database cannot read a column of [`profile`](crate::SessionsBuilder::profile).
    ProfileColumn {
        /// The column's name.
        column: String,
        /// What the database says.
        error: Error,
    },
    /// A duration is zero, too long, or does not fit another one.
    Duration {
        /// The setting's name.
        setting: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A number is out of its range.
    Number {
        /// The setting's name.
        setting: &'static str,
        /// What it must be.
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
    /// A migration stopped halfway, or is being carried out at this moment.
    SchemaUnfinished {
        /// The version that it was to make.
        version: i64,
    },
    /// The tables are not as [`migrate`](crate::migrate()) made them.
    SchemaDamaged {
        /// What is missing or differs, and how to mend it where one statement does.
        problems: Vec<String>,
    },
    /// The pool reaches a replica, or a database that takes no writes.
    ReadOnly {
        /// What the database says of itself.
        state: &'static str,
    },
    /// The database user lacks a right that serving needs.
    RightMissing(Error),
    /// The server writes its binary log as statements, and therefore refuses the transactions of a sign-in.
    BinlogFormat,
    /// The database refused the application's SQL, or did not answer.
    Database(Error),
    /// The thread for [`on_event`](crate::SessionsBuilder::on_event) could not be started.
    EventThread(std::io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { problem } | Self::CookieNames { problem } | Self::TrustedProxy { problem }
            | Self::ProfileColumns { problem } => formatter.write_str(problem),
            Self::ProfileColumn { column, error } => write!(
                formatter,
                "the database cannot read the column `{column}` of `.profile`{}. Name a column that the FROM part has, or an \
                 expression `… AS {column}`",
                said(error)
            ),
            Self::Realm { realm } => write!(
                formatter,
                "the realm {realm:?} must be 1 to 64 lower-case letters, digits, `.`, `_` and `-`"
            ),
            Self::AccountMissing => formatter.write_str(
                "it is not known which accounts may be used: call `.account(\"users WHERE id = {user:int} AND NOT disabled\")` \
                 with your own table, or `.any_account()` if accounts are never disabled or deleted",
            ),
            Self::SqlShape { call, rule, sql } => {
                write!(formatter, "`.{call}` takes {rule}; `{sql}` is not that")
            }
            Self::UserPlaceholder { sql } => write!(
                formatter,
                "the SQL `{sql}` must contain the user's id as {{user:int}}, {{user:uuid}} or {{user:text}}, outside of quotes, \
                 and no other {{user…}}"
            ),
            Self::Duration { setting, rule } | Self::Number { setting, rule } => {
                write!(formatter, "`{setting}` must be {rule}")
            }
            Self::SignInPage { path } => write!(
                formatter,
                "the sign-in page `{path}` must be a path of this site: one slash, then no second slash, backslash, \
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
            Self::SchemaUnfinished { version } => write!(
                formatter,
                "countersign's migration {version} stopped halfway, or another program carries it out at this moment: run \
                 `countersign::migrate(&pool).await` with a database user that may create tables and indexes"
            ),
            Self::SchemaDamaged { problems } => write!(
                formatter,
                "countersign's tables are not as `countersign::migrate` made them: {}. Restore what no statement is given \
                 for from a backup; or, if all sessions may end, drop countersign_sessions, countersign_users and \
                 _countersign_migrations, and migrate again",
                problems.join("; ")
            ),
            Self::ReadOnly { state } => write!(
                formatter,
                "the pool reaches {state}: sign-ins and logouts are impossible there, and what was ended elsewhere may go \
                 on; give countersign a pool that reaches the primary"
            ),
            Self::RightMissing(error) => write!(
                formatter,
                "the database user lacks a right{}; serving needs SELECT, INSERT, UPDATE and DELETE on \
                 countersign_sessions, SELECT, INSERT and UPDATE on countersign_users, and SELECT on \
                 _countersign_migrations and on the tables that your SQL names",
                said(error)
            ),
            Self::BinlogFormat => formatter.write_str(
                "the server's binary log has the format STATEMENT, which refuses the transactions of a sign-in (READ \
                 COMMITTED): set binlog_format to ROW or MIXED in the server's configuration",
            ),
            Self::Database(error) => write!(formatter, "{error}{}", said(error)),
            Self::EventThread(error) => {
                write!(formatter, "the thread for events could not be started: {error}")
            }
        }
    }
}

/// The text, as `main` prints it for an error that it returns.
impl fmt::Debug for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Database(error)
            | Self::RightMissing(error)
            | Self::ProfileColumn { error, .. } => Some(error),
            Self::EventThread(error) => Some(error),
            _ => None,
        }
    }
}

/// What the database says, as the end of a message.
fn said(error: &Error) -> String {
    error
        .source()
        .map(|source| format!(": {source}"))
        .unwrap_or_default()
}
