//! Reading sessions by the digest of their token: the one statement of a request.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    EndedReason, Fault, Link, Store,
    judging::{VERIFY_COLUMNS, verdict},
    profile::Profile,
    stamp::StampHash,
    value::{CorruptRow, Row},
};
use crate::{session::Permissions, token::TokenHash, user_id::UserId};

/// What the database says of one token.
#[derive(Clone, Debug)]
pub(crate) enum Lookup {
    /// No session has this token.
    Unknown,
    /// The session is not live.
    NotLive {
        id: Uuid,
        /// Why it has ended; `None` while it is reserved.
        reason: Option<EndedReason>,
    },
    /// The session is live, and its account is not what it was at sign-in: it is over, and must be recorded so.
    StampChanged(Found),
    /// The session is live, its account may not be used.
    AccountRefused(Found),
    /// The session is live and its account may be used.
    Live(Found),
    /// Its row does not read as a session.
    Corrupt,
}

/// A live session.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    /// Who acts as this user.
    pub(crate) acting_user: Option<UserId>,
    pub(crate) permissions: Permissions,
    /// Since the user proved who they are, by the database's clock.
    pub(crate) authenticated_micros_ago: i64,
    pub(crate) touch_due: bool,
    /// `None`: the application asks for none.
    pub(crate) profile: Option<Profile>,
}

impl Store {
    /// Asks once for all of these tokens, each named once. The answer has one of its own for each of them: what a setting
    /// of the server or a driver leaves out is not known, and never "no".
    pub(crate) async fn look_up(
        &self,
        link: &mut dyn Link,
        tokens: &[TokenHash],
    ) -> Result<HashMap<TokenHash, Lookup>, Fault> {
        let binds = vec![self.fragments.dialect.asked_for(tokens)];
        let rows = link.fetch(&self.statements.verify, binds).await?;
        let mut found = HashMap::with_capacity(tokens.len());
        for row in &rows {
            // Whose row it is cannot be told: for none of them "unknown" would be true.
            let number = row.int(0).map_err(|_| Fault::corrupt())?;
            let index = usize::try_from(number - 1).map_err(|_| Fault::corrupt())?;
            // The list may have been padded: what was asked twice is answered twice.
            let Some(token) = tokens.get(index) else {
                continue;
            };
            let lookup = self.read_lookup(row).unwrap_or(Lookup::Corrupt);
            // One token on two rows would be a collision of SHA-256 or a row made by hand.
            if found.insert(*token, lookup).is_some() {
                found.insert(*token, Lookup::Corrupt);
            }
        }
        match found.len() == tokens.len() {
            true => Ok(found),
            false => Err(Fault::incomplete()),
        }
    }

    fn read_lookup(&self, row: &Row) -> Result<Lookup, CorruptRow> {
        let verdict = row.int(3)?;
        match verdict {
            verdict::UNKNOWN => return Ok(Lookup::Unknown),
            verdict::RESERVED => {
                let (id, reason) = (row.uuid(1)?, None);
                return Ok(Lookup::NotLive { id, reason });
            }
            verdict::NOT_LIVE => {
                let reason = row.maybe_text(4)?;
                let reason = reason.map_or(EndedReason::Expired, EndedReason::from_column);
                let (id, reason) = (row.uuid(1)?, Some(reason));
                return Ok(Lookup::NotLive { id, reason });
            }
            verdict::ACCOUNT_REFUSED | verdict::LIVE | verdict::LIVE_TOUCH_DUE => {}
            _ => return Err(CorruptRow),
        }
        let user_id = UserId::from(row.text(2)?);
        let acting_user = row.maybe_text(7)?.map(UserId::from);
        for user_id in std::iter::once(&user_id).chain(&acting_user) {
            if user_id.validate().is_err() || !self.accepts(user_id) {
                return Err(CorruptRow);
            }
        }
        let mut found = Found {
            id: row.uuid(1)?,
            user_id,
            acting_user,
            permissions: Permissions::default(),
            authenticated_micros_ago: row.int(6)?.saturating_sub(row.int(5)?),
            touch_due: verdict == verdict::LIVE_TOUCH_DUE,
            profile: None,
        };
        if self.stamp_changed(row, VERIFY_COLUMNS.len(), found.acting_user.is_some())? {
            return Ok(Lookup::StampChanged(found));
        }
        if verdict == verdict::ACCOUNT_REFUSED {
            return Ok(Lookup::AccountRefused(found));
        }
        found.permissions = self.read_permissions(row)?;
        let profile = self.profile.as_ref();
        found.profile = profile.map(|profile| profile.read(row, self.profile_column()));
        Ok(Lookup::Live(found))
    }

    /// Whether the account is another than at sign-in, from the columns that start here: what the stamp was, and what
    /// those of the user and of an acting administrator are.
    pub(super) fn stamp_changed(
        &self,
        row: &Row,
        column: usize,
        acting: bool,
    ) -> Result<bool, CorruptRow> {
        if !self.has_stamp {
            return Ok(false);
        }
        let was = row.maybe_bytes(column)?;
        let acting = acting.then(|| row.texts(column + 2)).transpose()?;
        let accounts = std::iter::once(row.texts(column + 1)?).chain(acting);
        Ok(!StampHash::of(accounts)?.is_some_and(|stamp| stamp.is(was)))
    }

    fn first_permission_column(&self) -> usize {
        VERIFY_COLUMNS.len() + if self.has_stamp { 3 } else { 0 }
    }

    fn profile_column(&self) -> usize {
        self.first_permission_column() + self.permission_columns
    }

    fn read_permissions(&self, row: &Row) -> Result<Permissions, CorruptRow> {
        let mut all = Vec::new();
        for column in (self.first_permission_column()..).take(self.permission_columns) {
            all.extend(row.texts(column)?.iter().flatten().cloned());
        }
        Ok(all.into_iter().collect())
    }
}
