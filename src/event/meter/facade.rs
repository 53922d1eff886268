//! Metrics through the `metrics` facade. It registers each handle once, so that a request only pays for additions.

use std::{collections::HashMap, fmt, sync::Arc, time::Instant};

use metrics::{Counter, Gauge, Histogram, SharedString, counter, gauge, histogram};

use super::{
    Outcome,
    description::{
        BATCH, DURATION, QUEUE, STORE_UP, SWEEPS, SWEPT, TOUCHES, TOUCHES_MISSED, VERIFICATIONS,
        describe,
    },
};
use crate::{
    error::Error,
    event::{CookieRejection, EventKind, NotVerified, SignInRefusal},
    store::{ConnectionDiscard, EndedReason, Swept},
};

#[derive(Clone)]
pub(crate) struct Meter(Arc<Handles>);

struct Handles {
    live: Counter,
    not_live: Counter,
    unknown: Counter,
    account_refused: Counter,
    unavailable: Counter,
    duration: Histogram,
    batch: Histogram,
    queue: Gauge,
    touches: Counter,
    touches_missed: Counter,
    sweeps: Counter,
    failed_sweeps: Counter,
    lapsed: Counter,
    deleted: Counter,
    store_up: Gauge,
    events: HashMap<Series, Counter>,
}

/// When a measurement began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started(Instant);

impl Meter {
    /// Registers all metrics with the installed recorder.
    pub(crate) fn new(realm: &str) -> Self {
        describe();
        let realm = SharedString::from(realm.to_owned());
        let one = |name: &'static str| counter!(name, "realm" => realm.clone());
        let of = |name: &'static str, label: &'static str, value: &'static str| counter!(name, "realm" => realm.clone(), label => value);
        let outcome = |outcome| of(VERIFICATIONS, "outcome", outcome);
        let handles = Handles {
            live: outcome("live"),
            not_live: outcome("not-live"),
            unknown: outcome("unknown"),
            account_refused: outcome("account-refused"),
            unavailable: outcome("unavailable"),
            duration: histogram!(DURATION, "realm" => realm.clone()),
            batch: histogram!(BATCH, "realm" => realm.clone()),
            queue: gauge!(QUEUE, "realm" => realm.clone()),
            touches: one(TOUCHES),
            touches_missed: one(TOUCHES_MISSED),
            sweeps: of(SWEEPS, "outcome", "done"),
            failed_sweeps: of(SWEEPS, "outcome", "failed"),
            lapsed: of(SWEPT, "what", "lapsed"),
            deleted: of(SWEPT, "what", "deleted"),
            store_up: gauge!(STORE_UP, "realm" => realm.clone()),
            events: event_counters()
                .map(|(name, reason)| {
                    let counter = match reason {
                        Some(reason) => of(name, "reason", reason),
                        None => one(name),
                    };
                    ((name, reason), counter)
                })
                .collect(),
        };
        handles.store_up.set(1.0);
        Self(Arc::new(handles))
    }

    pub(crate) fn started(&self) -> Started {
        Started(Instant::now())
    }

    pub(crate) fn verified(&self, outcome: Outcome, started: Started) {
        let counter = match outcome {
            Outcome::Live => &self.0.live,
            Outcome::NotLive => &self.0.not_live,
            Outcome::Unknown => &self.0.unknown,
            Outcome::AccountRefused => &self.0.account_refused,
            Outcome::Unavailable => &self.0.unavailable,
        };
        counter.increment(1);
        self.0.duration.record(started.0.elapsed());
    }

    /// A verification statement asks for this many sessions.
    pub(crate) fn asked_for(&self, sessions: usize) {
        self.0.batch.record(sessions as f64);
    }

    /// This many requests wait in the queue now.
    pub(crate) fn queued(&self, requests: usize) {
        self.0.queue.set(requests as f64);
    }

    pub(crate) fn touched(&self, sessions: u64) {
        self.0.touches.increment(sessions);
    }

    pub(crate) fn touches_missed(&self, sessions: usize) {
        self.0.touches_missed.increment(sessions as u64);
    }

