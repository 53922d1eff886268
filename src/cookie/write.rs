//! Writes `Set-Cookie`.

use std::{error::Error, fmt, time::Duration};

use http::header::HeaderValue;

use super::names::{CookieNameError, Protection};
use crate::user_id::UserIdError;

/// What browsers cut a longer `Max-Age` down to (RFC 6265bis, section 5.5). Written out so that no number is sent
/// that one of them might not be able to read.
const MAX_AGE_SECONDS: u64 = 400 * 24 * 60 * 60;

/// One of our cookies without its value: the name and the attributes, which never change.
#[derive(Clone, Debug)]
pub(super) struct Template {
    name: String,
    attributes: String,
    removal: HeaderValue,
}

impl Template {
    /// `Path=/` and no `Domain` are what the `__Host-` prefix asks for. `Lax` and not `Strict`: a browser that comes
    /// back from an external sign-in would otherwise be signed out on the first page.
    pub(super) fn new(name: String, protection: Protection) -> Result<Self, CookieNameError> {
        let secure = match protection {
            Protection::HostPrefixed => "; Secure",
            Protection::InsecurePlainHttp => "",
        };
        let attributes = format!("; Path=/{secure}; HttpOnly; SameSite=Lax");
        // The same attributes: without `Secure`, no browser lets go of a `__Host-` cookie.
        let removal =
            format!("{name}={attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        match HeaderValue::try_from(removal) {
            Ok(removal) => Ok(Self {
                name,
                attributes,
                removal,
            }),
            Err(_) => Err(CookieNameError::NotAToken { name }),
        }
    }

    /// The name as it goes over the wire.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Keeps `sealed` until the browser is closed, or for `max_age`. `None` if the value cannot be in a header.
    pub(super) fn set(&self, sealed: &str, max_age: Option<Duration>) -> Option<HeaderValue> {
        let (name, attributes) = (&self.name, &self.attributes);
        let text = match max_age {
            None => format!("{name}={sealed}{attributes}"),
            // Zero would remove the cookie.
            Some(age) => {
                let seconds = age.as_secs().clamp(1, MAX_AGE_SECONDS);
                format!("{name}={sealed}{attributes}; Max-Age={seconds}")
            }
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        // Keeps it out of `Debug` output and out of HTTP/2's compression tables.
        value.set_sensitive(true);
        Some(value)
    }

    /// Makes the browser forget the cookie. `Expires` is for those that do not know `Max-Age`.
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
