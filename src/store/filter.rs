//! Which sessions are meant: the filter of listings and of revocations.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Bind,
    conditions::Conditions,
    dialect::Dialect,
    index::Index,
    info::SessionState,
    letters::Letters,
    part::{Bound, Part},
    window::{Looking, Path, Route},
};
use crate::{error::Error, user_id::UserId};

/// Which sessions are meant: all conditions together. The same filter lists and revokes, so that the list is the
/// preview of the revocation.
///
/// There is no filter by accident: one starts from [`user`](Self::user) or, spelled out, [`all`](Self::all).
///
/// ```
/// use countersign::{Filter, SessionState};
///
/// let alice_on_curl = Filter::user("alice").state(SessionState::Live).user_agent("curl/");
/// let all_of_one_address = Filter::all().ip("192.0.2.7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    user_id: Option<UserId>,
    acting_user: Option<UserId>,
    /// Only those in which an administrator acts as a user.
    acting: bool,
    state: Option<SessionState>,
    ip: Option<String>,
    user_agent: Option<String>,
    /// A part of what people call the user.
    display_name: Option<String>,
    created_after: Option<OffsetDateTime>,
    created_before: Option<OffsetDateTime>,
    id: Option<Uuid>,
    except: Option<Uuid>,
}

impl Filter {
    /// The sessions of all users.
    #[must_use]
    pub fn all() -> Self {
        Self {
            user_id: None,
            acting_user: None,
            acting: false,
            state: None,
            ip: None,
            user_agent: None,
            display_name: None,
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
            ..Self::all()
        }
    }

    /// Only those in which this administrator acts as a user: see [`Session::login_as`](crate::Session::login_as).
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

    /// Only those whose user's display name contains this text, in upper or lower case. For
    /// [`list`](crate::Sessions::list) alone, with the builder's [`display_name`](crate::SessionsBuilder::display_name):
    /// names are not unique, so whoever ends sessions names the user by the id.
    #[must_use]
    pub fn display_name(mut self, part: impl Into<String>) -> Self {
        self.display_name = Some(part.into());
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

    /// The same filter among sessions in which an administrator acts; `None` where it cannot mean both such a session and the one
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
        Self::all().only(id)
    }

    pub(crate) fn only(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    pub(crate) fn except(mut self, id: Uuid) -> Self {
        self.except = Some(id);
        self
    }

    /// The same, asking for what the database keeps of a text whose letters it does not all have.
    pub(super) fn spelled_in(&self, letters: Letters) -> Self {
        let user_agent = self.user_agent.as_ref();
        Self {
            user_agent: user_agent.map(|part| letters.keep(part).into_owned()),
            ..self.clone()
        }
    }

    /// A part of the user's display name, which a listing looks for among the sessions that it has read.
    pub(super) fn part_of_name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    /// Whether nothing can fulfil it.
    pub(super) fn means_none(&self) -> bool {
        // Addresses are ASCII without spaces. MySQL fails rather than compare its column of them with other letters, and
        // ignores spaces at the end.
        let is_address = |ip: &String| ip.bytes().all(|byte| byte.is_ascii_graphic());
        !self.ip.as_ref().is_none_or(is_address)
    }

    /// By which index the sessions are found, and what is left to find out about each.
    ///
    /// The index of the condition that means the fewest, as far as that can be known beforehand. Whatever it is, a walk
    /// reads a bounded part of it at a time.
    pub(super) fn route(&self, dialect: Dialect, looking: Looking) -> Route {
        let unended = self.is_of_unended(looking);
        let path = match (self.id, &self.user_id, &self.acting_user, &self.ip) {
            (Some(id), ..) => Path::One(id),
            (_, Some(user_id), ..) => Path::By(Part::of(Index::User).named(user_id)),
            (_, _, Some(user_id), _) => Path::By(Part::of(Index::ActingUser).named(user_id)),
            (.., Some(ip)) => Path::By(Part::of(Index::Ip).named(ip)),
            _ if unended => Path::By(Part::of(Index::Live)),
            _ => Path::By(Part::of(Index::Newest)),
        };
        let mut others = self.others(dialect);
        self.add_times(dialect, &mut others);
        let path = match path {
            Path::One(id) => Path::One(id),
            // Each of these indexes is in the order of this time.
            Path::By(part) => {
                let bound = |comparison, time: Option<OffsetDateTime>| {
                    let micros = Bind::Int(micros(time?));
                    Some(Bound::new(comparison, dialect.time("{?int}"), vec![micros]))
                };
                Path::By(
                    part.bounded(bound(">=", self.created_after))
                        .bounded(bound("<", self.created_before)),
                )
            }
        };
        Route {
            path,
            others: others.each(),
        }
    }

    fn is_of_unended(&self, looking: Looking) -> bool {
        looking != Looking::Listed || self.state == Some(SessionState::Live)
    }

    /// Whether the [`route`](Self::route)'s index leaves next to nothing to find out about each session.
    pub(super) fn is_by_index_alone(&self, looking: Looking) -> bool {
        let names = [&self.user_id, &self.acting_user].map(Option::is_some);
        let names = names.into_iter().chain([self.ip.is_some()]);
        let by_name = names.filter(|is_named| *is_named).count();
        let by_state = match self.state {
            None => true,
            Some(_) => by_name == 0 && self.is_of_unended(looking),
        };
        by_name <= 1 && by_state && !self.acting && self.user_agent.is_none()
    }

    fn add_times(&self, dialect: Dialect, conditions: &mut Conditions) {
        let time = dialect.time("{?int}");
        let bind = |time| Some(Bind::Int(micros(time)));
        if let Some(after) = self.created_after {
            conditions.and(&format!("created_at >= {time}"), bind(after));
        }
        if let Some(before) = self.created_before {
            conditions.and(&format!("created_at < {time}"), bind(before));
        }
    }

    /// All conditions but those on times. One on which the index was chosen is asked once more, which costs nothing.
    fn others(&self, dialect: Dialect) -> Conditions {
        let mut others = Conditions::default();
        if let Some(user_id) = &self.user_id {
            others.and("user_id = {?text}", text(user_id));
        }
        if let Some(user_id) = &self.acting_user {
            others.and("acting_user = {?text}", text(user_id));
        }
        if self.acting {
            others.and("acting_user IS NOT NULL", None);
        }
        match self.state {
            Some(SessionState::Live) => others.and("{live}", None),
            Some(SessionState::Ended) => others.and("NOT {live}", None),
            None => {}
        }
        if let Some(ip) = &self.ip {
            others.and("ip = {?text}", text(ip));
        }
        if let Some(part) = &self.user_agent {
            others.and(&dialect.contains("user_agent"), text(part));
        }
        if let Some(id) = self.except {
            others.and("id <> {?uuid}", Some(Bind::from(id)));
        }
        others
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

fn text(value: &impl ToString) -> Option<Bind> {
    Some(Bind::Text(value.to_string()))
}

/// Within what all databases can reckon with; no session was ever made outside it.
fn micros(time: OffsetDateTime) -> i64 {
    // The last millisecond of the year 9999: SQLite would round more up into the year after.
    const LATEST: i128 = 253_402_300_799_999_000;
    let micros = time.unix_timestamp_nanos() / 1000;
    i64::try_from(micros.clamp(0, LATEST)).unwrap_or(i64::MAX)
}
