//! One lane of the verifier: takes a connection, takes those who wait, asks once, answers each.
// docs/decisions/45-lost-lanes-ask-again.md

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    places::Batch,
    question::{Blame, Question},
    queue::{Shared, Unanswered},
};
use crate::store::{Fault, FaultKind, Link, Lookup};

/// One lane: a task that asks for those who wait, until none does.
pub(super) struct Lane {
    shared: Arc<Shared>,
    /// Not counted out yet.
    counted: bool,
    /// It is the one that asks for suspects.
    asks_suspects: bool,
}

/// A lane whose task is cancelled or panics is counted out when it is dropped.
impl Drop for Lane {
    fn drop(&mut self) {
        self.leave_suspects();
        if !self.counted {
            return;
        }
        let abandoned = {
            let mut state = self.shared.lock();
            state.lanes -= 1;
            let abandoned = (state.lanes == 0).then(|| state.places.clear());
            self.shared.count(&state);
            abandoned
        };
        // Those whom it was the last to ask for notice that they are dropped, and queue up again: the first of them to
        // do so opens a lane on a runtime that lives.
        drop(abandoned);
    }
}

impl Lane {
    /// A lane that has been counted in.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            counted: true,
            asks_suspects: false,
        }
    }

    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        let mut link = None;
        while self.has_work(&mut link) {
            let outage = shared.outage.begins();
            if shared.outage.is_on() {
                // They came just before it was told.
                shared.refuse_all();
                continue;
            }
            link = {
                let (mut served, mut outage) = (pin!(self.serve(link)), pin!(outage));
                // In an outage, what is under way would only wait out its time. Those who wait for it notice that it is
                // dropped, and are told why.
                poll_fn(|context| match served.as_mut().poll(context) {
                    Poll::Ready(link) => Poll::Ready(link),
                    Poll::Pending => outage.as_mut().poll(context).map(|()| None),
                })
                .await
            };
            self.leave_suspects();
        }
    }

    /// No request can queue up between the look at the queue and the end of the lane.
    fn has_work(&mut self, link: &mut Option<Box<dyn Link>>) -> bool {
        if !self.counted {
            return false;
        }
        let mut state = self.shared.lock();
        // Suspects who are asked for elsewhere are that lane's work: it looks here again.
        let suspects_too = !state.suspects_are_asked;
        if !state.places.has_work(suspects_too) {
            // Given back first: the lane that the next request opens finds it there, instead of opening another.
            drop(link.take());
            state.lanes -= 1;
            self.counted = false;
        }
        self.counted
    }

    /// Serves those who are queued by the time a connection is there; gives the connection back for the next turn.
    async fn serve(&mut self, link: Option<Box<dyn Link>>) -> Option<Box<dyn Link>> {
        // Of its own: the lane changes while the question is put.
        let shared = self.shared.clone();
        let mut question = Question::new(&shared.store, shared.limits.time_budget, link);
        if let Err(fault) = question.connect().await {
            // Those who wait came for any lane, and one of the others may have a connection.
            if !self.gives_way()
                && let Some(batch) = self.take()
            {
                refuse(batch, &fault);
            }
            self.no_connection(&fault);
            return None;
        }
        let Some(batch) = self.take() else {
            return question.into_link();
        };
        let tokens = batch.tokens();
        self.shared.events.meter().asked_for(tokens.len());
        match question.ask(&tokens, &batch).await {
            Ok(found) => {
                self.shared.outage.answered();
                self.shared.lock().places.answered(&batch);
                batch.answer(|token| Ok(found.get(token).cloned().unwrap_or(Lookup::Corrupt)));
            }
            Err(Blame::Row(_)) if batch.is_shared() => self.put_back(batch),
            Err(Blame::Row(fault)) => {
                self.shared.lock().places.suspect(&batch);
                refuse(batch, &fault);
            }
            Err(Blame::Database(fault)) => {
                refuse(batch, &fault);
                if fault.kind() == FaultKind::TimedOut {
                    self.shared.doubt();
                }
            }
            Err(Blame::Connection(fault)) => {
                refuse(batch, &fault);
                self.no_connection(&fault);
            }
        }
        // While all lanes wait for a connection, a busy lane must not sit on one; nor on one that has had its time.
        let keeps = !self.shared.store.is_exhausted();
        question.into_link().filter(|link| keeps && link.is_good())
    }

    /// A connection that cannot be had is an outage, unless it is only that there was no time for it: all of them may be in
    /// use, or the statements before have used it up.
    fn no_connection(&self, fault: &Fault) {
        match fault.kind() {
            FaultKind::TimedOut => self.shared.doubt(),
            _ => self.shared.declare_outage(),
        }
    }

    /// Ends this lane unless it is the only one.
    fn gives_way(&mut self) -> bool {
        let mut state = self.shared.lock();
        if state.lanes > 1 {
            state.lanes -= 1;
            self.counted = false;
        }
        !self.counted
    }

    /// Takes those who share the next statement, in the order in which they came.
    fn take(&mut self) -> Option<Batch> {
        let mut state = self.shared.lock();
        let suspects_too = !state.suspects_are_asked;
        let batch = state.places.take(suspects_too)?;
        state.set_out = Some(Instant::now());
        if batch.is_suspect() {
            (self.asks_suspects, state.suspects_are_asked) = (true, true);
        }
        self.shared.count(&state);
        Some(batch)
    }

    /// Lets those whom one of them has made fail be asked for in smaller companies. They are many statements, so the other
    /// lanes help.
    fn put_back(&self, batch: Batch) {
        let opens_lane = {
            let mut state = self.shared.lock();
            state.places.put_back(batch);
            self.shared.count(&state);
            state.opens_lane(self.shared.limits.max_lanes, Duration::ZERO)
        };
        if opens_lane {
            tokio::spawn(Self::new(self.shared.clone()).run());
        }
    }

    fn leave_suspects(&mut self) {
        if std::mem::take(&mut self.asks_suspects) {
            self.shared.lock().suspects_are_asked = false;
        }
    }
}

fn refuse(batch: Batch, fault: &Fault) {
    let reason = match fault.kind() {
        FaultKind::TimedOut => Unanswered::TimedOut,
        FaultKind::Lost | FaultKind::Conflict | FaultKind::Data | FaultKind::Statement => {
            Unanswered::Store
        }
    };
    let requests = batch.requests();
    if requests > 0 {
        tracing::error!(requests, error = %fault, "sessions could not be verified");
    }
    batch.answer(|_| Err(reason));
}
