//! Sessions run out: when nobody comes for too long, and in any case some day.

use std::time::Duration;

use countersign::{EndedReason, Filter, Page, SessionState, time::OffsetDateTime, uuid::Uuid};
use futures::future::join_all;

use crate::support::{App, Client, on_every_database, rows::NewRow};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

async fn signed_in_as(app: &App, user: &str) -> (Client, Uuid) {
    let mut client = Client::new();
    let id = app.login(&mut client, user).await.body.parse().unwrap();
    (client, id)
}

async fn last_seen(app: &App, id: Uuid) -> OffsetDateTime {
    app.sessions.get(id).await.unwrap().unwrap().last_seen_at
}

on_every_database! {
    async fn a_session_that_nobody_uses_runs_out(database: Database) {
        let app = App::new(&database).await;
        let (client, id) = signed_in_as(&app, "2").await;
        database.age("last_seen_at", 29 * MINUTE).await;
        assert_eq!(app.who(&client).await, "2");
        // That request was written down: half an hour from now on.
        app.sessions.close().await;
        database.age("last_seen_at", 29 * MINUTE).await;
        assert_eq!(app.who(&client).await, "2");
        app.sessions.close().await;

        database.age("last_seen_at", 30 * MINUTE).await;
        assert_eq!(app.who(&client).await, "anonymous expired");
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!((info.state, info.ended_reason), (SessionState::Ended, Some(EndedReason::Expired)));
        assert_eq!(info.ended_at, Some(info.last_seen_at + Duration::from_secs(30 * MINUTE)));
    }

    async fn a_session_that_is_used_all_the_time_runs_out_as_well(database: Database) {
        let app = App::new(&database).await;
        let mut client = Client::new();
        let id = client.post(&app.router, "/remember/2").await.body.parse().unwrap();
        database.age("expires_at", 30 * DAY - MINUTE).await;
        assert_eq!(app.who(&client).await, "2");
        client.post(&app.router, "/rotate").await;
        client.post(&app.router, "/reauthenticated").await;
        database.age("expires_at", MINUTE).await;
        assert_eq!(app.who(&client).await, "anonymous expired");
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!((info.state, info.ended_at), (SessionState::Ended, Some(info.expires_at)));
    }

    async fn a_remembered_session_may_be_idle_for_longer(database: Database) {
        let minutes = |number| Duration::from_secs(number * MINUTE);
        let app = App::with(&database, |builder| {
            builder.idle_timeout(minutes(5)).remembered_idle_timeout(minutes(60))
        }).await;
        let (plain, _) = signed_in_as(&app, "2").await;
        let mut kept = Client::new();
        let id = kept.post(&app.router, "/remember/3").await.body.parse().unwrap();
        database.age("last_seen_at", 6 * MINUTE).await;
        assert_eq!(app.who(&plain).await, "anonymous expired");
        assert_eq!(app.who(&kept).await, "3");
        // A rotation keeps the session what it is.
        kept.post(&app.router, "/rotate").await;
        app.sessions.close().await;
        database.age("last_seen_at", 59 * MINUTE).await;
        let live = app.sessions.list(&Filter::all().state(SessionState::Live), Page::first(9)).await.unwrap();
        assert_eq!(live.sessions.iter().map(|session| (session.id, session.remembered)).collect::<Vec<_>>(), [(id, true)]);
        assert_eq!(app.sessions.sweep_dry_run().await.unwrap().expired, 1);
        assert_eq!(app.sessions.sweep().await.unwrap().expired, 1);

        database.age("last_seen_at", 2 * MINUTE).await;
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!((info.state, info.ended_reason), (SessionState::Ended, Some(EndedReason::Expired)));
        assert_eq!(info.ended_at, Some(info.last_seen_at + minutes(60)));
        assert_eq!(app.who(&kept).await, "anonymous expired");
        assert_eq!(app.sessions.sweep_dry_run().await.unwrap().expired, 1);
        assert_eq!(app.sessions.sweep().await.unwrap().expired, 1);
    }

    async fn those_that_may_be_idle_for_longer_hide_none_from_the_sweeper(database: Database) {
        let minutes = |number| Duration::from_secs(number * MINUTE);
        let app = App::with(&database, |builder| {
            builder.idle_timeout(minutes(5)).remembered_idle_timeout(minutes(60))
        }).await;
        // More than one batch of each, and the remembered ones are the oldest.
        let insert = async |user: &str, remembered: &str, age: i64| {
            let rows: Vec<_> = (0..600).map(|_| NewRow::live(user)).collect();
            database.insert(&rows).await;
            let seen = database.ago(age);
            database.execute(&format!(
                "UPDATE countersign_sessions SET last_seen_at = {seen}, remembered = {remembered} WHERE user_id = '{user}'"
            )).await;
        };
        insert("2", "TRUE", 50 * 60).await;
        insert("3", "FALSE", 10 * 60).await;
        assert_eq!(app.sessions.sweep_dry_run().await.unwrap().expired, 600);
        assert_eq!(app.sessions.sweep().await.unwrap().expired, 600);
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions WHERE user_id = '2' AND ended_at IS NULL").await, 600);
    }

    async fn both_timeouts_are_what_they_were_configured_to_be(database: Database) {
        let minutes = |number| Duration::from_secs(number * MINUTE);
        let app = App::with(&database, |builder| builder.idle_timeout(minutes(5)).absolute_timeout(minutes(60))).await;
        let (client, id) = signed_in_as(&app, "2").await;
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!(info.expires_at - info.created_at, minutes(60));
        for _ in 0..3 {
            database.age("last_seen_at", 4 * MINUTE).await;
            database.age("expires_at", 4 * MINUTE).await;
            assert_eq!(app.who(&client).await, "2");
            app.sessions.close().await;
        }
        let (idle, _) = signed_in_as(&app, "3").await;
        database.age("last_seen_at", 5 * MINUTE).await;
        assert_eq!(app.who(&idle).await, "anonymous expired");
        assert_eq!(app.who(&client).await, "anonymous expired");
        let (overdue, _) = signed_in_as(&app, "3").await;
        database.age("expires_at", 60 * MINUTE).await;
        assert_eq!(app.who(&overdue).await, "anonymous expired");
    }

    async fn a_session_that_has_run_out_cannot_be_used_to_live_longer(database: Database) {
        let app = App::with(&database, |builder| builder.touch_interval(Duration::ZERO)).await;
        let (client, id) = signed_in_as(&app, "2").await;
        database.age("last_seen_at", 31 * MINUTE).await;
        let before = last_seen(&app, id).await;
        for path in ["/rotate", "/reauthenticated", "/logout/500"] {
            client.clone().post(&app.router, path).await;
        }
        assert!(app.who(&client).await.starts_with("anonymous"));
        app.sessions.close().await;
        assert_eq!(last_seen(&app, id).await, before);

        // Nor by a touch that was due in time and came late.
        let (late, id) = signed_in_as(&app, "3").await;
        assert_eq!(app.who(&late).await, "3");
        database.age("last_seen_at", 31 * MINUTE).await;
        let before = last_seen(&app, id).await;
        app.sessions.close().await;
        assert_eq!(last_seen(&app, id).await, before);
        assert_eq!(app.who(&late).await, "anonymous expired");
    }

    async fn a_session_is_written_down_as_seen_once_per_interval(database: Database) {
        let app = App::new(&database).await;
        let (client, id) = signed_in_as(&app, "2").await;
        let signed_in = last_seen(&app, id).await;
        for _ in 0..5 {
            assert_eq!(app.who(&client).await, "2");
            app.sessions.close().await;
        }
        assert_eq!(last_seen(&app, id).await, signed_in);

        database.age("last_seen_at", MINUTE).await;
        let aged = last_seen(&app, id).await;
        join_all((0..16).map(|_| app.who(&client))).await;
        app.sessions.close().await;
        let seen = last_seen(&app, id).await;
        assert!(seen >= signed_in && seen > aged, "{signed_in} {aged} {seen}");
        for _ in 0..5 {
            assert_eq!(app.who(&client).await, "2");
            app.sessions.close().await;
        }
        assert_eq!(last_seen(&app, id).await, seen);
        assert_eq!(app.sessions.missed_touches(), 0);
    }

    async fn many_sessions_are_written_down_together(database: Database) {
        let app = App::new(&database).await;
        let mut clients = Vec::new();
        for _ in 0..40 {
            clients.push(app.signed_in("2").await);
        }
        database.age("last_seen_at", 10 * MINUTE).await;
        join_all(clients.iter().map(|client| app.who(client))).await;
        app.sessions.close().await;
        let moments = database.count("SELECT count(DISTINCT last_seen_at) FROM countersign_sessions").await;
        assert!(moments < 30, "{moments} statements for 40 sessions");
        database.age("last_seen_at", 29 * MINUTE).await;
        for client in &clients {
            assert_eq!(app.who(client).await, "2");
        }
    }

    async fn a_session_that_could_not_be_written_down_as_seen_is_counted_and_goes_on(database: Database) {
        let app = App::with(&database, |builder| builder.touch_interval(Duration::ZERO)).await;
        let (client, _) = signed_in_as(&app, "2").await;
        assert_eq!(app.who(&client).await, "2");
        database.execute("ALTER TABLE countersign_sessions RENAME TO elsewhere").await;
        app.sessions.close().await;
        database.execute("ALTER TABLE elsewhere RENAME TO countersign_sessions").await;
        assert_eq!(app.sessions.missed_touches(), 1);
        assert_eq!(app.who(&client).await, "2");
    }
}
