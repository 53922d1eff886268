//! The sweeper writes down what has run out and forgets what ended long ago, come what may.

use std::time::Duration;

use countersign::{EndedReason, Filter, SessionState, Swept, uuid::Uuid};

use crate::support::{App, Database, eventually, on_every_database};

const DAY: u64 = 24 * 60 * 60;

/// Sessions of long ago that nobody has marked as ended.
async fn leave_behind(database: &Database, number: usize) {
    let rows = (0..number).map(|_| {
        let id = Uuid::now_v7();
        let hash = format!("{0}{0}", id.simple());
        let hash = match &database.pool {
            #[cfg(feature = "postgres")]
            crate::support::Pool::Postgres(_) => format!("'\\x{hash}'::bytea"),
            #[allow(unreachable_patterns)]
            _ => format!("X'{hash}'"),
        };
        let then = "'2020-01-01 00:00:00.000'";
        format!(
            "('default', '{id}', '2', {hash}, {then}, {then}, {then}, '2020-01-31 00:00:00.000')"
        )
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    database
        .execute(&format!(
            "INSERT INTO countersign_sessions (realm, id, user_id, token_hash, created_at, authenticated_at, \
             last_seen_at, expires_at) VALUES {rows}"
        ))
        .await;
}

async fn rows(database: &Database) -> i64 {
    database
        .count("SELECT count(*) FROM countersign_sessions")
        .await
}

fn did(swept: Swept) -> (u64, u64, u64) {
    (swept.expired, swept.lapsed, swept.deleted)
}

on_every_database! {
    async fn what_has_run_out_is_marked_with_the_moment_when_it_did(database: Database) {
        let app = App::new(&database).await;
        let idle = app.signed_in("2").await;
        database.age("last_seen_at", 31 * 60).await;
        let live = app.signed_in("3").await;
        let before = app.sessions.list(&Filter::user(2), countersign::Page::first(1)).await.unwrap();
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (1, 0, 0));
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (0, 0, 0));

        let after = app.sessions.list(&Filter::user(2), countersign::Page::first(1)).await.unwrap();
        assert_eq!(before, after);
        let info = &after.sessions[0];
        assert_eq!((info.state, info.ended_reason), (SessionState::Ended, Some(EndedReason::Expired)));
        assert_eq!((info.ended_at, &info.ended_by), (Some(info.last_seen_at + Duration::from_secs(30 * 60)), &None));
        assert_eq!(app.who(&idle).await, "anonymous expired");
        assert_eq!(app.who(&live).await, "3");

        database.age("expires_at", 31 * DAY).await;
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (1, 0, 0));
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions WHERE ended_reason = 'expired'").await, 2);
    }

    async fn reservations_that_lapsed_are_deleted_and_no_others(database: Database) {
        let app = App::new(&database).await;
        app.signed_in("2").await;
        database.execute("UPDATE countersign_sessions SET reserved_until = expires_at").await;
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (0, 0, 0));
        database.execute("UPDATE countersign_sessions SET reserved_until = created_at").await;
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (0, 1, 0));
        assert_eq!(rows(&database).await, 0);
    }

    async fn what_ended_is_kept_for_the_retention_period(database: Database) {
        let app = App::new(&database).await;
        let live = app.signed_in("3").await;
        let mut client = app.signed_in("2").await;
        client.post(&app.router, "/logout").await;
        database.age("ended_at", 30 * DAY - 60).await;
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (0, 0, 0));
        database.age("ended_at", 60).await;
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (0, 0, 1));
        assert_eq!(rows(&database).await, 1);
        assert_eq!(app.who(&live).await, "3");
    }

    async fn any_number_is_swept_batch_by_batch(database: Database) {
        let app = App::new(&database).await;
        let live = app.signed_in("2").await;
        leave_behind(&database, 700).await;
        assert_eq!(did(app.sessions.sweep().await.unwrap()), (700, 0, 700));
        assert_eq!(rows(&database).await, 1);
        assert_eq!(app.who(&live).await, "2");
    }

    async fn two_nodes_may_sweep_at_once(database: Database) {
        let app = App::with(&database, |builder| builder.retention(Duration::from_secs(3650 * DAY))).await;
        let other = App::beside(&database, |builder| builder.retention(Duration::from_secs(3650 * DAY))).await;
        leave_behind(&database, 300).await;
        let (one, two) = tokio::join!(app.sessions.sweep(), other.sessions.sweep());
        let again = app.sessions.sweep().await.unwrap().expired;
        assert_eq!(one.unwrap().expired + two.unwrap().expired + again, 300);
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL").await, 0);
    }

    async fn the_sweeper_survives_errors_and_stops_when_dropped(database: Database) {
        let app = App::new(&database).await;
        let live = app.signed_in("2").await;
        leave_behind(&database, 3).await;
        database.execute("ALTER TABLE countersign_sessions RENAME TO elsewhere").await;
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let sweeper = app.sessions.spawn_sweeper(Duration::from_millis(5));
        for _ in 0..50 {
            assert!(app.sessions.sweep().await.is_err());
        }
        database.execute("ALTER TABLE elsewhere RENAME TO countersign_sessions").await;
        eventually("the sweeper sweeps", || async { rows(&database).await == 1 }).await;
        leave_behind(&database, 3).await;
        eventually("the sweeper sweeps again", || async { rows(&database).await == 1 }).await;
        assert_eq!(app.who(&live).await, "2");

        let running = tasks();
        drop(sweeper);
        eventually("the sweeper has stopped", || async { tasks() < running }).await;
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_row_that_says_nothing_keeps_no_other_from_being_swept() {
    let database = Database::sqlite().await;
    let app = App::new(&database).await;
    app.signed_in("2").await;
    database
        .execute("UPDATE countersign_sessions SET last_seen_at = ''")
        .await;
    leave_behind(&database, 3).await;
    let before = rows(&database).await;
    app.sessions.sweep().await.unwrap();
    assert!(rows(&database).await < before);
    assert_eq!(database.live().await, 0);
}
