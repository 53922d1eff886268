//! Finding out whom a request comes from.

use super::{Access, Identity, SignedIn, handle::Core};
use crate::{
    cookie::{Credentials, Presented},
    store::{EndedReason, Found, Lookup},
    token::TokenHash,
};

/// What became of the session that a request presented.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) identity: Identity,
    /// The digest of a token that was accepted, or could not be asked about.
    pub(super) presented: Option<TokenHash>,
    pub(super) ended_reason: Option<EndedReason>,
}

impl Opened {
    fn anonymous(ended_reason: Option<EndedReason>) -> Self {
        Self {
            identity: Identity::Anonymous,
            presented: None,
            ended_reason,
        }
    }

    /// Nobody for now, but the session is there: signing out ends it, and a login replaces it.
    fn refused(token: TokenHash) -> Self {
        Self {
            identity: Identity::Anonymous,
            presented: Some(token),
            ended_reason: None,
        }
    }

    fn unavailable(token: TokenHash) -> Self {
        Self {
            identity: Identity::Unavailable,
            presented: Some(token),
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
        let found = match self.verifier.look_up(token).await {
            Ok(Lookup::Live(found)) => found,
            Ok(Lookup::Unknown) => return Opened::anonymous(None),
            Ok(Lookup::NotLive(reason)) => return Opened::anonymous(reason),
            Ok(Lookup::AccountRefused(found)) => {
                tracing::info!(user_id = %found.user_id, session_id = %found.id, "session refused: account may not be used");
                return Opened::refused(token);
            }
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
        let found = match self.ask_source(found).await {
            Ok(Some(found)) => found,
            Ok(None) => return Opened::refused(token),
            Err(Unanswerable) => return Opened::unavailable(token),
        };
        if found.touch_due {
            self.touches.add(found.id);
        }
        Opened {
            identity: Identity::SignedIn(SignedIn::new(found)),
            presented: Some(token),
            ended_reason: None,
        }
    }

    /// Accounts and permissions from elsewhere, where they are.
    async fn ask_source(&self, mut found: Found) -> Result<Option<Found>, Unanswerable> {
        let Some(source) = &self.permission_source else {
            return Ok(Some(found));
        };
        match tokio::time::timeout(self.time_budget, source.access(&found.user_id)).await {
            Ok(Ok(Access::Granted(permissions))) => {
                found.permissions = permissions;
                Ok(Some(found))
            }
            Ok(Ok(Access::Denied)) => {
                tracing::info!(user_id = %found.user_id, session_id = %found.id, "session refused: account may not be used");
                Ok(None)
            }
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

/// The source failed; what it would have said is not known.
struct Unanswerable;
