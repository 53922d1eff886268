//! What happens to sessions, told once and heard in three places: a line of the log, the application's hook, a counter.
//!
//! 1. [`Events::report`] is the one way: whatever is reported reaches all three, so they cannot drift apart.
//! 2. Nothing here waits. The hook is fed through a bounded queue, and what does not fit is counted and told later.
//! 3. What a client can cause at will is told a few times per second and summed up beyond that: a flood of forged cookies
//!    is neither a flood of log lines nor one that pushes sign-ins out of the queue.
//! 4. No token, digest, cookie, key or SQL value is ever part of an event; its types have no room for one.

mod flood;
mod hook;
mod kind;
mod line;
mod meter;
mod report;

use time::OffsetDateTime;
use uuid::Uuid;

pub use self::kind::{CookieRejection, EventKind, NotVerified, SignInRefusal};
pub(crate) use self::{
    hook::{Hook, Listener},
    meter::{Meter, Outcome},
    report::Events,
};
use crate::{store::Filter, user_id::UserId};

/// Something that happened to a session or to those who ask for one; for [`SessionsBuilder::on_event`].
///
/// Fields are `None` where they do not apply or are not known. The [guide](crate::guide::events) has a table of what each
/// kind carries.
///
/// # Security
///
/// Neither a token nor a digest, cookie, key or SQL value is in any field (ASVS 5.0, 16.2.5). User ids, addresses and user
/// agents are personal data. Text that came from outside is as it came, without control characters: escape it where it is
/// shown or written down. `Debug` does.
///
/// [`SessionsBuilder::on_event`]: crate::SessionsBuilder::on_event
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// When, by the clock of this node. Rows have the time of the database.
    pub time: OffsetDateTime,
    /// In which [`realm`](crate::SessionsBuilder::realm).
    pub realm: String,
    /// What happened.
    pub kind: EventKind,
    /// How many times, or how many sessions: 1, unless the kind says otherwise.
    pub count: u64,
    /// Whose session it is.
    pub user_id: Option<UserId>,
    /// The session's public name.
    pub session_id: Option<Uuid>,
    /// The administrator who acts as the user in this session.
    pub acting_user: Option<UserId>,
    /// The client's address, as far as it is known: see [`trusted_proxies`](crate::SessionsBuilder::trusted_proxies).
    pub ip: Option<String>,
    /// The client's `User-Agent`, up to 255 bytes. Sent by the client: never trust it.
    pub user_agent: Option<String>,
    /// Who ended the sessions or set the limit: a user's id, or the name given to the method.
    pub by: Option<String>,
    /// The permission that was missing.
    pub permission: Option<String>,
    /// What a database or a [`PermissionSource`](crate::PermissionSource) said. Of a database it quotes no data.
    pub error: Option<String>,
}

impl Event {
    pub(crate) fn new(kind: EventKind) -> Self {
        Self {
            time: OffsetDateTime::now_utc(),
            // Whoever reports it knows.
            realm: String::new(),
            kind,
            count: 1,
            user_id: None,
            session_id: None,
            acting_user: None,
            ip: None,
            user_agent: None,
            by: None,
            permission: None,
            error: None,
        }
    }

    fn in_realm(self, realm: &str) -> Self {
        let realm = realm.to_owned();
        Self { realm, ..self }
    }

    pub(crate) fn count(self, count: u64) -> Self {
        Self { count, ..self }
    }

    pub(crate) fn user(self, user_id: impl Into<Option<UserId>>) -> Self {
        let user_id = user_id.into();
        Self { user_id, ..self }
    }

    pub(crate) fn acting_user(self, acting_user: impl Into<Option<UserId>>) -> Self {
        let acting_user = acting_user.into();
        Self {
            acting_user,
            ..self
        }
    }

    pub(crate) fn session(self, session_id: impl Into<Option<Uuid>>) -> Self {
        let session_id = session_id.into();
        Self { session_id, ..self }
    }

    /// Of sessions that this filter means.
    pub(crate) fn meant_by(self, filter: &Filter) -> Self {
        let (user_id, acting_user, session_id) = filter.subject();
        self.user(user_id.cloned())
            .acting_user(acting_user.cloned())
            .session(session_id)
    }

    pub(crate) fn by(self, by: impl Into<String>) -> Self {
        let by = Some(by.into());
        Self { by, ..self }
    }

    pub(crate) fn permission(self, permission: &str) -> Self {
        let permission = Some(permission.to_owned());
        Self { permission, ..self }
    }

    pub(crate) fn error(self, error: impl ToString) -> Self {
        let error = Some(error.to_string());
        Self { error, ..self }
    }

    /// Where it came from.
    pub(crate) fn client(self, ip: Option<String>, user_agent: Option<String>) -> Self {
        Self {
            ip,
            user_agent,
            ..self
        }
    }
}
