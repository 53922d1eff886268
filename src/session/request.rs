//! The session of one request, from the request's cookie to the response's cookie.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use super::{
    Flash, Sessions, SignedIn, flash::FlashState, grant::Reservation, handle::Core,
    temporary::TemporaryState,
};
use crate::{
    client::Observed,
    cookie::{Carrier, Holder},
    event::CookieRejection,
    store::{EndedReason, Previous, Proof},
    token::TokenHash,
    user_id::UserId,
};

/// Which user a request comes from, as verified against the database.
#[derive(Clone, Debug)]
pub enum Identity {
    /// No user is signed in.
    Anonymous,
    /// This user is signed in.
    SignedIn(SignedIn),
    /// Unknown: the database could not verify the request's session. The user is neither signed in nor signed out.
    /// Answer 503, or serve the request as an anonymous one.
    Unavailable,
}

/// The session of a request. Every request has one, whether or not a user is signed in.
///
/// All clones of a request's session share their state. [`login`](Self::login) and [`rotate`](Self::rotate) take effect
/// only if the response succeeds (status below 400). [`logout`](Self::logout) takes effect at once.
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
    carrier: Carrier,
    /// The digest of the token that signs the user in.
    token: Option<TokenHash>,
    /// The browser's session: a login replaces it, and a logout ends it.
    previous: Option<Previous>,
    /// The browser's last session, which is over.
    follows: Option<Uuid>,
    ended_reason: Option<EndedReason>,
    unread: Option<CookieRejection>,
    state: Mutex<State>,
    flash: FlashState,
    temporary: TemporaryState,
    /// Whether the handler or an extractor read the session: the response then depends on the cookie.
    consulted: AtomicBool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) identity: Identity,
    pub(super) signed_out: bool,
    /// The response is out: a login or rotation comes too late.
    pub(super) settled: bool,
    pub(super) promise: Option<Promise>,
}

impl Identity {
    /// The session to which the browser's messages belong; `None` if it is unknown.
    pub(super) fn holder(&self) -> Option<Holder> {
        match self {
            Self::Anonymous => Some(Holder::Anonymous),
            Self::SignedIn(user) => Some(Holder::Session(user.session_id())),
            Self::Unavailable => None,
        }
    }
}

/// What takes effect only if the response succeeds.
#[derive(Debug)]
pub(super) enum Promise {
    Login(Box<Reservation>),
    Rotate(Proof),
}

impl Session {
    /// Which user the request comes from.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.consult();
        self.state().identity.clone()
    }

    /// The user who is signed in. It is also `None` while the database is away: see
    /// [`is_unavailable`](Self::is_unavailable).
    #[must_use]
    pub fn signed_in(&self) -> Option<SignedIn> {
        match self.identity() {
            Identity::SignedIn(user) => Some(user),
            Identity::Anonymous | Identity::Unavailable => None,
        }
    }

    /// The id of the user who is signed in.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.signed_in().map(|user| user.user_id().clone())
    }

    /// The session's public id, if a user is signed in. It is safe in logs and URLs. After [`login`](Self::login) it is
    /// still the id of the request's session.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.signed_in().map(|user| user.session_id())
    }

    /// Whether the database could not verify the session, so that the user is unknown.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.identity(), Identity::Unavailable)
    }

    /// Why this browser's session has ended or is refused ([`AccountRefused`](EndedReason::AccountRefused)), to tell
    /// the user. `None` for a live session, once the session was swept, and for a request without a session.
    #[must_use]
    pub fn ended_reason(&self) -> Option<EndedReason> {
        self.consult();
        self.0.ended_reason
    }

    /// The client's address: the peer's, or the one that the [trusted proxies](crate::SessionsBuilder::trusted_proxies)
    /// report. A sign-in records the same one. It is `None` if the server does not provide the peer's address: serve
    /// with `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// # Security
    ///
    /// Clients share and change addresses, so an address identifies no one. Use it for rate limits, such as on failed
    /// sign-ins (ASVS 5.0, 6.3.1), and for logs.
    #[must_use]
    #[doc(alias("remote_addr", "peer_addr", "ip"))]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.core().client.address(self.observed())
    }

    /// Messages that are shown once.
    #[must_use]
    pub fn flash(&self) -> Flash {
        Flash::new(self.clone())
    }

    /// The handle of this session, for handlers that list or end sessions.
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

    pub(super) fn temporary_state(&self) -> &TemporaryState {
        &self.0.temporary
    }

    /// Whether the response is out, so that nothing can take effect with it.
    pub(super) fn is_settled(&self) -> bool {
        self.state().settled
    }

    /// How the request brings its session.
    pub(crate) fn carrier(&self) -> Carrier {
        self.0.carrier
    }

    /// How a client without a browser is told to sign in, where the application takes bearer tokens (RFC 6750, section 3;
    /// RFC 9470 for a sign-in that is too long ago).
    pub(crate) fn bearer_challenge(&self) -> Option<HeaderValue> {
        let challenge = match (self.carrier(), &self.state().identity) {
            _ if !self.core().cookies.takes_bearer_tokens() => return None,
            (Carrier::Cookie, _) => "Bearer",
            (Carrier::Bearer, Identity::SignedIn(_)) => {
                "Bearer error=\"insufficient_user_authentication\""
            }
            (Carrier::Bearer, _) => "Bearer error=\"invalid_token\"",
        };
        Some(HeaderValue::from_static(challenge))
    }

    /// Whether the request brings a cookie and a bearer token.
    pub(crate) fn has_two_credentials(&self) -> bool {
        self.0.unread == Some(CookieRejection::TwoCredentials)
    }

    /// The browser's session: a login replaces it, and a logout ends it.
    pub(crate) fn previous(&self) -> Option<Previous> {
        self.0.previous
    }

    /// The browser's last session, which is over.
    pub(crate) fn follows(&self) -> Option<Uuid> {
        self.0.follows
    }

    /// Why this node could not read the session cookie, if so. There may be a session behind it.
    pub(super) fn unread(&self) -> Option<CookieRejection> {
        self.0.unread
    }

    /// The digest of the token that signs the user in.
    pub(super) fn token(&self) -> Option<TokenHash> {
        self.0.token
    }

    /// Keeps a reservation until the response is known. Returns it as an error if the response is out already.
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

    /// Reads and verifies the cookies of a request.
    pub(crate) async fn open(
        sessions: &Sessions,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
    ) -> Self {
        let core = sessions.core();
        let observed = core.client.observe(peer, headers);
        let (carrier, presented) = core.cookies.presented(headers);
        let opened = core.identify(presented, &observed).await;
        Self(Arc::new(Inner {
            sessions: sessions.clone(),
            observed,
            carrier,
            token: opened.token,
            previous: opened.previous,
            follows: opened.follows,
            ended_reason: opened.ended_reason,
            unread: opened.unread,
            flash: FlashState::new(core.cookies.raw_flash(headers), opened.identity.holder()),
            temporary: TemporaryState::new(
                core.cookies.brought_temporaries(headers),
                opened.identity.holder(),
            ),
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
