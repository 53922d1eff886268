//! What every cookie but the session cookie is put into: its holder, and the time until which it counts.
//!
//! A browser is used by several people, and a copy of a cookie can be kept and sent again. So what is inside counts for
//! one holder alone, and for a short time.
//!
//! # The clock
//!
//! The time is the node's, for want of a statement to ask the database with: most requests that bring such a cookie ask it
//! nothing. Clocks may differ by [`SKEW`]. Where they differ by more, messages are lost, which is harmless, or last longer
//! by the difference.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

/// The layout below. Another layout gets another character, so that releases can tell them apart.
const VERSION: char = '1';

/// How far the clocks of two nodes may be apart.
const SKEW: Duration = Duration::from_secs(60);

/// Whose request it is, as far as it matters to what the browser keeps for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A browser in which no user is signed in.
    Anonymous,
    /// The browser with this session. A new token does not change it.
    Session(Uuid),
}

/// A moment, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self(since.map_or(0, |since| since.as_secs()))
    }

    pub(crate) const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    pub(super) fn seconds(self) -> u64 {
        self.0
    }

    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// Whether what expires at this moment still counts `now`, if it counts for `lifetime` altogether. A moment that lies
    /// further ahead was never written: nothing may outlive its time because a clock was wrong once.
    pub(super) fn is_ahead(self, now: Self, lifetime: Duration) -> bool {
        now < self.after(SKEW) && self <= now.after(lifetime).after(SKEW)
    }
}

/// Puts a holder and a time in front of `body`.
pub(super) fn to_text(holder: Holder, expires_at: Moment, body: &str) -> String {
    format!("{}{body}", head(holder, expires_at))
}

/// How many bytes stand in front of the body.
pub(super) fn head_length(holder: Holder, expires_at: Moment) -> usize {
    head(holder, expires_at).len()
}

/// Holder and time have no space in them, so they need no other separator.
fn head(holder: Holder, expires_at: Moment) -> String {
    let seconds = expires_at.seconds();
    match holder {
        Holder::Anonymous => format!("{VERSION}{seconds} - "),
        Holder::Session(id) => format!("{VERSION}{seconds} {} ", id.simple()),
    }
}

/// Until when it counts, and the body, if it belongs to this holder and its time is not over.
pub(super) fn opened(
    text: &str,
    holder: Holder,
    now: Moment,
    lifetime: Duration,
) -> Option<(Moment, &str)> {
    let (seconds, rest) = text.strip_prefix(VERSION)?.split_once(' ')?;
    let (belongs_to, body) = rest.split_once(' ')?;
    let expires_at = Moment(seconds.parse().ok()?);
    let belongs_to = match belongs_to {
        "-" => Holder::Anonymous,
        id => Holder::Session(Uuid::try_parse(id).ok()?),
    };
    (belongs_to == holder && expires_at.is_ahead(now, lifetime)).then_some((expires_at, body))
}

/// The body alone.
pub(super) fn body_of(text: &str, holder: Holder, now: Moment, lifetime: Duration) -> Option<&str> {
    opened(text, holder, now, lifetime).map(|(_, body)| body)
}

#[cfg(test)]
mod tests;
