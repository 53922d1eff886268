//! Asking the database on behalf of requests: the coalescing verifier, and the touches that are written behind.

mod lanes;
mod touch;

pub(crate) use self::{
    lanes::{LaneLimits, Verifier},
    touch::Touches,
};
