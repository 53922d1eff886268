//! The kinds of events, and their names in logs and labels.

use std::time::Duration;

use crate::{
    cookie::Rejection,
    session::MaxSessions,
    store::{ConnectionDiscard, EndedReason},
};

/// What happened. The texts of [`name`](Self::name) and [`reason`](Self::reason) are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A user signed in: the session is active, and the response with its cookie goes out.
    SignedIn,
    /// countersign refused a sign-in that the application had accepted.
    SignInRefused {
        /// Why.
        why: SignInRefusal,
    },
    /// A sign-in failed: the database did not answer, or could not carry it out.
    SignInFailed,
    /// A user signed out.
    SignedOut,
    /// A user signed out, but no session ended, since the cookie could not be read
    /// ([`LogoutOutcome::CookieUnreadable`](crate::LogoutOutcome::CookieUnreadable)). A live session may remain.
    /// Frequent ones are summed up.
    LogoutIneffective {
        /// Why the cookie could not be read.
        why: CookieRejection,
    },
    /// Sessions ended other than by their user signing out. The event's `count` says how many.
    Ended {
        /// Why: [`Revoked`](EndedReason::Revoked), [`Limit`](EndedReason::Limit),
        /// [`Replaced`](EndedReason::Replaced), [`Expired`](EndedReason::Expired) as found by a sweep,
        /// [`StampChanged`](EndedReason::StampChanged), or
        /// [`Abandoned`](EndedReason::Abandoned).
        reason: EndedReason,
    },
    /// An administrator or operator set a user's own maximum of sessions, or removed it. `by` is who did it, `user_id`
    /// the user.
    LimitSet {
        /// The maximum; `None` if it was removed.
        max: Option<MaxSessions>,
    },
    /// A session got a new token.
    Rotated,
    /// A user proved again who they are.
    Reauthenticated,
    /// A request carried a session cookie, or a bearer token, that no client should send. The cookie of an ended session does not count.
    /// Frequent ones are summed up.
    CookieRejected {
        /// Why.
        why: CookieRejection,
    },
    /// A request came with a live session whose account may not be used. Frequent ones are summed up.
    AccountRefused,
    /// A user lacked a permission. Frequent ones are summed up.
    PermissionMissing,
    /// The application's own decision kept an administrator from managing a user's sessions (feature `admin`). `by` is
    /// the administrator, `user_id` the user. Frequent ones are summed up.
    AuthorizationRefused,
    /// A router or page of this crate refused a request that another site's page made a user's browser send (feature
    /// `admin`). Frequent ones are summed up.
    CrossSiteRefused,
    /// A request's session could not be verified, so it counted as "unavailable". Frequent ones are summed up. Not
    /// reported while [`StoreUnavailable`](Self::StoreUnavailable) holds.
    NotVerified {
        /// Why.
        why: NotVerified,
    },
    /// The database cannot be reached. Reported once; from now on the session of every request is "unavailable".
    StoreUnavailable,
    /// The database answers again.
    StoreAvailable {
        /// How long it could not be reached.
        after: Duration,
    },
    /// countersign closed one of its own connections early. Frequent ones are summed up.
    ConnectionDiscarded {
        /// Why.
        why: ConnectionDiscard,
    },
    /// Events did not reach the hook, because its queue was full. The event's `count` says how many. The log has them.
    EventsDropped,
}

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignInRefusal {
    /// The user has as many sessions as allowed.
    LimitReached {
        /// The maximum.
        max: u32,
    },
    /// The account may not be used.
    AccountRefused,
    /// The response came later than the [`reservation_timeout`](crate::SessionsBuilder::reservation_timeout), or the
    /// sign-in was revoked while it was under way.
    Lapsed,
    /// An administrator who already acts as a user tried to act as another one, or an administrator as themselves. The
    /// event names the session of the attempt.
    Acting,
}

