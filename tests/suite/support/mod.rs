//! What all tests use: databases, an application, a client.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_code,
    reason = "several test binaries share it; none of them uses everything"
)]

pub(crate) mod app;
pub(crate) mod client;
#[cfg(feature = "admin")]
pub(crate) mod control;
pub(crate) mod counter;
pub(crate) mod database;
pub(crate) mod gate;
pub(crate) mod hooks;
pub(crate) mod heard;
#[cfg(feature = "pages")]
pub(crate) mod html;
pub(crate) mod logs;
pub(crate) mod node;
#[cfg(feature = "pages")]
pub(crate) mod pages;
pub(crate) mod people;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) mod proxy;
pub(crate) mod rows;
pub(crate) mod secret;

pub(crate) use self::{
    app::{App, KEY, router, sessions, sessions_with, usual},
    client::{Answer, Client},
    database::{Database, Pool, eventually},
    gate::Gate,
};

/// Makes one test per database out of one function: `on_every_database! { async fn name(database: Database) { … } }`.
///
/// Each runs on a runtime of several threads, as servers do.
macro_rules! on_every_database {
    ($( $(#[$attribute:meta])* async fn $name:ident($database:ident: Database) $body:block )+) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn run($database: $crate::support::Database) $body

                #[cfg(feature = "sqlite")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    run($crate::support::Database::sqlite().await).await;
                }

                #[cfg(feature = "postgres")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    run($crate::support::Database::postgres().await).await;
                }

                #[cfg(feature = "mysql")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn mysql() {
                    run($crate::support::Database::mysql().await).await;
                }
            }
        )+
    };
}
pub(crate) use on_every_database;

/// The same for every database with a server.
macro_rules! on_every_server {
    ($( async fn $name:ident($database:ident: Database) $body:block )+) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn run($database: $crate::support::Database) $body

                #[cfg(feature = "postgres")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    run($crate::support::Database::postgres().await).await;
                }

                #[cfg(feature = "mysql")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn mysql() {
                    run($crate::support::Database::mysql().await).await;
                }
            }
        )+
    };
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) use on_every_server;
