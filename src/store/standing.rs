//! What holds for those who sign in: the lock under which their sessions are counted, their limit, their account.

use super::{
    Bind, NewSession, Store,
    driver::{Link, Unit},
    grant::{Attempt, SignInError},
    stamp::StampHash,
    statement::Statement,
    value::CorruptRow,
};
use crate::{
    session::limits::{Limit, MaxSessions},
    user_id::UserId,
};

/// What holds for the new session.
pub(super) struct Standing {
    pub(super) limit: Limit,
    pub(super) stamp: Option<StampHash>,
}

/// What the database says of one user who signs in, whose account may be used.
struct Facts {
    maximum: Option<i64>,
    stamp: Vec<Option<String>>,
}

impl Store {
    /// What the new session must keep to, under the user's lock; refused where the account of the user, or of an
    /// administrator who is to act as the user, may not be used.
    pub(super) async fn standing(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
        default: Limit,
    ) -> Result<Standing, Attempt> {
        // An administrator who acts as the user takes no place of the user's, so there is nothing to count. Where the
        // transaction has locked the whole database, the statement below says the maximum as well.
        let is_locked = !self.fragments.dialect.waits_for_rows();
        let mut maximum = match (&new.acting_user, &self.statements.standing) {
            (Some(_), _) => None,
            (None, Some(_)) if is_locked => None,
            (None, _) => self.lock_user(unit, &new.user_id).await?,
        };
        let Some(statement) = &self.statements.standing else {
            return Ok(Standing {
                limit: new.limit(default, maximum),
                stamp: None,
            });
        };
        let mut stamps = Vec::new();
        for user_id in std::iter::once(&new.user_id).chain(&new.acting_user) {
            let facts = self.facts(unit, statement, user_id).await?;
            // The user's row is there: an answer without it was cut.
            let facts = facts.ok_or(CorruptRow).map_err(Attempt::corrupt)?;
            if *user_id == new.user_id {
                maximum = facts.maximum;
            }
            stamps.push(facts.stamp);
        }
        Ok(Standing {
            limit: new.limit(default, maximum),
            stamp: self.stamp_hash(&stamps)?,
        })
    }

    /// The same for a user who acts as no other, without a lock: what it says may be over before the next statement.
    /// `None` where the user has no row yet.
    pub(super) async fn outlook(
        &self,
        link: &mut dyn Link,
        new: &NewSession,
        default: Limit,
    ) -> Result<Option<Standing>, Attempt> {
        let Some(statement) = &self.statements.standing else {
            let maximum = self
                .maximum(link, &self.statements.user_limit, &new.user_id)
                .await?;
            return Ok(maximum.map(|maximum| Standing {
                limit: new.limit(default, maximum),
                stamp: None,
            }));
        };
        let Some(facts) = self.facts(link, statement, &new.user_id).await? else {
            return Ok(None);
        };
        Ok(Some(Standing {
            limit: new.limit(default, facts.maximum),
            stamp: self.stamp_hash(&[facts.stamp])?,
        }))
    }

    /// The user's own maximum, read with a lock under which sessions of the user are counted. The row is there, since a
    /// reservation makes it: an answer without it was cut, and says nothing of the maximum.
    async fn lock_user(
        &self,
        unit: &mut dyn Unit,
        user_id: &UserId,
    ) -> Result<Option<i64>, Attempt> {
        let maximum = self
            .maximum(unit, &self.statements.lock_user, user_id)
            .await?;
        maximum.ok_or(CorruptRow).map_err(Attempt::corrupt)
    }

    /// The maximum in the user's row, if there is one; `None` without a row.
    async fn maximum(
        &self,
        link: &mut dyn Link,
        statement: &Statement,
        user_id: &UserId,
    ) -> Result<Option<Option<i64>>, Attempt> {
        let user = vec![Bind::Text(user_id.to_string())];
        let rows = link.fetch(statement, user).await?;
        let maximum = rows.first().map(|row| row.maybe_int(0)).transpose();
        maximum.map_err(Attempt::corrupt)
    }

    /// What our row and the application say of the user; `None` without a row.
    async fn facts(
        &self,
        link: &mut dyn Link,
        statement: &Statement,
        user_id: &UserId,
    ) -> Result<Option<Facts>, Attempt> {
        let user = vec![Bind::Text(user_id.to_string())];
        let rows = link.fetch(statement, user).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if row.int(0).map_err(Attempt::corrupt)? == 1 {
            return Err(Attempt::Refused(SignInError::AccountRefused));
        }
        let maximum = |column| row.maybe_int(column).map_err(Attempt::corrupt);
        Ok(Some(Facts {
            maximum: maximum(1)?.or(maximum(2)?),
            stamp: match self.has_stamp {
                true => row.texts(3).map_err(Attempt::corrupt)?.to_vec(),
                false => Vec::new(),
            },
        }))
    }

    /// The digest of the accounts' stamps, in this order; refused where one of the accounts is gone.
    fn stamp_hash(&self, stamps: &[Vec<Option<String>>]) -> Result<Option<StampHash>, Attempt> {
        if !self.has_stamp {
            return Ok(None);
        }
        match StampHash::of(stamps.iter().map(Vec::as_slice)).map_err(Attempt::corrupt)? {
            None => Err(Attempt::Refused(SignInError::AccountRefused)),
            some => Ok(some),
        }
    }
}

impl NewSession {
    /// The limit that this session must keep.
    fn limit(&self, default: Limit, maximum: Option<i64>) -> Limit {
        match (&self.acting_user, maximum) {
            (Some(_), _) => Limit::unlimited(),
            (None, Some(column)) => default.with_max(MaxSessions::from_column(column)),
            (None, None) => default,
        }
    }
}
