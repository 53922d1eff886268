//! A session as it is shown.

use time::OffsetDateTime;
use uuid::Uuid;

use super::value::{CorruptRow, Row};
use crate::user_id::UserId;

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndedReason {
    /// Its user signed out.
    Logout,
    /// An administrator, the user or a program revoked it.
    Revoked,
    /// It made room for a newer one: the user's limit was reached.
    Limit,
    /// Its browser signed in again.
    Replaced,
    /// The idle or the absolute timeout passed.
    Expired,
    /// Its browser was gone before the answer to the sign-in could be sent.
    Abandoned,
    /// Its account is not what it was at sign-in: the [security stamp](crate::SessionsBuilder::security_stamp) has changed,
    /// or the account is gone.
    StampChanged,
    /// Its account may not be used. Told to requests and to [long-lived connections](crate::Session::ended), never stored:
    /// the session goes on where the account may be used again.
    AccountRefused,
    /// The database did not answer for longer than [`watch_grace`](crate::SessionsBuilder::watch_grace). Told to
    /// long-lived connections, never stored: the session may well go on.
    Unverifiable,
    /// A reason that a newer version of countersign wrote.
    Other,
}

impl EndedReason {
    /// The word in the database, in JSON and in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::Limit => "limit",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
            Self::StampChanged => "stamp-changed",
            Self::AccountRefused => "account-refused",
            Self::Unverifiable => "unverifiable",
            Self::Other => "other",
        }
    }

    pub(crate) fn from_column(word: &str) -> Self {
        [
            Self::Logout,
            Self::Revoked,
            Self::Limit,
            Self::Replaced,
            Self::Expired,
            Self::Abandoned,
            Self::StampChanged,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
        .unwrap_or(Self::Other)
    }
}

/// Whether a session still opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Its token is accepted.
    Live,
    /// Over: ended, or a timeout passed. No session comes back.
    Ended,
}

/// A session as it is shown. Tokens and digests are no part of it. Times are UTC, by the database's clock; SQLite keeps
/// milliseconds, the others microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its public name; opens nothing.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// What people call the user, by the builder's [`display_name`](crate::SessionsBuilder::display_name). `None` without
    /// it, or where it finds no name or several. The application's text: escape it when shown, beside the id.
    pub display_name: Option<String>,
    /// The administrator who acts as this user in this session: see [`Session::login_as`](crate::Session::login_as).
    pub acting_user: Option<UserId>,
    /// What people call that administrator.
    pub acting_display_name: Option<String>,
    /// Whether it is live, by the database's clock when it was read.
    pub state: SessionState,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When the user last proved who they are.
    pub authenticated_at: OffsetDateTime,
    /// When a request last came, to within the touch interval.
    pub last_seen_at: OffsetDateTime,
    /// When the absolute timeout passes.
    pub expires_at: OffsetDateTime,
    /// The client's address at sign-in. A hint: addresses are shared and change.
    pub ip: Option<String>,
    /// The client's `User-Agent` at sign-in, up to 255 bytes. Sent by the client: never trust it, escape it when shown.
    pub user_agent: Option<String>,
    /// Whether its cookie outlives the browser's own session.
    pub remembered: bool,
    /// Whether its client sends a bearer token instead of a cookie: see [`Login::bearer`](crate::Login::bearer).
    pub bearer: bool,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Why it ended.
    pub ended_reason: Option<EndedReason>,
    /// Who ended it: the user's id, or the name given to a `revoke…` method. `None` for what ran out.
    pub ended_by: Option<String>,
}

pub(super) fn read_info(row: &Row) -> Result<SessionInfo, CorruptRow> {
    let text = |column| row.maybe_text(column).map(|text| text.map(str::to_owned));
    let state = if row.int(2)? == 1 {
        SessionState::Live
    } else {
        SessionState::Ended
    };
    let recorded = (row.maybe_int(10)?, row.maybe_text(11)?);
    // A session that ran out is over from that moment on, whenever the sweeper comes by to write it down.
    let (ended_at, ended_reason) = match (state, recorded) {
        (SessionState::Live, _) => (None, None),
        (SessionState::Ended, (Some(at), Some(reason))) => {
            (Some(at), Some(EndedReason::from_column(reason)))
        }
        (SessionState::Ended, _) => (Some(row.int(13)?), Some(EndedReason::Expired)),
    };
    Ok(SessionInfo {
        id: row.uuid(0)?,
        user_id: UserId::from(row.text(1)?),
        display_name: None,
        acting_user: row.maybe_text(14)?.map(UserId::from),
        acting_display_name: None,
        state,
        created_at: time(row.int(3)?)?,
        authenticated_at: time(row.int(4)?)?,
        last_seen_at: time(row.int(5)?)?,
        expires_at: time(row.int(6)?)?,
        ip: text(7)?,
        user_agent: text(8)?,
        remembered: row.int(9)? == 1,
        bearer: row.int(15)? == 1,
        ended_at: ended_at.map(time).transpose()?,
        ended_reason,
        ended_by: text(12)?,
    })
}

fn time(micros: i64) -> Result<OffsetDateTime, CorruptRow> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| CorruptRow)
}
