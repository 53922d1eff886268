//! Signing in.

use std::{
    error::Error as StdError,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use uuid::Uuid;

use super::{Access, Identity, Session, grant::Reservation};
use crate::{
    error::Error,
    event::{EventKind, SignInRefusal},
    store::{NewSession, SignInError},
    token::Token,
    user_id::{UserId, UserIdError},
};

/// A sign-in about to happen; made by [`Session::login`], carried out by `.await`.
#[derive(Debug)]
#[must_use = "nobody is signed in until this is awaited"]
pub struct Login<'a> {
    session: &'a Session,
    user_id: UserId,
    remembered: bool,
}

impl<'a> Login<'a> {
    pub(crate) fn new(session: &'a Session, user_id: UserId) -> Self {
        Self {
            session,
            user_id,
            remembered: false,
        }
    }

    /// Lets the cookie outlive the browser's own session, until the absolute timeout, at most 400 days. The idle timeout
    /// applies all the same. Only when the user asked for it.
    ///
    /// ```
    /// # async fn example(session: countersign::Session, remember: bool) -> Result<(), countersign::LoginError> {
    /// let login = session.login(2);
    /// let login = if remember { login.remember() } else { login };
    /// login.await?;
    /// # Ok(()) }
    /// ```
    pub fn remember(mut self) -> Self {
        self.remembered = true;
        self
    }

    async fn run(self) -> Result<Uuid, LoginError> {
        let wanted = Wanted {
            user_id: self.user_id,
            acting_user: None,
            remembered: self.remembered,
        };
        wanted.reserve(self.session).await
    }
}

impl<'a> IntoFuture for Login<'a> {
    type Output = Result<Uuid, LoginError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// An administrator about to act as a user; made by [`Session::login_as`], carried out by `.await`.
#[derive(Debug)]
#[must_use = "nobody acts as anybody until this is awaited"]
pub struct LoginAs<'a> {
    session: &'a Session,
    user_id: UserId,
}

impl<'a> LoginAs<'a> {
    pub(crate) fn new(session: &'a Session, user_id: UserId) -> Self {
        Self { session, user_id }
    }

    async fn run(self) -> Result<Uuid, LoginError> {
        let administrator = match self.session.identity() {
            Identity::SignedIn(administrator) => administrator,
            Identity::Anonymous => return Err(LoginError::SignedOut),
            Identity::Unavailable => {
                return Err(LoginError::Unavailable(Error::unavailable(
                    "the administrator's own session could not be verified",
                )));
            }
        };
        if administrator.acting_user().is_some() || *administrator.user_id() == self.user_id {
            let why = SignInRefusal::Acting;
            let refused = self.session.event(EventKind::SignInRefused { why });
            self.session.report(refused);
            return Err(LoginError::Acting);
        }
        let wanted = Wanted {
            user_id: self.user_id,
            acting_user: Some(administrator.user_id().clone()),
            remembered: false,
        };
        wanted.reserve(self.session).await
    }
}

