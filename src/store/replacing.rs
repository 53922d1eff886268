//! What a new session takes the place of in its browser.

use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, MAX_LIST, NewSession, Previous, Store,
    driver::Unit,
    grant::{Attempt, SignInError},
    value::{CorruptRow, Row},
};

impl Store {
    /// The session that the new one replaces, by its id.
    pub(super) async fn previous_of(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
    ) -> Result<Option<Uuid>, Attempt> {
        match new.previous {
            Some(Previous::Session(id)) => Ok(Some(id)),
            Some(Previous::Token(token)) => Ok(self.find_token(unit, token).await?),
            None => Ok(None),
        }
    }

    /// Ends what the browser has had until now: its previous session, and what other sign-ins of the same browser, which
    /// were under way at the same time, have made real before this one.
    pub(super) async fn replace(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
        previous: Option<Uuid>,
    ) -> Result<Vec<Uuid>, Attempt> {
        let mut replaced = Vec::new();
        if let Some(previous) = previous {
            let ended = match new.acting_user {
                // An administrator who was signed out or ran out meanwhile acts as no other.
                Some(_) => {
                    let binds = self.end_binds(
                        EndedReason::Replaced,
                        Some(new.actor().as_str()),
                        Bind::Uuids(vec![previous]),
                    );
                    unit.execute(&self.statements.end_live, binds).await?
                }
                None => {
                    self.end_in(unit, new, EndedReason::Replaced, &[previous])
                        .await?
                }
            };
            if ended == 0 && new.acting_user.is_some() {
                return Err(Attempt::Refused(SignInError::Lapsed));
            }
            replaced.extend((ended > 0).then_some(previous));
        }
        if previous.or(new.follows).is_none() || new.acting_user.is_some() {
            return Ok(replaced);
        }
        let mut binds: Vec<_> = self.user_named(new).collect();
        binds.extend([Bind::from(new.id), Bind::from(new.id)]);
        let rows = unit.fetch(&self.statements.siblings, binds).await?;
        let siblings = read_counted(&rows, 1, |row| row.uuid(0))?;
        for siblings in siblings.chunks(MAX_LIST) {
            if self
                .end_in(unit, new, EndedReason::Replaced, siblings)
                .await?
                > 0
            {
                replaced.extend(siblings);
            }
        }
        Ok(replaced)
    }

    /// Ends sessions in favour of the new one.
    pub(super) async fn end_in(
        &self,
        unit: &mut dyn Unit,
        new: &NewSession,
        reason: EndedReason,
        ids: &[Uuid],
    ) -> Result<u64, Attempt> {
        let by = Some(new.actor().as_str());
        let binds = self.end_binds(reason, by, Bind::Uuids(ids.to_vec()));
        Ok(unit.execute(&self.statements.end_ids, binds).await?)
    }
}

/// Rows that each say in this column how many they are: an answer that was cut is not a shorter answer.
pub(super) fn read_counted<T>(
    rows: &[Row],
    total: usize,
    read: impl Fn(&Row) -> Result<T, CorruptRow>,
) -> Result<Vec<T>, Attempt> {
    if let Some(row) = rows.first() {
        let total = row.int(total).map_err(Attempt::corrupt)?;
        if usize::try_from(total) != Ok(rows.len()) {
            return Err(Fault::incomplete().into());
        }
    }
    let read: Result<Vec<_>, _> = rows.iter().map(read).collect();
    read.map_err(Attempt::corrupt)
}
