//! Settling what a request was promised, now that the handler's answer is known.

use http::{HeaderValue, StatusCode};

use super::{
    Session,
    grant::{self, Granted, Reservation},
    request::Promise,
};
use crate::{
    error::Error,
    store::{Proof, SignInError},
};

/// What the response has to carry.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) session_cookie: Option<HeaderValue>,
    pub(crate) flash_cookie: Option<HeaderValue>,
    /// To be accepted when the response goes out; undone otherwise.
    pub(crate) granted: Option<Granted>,
}

impl Session {
    /// Settles what was promised, now that the handler's answer is known.
    ///
    /// # Errors
    ///
    /// When what was promised cannot be kept: the handler's answer must not go out.
    pub(crate) async fn settle(&self, status: StatusCode) -> Result<Outcome, SignInError> {
        let promise = {
            let mut state = self.state();
            state.settled = true;
            state.promise.take()
        };
        let granted = match promise {
            // On the heap: most requests promise nothing, and should not carry what they never need.
            Some(promise) => Box::pin(self.keep(promise, status)).await?,
            None => None,
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
            self.flash_state().cookie(cookies)
        };
        Ok(Outcome {
            session_cookie,
            flash_cookie,
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
        let session_id = reservation.session_id();
        let granted = reservation.make_real().await;
        match &granted {
            Ok(granted) => tracing::info!(
                user_id = %granted.user_id,
                acting_user = granted.acting_user.as_ref().map(tracing::field::display),
                %session_id,
                "signed in"
            ),
            Err(error) => tracing::error!(%session_id, ?error, "sign-in could not be made real"),
        }
        granted
    }

    async fn rotate_now(&self, proof: Proof) -> Result<Option<Granted>, SignInError> {
        let (Some(user), Some(old)) = (self.signed_in(), self.token()) else {
            return Ok(None);
        };
        let (id, store) = (user.session_id(), self.core().store.clone());
        let granted = grant::rotate(store, id, user.user_id().clone(), old, proof).await?;
        match (&granted, proof) {
            (Some(_), _) => {
                tracing::info!(user_id = %user.user_id(), session_id = %id, "session token rotated");
            }
            // Another request has just given the browser a new token; the password was typed all the same.
            (None, Proof::GivenAgain) => {
                let recorded = self.core().store.record_proof(id).await;
                recorded.map_err(SignInError::Store)?;
            }
            (None, Proof::Unchanged) => {}
        }
        Ok(granted)
    }
}
