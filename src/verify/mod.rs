//! Asking the database on behalf of requests: the coalescing verifier, and the touches that are written behind.

mod lanes;
mod outage;
mod touch;
mod watch;

pub(crate) use self::{
    lanes::{LaneLimits, Verifier},
    touch::Touches,
    watch::{Watch, WatchTimings, Watchers},
};
