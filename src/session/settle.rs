//! Decides about a pending login or rotation once the handler has answered: by the status, activates it or drops it.
// docs/decisions/08-refused-cookie-stays.md

use http::{HeaderValue, Method, StatusCode};
use uuid::Uuid;

use super::{
    Session,
    grant::{self, Granted, Reservation},
    request::Promise,
};
use crate::{
    cookie::{Carrier, Holder},
    error::Error,
    event::{EventKind, SignInRefusal},
    store::{Proof, SignInError},
};

/// What the layer must add to the response.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) session_cookie: Option<HeaderValue>,
    /// Flash messages and temporary state.
    pub(crate) other_cookies: Vec<HeaderValue>,
    /// Accepted when the response goes out; otherwise its `Drop` undoes it.
    pub(crate) granted: Option<Granted>,
}

impl Session {
    /// Activates or drops a pending login or rotation, and chooses the cookies.
    ///
    /// # Errors
    ///
    /// If the activation fails: the handler's response must not go out.
    pub(crate) async fn settle(
        &self,
        method: &Method,
        status: StatusCode,
    ) -> Result<Outcome, SignInError> {
        let promise = {
            let mut state = self.state();
            state.settled = true;
            state.promise.take()
        };
        let signing_in = match &promise {
            Some(Promise::Login(reservation)) => Some(reservation.session_id()),
            Some(Promise::Rotate(_)) | None => None,
        };
        let granted = match promise {
            // On the heap, so that the future of a request without a login or rotation stays small.
            Some(promise) => Box::pin(self.keep(promise, status)).await?,
            None => None,
        };
        let cookies = &self.core().cookies;
        let session_cookie = match &granted {
            Some(granted) if granted.carrier == Carrier::Bearer => None,
            Some(granted) => {
                let cookie = cookies.set_session(&granted.user_id, &granted.token, granted.max_age);
                Some(
                    cookie.map_err(|error| {
                        SignInError::Store(Error::unavailable(error.to_string()))
                    })?,
                )
            }
            None if self.state().signed_out && self.carrier() == Carrier::Cookie => {
                Some(cookies.remove_session())
            }
            None => None,
        };
        // After a login the browser has the new session; a rotation keeps the old one.
        let is_in_cookie = |granted: &Granted| granted.carrier == Carrier::Cookie;
        let holder = match signing_in.filter(|_| granted.as_ref().is_some_and(is_in_cookie)) {
            Some(id) => Some(Holder::Session(id)),
            None => self.state().identity.holder(),
        };
        // A server error may not have shown the messages. A client with a bearer token keeps no cookies.
        let sets_none = status.is_server_error() || self.carrier() == Carrier::Bearer;
        let other_cookies = if sets_none {
            Vec::new()
        } else {
            let flash = self.flash_state();
            let flash = flash.cookie(cookies, holder, shows_page(method, status));
            let mut all = self.temporary_state().cookies(cookies, holder);
            all.extend(flash);
            all
        };
        Ok(Outcome {
            session_cookie,
            other_cookies,
            granted,
        })
    }

    async fn keep(
        &self,
        promise: Promise,
        status: StatusCode,
    ) -> Result<Option<Granted>, SignInError> {
        let succeeded = status.as_u16() < 400;
        match promise {
            Promise::Login(reservation) if succeeded => Ok(Some(self.sign_in(*reservation).await?)),
            Promise::Login(reservation) => {
                reservation.release().await;
                Ok(None)
            }
            Promise::Rotate(proof) if succeeded => self.rotate_now(proof).await,
            Promise::Rotate(_) => Ok(None),
        }
    }

    async fn sign_in(&self, reservation: Reservation) -> Result<Granted, SignInError> {
        let (session_id, user_id) = (reservation.session_id(), reservation.user_id().clone());
        let acting_user = reservation.acting_user().cloned();
        let granted = reservation.make_real().await;
        let kind = match &granted {
            Ok(_) => EventKind::SignedIn,
            Err(SignInError::LimitReached { max }) => EventKind::SignInRefused {
                why: SignInRefusal::LimitReached { max: *max },
            },
            Err(SignInError::AccountRefused) => EventKind::SignInRefused {
                why: SignInRefusal::AccountRefused,
            },
            Err(SignInError::Lapsed | SignInError::PreviousOver) => EventKind::SignInRefused {
                why: SignInRefusal::Lapsed,
            },
            Err(SignInError::Store(error) | SignInError::Unknown(error)) => {
                self.report_failed_sign_in(&user_id, error);
                return granted;
            }
            // The client has hung up, so the sign-in is no failure.
            Err(SignInError::Abandoned) => return granted,
        };
        let told = self.event(kind).user(user_id).acting_user(acting_user);
        self.report(told.session(session_id));
        granted
    }

    async fn rotate_now(&self, proof: Proof) -> Result<Option<Granted>, SignInError> {
        let (Some(user), Some(old)) = (self.signed_in(), self.token()) else {
            return Ok(None);
        };
        let (id, store) = (user.session_id(), self.core().store.clone());
        if self.carrier() == Carrier::Bearer {
            // The client would have to be told its new token.
            if proof == Proof::GivenAgain {
                self.record_proof(id).await?;
            }
            return Ok(None);
        }
        let (user_id, events) = (user.user_id().clone(), self.core().events.clone());
        let granted = grant::rotate(store, events, id, user_id, old, proof).await?;
        match (&granted, proof) {
            (Some(_), Proof::Unchanged) => self.report(self.event(EventKind::Rotated)),
            (Some(_), Proof::GivenAgain) => self.report(self.event(EventKind::Reauthenticated)),
            // Another request has just given the browser a new token. The user has still typed the password, so the
            // proof counts.
            (None, Proof::GivenAgain) => self.record_proof(id).await?,
            (None, Proof::Unchanged) => {}
        }
        Ok(granted)
    }

    async fn record_proof(&self, id: Uuid) -> Result<(), SignInError> {
        let recorded = self.core().store.record_proof(id).await;
        if recorded.map_err(SignInError::Store)? > 0 {
            self.report(self.event(EventKind::Reauthenticated));
        }
        Ok(())
    }
}

/// Whether a browser shows this response. Only then has the user seen its messages.
fn shows_page(method: &Method, status: StatusCode) -> bool {
    let empty = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT];
    method != Method::HEAD
        && !status.is_informational()
        && !status.is_redirection() // 304 among them
        && !empty.contains(&status)
}
