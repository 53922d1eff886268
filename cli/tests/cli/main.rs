//! The command line as people and scripts run it: the program itself, on each database, beside a real application.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(unused_imports, reason = "some of it is about one database alone")
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ::support;

mod api;
mod ending;
mod failing;
mod hostile;
mod keeping;
mod looking;
mod program;
mod realms;
#[cfg(unix)]
mod terminals;