    /// A sweep has ended, with these counts and this outcome.
    pub(crate) fn swept<T>(&self, swept: &Swept, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => self.0.sweeps.increment(1),
            Err(_) => self.0.failed_sweeps.increment(1),
        }
        self.0.lapsed.increment(swept.lapsed);
        self.0.deleted.increment(swept.deleted);
    }

    pub(in crate::event) fn event(&self, kind: EventKind, count: u64) {
        match kind {
            EventKind::StoreUnavailable => self.0.store_up.set(0.0),
            EventKind::StoreAvailable { .. } => self.0.store_up.set(1.0),
            _ => {}
        }
        if let Some(counter) = self.0.events.get(&series(kind)) {
            counter.increment(count);
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Meter").finish_non_exhaustive()
    }
}

/// The counter of a kind of event, and its label `reason`.
type Series = (&'static str, Option<&'static str>);

fn series(kind: EventKind) -> Series {
    let name = match kind {
        EventKind::SignedIn => "countersign_sign_ins_total",
        EventKind::SignInRefused { .. } => "countersign_sign_ins_refused_total",
        EventKind::SignInFailed => "countersign_sign_ins_failed_total",
        EventKind::SignedOut => {
            let reason = Some(EndedReason::Logout.as_str());
            return ("countersign_sessions_ended_total", reason);
        }
        EventKind::LogoutIneffective { .. } => "countersign_logouts_ineffective_total",
        EventKind::Ended { .. } => "countersign_sessions_ended_total",
        EventKind::LimitSet { .. } => return ("countersign_limits_set_total", None),
        EventKind::Rotated => "countersign_rotations_total",
        EventKind::Reauthenticated => "countersign_reauthentications_total",
        EventKind::CookieRejected { .. } => "countersign_cookies_rejected_total",
        EventKind::AccountRefused => "countersign_accounts_refused_total",
        EventKind::PermissionMissing => "countersign_permissions_missing_total",
        EventKind::AuthorizationRefused => "countersign_authorizations_refused_total",
        EventKind::CrossSiteRefused => "countersign_cross_site_requests_refused_total",
        EventKind::NotVerified { .. } => "countersign_verifications_failed_total",
        EventKind::StoreUnavailable => "countersign_store_outages_total",
        // The outage was counted when it began.
        EventKind::StoreAvailable { .. } => "",
        EventKind::ConnectionDiscarded { .. } => "countersign_connections_discarded_total",
        EventKind::EventsDropped => "countersign_events_dropped_total",
    };
    (name, kind.reason())
}

/// All of them are registered at the start, so that each exists with the value zero.
fn event_counters() -> impl Iterator<Item = Series> {
    let plain = [
        EventKind::SignedIn,
        EventKind::SignInFailed,
        EventKind::SignedOut,
        EventKind::LimitSet { max: None },
        EventKind::Rotated,
        EventKind::Reauthenticated,
        EventKind::AccountRefused,
        EventKind::PermissionMissing,
        EventKind::AuthorizationRefused,
        EventKind::CrossSiteRefused,
        EventKind::StoreUnavailable,
        EventKind::EventsDropped,
    ];
    let refusals = [
        SignInRefusal::LimitReached { max: 0 },
        SignInRefusal::AccountRefused,
        SignInRefusal::Lapsed,
        SignInRefusal::Acting,
    ];
    let endings = [
        EndedReason::Revoked,
        EndedReason::Limit,
        EndedReason::Replaced,
        EndedReason::Expired,
        EndedReason::Abandoned,
        EndedReason::StampChanged,
    ];
    let unread = [
        CookieRejection::Ambiguous,
        CookieRejection::TooLong,
        CookieRejection::Undecipherable,
        CookieRejection::UnknownVersion,
        CookieRejection::Malformed,
        CookieRejection::TwoCredentials,
    ];
    let untrue = [CookieRejection::UserMismatch, CookieRejection::UnknownToken];
    let failures = [
        NotVerified::QueueFull,
        NotVerified::TimedOut,
        NotVerified::StoreFailed,
        NotVerified::Corrupt,
        NotVerified::SourceFailed,
        NotVerified::SourceTimedOut,
    ];
    plain
        .into_iter()
        .chain(refusals.map(|why| EventKind::SignInRefused { why }))
        .chain(endings.map(|reason| EventKind::Ended { reason }))
        .chain(unread.map(|why| EventKind::LogoutIneffective { why }))
        .chain(unread.map(|why| EventKind::CookieRejected { why }))
        .chain(untrue.map(|why| EventKind::CookieRejected { why }))
        .chain(failures.map(|why| EventKind::NotVerified { why }))
        .chain(ConnectionDiscard::ALL.map(|why| EventKind::ConnectionDiscarded { why }))
        .map(series)
}
