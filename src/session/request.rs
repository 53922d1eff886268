//! The session of one request, from the cookie that came to the cookie that goes.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderMap, HeaderValue, StatusCode};
use uuid::Uuid;

use super::{
    Access, Flash, Login, Sessions, SignedIn,
    background::to_the_end,
    flash::FlashState,
    grant::{self, Granted, Reservation},
    handle::Core,
};
use crate::{
    client::Observed,
    cookie::{Credentials, Presented},
    error::Error,
    store::{EndedReason, Found, Lookup, Proof, SignInError},
    token::TokenHash,
    user_id::UserId,
};

/// Whom a request comes from, as verified against the database.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Nobody who is signed in.
    Anonymous,
    /// This user.
    SignedIn(SignedIn),
    /// Not known: the request carries a session that the database could not be asked about. Neither let in nor signed
    /// out: answer 503, or do without.
    Unavailable,
}

/// The session of a request: always there, signed in or not.
///
/// All clones of a request's session see the same state. What [`login`](Self::login) and [`rotate`](Self::rotate)
/// promise becomes real only when the response succeeds (status below 400); [`logout`](Self::logout) takes effect at
/// once.
///
/// ```
/// use axum::response::{IntoResponse, Redirect};
/// use countersign::{LoginError, Session};
///
/// async fn sign_in(session: Session) -> Result<Redirect, LoginError> {
///     // … after the password was checked:
///     session.login(2_i64).await?;
///     Ok(Redirect::to("/"))
/// }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    observed: Observed,
    /// The digest of a token that was accepted, or could not be asked about.
    presented: Option<TokenHash>,
    ended_reason: Option<EndedReason>,
    state: Mutex<State>,
    flash: FlashState,
    /// Whether anybody asked: the response then depends on the cookie.
    consulted: AtomicBool,
}

#[derive(Debug)]
struct State {
    identity: Identity,
    signed_out: bool,
    promise: Option<Promise>,
}

#[derive(Debug)]
enum Promise {
    Login(Reservation),
    Rotate(Proof),
}

/// What the response has to carry.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) session_cookie: Option<HeaderValue>,
    pub(crate) flash_cookie: Option<HeaderValue>,
    /// To be accepted when the response goes out; undone otherwise.
    pub(crate) granted: Option<Granted>,
}

