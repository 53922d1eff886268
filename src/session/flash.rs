//! Messages that are shown once. They live in a cookie of their own, so that a response that eats a message can never
//! overwrite a sign-in that another request has just made.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use super::Session;
use crate::cookie::{Cookies, FlashLevel, FlashMessage};

/// Messages to be shown once, on this response or the next: an extractor, and part of every [`Session`].
///
/// A message that was added goes out with the response unless it is a server error; one that was
/// [taken](Self::take) is gone from the browser with it. All messages fit into one cookie of 4096 bytes: the oldest give
/// way. Losing one is harmless, so put nothing here that matters.
///
/// # Security
///
/// The cookie is encrypted and authenticated, so messages cannot be forged; escape them all the same when shown.
///
/// ```
/// use axum::response::Redirect;
/// use countersign::Flash;
///
/// async fn save(flash: Flash) -> Redirect {
///     flash.success("Saved.");
///     Redirect::to("/")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Flash(Session);

impl Flash {
    pub(crate) fn new(session: Session) -> Self {
        session.consult();
        Self(session)
    }

    /// Adds a message of a level.
    pub fn push(&self, level: FlashLevel, text: impl Into<String>) {
        let message = FlashMessage {
            level,
            text: text.into(),
        };
        self.0.flash_state().messages().added.push(message);
    }

    /// Adds a piece of information.
    pub fn info(&self, text: impl Into<String>) {
        self.push(FlashLevel::Info, text);
    }

    /// Adds good news.
    pub fn success(&self, text: impl Into<String>) {
        self.push(FlashLevel::Success, text);
    }

    /// Adds a warning.
    pub fn warning(&self, text: impl Into<String>) {
        self.push(FlashLevel::Warning, text);
    }

    /// Adds bad news.
    pub fn error(&self, text: impl Into<String>) {
        self.push(FlashLevel::Error, text);
    }

    /// All messages, oldest first: those the browser brought and those added to this request. They are shown now, so
    /// the browser forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<FlashMessage> {
        let state = self.0.flash_state();
        let mut messages = state.messages();
        let mut all = match messages.taken {
            true => Vec::new(),
            false => state.brought(&self.0.core().cookies),
        };
        messages.taken = true;
        all.append(&mut messages.added);
        all
    }
}

/// The messages of one request.
#[derive(Debug)]
pub(crate) struct FlashState {
    /// The cookie as it came; decrypted only when somebody asks.
    raw: Option<Vec<u8>>,
    messages: Mutex<Messages>,
}

#[derive(Debug, Default)]
struct Messages {
    taken: bool,
    added: Vec<FlashMessage>,
}

impl FlashState {
    pub(crate) fn new(raw: Option<Vec<u8>>) -> Self {
        Self {
            raw,
            messages: Mutex::default(),
        }
    }

    /// The Set-Cookie that leaves the browser with the right messages; `None` when it has them already.
    pub(crate) fn cookie(&self, cookies: &Cookies) -> Option<HeaderValue> {
        let messages = self.messages();
        if !messages.taken && messages.added.is_empty() {
            return None;
        }
        let mut all = if messages.taken {
            Vec::new()
        } else {
            self.brought(cookies)
        };
        all.extend(messages.added.iter().cloned());
        match cookies.set_flash(&all) {
            None if self.raw.is_some() => Some(cookies.remove_flash()),
            cookie => cookie,
        }
    }

    fn brought(&self, cookies: &Cookies) -> Vec<FlashMessage> {
        self.raw
            .as_deref()
            .map(|raw| cookies.decode_flash(raw))
            .unwrap_or_default()
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
