//! The operations of users on their own sessions. The JSON routes and the pages call the same ones.

use std::time::Duration;

use uuid::Uuid;

use crate::{
    session::Sessions,
    store::{Extent, Filter, ending::Tally},
    web::{
        conditions::{self, Conditions},
        listing::{ListQuery, Listing, ListingKind},
        member::{MadeFor, Member},
        params::{Blanks, Fields},
        refusal::Refusal,
    },
};

/// The operations, and how recent a sign-in they need.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) sessions: Sessions,
    pub(crate) recent: Duration,
}

/// A user who signed in recently enough to end sessions. Only [`Own::owner`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct Owner(Member);

impl Own {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            recent: Duration::from_secs(15 * 60),
        }
    }

    pub(crate) fn owner(&self, user: Member) -> Result<Owner, Refusal> {
        user.require_recent(self.recent)?;
        Ok(Owner(user))
    }

    /// The parameters of a listing. Users have few sessions, so the state is the only condition.
    pub(crate) fn list_query(query: &str, blanks: Blanks) -> Result<ListQuery, Refusal> {
        ListQuery::read(query, blanks, |fields: &mut Fields| {
            Ok(Conditions {
                state: conditions::state(fields)?,
                ..Conditions::default()
            })
        })
    }

    pub(crate) async fn list(&self, user: &Member, query: &ListQuery) -> Result<Listing, Refusal> {
        let mut filter = Filter::user(user.user_id());
        if let Some(state) = query.conditions.state {
            filter = filter.state(state);
        }
        query
            .list(&self.sessions, ListingKind::Account, user, &filter)
            .await
    }

    /// Ends one of the user's sessions. 404 if the user has no live session of this id. 409 if it is the current one,
    /// which signing out ends.
    pub(crate) async fn end(&self, Owner(user): &Owner, id: Uuid) -> Result<(), Refusal> {
        if id == user.session_id() {
            return Err(Refusal::current_session());
        }
        let theirs = Filter::user(user.user_id()).only(id);
        match self.sessions.revoke_where(&theirs, user.actor()).await? {
            0 => Err(Refusal::not_found()),
            _ => Ok(()),
        }
    }

    /// Ends all of the user's sessions except the current one.
    pub(crate) async fn end_others(&self, Owner(user): &Owner) -> Result<Tally, Refusal> {
        let by = user.actor().into();
        let others = self.sessions.end_others(user, by, Extent::WithinBudget);
        Ok(Tally {
            kept: 1,
            ..others.await?
        })
    }
}

impl MadeFor for Own {
    fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}

impl Owner {
    pub(crate) fn member(&self) -> &Member {
        &self.0
    }
}
