//! Reports what happens to the session of a request, with its user and the client's address.

use super::{Identity, Session, handle::Core};
use crate::{
    client::Observed,
    error::Error,
    event::{Event, EventKind, SignInRefusal},
    user_id::UserId,
};

impl Core {
    pub(super) fn located(&self, event: Event, observed: &Observed) -> Event {
        let address = self.client.address(observed);
        event.client(
            address.map(|address| address.to_string()),
            self.client.user_agent(observed),
        )
    }
}

impl Session {
    /// An event of this request, with its session, user and client.
    pub(super) fn event(&self, kind: EventKind) -> Event {
        let event = self.core().located(Event::new(kind), self.observed());
        match &self.state().identity {
            Identity::SignedIn(user) => event
                .user(user.user_id().clone())
                .acting_user(user.acting_user().cloned())
                .session(user.session_id()),
            Identity::Anonymous | Identity::Unavailable => event,
        }
    }

    pub(super) fn report(&self, event: Event) {
        self.core().events.report(event);
    }

    pub(super) fn report_refused_sign_in(
        &self,
        why: SignInRefusal,
        user_id: UserId,
        acting_user: Option<UserId>,
    ) {
        let refused = self.event(EventKind::SignInRefused { why });
        let refused = refused.user(user_id).acting_user(acting_user);
        self.report(refused.session(None));
    }

    /// With a limit per second, since every attempt fails during an outage.
    pub(super) fn report_failed_sign_in(&self, user_id: &UserId, error: &Error) {
        let core = self.core();
        core.events.report_often(EventKind::SignInFailed, |event| {
            core.located(event, self.observed())
                .user(user_id.clone())
                .error(error.cause())
        });
    }
}
