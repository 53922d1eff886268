//! Finding out whom a request comes from.

use super::{Access, Identity, PermissionSource, SignedIn, handle::Core};
use crate::{
    cookie::{Credentials, Presented},
    store::{EndedReason, Found, Lookup, Previous},
    token::TokenHash,
    user_id::UserId,
};

/// What became of the session that a request presented.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) identity: Identity,
    /// The digest of the token, where a user is signed in by it.
    pub(super) token: Option<TokenHash>,
    /// The session that is there, whether or not it lets anybody in: signing out ends it, and a login replaces it.
    pub(super) previous: Option<Previous>,
    pub(super) ended_reason: Option<EndedReason>,
}

impl Opened {
    fn anonymous(ended_reason: Option<EndedReason>) -> Self {
        Self {
            identity: Identity::Anonymous,
            token: None,
            previous: None,
            ended_reason,
        }
    }

    /// Nobody, though the session is live: its account may not be used.
    fn refused(found: &Found) -> Self {
        tracing::info!(user_id = %found.user_id, session_id = %found.id, "session refused: account may not be used");
        Self {
            previous: Some(Previous::Session(found.id)),
            ..Self::anonymous(None)
        }
    }

    fn unavailable(token: TokenHash) -> Self {
        Self {
            identity: Identity::Unavailable,
            token: None,
            previous: Some(Previous::Token(token)),
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
            Ok(Lookup::Live(found) | Lookup::AccountRefused(found))
                if found.user_id != credentials.user_id =>
            {
                tracing::warn!(session_id = %found.id, "session cookie rejected: its user is not the session's");
                return Opened::anonymous(None);
            }
            Ok(Lookup::Live(found)) => found,
            Ok(Lookup::AccountRefused(found)) => return Opened::refused(&found),
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
        let found = match &self.permission_source {
            None => found,
            Some(source) => match Box::pin(self.ask(source.as_ref(), &found)).await {
                Ok(Access::Granted(permissions)) => Found {
                    permissions,
                    ..found
                },
                Ok(Access::Denied) => return Opened::refused(&found),
                Err(Unanswerable) => return Opened::unavailable(token),
            },
        };
        if found.touch_due {
            self.touches.add(found.id);
        }
        Opened {
            previous: Some(Previous::Session(found.id)),
            identity: Identity::SignedIn(SignedIn::new(found)),
            token: Some(token),
            ended_reason: None,
        }
    }

    /// Accounts and permissions from elsewhere. Whoever acts as a user needs an account as well.
    async fn ask(
        &self,
        source: &dyn PermissionSource,
        found: &Found,
    ) -> Result<Access, Unanswerable> {
        if let Some(acting_user) = &found.acting_user
            && self.ask_about(source, acting_user).await? == Access::Denied
        {
            return Ok(Access::Denied);
        }
        self.ask_about(source, &found.user_id).await
    }

    async fn ask_about(
        &self,
        source: &dyn PermissionSource,
        user_id: &UserId,
    ) -> Result<Access, Unanswerable> {
        match tokio::time::timeout(self.time_budget, source.access(user_id)).await {
            Ok(Ok(access)) => Ok(access),
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
