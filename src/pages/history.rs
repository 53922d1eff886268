//! The history of a session, as far as its row shows it.

use askama::{Template, filters::HtmlSafe};
use time::OffsetDateTime;

use super::{person::Person, shown::Shown, when::When};
use crate::store::{EndedReason, SessionInfo};

/// The steps of a session's life, in order.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/history.html")]
pub(crate) struct History {
    steps: Vec<HistoryStep>,
}

#[derive(Clone, Debug)]
struct HistoryStep {
    what: String,
    when: When,
    /// The step is in the future.
    is_ahead: bool,
}

impl HtmlSafe for History {}

impl History {
    pub(crate) fn of(session: &SessionInfo, now: OffsetDateTime) -> Self {
        let mut steps = vec![(began(session), session.created_at, false)];
        if session.authenticated_at > session.created_at {
            steps.push((
                "Proved again who they are".into(),
                session.authenticated_at,
                false,
            ));
        }
        if session.last_seen_at > session.created_at {
            steps.push(("Last seen".into(), session.last_seen_at, false));
        }
        match session.ended_at {
            Some(at) => steps.push((ended(session), at, false)),
            None => steps.push(("Ends at the latest".into(), session.expires_at, true)),
        }
        steps.sort_by_key(|(_, at, is_ahead)| (*is_ahead, *at));
        let steps = steps.into_iter().map(|(what, at, is_ahead)| HistoryStep {
            what,
            when: When::new(at, now),
            is_ahead,
        });
        Self {
            steps: steps.collect(),
        }
    }
}

fn began(session: &SessionInfo) -> String {
    match &session.acting_user {
        Some(acting) => {
            let acting = Person::new(acting, session.acting_display_name.as_deref());
            let user = Person::new(&session.user_id, session.display_name.as_deref());
            format!("User {acting} began to act as user {user}")
        }
        None => "Signed in".into(),
    }
}

fn ended(session: &SessionInfo) -> String {
    let what = match session.ended_reason {
        Some(EndedReason::Logout) => "Signed out",
        Some(EndedReason::Limit) => {
            "Ended to make room for a newer session: the user had reached the limit"
        }
        Some(EndedReason::Replaced) => "Ended: the same browser signed in again",
        Some(EndedReason::Expired) => "Timed out",
        Some(EndedReason::StampChanged) => "Ended: the account has changed since the sign-in",
        Some(EndedReason::Abandoned) => {
            "Ended: the browser never received the response to the sign-in"
        }
        _ => "Ended",
    };
    match (&session.ended_by, session.ended_reason) {
        (Some(by), Some(EndedReason::Revoked | EndedReason::Logout)) => {
            format!("{what} by {}", Shown::new(by))
        }
        _ => what.into(),
    }
}
