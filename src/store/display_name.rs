//! What people call the users of sessions: for whoever looks at sessions, and for nothing else.
// docs/decisions/57-display-names-for-listings.md

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    Bind, Purpose, SessionInfo, Store,
    application::{ACTING, ApplicationSql, OWNER, SESSION},
    fragments::Fragments,
    statement::{MAX_LIST, Statement},
    value::{
        CellKind::{Id, Texts},
        CorruptRow, Row,
    },
};
use crate::error::Error;

/// What people call a session's user, and the administrator who acts as that user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DisplayNames {
    pub(crate) user: Option<String>,
    pub(crate) acting_user: Option<String>,
}

/// The names to sessions, by the sessions' ids. `None` where the application has no names.
pub(super) fn display_names(
    fragments: &Fragments,
    application: &ApplicationSql,
) -> Option<Statement> {
    let user = application.display_name_of(fragments, OWNER)?;
    let acting = application.display_name_of(fragments, ACTING)?;
    let template = format!(
        "SELECT {SESSION}.countersign_id, {{user}}, {{acting}} FROM (SELECT id AS countersign_id, \
         user_id AS countersign_user, acting_user AS countersign_acting FROM countersign_sessions \
         WHERE id {{?uuids}}) {SESSION}"
    );
    let kinds = [Id, Texts, Texts];
    Some(Statement::over_list(
        fragments.dialect,
        &template,
        &kinds,
        |tag| match tag {
            "user" => Some(user.clone()),
            "acting" => Some(acting.clone()),
            _ => fragments.resolve(tag),
        },
    ))
}

impl Store {
    /// Whether the application says what people call its users.
    pub(crate) fn has_display_names(&self) -> bool {
        self.statements.display_names.is_some()
    }

    /// The names to these sessions, within so much time. A session that is not there any more has none.
    pub(crate) async fn display_names(
        &self,
        sessions: &[Uuid],
        within: Duration,
    ) -> Result<HashMap<Uuid, DisplayNames>, Error> {
        let mut names = HashMap::new();
        let Some(statement) = &self.statements.display_names else {
            return Ok(names);
        };
        let started = Instant::now();
        for some in sessions.chunks(MAX_LIST) {
            let left = within.saturating_sub(started.elapsed());
            let binds = vec![Bind::Uuids(some.to_vec())];
            let rows = self
                .fetch_for(
                    Purpose::Upkeep,
                    left.max(Duration::from_millis(1)),
                    statement,
                    binds,
                )
                .await?;
            for row in &rows {
                let read = DisplayNames {
                    user: only_name(row, 1)?,
                    acting_user: only_name(row, 2)?,
                };
                names.insert(row.uuid(0)?, read);
            }
        }
        Ok(names)
    }

    /// Adds the names to sessions. A list without names is still a list of sessions that can be ended, so what prevents
    /// the names is only reported.
    pub(super) async fn add_display_names(&self, sessions: &mut [SessionInfo], within: Duration) {
        let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
        match self.display_names(&ids, within).await {
            Ok(mut names) => {
                for session in sessions {
                    let names = names.remove(&session.id).unwrap_or_default();
                    (session.display_name, session.acting_display_name) =
                        (names.user, names.acting_user);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the display names of users could not be read: sessions are listed without them");
            }
        }
    }
}

/// The name, if there is exactly one: of several, none is known to be the user's.
fn only_name(row: &Row, column: usize) -> Result<Option<String>, CorruptRow> {
    match row.texts(column)? {
        [Some(name)] if !name.is_empty() => Ok(Some(name.to_string())),
        _ => Ok(None),
    }
}
