//! An event as a line of the log.

use std::borrow::Cow;

use tracing::Level;

use super::{CookieRejection, Event, EventKind, NotVerified, SignInRefusal};
use crate::{
    session::MaxSessions,
    store::{ConnectionDiscard, EndedReason},
    user_id::UserId,
    visible::is_hidden,
};

/// Stable: applications filter by it.
pub(super) const TARGET: &str = "countersign::events";

pub(super) fn write(event: &Event) {
    // A macro, since tracing needs a constant level.
    macro_rules! line {
        ($level:ident) => {
            tracing::event!(
                target: TARGET,
                Level::$level,
                event = event.kind.name(),
                count = event.count,
                user_id = plain(event.user_id.as_ref().map(UserId::as_str)).as_deref(),
                session_id = event.session_id.map(tracing::field::display),
                acting_user = plain(event.acting_user.as_ref().map(UserId::as_str)).as_deref(),
                ip = plain(event.ip.as_deref()).as_deref(),
                user_agent = plain(event.user_agent.as_deref()).as_deref(),
                reason = event.kind.reason(),
                max = max(event.kind),
                by = plain(event.by.as_deref()).as_deref(),
                permission = plain(event.permission.as_deref()).as_deref(),
                seconds = seconds(event.kind),
                error = plain(event.error.as_deref()).as_deref(),
                realm = event.realm.as_str(),
                "{}",
                message(event.kind)
            )
        };
    }
    match level(event.kind) {
        Level::ERROR => line!(ERROR),
        Level::WARN => line!(WARN),
        _ => line!(INFO),
    }
}

fn level(kind: EventKind) -> Level {
    match kind {
        EventKind::StoreUnavailable
        | EventKind::SignInFailed
        | EventKind::NotVerified {
            why: NotVerified::Corrupt,
        } => Level::ERROR,
        // Browsers that return after a long time send such cookies.
        EventKind::CookieRejected {
            why: CookieRejection::UnknownToken,
        } => Level::INFO,
        EventKind::CookieRejected { .. }
        | EventKind::LogoutIneffective { .. }
        | EventKind::CrossSiteRefused
        | EventKind::NotVerified { .. }
        | EventKind::ConnectionDiscarded { .. }
        | EventKind::EventsDropped => Level::WARN,
        EventKind::SignedIn
        | EventKind::SignInRefused { .. }
        | EventKind::SignedOut
        | EventKind::Ended { .. }
        | EventKind::LimitSet { .. }
        | EventKind::Rotated
        | EventKind::Reauthenticated
        | EventKind::AccountRefused
        | EventKind::PermissionMissing
        | EventKind::AuthorizationRefused
        | EventKind::StoreAvailable { .. } => Level::INFO,
    }
}

fn message(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SignedIn => "signed in",
        EventKind::SignInRefused { .. } => "sign-in refused",
        EventKind::SignInFailed => "sign-in failed",
        EventKind::SignedOut => "signed out",
        EventKind::LogoutIneffective { .. } => {
            "signed out without ending a session: this node cannot read the cookie; give every node the same keys"
        }
        EventKind::Ended {
            reason: EndedReason::Revoked,
        } => "sessions revoked",
        EventKind::Ended { .. } => "sessions ended",
        EventKind::LimitSet { .. } => "a user's own limit was changed",
        EventKind::Rotated => "session token rotated",
        EventKind::Reauthenticated => "re-authenticated",
        EventKind::CookieRejected { .. } => "session cookie rejected",
        EventKind::AccountRefused => "session refused: account may not be used",
        EventKind::PermissionMissing => "permission missing",
        EventKind::AuthorizationRefused => "authorization refused",
        EventKind::CrossSiteRefused => "cross-site request refused",
        EventKind::NotVerified { .. } => "session not verified",
        EventKind::StoreUnavailable => {
            "the session database cannot be reached; answering \"unavailable\" until it can"
        }
        EventKind::StoreAvailable { .. } => "the session database answers again",
        EventKind::ConnectionDiscarded {
            why: ConnectionDiscard::OpenTransaction,
        } => {
            "connection discarded: it was inside a transaction; look at what the pool's after_connect leaves open"
        }
        EventKind::ConnectionDiscarded {
            why: ConnectionDiscard::ReadOnly,
        } => {
            "connection discarded: it leads to a replica or a standby; use an address that leads to the primary"
        }
        EventKind::ConnectionDiscarded { .. } => "connection discarded",
        EventKind::EventsDropped => {
            "events dropped: the hook is too slow; make the closure of `on_event` faster"
        }
    }
}

fn max(kind: EventKind) -> Option<u32> {
    match kind {
        EventKind::SignInRefused {
            why: SignInRefusal::LimitReached { max },
        }
        | EventKind::LimitSet {
            max: Some(MaxSessions::AtMost(max)),
        } => Some(max),
        _ => None,
    }
}

fn seconds(kind: EventKind) -> Option<f64> {
    match kind {
        EventKind::StoreAvailable { after } => Some(after.as_secs_f64()),
        _ => None,
    }
}

/// Untrusted text with unprintable characters escaped. It can neither forge a log line nor reverse one on a screen,
/// whatever a subscriber does with it (ASVS 5.0, 16.4.1).
fn plain(text: Option<&str>) -> Option<Cow<'_, str>> {
    let text = text?;
    if text.chars().all(prints) {
        return Some(text.into());
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match prints(character) {
            true => escaped.push(character),
            false => escaped.extend(character.escape_unicode()),
        }
    }
    Some(escaped.into())
}

fn prints(character: char) -> bool {
    // The set that std escapes in `Debug`, except quotes and backslashes, which each subscriber handles itself.
    matches!(character, '"' | '\'' | '\\')
        || character.escape_debug().len() == 1 && !is_hidden(character)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_does_not_print_is_escaped() {
        for (text, expected) in [
            ("Mozilla/5.0 (\"X\\'; ü 漢)", "Mozilla/5.0 (\"X\\'; ü 漢)"),
            ("a\r\nlevel=INFO", "a\\u{d}\\u{a}level=INFO"),
            ("a\u{2028}b\u{2029}\u{85}", "a\\u{2028}b\\u{2029}\\u{85}"),
            ("\u{202e}nimda\u{1b}[2J", "\\u{202e}nimda\\u{1b}[2J"),
            (
                "a\u{3164}\u{2066}\u{200f}\u{2800}",
                "a\\u{3164}\\u{2066}\\u{200f}\\u{2800}",
            ),
            ("", ""),
        ] {
            assert_eq!(plain(Some(text)).as_deref(), Some(expected));
        }
        assert_eq!(plain(None), None);
    }
}
