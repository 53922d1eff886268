//! Temporary state: values that a browser keeps for the application between two pages, and that are harmless to lose.
//!
//! Flash messages (`flash.rs`) follow the same rules and have an API of their own. A value belongs to the session that the browser
//! has after the response. It counts for a short time, and decides nothing.

mod error;
mod state;

use std::{fmt, marker::PhantomData, time::Duration};

use serde_core::{Serialize, de::DeserializeOwned};

pub use self::error::TemporaryError;
pub(crate) use self::state::TemporaryState;
use self::{error::unavailable, state::Added};
use super::Session;
use crate::cookie::{Cookies, MAX_TEMPORARY_LIFETIME, Moment, TooLarge, is_purpose};

/// How long a value counts by default.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Values of one purpose that a browser keeps between two pages; made by [`Session::temporary`].
///
/// Use it for a sign-in with an identity provider, a form of several steps, or the page to return to. Each value is a cookie of its
/// own, encrypted, with a random id. Send that id along (as OAuth's `state`, or in a hidden field), and give it to
/// [`take`](Self::take) when it comes back. Several tabs do not disturb each other.
///
/// | | |
/// | --- | --- |
/// | belongs to | its purpose, its id, and the session that the browser has after the response, or a browser without one |
/// | counts for | ten minutes, or the [`lifetime`](Self::lifetime) that you set, at most an hour |
/// | size | one cookie of 4096 bytes; a longer value is an error |
/// | in all | four values of a purpose, 6 KiB of cookies; the oldest give way |
/// | leaves | with the response, unless that is a server error |
///
/// # Security
///
/// A client can neither read nor change a value, and cannot use it for another purpose or in another session. It **can** keep one
/// and send it again within its time, also after a handler has [taken](Self::take) it. So keep nothing here that must happen once: no
/// one-time code, no count of tries. A value must never allow anything by itself.
///
/// The id has 128 random bits. Only the browser with the cookie gets the value, so another site cannot complete an attempt that
/// it began itself.
///
/// ```
/// use axum::{extract::Query, http::StatusCode, response::Redirect};
/// use countersign::{Session, TemporaryError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Attempt {
///     pkce_verifier: String,
///     next: String,
/// }
///
/// async fn begin(session: Session) -> Result<Redirect, TemporaryError> {
///     let attempt = Attempt { pkce_verifier: "…".into(), next: "/articles".into() };
///     let state = session.temporary("openid").put(&attempt)?;
///     Ok(Redirect::to(&format!("https://id.example/authorize?state={state}")))
/// }
///
/// #[derive(Deserialize)]
/// struct Back {
///     state: String,
/// }
///
/// async fn back(session: Session, Query(back): Query<Back>) -> Result<Redirect, StatusCode> {
///     let attempt: Option<Attempt> = session.temporary("openid").take(&back.state);
///     let attempt = attempt.ok_or(StatusCode::BAD_REQUEST)?; // too late, or another browser
///     // … ask the provider with `attempt.pkce_verifier`, then `session.login(…)`
///     Ok(Redirect::to(&attempt.next))
/// }
/// ```
pub struct Temporary<T> {
    session: Session,
    purpose: &'static str,
    lifetime: Duration,
    of: PhantomData<fn(T) -> T>,
}

impl Session {
    /// Values of one purpose that the browser keeps between two pages. A purpose has 1 to 32 letters `a`–`z`, digits and `-`, and
    /// its values have one type.
    #[must_use]
    pub fn temporary<T>(&self, purpose: &'static str) -> Temporary<T> {
        self.consult();
        Temporary {
            session: self.clone(),
            purpose,
            lifetime: LIFETIME,
            of: PhantomData,
        }
    }
}

impl<T> Temporary<T> {
    /// How long a value counts: at most an hour, by the clocks of the nodes, to within a minute. Default: ten minutes.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.min(MAX_TEMPORARY_LIFETIME);
        self
    }

    fn state(&self) -> &TemporaryState {
        self.session.temporary_state()
    }

    fn cookies(&self) -> &Cookies {
        &self.session.core().cookies
    }
}

impl<T: Serialize> Temporary<T> {
    /// Lets the browser keep a value, and returns the value's id: 22 letters, digits, `-` and `_`.
    ///
    /// # Errors
    ///
    /// A [`TemporaryError`]. The browser keeps nothing then.
    pub fn put(&self, value: &T) -> Result<String, TemporaryError> {
        if !is_purpose(self.purpose) {
            return Err(TemporaryError::InvalidPurpose {
                purpose: self.purpose,
            });
        }
        if self.session.is_settled() {
            return Err(TemporaryError::ResponseSent);
        }
        if self.session.is_unavailable() {
            return Err(unavailable("the database could not verify the session"));
        }
        let json = serde_json::to_string(value)
            .map_err(|error| TemporaryError::NotSerializable(error.into()))?;
        let cookies = self.cookies();
        let id = Cookies::new_temporary_id()
            .ok_or_else(|| unavailable("the system gives no random bytes"))?;
        let name =
            cookies
                .temporary_name(self.purpose, &id)
                .ok_or(TemporaryError::InvalidPurpose {
                    purpose: self.purpose,
                })?;
        cookies.fits_temporary(&name, &json).map_err(|too_large| {
            let TooLarge { bytes, longest } = too_large;
            TemporaryError::TooLarge {
                bytes,
                max: longest,
            }
        })?;
        let expires_at = Moment::now().after(self.lifetime);
        let added = Added {
            name,
            json,
            expires_at,
        };
        self.state().add(added);
        Ok(id)
    }
}

impl<T: DeserializeOwned> Temporary<T> {
    /// The value with this id, which the browser goes on keeping. `None` if the browser sent none, if it is of another purpose or
    /// session, if its time is over, or if it is not a `T`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<T> {
        let name = self.cookies().temporary_name(self.purpose, id)?;
        let json = self.state().find(self.cookies(), &name)?;
        serde_json::from_str(&json).ok()
    }

    /// The same, and the response removes it from the browser, unless that is a server error. A client can still keep a copy.
    #[must_use]
    pub fn take(&self, id: &str) -> Option<T> {
        let name = self.cookies().temporary_name(self.purpose, id)?;
        let json = self.state().find(self.cookies(), &name);
        // Also if it cannot be read: it must not come back.
        self.state().remove(&name);
        serde_json::from_str(&json?).ok()
    }
}

impl<T> fmt::Debug for Temporary<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Temporary")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
