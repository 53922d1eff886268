//! The meter without the feature `metrics`: it measures nothing.

use super::Outcome;
use crate::{error::Error, event::EventKind, store::Swept};

#[derive(Clone, Debug)]
pub(crate) struct Meter;

/// When a measurement began: nothing here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started;

impl Meter {
    pub(crate) fn new(_realm: &str) -> Self {
        Self
    }

    pub(crate) fn started(&self) -> Started {
        Started
    }

    pub(crate) fn verified(&self, _: Outcome, _: Started) {}

    pub(crate) fn asked_for(&self, _sessions: usize) {}

    pub(crate) fn queued(&self, _requests: usize) {}

    pub(crate) fn touched(&self, _sessions: u64) {}

    pub(crate) fn touches_missed(&self, _sessions: usize) {}

    pub(crate) fn swept<T>(&self, _: &Swept, _: &Result<T, Error>) {}

    pub(in crate::event) fn event(&self, _: EventKind, _count: u64) {}
}
