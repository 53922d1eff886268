//! Finds out which user a request comes from.

use uuid::Uuid;

use super::{Access, Identity, PermissionSource, SignedIn, background::to_the_end, handle::Core};
use crate::{
    client::Observed,
    cookie::{Credentials, Presented},
    event::{CookieRejection, Event, EventKind, NotVerified, Outcome},
    store::{EndedReason, Found, Lookup, Previous},
    token::TokenHash,
    user_id::UserId,
    verify::Unanswered,
};

/// The outcome for the session cookie of a request.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) identity: Identity,
    /// The digest of the token that signs the user in.
    pub(super) token: Option<TokenHash>,
    /// The session behind the cookie, even if its account is refused or it could not be verified. A logout ends it, and
    /// a login replaces it.
    pub(super) previous: Option<Previous>,
    /// The browser's last session, which is over.
    pub(super) follows: Option<Uuid>,
    pub(super) ended_reason: Option<EndedReason>,
    /// Why this node could not read the cookie, if so.
    pub(super) unread: Option<CookieRejection>,
}

impl Opened {
    fn anonymous(ended_reason: Option<EndedReason>) -> Self {
        Self {
            identity: Identity::Anonymous,
            token: None,
            previous: None,
            follows: None,
            ended_reason,
            unread: None,
        }
    }

    /// No user. There may still be a session behind the cookie: another node may have the key.
    fn unread(why: CookieRejection) -> Self {
        Self {
            unread: Some(why),
            ..Self::anonymous(None)
        }
    }

    /// No user: the session is live, but its account may not be used.
    fn refused(found: &Found) -> Self {
        Self {
            previous: Some(Previous::Session(found.id)),
            ..Self::anonymous(Some(EndedReason::AccountRefused))
        }
    }

    /// No user: the session is over.
    fn over(id: Uuid, reason: Option<EndedReason>) -> Self {
        Self {
            follows: Some(id),
            ..Self::anonymous(reason)
        }
    }

    fn unavailable(token: TokenHash) -> Self {
        Self {
            identity: Identity::Unavailable,
            token: None,
            previous: Some(Previous::Token(token)),
            follows: None,
            ended_reason: None,
            unread: None,
        }
    }
}

impl Core {
    /// Makes no query unless there is a valid session cookie.
    pub(super) async fn identify(&self, presented: Presented, observed: &Observed) -> Opened {
        match presented {
            Presented::Absent => Opened::anonymous(None),
            Presented::Rejected(rejection) => {
                let why = rejection.into();
                self.reject(why, observed, |event| event);
                Opened::unread(why)
            }
            Presented::Credentials(credentials) => self.verify(credentials, observed).await,
        }
    }

    async fn verify(&self, credentials: Credentials, observed: &Observed) -> Opened {
        let token = credentials.token.hash();
        let meter = self.events.meter();
        let started = meter.started();
        let answer = self.verifier.look_up(token, &credentials.user_id).await;
        meter.verified(outcome(&answer), started);
        let found = match answer {
            Ok(
                Lookup::Live(found) | Lookup::AccountRefused(found) | Lookup::StampChanged(found),
            ) if found.user_id != credentials.user_id => {
                // Reports the session's user: a stolen key could have put any user id into the cookie.
                let describe = |event| whose(event, &found);
                self.reject(CookieRejection::UserMismatch, observed, describe);
                return Opened::anonymous(None);
            }
            Ok(Lookup::Live(found)) => found,
            Ok(Lookup::AccountRefused(found)) => return self.refuse(&found, observed),
            Ok(Lookup::Unknown) => {
                // The id is authentic, since the cookie was decrypted with one of our keys.
                let describe = |event: Event| event.user(credentials.user_id.clone());
                self.reject(CookieRejection::UnknownToken, observed, describe);
                return Opened::anonymous(None);
            }
            Ok(Lookup::NotLive { id, reason }) => return Opened::over(id, reason),
            Ok(Lookup::StampChanged(found)) => {
                self.write_down(&found).await;
                return Opened::over(found.id, Some(EndedReason::StampChanged));
            }
            Ok(Lookup::Corrupt) => {
                let describe = |event: Event| event.user(credentials.user_id.clone());
                self.unverified(NotVerified::Corrupt, observed, describe);
                return Opened::unavailable(token);
            }
            Err(unanswered) => {
                // An outage is reported once, not by each request that it meets.
                let why = match unanswered {
                    Unanswered::Outage => None,
                    Unanswered::QueueFull => Some(NotVerified::QueueFull),
                    Unanswered::TimedOut => Some(NotVerified::TimedOut),
                    Unanswered::Store => Some(NotVerified::StoreFailed),
                };
                if let Some(why) = why {
                    let describe = |event: Event| event.user(credentials.user_id.clone());
                    self.unverified(why, observed, describe);
                }
                return Opened::unavailable(token);
            }
        };
        let found = match &self.permission_source {
            None => found,
            Some(source) => match Box::pin(self.ask(source.as_ref(), &found, observed)).await {
                Ok(Access::Granted(permissions)) => Found {
                    permissions,
                    ..found
                },
                Ok(Access::Denied) => return self.refuse(&found, observed),
                Err(Unanswerable) => return Opened::unavailable(token),
            },
        };
        if found.touch_due {
            self.touches.add(found.id);
        }
        Opened {
            previous: Some(Previous::Session(found.id)),
            identity: Identity::SignedIn(SignedIn::new(found, self.events.clone())),
            token: Some(token),
            follows: None,
            ended_reason: None,
            unread: None,
        }
    }

