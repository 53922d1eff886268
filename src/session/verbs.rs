//! What a handler can do with its request's session: sign in, act as, renew the token, sign out.

use super::{Identity, Login, LoginAs, Session, background::to_the_end, request::Promise};
use crate::{
    error::Error,
    event::EventKind,
    store::{EndedReason, Proof},
    user_id::UserId,
};

impl Session {
    /// Signs a user in, once the response succeeds: a new session with a new token (ASVS 5.0, 7.2.4), and the browser's
    /// previous session ends in the same transaction. Until then the request stays who it was.
    ///
    /// Call it after the user has proved who they are, all factors included. The session's id is returned.
    ///
    /// # Errors
    ///
    /// A [`LoginError`](crate::LoginError): the account may not be used, the limit refuses, the id is of the wrong form, the response is out already,
    /// or the database is not available. Nothing has changed then. An error later on, when the session is made real,
    /// becomes a 503 in place of the handler's answer.
    ///
    /// # Security
    ///
    /// Answer a sign-in that failed in a later step with a status of 400 or more: a success makes the session real.
    ///
    /// The new session is the user's own, also where an administrator acts as that user ([`login_as`](Self::login_as)): never
    /// sign in whoever is signed in already, but after their own password has changed; [`rotate`](Self::rotate) is what renews
    /// a token.
    pub fn login(&self, user_id: impl Into<UserId>) -> Login<'_> {
        Login::new(self, user_id.into())
    }

    /// Lets the administrator who is signed in act as this user, once the response succeeds: to see what the user sees. The
    /// new session has the user's permissions and never the administrator's; who acts is recorded with it
    /// ([`SessionInfo::acting_user`](crate::SessionInfo::acting_user),
    /// [`SignedIn::acting_user`](crate::SignedIn::acting_user)) and shown in listings. It takes the place of the
    /// administrator's own session, which ends: signing out and in again is the way back.
    ///
    /// It lasts for the [`acting_timeout`](crate::SessionsBuilder::acting_timeout) and no longer than the administrator's own
    /// session could have, counts towards nobody's limit, is never
    /// recent for [`require_recent`](crate::SignedIn::require_recent), and is refused from the next request on when the
    /// account of either may not be used any more. [`Sessions::revoke_user`](crate::Sessions::revoke_user) of the
    /// administrator ends it.
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
    ///
    /// Where the database fails at that moment, a 503 takes the place of the handler's answer. What the handler has done stays
    /// done, and the session goes on with its old token.
    pub fn rotate(&self) {
        self.promise_rotation(Proof::Unchanged);
    }

    /// [`rotate`](Self::rotate)s, and records that the user has proved again who they are:
    /// [`SignedIn::require_recent`](crate::SignedIn::require_recent) counts from now (ASVS 5.0, 7.2.4). The absolute
    /// timeout still counts from the sign-in. A request that came with an old token, within its grace, brings no new one,
    /// and the proof is recorded all the same.
    ///
    /// The [security stamp](crate::SessionsBuilder::security_stamp) stays what it was at sign-in: after a change of the
    /// password, [`login`](Self::login) again.
    pub fn reauthenticated(&self) {
        self.promise_rotation(Proof::GivenAgain);
    }

    /// Signs the user out: the session ends in the database at once, whatever becomes of the response, which removes
    /// the cookie. A login of the same request is taken back (ASVS 5.0, 7.4.1). The session ends whatever has become
    /// of its token since the request began, and of its account.
    ///
    /// What is returned says whether a session has ended. A node that lacks the key of the cookie cannot know which one it
    /// would be: it removes the cookie, ends nothing, and says [`LogoutOutcome::CookieUnreadable`]. Tell the user then.
    ///
    /// ```
    /// use axum::response::Redirect;
    /// use countersign::{Error, LogoutOutcome, Session};
    ///
    /// async fn sign_out(session: Session) -> Result<Redirect, Error> {
    ///     match session.logout().await? {
    ///         LogoutOutcome::CookieUnreadable => session.flash().warning(
    ///             "This browser has forgotten your session, but it could not be ended. Sign in and end it under “Your devices”.",
    ///         ),
    ///         _ => session.flash().info("You are signed out."),
    ///     }
    ///     Ok(Redirect::to("/"))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Unavailable: it is not known whether the session has ended, and the cookie is kept.
    pub async fn logout(&self) -> Result<LogoutOutcome, Error> {
        self.consult();
        if let Some(reservation) = self.take_reservation() {
            reservation.release().await;
        }
        let outcome = if let Some(previous) = self.previous() {
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
            LogoutOutcome::Ended
        } else if let Some(why) = self.unread() {
            let core = self.core();
            let describe = |event| core.located(event, self.observed());
            core.events
                .report_often(EventKind::LogoutIneffective { why }, describe);
            LogoutOutcome::CookieUnreadable
        } else {
            LogoutOutcome::NothingToEnd
        };
        let mut state = self.state();
        state.identity = Identity::Anonymous;
        state.signed_out = true;
        state.promise = None;
        Ok(outcome)
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
}

/// What a [`Session::logout`] has done. The browser loses its cookie in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogoutOutcome {
    /// The browser's session is over, on every node: by this call, or already.
    Ended,
    /// The request came with no session that could end: without a cookie, or with one whose session is over or gone.
    NothingToEnd,
    /// **Nothing has ended**, and there may be a live session: the request came with a session cookie that this node cannot
    /// read. Most often it lacks the key that another node wrote with; the cookie may also be broken, or be there twice.
    CookieUnreadable,
}
