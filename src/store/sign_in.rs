//! The only place that creates sessions: reserve, then make real or release; and the rotation of tokens.
//!
//! Counting, ending and inserting happen under a lock on the user's row (on SQLite, on the database), so that no two
//! sign-ins of a user can see the same free place.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, FaultKind, MAX_LIST, Store,
    driver::Unit,
    end_binds, end_token_binds,
    retry::{Pauses, retry},
    value::{CorruptRow, Row},
};
use crate::{
    error::Error,
    session::limits::{Admission, Limit, MaxSessions, Rival, admit_reservation, admit_session},
    token::TokenHash,
    user_id::UserId,
};

/// A sign-in whose response has not gone out yet.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    pub(crate) token: TokenHash,
    /// The browser's session until now: it takes no place of its own and ends when the new one becomes real.
    pub(crate) previous: Option<TokenHash>,
    pub(crate) remembered: bool,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
}

#[derive(Debug)]
pub(crate) enum SignInError {
    /// The limit refuses one more.
    LimitReached { max: u32 },
    /// The reservation lapsed or was revoked meanwhile.
    Lapsed,
    /// Nobody waits for it any longer; nothing was changed.
    Abandoned,
    /// The database did not do it.
    Store(Error),
    /// The commit was sent, its answer did not come.
    Unknown(Error),
}

/// A new token for a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotation {
    pub(crate) id: Uuid,
    pub(crate) old: TokenHash,
    pub(crate) new: TokenHash,
    pub(crate) proof: Proof,
}

/// Whether the user has just proved again who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Unchanged,
    GivenAgain,
}

/// What the new cookie of a rotated session needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotated {
    pub(crate) remembered: bool,
    pub(crate) remaining: Duration,
}

impl Store {
    /// Takes a place for a new session. It opens nothing until it is made real, and lapses by itself.
    pub(crate) async fn reserve(
        &self,
        new: &NewSession,
        default: Limit,
    ) -> Result<(), SignInError> {
        self.commit(|| self.prepare_reservation(new, default)).await
    }

    async fn prepare_reservation(
        &self,
        new: &NewSession,
        default: Limit,
    ) -> Result<Box<dyn Unit>, Attempt> {
        let mut unit = self.driver.begin().await?;
        unit.execute(
            &self.statements.insert_user,
            vec![Bind::Text(new.user_id.to_string())],
        )
        .await?;
        let limit = self.lock_user(unit.as_mut(), &new.user_id, default).await?;
        let rivals = self.rivals(unit.as_mut(), new).await?;
        if let Admission::Full { max } = admit_reservation(limit, &rivals) {
            return Err(Attempt::Refused(SignInError::LimitReached { max }));
        }
        unit.execute(&self.statements.insert, insert_binds(new))
            .await?;
        Ok(unit)
    }

    /// Makes a reserved session real: ends those that have to go for it, and the one it replaces, in the same
    /// transaction. `wanted` is asked last of all before the commit.
    pub(crate) async fn activate(
        &self,
        new: &NewSession,
        default: Limit,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), SignInError> {
        self.commit(|| self.prepare_activation(new, default, wanted))
            .await
    }

