//! Responses as JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::{Serialize, Serializer};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{conditions::state_name, refusal::Refusal};
use crate::{
    session::{MaxSessions, SignedIn},
    store::{SessionInfo, ending::Tally},
    user_id::UserId,
};

/// A 200 with the value as its body.
pub(crate) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let content_type = HeaderValue::from_static("application/json");
            ([(CONTENT_TYPE, content_type)], body).into_response()
        }
        Err(_) => Refusal::internal().into_response(),
    }
}

/// One page of sessions.
#[derive(Serialize)]
pub(crate) struct SessionsView<'a> {
    pub(crate) sessions: Vec<SessionView<'a>>,
    pub(crate) next_page_token: Option<String>,
    /// Time ran out before the page was full.
    pub(crate) incomplete: bool,
}

/// A session, without its token and digest.
#[derive(Serialize)]
pub(crate) struct SessionView<'a> {
    #[serde(serialize_with = "text")]
    id: Uuid,
    user_id: &'a str,
    display_name: Option<&'a str>,
    acting_user: Option<&'a str>,
    acting_display_name: Option<&'a str>,
    state: &'static str,
    current: bool,
    #[serde(serialize_with = "moment")]
    created_at: OffsetDateTime,
    #[serde(serialize_with = "moment")]
    last_seen_at: OffsetDateTime,
    #[serde(serialize_with = "moment")]
    expires_at: OffsetDateTime,
    #[serde(serialize_with = "moment")]
    authenticated_at: OffsetDateTime,
    ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    remembered: bool,
    bearer: bool,
    #[serde(serialize_with = "maybe_moment")]
    ended_at: Option<OffsetDateTime>,
    ended_reason: Option<&'static str>,
    ended_by: Option<&'a str>,
}

impl<'a> SessionView<'a> {
    /// The session as this user sees it, with their own session marked as current.
    pub(crate) fn new(session: &'a SessionInfo, user: &SignedIn) -> Self {
        Self {
            id: session.id,
            user_id: session.user_id.as_str(),
            display_name: session.display_name.as_deref(),
            acting_user: session.acting_user.as_ref().map(UserId::as_str),
            acting_display_name: session.acting_display_name.as_deref(),
            state: state_name(session.state),
            current: session.id == user.session_id(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            authenticated_at: session.authenticated_at,
            ip: session.ip.as_deref(),
            user_agent: session.user_agent.as_deref(),
            remembered: session.remembered,
            bearer: session.bearer,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason.map(|reason| reason.as_str()),
            ended_by: session.ended_by.as_deref(),
        }
    }
}

/// How many sessions a revocation ended and kept.
#[derive(Serialize)]
pub(crate) struct RevokedView {
    revoked: u64,
    kept: u64,
    /// Time ran out before all of them were handled.
    incomplete: bool,
}

impl From<Tally> for RevokedView {
    fn from(tally: Tally) -> Self {
        Self {
            revoked: tally.ended,
            kept: tally.kept,
            incomplete: tally.incomplete,
        }
    }
}

/// A user's own maximum.
#[derive(Serialize)]
pub(crate) struct LimitView {
    #[serde(serialize_with = "max_sessions")]
    pub(crate) max_sessions: Option<MaxSessions>,
}

fn max_sessions<S: Serializer>(
    max: &Option<MaxSessions>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match max {
        Some(MaxSessions::AtMost(max)) => serializer.serialize_u32(*max),
        Some(MaxSessions::Unlimited) => serializer.serialize_str("unlimited"),
        None => serializer.serialize_none(),
    }
}

fn text<S: Serializer>(value: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&value.hyphenated())
}

/// RFC 3339, in UTC.
fn moment<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text = time.to_offset(UtcOffset::UTC).format(&Rfc3339);
    serializer.serialize_str(&text.map_err(serde::ser::Error::custom)?)
}

fn maybe_moment<S: Serializer>(
    time: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => moment(time, serializer),
        None => serializer.serialize_none(),
    }
}
