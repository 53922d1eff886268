//! Events: what happens to sessions, reported once to three receivers: the log, the application's hook, and counters.
//!
//! 1. [`Events::report`] is the only way to report one. Every event reaches all three, so they cannot drift apart.
//! 2. Nothing here waits. The hook has a bounded queue; events that do not fit are counted, and the number is reported
//!    later.
//! 3. An event that clients can cause in bulk is reported a few times per second, and summed up beyond that. A flood of
//!    forged cookies then neither fills the log nor pushes sign-ins out of the queue.
//! 4. No event contains a token, digest, cookie, key or SQL value: its types have no field for one.

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

/// Something that happened to a session, or to a request that asked for one; for [`SessionsBuilder::on_event`].
///
/// Fields are `None` where they do not apply or are unknown. The [guide](crate::guide::events) has a table of the
/// fields of each kind.
///
/// # Security
///
/// No field contains a token, digest, cookie, key or SQL value (ASVS 5.0, 16.2.5). User ids, addresses and user agents
/// are personal data. Text from clients has no control characters but is otherwise unescaped: escape it where you show
/// or store it. `Debug` does.
///
/// [`SessionsBuilder::on_event`]: crate::SessionsBuilder::on_event
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// When it happened, by this node's clock. The rows of the database have the database's time.
    pub time: OffsetDateTime,
    /// The [`realm`](crate::SessionsBuilder::realm) in which it happened.
    pub realm: String,
    /// What happened.
    pub kind: EventKind,
    /// How many times it happened, or how many sessions it concerns: 1, unless the kind says otherwise.
    pub count: u64,
    /// The user whose session it is.
    pub user_id: Option<UserId>,
    /// The session's public id.
    pub session_id: Option<Uuid>,
    /// The administrator who acts as the user in this session.
    pub acting_user: Option<UserId>,
    /// The client's address, if known: see [`trusted_proxies`](crate::SessionsBuilder::trusted_proxies).
    pub ip: Option<String>,
    /// The client's `User-Agent`, up to 255 bytes. The client chooses it: never trust it.
    pub user_agent: Option<String>,
    /// Who ended the sessions or set the limit: a user's id, or the name given to the method.
    pub by: Option<String>,
    /// The permission that was missing.
    pub permission: Option<String>,
    /// The error of the database or of the [`PermissionSource`](crate::PermissionSource). It quotes no data of the
    /// database.
    pub error: Option<String>,
}

impl Event {
    pub(crate) fn new(kind: EventKind) -> Self {
        Self {
            time: OffsetDateTime::now_utc(),
            // `Events::report` sets it.
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

    /// Names the user, acting user and session that this filter names.
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

    /// The client's address and user agent.
    pub(crate) fn client(self, ip: Option<String>, user_agent: Option<String>) -> Self {
        Self {
            ip,
            user_agent,
            ..self
        }
    }
}
