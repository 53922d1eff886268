//! What all tests use: databases, an application, a client.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_code,
    reason = "several test binaries share it; none of them uses everything"
)]

pub mod app;
pub mod client;
#[cfg(feature = "admin")]
pub mod control;
pub mod counter;
pub mod database;
pub mod gate;
pub mod heard;
pub mod hooks;
#[cfg(feature = "pages")]
pub mod html;
pub mod logs;
pub mod node;
#[cfg(feature = "pages")]
pub mod pages;
pub mod people;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod proxy;
pub mod rows;
pub mod secret;

pub use self::{
    app::{App, KEY, router, sessions, sessions_with, usual},
    client::{Answer, Client},
    database::{Database, PATIENCE, Pool, eventually},
    gate::Gate,
};

/// Makes one test per database out of one function: `on_every_database! { async fn name(database: Database) { … } }`.
///
/// Each runs on a runtime of several threads, as servers do.
#[macro_export]
macro_rules! on_every_database {
    ($( $(#[$attribute:meta])* async fn $name:ident($database:ident: Database) $body:block )+) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn run($database: $crate::Database) $body

                #[cfg(feature = "sqlite")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    run($crate::Database::sqlite().await).await;
                }

                #[cfg(feature = "postgres")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    run($crate::Database::postgres().await).await;
                }

                #[cfg(feature = "mysql")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn mysql() {
                    run($crate::Database::mysql().await).await;
                }
            }
        )+
    };
}

/// The same for every database with a server.
#[macro_export]
macro_rules! on_every_server {
    ($( async fn $name:ident($database:ident: Database) $body:block )+) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn run($database: $crate::Database) $body

                #[cfg(feature = "postgres")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    run($crate::Database::postgres().await).await;
                }

                #[cfg(feature = "mysql")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn mysql() {
                    run($crate::Database::mysql().await).await;
                }
            }
        )+
    };
}
