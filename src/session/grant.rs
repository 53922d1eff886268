//! What a request has been promised and gets only once its response succeeds: a new session, or a new token.
//!
//! ```text
//! login() ── Reservation ──(response succeeds)── make_real() ── Granted ──(response goes out)── accept()
//!                 └─(anything else)─ released          └─(the client has gone)─ undone
//! ```
//!
//! Each arrow to the side is a `Drop`: a panic, an error, a cancelled handler and a lost client all take it.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    background::{to_the_end, undo},
    limits::Limit,
};
use crate::{
    cookie::Carrier,
    error::Error,
    event::{Event, EventKind, Events},
    store::{Displaced, EndedReason, NewSession, Proof, Rotation, SignInError, StampHash, Store},
    token::Token,
    user_id::UserId,
};

/// A sign-in that waits for its response.
#[derive(Debug)]
pub(crate) struct Reservation {
    new: NewSession,
    token: Token,
    limit: Limit,
    /// The account's, when the place was taken.
    stamp: Option<StampHash>,
    events: Events,
    place: Place,
}

/// The reserved row, given back when the sign-in does not need it any longer.
#[derive(Debug)]
struct Place {
    store: Arc<Store>,
    id: Option<Uuid>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let store = self.store.clone();
            undo(
                &self.store,
                "release a reserved session; it lapses by itself",
                move || {
                    let store = store.clone();
                    async move { store.release(id).await }
                },
            );
        }
    }
}

impl Reservation {
    /// Takes a place, or learns that there is none.
    pub(crate) async fn take(
        store: Arc<Store>,
        events: Events,
        new: NewSession,
        token: Token,
        limit: Limit,
    ) -> Result<Self, SignInError> {
        let taking = async move {
            // Before the statement: one whose answer is lost may have been carried out.
            let place = Place {
                id: Some(new.id),
                store,
            };
            let outcome = place.store.reserve(&new, limit).await;
            let mut reservation = Self {
                new,
                token,
                limit,
                stamp: None,
                events,
                place,
            };
            match outcome {
                Ok(stamp) => {
                    reservation.stamp = stamp;
                    Ok(reservation)
                }
                Err(error) => {
                    // Nothing was committed, and there is nothing to give back, unless the commit was sent.
                    if !matches!(error, SignInError::Unknown(_)) {
                        reservation.place.id = None;
                    }
                    Err(error)
                }
            }
        };
        to_the_end(taking)
            .await
            .unwrap_or_else(|error| Err(SignInError::Store(error)))
    }

    pub(crate) fn session_id(&self) -> Uuid {
        self.new.id
    }

    pub(crate) fn user_id(&self) -> &UserId {
        &self.new.user_id
    }

    pub(crate) fn acting_user(&self) -> Option<&UserId> {
        self.new.acting_user.as_ref()
    }

    /// Gives the place back and waits until it is free: the next attempt may come at once.
    pub(crate) async fn release(mut self) {
        let store = self.place.store.clone();
        let Some(id) = self.place.id.take() else {
            return;
        };
        let releasing = async move {
            let place = Place {
                id: Some(id),
                store,
            };
            if place.store.release(id).await.is_ok() {
                let mut place = place;
                place.id = None;
            }
        };
        let _ = to_the_end(releasing).await;
    }

    /// Makes the session real, unless the client goes away first.
    pub(crate) async fn make_real(self) -> Result<Granted, SignInError> {
        granted(|sender| async move {
            // As a whole: a block that took the fields apart would leave the place armed outside.
            let mut reservation = self;
            let store = reservation.place.store.clone();
            let outcome = store
                .activate(
                    &reservation.new,
                    reservation.limit,
                    reservation.stamp,
                    &|| !sender.is_closed(),
                )
                .await;
            let id = reservation.new.id;
            if matches!(outcome, Ok(_) | Err(SignInError::Unknown(_))) {
                reservation.place.id = None;
            }
            let events = reservation.events.clone();
            // Here, where no client can hang up: those sessions have ended, whether or not the new one is received.
            let outcome = outcome.map(|displaced| {
                report_displaced(&events, &reservation.new, displaced);
            });
            let max_age = reservation
                .new
                .remembered
                .then_some(store.timings().absolute_timeout);
            let carrier = match reservation.new.bearer {
                true => Carrier::Bearer,
                false => Carrier::Cookie,
            };
            let granted = Granted {
                carrier,
                user_id: reservation.new.user_id.clone(),
                token: reservation.token.clone(),
                max_age,
                grant: Grant {
                    store,
                    events,
                    done: Some(Done::SignedIn(id)),
                },
            };
            (sender, outcome, granted)
        })
        .await
    }
}