impl<'a> IntoFuture for LoginAs<'a> {
    type Output = Result<Uuid, LoginError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Whom to sign in.
#[derive(Debug)]
struct Wanted {
    user_id: UserId,
    acting_user: Option<UserId>,
    remembered: bool,
}

impl Wanted {
    async fn reserve(self, session: &Session) -> Result<Uuid, LoginError> {
        let core = session.core();
        self.user_id.validate().map_err(LoginError::InvalidUserId)?;
        if !core.store.accepts(&self.user_id) {
            return Err(LoginError::InvalidUserId(UserIdError::Form));
        }
        if self.is_refused_by_source(session).await? {
            session.report_refused_sign_in(
                SignInRefusal::AccountRefused,
                self.user_id,
                self.acting_user,
            );
            return Err(LoginError::AccountRefused);
        }
        // A second login in one request takes the place of the first.
        if let Some(earlier) = session.take_reservation() {
            earlier.release().await;
        }
        let token = Token::generate()
            .map_err(|error| LoginError::Unavailable(Error::unavailable(error)))?;
        let observed = session.observed();
        let new = NewSession {
            id: Uuid::now_v7(),
            user_id: self.user_id,
            acting_user: self.acting_user,
            token: token.hash(),
            previous: session.previous(),
            follows: session.follows(),
            remembered: self.remembered,
            ip: core
                .client
                .address(observed)
                .map(|address| address.to_string()),
            user_agent: core.client.user_agent(observed),
        };
        let (user_id, acting_user) = (new.user_id.clone(), new.acting_user.clone());
        match Reservation::take(
            core.store.clone(),
            core.events.clone(),
            new,
            token,
            core.limit,
        )
        .await
        {
            Ok(reservation) => {
                let id = reservation.session_id();
                match session.promise(reservation) {
                    Ok(()) => Ok(id),
                    Err(reservation) => {
                        reservation.release().await;
                        Err(LoginError::ResponseSent)
                    }
                }
            }
            Err(SignInError::LimitReached { max }) => {
                let why = SignInRefusal::LimitReached { max };
                session.report_refused_sign_in(why, user_id, acting_user);
                Err(LoginError::LimitReached { max })
            }
            Err(SignInError::AccountRefused) => {
                let why = SignInRefusal::AccountRefused;
                session.report_refused_sign_in(why, user_id, acting_user);
                Err(LoginError::AccountRefused)
            }
            Err(SignInError::PreviousOver) => Err(LoginError::SignedOut),
            Err(SignInError::Store(error) | SignInError::Unknown(error)) => {
                session.report_failed_sign_in(&user_id, &error);
                Err(LoginError::Unavailable(error))
            }
            Err(SignInError::Lapsed | SignInError::Abandoned) => Err(LoginError::Unavailable(
                Error::unavailable("the sign-in was interrupted"),
            )),
        }
    }
}

impl Wanted {
    /// Whether a permission source refuses the account of one of those who are meant.
    async fn is_refused_by_source(&self, session: &Session) -> Result<bool, LoginError> {
        let core = session.core();
        let Some(source) = &core.permission_source else {
            return Ok(false);
        };
        for user_id in std::iter::once(&self.user_id).chain(&self.acting_user) {
            let asked = tokio::time::timeout(core.time_budget, source.access(user_id)).await;
            let error = match asked {
                Ok(Ok(Access::Denied)) => return Ok(true),
                Ok(Ok(Access::Granted(_))) => continue,
                Ok(Err(error)) => Error::unavailable(error),
                Err(elapsed) => Error::unavailable(elapsed),
            };
            session.report_failed_sign_in(user_id, &error);
            return Err(LoginError::Unavailable(error));
        }
        Ok(false)
    }
}

/// Why nobody was signed in. Never a wrong password: that is the application's own affair, and apart from these.
///
/// As a response: 409 for the limit, 403 for an account that may not be used, 401 where nobody is signed in to act as somebody, 403 where somebody acts already or
/// would act as themselves, 503 with `Retry-After` for the database, 500 for what the application did wrong: an id that
/// cannot be used, a login after the response.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginError {
    /// The user has as many sessions as allowed, and the policy is to refuse.
    LimitReached {
        /// The maximum.
        max: u32,
    },
    /// The account may not be used: [`account`](crate::SessionsBuilder::account) finds no row, the
    /// [security stamp](crate::SessionsBuilder::security_stamp) has none, or the
    /// [`PermissionSource`](crate::PermissionSource) denies it.
    AccountRefused,
    /// The user's id cannot be stored, or is not of the form that the builder's SQL casts it to.
    InvalidUserId(UserIdError),
    /// The response is out already, and with it the chance to send a cookie: a session that was carried into a task or
    /// a streaming body.
    ResponseSent,
    /// Nobody is signed in who could act as somebody.
    SignedOut,
    /// Whoever acts as somebody already cannot act as somebody else, and nobody acts as themselves.
    Acting,
    /// The database is away, slow or busy.
    Unavailable(Error),
}

impl fmt::Display for LoginError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitReached { max } => write!(
                formatter,
                "the user has {max} sessions already, which is the limit: end one of them first"
            ),
            Self::AccountRefused => formatter.write_str("the user's account may not be used"),
            Self::InvalidUserId(error) => write!(formatter, "{error}"),
            Self::ResponseSent => formatter.write_str(
                "the response has been sent already: sign in inside the handler, before it answers",
            ),
            Self::SignedOut => {
                formatter.write_str("nobody is signed in who could act as somebody: sign in first")
            }
            Self::Acting => formatter.write_str(
                "an administrator acts as one other user at a time: sign out and in again first",
            ),
            Self::Unavailable(error) => write!(formatter, "{error}"),
        }
    }
}

impl StdError for LoginError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::LimitReached { .. }
            | Self::AccountRefused
            | Self::ResponseSent
            | Self::SignedOut
            | Self::Acting => None,
            Self::InvalidUserId(error) => Some(error),
            Self::Unavailable(error) => Some(error),
        }
    }
}
