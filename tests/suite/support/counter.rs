//! Statements, counted by what sqlx logs.
//!
//! For test binaries of their own, as it listens to the logs of the whole process; so their tests take turns.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

static STATEMENTS: AtomicU64 = AtomicU64::new(0);
static ABOUT_SESSIONS: AtomicU64 = AtomicU64::new(0);
static MISSED_ROUNDS: AtomicU64 = AtomicU64::new(0);
static COUNTING: LazyLock<()> =
    LazyLock::new(|| tracing::subscriber::set_global_default(Counter).unwrap());
pub static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const QUERY: &str = "sqlx::query";
const WATCH: &str = "countersign::verify::watch";

/// sqlx logs each statement once, when it is done.
struct Counter;

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        matches!(metadata.target(), QUERY | WATCH)
    }

    fn event(&self, event: &Event<'_>) {
        if event.metadata().target() != QUERY {
            MISSED_ROUNDS.fetch_add(1, Ordering::SeqCst);
            return;
        }
        STATEMENTS.fetch_add(1, Ordering::SeqCst);
        let mut names = NamesSessions(false);
        event.record(&mut names);
        if names.0 {
            ABOUT_SESSIONS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Whether a statement speaks of the table of sessions. Those with which a connection begins do not.
struct NamesSessions(bool);

impl Visit for NamesSessions {
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        self.0 |= format!("{value:?}").contains("countersign_sessions");
    }
}

/// How many statements were done since the first question.
pub fn statements() -> u64 {
    LazyLock::force(&COUNTING);
    STATEMENTS.load(Ordering::SeqCst)
}

/// How many of them speak of sessions: all but what a connection begins with, whenever one is opened.
pub fn about_sessions() -> u64 {
    LazyLock::force(&COUNTING);
    ABOUT_SESSIONS.load(Ordering::SeqCst)
}

/// How often watched sessions could not be verified since the first question.
pub fn missed_rounds() -> u64 {
    LazyLock::force(&COUNTING);
    MISSED_ROUNDS.load(Ordering::SeqCst)
}

/// The statements that were sent meanwhile, and what came out.
pub async fn counted<T>(work: impl Future<Output = T>) -> (u64, T) {
    let before = statements();
    let result = work.await;
    (statements() - before, result)
}

/// On every database, one test after the other: making a database takes statements too.
#[macro_export]
macro_rules! on_every_database_in_turn {
    ($( async fn $name:ident($database:ident: Database) $body:block )+) => {
        $(
            mod $name {
                use super::*;

                async fn run($database: $crate::Database) $body

                #[cfg(feature = "sqlite")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    let _turn = $crate::counter::TURN.lock().await;
                    run($crate::Database::sqlite().await).await;
                }

                #[cfg(feature = "postgres")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    let _turn = $crate::counter::TURN.lock().await;
                    run($crate::Database::postgres().await).await;
                }

                #[cfg(feature = "mysql")]
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn mysql() {
                    let _turn = $crate::counter::TURN.lock().await;
                    run($crate::Database::mysql().await).await;
                }
            }
        )+
    };
}
