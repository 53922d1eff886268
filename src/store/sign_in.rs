//! What a sign-in is, and how a reserved session becomes real. `reserving.rs` has the way there.
//!
//! Counting and ending happen under a lock on the user's row (on SQLite, on the database), so that no two sign-ins of a user
//! can see the same free place.

use uuid::Uuid;

use super::{
    Bind, EndedReason, MAX_LIST, Purpose, Store,
    driver::Unit,
    grant::{Attempt, Carried, Last, SignInError},
    replacing::read_counted,
    stamp::StampHash,
    statement::Statement,
    value::{CorruptRow, Row},
};
use crate::{
    session::limits::{Admission, Limit, Rival, admit_session},
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
    /// The browser had it until now, or got it by another sign-in meanwhile.
    pub(crate) replaced: Vec<Uuid>,
}

/// A sign-in whose response has not gone out yet.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    /// The administrator who will act as this user: no limit counts such a session.
    pub(crate) acting_user: Option<UserId>,
    pub(crate) token: TokenHash,
    /// The browser's session until now: it takes no place of its own and ends when the new one becomes real.
    pub(crate) previous: Option<Previous>,
    /// The session that this browser had last, though it is over: those that follow one session are of one browser.
    pub(crate) follows: Option<Uuid>,
    pub(crate) remembered: bool,
    /// The client gets a bearer token instead of a cookie.
    pub(crate) bearer: bool,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl NewSession {
    /// Who does it: the name in `ended_by` of what must end for it.
    pub(crate) fn actor(&self) -> &UserId {
        self.acting_user.as_ref().unwrap_or(&self.user_id)
    }

    /// Whether it concerns no other session, as long as the user has no maximum: neither this browser nor an administrator
    /// has had one before.
    fn is_alone(&self, default: Limit) -> bool {
        let follows_none = self.previous.is_none() && self.follows.is_none();
        follows_none && self.acting_user.is_none() && !default.counts_to_activate()
    }
}

impl Store {
    /// Makes a reserved session real: ends those that must go for it, and the one it replaces, in the same
    /// transaction. `stamp` is what the account had when the place was taken. `wanted` is asked last of all before the
    /// commit.
    pub(crate) async fn activate(
        &self,
        new: &NewSession,
        default: Limit,
        stamp: Option<StampHash>,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Displaced, SignInError> {
        if let Some(statement) = &self.statements.activate_alone
            && new.is_alone(default)
        {
            let outcome = self
                .try_commit_with(|| {
                    self.prepare_lone_activation(statement, new, default, stamp, wanted)
                })
                .await;
            match outcome {
                // The user has a maximum, or the reservation is over: the transaction finds out which.
                Ok((Carried::Nothing, _)) => {}
                Ok((Carried::Granted, displaced)) => return self.announced(Ok(displaced)),
                Err(error) => return self.announced(Err(error)),
            }
        }
        let outcome = self
            .commit_with(|| self.prepare_activation(new, default, stamp, wanted))
            .await;
        self.announced(outcome)
    }

    /// One statement activates a session that concerns no other. It locks the user's row, and changes nothing once the user
    /// has a maximum.
    // docs/decisions/56-a-lone-sign-in-is-one-statement.md
    async fn prepare_lone_activation<'a>(
        &'a self,
        statement: &'a Statement,
        new: &NewSession,
        default: Limit,
        stamp: Option<StampHash>,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(Last<'a>, Displaced), Attempt> {
        let (link, outlook) = self.first_outlook(new, default, Purpose::Grant).await?;
        // The reservation made the user's row: an answer without it was cut.
        let outlook = outlook.ok_or(CorruptRow).map_err(Attempt::corrupt)?;
        if outlook.stamp != stamp {
            return Err(Attempt::Refused(SignInError::AccountRefused));
        }
        if outlook.limit.counts_to_activate() {
            return Ok((Last::Nothing, Displaced::default()));
        }
        if !wanted() {
            return Err(Attempt::Refused(SignInError::Abandoned));
        }
        let binds = vec![Bind::from(new.id), Bind::Text(new.user_id.to_string())];
        Ok((Last::Alone(link, statement, binds), Displaced::default()))
    }

    async fn prepare_activation(
        &self,
        new: &NewSession,
        default: Limit,
        stamp: Option<StampHash>,
        wanted: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(Last<'_>, Displaced), Attempt> {
        let mut displaced = Displaced::default();
        let mut unit = self.driver.begin(Purpose::Grant).await?;
        let standing = self.standing(unit.as_mut(), new, default).await?;
        if standing.stamp != stamp {
            return Err(Attempt::Refused(SignInError::AccountRefused));
        }
        let previous = self.previous_of(unit.as_mut(), new).await?;
        let mut touched = vec![new.id];
        touched.extend(previous);
        self.lock_sessions(unit.as_mut(), touched).await?;
        let rivals = match standing.limit.counts_to_activate() {
            true => self.rivals(unit.as_mut(), new, previous).await?,
            false => Vec::new(),
        };
        let ends = match admit_session(standing.limit, rivals) {
            Admission::Full { max } => {
                return Err(Attempt::Refused(SignInError::LimitReached { max }));
            }
            Admission::Admitted { ends } => ends,
        };
        for ends in ends.chunks(MAX_LIST) {
            let ended = self
                .end_in(unit.as_mut(), new, EndedReason::Limit, ends)
                .await?;
            match ended == ends.len() as u64 {
                true => displaced.for_the_limit.extend(ends),
                false => displaced.for_the_limit_unnamed += ended,
            }
        }
        displaced.replaced = self.replace(unit.as_mut(), new, previous).await?;
        let activate = match new.acting_user {
            Some(_) => &self.statements.activate_acting,
            None => &self.statements.activate,
        };
        if unit.execute(activate, vec![Bind::from(new.id)]).await? == 0 {
            return Err(Attempt::Refused(SignInError::Lapsed));
        }
        if !wanted() {
            return Err(Attempt::Refused(SignInError::Abandoned));
        }
        Ok((Last::Commit(unit), displaced))
    }

    /// Locks these sessions, so that the statement after this one judges them by a clock that it reads with nothing left
    /// to wait for.
    pub(super) async fn lock_sessions(
        &self,
        unit: &mut dyn Unit,
        ids: Vec<Uuid>,
    ) -> Result<(), Attempt> {
        if let Some(lock) = &self.statements.lock_sessions {
            unit.fetch(lock, vec![Bind::Uuids(ids)]).await?;
        }
        Ok(())
    }

    pub(super) async fn rivals(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
        previous: Option<Uuid>,
    ) -> Result<Vec<Rival>, Attempt> {
        let mut binds = vec![Bind::from(previous.unwrap_or_default()), Bind::from(new.id)];
        binds.extend(self.user_named(new));
        binds.push(Bind::from(new.id));
        let rows = unit.fetch(&self.statements.rivals, binds).await?;
        read_counted(&rows, 5, read_rival)
    }

    /// The parameters of a statement about the user's own sessions.
    pub(super) fn user_named(&self, new: &NewSession) -> impl Iterator<Item = Bind> {
        let user = Bind::Text(new.user_id.to_string());
        std::iter::repeat_n(user, self.statements.user_named)
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
