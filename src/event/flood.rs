//! Limits how often an event is reported, so that events which clients or faults cause in bulk do not drown the others.
// docs/decisions/39-floods-are-summed-up.md

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::EventKind;

/// How many events of a kind are reported one by one within a period.
pub(super) const ONE_BY_ONE: u32 = 10;
pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// Whether an event is reported now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Yes. `behind` earlier events were held back and are in no summary yet.
    Told { behind: u64 },
    /// No: it is counted, as the first one. The caller must report the summary when the period is over.
    FirstHeldBack,
    /// No: it is counted, and its summary is already due.
    HeldBack,
}

#[derive(Debug, Default)]
pub(super) struct Flood(Mutex<HashMap<EventKind, Period>>);

#[derive(Debug)]
struct Period {
    began: Instant,
    told: u32,
    behind: u64,
}

impl Flood {
    pub(super) fn turn(&self, kind: EventKind) -> Turn {
        self.turn_at(kind, Instant::now())
    }

    fn turn_at(&self, kind: EventKind, now: Instant) -> Turn {
        let mut periods = self.lock();
        let period = periods.entry(kind).or_insert(Period {
            began: now,
            told: 0,
            behind: 0,
        });
        if now.duration_since(period.began) >= PERIOD {
            (period.began, period.told) = (now, 0);
        }
        if period.told < ONE_BY_ONE {
            period.told += 1;
            let behind = std::mem::take(&mut period.behind);
            return Turn::Told { behind };
        }
        period.behind += 1;
        match period.behind {
            1 => Turn::FirstHeldBack,
            _ => Turn::HeldBack,
        }
    }

    /// Takes the number of events of this kind that were held back.
    pub(super) fn behind(&self, kind: EventKind) -> u64 {
        self.lock()
            .get_mut(&kind)
            .map_or(0, |period| std::mem::take(&mut period.behind))
    }

    /// Takes these numbers for all kinds.
    pub(super) fn all_behind(&self) -> Vec<(EventKind, u64)> {
        self.lock()
            .iter_mut()
            .map(|(kind, period)| (*kind, std::mem::take(&mut period.behind)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EventKind, Period>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: EventKind = EventKind::AccountRefused;

    fn told(flood: &Flood, kind: EventKind, at: Instant) -> bool {
        matches!(flood.turn_at(kind, at), Turn::Told { .. })
    }

    #[test]
    fn a_few_are_told_and_the_others_counted_until_the_period_is_over() {
        let (flood, start) = (Flood::default(), Instant::now());
        for _ in 0..ONE_BY_ONE {
            assert_eq!(flood.turn_at(KIND, start), Turn::Told { behind: 0 });
        }
        let late = start + PERIOD - Duration::from_millis(1);
        assert_eq!(flood.turn_at(KIND, start), Turn::FirstHeldBack);
        assert_eq!(flood.turn_at(KIND, late), Turn::HeldBack);
        // Each kind has a period of its own.
        assert!(told(&flood, EventKind::PermissionMissing, late));
        assert_eq!(
            flood.turn_at(KIND, start + PERIOD),
            Turn::Told { behind: 2 }
        );
        assert_eq!(flood.behind(KIND), 0);
    }

    #[test]
    fn each_one_is_told_or_counted_once() {
        let (flood, start) = (Flood::default(), Instant::now());
        let mut sum = 0;
        for step in 0..1000 {
            match flood.turn_at(KIND, start + Duration::from_millis(7 * step)) {
                Turn::Told { behind } => sum += behind + 1,
                Turn::FirstHeldBack | Turn::HeldBack => {}
            }
            if step % 100 == 0 {
                sum += flood.behind(KIND);
            }
        }
        sum += flood
            .all_behind()
            .iter()
            .map(|(_, behind)| behind)
            .sum::<u64>();
        assert_eq!(sum, 1000);
    }

    #[test]
    fn the_first_event_after_a_summary_asks_for_the_next_one() {
        let (flood, now) = (Flood::default(), Instant::now());
        while told(&flood, KIND, now) {}
        assert_eq!(flood.turn_at(KIND, now), Turn::HeldBack);
        assert_eq!(flood.behind(KIND), 2);
        assert_eq!(flood.turn_at(KIND, now), Turn::FirstHeldBack);
    }
}