/// The sessions that ended in the transaction of a sign-in.
fn report_displaced(events: &Events, new: &NewSession, displaced: Displaced) {
    let by = new.actor().as_str();
    let ended = |reason| Event::new(EventKind::Ended { reason }).by(by);
    let for_the_limit = || ended(EndedReason::Limit).user(new.user_id.clone());
    for id in displaced.for_the_limit {
        events.report(for_the_limit().session(id));
    }
    let unnamed = displaced.for_the_limit_unnamed;
    if unnamed > 0 {
        events.report(for_the_limit().count(unnamed));
    }
    for id in displaced.replaced {
        // Whose it was is not known here: another user may have used this browser before.
        events.report(ended(EndedReason::Replaced).session(id));
    }
}

/// A session or a token that is real and whose cookie has not gone out yet.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) carrier: Carrier,
    pub(crate) user_id: UserId,
    pub(crate) token: Token,
    pub(crate) max_age: Option<Duration>,
    grant: Grant,
}

impl Granted {
    /// The response with the cookie goes out now.
    pub(crate) fn accept(&mut self) {
        self.grant.done = None;
    }

    fn forget(mut self) {
        self.grant.done = None;
    }
}

#[derive(Debug)]
struct Grant {
    store: Arc<Store>,
    events: Events,
    done: Option<Done>,
}

#[derive(Clone, Copy, Debug)]
enum Done {
    SignedIn(Uuid),
    Rotated(Rotation),
}

impl Drop for Grant {
    fn drop(&mut self) {
        let (store, events) = (self.store.clone(), self.events.clone());
        match self.done.take() {
            Some(Done::SignedIn(id)) => {
                let reason = EndedReason::Abandoned;
                undo(
                    &self.store,
                    "end a session that no client received; it expires by itself",
                    move || {
                        let (store, events) = (store.clone(), events.clone());
                        async move {
                            let ended = store.end(&[id], reason, None).await?;
                            if ended > 0 {
                                events.report(Event::new(EventKind::Ended { reason }).session(id));
                            }
                            Ok(ended)
                        }
                    },
                );
            }
            Some(Done::Rotated(rotation)) => {
                let what = "take back a token that no client received; the old one stays valid for its grace period";
                undo(&self.store, what, move || {
                    let store = store.clone();
                    async move { store.undo_rotation(rotation.id, rotation.new).await }
                });
            }
            None => {}
        }
    }
}

/// Gives a session a new token. `None`: another request was faster, and the browser has its token.
pub(crate) async fn rotate(
    store: Arc<Store>,
    events: Events,
    id: Uuid,
    user_id: UserId,
    old: crate::token::TokenHash,
    proof: Proof,
) -> Result<Option<Granted>, SignInError> {
    let token = Token::generate().map_err(|error| SignInError::Store(Error::unavailable(error)))?;
    let rotation = Rotation {
        id,
        old,
        new: token.hash(),
        proof,
    };
    let outcome = granted(|sender| async move {
        let outcome = store.rotate(&rotation, &|| !sender.is_closed()).await;
        let (outcome, max_age) = match outcome {
            Ok(Some(rotated)) => (Ok(()), rotated.remembered.then_some(rotated.remaining)),
            Ok(None) => (Err(SignInError::Lapsed), None),
            Err(error) => (Err(error), None),
        };
        let grant = Grant {
            store,
            events,
            done: Some(Done::Rotated(rotation)),
        };
        (
            sender,
            outcome,
            Granted {
                carrier: Carrier::Cookie,
                user_id,
                token,
                max_age,
                grant,
            },
        )
    });
    match outcome.await {
        Ok(granted) => Ok(Some(granted)),
        Err(SignInError::Lapsed) => Ok(None),
        Err(error) => Err(error),
    }
}

type Answer = oneshot::Sender<Result<Granted, SignInError>>;

/// Does the work to its end and hands over the result; if the receiver is gone, it is undone.
async fn granted<F>(work: impl FnOnce(Answer) -> F) -> Result<Granted, SignInError>
where
    F: Future<Output = (Answer, Result<(), SignInError>, Granted)> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let work = work(sender);
    tokio::spawn(async move {
        let (sender, outcome, granted) = work.await;
        let answer = match outcome {
            Ok(()) => Ok(granted),
            // Carried out or not: no client gets its cookie, so it is undone.
            Err(error @ SignInError::Unknown(_)) => Err(error),
            Err(error) => {
                granted.forget();
                Err(error)
            }
        };
        let _ = sender.send(answer);
    });
    match receiver.await {
        Ok(answer) => answer,
        Err(gone) => Err(SignInError::Store(Error::unavailable(gone))),
    }
}
