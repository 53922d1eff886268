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
        let promise = self.state().promise.take();
        let succeeded = !status.is_client_error() && !status.is_server_error();
        let granted = match promise {
            Some(Promise::Login(reservation)) if succeeded => {
                Some(self.sign_in(*reservation).await?)
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
            self.flash_state().cookie(cookies)
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
        let (Some(user), Some(previous)) = (self.signed_in(), self.previous()) else {
            return Ok(None);
        };
        let store = self.core().store.clone();
        let granted = grant::rotate(
            store,
            user.session_id(),
            user.user_id().clone(),
            previous.token,
            proof,
        )
        .await?;
        if granted.is_some() {
            tracing::info!(user_id = %user.user_id(), session_id = %user.session_id(), "session token rotated");
        }
        Ok(granted)
    }
}
