//! Signing in.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

use uuid::Uuid;

use super::{Access, BearerLogin, Identity, LoginError, Session, grant::Reservation};
use crate::{
    cookie::Carrier,
    error::Error,
    event::{EventKind, SignInRefusal},
    store::{NewSession, SignInError},
    token::Token,
    user_id::{UserId, UserIdError},
};

/// A sign-in about to happen; made by [`Session::login`], carried out by `.await`.
#[derive(Debug)]
#[must_use = "this signs no user in until it is awaited"]
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

    /// Lets the cookie outlive the browser's own session, until the absolute timeout, at most 400 days. The
    /// [`remembered_idle_timeout`](crate::SessionsBuilder::remembered_idle_timeout) applies. Only when the user asked for it.
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

    /// Signs the client in by a bearer token instead of a cookie: for clients that are no browser of this site. The
    /// application's own `Authorization: Bearer` then does what the cookie does. It takes
    /// [`bearer_tokens`](crate::SessionsBuilder::bearer_tokens).
    ///
    /// The token opens nothing until the response has succeeded. A [`remember`](Self::remember) has no effect, since the
    /// client decides how long it keeps the token.
    ///
    /// ```
    /// use axum::Json;
    /// use countersign::{BearerToken, LoginError, Session};
    ///
    /// async fn sign_in(session: Session) -> Result<Json<BearerToken>, LoginError> {
    ///     // … after the password was checked:
    ///     Ok(Json(session.login(2).bearer().await?))
    /// }
    /// ```
    pub fn bearer(self) -> BearerLogin<'a> {
        BearerLogin::new(self.session, self.user_id)
    }

    async fn run(self) -> Result<Uuid, LoginError> {
        let wanted = Wanted {
            user_id: self.user_id,
            acting_user: None,
            remembered: self.remembered,
            carrier: Carrier::Cookie,
        };
        wanted.reserve(self.session).await.map(|made| made.id)
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
#[must_use = "this does nothing until it is awaited"]
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
            carrier: Carrier::Cookie,
        };
        wanted.reserve(self.session).await.map(|made| made.id)
    }
}

impl<'a> IntoFuture for LoginAs<'a> {
    type Output = Result<Uuid, LoginError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Whom to sign in, and how.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) user_id: UserId,
    pub(super) acting_user: Option<UserId>,
    pub(super) remembered: bool,
    pub(super) carrier: Carrier,
}

/// A session that becomes real with its response.
pub(super) struct Made {
    pub(super) id: Uuid,
    pub(super) token: Token,
}

impl Wanted {
    pub(super) async fn reserve(self, session: &Session) -> Result<Made, LoginError> {
        let core = session.core();
        if self.carrier == Carrier::Cookie && session.carrier() == Carrier::Bearer {
            return Err(LoginError::BearerRequest);
        }
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
        // A new token takes the place of the client's old one, and leaves a browser's session alone.
        let is_same_way = self.carrier == session.carrier();
        let new = NewSession {
            id: Uuid::now_v7(),
            user_id: self.user_id,
            acting_user: self.acting_user,
            token: token.hash(),
            previous: session.previous().filter(|_| is_same_way),
            follows: session.follows().filter(|_| is_same_way),
            remembered: self.remembered,
            bearer: self.carrier == Carrier::Bearer,
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
            token.clone(),
            core.limit,
        )
        .await
        {
            Ok(reservation) => {
                let id = reservation.session_id();
                match session.promise(reservation) {
                    Ok(()) => Ok(Made { id, token }),
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
