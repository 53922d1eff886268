//! A user's own maximum of sessions.

use super::{Bind, Purpose, Store, retry::retry};
use crate::{error::Error, session::limits::MaxSessions, user_id::UserId};

impl Store {
    /// The user's own maximum, if one was set.
    pub(crate) async fn user_limit(&self, user_id: &UserId) -> Result<Option<MaxSessions>, Error> {
        let user = vec![Bind::Text(user_id.to_string())];
        let rows = self.fetch(&self.statements.user_limit, user).await?;
        match rows.first() {
            Some(row) => Ok(row.maybe_int(0)?.map(MaxSessions::from_column)),
            None => Ok(None),
        }
    }

    /// Sets or takes back the user's own maximum.
    pub(crate) async fn set_user_limit(
        &self,
        user_id: &UserId,
        max: Option<MaxSessions>,
    ) -> Result<(), Error> {
        const NONE: i64 = -2; // see the statement
        self.within_budget(retry(|| async {
            let mut unit = self.driver.begin(Purpose::Upkeep).await?;
            unit.execute(
                &self.statements.insert_user,
                vec![Bind::Text(user_id.to_string())],
            )
            .await?;
            let column = max.map_or(NONE, MaxSessions::to_column);
            let binds = vec![Bind::Int(column), Bind::Text(user_id.to_string())];
            unit.execute(&self.statements.set_user_limit, binds).await?;
            unit.commit().await
        }))
        .await
    }
}
