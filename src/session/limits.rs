//! How many sessions a user may have at once, and which ones a limit ends. Pure rules; the store applies them under the
//! lock on the user's row.

use uuid::Uuid;

/// A maximum of live sessions for one user; for [`Sessions::set_limit`](crate::Sessions::set_limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaxSessions {
    /// At most this many. With 0 the user cannot sign in.
    AtMost(u32),
    /// No limit.
    Unlimited,
}

impl MaxSessions {
    const UNLIMITED: i64 = -1;

    pub(crate) fn from_column(value: i64) -> Self {
        match u32::try_from(value) {
            Ok(max) => Self::AtMost(max),
            Err(_) if value < 0 => Self::Unlimited,
            Err(_) => Self::AtMost(u32::MAX),
        }
    }

    pub(crate) fn to_column(self) -> i64 {
        match self {
            Self::AtMost(max) => max.into(),
            Self::Unlimited => Self::UNLIMITED,
        }
    }
}

/// What happens to a sign-in beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitPolicy {
    /// The oldest session ends when the response of the sign-in succeeds.
    EndOldest,
    /// The least recently used session ends when the response of the sign-in succeeds.
    EndLeastRecentlySeen,
    /// The sign-in fails with [`LoginError::LimitReached`](crate::LoginError::LimitReached). Sign-ins under way count
    /// as sessions.
    Refuse,
}

/// The limit on a user's concurrent sessions, and what happens to a sign-in beyond it.
///
/// ```
/// use countersign::{Limit, LimitPolicy};
///
/// Limit::end_oldest(2); // the third sign-in ends the first
/// Limit::refuse(1); // one at a time; the second sign-in gets `LoginError::LimitReached`
/// Limit::unlimited().policy(LimitPolicy::Refuse); // only users with a maximum of their own are limited
/// ```
///
/// Default: [`unlimited`](Self::unlimited). A maximum of the user's own, from
/// [`Sessions::set_limit`](crate::Sessions::set_limit) or [`limit_query`](crate::SessionsBuilder::limit_query),
/// replaces the number but not the policy.
///
/// # Security
///
/// The store counts and inserts under a lock on the user's row, so concurrent sign-ins cannot exceed the limit (ASVS
/// 5.0, 15.4.2). Only a sign-in that succeeds ends a session for the limit, so failed attempts cannot lock a user out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    max: MaxSessions,
    policy: LimitPolicy,
}

impl Limit {
    /// No limit: any number of sessions.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            max: MaxSessions::Unlimited,
            policy: LimitPolicy::EndOldest,
        }
    }

    /// At most `max` sessions. A further sign-in ends the oldest.
    #[must_use]
    pub fn end_oldest(max: u32) -> Self {
        Self {
            max: MaxSessions::AtMost(max),
            policy: LimitPolicy::EndOldest,
        }
    }

    /// At most `max` sessions. A further sign-in ends the least recently used one.
    #[must_use]
    pub fn end_least_recently_seen(max: u32) -> Self {
        Self {
            max: MaxSessions::AtMost(max),
            policy: LimitPolicy::EndLeastRecentlySeen,
        }
    }

    /// At most `max` sessions. A further sign-in fails with
    /// [`LoginError::LimitReached`](crate::LoginError::LimitReached).
    #[must_use]
    pub fn refuse(max: u32) -> Self {
        Self {
            max: MaxSessions::AtMost(max),
            policy: LimitPolicy::Refuse,
        }
    }

    /// The same maximum with another policy, which also applies to users with a maximum of their own.
    #[must_use]
    pub fn policy(mut self, policy: LimitPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Whether a reservation requires a count of the user's other sessions.
    pub(crate) fn counts_to_reserve(self) -> bool {
        self.policy == LimitPolicy::Refuse && self.counts_to_activate()
    }

    /// Whether a reservation may require it, whatever the user's own maximum is.
    pub(crate) fn may_count_to_reserve(self) -> bool {
        self.policy == LimitPolicy::Refuse
    }

    /// Whether an activation requires a count of the user's other sessions.
    pub(crate) fn counts_to_activate(self) -> bool {
        self.max != MaxSessions::Unlimited
    }

    pub(crate) fn with_max(self, max: MaxSessions) -> Self {
        Self { max, ..self }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::unlimited()
    }
}

/// Another session of the user who is signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rival {
    pub(crate) id: Uuid,
    pub(crate) created_at_micros: i64,
    pub(crate) last_seen_at_micros: i64,
    /// It is reserved, and so not live yet.
    pub(crate) reserved: bool,
    /// The session of the same browser; the new one replaces it.
    pub(crate) replaced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted { ends: Vec<Uuid> },
    Full { max: u32 },
}

const ADMITTED: Admission = Admission::Admitted { ends: Vec::new() };

/// Whether a sign-in may be reserved. Under [`LimitPolicy::Refuse`] other reservations count. Otherwise two sign-ins
/// for the last place would both be reserved, and one of them would fail after its handler had succeeded.
pub(crate) fn admit_reservation(limit: Limit, rivals: &[Rival]) -> Admission {
    let MaxSessions::AtMost(max) = limit.max else {
        return ADMITTED;
    };
    let taken = rivals.iter().filter(|rival| !rival.replaced).count();
    match limit.policy {
        _ if max == 0 => Admission::Full { max },
        LimitPolicy::Refuse if taken >= max as usize => Admission::Full { max },
        _ => ADMITTED,
    }
}

/// Whether a reserved session may be activated, and which sessions must end for it.
pub(crate) fn admit_session(limit: Limit, rivals: Vec<Rival>) -> Admission {
    let MaxSessions::AtMost(max) = limit.max else {
        return ADMITTED;
    };
    let mut live: Vec<_> = rivals
        .into_iter()
        .filter(|rival| !rival.reserved && !rival.replaced)
        .collect();
    let Some(room) = (max as usize).checked_sub(1) else {
        return Admission::Full { max };
    };
    let excess = live.len().saturating_sub(room);
    match limit.policy {
        LimitPolicy::Refuse if excess > 0 => return Admission::Full { max },
        LimitPolicy::Refuse => {}
        // Ids break ties, since they sort by time too.
        LimitPolicy::EndOldest => live.sort_by_key(|rival| (rival.created_at_micros, rival.id)),
        LimitPolicy::EndLeastRecentlySeen => {
            live.sort_by_key(|rival| {
                (rival.last_seen_at_micros, rival.created_at_micros, rival.id)
            });
        }
    }
    Admission::Admitted {
        ends: live
            .into_iter()
            .take(excess)
            .map(|rival| rival.id)
            .collect(),
    }
}

#[cfg(test)]
mod tests;
