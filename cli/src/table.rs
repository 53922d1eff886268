//! Results in columns.

use comfy_table::{ContentArrangement, Table, presets};
use countersign::{SessionInfo, UserId, time::OffsetDateTime};

use super::{escape, json};

/// A column's name and its text for a session.
type Column = (&'static str, fn(&SessionInfo) -> String);

const COLUMNS: [Column; 7] = [
    ("ID", |session| session.id.to_string()),
    ("USER", user),
    ("STATE", state),
    ("CREATED", |session| seconds(session.created_at)),
    ("LAST SEEN", |session| seconds(session.last_seen_at)),
    ("ADDRESS", |session| or_dash(session.ip.as_deref())),
    ("USER AGENT", user_agent),
];

/// Whether [`sessions`] writes the names of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Shown,
    Left,
}

/// A table with a session on each line.
pub(crate) fn sessions(sessions: &[SessionInfo], header: Header) -> String {
    let names = COLUMNS.map(|(name, _)| name.to_owned()).to_vec();
    let header = (header == Header::Shown).then_some(names);
    let rows = sessions
        .iter()
        .map(|session| COLUMNS.map(|(_, cell)| cell(session)).to_vec());
    columns(header.into_iter().chain(rows))
}

/// A session with a field on each line.
pub(crate) fn session(session: &SessionInfo) -> String {
    let ended_at = session.ended_at.map(json::time);
    let reason = session.ended_reason.map(|reason| reason.as_str());
    let fields = [
        ("id", session.id.to_string()),
        ("user_id", escape::for_terminal(session.user_id.as_str())),
        ("display_name", or_dash(session.display_name.as_deref())),
        (
            "acting_user",
            or_dash(session.acting_user.as_ref().map(UserId::as_str)),
        ),
        (
            "acting_display_name",
            or_dash(session.acting_display_name.as_deref()),
        ),
        ("state", json::state(session.state).to_owned()),
        ("created_at", json::time(session.created_at)),
        ("last_seen_at", json::time(session.last_seen_at)),
        ("expires_at", json::time(session.expires_at)),
        ("authenticated_at", json::time(session.authenticated_at)),
        ("ip", or_dash(session.ip.as_deref())),
        ("user_agent", or_dash(session.user_agent.as_deref())),
        ("remembered", session.remembered.to_string()),
        ("bearer", session.bearer.to_string()),
        ("ended_at", or_dash(ended_at.as_deref())),
        ("ended_reason", or_dash(reason)),
        ("ended_by", or_dash(session.ended_by.as_deref())),
    ];
    columns(fields.map(|(name, value)| vec![name.to_owned(), value]))
}

/// Aligns cells in columns. It does not escape them.
pub(crate) fn columns(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// The client, and whether it sends a bearer token.
fn user_agent(session: &SessionInfo) -> String {
    let agent = or_dash(session.user_agent.as_deref());
    match session.bearer {
        true => format!("{agent} (API client)"),
        false => agent,
    }
}

/// The user, and the administrator who acts as the user.
fn user(session: &SessionInfo) -> String {
    let user = called(&session.user_id, session.display_name.as_deref());
    match &session.acting_user {
        Some(acting) => format!(
            "{user} by {}",
            called(acting, session.acting_display_name.as_deref())
        ),
        None => user,
    }
}

/// The display name, with the id beside it: users can choose names that look like others.
fn called(id: &UserId, name: Option<&str>) -> String {
    let id = escape::for_terminal(id.as_str());
    match name {
        Some(name) => format!("{} ({id})", escape::for_terminal(name)),
        None => id,
    }
}

/// `live`, or the reason of its end and who ended it.
fn state(session: &SessionInfo) -> String {
    match (session.ended_reason, &session.ended_by) {
        (None, _) => json::state(session.state).to_owned(),
        (Some(reason), None) => reason.as_str().to_owned(),
        (Some(reason), Some(by)) => format!("{} by {}", reason.as_str(), escape::for_terminal(by)),
    }
}

fn or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), escape::for_terminal)
}

fn seconds(time: OffsetDateTime) -> String {
    json::time(time.replace_nanosecond(0).unwrap_or(time))
}
