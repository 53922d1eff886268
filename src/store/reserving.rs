//! Reserving: the place of a new session, until the response of its sign-in has succeeded.
//!
//! A reservation for which other sessions are counted is made under the lock on the user's row. Any other needs no lock: it
//! opens nothing, and what makes it real asks for everything once more.
// docs/decisions/52-no-lock-to-reserve.md

use uuid::Uuid;

use super::{
    Bind, NewSession, Previous, Purpose, Store,
    driver::Link,
    grant::{Attempt, Last, SignInError},
    retry::retry,
    stamp::StampHash,
    standing::Standing,
    value::CorruptRow,
};
use crate::{
    error::Error,
    session::limits::{Admission, Limit, admit_reservation},
    user_id::UserId,
};

impl NewSession {
    /// Whether its reservation looks at other sessions: at those of the user, at an administrator's own, or at the one of a
    /// token whose session is not known.
    fn is_counted_to_reserve(&self, default: Limit) -> bool {
        let is_unknown = matches!(self.previous, Some(Previous::Token(_)));
        is_unknown || self.acting_user.is_some() || default.may_count_to_reserve()
    }
}

impl Store {
    /// Takes a place for a new session. It opens nothing until it is made real, and lapses by itself. What comes back is
    /// the account's security stamp, where there is one.
    pub(crate) async fn reserve(
        &self,
        new: &NewSession,
        default: Limit,
    ) -> Result<Option<StampHash>, SignInError> {
        match new.is_counted_to_reserve(default) {
            true => {
                self.commit_with(|| self.prepare_reservation(new, default))
                    .await
            }
            false => {
                self.commit_with(|| self.prepare_uncounted_reservation(new, default))
                    .await
            }
        }
    }

    async fn prepare_uncounted_reservation(
        &self,
        new: &NewSession,
        default: Limit,
    ) -> Result<(Last<'_>, Option<StampHash>), Attempt> {
        let (mut link, outlook) = self.first_outlook(new, default, Purpose::SignIn).await?;
        let outlook = match outlook {
            Some(outlook) => outlook,
            None => {
                let user = vec![Bind::Text(new.user_id.to_string())];
                link.execute(&self.statements.insert_user, user).await?;
                let outlook = self.outlook(link.as_mut(), new, default).await?;
                // The user's row is there: an answer without it was cut.
                outlook.ok_or(CorruptRow).map_err(Attempt::corrupt)?
            }
        };
        if let Admission::Full { max } = admit_reservation(outlook.limit, &[]) {
            return Err(Attempt::Refused(SignInError::LimitReached { max }));
        }
        let previous = new.previous.and_then(Previous::session_id);
        let follows = previous.or(new.follows).unwrap_or_default();
        let binds = self.insert_binds(new, outlook.stamp, follows);
        let last = Last::Alone(link, &self.statements.insert, binds);
        Ok((last, outlook.stamp))
    }

    /// A connection, and what it says first of the user: on another one, if the first has died while it was idle.
    pub(super) async fn first_outlook(
        &self,
        new: &NewSession,
        default: Limit,
        purpose: Purpose,
    ) -> Result<(Box<dyn Link>, Option<Standing>), Attempt> {
        let mut link = self.driver.acquire(purpose).await?;
        match self.outlook(link.as_mut(), new, default).await {
            Err(Attempt::Fault(fault)) if fault.is_lost() => drop(link),
            outlook => return Ok((link, outlook?)),
        }
        // A sign-in that has had a turn is not refused for coming late.
        let mut link = self.driver.acquire(Purpose::Grant).await?;
        let outlook = self.outlook(link.as_mut(), new, default).await?;
        Ok((link, outlook))
    }

    async fn prepare_reservation(
        &self,
        new: &NewSession,
        default: Limit,
    ) -> Result<(Last<'_>, Option<StampHash>), Attempt> {
        let mut unit = self.driver.begin(Purpose::SignIn).await?;
        for user_id in std::iter::once(&new.user_id).chain(&new.acting_user) {
            let user = vec![Bind::Text(user_id.to_string())];
            unit.execute(&self.statements.insert_user, user).await?;
        }
        let standing = self.standing(unit.as_mut(), new, default).await?;
        let previous = self.previous_of(unit.as_mut(), new).await?;
        let rivals = match standing.limit.counts_to_reserve() {
            true => self.rivals(unit.as_mut(), new, previous).await?,
            false => Vec::new(),
        };
        if let Admission::Full { max } = admit_reservation(standing.limit, &rivals) {
            return Err(Attempt::Refused(SignInError::LimitReached { max }));
        }
        let insert = match new.acting_user {
            Some(_) => &self.statements.insert_acting,
            None => &self.statements.insert,
        };
        let follows = previous.or(new.follows).unwrap_or_default();
        let binds = self.insert_binds(new, standing.stamp, follows);
        if unit.execute(insert, binds).await? == 0 {
            // An administrator who was signed out meanwhile acts as no other.
            return Err(Attempt::Refused(SignInError::PreviousOver));
        }
        Ok((Last::Commit(unit), standing.stamp))
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

    pub(super) fn insert_binds(
        &self,
        new: &NewSession,
        stamp: Option<StampHash>,
        follows: Uuid,
    ) -> Vec<Bind> {
        let shown = |text: &String| self.letters.keep(text).into_owned();
        vec![
            Bind::from(new.id),
            Bind::Text(new.user_id.to_string()),
            Bind::MaybeText(new.acting_user.as_ref().map(UserId::to_string)),
            Bind::Hash(new.token),
            Bind::Int(new.remembered.into()),
            Bind::Int(new.bearer.into()),
            Bind::MaybeText(new.ip.clone()),
            Bind::MaybeText(new.user_agent.as_ref().map(shown)),
            Bind::MaybeBytes(stamp.map(|stamp| stamp.as_bytes().to_vec())),
            Bind::from(follows),
        ]
    }
}
