//! Tests of what cannot be seen from outside: the statements' plans, and walks that run out of time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod bounds;
mod explain;
mod plans;
mod table;
mod walks;
