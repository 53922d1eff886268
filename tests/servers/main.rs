//! What takes a server of its own: replicas, poolers, servers that are set up so that sessions cannot work.
//!
//! They run on free loopback ports in temporary folders, and end with their tests. A program that is missing fails its
//! test, which says the package that has it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ::support;

mod mariadb;
mod pgbouncer;
mod postgres;
mod process;

mod locks;
mod pooler;
mod replicas;
mod settings;
