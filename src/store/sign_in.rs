//! The only place that creates sessions: reserve, then make real or release.
//!
//! Counting, ending and inserting happen under a lock on the user's row (on SQLite, on the database), so that no two
//! sign-ins of a user can see the same free place.

use uuid::Uuid;

use super::{
    Bind, EndedReason, MAX_LIST, Purpose, Store,
    driver::Unit,
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

/// A browser's session until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Previous {
    /// By its id: its token may be rotated away at any time.
    Session(Uuid),
    /// By its token, where the database could not be asked whose it is.
    Token(TokenHash),
}

impl Previous {
    /// Its public name, where it is known.
    pub(crate) fn session_id(self) -> Option<Uuid> {
        match self {
            Self::Session(id) => Some(id),
            Self::Token(_) => None,
        }
    }
}

/// The sessions that ended for a new one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Displaced {
    /// They made room for it.
    pub(crate) for_the_limit: Vec<Uuid>,
    /// So did these; which ones it was is not known, since others have ended in the same instant.
    pub(crate) for_the_limit_unnamed: u64,
    /// The browser had it until now.
    pub(crate) replaced: Option<Previous>,
}

/// A sign-in whose response has not gone out yet.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    /// The administrator who will act as this user: nobody's limit counts such a session.
    pub(crate) acting_user: Option<UserId>,
    pub(crate) token: TokenHash,
    /// The browser's session until now: it takes no place of its own and ends when the new one becomes real.
    pub(crate) previous: Option<Previous>,
    pub(crate) remembered: bool,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl NewSession {
    /// Who does it: the name in `ended_by` of what has to end for it.
    pub(crate) fn actor(&self) -> &UserId {
        self.acting_user.as_ref().unwrap_or(&self.user_id)
    }
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
        let mut unit = self.driver.begin(Purpose::SignIn).await?;
        unit.execute(
            &self.statements.insert_user,
            vec![Bind::Text(new.user_id.to_string())],
        )
        .await?;
        let limit = self.limit_of(unit.as_mut(), new, default).await?;
        let rivals = match limit.counts_to_reserve() {
            true => self.rivals(unit.as_mut(), new).await?,
            false => Vec::new(),
        };
        if let Admission::Full { max } = admit_reservation(limit, &rivals) {
            return Err(Attempt::Refused(SignInError::LimitReached { max }));
        }
        let insert = match new.acting_user {
            Some(_) => &self.statements.insert_acting,
            None => &self.statements.insert,
        };
        unit.execute(insert, self.insert_binds(new)).await?;
        Ok(unit)
    }

    /// Makes a reserved session real: ends those that have to go for it, and the one it replaces, in the same
    /// transaction. `wanted` is asked last of all before the commit.
    pub(crate) async fn activate(
        &self,
        new: &NewSession,
        default: Limit,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Displaced, SignInError> {
        let outcome = self
            .commit_with(|| self.prepare_activation(new, default, wanted))
            .await;
        self.announced(outcome)
    }

    async fn prepare_activation(
        &self,
        new: &NewSession,
        default: Limit,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(Box<dyn Unit>, Displaced), Attempt> {
        let mut displaced = Displaced::default();
        let by = new.actor().as_str();
        let mut unit = self.driver.begin(Purpose::Grant).await?;
        let limit = self.limit_of(unit.as_mut(), new, default).await?;
        let rivals = match limit.counts_to_activate() {
            true => self.rivals(unit.as_mut(), new).await?,
            false => Vec::new(),
        };
        let ends = match admit_session(limit, rivals) {
            Admission::Full { max } => {
                return Err(Attempt::Refused(SignInError::LimitReached { max }));
            }
            Admission::Admitted { ends } => ends,
        };
        for ends in ends.chunks(MAX_LIST) {
            let binds = self.end_binds(EndedReason::Limit, Some(by), Bind::Uuids(ends.to_vec()));
            let ended = unit.execute(&self.statements.end_ids, binds).await?;
            match ended == ends.len() as u64 {
                true => displaced.for_the_limit.extend(ends),
                false => displaced.for_the_limit_unnamed += ended,
            }
        }
        if let Some(previous) = new.previous {
            let (statement, binds) = match (previous, &new.acting_user) {
                // Whoever was signed out or ran out meanwhile acts as nobody.
                (Previous::Session(id), Some(_)) => (
                    &self.statements.end_live,
                    self.end_binds(EndedReason::Replaced, Some(by), Bind::Uuids(vec![id])),
                ),
                _ => self.ending_of(previous, EndedReason::Replaced, Some(by)),
            };
            let ended = unit.execute(statement, binds).await?;
            if ended == 0 && new.acting_user.is_some() {
                return Err(Attempt::Refused(SignInError::Lapsed));
            }
            if ended > 0 {
                displaced.replaced = Some(previous);
            }
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
        Ok((unit, displaced))
    }

    /// Gives a reserved place back.
    pub(crate) async fn release(&self, id: Uuid) -> Result<u64, Error> {
        self.within_budget(retry(|| async {
            let mut link = self.driver.acquire(Purpose::Upkeep).await?;
            link.execute(&self.statements.release, vec![Bind::from(id)])
                .await
        }))
        .await
    }

    /// The limit that a new session has to keep. An administrator who acts as the user takes nobody's place.
    async fn limit_of(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
        default: Limit,
    ) -> Result<Limit, Attempt> {
        match new.acting_user {
            Some(_) => Ok(Limit::unlimited()),
            None => self.lock_user(unit, &new.user_id, default).await,
        }
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
        // A limit that cannot be read is not "no limit".
        let number = |rows: &[Row]| match rows.first() {
            Some(row) => row.maybe_int(0).map_err(Attempt::corrupt),
            None => Ok(None),
        };
        let own = number(&rows)?;
        let application = match (&self.statements.application_limit, own) {
            (Some(query), None) => number(
                &unit
                    .fetch(query, vec![Bind::Text(user_id.to_string())])
                    .await?,
            )?,
            _ => None,
        };
        Ok(match own.or(application) {
            Some(column) => default.with_max(MaxSessions::from_column(column)),
            None => default,
        })
    }

    async fn rivals(&self, unit: &mut dyn Unit, new: &NewSession) -> Result<Vec<Rival>, Attempt> {
        let (id, token) = match new.previous {
            Some(Previous::Session(id)) => (id, TokenHash::NONE),
            Some(Previous::Token(token)) => (Uuid::nil(), token),
            None => (Uuid::nil(), TokenHash::NONE),
        };
        let binds = vec![
            Bind::from(id),
            Bind::Hash(token),
            Bind::Hash(token),
            Bind::Text(new.user_id.to_string()),
            Bind::from(new.id),
        ];
        let rows = unit.fetch(&self.statements.rivals, binds).await?;
        let rivals: Result<Vec<_>, CorruptRow> = rows.iter().map(read_rival).collect();
        rivals.map_err(Attempt::corrupt)
    }

    pub(super) fn insert_binds(&self, new: &NewSession) -> Vec<Bind> {
        let shown = |text: &String| self.letters.keep(text).into_owned();
        vec![
            Bind::from(new.id),
            Bind::Text(new.user_id.to_string()),
            Bind::MaybeText(new.acting_user.as_ref().map(UserId::to_string)),
            Bind::Hash(new.token),
            Bind::Int(new.remembered.into()),
            Bind::MaybeText(new.ip.clone()),
            Bind::MaybeText(new.user_agent.as_ref().map(shown)),
        ]
    }
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
