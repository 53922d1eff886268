//! Transactions that grant something: prepared, committed, and never both lost and retried.

use std::future::Future;

use tokio::time::{Instant, timeout_at};

use super::{
    Bind, Fault, FaultKind, Store,
    dialect::Dialect,
    driver::{Link, Unit},
    retry::Pauses,
    statement::Statement,
    value::CorruptRow,
};
use crate::error::Error;

/// Why nothing was granted.
#[derive(Debug)]
pub(crate) enum SignInError {
    /// The limit refuses one more.
    LimitReached { max: u32 },
    /// The account may not be used.
    AccountRefused,
    /// The session of the administrator who wants to act as a user is over.
    PreviousOver,
    /// The reservation lapsed or was revoked meanwhile.
    Lapsed,
    /// The client waits for it no longer; nothing was changed.
    Abandoned,
    /// The database did not do it.
    Store(Error),
    /// The commit was sent, its answer did not come.
    Unknown(Error),
}

/// Why a transaction stopped before its commit.
pub(super) enum Attempt {
    Fault(Fault),
    Refused(SignInError),
}

impl Attempt {
    pub(super) fn corrupt(row: CorruptRow) -> Self {
        Self::Refused(SignInError::Store(row.into()))
    }
}

impl From<Fault> for Attempt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The last step, which grants; until it is sent, nothing has been.
pub(super) enum Last<'a> {
    Commit(Box<dyn Unit>),
    /// One statement, without a transaction around it.
    Alone(Box<dyn Link>, &'a Statement, Vec<Bind>),
    /// The preparation found that this way grants nothing.
    Nothing,
}

/// What the last step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    Granted,
    /// No row met the statement's conditions, so nothing was changed.
    Nothing,
}

impl Last<'_> {
    async fn carry_out(self) -> Result<Carried, Fault> {
        match self {
            Self::Commit(unit) => unit.commit().await.map(|()| Carried::Granted),
            Self::Alone(mut link, statement, binds) => {
                match link.execute(statement, binds).await? {
                    0 => Ok(Carried::Nothing),
                    _ => Ok(Carried::Granted),
                }
            }
            Self::Nothing => Ok(Carried::Nothing),
        }
    }
}

impl Store {
    /// As [`try_commit_with`](Self::try_commit_with), for what is granted unless there is an error.
    pub(super) async fn commit_with<'a, T: Send, F>(
        &'a self,
        prepare: impl FnMut() -> F + Send,
    ) -> Result<T, SignInError>
    where
        F: Future<Output = Result<(Last<'a>, T), Attempt>> + Send,
    {
        match self.try_commit_with(prepare).await? {
            (Carried::Granted, value) => Ok(value),
            (Carried::Nothing, _) => Err(SignInError::Unknown(Fault::incomplete().into())),
        }
    }

    /// Prepares what grants, again when it meets a conflict, and carries out its last step; all within the time budget.
    pub(super) async fn try_commit_with<'a, T: Send, F>(
        &'a self,
        mut prepare: impl FnMut() -> F + Send,
    ) -> Result<(Carried, T), SignInError>
    where
        F: Future<Output = Result<(Last<'a>, T), Attempt>> + Send,
    {
        let deadline = Instant::now() + self.time_budget;
        let mut pauses = Pauses::default();
        loop {
            let fault = match timeout_at(deadline, prepare()).await {
                Ok(Ok((last, value))) => match timeout_at(deadline, last.carry_out()).await {
                    Ok(Ok(carried)) => return Ok((carried, value)),
                    // The database says itself that it has undone it.
                    Ok(Err(fault)) if fault.kind() == FaultKind::Conflict => fault,
                    Ok(Err(fault)) => return Err(SignInError::Unknown(fault.into())),
                    Err(_) => return Err(SignInError::Unknown(Fault::timed_out().into())),
                },
                Ok(Err(Attempt::Fault(fault))) => fault,
                Ok(Err(Attempt::Refused(error))) => return Err(error),
                Err(_) => Fault::timed_out(),
            };
            if fault.kind() != FaultKind::Conflict || !pauses.pause().await {
                return Err(SignInError::Store(self.with_advice(fault).into()));
            }
        }
    }

    /// On SQLite a handler that has written in a transaction of its own waits for itself.
    fn with_advice(&self, fault: Fault) -> Fault {
        let waited = matches!(fault.kind(), FaultKind::Conflict | FaultKind::TimedOut);
        match waited && self.fragments.dialect == Dialect::Sqlite {
            true => fault.with(
                "if the handler has a transaction open, it must commit before it signs a user in: SQLite has one writer",
            ),
            false => fault,
        }
    }
}
