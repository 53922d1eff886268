//! Messages that are shown once. They have their own cookie. Suppose that one request shows a message while another one
//! signs the user in: the first response must not overwrite the second one's session cookie.
//!
//! A message belongs to one session. The messages of the request belong to the session of the request. Those of the
//! response belong to the session that the browser has afterwards, which a sign-in or a sign-out changes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use super::Session;
use crate::cookie::{Cookies, FlashLevel, FlashMessage, Holder, Moment, Waiting};

/// Messages that are shown once, in this response or the next. An extractor, and part of every [`Session`].
///
/// A response carries the added messages to the browser unless it is a server error. It also removes the messages that
/// the handler [took](Self::take), but only if it shows a page. Redirects, server errors, 204, 205, 304 and responses
/// to `HEAD` remove none.
///
/// A message is valid for ten minutes. It belongs to the session that the browser has after the response: after a
/// sign-in to the new session, after a sign-out to none. Messages of another session are not shown. While the database
/// is away, the session is unknown: messages in the browser wait, and new ones are lost.
///
/// All messages share one cookie of 4096 bytes. If they do not fit, the oldest are dropped, so put nothing here that
/// must arrive.
///
/// # Security
///
/// The cookie is encrypted and authenticated, so clients cannot forge messages. Still escape them when you show them. A
/// client can keep the cookie and send it again with the same session until its ten minutes are over. The node's clock
/// decides that, with a tolerance of one minute.
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

    /// Adds a message of this level.
    pub fn push(&self, level: FlashLevel, text: impl Into<String>) {
        let message = FlashMessage {
            level,
            text: text.into(),
        };
        self.0.flash_state().messages().added.push(message);
    }

    /// Adds a message of the level [`Info`](FlashLevel::Info).
    pub fn info(&self, text: impl Into<String>) {
        self.push(FlashLevel::Info, text);
    }

    /// Adds a message of the level [`Success`](FlashLevel::Success).
    pub fn success(&self, text: impl Into<String>) {
        self.push(FlashLevel::Success, text);
    }

    /// Adds a message of the level [`Warning`](FlashLevel::Warning).
    pub fn warning(&self, text: impl Into<String>) {
        self.push(FlashLevel::Warning, text);
    }

    /// Adds a message of the level [`Error`](FlashLevel::Error).
    pub fn error(&self, text: impl Into<String>) {
        self.push(FlashLevel::Error, text);
    }

    /// Takes all messages, oldest first: those of the request's cookie and those that this request added. The response
    /// removes them from the browser, so show them now.
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
    /// The request's cookie; decrypted only if a handler takes the messages.
    raw: Option<Vec<u8>>,
    /// The session of the request; `None` if the database could not verify it.
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

    /// The `Set-Cookie` value that leaves the right messages in the browser; `None` if it has them already. `holder` is
    /// the session that the browser has from now on. `shown` says whether the browser shows the response.
    pub(crate) fn cookie(
        &self,
        cookies: &Cookies,
        holder: Option<Holder>,
        shown: bool,
    ) -> Option<HeaderValue> {
        // While the session is unknown, no cookie changes.
        let holder = holder?;
        let messages = self.messages();
        // Messages of another session are removed, shown or not.
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
        // A handler may take a message and add it again for the next response.
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
