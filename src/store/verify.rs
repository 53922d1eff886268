//! Reading sessions by the digest of their token: the one statement of a request.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, Link, Store,
    application::{VERIFY_COLUMNS, verdict},
    value::{CorruptRow, Row},
};
use crate::{session::Permissions, token::TokenHash, user_id::UserId};

/// What the database says of one token.
#[derive(Clone, Debug)]
pub(crate) enum Lookup {
    /// No session has this token.
    Unknown,
    /// The session is not live; the reason when it has ended, `None` while it is reserved.
    NotLive(Option<EndedReason>),
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
}

impl Store {
    /// Asks once for all of these tokens. Those that the answer does not mention are unknown.
    pub(crate) async fn look_up(
        &self,
        link: &mut dyn Link,
        tokens: &[TokenHash],
    ) -> Result<HashMap<TokenHash, Lookup>, Fault> {
        let binds = vec![Bind::Hashes(tokens.to_vec()), Bind::Hashes(tokens.to_vec())];
        let rows = link.fetch(&self.statements.verify, binds).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            // Whose row it is cannot be told: for none of them "unknown" would be true.
            let token = row.hash(0).map_err(|_| Fault::corrupt())?;
            let lookup = self.read_lookup(row).unwrap_or(Lookup::Corrupt);
            // One token on two rows would be a collision of SHA-256 or a row made by hand.
            if found.insert(token, lookup).is_some() {
                found.insert(token, Lookup::Corrupt);
            }
        }
        Ok(found)
    }

    fn read_lookup(&self, row: &Row) -> Result<Lookup, CorruptRow> {
        let refused = match row.int(3)? {
            verdict::RESERVED => return Ok(Lookup::NotLive(None)),
            verdict::NOT_LIVE => {
                let reason = row
                    .maybe_text(4)?
                    .map_or(EndedReason::Expired, EndedReason::from_column);
                return Ok(Lookup::NotLive(Some(reason)));
            }
            verdict => verdict == verdict::ACCOUNT_REFUSED,
        };
        let user_id = UserId::from(row.text(2)?);
        let acting_user = row.maybe_text(6)?.map(UserId::from);
        for user_id in std::iter::once(&user_id).chain(&acting_user) {
            if user_id.validate().is_err() || !self.accepts(user_id) {
                return Err(CorruptRow);
            }
        }
        let found = Found {
            id: row.uuid(1)?,
            user_id,
            acting_user,
            permissions: if refused {
                Permissions::default()
            } else {
                self.read_permissions(row)?
            },
            authenticated_micros_ago: row.int(5)?,
            touch_due: row.int(3)? == verdict::LIVE_TOUCH_DUE,
        };
        Ok(if refused {
            Lookup::AccountRefused(found)
        } else {
            Lookup::Live(found)
        })
    }

    fn read_permissions(&self, row: &Row) -> Result<Permissions, CorruptRow> {
        let mut all = Vec::new();
        for column in (VERIFY_COLUMNS.len()..).take(self.permission_columns) {
            // MySQL's aggregate over no rows is NULL.
            let Some(json) = row.maybe_text(column)? else {
                continue;
            };
            let names: Vec<Option<String>> = serde_json::from_str(json).map_err(|_| CorruptRow)?;
            all.extend(names.into_iter().flatten());
        }
        Ok(all.into_iter().collect())
    }
}