/// Why a session cookie, or a bearer token, was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieRejection {
    /// Two different values under our name: another site on this domain sets cookies for this host.
    Ambiguous,
    /// More than 4096 bytes.
    TooLong,
    /// Forged, edited, copied from the other cookie, or encrypted with a key that is not in the ring.
    Undecipherable,
    /// Written by a newer version of countersign.
    UnknownVersion,
    /// Encrypted with one of our keys, but its content is not a session cookie.
    Malformed,
    /// The request also carried a bearer token.
    TwoCredentials,
    /// The cookie names another user than the session's row.
    UserMismatch,
    /// No session has this token: a rotation replaced it, or its session was swept. Browsers that return after a long
    /// time cause many of these; one soon after a rotation may be a stolen cookie.
    UnknownToken,
}

/// Why a session could not be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotVerified {
    /// More requests wait than [`queue_capacity`](crate::SessionsBuilder::queue_capacity) allows.
    QueueFull,
    /// No answer within the [`time_budget`](crate::SessionsBuilder::time_budget).
    TimedOut,
    /// The statement failed.
    StoreFailed,
    /// The session's row, or the result of the permission queries for it, cannot be read.
    Corrupt,
    /// The [`PermissionSource`](crate::PermissionSource) failed.
    SourceFailed,
    /// The [`PermissionSource`](crate::PermissionSource) took longer than the time budget.
    SourceTimedOut,
}

impl EventKind {
    /// Its name in logs, such as `signed-in`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInRefused { .. } => "sign-in-refused",
            Self::SignInFailed => "sign-in-failed",
            Self::SignedOut => "signed-out",
            Self::LogoutIneffective { .. } => "logout-ineffective",
            Self::Ended { .. } => "ended",
            Self::LimitSet { .. } => "limit-set",
            Self::Rotated => "rotated",
            Self::Reauthenticated => "reauthenticated",
            Self::CookieRejected { .. } => "cookie-rejected",
            Self::AccountRefused => "account-refused",
            Self::PermissionMissing => "permission-missing",
            Self::AuthorizationRefused => "authorization-refused",
            Self::CrossSiteRefused => "cross-site-refused",
            Self::NotVerified { .. } => "not-verified",
            Self::StoreUnavailable => "store-unavailable",
            Self::StoreAvailable { .. } => "store-available",
            Self::ConnectionDiscarded { .. } => "connection-discarded",
            Self::EventsDropped => "events-dropped",
        }
    }

    /// The reason, such as `limit-reached`, if the kind has one.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::SignInRefused { why } => Some(why.as_str()),
            Self::Ended { reason } => Some(reason.as_str()),
            Self::LimitSet { max: None } => Some("taken-back"),
            Self::LimitSet {
                max: Some(MaxSessions::Unlimited),
            } => Some("unlimited"),
            Self::CookieRejected { why } | Self::LogoutIneffective { why } => Some(why.as_str()),
            Self::NotVerified { why } => Some(why.as_str()),
            Self::ConnectionDiscarded { why } => Some(why.as_str()),
            _ => None,
        }
    }
}

impl SignInRefusal {
    /// The name in logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LimitReached { .. } => "limit-reached",
            Self::AccountRefused => "account-refused",
            Self::Lapsed => "lapsed",
            Self::Acting => "acting",
        }
    }
}

impl CookieRejection {
    /// The name in logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::TooLong => "too-long",
            Self::Undecipherable => "undecipherable",
            Self::UnknownVersion => "unknown-version",
            Self::Malformed => "malformed",
            Self::TwoCredentials => "two-credentials",
            Self::UserMismatch => "user-mismatch",
            Self::UnknownToken => "unknown-token",
        }
    }
}

impl From<Rejection> for CookieRejection {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Ambiguous => Self::Ambiguous,
            Rejection::TooLong => Self::TooLong,
            Rejection::Undecipherable => Self::Undecipherable,
            Rejection::UnknownVersion => Self::UnknownVersion,
            Rejection::Malformed => Self::Malformed,
            Rejection::TwoCredentials => Self::TwoCredentials,
        }
    }
}

impl NotVerified {
    /// The name in logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue-full",
            Self::TimedOut => "timed-out",
            Self::StoreFailed => "store-failed",
            Self::Corrupt => "corrupt",
            Self::SourceFailed => "source-failed",
            Self::SourceTimedOut => "source-timed-out",
        }
    }
}
