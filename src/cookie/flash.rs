//! Messages that are shown once, and their form inside the cookie.

use std::fmt;

/// The layout below. Another layout gets another character, so that releases can tell them apart.
const VERSION: char = '1';

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

/// Reads what [`to_text`] wrote. A level that this release does not know is left out, anything else that is wrong
/// leaves nothing: losing a message is harmless.
pub(super) fn from_text(text: &str) -> Vec<FlashMessage> {
    let Some(json) = text.strip_prefix(VERSION) else {
        return Vec::new();
    };
    let messages: Vec<(String, String)> = serde_json::from_str(json).unwrap_or_default();
    messages
        .into_iter()
        .filter_map(|(level, text)| {
            Some(FlashMessage {
                level: FlashLevel::from_text(&level)?,
                text,
            })
        })
        .collect()
}

/// The messages as text of at most `longest` bytes: as many as fit, counted from the newest, which stands last. A newest one
/// that is too long by itself is cut. `None` when nothing is left.
pub(super) fn to_text(messages: &[FlashMessage], longest: usize) -> Option<String> {
    let room = longest.checked_sub(VERSION.len_utf8() + "[]".len())?;
    let mut kept = Vec::new();
    let mut used = 0;
    for message in messages.iter().rev() {
        let Some(entry) = entry(message.level, &message.text, room.saturating_sub(used)) else {
            break;
        };
        used += entry.len() + ",".len();
        kept.push(entry);
    }
    if kept.is_empty() {
        let newest = messages.last()?;
        kept.push(cut_entry(newest, room)?);
    }
    kept.reverse();
    Some(format!("{VERSION}[{}]", kept.join(",")))
}

/// One message as JSON if that takes at most `room` bytes.
fn entry(level: FlashLevel, text: &str, room: usize) -> Option<String> {
    // JSON is never shorter than the text, and the text may be of any length.
    if text.len() > room {
        return None;
    }
    serde_json::to_string(&(level.as_str(), text))
        .ok()
        .filter(|json| json.len() <= room)
}

/// The message with as much of the start of its text as fits.
fn cut_entry(message: &FlashMessage, room: usize) -> Option<String> {
    // JSON escapes lengthen a text by what is in it, so the place to cut is searched for: the longer the start, the
    // longer its JSON.
    let cut = |end: usize| entry(message.level, message.text.get(..end)?, room);
    let ends: Vec<usize> = message
        .text
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
