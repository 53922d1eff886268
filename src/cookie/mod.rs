//! The cookies: what a browser sends is read here, what it is told to keep is written here.
//!
//! The session cookie carries the user's id and the token, the flash cookie carries messages. They are apart
//! because a response that eats a flash message must never be able to overwrite a login that another request has
//! just made. Temporary state has a cookie for each value. All are encrypted and bound to their names.
//!
//! A client that is no browser of this site brings a bearer token instead, where the application takes them.
//!
//! Nothing here asks the database: [`Credentials`] are a claim that the verifier has yet to check.

mod bearer;
#[cfg(countersign_benches)]
#[allow(clippy::expect_used, clippy::panic, missing_docs)]
// a benchmark is to stop at the first surprise
pub(crate) mod benches;
mod credentials;
mod envelope;
mod flash;
#[cfg(fuzzing)]
#[allow(clippy::expect_used, clippy::panic, missing_docs)]
// a target is to stop at the first surprise
pub(crate) mod fuzzing;
mod names;
mod read;
mod spelling;
mod temporary;
mod write;

use std::time::Duration;

use http::{
    HeaderMap,
    header::{COOKIE, HeaderValue},
};

pub use self::flash::{FlashLevel, FlashMessage};
pub(crate) use self::{
    credentials::Credentials,
    envelope::{Holder, Moment},
    flash::Waiting,
    names::{CookieNameError, CookieNames, Protection},
    temporary::{BroughtTemporary, MAX_TEMPORARY_LIFETIME, TooLarge, is_purpose},
    write::SetCookieError,
};
use self::{
    credentials::Unreadable,
    read::{Found, find},
    write::Template,
};
use crate::{keys::KeyRing, token::Token, user_id::UserId};

/// The most bytes that name and value of one cookie may have together: what every browser is bound to keep
/// (RFC 6265bis, section 5.6; OWASP ASVS 5.0, 3.3.5). Longer ones are dropped by browsers in silence.
const MAX_BYTES: usize = 4096;

/// Reads and writes all of them.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    session: Template,
    flash: Template,
    /// What the names of temporary state start with.
    temporary_prefix: String,
    protection: Protection,
    takes_bearer_tokens: bool,
    keys: KeyRing,
}

impl Cookies {
    pub(crate) fn new(
        names: CookieNames<'_>,
        protection: Protection,
        keys: KeyRing,
    ) -> Result<Self, CookieNameError> {
        let (session, flash) = names.resolve(protection)?;
        Ok(Self {
            session: Template::new(session, protection)?,
            flash: Template::new(flash, protection)?,
            temporary_prefix: format!("{}{}", protection.prefix(), names::TEMPORARY),
            protection,
            takes_bearer_tokens: false,
            keys,
        })
    }

    /// Reads and writes bearer tokens as well.
    pub(crate) fn with_bearer_tokens(mut self) -> Self {
        self.takes_bearer_tokens = true;
        self
    }

    pub(crate) fn takes_bearer_tokens(&self) -> bool {
        self.takes_bearer_tokens
    }

    /// What a request presents, and how. With two ways at once it is not known which user the client means.
    pub(crate) fn presented(&self, headers: &HeaderMap) -> (Carrier, Presented) {
        let bearer = match self.takes_bearer_tokens {
            true => bearer::find(headers),
            false => bearer::Found::Absent,
        };
        match (bearer, self.session(headers)) {
            (bearer::Found::Absent, presented) => (Carrier::Cookie, presented),
            (bearer::Found::Conflicting, Presented::Absent) => {
                (Carrier::Bearer, Presented::Rejected(Rejection::Ambiguous))
            }
            (bearer::Found::One(sealed), Presented::Absent) => {
                (Carrier::Bearer, self.read(bearer::PURPOSE, sealed))
            }
            (bearer::Found::One(_) | bearer::Found::Conflicting, _) => (
                Carrier::Bearer,
                Presented::Rejected(Rejection::TwoCredentials),
            ),
        }
    }

    /// A bearer token: what the session cookie holds, for clients that are no browser of this site.
    pub(crate) fn bearer_token(&self, user_id: &UserId, token: &Token) -> Option<String> {
        let text = credentials::to_text(user_id, token);
        self.keys.seal(bearer::PURPOSE, &text)
    }

