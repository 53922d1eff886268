//! Finding out whom a request comes from.

use super::{Access, Identity, SignedIn, handle::Core};
use crate::{
    cookie::{Credentials, Presented},
    store::{EndedReason, Found, Lookup, Previous},
    token::TokenHash,
};

/// What became of the session that a request presented.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) identity: Identity,
    /// The session to end when the browser signs out or signs in again.
    pub(super) previous: Option<Previous>,
    pub(super) ended_reason: Option<EndedReason>,
}

impl Opened {
    fn anonymous(ended_reason: Option<EndedReason>) -> Self {
        Self {
            identity: Identity::Anonymous,
            previous: None,
            ended_reason,
        }
    }

    /// Nobody, but the session lives on and opens everything again when its account does.
    fn account_refused(previous: Previous) -> Self {
        Self {
            previous: Some(previous),
            ..Self::anonymous(None)
        }
    }

    fn unavailable(token: TokenHash) -> Self {
        Self {
            identity: Identity::Unavailable,
            previous: Some(Previous { token, id: None }),
            ended_reason: None,
        }
    }
}

impl Core {
    /// Without a valid session cookie there is no query.
    pub(super) async fn identify(&self, presented: Presented) -> Opened {
        match presented {
            Presented::Absent => Opened::anonymous(None),
            Presented::Rejected(rejection) => {
                tracing::warn!(reason = rejection.as_str(), "session cookie rejected");
                Opened::anonymous(None)
            }
            Presented::Credentials(credentials) => self.verify(credentials).await,
        }
    }

    async fn verify(&self, credentials: Credentials) -> Opened {
        let token = credentials.token.hash();
        let (found, allowed) = match self.verifier.look_up(token).await {
            Ok(Lookup::Live(found)) => (found, true),
            Ok(Lookup::AccountRefused(found)) => (found, false),
            Ok(Lookup::Unknown) => return Opened::anonymous(None),
            Ok(Lookup::NotLive(reason)) => return Opened::anonymous(reason),
            Ok(Lookup::Corrupt) => {
                tracing::error!(
                    "session refused: its row, or what the permission queries give for it, cannot be read"
                );
                return Opened::unavailable(token);
            }
            Err(unanswered) => {
                tracing::warn!(reason = unanswered.as_str(), "session not verified");
                return Opened::unavailable(token);
            }
        };
        if found.user_id != credentials.user_id {
            tracing::warn!(session_id = %found.id, "session cookie rejected: its user is not the session's");
            return Opened::anonymous(None);
        }
        let previous = Previous {
            token,
            id: Some(found.id),
        };
        let found = match allowed {
            true => self.ask_source(found).await,
            false => Ok(Err(AccountRefused(found))),
        };
        let found = match found {
            Ok(Ok(found)) => found,
            Ok(Err(AccountRefused(found))) => {
                tracing::info!(user_id = %found.user_id, session_id = %found.id, "session refused: account may not be used");
                return Opened::account_refused(previous);
            }
            Err(Unanswerable) => return Opened::unavailable(token),
        };
        if found.touch_due {
            self.touches.add(found.id);
        }
        Opened {
            identity: Identity::SignedIn(SignedIn::new(found)),
            previous: Some(previous),
            ended_reason: None,
        }
    }

    /// Accounts and permissions from elsewhere, where they are.
    async fn ask_source(
        &self,
        mut found: Found,
    ) -> Result<Result<Found, AccountRefused>, Unanswerable> {
        let Some(source) = &self.permission_source else {
            return Ok(Ok(found));
        };
        match tokio::time::timeout(self.time_budget, source.access(&found.user_id)).await {
            Ok(Ok(Access::Granted(permissions))) => {
                found.permissions = permissions;
                Ok(Ok(found))
            }
            Ok(Ok(Access::Denied)) => Ok(Err(AccountRefused(found))),
            Ok(Err(error)) => {
                tracing::warn!(%error, "session not verified: the permission source failed");
                Err(Unanswerable)
            }
            Err(_) => {
                tracing::warn!(
                    "session not verified: the permission source took longer than the time budget"
                );
                Err(Unanswerable)
            }
        }
    }
}

/// Its account is disabled or deleted.
struct AccountRefused(Found);

/// The source failed; what it would have said is not known.
struct Unanswerable;
