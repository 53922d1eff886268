//! Messages that are shown once. They live in a cookie of their own, so that a response that eats a message can never
//! overwrite a sign-in that another request has just made.
//!
//! What the browser brings belongs to whom the request came from, and what it is told to keep belongs to whom it will be
//! once the response is there: a sign-in and a sign-out change that in between.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use super::Session;
use crate::cookie::{Cookies, FlashLevel, FlashMessage, Holder, Moment, Waiting};

/// Messages to be shown once, on this response or the next: an extractor, and part of every [`Session`].
///
/// A message that was added goes out with the response unless it is a server error; one that was
/// [taken](Self::take) is gone from the browser with it. An answer that shows no page takes nothing away: one to a `HEAD`
/// request, a redirect, 204, 205, 304, a server error.
///
/// A message is for one person and for ten minutes. It belongs to the session that the browser has after the response: to
/// the new one after a sign-in, to nobody after a sign-out. Once another session takes its place, or none, its messages are
/// not shown any more. While the database is away, nobody knows whose session it is: messages wait, and new ones are lost.
///
/// All messages fit into one cookie of 4096 bytes: the oldest give way. Losing one is harmless, so put nothing here that
/// matters.
///
/// # Security
///
/// The cookie is encrypted and authenticated, so messages cannot be forged; escape them all the same when shown. A client
/// can keep a cookie and send it again: within its ten minutes, by the node's clock and give or take a minute, and with the
/// same session.
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
            false => state
                .brought(&self.0.core().cookies, Moment::now())
                .into_iter()
                .map(|waiting| waiting.message)
                .collect(),
        };
        messages.taken = true;
        all.append(&mut messages.added);
        all
    }
}

/// The messages of one request.
#[derive(Debug)]
pub(crate) struct FlashState {
    /// The cookie as it came; decrypted only when a handler asks.
    raw: Option<Vec<u8>>,
    /// Whom the request came from; `None` while that is not known.
    holder: Option<Holder>,
    messages: Mutex<Messages>,
}

#[derive(Debug, Default)]
struct Messages {
    taken: bool,
    added: Vec<FlashMessage>,
}

impl FlashState {
    pub(crate) fn new(raw: Option<Vec<u8>>, holder: Option<Holder>) -> Self {
        Self {
            raw,
            holder,
            messages: Mutex::default(),
        }
    }

    /// The Set-Cookie that leaves the browser with the right messages; `None` when it has them already. `holder` is who the
    /// browser belongs to from now on, and `shown` whether it shows the answer.
    pub(crate) fn cookie(
        &self,
        cookies: &Cookies,
        holder: Option<Holder>,
        shown: bool,
    ) -> Option<HeaderValue> {
        // In an outage no cookie changes.
        let holder = holder?;
        let messages = self.messages();
        // Messages for another holder are no good any more, read or not.
        let gone = (messages.taken && shown) || (self.raw.is_some() && self.holder != Some(holder));
        if !gone && messages.added.is_empty() {
            return None;
        }
        let now = Moment::now();
        let mut all = if gone {
            Vec::new()
        } else {
            self.brought(cookies, now)
        };
        // A handler may have taken one to send it on itself.
        all.retain(|waiting| !(messages.taken && messages.added.contains(&waiting.message)));
        let added = messages.added.iter().cloned();
        all.extend(added.map(|message| Waiting::from(message, now)));
        match cookies.set_flash(&all, holder) {
            None if self.raw.is_some() => Some(cookies.remove_flash()),
            cookie => cookie,
        }
    }

    fn brought(&self, cookies: &Cookies, now: Moment) -> Vec<Waiting> {
        match (&self.raw, self.holder) {
            (Some(raw), Some(holder)) => cookies.decode_flash(raw, holder, now),
            _ => Vec::new(),
        }
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
