//! What holds for those who sign in: the lock under which their sessions are counted, their limit, their account.

use super::{
    Bind, NewSession, Store,
    driver::Unit,
    grant::{Attempt, SignInError},
    stamp::StampHash,
    value::CorruptRow,
};
use crate::{
    session::limits::{Limit, MaxSessions},
    user_id::UserId,
};

/// What the application says of those who sign in.
pub(super) struct Standing {
    pub(super) limit: Limit,
    pub(super) stamp: Option<StampHash>,
}

impl Store {
    /// What the new session has to keep to, under the user's lock; refused where the account of the user, or of an
    /// administrator who is to act as the user, may not be used.
    pub(super) async fn standing(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
        default: Limit,
    ) -> Result<Standing, Attempt> {
        // An administrator who acts as the user takes no place of the user's, so there is nothing to count.
        let own = match new.acting_user {
            Some(_) => None,
            None => self.lock_user(unit, &new.user_id).await?,
        };
        let Some(statement) = &self.statements.standing else {
            return Ok(Standing {
                limit: new.limit(default, own),
                stamp: None,
            });
        };
        let mut maximum = own;
        let mut stamps = Vec::new();
        for user_id in std::iter::once(&new.user_id).chain(&new.acting_user) {
            let user = vec![Bind::Text(user_id.to_string())];
            let rows = unit.fetch(statement, user).await?;
            let row = rows.first().ok_or(CorruptRow).map_err(Attempt::corrupt)?;
            if row.int(0).map_err(Attempt::corrupt)? == 1 {
                return Err(Attempt::Refused(SignInError::AccountRefused));
            }
            if *user_id == new.user_id && maximum.is_none() {
                maximum = row.maybe_int(1).map_err(Attempt::corrupt)?;
            }
            if self.has_stamp {
                stamps.push(row.texts(2).map_err(Attempt::corrupt)?.to_vec());
            }
        }
        let stamp = match self.has_stamp {
            true => {
                match StampHash::of(stamps.iter().map(Vec::as_slice)).map_err(Attempt::corrupt)? {
                    // The account is gone.
                    None => return Err(Attempt::Refused(SignInError::AccountRefused)),
                    some => some,
                }
            }
            false => None,
        };
        Ok(Standing {
            limit: new.limit(default, maximum),
            stamp,
        })
    }

    /// The user's own maximum, read with a lock under which sessions of the user are counted. The row is there, since a
    /// reservation makes it: an answer without it was cut, and says nothing of the maximum.
    async fn lock_user(
        &self,
        unit: &mut dyn Unit,
        user_id: &UserId,
    ) -> Result<Option<i64>, Attempt> {
        let user = vec![Bind::Text(user_id.to_string())];
        let rows = unit.fetch(&self.statements.lock_user, user).await?;
        let own = rows
            .first()
            .ok_or(CorruptRow)
            .and_then(|row| row.maybe_int(0));
        own.map_err(Attempt::corrupt)
    }
}

impl NewSession {
    /// The limit that this session has to keep.
    fn limit(&self, default: Limit, maximum: Option<i64>) -> Limit {
        match (&self.acting_user, maximum) {
            (Some(_), _) => Limit::unlimited(),
            (None, Some(column)) => default.with_max(MaxSessions::from_column(column)),
            (None, None) => default,
        }
    }
}
