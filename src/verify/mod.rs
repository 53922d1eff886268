//! Asking the database on behalf of requests: the coalescing verifier, and the touches that are written behind.

mod lane;
mod outage;
mod places;
mod question;
mod queue;
mod round;
mod suspects;
mod touch;
mod watch;

pub(crate) use self::{
    queue::{LaneLimits, Unanswered, Verifier},
    touch::Touches,
    watch::{Watch, WatchTimings, Watchers},
};