    async fn prepare_activation(
        &self,
        new: &NewSession,
        default: Limit,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Box<dyn Unit>, Attempt> {
        let by = new.user_id.as_str();
        let mut unit = self.driver.begin().await?;
        let limit = self.lock_user(unit.as_mut(), &new.user_id, default).await?;
        let rivals = self.rivals(unit.as_mut(), new).await?;
        let ends = match admit_session(limit, rivals) {
            Admission::Full { max } => {
                return Err(Attempt::Refused(SignInError::LimitReached { max }));
            }
            Admission::Admitted { ends } => ends,
        };
        for ends in ends.chunks(MAX_LIST) {
            let binds = end_binds(EndedReason::Limit, Some(by), Bind::Uuids(ends.to_vec()));
            unit.execute(&self.statements.end_ids, binds).await?;
        }
        if let Some(previous) = new.previous {
            let binds = end_token_binds(previous, EndedReason::Replaced, Some(by));
            unit.execute(&self.statements.end_token, binds).await?;
        }
        if unit
            .execute(&self.statements.activate, vec![Bind::from(new.id)])
            .await?
            == 0
        {
            return Err(Attempt::Refused(SignInError::Lapsed));
        }
        if !wanted() {
            return Err(Attempt::Refused(SignInError::Abandoned));
        }
        Ok(unit)
    }

    /// Gives a reserved place back.
    pub(crate) async fn release(&self, id: Uuid) -> Result<u64, Error> {
        self.within_budget(retry(|| async {
            let mut link = self.driver.acquire().await?;
            link.execute(&self.statements.release, vec![Bind::from(id)])
                .await
        }))
        .await
    }

    /// Gives a live session a new token; the old one stays good for the grace period. Of several rotations of one
    /// token the first wins; the others get `None` and keep the browser's cookie as it is.
    pub(crate) async fn rotate(
        &self,
        rotation: &Rotation,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Option<Rotated>, SignInError> {
        let outcome = self
            .commit_with(|| self.prepare_rotation(rotation, wanted))
            .await;
        match outcome {
            Ok(rotated) => Ok(Some(rotated)),
            Err(SignInError::Lapsed) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn prepare_rotation(
        &self,
        rotation: &Rotation,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(Box<dyn Unit>, Rotated), Attempt> {
        let statement = match rotation.proof {
            Proof::Unchanged => &self.statements.rotate,
            Proof::GivenAgain => &self.statements.rotate_reauthenticated,
        };
        let mut unit = self.driver.begin().await?;
        let binds = vec![
            Bind::Hash(rotation.new),
            Bind::from(rotation.id),
            Bind::Hash(rotation.old),
        ];
        if unit.execute(statement, binds).await? == 0 {
            return Err(Attempt::Refused(SignInError::Lapsed));
        }
        let rows = unit
            .fetch(&self.statements.rotated, vec![Bind::from(rotation.id)])
            .await?;
        let rotated = read_rotated(&rows).map_err(Attempt::corrupt)?;
        if !wanted() {
            return Err(Attempt::Refused(SignInError::Abandoned));
        }
        Ok((unit, rotated))
    }

    /// Takes back a rotation whose new token never left the house.
    pub(crate) async fn undo_rotation(&self, id: Uuid, new: TokenHash) -> Result<u64, Error> {
        self.within_budget(retry(|| async {
            let mut link = self.driver.acquire().await?;
            link.execute(
                &self.statements.undo_rotation,
                vec![Bind::from(id), Bind::Hash(new)],
            )
            .await
        }))
        .await
    }

    /// The user's own maximum, if one was set.
    pub(crate) async fn user_limit(&self, user_id: &UserId) -> Result<Option<MaxSessions>, Error> {
        let rows = self
            .within_budget(async {
                let mut link = self.driver.acquire().await?;
                link.fetch(
                    &self.statements.user_limit,
                    vec![Bind::Text(user_id.to_string())],
                )
                .await
            })
            .await?;
        match rows.first() {
            Some(row) => Ok(row.maybe_int(0)?.map(MaxSessions::from_column)),
            None => Ok(None),
        }
    }

    /// Sets or takes back the user's own maximum.
    pub(crate) async fn set_user_limit(
        &self,
        user_id: &UserId,
        max: Option<MaxSessions>,
    ) -> Result<(), Error> {
        const NONE: i64 = -2; // see the statement
        self.within_budget(retry(|| async {
            let mut unit = self.driver.begin().await?;
            unit.execute(
                &self.statements.insert_user,
                vec![Bind::Text(user_id.to_string())],
            )
            .await?;
            let column = max.map_or(NONE, MaxSessions::to_column);
            let binds = vec![Bind::Int(column), Bind::Text(user_id.to_string())];
            unit.execute(&self.statements.set_user_limit, binds).await?;
            unit.commit().await
        }))
        .await
    }

    async fn lock_user(
        &self,
        unit: &mut dyn Unit,
        user_id: &UserId,
        default: Limit,
    ) -> Result<Limit, Attempt> {
        let rows = unit
            .fetch(
                &self.statements.lock_user,
                vec![Bind::Text(user_id.to_string())],
            )
            .await?;
        let own = rows.first().and_then(|row| row.maybe_int(0).ok().flatten());
        let application = match (&self.statements.application_limit, own) {
            (Some(query), None) => unit
                .fetch(query, vec![Bind::Text(user_id.to_string())])
                .await?
                .first()
                .and_then(|row| row.maybe_int(0).ok().flatten()),
            _ => None,
        };
        Ok(match own.or(application) {
            Some(column) => default.with_max(MaxSessions::from_column(column)),
            None => default,
        })
    }

    async fn rivals(&self, unit: &mut dyn Unit, new: &NewSession) -> Result<Vec<Rival>, Attempt> {
        let previous = new.previous.unwrap_or(TokenHash::NONE);
        let binds = vec![
            Bind::Hash(previous),
            Bind::Hash(previous),
            Bind::Text(new.user_id.to_string()),
            Bind::from(new.id),
        ];
        let rows = unit.fetch(&self.statements.rivals, binds).await?;
        let rivals: Result<Vec<_>, CorruptRow> = rows.iter().map(read_rival).collect();
        rivals.map_err(Attempt::corrupt)
    }

    async fn commit<F>(&self, prepare: impl FnMut() -> F + Send) -> Result<(), SignInError>
    where
        F: Future<Output = Result<Box<dyn Unit>, Attempt>> + Send,
    {
        let mut prepare = prepare;
        self.commit_with(|| {
            let unit = prepare();
            async { Ok((unit.await?, ())) }
        })
        .await
    }

    /// Prepares a transaction, again when it meets a conflict, and commits it; all within the time budget.
    async fn commit_with<T: Send, F>(
        &self,
        mut prepare: impl FnMut() -> F + Send,
    ) -> Result<T, SignInError>
    where
        F: Future<Output = Result<(Box<dyn Unit>, T), Attempt>> + Send,
    {
        let deadline = Instant::now() + self.time_budget;
        let mut pauses = Pauses::default();
        loop {
            let fault = match timeout_at(deadline, prepare()).await {
                Ok(Ok((unit, value))) => match timeout_at(deadline, unit.commit()).await {
                    Ok(Ok(())) => return Ok(value),
                    // The database says itself that it has undone the transaction.
                    Ok(Err(fault)) if fault.kind() == FaultKind::Conflict => fault,
                    Ok(Err(fault)) => return Err(SignInError::Unknown(fault.into())),
                    Err(_) => return Err(SignInError::Unknown(Fault::timed_out().into())),
                },
                Ok(Err(Attempt::Fault(fault))) => fault,
                Ok(Err(Attempt::Refused(error))) => return Err(error),
                Err(_) => Fault::timed_out(),
            };
            if fault.kind() != FaultKind::Conflict || !pauses.pause().await {
                return Err(SignInError::Store(fault.into()));
            }
        }
    }
}

/// Why a transaction stopped before its commit.
enum Attempt {
    Fault(Fault),
    Refused(SignInError),
}

impl Attempt {
    fn corrupt(row: CorruptRow) -> Self {
        Self::Refused(SignInError::Store(row.into()))
    }
}

impl From<Fault> for Attempt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn insert_binds(new: &NewSession) -> Vec<Bind> {
    vec![
        Bind::from(new.id),
        Bind::Text(new.user_id.to_string()),
        Bind::Hash(new.token),
        Bind::Int(new.remembered.into()),
        Bind::MaybeText(new.ip.clone()),
        Bind::MaybeText(new.user_agent.clone()),
    ]
}

fn read_rival(row: &Row) -> Result<Rival, CorruptRow> {
    Ok(Rival {
        id: row.uuid(0)?,
        created_at_micros: row.int(1)?,
        last_seen_at_micros: row.int(2)?,
        reserved: row.int(3)? == 1,
        replaced: row.int(4)? == 1,
    })
}

fn read_rotated(rows: &[Row]) -> Result<Rotated, CorruptRow> {
    let row = rows.first().ok_or(CorruptRow)?;
    let remaining = Duration::from_micros(row.int(1)?.try_into().unwrap_or_default());
    Ok(Rotated {
        remembered: row.int(0)? == 1,
        remaining,
    })
}
