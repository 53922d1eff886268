//! The session of one request, from the cookie that came to the cookie that goes.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::HeaderMap;
use uuid::Uuid;

use super::{
    Flash, Login, LoginAs, Sessions, SignedIn, background::to_the_end, flash::FlashState,
    grant::Reservation, handle::Core,
};
use crate::{
    client::Observed,
    error::Error,
    event::EventKind,
    store::{EndedReason, Previous, Proof},
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
    /// The digest of the token by which a user is signed in.
    token: Option<TokenHash>,
    /// The session that a login replaces and a logout ends.
    previous: Option<Previous>,
    ended_reason: Option<EndedReason>,
    state: Mutex<State>,
    flash: FlashState,
    /// Whether anybody asked: the response then depends on the cookie.
    consulted: AtomicBool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) identity: Identity,
    pub(super) signed_out: bool,
    /// The response is out: nothing can be promised any more.
    pub(super) settled: bool,
    pub(super) promise: Option<Promise>,
}

/// What becomes real only when the response succeeds.
#[derive(Debug)]
pub(super) enum Promise {
    Login(Box<Reservation>),
    Rotate(Proof),
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

    /// The session's public name, if somebody is signed in: safe in logs and URLs. After [`login`](Self::login) it is still
    /// the one that the request came with.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.signed_in().map(|user| user.session_id())
    }

    /// Whether it is not known who this is.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.identity(), Identity::Unavailable)
    }

    /// Why the session of this browser has ended, when it has: to be told to the user. `None` once the session was swept, and
    /// for a request without a session.
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
    /// A [`LoginError`](crate::LoginError): the limit refuses, the id is of the wrong form, the response is out already,
    /// or the database is not available. Nothing has changed then. An error later on, when the session is made real, becomes a 503 in place of the handler's
    /// answer.
    ///
    /// # Security
    ///
    /// Answer a sign-in that failed in a later step with a status of 400 or more: a success makes the session real.
    pub fn login(&self, user_id: impl Into<UserId>) -> Login<'_> {
        Login::new(self, user_id.into())
    }

    /// Lets the administrator who is signed in act as this user, once the response succeeds: to see what the user sees. The
    /// new session has the user's permissions and never the administrator's; who acts is recorded with it
    /// ([`SessionInfo::acting_user`](crate::SessionInfo::acting_user), [`SignedIn::acting_user`]) and shown in listings. It
    /// takes the place of the administrator's own session, which ends: signing out and in again is the way back.
    ///
    /// It lasts for the [`acting_timeout`](crate::SessionsBuilder::acting_timeout), counts towards nobody's limit, is never
    /// recent for [`require_recent`](SignedIn::require_recent), and ends from the next request on when the account of
    /// either may not be used any more. [`Sessions::revoke_user`] of the administrator ends it too.
    ///
    /// ```
    /// use axum::{extract::Path, response::{IntoResponse, Redirect, Response}};
    /// use countersign::{Session, SignedIn};
    ///
    /// async fn act_as(session: Session, admin: SignedIn, Path(user): Path<i64>) -> Result<Redirect, Response> {
    ///     admin.require("users:act-as").map_err(IntoResponse::into_response)?;
    ///     session.login_as(user).await.map_err(IntoResponse::into_response)?;
    ///     Ok(Redirect::to("/"))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login); and nobody is signed in, or acts as somebody already, or as themselves.
    ///
    /// # Security
    ///
    /// It asks for no permission: whose permission it takes, and whom nobody may act as, is the application's to say.
    /// The permission is asked once; what ends an acting session early is listed above.
    pub fn login_as(&self, user_id: impl Into<UserId>) -> LoginAs<'_> {
        LoginAs::new(self, user_id.into())
    }

    /// Gives the session a new token once the response succeeds. The old one stays good for the grace period, so that
    /// parallel requests work, or until the next rotation. Does nothing for somebody who is not signed in, for a request
    /// that came with an old token, after the response, nor after a [`login`](Self::login) in the same request, which
    /// brings a new token anyway.
    pub fn rotate(&self) {
        self.promise_rotation(Proof::Unchanged);
    }

    /// [`rotate`](Self::rotate)s, and records that the user has proved again who they are:
    /// [`SignedIn::require_recent`] counts from now (ASVS 5.0, 7.2.4). The absolute timeout still counts from the sign-in.
    /// A request that came with an old token, within its grace, brings no new one, and the proof is recorded all the
    /// same.
    pub fn reauthenticated(&self) {
        self.promise_rotation(Proof::GivenAgain);
    }

    /// Signs the user out: the session ends in the database at once, whatever becomes of the response, which removes
    /// the cookie. A login of the same request is taken back (ASVS 5.0, 7.4.1). The session ends whatever has become
    /// of its token since the request began, and of its account.
    ///
    /// # Errors
    ///
    /// Unavailable: it is not known whether the session has ended, and the cookie is kept.
    pub async fn logout(&self) -> Result<(), Error> {
        self.consult();
        if let Some(reservation) = self.take_reservation() {
            reservation.release().await;
        }
        if let Some(previous) = self.0.previous {
            let by = self.signed_in().map(|user| user.actor().clone());
            let store = self.core().store.clone();
            let ending = async move {
                let by = by.as_ref().map(UserId::as_str);
                store.end_previous(previous, EndedReason::Logout, by).await
            };
            let told = self.event(EventKind::SignedOut);
            let (events, id) = (self.core().events.clone(), previous.session_id());
            let ending = async move {
                // What ended otherwise in this instant was told by whoever ended it.
                if ending.await? > 0 {
                    events.report(told.session(id));
                }
                Ok::<_, Error>(())
            };
            to_the_end(ending).await??;
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
        let rotates = matches!(state.identity, Identity::SignedIn(_)) && !state.settled;
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
    pub(crate) fn previous(&self) -> Option<Previous> {
        self.0.previous
    }

    /// The digest of the token by which a user is signed in.
    pub(super) fn token(&self) -> Option<TokenHash> {
        self.0.token
    }

    /// Keeps a reservation until the response is there; gives it back when that is out already.
    pub(crate) fn promise(&self, reservation: Reservation) -> Result<(), Box<Reservation>> {
        self.consult();
        let mut state = self.state();
        let reservation = Box::new(reservation);
        if state.settled {
            return Err(reservation);
        }
        state.promise = Some(Promise::Login(reservation));
        Ok(())
    }

    pub(crate) fn take_reservation(&self) -> Option<Reservation> {
        let mut state = self.state();
        match state.promise.take() {
            Some(Promise::Login(reservation)) => Some(*reservation),
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and verifies what a request brings.
    pub(crate) async fn open(
        sessions: &Sessions,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
    ) -> Self {
        let core = sessions.core();
        let observed = core.client.observe(peer, headers);
        let opened = core
            .identify(core.cookies.session(headers), &observed)
            .await;
        Self(Arc::new(Inner {
            sessions: sessions.clone(),
            observed,
            token: opened.token,
            previous: opened.previous,
            ended_reason: opened.ended_reason,
            state: Mutex::new(State {
                identity: opened.identity,
                signed_out: false,
                settled: false,
                promise: None,
            }),
            flash: FlashState::new(core.cookies.raw_flash(headers)),
            consulted: AtomicBool::new(false),
        }))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("identity", &self.state().identity)
            .finish_non_exhaustive()
    }
}
