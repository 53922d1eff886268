//! What countersign promises, through a real router, a real database and a real cookie jar.
//!
//! Every test is written once and runs on every database that is built in: SQLite by default, PostgreSQL and MariaDB
//! with the features of their names, against the servers that `scripts/with-servers` provides. A module per promise.

mod support;

mod addresses;
mod application_sql;
mod configuration;
mod cookies;
mod faults;
mod guards;
mod hostile_cookies;
mod keys;
mod lifecycle;
mod migrations;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod network;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod processes;
