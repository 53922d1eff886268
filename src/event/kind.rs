//! The kinds of events, and the words for them in logs and labels.

use std::time::Duration;

use crate::{
    cookie::Rejection,
    session::MaxSessions,
    store::{ConnectionDiscard, EndedReason},
};

/// What happened. The words of [`name`](Self::name) and [`reason`](Self::reason) are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A user signed in: the session is real, and the response with its cookie goes out.
    SignedIn,
    /// A sign-in was refused, though the application had accepted it.
    SignInRefused {
        /// Why.
        why: SignInRefusal,
    },
    /// A sign-in failed, since the database did not answer or did not do it.
    SignInFailed,
    /// A user signed out.
    SignedOut,
    /// A user wanted to sign out, and no session ended, since the cookie could not be read
    /// ([`LogoutOutcome::CookieUnreadable`](crate::LogoutOutcome::CookieUnreadable)). A live session may remain. Summed up
    /// when there are many.
    LogoutIneffective {
        /// Why the cookie could not be read.
        why: CookieRejection,
    },
    /// Sessions ended otherwise than by their user's signing out. The event's `count` says how many.
    Ended {
        /// Why: [`Revoked`](EndedReason::Revoked), [`Limit`](EndedReason::Limit),
        /// [`Replaced`](EndedReason::Replaced), [`Expired`](EndedReason::Expired) as found by a sweep,
        /// [`StampChanged`](EndedReason::StampChanged), or
        /// [`Abandoned`](EndedReason::Abandoned).
        reason: EndedReason,
    },
    /// Somebody set a user's own maximum of sessions, or took it back. `by` says who, `user_id` whose it is.
    LimitSet {
        /// The maximum; `None` when it was taken back.
        max: Option<MaxSessions>,
    },
    /// A session got a new token.
    Rotated,
    /// A user proved again who they are.
    Reauthenticated,
    /// A request brought a session cookie that opens nothing and never should have been sent. A cookie whose session
    /// has ended is none of them. Summed up when there are many.
    CookieRejected {
        /// Why.
        why: CookieRejection,
    },
    /// A request came with a live session whose account may not be used. Summed up when there are many.
    AccountRefused,
    /// A user lacked a permission. Summed up when there are many.
    PermissionMissing,
    /// An administrator wanted to decide over a user's sessions, and the application's own decision was that they may not
    /// (feature `admin`). `by` is the administrator, `user_id` the user. Summed up when there are many.
    AuthorizationRefused,
    /// Another site's page would have changed something by way of a user's browser: a router or page of this crate refused
    /// (feature `admin`). Summed up when there are many.
    CrossSiteRefused,
    /// A request's session could not be verified: it was answered as "unavailable". Summed up when there are many. Not
    /// told while [`StoreUnavailable`](Self::StoreUnavailable) holds.
    NotVerified {
        /// Why.
        why: NotVerified,
    },
    /// The database cannot be reached. Told once; requests are answered "unavailable" from now on.
    StoreUnavailable,
    /// The database answers again.
    StoreAvailable {
        /// How long it could not be reached.
        after: Duration,
    },
    /// A connection of countersign's own was closed before its time. Summed up when there are many.
    ConnectionDiscarded {
        /// Why.
        why: ConnectionDiscard,
    },
    /// Events did not reach the hook, because its queue was full. The event's `count` says how many; they are in the log
    /// all the same.
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
    /// An administrator who acts as a user already wanted to act as another, or as themselves. The event has the session in
    /// which it was tried.
    Acting,
}

/// Why a session cookie was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieRejection {
    /// Two different values under our name: somebody else sets cookies for this host.
    Ambiguous,
    /// More than 4096 bytes.
    TooLong,
    /// Forged, edited, of the other cookie, or encrypted with a key that is not in the ring.
    Undecipherable,
    /// Written by a newer version of countersign.
    UnknownVersion,
    /// Encrypted with a key of ours, with something else inside.
    Malformed,
    /// Its user is not the session's.
    UserMismatch,
    /// No session has this token: it was rotated away, or its session has been swept. Many of them are old browsers; one
    /// that follows a rotation may be a stolen cookie.
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
    /// The session's row, or what the permission queries give for it, cannot be read.
    Corrupt,
    /// The [`PermissionSource`](crate::PermissionSource) failed.
    SourceFailed,
    /// The [`PermissionSource`](crate::PermissionSource) took longer than the time budget.
    SourceTimedOut,
}

impl EventKind {
    /// The word for it in logs, such as `signed-in`.
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

    /// The word for why, such as `limit-reached`, where there is one.
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
    /// The word in logs and labels.
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
    /// The word in logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::TooLong => "too-long",
            Self::Undecipherable => "undecipherable",
            Self::UnknownVersion => "unknown-version",
            Self::Malformed => "malformed",
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
        }
    }
}

impl NotVerified {
    /// The word in logs and labels.
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
