//! The operations of administrators. The JSON routes and the pages call the same ones.

use std::{fmt, sync::Arc};

use uuid::Uuid;

use super::{Authorization, Authorize, authorize::Rulings};
use crate::{
    session::{Actor, MaxSessions, Sessions, SignedIn},
    store::{Extent, Filter, SessionInfo, SessionState, ending::Tally},
    user_id::UserId,
    web::{
        listing::{ListQuery, Listing, ListingKind},
        member::{MadeFor, Member},
        refusal::Refusal,
    },
};

/// The operations, and the permissions that they need.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) sessions: Sessions,
    pub(crate) read_permission: Arc<str>,
    pub(crate) revoke_permission: Arc<str>,
    pub(crate) authorize: Option<Arc<dyn Authorize>>,
}

/// An administrator who may read. Only [`Control::reader`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct Reader(Member);

/// An administrator who may end sessions. Only [`Control::revoker`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct Revoker(Member);

/// What happens to the session of the request itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Current {
    Keep,
    Include,
}

impl Control {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            read_permission: "sessions:read".into(),
            revoke_permission: "sessions:revoke".into(),
            authorize: None,
        }
    }

    pub(crate) fn reader(&self, user: Member) -> Result<Reader, Refusal> {
        user.require(&self.read_permission)?;
        Ok(Reader(user))
    }

    /// Refuses an administrator who acts as a user. Such a session has the user's permissions, for looking. If it could
    /// end sessions, the log would blame the user, and the administrator could bypass what an [`Authorize`] says about
    /// them.
    pub(crate) fn revoker(&self, user: Member) -> Result<Revoker, Refusal> {
        user.require(&self.revoke_permission)?;
        if user.acting_user().is_some() {
            return Err(Refusal::acting());
        }
        Ok(Revoker(user))
    }

    pub(crate) async fn list(&self, by: &Reader, query: &ListQuery) -> Result<Listing, Refusal> {
        if query.conditions.display_name.is_some() && !self.has_display_names() {
            let fault = "cannot be used: the application has no `.display_name`, so name the user by `user_id`";
            return Err(Refusal::parameter("display_name", fault));
        }
        let filter = query.conditions.filter();
        query
            .list(&self.sessions, ListingKind::Admin, &by.0, &filter)
            .await
    }

    /// Whether the application says what people call its users.
    pub(crate) fn has_display_names(&self) -> bool {
        self.sessions.core().store.has_display_names()
    }

    /// 404 if it is unknown.
    pub(crate) async fn show(&self, _: &Reader, id: Uuid) -> Result<SessionInfo, Refusal> {
        self.find(id).await
    }

    async fn find(&self, id: Uuid) -> Result<SessionInfo, Refusal> {
        let found = self.sessions.get(id).await?;
        found.ok_or_else(Refusal::not_found)
    }

    /// Ends one session. 404 if it is unknown or has ended, 409 if it is the current one, 403 if its user is protected.
    pub(crate) async fn end(
        &self,
        by: &Revoker,
        id: Uuid,
        current: Current,
    ) -> Result<(), Refusal> {
        let session = self.find(id).await?;
        if session.state == SessionState::Ended {
            return Err(Refusal::not_found());
        }
        let rulings = self.rulings(by, current);
        if rulings.keeps(id) {
            return Err(Refusal::current_session());
        }
        let ruling = rulings.over_session(&session.user_id, session.acting_user.as_ref());
        if ruling.await? == Authorization::Refused {
            return Err(Refusal::protected());
        }
        match self.sessions.revoke(id, by.actor()).await? {
            true => Ok(()),
            false => Err(Refusal::not_found()),
        }
    }

    /// Ends all sessions of a user, and those in which the user acts as another user.
    pub(crate) async fn end_user(
        &self,
        by: &Revoker,
        user_id: &UserId,
        current: Current,
    ) -> Result<Tally, Refusal> {
        let rulings = self.rulings(by, current);
        let (filters, extent) = (of_user(user_id), Extent::WithinBudget);
        let ending = self
            .sessions
            .end_permitted(filters, by.actor(), rulings, extent);
        Ok(ending.await?)
    }

    /// Ends the sessions that match the filter, as many as it can within the time budget.
    pub(crate) async fn end_where(
        &self,
        by: &Revoker,
        filter: &Filter,
        current: Current,
    ) -> Result<Tally, Refusal> {
        let rulings = self.rulings(by, current);
        let filters = [filter.clone()];
        let extent = Extent::WithinBudget;
        let ending = self
            .sessions
            .end_permitted(filters, by.actor(), rulings, extent);
        Ok(ending.await?)
    }

    /// What [`end_where`](Self::end_where) would do now. Several previews with the same [`rulings`](Self::rulings)
    /// decide about each user once.
    pub(crate) async fn preview(
        &self,
        rulings: &Rulings,
        filter: &Filter,
    ) -> Result<Tally, Refusal> {
        let store = &self.sessions.core().store;
        if self.authorize.is_some() {
            return Ok(store.preview_where(filter, rulings).await?);
        }
        // Without an `Authorize` every session may end, so the database can count.
        let kept = match rulings.kept() {
            Some(id) => {
                let kept = filter.clone().only(id);
                let counted = store.count_live_where(&kept, Extent::WithinBudget);
                counted.await?.sessions
            }
            None => 0,
        };
        let live = store.count_live_where(filter, Extent::WithinBudget).await?;
        Ok(Tally {
            ended: live.sessions.saturating_sub(kept),
            kept,
            incomplete: live.incomplete,
        })
    }

    /// A user's own maximum of sessions; `None` if there is none.
    pub(crate) async fn limit(
        &self,
        _: &Reader,
        user_id: &UserId,
    ) -> Result<Option<MaxSessions>, Refusal> {
        Ok(self.sessions.limit(user_id).await?)
    }

    /// Sets a user's own maximum, or removes it. 403 if the user is protected.
    pub(crate) async fn set_limit(
        &self,
        by: &Revoker,
        user_id: &UserId,
        max: Option<MaxSessions>,
    ) -> Result<(), Refusal> {
        let rulings = self.rulings(by, Current::Keep);
        if rulings.over(user_id).await? == Authorization::Refused {
            return Err(Refusal::protected());
        }
        Ok(self.sessions.set_limit(user_id, max, by.actor()).await?)
    }

    pub(super) fn rulings(&self, by: &Revoker, current: Current) -> Rulings {
        let keep = match current {
            Current::Keep => Some(by.0.session_id()),
            Current::Include => None,
        };
        let time_budget = self.sessions.core().time_budget;
        let by = SignedIn::clone(&by.0);
        Rulings::new(by, self.authorize.clone(), keep, time_budget)
    }
}

/// All sessions of a user: the user's own, and those in which the user acts as another user.
pub(crate) fn of_user(user_id: &UserId) -> [Filter; 2] {
    [Filter::user(user_id), Filter::all().acting_user(user_id)]
}

impl Reader {
    pub(crate) fn user(&self) -> &SignedIn {
        &self.0
    }
}

impl MadeFor for Control {
    fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}

impl Revoker {
    pub(crate) fn member(&self) -> &Member {
        &self.0
    }

    fn actor(&self) -> Actor {
        self.0.actor().into()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Control")
            .field("read_permission", &self.read_permission)
            .field("revoke_permission", &self.revoke_permission)
            .finish_non_exhaustive()
    }
}
