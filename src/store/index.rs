//! The indexes of the sessions.

use super::dialect::Dialect;

/// An index of the sessions. Each is in the order of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// All of a realm, by `created_at`.
    Newest,
    /// What has not ended, by `created_at`.
    Live,
    /// A user's, by `created_at`.
    User,
    /// Those in which an administrator acts as another user, by `created_at`.
    ActingUser,
    /// Those from one address, by `created_at`.
    Ip,
    /// What has not ended and is not remembered, by `last_seen_at`.
    Idle,
    /// What has not ended and is remembered, by `last_seen_at`.
    Kept,
    /// What has not ended, by `expires_at`.
    Expires,
    /// Sign-ins that are not real yet, by `reserved_until`.
    Reserved,
    /// What has ended, by `ended_at`.
    Ended,
}

/// From which end an index is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NewestFirst => "DESC",
            Self::OldestFirst => "ASC",
        }
    }

    /// How what comes later compares with what comes before it.
    pub(super) fn onwards(self) -> &'static str {
        match self {
            Self::NewestFirst => "<",
            Self::OldestFirst => ">",
        }
    }
}

impl Index {
    #[cfg(test)]
    pub(super) const ALL: [Self; 10] = [
        Self::Newest,
        Self::Live,
        Self::User,
        Self::ActingUser,
        Self::Ip,
        Self::Idle,
        Self::Kept,
        Self::Expires,
        Self::Reserved,
        Self::Ended,
    ];

    pub(super) fn name(self, dialect: Dialect) -> &'static str {
        match self {
            Self::Newest => "countersign_sessions_newest",
            // What has not ended is the part of that index where `ended_at` is NULL.
            Self::Live if dialect == Dialect::MySql => "countersign_sessions_ended",
            Self::Live => "countersign_sessions_live",
            Self::User => "countersign_sessions_user",
            Self::ActingUser => "countersign_sessions_acting_user",
            Self::Ip => "countersign_sessions_ip",
            Self::Idle => "countersign_sessions_idle",
            // One index has both, one after the other.
            Self::Kept if dialect == Dialect::MySql => "countersign_sessions_idle",
            Self::Kept => "countersign_sessions_kept",
            Self::Expires => "countersign_sessions_expires",
            Self::Reserved => "countersign_sessions_reserved",
            Self::Ended => "countersign_sessions_ended",
        }
    }

    /// The column between the realm and the time.
    pub(super) fn names(self) -> Option<&'static str> {
        match self {
            Self::User => Some("user_id"),
            Self::ActingUser => Some("acting_user"),
            Self::Ip => Some("ip"),
            _ => None,
        }
    }

    pub(super) fn time(self) -> &'static str {
        match self {
            Self::Newest | Self::Live | Self::User | Self::ActingUser | Self::Ip => "created_at",
            Self::Idle | Self::Kept => "last_seen_at",
            Self::Expires => "expires_at",
            Self::Reserved => "reserved_until",
            Self::Ended => "ended_at",
        }
    }

    pub(super) fn is_of_unended(self) -> bool {
        matches!(self, Self::Live | Self::Idle | Self::Kept | Self::Expires)
    }

    /// What else is true of each row of it.
    pub(super) fn condition(self) -> Option<&'static str> {
        match self {
            Self::Idle => Some("remembered = 0"),
            Self::Kept => Some("remembered = 1"),
            _ => None,
        }
    }

    /// How PostgreSQL's index begins, the same of this realm, and the condition under which a row is in it.
    pub(super) fn spelling(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::User => ("realm", "{realm}", ""),
            Self::Newest => ("realm || ' newest'", "{realm} || ' newest'", ""),
            Self::Live => (
                "CASE WHEN ended_at IS NULL THEN realm || ' live' END",
                "{realm} || ' live'",
                "CASE WHEN ended_at IS NULL THEN realm || ' live' END IS NOT NULL AND ",
            ),
            Self::ActingUser => (
                "realm || ' acting'",
                "{realm} || ' acting'",
                "acting_user IS NOT NULL AND ",
            ),
            Self::Ip => ("realm || ' ip'", "{realm} || ' ip'", "ip IS NOT NULL AND "),
            Self::Idle => (
                "CASE WHEN ended_at IS NULL AND NOT remembered THEN realm || ' idle' END",
                "{realm} || ' idle'",
                "CASE WHEN ended_at IS NULL AND NOT remembered THEN realm || ' idle' END IS NOT NULL AND ",
            ),
            Self::Kept => (
                "CASE WHEN ended_at IS NULL AND remembered THEN realm || ' kept' END",
                "{realm} || ' kept'",
                "CASE WHEN ended_at IS NULL AND remembered THEN realm || ' kept' END IS NOT NULL AND ",
            ),
            Self::Expires => (
                "CASE WHEN ended_at IS NULL THEN realm || ' expires' END",
                "{realm} || ' expires'",
                "CASE WHEN ended_at IS NULL THEN realm || ' expires' END IS NOT NULL AND ",
            ),
            Self::Reserved => (
                "realm || ' reserved'",
                "{realm} || ' reserved'",
                "reserved_until IS NOT NULL AND ",
            ),
            Self::Ended => (
                "realm || ' ended'",
                "{realm} || ' ended'",
                "ended_at IS NOT NULL AND ",
            ),
        }
    }
}
