//! Which sessions are meant: the filter of listings and of revocations.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Bind, Store, info::SessionState};
use crate::{error::Error, user_id::UserId};

/// Which sessions are meant: all conditions together. The same filter lists and revokes, so that the list is the
/// preview of the revocation.
///
/// There is no filter by accident: one starts from [`user`](Self::user) or, spelled out, [`everybody`](Self::everybody).
///
/// ```
/// use countersign::{Filter, SessionState};
///
/// let alice_on_curl = Filter::user("alice").state(SessionState::Live).user_agent("curl/");
/// let all_of_one_address = Filter::everybody().ip("192.0.2.7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    user_id: Option<UserId>,
    acting_user: Option<UserId>,
    /// Only those in which somebody acts as somebody else.
    acting: bool,
    state: Option<SessionState>,
    ip: Option<String>,
    user_agent: Option<String>,
    created_after: Option<OffsetDateTime>,
    created_before: Option<OffsetDateTime>,
    id: Option<Uuid>,
    except: Option<Uuid>,
}

impl Filter {
    /// The sessions of all users.
    #[must_use]
    pub fn everybody() -> Self {
        Self {
            user_id: None,
            acting_user: None,
            acting: false,
            state: None,
            ip: None,
            user_agent: None,
            created_after: None,
            created_before: None,
            id: None,
            except: None,
        }
    }

    /// The sessions of one user.
    #[must_use]
    pub fn user(user_id: impl Into<UserId>) -> Self {
        Self {
            user_id: Some(user_id.into()),
            ..Self::everybody()
        }
    }

    /// Only those in which this administrator acts as somebody else: see [`Session::login_as`](crate::Session::login_as).
    #[must_use]
    pub fn acting_user(mut self, user_id: impl Into<UserId>) -> Self {
        self.acting_user = Some(user_id.into());
        self
    }

    /// Only those in this state. A revocation looks among live sessions and sign-ins under way, whatever is said here:
    /// with `Ended` it finds nothing to end.
    #[must_use]
    pub fn state(mut self, state: SessionState) -> Self {
        self.state = Some(state);
        self
    }

    /// Only those that were signed in from this address, in the form that [`SessionInfo::ip`](crate::SessionInfo::ip) has.
    #[must_use]
    pub fn ip(mut self, ip: impl Into<String>) -> Self {
        self.ip = Some(ip.into());
        self
    }

    /// Only those whose user agent contains this text, letter for letter.
    #[must_use]
    pub fn user_agent(mut self, part: impl Into<String>) -> Self {
        self.user_agent = Some(part.into());
        self
    }

    /// Only those made at this time or later.
    #[must_use]
    pub fn created_after(mut self, time: OffsetDateTime) -> Self {
        self.created_after = Some(time);
        self
    }

    /// Only those made before this time.
    #[must_use]
    pub fn created_before(mut self, time: OffsetDateTime) -> Self {
        self.created_before = Some(time);
        self
    }

    /// The same filter among live sessions and sign-ins under way, which is where a revocation looks; `None` when it
    /// is about ended ones.
    pub(super) fn over_live(&self) -> Option<Self> {
        match self.state {
            Some(SessionState::Ended) => None,
            Some(SessionState::Live) | None => Some(Self {
                state: None,
                ..self.clone()
            }),
        }
    }

    /// The same filter among sessions in which somebody acts; `None` where it cannot mean both such a session and the one
    /// whose place that took, which is another user's.
    pub(super) fn once_more_among_acting(&self) -> Option<Self> {
        let names_one = self.user_id.is_some() || self.acting_user.is_some() || self.id.is_some();
        (!names_one).then(|| Self {
            acting: true,
            ..self.clone()
        })
    }

    /// The one user, the one who acts as a user, and the one session that are meant, as far as it names them.
    pub(crate) fn subject(&self) -> (Option<&UserId>, Option<&UserId>, Option<Uuid>) {
        (self.user_id.as_ref(), self.acting_user.as_ref(), self.id)
    }

    pub(crate) fn id(id: Uuid) -> Self {
        Self::everybody().only(id)
    }

    pub(crate) fn only(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    pub(crate) fn except(mut self, id: Uuid) -> Self {
        self.except = Some(id);
        self
    }

    /// The conditions as a template, each starting with AND, and their parameters.
    pub(super) fn conditions(&self, store: &Store) -> (String, Vec<Bind>) {
        let dialect = store.fragments.dialect;
        let mut sql = String::new();
        let mut binds = Vec::new();
        let mut and = |condition: &str, bind: Option<Bind>| {
            sql.push_str(" AND ");
            sql.push_str(condition);
            binds.extend(bind);
        };
        if let Some(user_id) = &self.user_id {
            and("user_id = {?text}", Some(Bind::Text(user_id.to_string())));
        }
        if let Some(user_id) = &self.acting_user {
            and(
                "acting_user = {?text}",
                Some(Bind::Text(user_id.to_string())),
            );
        }
        if self.acting {
            and("acting_user IS NOT NULL", None);
        }
        match self.state {
            Some(SessionState::Live) => and("{live}", None),
            Some(SessionState::Ended) => and("NOT {live}", None),
            None => {}
        }
        if let Some(ip) = &self.ip {
            // Addresses are ASCII without spaces. MySQL fails rather than compare its column of them with other letters,
            // and ignores spaces at the end.
            match ip.bytes().all(|byte| byte.is_ascii_graphic()) {
                true => and("ip = {?text}", Some(Bind::Text(ip.clone()))),
                false => and("1 = 0", None),
            }
        }
        if let Some(part) = &self.user_agent {
            and(
                &dialect.contains("user_agent"),
                Some(Bind::Text(store.letters.keep(part).into_owned())),
            );
        }
        if let Some(time) = self.created_after {
            and(
                &format!("created_at >= {}", dialect.time("{?int}")),
                Some(Bind::Int(micros(time))),
            );
        }
        if let Some(time) = self.created_before {
            and(
                &format!("created_at < {}", dialect.time("{?int}")),
                Some(Bind::Int(micros(time))),
            );
        }
        if let Some(id) = self.id {
            and("id = {?uuid}", Some(Bind::from(id)));
        }
        if let Some(id) = self.except {
            and("id <> {?uuid}", Some(Bind::from(id)));
        }
        (sql, binds)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let texts = [("ip", &self.ip), ("user_agent", &self.user_agent)];
        match texts
            .into_iter()
            .find(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\0')))
        {
            Some((name, _)) => Err(Error::invalid(format!(
                "the filter's {name} contains a NUL character"
            ))),
            None => self
                .user_id
                .iter()
                .chain(&self.acting_user)
                .try_for_each(UserId::validate)
                .map_err(Error::invalid),
        }
    }
}

/// Within what all databases can reckon with; no session was ever made outside it.
fn micros(time: OffsetDateTime) -> i64 {
    // The last millisecond of the year 9999: SQLite would round more up into the year after.
    const LATEST: i128 = 253_402_300_799_999_000;
    let micros = time.unix_timestamp_nanos() / 1000;
    i64::try_from(micros.clamp(0, LATEST)).unwrap_or(i64::MAX)
}
