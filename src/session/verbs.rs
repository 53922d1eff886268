//! What a handler can do with its request's session: sign in, act as a user, rotate the token, sign out.

use super::{Identity, Login, LoginAs, Session, background::to_the_end, request::Promise};
use crate::{
    error::Error,
    event::EventKind,
    store::{EndedReason, Proof},
    user_id::UserId,
};

impl Session {
    /// Signs a user in when the response succeeds: with a new session and a new token (ASVS 5.0, 7.2.4). The browser's
    /// previous session ends in the same transaction. The request itself keeps its identity.
    ///
    /// Call it after the user has proved who they are, with all factors. It returns the new session's id.
    ///
    /// # Errors
    ///
    /// A [`LoginError`](crate::LoginError), and nothing has changed. The account may not be used, the user has reached
    /// the limit, or the id has the wrong form. Or the response is out already, or the database is unavailable. If the
    /// session cannot be activated after the handler has answered, a 503 replaces the response.
    ///
    /// # Security
    ///
    /// If a later step of the handler fails, answer with a status of 400 or more: any lower status activates the
    /// session.
    ///
    /// The new session is the user's own, even if an administrator acts as that user ([`login_as`](Self::login_as)). So
    /// do not call it for a user who is signed in already, except after they have changed their own password. To renew
    /// a token, call [`rotate`](Self::rotate).
    pub fn login(&self, user_id: impl Into<UserId>) -> Login<'_> {
        Login::new(self, user_id.into())
    }

    /// Lets the signed-in administrator act as this user when the response succeeds, to see what the user sees. The new
    /// session has the user's permissions, never the administrator's. It records the administrator
    /// ([`SessionInfo::acting_user`](crate::SessionInfo::acting_user),
    /// [`SignedIn::acting_user`](crate::SignedIn::acting_user)), and listings show them. It replaces the
    /// administrator's own session: to return, the administrator must sign out and in again.
    ///
    /// It lasts for the [`acting_timeout`](crate::SessionsBuilder::acting_timeout), but no longer than the
    /// administrator's own session could have. It counts towards no limit, and
    /// [`require_recent`](crate::SignedIn::require_recent) always refuses it. If the account of either may no longer be
    /// used, the session is refused from the next request on. [`Sessions::revoke_user`](crate::Sessions::revoke_user)
    /// of the administrator ends it.
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
    /// Those of [`login`](Self::login), and: [`LoginError::SignedOut`](crate::LoginError::SignedOut) if no
    /// administrator is signed in; [`LoginError::Acting`](crate::LoginError::Acting) if the administrator already acts
    /// as a user, or names themselves.
    ///
    /// # Security
    ///
    /// It checks no permission. The application must check that the administrator may act as users, and that this user
    /// is not protected. That check happens once: if the permission is removed later, the session goes on until one of
    /// the causes above ends it.
    pub fn login_as(&self, user_id: impl Into<UserId>) -> LoginAs<'_> {
        LoginAs::new(self, user_id.into())
    }

    /// Gives the session a new token when the response succeeds. The old token stays valid for the grace period, so
    /// that parallel requests work, or until the next rotation. It does nothing if no user is signed in, if the request
    /// came with an old token, or after the response. Nor does it after a [`login`](Self::login) in the same request,
    /// which makes a new token anyway.
    ///
    /// If the database fails at that moment, a 503 replaces the handler's response. The handler's own changes stay, and
    /// the session keeps its old token.
    pub fn rotate(&self) {
        self.promise_rotation(Proof::Unchanged);
    }

    /// [`rotate`](Self::rotate)s, and records that the user has proved again who they are:
    /// [`SignedIn::require_recent`](crate::SignedIn::require_recent) counts from now (ASVS 5.0, 7.2.4). The absolute
    /// timeout still counts from the sign-in. For a request that came with an old token, within its grace, it records
    /// the proof but makes no new token.
    ///
    /// The session keeps the [security stamp](crate::SessionsBuilder::security_stamp) of the sign-in: after a change of
    /// password, call [`login`](Self::login) again.
    pub fn reauthenticated(&self) {
        self.promise_rotation(Proof::GivenAgain);
    }

    /// Signs the user out (ASVS 5.0, 7.4.1). The session ends in the database at once, whatever the response; the
    /// response removes the cookie. It also undoes a login of the same request. The session ends even if its token was
    /// rotated meanwhile, or if its account may not be used.
    ///
    /// The result says whether a session has ended. A node that lacks the cookie's key cannot tell which session it is.
    /// It then removes the cookie, ends nothing, and returns [`LogoutOutcome::CookieUnreadable`]: tell the user.
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
    /// If the database is unavailable: the session may or may not have ended, and the browser keeps the cookie. Try
    /// again.
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
                // 0 if the session has ended otherwise meanwhile. For example, an administrator revoked it a moment
                // ago, and that call has reported it.
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
            // A login makes a new token anyway, and a plain rotation must not cancel a proof.
            Some(Promise::Login(_) | Promise::Rotate(Proof::GivenAgain)) => {}
            Some(Promise::Rotate(Proof::Unchanged)) | None => {
                state.promise = Some(Promise::Rotate(proof))
            }
        }
    }
}

/// What a [`Session::logout`] has done. The response removes the cookie in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogoutOutcome {
    /// The browser's session has ended on every node, by this call or before it.
    Ended,
    /// The request came without a session that could end: without a cookie, or with one whose session has ended or was
    /// swept.
    NothingToEnd,
    /// **No session has ended**, and a live one may remain: this node cannot read the request's session cookie. The
    /// usual cause is a key that another node has and this one lacks. The cookie may also be damaged, or occur twice.
    CookieUnreadable,
}
