//! The session of one request, from the cookie that came to the cookie that goes.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::HeaderMap;
use uuid::Uuid;

use super::{Flash, Sessions, SignedIn, flash::FlashState, grant::Reservation, handle::Core};
use crate::{
    client::Observed,
    cookie::Holder,
    event::CookieRejection,
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
#[doc(alias("AuthSession", "SessionHandle"))]
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    observed: Observed,
    /// The digest of the token by which a user is signed in.
    token: Option<TokenHash>,
    /// The session that a login replaces and a logout ends.
    previous: Option<Previous>,
    /// The session that the browser had last, though it is over.
    follows: Option<Uuid>,
    ended_reason: Option<EndedReason>,
    unread: Option<CookieRejection>,
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

impl Identity {
    /// Whom what the browser keeps belongs to; `None` where that is not known.
    pub(super) fn holder(&self) -> Option<Holder> {
        match self {
            Self::Anonymous => Some(Holder::Nobody),
            Self::SignedIn(user) => Some(Holder::Session(user.session_id())),
            Self::Unavailable => None,
        }
    }
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

    /// Why the session of this browser has ended, when it has, or is refused
    /// ([`AccountRefused`](EndedReason::AccountRefused)): to be told to the user. `None` once the session was swept, and
    /// for a request without a session.
    #[must_use]
    pub fn ended_reason(&self) -> Option<EndedReason> {
        self.consult();
        self.0.ended_reason
    }

    /// The client's address: the peer's, or what the [trusted proxies](crate::SessionsBuilder::trusted_proxies) say of it. The
    /// same that a sign-in records. `None` where the server does not tell the peer: serve with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// # Security
    ///
    /// An address is shared, changes, and is no proof of anybody. It is good for counting what one may do too often, such as
    /// failed sign-ins (ASVS 5.0, 6.3.1), and for the log.
    #[must_use]
    #[doc(alias("remote_addr", "peer_addr", "ip"))]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.core().client.address(self.observed())
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

    /// The session that the browser had last, though it is over.
    pub(crate) fn follows(&self) -> Option<Uuid> {
        self.0.follows
    }

    /// Why the session cookie of this request could not be read, if it could not: there may be a session behind it.
    pub(super) fn unread(&self) -> Option<CookieRejection> {
        self.0.unread
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
            follows: opened.follows,
            ended_reason: opened.ended_reason,
            unread: opened.unread,
            flash: FlashState::new(core.cookies.raw_flash(headers), opened.identity.holder()),
            state: Mutex::new(State {
                identity: opened.identity,
                signed_out: false,
                settled: false,
                promise: None,
            }),
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