    /// What the browser presents as its session. Costs no decryption unless a cookie of ours is there, and no
    /// allocation either.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Presented {
        self.session_in(cookie_headers(headers))
    }

    fn session_in<'a>(&self, headers: impl Iterator<Item = &'a [u8]>) -> Presented {
        let name = self.session_name();
        let value = match find(headers, name.as_bytes()) {
            // A browser that keeps a cookie which was emptied for removal.
            Found::Absent | Found::One([]) => return Presented::Absent,
            Found::Conflicting => return Presented::Rejected(Rejection::Ambiguous),
            Found::One(value) => value,
        };
        self.read(name, value)
    }

    fn read(&self, name: &str, value: &[u8]) -> Presented {
        if name.len() + value.len() > MAX_BYTES {
            return Presented::Rejected(Rejection::TooLong);
        }
        let Some(text) = self.unseal(name, value) else {
            return Presented::Rejected(Rejection::Undecipherable);
        };
        match Credentials::from_text(&text) {
            Ok(credentials) => Presented::Credentials(credentials),
            Err(Unreadable::Version) => Presented::Rejected(Rejection::UnknownVersion),
            Err(Unreadable::Content) => Presented::Rejected(Rejection::Malformed),
        }
    }

    /// The flash cookie's value as it came, for [`Cookies::decode_flash`] once a handler asks. An empty one is a cookie
    /// that cannot be read and is worth removing all the same; `None` when there is none.
    pub(crate) fn raw_flash(&self, headers: &HeaderMap) -> Option<Vec<u8>> {
        let name = self.flash.name();
        match find(cookie_headers(headers), name.as_bytes()) {
            Found::Absent | Found::One([]) => None,
            Found::Conflicting => Some(Vec::new()),
            Found::One(value) if name.len() + value.len() > MAX_BYTES => Some(Vec::new()),
            Found::One(value) => Some(value.to_vec()),
        }
    }

    /// The messages in a value of [`Cookies::raw_flash`] that are for this holder, oldest first. What cannot be read is no
    /// message: losing one is harmless.
    pub(crate) fn decode_flash(&self, value: &[u8], holder: Holder, now: Moment) -> Vec<Waiting> {
        self.unseal(self.flash.name(), value)
            .and_then(|text| {
                let body = envelope::body_of(&text, holder, now, flash::LIFETIME)?;
                Some(flash::from_text(body, now))
            })
            .unwrap_or_default()
    }

    /// The keys, for other values that must come back as they went out.
    #[cfg(feature = "admin")]
    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The session cookie's name as it goes over the wire.
    pub(crate) fn session_name(&self) -> &str {
        self.session.name()
    }

    /// Tells the browser to keep this session: until it is closed, or for `max_age` (at most 400 days).
    pub(crate) fn set_session(
        &self,
        user_id: &UserId,
        token: &Token,
        max_age: Option<Duration>,
    ) -> Result<HeaderValue, SetCookieError> {
        user_id.validate().map_err(SetCookieError::InvalidUserId)?;
        let text = credentials::to_text(user_id, token);
        let sealed = self
            .keys
            .seal(self.session.name(), &text)
            .ok_or(SetCookieError::NotSealed)?;
        self.session
            .set(&sealed, max_age)
            .ok_or(SetCookieError::NotSealed)
    }

    /// Tells the browser to forget its session.
    pub(crate) fn remove_session(&self) -> HeaderValue {
        self.session.remove()
    }

    /// Tells the browser to bring these messages, oldest first, as long as it belongs to this holder. What does not fit
    /// into one cookie gives way: the oldest messages first, then the end of the last one. `None` when there is nothing to
    /// write; the caller then removes the cookie if there is one.
    pub(crate) fn set_flash(&self, messages: &[Waiting], holder: Holder) -> Option<HeaderValue> {
        let name = self.flash.name();
        let expires_at = messages.iter().map(|waiting| waiting.expires_at).max()?;
        let longest = KeyRing::longest_for(MAX_BYTES.checked_sub(name.len())?)?
            .checked_sub(envelope::head_length(holder, expires_at))?;
        let body = flash::to_text(messages, longest)?;
        let text = envelope::to_text(holder, expires_at, &body);
        self.flash.set(&self.keys.seal(name, &text)?, None)
    }

    /// Tells the browser to forget the messages it has shown.
    pub(crate) fn remove_flash(&self) -> HeaderValue {
        self.flash.remove()
    }

    fn unseal(&self, name: &str, value: &[u8]) -> Option<String> {
        self.keys.open(name, spelling::bytes(value)?)
    }
}

/// How a request brings its session, and how a login hands it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Cookie,
    /// `Authorization: Bearer`.
    Bearer,
}

/// What a request brings as its session.
#[derive(Debug)]
pub(crate) enum Presented {
    /// Nothing.
    Absent,
    /// A cookie of our name that we did not write, or not like this.
    Rejected(Rejection),
    /// A cookie that we wrote. Whether its session is still live is for the database to say.
    Credentials(Credentials),
}

/// Why a cookie of our name is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// Two different values under our name: another site sets cookies for this host.
    Ambiguous,
    /// More than 4096 bytes.
    TooLong,
    /// No spelling of base64, encrypted with no key of ours or for another name, or edited.
    Undecipherable,
    /// We wrote it, in a version that this release does not know.
    UnknownVersion,
    /// We wrote it, but not with this content.
    Malformed,
    /// A session cookie and a bearer token.
    TwoCredentials,
}

fn cookie_headers(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests;
