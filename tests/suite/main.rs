//! What countersign promises, through a real router, a real database and a real cookie jar.
//!
//! Every test is written once and runs on every database that is built in: SQLite by default, PostgreSQL and MariaDB
//! with the features of their names, against the servers that `scripts/with-servers` provides. A module per promise.

// What clippy.toml grants to test functions, their helpers and macros want as well: to stop at the first surprise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

mod cancellation;
mod grants;
mod lifecycle;
mod limits;
mod linearizability;
mod listing;
mod model;
mod revocation;
mod rotation;
mod streams;
mod sweeping;
mod timeouts;
