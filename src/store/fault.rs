//! What went wrong in the database, sorted by what can be done about it.
// docs/decisions/29-faults-by-remedy.md

use std::{error::Error as StdError, fmt};

use super::driver::Backend;

/// What can be done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The connection or the server is gone or has no room; a read may be tried once more.
    Lost,
    /// A deadlock, a serialisation failure, a busy file: the same again, a little later.
    Conflict,
    /// The statement failed on some row's data: without that row it would not.
    Data,
    /// The statement failed and would fail again: its text does not fit the schema, or a right is missing.
    Statement,
    /// No answer within the time budget.
    TimedOut,
}

/// A failed statement. Neither its text nor that of its sources holds a value of a row or a parameter.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: FaultKind,
    summary: String,
    /// The database's own code; empty where it did not say anything.
    code: String,
}

impl Fault {
    pub(crate) fn of<DB: Backend>(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::Database(database) => DB::fault_kind(database.as_ref()),
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => FaultKind::Data,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => FaultKind::Lost,
            _ => FaultKind::Statement,
        };
        Self {
            kind,
            summary: summary::<DB>(&error),
            code: error.as_database_error().map(DB::code).unwrap_or_default(),
        }
    }

    pub(crate) fn timed_out() -> Self {
        Self {
            kind: FaultKind::TimedOut,
            summary: "no answer within the time budget".into(),
            code: String::new(),
        }
    }

    /// The connection was given up.
    pub(crate) fn gone() -> Self {
        Self {
            kind: FaultKind::Lost,
            summary: "the connection was given up".into(),
            code: String::new(),
        }
    }

    /// More wait than there is any use in.
    pub(crate) fn crowded() -> Self {
        Self {
            kind: FaultKind::TimedOut,
            summary: "too many sign-ins wait for the database already".into(),
            code: String::new(),
        }
    }

    /// A new connection came with a transaction that is not ours.
    pub(crate) fn in_transaction() -> Self {
        Self {
            kind: FaultKind::Lost,
            summary: "a new connection came inside a transaction: look at what the pool's after_connect leaves open"
                .into(),
            code: String::new(),
        }
    }

    /// The server does not write, so what it knows may be old.
    pub(crate) fn read_only() -> Self {
        Self {
            kind: FaultKind::Lost,
            summary: "the database server is read-only, a replica or a standby: sessions need the one that writes"
                .into(),
            code: READ_ONLY.into(),
        }
    }

    /// A row without which an answer cannot be understood.
    pub(crate) fn corrupt() -> Self {
        Self {
            kind: FaultKind::Data,
            summary: "a row does not read as a session; look at countersign_sessions".into(),
            code: String::new(),
        }
    }

    /// An answer with less in it than was asked for.
    pub(crate) fn incomplete() -> Self {
        Self {
            kind: FaultKind::Statement,
            summary: "the database left rows out of its answer; look at settings such as sql_select_limit".into(),
            code: String::new(),
        }
    }

    /// The same, and what may help.
    pub(super) fn with(self, advice: &str) -> Self {
        Self {
            summary: format!("{}; {advice}", self.summary),
            ..self
        }
    }

    pub(crate) fn kind(&self) -> FaultKind {
        self.kind
    }

    /// Whether a text that came as a parameter cannot be kept in this database at all.
    pub(crate) fn is_of_the_argument(&self) -> bool {
        self.code == LETTER_MISSING
    }

    /// The database's own code for what went wrong.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.kind == FaultKind::Lost
    }

    /// Whether it says nothing about the statement.
    pub(crate) fn is_passing(&self) -> bool {
        match self.kind {
            FaultKind::Lost | FaultKind::Conflict | FaultKind::TimedOut => true,
            FaultKind::Data | FaultKind::Statement => false,
        }
    }
}

/// Ours, for a server that no database has a code for: it answers, and is the wrong one.
pub(super) const READ_ONLY: &str = "read-only";
/// PostgreSQL's: the text cannot be converted into the encoding of the database, which is not UTF-8.
const LETTER_MISSING: &str = "22P05";

/// The database's message where it speaks of tables, columns, rights or resources. Messages about data quote the
/// data, so of anything else only the code is kept.
fn summary<DB: Backend>(error: &sqlx::Error) -> String {
    let database = match error {
        sqlx::Error::Database(database) => database,
        sqlx::Error::Decode(_) | sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } => {
            return "a value does not fit its column".into();
        }
        other => return other.to_string(),
    };
    let code = DB::code(database.as_ref());
    if code == LETTER_MISSING {
        return format!("the database's encoding lacks a letter of this text (code {code})");
    }
    match DB::quotes_no_data(database.as_ref()) {
        true => format!("{} (code {code})", database.message()),
        false => format!("the database refused the statement (code {code})"),
    }
}

/// Whether a message of this SQLSTATE speaks of anything but data: connections, rights, syntax and names, resources,
/// operators, transactions. Classes 22, 23, HY and those of the application's own functions are not among them.
pub(crate) fn class_quotes_no_data(sqlstate: &str) -> bool {
    const CLASSES: [&str; 13] = [
        "08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57",
    ];
    CLASSES.iter().any(|class| sqlstate.starts_with(class))
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.summary)
    }
}

impl StdError for Fault {}
