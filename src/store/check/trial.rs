//! A sign-in on trial, and all that can happen to a session afterwards, in a transaction that is rolled back.
//!
//! It finds what no catalogue tells in one place: a right that is missing, a log format that refuses the transaction,
//! a file or server that takes no writes, a trigger or column that was added.

use rand::RngExt;
use uuid::Uuid;

use crate::{
    error::BuildError,
    store::{Bind, EndedReason, Fault, NewSession, Purpose, Store, driver::Unit, retry::retry},
    token::TokenHash,
    user_id::UserId,
};

impl Store {
    pub(super) async fn check_writing(&self) -> Result<(), BuildError> {
        retry(|| self.try_writing())
            .await
            .map_err(|fault| self.refusal(fault))
    }

    async fn try_writing(&self) -> Result<(), Fault> {
        let id = Uuid::now_v7();
        // Names and digests of no user, which differ for nodes that start at once.
        let new = NewSession {
            id,
            user_id: UserId::from(format!("countersign-trial-{id}")),
            acting_user: None,
            token: no_token()?,
            previous: None,
            follows: None,
            remembered: false,
            bearer: false,
            ip: None,
            user_agent: None,
        };
        let mut unit = self.driver.begin(Purpose::SignIn).await?;
        let tried = self.try_statements(unit.as_mut(), &new).await;
        // Before `build` returns: what the application does next may wait for these locks, or hold up its runtime.
        unit.undo().await;
        tried
    }

    async fn try_statements(&self, unit: &mut dyn Unit, new: &NewSession) -> Result<(), Fault> {
        let (id, statements) = (new.id, &self.statements);
        let user = || Bind::Text(new.user_id.to_string());
        let this = || Bind::Uuids(vec![id]);
        unit.execute(&statements.insert_user, vec![user()]).await?;
        let no_maximum = vec![Bind::Int(-2), user()];
        unit.execute(&statements.set_user_limit, no_maximum).await?;
        unit.fetch(&statements.lock_user, vec![user()]).await?;
        let binds = self.insert_binds(new, None, Uuid::nil());
        unit.execute(&statements.insert, binds).await?;
        unit.execute(&statements.activate, vec![Bind::from(id)])
            .await?;
        let rotated = vec![
            Bind::Hash(no_token()?),
            Bind::from(id),
            Bind::Hash(new.token),
        ];
        unit.execute(&statements.rotate_reauthenticated, rotated)
            .await?;
        unit.execute(&statements.touch, vec![this()]).await?;
        let ended = self.end_binds(EndedReason::Revoked, Some("countersign"), this());
        unit.execute(&statements.end_ids, ended).await?;
        unit.execute(&statements.release, vec![Bind::from(id)])
            .await?;
        Ok(())
    }
}

/// A digest that no token has, and no other row.
fn no_token() -> Result<TokenHash, Fault> {
    let bytes: [u8; 32] = rand::rng().random();
    TokenHash::from_slice(&bytes).ok_or_else(Fault::corrupt)
}
