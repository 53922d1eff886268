//! The only place that creates sessions: reserve, then make real or release.
//!
//! Counting, ending and inserting happen under a lock on the user's row (on SQLite, on the database), so that no two
//! sign-ins of a user can see the same free place.

use uuid::Uuid;

use super::{
    Bind, EndedReason, MAX_LIST, Store,
    driver::Unit,
    end_binds, end_token_binds,
    grant::{Attempt, SignInError},
    retry::retry,
    value::{CorruptRow, Row},
};
use crate::{
    error::Error,
    session::limits::{Admission, Limit, MaxSessions, Rival, admit_reservation, admit_session},
    token::TokenHash,
    user_id::UserId,
};

/// The session that a request came with, whether or not its account may be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Previous {
    pub(crate) token: TokenHash,
    /// Unless the database could not be asked. Other requests may rotate the token meanwhile; the id stays.
    pub(crate) id: Option<Uuid>,
}

/// A sign-in whose response has not gone out yet.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    pub(crate) token: TokenHash,
    /// The browser's session until now: it takes no place of its own and ends when the new one becomes real.
    pub(crate) previous: Option<Previous>,
    pub(crate) remembered: bool,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
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
            let reason = EndedReason::Replaced;
            let (statement, binds) = match previous.id {
                Some(id) => (
                    &self.statements.end_ids,
                    end_binds(reason, Some(by), Bind::Uuids(vec![id])),
                ),
                None => (
                    &self.statements.end_token,
                    end_token_binds(previous.token, reason, Some(by)),
                ),
            };
            unit.execute(statement, binds).await?;
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
        let previous = new
            .previous
            .map_or(TokenHash::NONE, |previous| previous.token);
        let previous_id = new.previous.and_then(|previous| previous.id);
        let binds = vec![
            Bind::Hash(previous),
            Bind::Hash(previous),
            Bind::Text(new.user_id.to_string()),
            Bind::from(new.id),
        ];
        let rows = unit.fetch(&self.statements.rivals, binds).await?;
        let rivals = rows.iter().map(|row| {
            let rival = read_rival(row)?;
            Ok(Rival {
                replaced: rival.replaced || previous_id == Some(rival.id),
                ..rival
            })
        });
        let rivals: Result<Vec<_>, CorruptRow> = rivals.collect();
        rivals.map_err(Attempt::corrupt)
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
