//! Writes `Set-Cookie`.
// docs/decisions/51-same-site-lax.md

use std::{error::Error, fmt, time::Duration};

use ::cookie::{Cookie, SameSite};
use http::header::HeaderValue;

use super::names::{CookieNameError, Protection};
use crate::user_id::UserIdError;

/// What browsers cut a longer `Max-Age` down to (RFC 6265bis, section 5.5). Written out so that no number is sent
/// that one of them might not be able to read.
const MAX_AGE_SECONDS: i64 = 400 * 24 * 60 * 60;

/// One of our cookies without its value: the name and the attributes, which never change.
#[derive(Clone, Debug)]
pub(super) struct Template {
    empty: Cookie<'static>,
    removal: HeaderValue,
}

impl Template {
    /// `Path=/` and no `Domain` are what the `__Host-` prefix asks for. `Lax` and not `Strict`: a browser that comes
    /// back from an external sign-in would otherwise be signed out on the first page.
    pub(super) fn new(name: String, protection: Protection) -> Result<Self, CookieNameError> {
        let empty = Cookie::build(name)
            .path("/")
            .secure(protection == Protection::HostPrefixed)
            .http_only(true)
            .same_site(SameSite::Lax)
            .build();
        // The same attributes: without `Secure`, no browser lets go of a `__Host-` cookie. `Expires` is for browsers that
        // do not know `Max-Age`.
        let mut removal = empty.clone();
        removal.set_max_age(time::Duration::ZERO);
        removal.set_expires(time::OffsetDateTime::UNIX_EPOCH);
        match HeaderValue::try_from(removal.to_string()) {
            Ok(removal) => Ok(Self { empty, removal }),
            Err(_) => Err(CookieNameError::NotAToken {
                name: empty.name().to_owned(),
            }),
        }
    }

    /// The name as it goes over the wire.
    pub(super) fn name(&self) -> &str {
        self.empty.name()
    }

    /// Keeps `sealed` until the browser is closed, or for `max_age`. `None` if the value cannot be in a header.
    pub(super) fn set(&self, sealed: &str, max_age: Option<Duration>) -> Option<HeaderValue> {
        let mut cookie = self.empty.clone();
        cookie.set_value(sealed);
        if let Some(age) = max_age {
            // Zero would remove the cookie.
            let seconds = i64::try_from(age.as_secs()).unwrap_or(MAX_AGE_SECONDS);
            cookie.set_max_age(time::Duration::seconds(seconds.clamp(1, MAX_AGE_SECONDS)));
        }
        let mut value = HeaderValue::try_from(cookie.to_string()).ok()?;
        // Keeps it out of `Debug` output and out of HTTP/2's compression tables.
        value.set_sensitive(true);
        Some(value)
    }

    /// Makes the browser forget the cookie.
    pub(super) fn remove(&self) -> HeaderValue {
        self.removal.clone()
    }
}

/// Why a session cookie could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SetCookieError {
    InvalidUserId(UserIdError),
    /// The value could not be encrypted.
    NotSealed,
}

impl fmt::Display for SetCookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUserId(error) => error.fmt(f),
            Self::NotSealed => f.write_str("the session cookie could not be encrypted"),
        }
    }
}

impl Error for SetCookieError {}

#[cfg(test)]
mod tests;
