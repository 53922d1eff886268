//! Messages that are shown once, and their form inside the cookie.

use std::{fmt, time::Duration};

use super::envelope::Moment;

/// The layout below. Another layout gets another character, so that releases can tell them apart. Messages of version 1
/// belonged to no one and lasted for ever: they are read no more.
const VERSION: char = '2';

/// How long a message waits to be shown.
pub(crate) const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A message that is shown to the user once, most often after a redirect.
///
/// # Security
///
/// The cookie is encrypted, so the text comes from the application; it may still quote what a user typed. Escape it
/// where it is shown, as any template engine does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FlashMessage {
    /// How it is meant.
    pub level: FlashLevel,
    /// What it says.
    pub text: String,
}

/// How a [`FlashMessage`] is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlashLevel {
    /// By the way.
    Info,
    /// It worked.
    Success,
    /// It worked, but.
    Warning,
    /// It did not work.
    Error,
}

impl FlashLevel {
    const ALL: [Self; 4] = [Self::Info, Self::Success, Self::Warning, Self::Error];

    /// `"info"`, `"success"`, `"warning"` or `"error"`: a class name for the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

impl fmt::Display for FlashLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A message that waits to be shown, and until when. It keeps that time however often it goes out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) message: FlashMessage,
    pub(crate) expires_at: Moment,
}

impl Waiting {
    /// A message that begins to wait now.
    pub(crate) fn from(message: FlashMessage, now: Moment) -> Self {
        Self {
            message,
            expires_at: now.after(LIFETIME),
        }
    }
}

/// Reads what [`to_text`] wrote, but for messages whose time is over. A level that this release does not know is left out,
/// anything else that is wrong leaves nothing: losing a message is harmless.
pub(super) fn from_text(text: &str, now: Moment) -> Vec<Waiting> {
    let Some(json) = text.strip_prefix(VERSION) else {
        return Vec::new();
    };
    let messages: Vec<(String, String, u64)> = serde_json::from_str(json).unwrap_or_default();
    messages
        .into_iter()
        .filter_map(|(level, text, expires_at)| {
            let level = FlashLevel::from_text(&level)?;
            Some(Waiting {
                message: FlashMessage { level, text },
                expires_at: Moment::from_seconds(expires_at),
            })
        })
        .filter(|waiting| waiting.expires_at.is_ahead(now, LIFETIME))
        .collect()
}

/// The messages as text of at most `longest` bytes: as many as fit, counted from the newest, which stands last. A newest one
/// that is too long by itself is cut. `None` when nothing is left.
pub(super) fn to_text(messages: &[Waiting], longest: usize) -> Option<String> {
    let room = longest.checked_sub(VERSION.len_utf8() + "[]".len())?;
    let mut kept = Vec::new();
    let mut used = 0;
    for waiting in messages.iter().rev() {
        let text = &waiting.message.text;
        let Some(entry) = entry(waiting, text, room.saturating_sub(used)) else {
            break;
        };
        used += entry.len() + ",".len();
        kept.push(entry);
    }
    if kept.is_empty() {
        kept.push(cut_entry(messages.last()?, room)?);
    }
    kept.reverse();
    Some(format!("{VERSION}[{}]", kept.join(",")))
}

/// One message with this text as JSON, if that takes at most `room` bytes.
fn entry(waiting: &Waiting, text: &str, room: usize) -> Option<String> {
    // JSON is never shorter than the text, and the text may be of any length.
    if text.len() > room {
        return None;
    }
    let level = waiting.message.level.as_str();
    serde_json::to_string(&(level, text, waiting.expires_at.seconds()))
        .ok()
        .filter(|json| json.len() <= room)
}

/// The message with as much of the start of its text as fits.
fn cut_entry(waiting: &Waiting, room: usize) -> Option<String> {
    // JSON escapes lengthen a text by what is in it, so the place to cut is searched for: the longer the start, the
    // longer its JSON.
    let text = &waiting.message.text;
    let cut = |end: usize| entry(waiting, text.get(..end)?, room);
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(start, _)| start)
        .take_while(|start| *start <= room)
        .collect();
    let fitting = ends.partition_point(|end| cut(*end).is_some());
    // A message without any text would tell nothing.
    let end = ends
        .get(fitting.checked_sub(1)?)
        .copied()
        .filter(|end| *end > 0)?;
    cut(end)
}

#[cfg(test)]
mod tests;
