//! What countersign promises, through a real router, a real database and a real cookie jar.
//!
//! Every test is written once and runs on every database that is built in: SQLite by default, PostgreSQL and MariaDB
//! with the features of their names, against the servers that `scripts/with-servers` provides. A module per promise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(unused_imports, reason = "some tests are about one database alone")
)]

use ::support;

#[cfg(feature = "admin")]
mod account;
mod acting;
mod addresses;
#[cfg(feature = "admin")]
mod admin;
#[cfg(feature = "admin")]
mod admin_endings;
mod application_sql;
mod bearer;
mod browsers;
mod cancellation;
mod clocks;
mod configuration;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod connections;
mod cookies;
#[cfg(feature = "admin")]
mod cross_site;
#[cfg(feature = "mysql")]
mod cut_answers;
#[cfg(feature = "pages")]
mod devices;
#[cfg(feature = "admin")]
mod display_name;
#[cfg(feature = "sqlite")]
mod embedded;
mod events;
mod faults;
mod flash;
mod grants;
mod guards;
#[cfg(feature = "admin")]
mod hostile_bodies;
mod hostile_cookies;
#[cfg(feature = "admin")]
mod hostile_headers;
#[cfg(feature = "admin")]
mod hostile_parameters;
mod keys;
mod lifecycle;
mod limits;
mod linearizability;
mod listing;
mod lone_sign_ins;
#[cfg(feature = "openapi")]
mod matrix;
#[cfg(feature = "metrics")]
mod metrics;
mod migrations;
mod model;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod network;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "pages")]
mod page_matrix;
#[cfg(feature = "admin")]
mod page_tokens;
#[cfg(feature = "pages")]
mod pages;
#[cfg(feature = "pages")]
mod pages_ending;
#[cfg(feature = "pages")]
mod pages_hostile;
#[cfg(feature = "pages")]
mod pages_made_for;
#[cfg(feature = "pages")]
mod pages_refused;
mod poison;
mod preview;
mod processes;
mod profile;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod queue;
mod realms;
mod refusals;
mod refused_accounts;
mod revocation;
mod rotation;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server_bounds;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod settings;
mod stamps;
mod starting;
mod streams;
mod sweeping;
mod temporary;
#[cfg(feature = "testing")]
mod testing;
mod timeouts;
