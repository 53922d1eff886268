//! Results in JSON, with the field names and forms of the HTTP API.

use countersign::{
    MaxSessions, SessionInfo, SessionState, UserId,
    time::{OffsetDateTime, format_description::well_known::Rfc3339},
};
use serde::Serialize;

/// A session.
#[derive(Serialize)]
pub(crate) struct Session<'a> {
    id: String,
    user_id: &'a str,
    display_name: Option<&'a str>,
    acting_user: Option<&'a str>,
    acting_display_name: Option<&'a str>,
    state: &'static str,
    /// Always false: the command line has no session.
    current: bool,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    authenticated_at: String,
    ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    remembered: bool,
    bearer: bool,
    ended_at: Option<String>,
    ended_reason: Option<&'static str>,
    ended_by: Option<&'a str>,
}

/// How many sessions have ended, or would end.
#[derive(Serialize)]
pub(crate) struct Revoked {
    pub(crate) revoked: u64,
    /// Always 0: the command line keeps no session.
    pub(crate) kept: u64,
    /// Always false: a command continues to the end.
    pub(crate) incomplete: bool,
}

/// A user's own maximum.
#[derive(Serialize)]
pub(crate) struct Limit {
    max_sessions: Option<Max>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Max {
    AtMost(u32),
    Unlimited(&'static str),
}

impl<'a> From<&'a SessionInfo> for Session<'a> {
    fn from(session: &'a SessionInfo) -> Self {
        Self {
            id: session.id.to_string(),
            user_id: session.user_id.as_str(),
            display_name: session.display_name.as_deref(),
            acting_user: session.acting_user.as_ref().map(UserId::as_str),
            acting_display_name: session.acting_display_name.as_deref(),
            state: state(session.state),
            current: false,
            created_at: time(session.created_at),
            last_seen_at: time(session.last_seen_at),
            expires_at: time(session.expires_at),
            authenticated_at: time(session.authenticated_at),
            ip: session.ip.as_deref(),
            user_agent: session.user_agent.as_deref(),
            remembered: session.remembered,
            bearer: session.bearer,
            ended_at: session.ended_at.map(time),
            ended_reason: session.ended_reason.map(|reason| reason.as_str()),
            ended_by: session.ended_by.as_deref(),
        }
    }
}

impl From<Option<MaxSessions>> for Limit {
    fn from(max: Option<MaxSessions>) -> Self {
        Self {
            max_sessions: max.map(|max| match max {
                MaxSessions::AtMost(number) => Max::AtMost(number),
                MaxSessions::Unlimited => Max::Unlimited("unlimited"),
            }),
        }
    }
}

pub(crate) fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Live => "live",
        SessionState::Ended => "ended",
    }
}

/// RFC 3339 in UTC, with the precision of the database.
pub(crate) fn time(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}