    /// Asks the source for account and permissions. An administrator who acts as the user needs a usable account too.
    async fn ask(
        &self,
        source: &dyn PermissionSource,
        found: &Found,
        observed: &Observed,
    ) -> Result<Access, Unanswerable> {
        if let Some(acting_user) = &found.acting_user
            && self.ask_about(source, acting_user, found, observed).await? == Access::Denied
        {
            return Ok(Access::Denied);
        }
        self.ask_about(source, &found.user_id, found, observed)
            .await
    }

    async fn ask_about(
        &self,
        source: &dyn PermissionSource,
        user_id: &UserId,
        found: &Found,
        observed: &Observed,
    ) -> Result<Access, Unanswerable> {
        match tokio::time::timeout(self.time_budget, source.access(user_id)).await {
            Ok(Ok(access)) => Ok(access),
            Ok(Err(error)) => {
                let describe = |event| whose(event, found).error(error);
                self.unverified(NotVerified::SourceFailed, observed, describe);
                Err(Unanswerable)
            }
            Err(_) => {
                let describe = |event| whose(event, found);
                self.unverified(NotVerified::SourceTimedOut, observed, describe);
                Err(Unanswerable)
            }
        }
    }

    /// Ends a session whose security stamp has changed since the sign-in. The request waits for it, so that the session
    /// stays refused. For example, an administrator may restore the old stamp a moment later. If it fails, the next
    /// request or the sweeper ends the session.
    async fn write_down(&self, found: &Found) {
        let (store, events, id) = (self.store.clone(), self.events.clone(), found.id);
        let reason = EndedReason::StampChanged;
        let told = whose(Event::new(EventKind::Ended { reason }), found);
        let ending = async move {
            match store.end(&[id], reason, None).await {
                Ok(0) => {}
                Ok(_) => events.report(told),
                Err(error) => {
                    tracing::warn!(session_id = %id, %error, "could not end a session whose security stamp has changed; the next request or sweep tries again");
                }
            }
        };
        // The client may hang up meanwhile: the ending goes on.
        let _ = to_the_end(ending).await;
    }

    fn refuse(&self, found: &Found, observed: &Observed) -> Opened {
        self.report_often(EventKind::AccountRefused, observed, |event| {
            whose(event, found)
        });
        Opened::refused(found)
    }

    fn reject(
        &self,
        why: CookieRejection,
        observed: &Observed,
        describe: impl FnOnce(Event) -> Event,
    ) {
        self.report_often(EventKind::CookieRejected { why }, observed, describe);
    }

    fn unverified(
        &self,
        why: NotVerified,
        observed: &Observed,
        describe: impl FnOnce(Event) -> Event,
    ) {
        self.report_often(EventKind::NotVerified { why }, observed, describe);
    }

    /// Reports what a client can cause with each request, with a limit per second.
    fn report_often(
        &self,
        kind: EventKind,
        observed: &Observed,
        describe: impl FnOnce(Event) -> Event,
    ) {
        let describe = |event| describe(self.located(event, observed));
        self.events.report_often(kind, describe);
    }
}

fn whose(event: Event, found: &Found) -> Event {
    event
        .user(found.user_id.clone())
        .acting_user(found.acting_user.clone())
        .session(found.id)
}

fn outcome(answer: &Result<Lookup, Unanswered>) -> Outcome {
    match answer {
        Ok(Lookup::Live(_)) => Outcome::Live,
        Ok(Lookup::NotLive { .. } | Lookup::StampChanged(_)) => Outcome::NotLive,
        Ok(Lookup::Unknown) => Outcome::Unknown,
        Ok(Lookup::AccountRefused(_)) => Outcome::AccountRefused,
        Ok(Lookup::Corrupt) | Err(_) => Outcome::Unavailable,
    }
}

/// The source failed or took too long.
struct Unanswerable;
