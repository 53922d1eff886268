//! Long-lived connections end with their session.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use countersign::{Ended, Filter, Session};
use futures::StreamExt;
use tokio::sync::Mutex;

use crate::support::{App, Client, Database, on_every_database};

use crate::support::PATIENCE;

/// The ending of this browser's session, as a connection that stays open would await it.
pub(crate) async fn watched(app: &App, client: &Client) -> Ended {
    let slot = Arc::new(Mutex::new(None));
    let filled = slot.clone();
    let router = Router::new()
        .route(
            "/watch",
            get(async move |session: Session| {
                *filled.lock().await = Some(session.ended());
            }),
        )
        .layer(app.sessions.layer());
    client.clone().get(&router, "/watch").await;
    slot.lock().await.take().unwrap()
}

async fn reason(ended: Ended) -> &'static str {
    tokio::time::timeout(PATIENCE, ended)
        .await
        .unwrap()
        .as_str()
}

async fn quick(database: &Database) -> App {
    App::with(database, |builder| {
        builder.watch_interval(Duration::from_millis(100))
    })
    .await
}

on_every_database! {
    async fn an_ending_in_this_process_is_noticed_without_waiting_for_the_next_round(database: Database) {
        let an_hour = Duration::from_secs(3600);
        let app = App::with(&database, |builder| builder.watch_interval(an_hour)).await;
        let (alice, bob, carol) = (app.signed_in("2").await, app.signed_in("3").await, app.signed_in("1").await);
        let (revoked, signed_out) = (watched(&app, &alice).await, watched(&app, &bob).await);
        let (replaced, mut goes_on) = (watched(&app, &carol).await, watched(&app, &app.signed_in("1").await).await);

        app.sessions.revoke_user(2, "test").await.unwrap();
        assert_eq!(reason(revoked).await, "revoked");
        bob.clone().post(&app.router, "/logout").await;
        assert_eq!(reason(signed_out).await, "logout");
        app.login(&mut carol.clone(), "1").await;
        assert_eq!(reason(replaced).await, "replaced");
        assert!(futures::poll!(&mut goes_on).is_pending());
    }

    async fn a_new_token_is_nothing_to_a_stream(database: Database) {
        let app = quick(&database).await;
        let mut alice = app.signed_in("2").await;
        let mut goes_on = watched(&app, &alice).await;
        let before = alice.session_cookie().map(str::to_owned);
        alice.post(&app.router, "/rotate").await;
        assert_ne!(alice.session_cookie(), before.as_deref());
        // An ending that only a round finds: a round has looked at both.
        let ended = watched(&app, &app.signed_in("3").await).await;
        database.execute("DELETE FROM countersign_sessions WHERE user_id = '3'").await;
        assert_eq!(reason(ended).await, "expired");
        assert!(futures::poll!(&mut goes_on).is_pending());
        alice.post(&app.router, "/logout").await;
        assert_eq!(reason(goes_on).await, "logout");
    }

    async fn an_ending_on_another_node_or_by_hand_is_noticed_in_the_next_round(database: Database) {
        let app = quick(&database).await;
        let other = App::new(&database).await;
        for (end, expected) in [
            ("revoke", "revoked"),
            ("UPDATE users SET disabled = TRUE WHERE id = 2", "account-refused"),
            ("UPDATE users SET disabled = FALSE WHERE id = 2", ""),
            ("DELETE FROM countersign_sessions", "expired"),
        ] {
            let client = match expected {
                "" => { database.execute(end).await; continue; }
                _ => app.signed_in("2").await,
            };
            let ended = watched(&app, &client).await;
            match end {
                "revoke" => drop(other.sessions.revoke_where(&Filter::user(2), "test").await.unwrap()),
                sql => drop(database.execute(sql).await),
            }
            assert_eq!(reason(ended).await, expected);
        }
    }

    async fn a_session_that_runs_out_ends_its_connections(database: Database) {
        let app = quick(&database).await;
        let ended = watched(&app, &app.signed_in("2").await).await;
        database.age("last_seen_at", 3600).await;
        assert_eq!(reason(ended).await, "expired");
    }

    async fn a_connection_without_a_session_has_nothing_to_end_with(database: Database) {
        let app = quick(&database).await;
        let mut anonymous = watched(&app, &Client::new()).await;
        // Long enough for another's ending to come through.
        let ended = watched(&app, &app.signed_in("2").await).await;
        app.sessions.revoke_where(&Filter::all(), "test").await.unwrap();
        assert_eq!(reason(ended).await, "revoked");
        assert!(futures::poll!(&mut anonymous).is_pending());
    }

    async fn while_the_database_is_away_nothing_ends_until_the_grace_is_over(database: Database) {
        let app = App::with(&database, |builder| {
            builder.watch_interval(Duration::from_millis(20)).watch_grace(Duration::from_millis(400))
        }).await;
        let patient = App::with(&database, |builder| builder.watch_interval(Duration::from_millis(20))).await;
        let client = app.signed_in("2").await;
        let (given_up, mut waits) = (watched(&app, &client).await, watched(&patient, &client).await);
        database.execute("ALTER TABLE users RENAME TO away").await;
        assert_eq!(reason(given_up).await, "unverifiable");
        assert!(futures::poll!(&mut waits).is_pending());
        database.execute("ALTER TABLE away RENAME TO users").await;
        database.execute("UPDATE users SET disabled = TRUE").await;
        assert_eq!(reason(waits).await, "account-refused");
    }

    async fn a_stream_sends_nothing_more_once_its_session_has_ended(database: Database) {
        let app = quick(&database).await;
        let client = app.signed_in("2").await;
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        let router = Router::new()
            .route("/stream", get(async move |session: Session| {
                *filled.lock().await = Some(session.until_ended(futures::stream::repeat(1)));
            }))
            .layer(app.sessions.layer());
        client.clone().get(&router, "/stream").await;
        let mut stream = slot.lock().await.take().unwrap();
        assert_eq!(stream.next().await, Some(1));

        let watch = watched(&app, &client).await;
        app.sessions.revoke_user(2, "test").await.unwrap();
        reason(watch).await;
        assert_eq!(stream.next().await, None);
        assert_eq!(stream.next().await, None);
    }

    async fn a_row_that_cannot_be_read_harms_no_other_connection(database: Database) {
        let app = quick(&database).await;
        let (alice, bob, carol) = (app.signed_in("2").await, app.signed_in("3").await, app.signed_in("1").await);
        let (corrupt, ended) = (watched(&app, &alice).await, watched(&app, &bob).await);
        let mut goes_on = watched(&app, &carol).await;
        database.execute("UPDATE countersign_sessions SET user_id = 'nobody' WHERE user_id = '2'").await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 3").await;
        assert_eq!(reason(ended).await, "account-refused");
        // PostgreSQL refuses to read the id as a number; the others read another user's.
        assert!(matches!(reason(corrupt).await, "unverifiable" | "account-refused"));
        assert!(futures::poll!(&mut goes_on).is_pending());
    }

    async fn a_connection_that_is_opened_after_signing_out_ends_at_once(database: Database) {
        let app = quick(&database).await;
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        let router = Router::new()
            .route("/out", get(async move |session: Session| {
                session.logout().await.unwrap();
                *filled.lock().await = Some(session.ended());
            }))
            .layer(app.sessions.layer());
        app.signed_in("2").await.get(&router, "/out").await;
        let ended = slot.lock().await.take().unwrap();
        assert_eq!(reason(ended).await, "logout");
    }
}
