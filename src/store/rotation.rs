//! A new token for a session that goes on.
// docs/decisions/04-rotation-is-taken-back.md

use std::time::Duration;

use uuid::Uuid;

use super::{
    Bind, Purpose, Store,
    grant::{Attempt, Last, SignInError},
    retry::retry,
    value::{CorruptRow, Row},
};
use crate::{error::Error, token::TokenHash};

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
    ) -> Result<(Last<'_>, Rotated), Attempt> {
        let statement = match rotation.proof {
            Proof::Unchanged => &self.statements.rotate,
            Proof::GivenAgain => &self.statements.rotate_reauthenticated,
        };
        let mut unit = self.driver.begin(Purpose::Grant).await?;
        self.lock_sessions(unit.as_mut(), vec![rotation.id]).await?;
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
        Ok((Last::Commit(unit), rotated))
    }

    /// Records that the user has proved again who they are, where the token is not this request's to change.
    pub(crate) async fn record_proof(&self, id: Uuid) -> Result<u64, Error> {
        self.within_budget(retry(|| async {
            let mut unit = self.driver.begin(Purpose::Grant).await?;
            // Live once nothing is left to wait for: see `lock_sessions`.
            if let Some(lock) = &self.statements.lock_sessions {
                unit.fetch(lock, vec![Bind::Uuids(vec![id])]).await?;
            }
            let proved = unit
                .execute(&self.statements.prove, vec![Bind::from(id)])
                .await?;
            unit.commit().await?;
            Ok(proved)
        }))
        .await
    }

    /// Takes back a rotation whose new token never left the house.
    pub(crate) async fn undo_rotation(&self, id: Uuid, new: TokenHash) -> Result<u64, Error> {
        self.within_budget(retry(|| async {
            let mut link = self.driver.acquire(Purpose::Upkeep).await?;
            link.execute(
                &self.statements.undo_rotation,
                vec![Bind::from(id), Bind::Hash(new)],
            )
            .await
        }))
        .await
    }
}

fn read_rotated(rows: &[Row]) -> Result<Rotated, CorruptRow> {
    let row = rows.first().ok_or(CorruptRow)?;
    let remaining = Duration::from_micros(row.int(1)?.try_into().unwrap_or_default());
    Ok(Rotated {
        remembered: row.int(0)? == 1,
        remaining,
    })
}
