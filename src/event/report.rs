//! The one place that reports events.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use tokio::runtime::Handle;

use super::{
    Event, EventKind,
    flood::{Flood, PERIOD, Turn},
    hook::Hook,
    line,
    meter::Meter,
};

/// Reports events to all receivers. Clones share the receivers.
#[derive(Clone)]
pub(crate) struct Events(Arc<Shared>);

struct Shared {
    realm: Arc<str>,
    hook: Option<Hook>,
    flood: Flood,
    meter: Meter,
}

impl Events {
    pub(crate) fn new(realm: Arc<str>, hook: Option<Hook>, meter: Meter) -> Self {
        Self(Arc::new(Shared {
            realm,
            hook,
            flood: Flood::default(),
            meter,
        }))
    }

    /// For measurements that are not events.
    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Reports to the log, the hook and the counters. Never waits.
    pub(crate) fn report(&self, event: Event) {
        self.0.report(event);
    }

    /// [`report`](Self::report)s an event that can happen any number of times a second. The first few are reported one
    /// by one, with their details. The others become one event with their number.
    pub(crate) fn report_often(&self, kind: EventKind, describe: impl FnOnce(Event) -> Event) {
        match self.0.flood.turn(kind) {
            Turn::Told { behind } => {
                self.0.sum_up(kind, behind);
                self.report(describe(Event::new(kind)));
            }
            Turn::FirstHeldBack => self.sum_up_later(kind),
            Turn::HeldBack => {}
        }
    }

    /// Reports the pending summaries and delivers queued events, within a bounded time.
    pub(crate) async fn close(&self) {
        for (kind, behind) in self.0.flood.all_behind() {
            self.0.sum_up(kind, behind);
        }
        if let Some(hook) = &self.0.hook {
            hook.drained().await;
        }
    }

    fn sum_up_later(&self, kind: EventKind) {
        // Without a runtime, the next event of this kind or `close` reports the summary.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let shared = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            tokio::time::sleep(PERIOD).await;
            // If the application has dropped its handles, there are no receivers left.
            if let Some(shared) = Weak::upgrade(&shared) {
                let behind = shared.flood.behind(kind);
                shared.sum_up(kind, behind);
            }
        });
    }
}

impl Shared {
    fn report(&self, event: Event) {
        let event = event.in_realm(&self.realm);
        self.meter.event(event.kind, event.count);
        line::write(&event);
        if let Some(hook) = &self.hook {
            hook.hand_over(event);
        }
    }

    fn sum_up(&self, kind: EventKind, behind: u64) {
        if behind > 0 {
            self.report(Event::new(kind).count(behind));
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Events").finish_non_exhaustive()
    }
}
