//! What went wrong in the database, sorted by what can be done about it.

use std::{error::Error as StdError, fmt};

use super::driver::Backend;

/// What can be done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The connection or the server is gone or has no room; a read may be tried once more.
    Lost,
    /// A deadlock, a serialisation failure, a busy file: the same again, a little later.
    Conflict,
    /// The statement failed on some row's data or on its text.
    Statement,
    /// No answer within the time budget.
    TimedOut,
}

/// A failed statement. Neither its text nor that of its sources holds a value of a row or a parameter.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: FaultKind,
    summary: String,
}

impl Fault {
    pub(crate) fn of<DB: Backend>(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::Database(database) => DB::fault_kind(database.as_ref()),
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
            summary: summary(&error),
        }
    }

    pub(crate) fn timed_out() -> Self {
        Self {
            kind: FaultKind::TimedOut,
            summary: "no answer within the time budget".into(),
        }
    }

    /// The connection was given up.
    pub(crate) fn gone() -> Self {
        Self {
            kind: FaultKind::Lost,
            summary: "the connection was given up".into(),
        }
    }

    /// A row without which an answer cannot be understood.
    pub(crate) fn corrupt() -> Self {
        Self {
            kind: FaultKind::Statement,
            summary: "a row does not read as a session; look at countersign_sessions".into(),
        }
    }

    pub(crate) fn kind(&self) -> FaultKind {
        self.kind
    }
}

/// The database's message where it speaks of tables, columns, permissions or resources. Messages about data quote
/// the data, so of those only the code is kept.
fn summary(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else {
        return match error {
            sqlx::Error::Decode(_) | sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } => {
                "a value does not fit its column".into()
            }
            other => other.to_string(),
        };
    };
    let code = database.code().unwrap_or_default();
    let quotes_data = match code.get(..2) {
        // SQLSTATE classes: data exceptions, constraint violations, MySQL's catch-all
        Some("22" | "23" | "HY" | "01" | "44") if code.len() == 5 => true,
        _ => false,
    };
    match quotes_data {
        true => format!("the database refused a value (code {code})"),
        false => format!("{} (code {code})", database.message()),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.summary)
    }
}

impl StdError for Fault {}