impl Session {
    /// Whom the request comes from.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.consult();
        self.state().identity.clone()
    }

    /// The user, if one is signed in. `None` while the database is away as well: see
    /// [`is_unavailable`](Self::is_unavailable).
    #[must_use]
    pub fn signed_in(&self) -> Option<SignedIn> {
        match self.identity() {
            Identity::SignedIn(user) => Some(user),
            Identity::Anonymous | Identity::Unavailable => None,
        }
    }

    /// The user's id, if one is signed in.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.signed_in().map(|user| user.user_id().clone())
    }

    /// The session's public name, if somebody is signed in.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.signed_in().map(|user| user.session_id())
    }

    /// Whether it is not known who this is.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.identity(), Identity::Unavailable)
    }

    /// Why the session of this browser has ended, when it has: to be told to the user.
    #[must_use]
    pub fn ended_reason(&self) -> Option<EndedReason> {
        self.consult();
        self.0.ended_reason
    }

    /// Signs a user in, once the response succeeds: a new session with a new token (ASVS 5.0, 7.2.4), and the browser's
    /// previous session ends in the same transaction. Until then the request stays who it was.
    ///
    /// Call it after the user has proved who they are, all factors included. The session's id is returned.
    ///
    /// # Errors
    ///
    /// [`LoginError::LimitReached`], [`LoginError::InvalidUserId`], [`LoginError::Unavailable`]; nothing has changed then.
    pub fn login(&self, user_id: impl Into<UserId>) -> Login<'_> {
        Login::new(self, user_id.into())
    }

    /// Gives the session a new token once the response succeeds. The old one stays good for the grace period, so that
    /// parallel requests work. Does nothing for somebody who is not signed in.
    pub fn rotate(&self) {
        self.promise_rotation(Proof::Unchanged);
    }

    /// [`rotate`](Self::rotate)s, and records that the user has proved again who they are:
    /// [`SignedIn::require_recent`] counts from now.
    pub fn reauthenticated(&self) {
        self.promise_rotation(Proof::GivenAgain);
    }

    /// Signs the user out: the session ends in the database at once, whatever becomes of the response, which removes
    /// the cookie. A login of the same request is taken back.
    ///
    /// # Errors
    ///
    /// Unavailable: it is not known whether the session has ended, and the cookie is kept.
    pub async fn logout(&self) -> Result<(), Error> {
        self.consult();
        if let Some(reservation) = self.take_reservation() {
            reservation.release().await;
        }
        if let Some(token) = self.0.presented {
            let by = self.user_id();
            let store = self.core().store.clone();
            let ending = async move {
                let by = by.as_ref().map(UserId::as_str);
                store.end_token(token, EndedReason::Logout, by).await
            };
            to_the_end(ending).await??;
            tracing::info!(
                user_id = self.user_id().map(tracing::field::display),
                session_id = self.id().map(tracing::field::display),
                "signed out"
            );
        }
        let mut state = self.state();
        state.identity = Identity::Anonymous;
        state.signed_out = true;
        state.promise = None;
        Ok(())
    }

    /// Messages to be shown once.
    #[must_use]
    pub fn flash(&self) -> Flash {
        Flash::new(self.clone())
    }

    /// The handle, for handlers that list or end sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    fn promise_rotation(&self, proof: Proof) {
        self.consult();
        let mut state = self.state();
        let rotates = matches!(state.identity, Identity::SignedIn(_));
        match &state.promise {
            _ if !rotates => {}
            // A login brings a new token anyway, and a proof is not taken back by a plain rotation.
            Some(Promise::Login(_) | Promise::Rotate(Proof::GivenAgain)) => {}
            Some(Promise::Rotate(Proof::Unchanged)) | None => {
                state.promise = Some(Promise::Rotate(proof))
            }
        }
    }

    pub(crate) fn core(&self) -> &Core {
        self.0.sessions.core()
    }

    pub(crate) fn observed(&self) -> &Observed {
        &self.0.observed
    }

    pub(crate) fn flash_state(&self) -> &FlashState {
        &self.0.flash
    }

    /// The session that a login replaces.
    pub(crate) fn previous(&self) -> Option<TokenHash> {
        self.0.presented
    }

    pub(crate) fn promise(&self, reservation: Reservation) {
        self.consult();
        self.state().promise = Some(Promise::Login(reservation));
    }

    pub(crate) fn take_reservation(&self) -> Option<Reservation> {
        let mut state = self.state();
        match state.promise.take() {
            Some(Promise::Login(reservation)) => Some(reservation),
            other => {
                state.promise = other;
                None
            }
        }
    }

    pub(crate) fn consult(&self) {
        self.0.consulted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn was_consulted(&self) -> bool {
        self.0.consulted.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and verifies what a request brings.
    pub(crate) async fn open(
        sessions: &Sessions,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
    ) -> Self {
        let core = sessions.core();
        let mut opened = Opened {
            identity: Identity::Anonymous,
            presented: None,
            ended_reason: None,
        };
        match core.cookies.session(headers) {
            Presented::Absent => {}
            Presented::Rejected(rejection) => {
                tracing::warn!(reason = rejection.as_str(), "session cookie rejected");
            }
            Presented::Credentials(credentials) => opened = core.verify(credentials).await,
        }
        Self(Arc::new(Inner {
            sessions: sessions.clone(),
            observed: core.client.observe(peer, headers),
            presented: opened.presented,
            ended_reason: opened.ended_reason,
            state: Mutex::new(State {
                identity: opened.identity,
                signed_out: false,
                promise: None,
            }),
            flash: FlashState::new(
                core.cookies.raw_flash(headers),
                core.cookies.has_flash(headers),
            ),
            consulted: AtomicBool::new(false),
        }))
    }

    /// Settles what was promised, now that the handler's answer is known.
    ///
    /// # Errors
    ///
    /// When what was promised cannot be kept: the handler's answer must not go out.
    pub(crate) async fn settle(&self, status: StatusCode) -> Result<Outcome, SignInError> {
        let promise = self.state().promise.take();
        let succeeded = !status.is_client_error() && !status.is_server_error();
        let granted = match promise {
            Some(Promise::Login(reservation)) if succeeded => {
                Some(self.sign_in(reservation).await?)
            }
            Some(Promise::Login(reservation)) => {
                reservation.release().await;
                None
            }
            Some(Promise::Rotate(proof)) if succeeded => self.rotate_now(proof).await?,
            Some(Promise::Rotate(_)) | None => None,
        };
        let cookies = &self.core().cookies;
        let session_cookie = match &granted {
            Some(granted) => {
                let cookie = cookies.set_session(&granted.user_id, &granted.token, granted.max_age);
                Some(
                    cookie.map_err(|error| {
                        SignInError::Store(Error::unavailable(error.to_string()))
                    })?,
                )
            }
            None if self.state().signed_out => Some(cookies.remove_session()),
            None => None,
        };
        // An answer that failed may not have shown the messages.
        let flash_cookie = if status.is_server_error() {
            None
        } else {
            self.0.flash.cookie(cookies)
        };
        Ok(Outcome {
            session_cookie,
            flash_cookie,
            granted,
        })
    }

    async fn sign_in(&self, reservation: Reservation) -> Result<Granted, SignInError> {
        let session_id = reservation.session_id();
        let granted = reservation.make_real().await;
        match &granted {
            Ok(granted) => tracing::info!(user_id = %granted.user_id, %session_id, "signed in"),
            Err(error) => tracing::error!(%session_id, ?error, "sign-in could not be made real"),
        }
        granted
    }

    async fn rotate_now(&self, proof: Proof) -> Result<Option<Granted>, SignInError> {
        let (Some(user), Some(old)) = (self.signed_in(), self.0.presented) else {
            return Ok(None);
        };
        let store = self.core().store.clone();
        let granted =
            grant::rotate(store, user.session_id(), user.user_id().clone(), old, proof).await?;
        if granted.is_some() {
            tracing::info!(user_id = %user.user_id(), session_id = %user.session_id(), "session token rotated");
        }
        Ok(granted)
    }
}

struct Opened {
    identity: Identity,
    presented: Option<TokenHash>,
    ended_reason: Option<EndedReason>,
}

impl Opened {
    fn anonymous(ended_reason: Option<EndedReason>) -> Self {
        Self {
            identity: Identity::Anonymous,
            presented: None,
            ended_reason,
        }
    }

    fn unavailable(token: TokenHash) -> Self {
        Self {
            identity: Identity::Unavailable,
            presented: Some(token),
            ended_reason: None,
        }
    }
}

impl Core {
    async fn verify(&self, credentials: Credentials) -> Opened {
        let token = credentials.token.hash();
        let found = match self.verifier.look_up(token).await {
            Ok(Lookup::Live(found)) => found,
            Ok(Lookup::Unknown) => return Opened::anonymous(None),
            Ok(Lookup::NotLive(reason)) => return Opened::anonymous(reason),
            Ok(Lookup::AccountRefused(found)) => {
                tracing::info!(user_id = %found.user_id, session_id = %found.id, "session refused: account may not be used");
                return Opened::anonymous(None);
            }
            Ok(Lookup::Corrupt) => {
                tracing::error!(
                    "session refused: its row, or what the permission queries give for it, cannot be read"
                );
                return Opened::unavailable(token);
            }
            Err(unanswered) => {
                tracing::warn!(reason = unanswered.as_str(), "session not verified");
                return Opened::unavailable(token);
            }
        };
        if found.user_id != credentials.user_id {
            tracing::warn!(session_id = %found.id, "session cookie rejected: its user is not the session's");
            return Opened::anonymous(None);
        }
        let found = match self.ask_source(found).await {
            Ok(Some(found)) => found,
            Ok(None) => return Opened::anonymous(None),
            Err(Unanswerable) => return Opened::unavailable(token),
        };
        if found.touch_due {
            self.touches.add(found.id);
        }
        Opened {
            identity: Identity::SignedIn(SignedIn::new(found)),
            presented: Some(token),
            ended_reason: None,
        }
    }

    /// Accounts and permissions from elsewhere, where they are.
    async fn ask_source(&self, mut found: Found) -> Result<Option<Found>, Unanswerable> {
        let Some(source) = &self.permission_source else {
            return Ok(Some(found));
        };
        match tokio::time::timeout(self.time_budget, source.access(&found.user_id)).await {
            Ok(Ok(Access::Granted(permissions))) => {
                found.permissions = permissions;
                Ok(Some(found))
            }
            Ok(Ok(Access::Denied)) => {
                tracing::info!(user_id = %found.user_id, session_id = %found.id, "session refused: account may not be used");
                Ok(None)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "session not verified: the permission source failed");
                Err(Unanswerable)
            }
            Err(_) => {
                tracing::warn!(
                    "session not verified: the permission source took longer than the time budget"
                );
                Err(Unanswerable)
            }
        }
    }
}

struct Unanswerable;

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("identity", &self.state().identity)
            .finish_non_exhaustive()
    }
}
