//! A session is bound to the account as it was at sign-in: an id that is given again, a password that is changed by SQL and
//! an account that is restored open nothing.

use std::time::Duration;

use axum::{Router, routing::post};
use countersign::{EndedReason, Key, LoginError, Session, SessionState, uuid::Uuid};
use http::StatusCode;

use super::streams::watched;
use crate::support::{
    App, Client, Database, Gate, KEY, PATIENCE, Pool, eventually, heard::Heard, on_every_database,
};

const USERS: &str = "users WHERE id = {user:int}";

async fn stamped(database: &Database) -> App {
    stamped_with(database, |builder| builder).await
}

async fn stamped_with(
    database: &Database,
    configure: impl FnOnce(countersign::SessionsBuilder) -> countersign::SessionsBuilder,
) -> App {
    database
        .execute("ALTER TABLE users ADD COLUMN stamp VARCHAR(64) DEFAULT 'first'")
        .await;
    App::with(database, |builder| {
        configure(builder.security_stamp("stamp", USERS))
    })
    .await
}

async fn set_stamp(database: &Database, user: &str, stamp: &str) {
    database
        .execute(&format!(
            "UPDATE users SET stamp = {stamp} WHERE id = {user}"
        ))
        .await;
}

async fn session_of(app: &App, client: &mut Client, user: &str) -> Uuid {
    app.login(client, user).await.body.parse().unwrap()
}

async fn assert_over(app: &App, id: Uuid) {
    let info = app.sessions.get(id).await.unwrap().unwrap();
    assert_eq!(
        (info.state, info.ended_reason, info.ended_by),
        (SessionState::Ended, Some(EndedReason::StampChanged), None)
    );
}

on_every_database! {
    async fn a_session_does_not_outlive_what_its_account_was_at_sign_in(database: Database) {
        let heard = Heard::default();
        let app = stamped_with(&database, |builder| heard.listen(builder)).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        let mut third = Client::new();
        let id = session_of(&app, &mut third, "2").await;
        assert_eq!((app.who(&alice).await, app.who(&third).await), ("2".into(), "2".into()));
        heard.told(&app).await;

        for (changed, back) in [("'second'", "'first'"), ("NULL", "'first'"), ("''", "'first'")] {
            let browser = app.signed_in("2").await;
            set_stamp(&database, "2", changed).await;
            assert_eq!(app.who(&browser).await, "anonymous stamp-changed", "{changed}");
            set_stamp(&database, "2", back).await;
            assert_eq!(app.who(&browser).await, "anonymous stamp-changed", "{changed}");
        }
        // Those that no request asked about meanwhile look as before.
        assert_eq!(app.who(&third).await, "2");
        set_stamp(&database, "2", "'second'").await;
        assert_eq!(app.who(&third).await, "anonymous stamp-changed");
        assert_over(&app, id).await;
        assert_eq!(app.who(&bob).await, "3");
        let told = heard.told(&app).await;
        assert_eq!(told.iter().filter(|line| line.starts_with("ended(stamp-changed) user=2")).count(), 4, "{told:?}");
        // And a new sign-in goes by the new one.
        assert_eq!(app.who(&app.signed_in("2").await).await, "2");
    }

    async fn an_id_that_is_given_again_belongs_to_the_new_account_alone(database: Database) {
        let app = stamped(&database).await;
        let mut bob = Client::new();
        let id = session_of(&app, &mut bob, "3").await;
        database.execute("DELETE FROM users WHERE id = 3").await;
        database.execute("INSERT INTO users (id, name, stamp) VALUES (3, 'eve', 'another')").await;
        assert_eq!(app.who(&bob).await, "anonymous stamp-changed");
        assert_over(&app, id).await;

        // An account that is gone is over for good, even where the next one has the same stamp.
        let eve = app.signed_in("3").await;
        database.execute("DELETE FROM users WHERE id = 3").await;
        assert_eq!(app.who(&eve).await, "anonymous stamp-changed");
        database.execute("INSERT INTO users (id, name, stamp) VALUES (3, 'bob', 'another')").await;
        assert_eq!(app.who(&eve).await, "anonymous stamp-changed");
    }

    async fn a_disabled_account_is_refused_and_its_sessions_go_on_when_it_is_enabled_unchanged(database: Database) {
        let app = stamped(&database).await;
        let alice = app.signed_in("2").await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 2").await;
        assert_eq!(app.who(&alice).await, "anonymous account-refused");
        database.execute("UPDATE users SET disabled = FALSE WHERE id = 2").await;
        assert_eq!(app.who(&alice).await, "2");
        database.execute("UPDATE users SET disabled = TRUE, stamp = 'second' WHERE id = 2").await;
        assert_eq!(app.who(&alice).await, "anonymous stamp-changed");
        database.execute("UPDATE users SET disabled = FALSE, stamp = 'first' WHERE id = 2").await;
        assert_eq!(app.who(&alice).await, "anonymous stamp-changed");
    }

    async fn the_sweeper_writes_down_what_no_browser_comes_to_learn(database: Database) {
        let app = stamped(&database).await;
        let (mut alice, mut bob) = (Client::new(), Client::new());
        let id = session_of(&app, &mut alice, "2").await;
        session_of(&app, &mut bob, "3").await;
        assert_eq!(app.sessions.sweep().await.unwrap().stamp_changed, 0);
        set_stamp(&database, "2", "'second'").await;
        assert_eq!(app.sessions.sweep().await.unwrap().stamp_changed, 1);
        set_stamp(&database, "2", "'first'").await;
        assert_over(&app, id).await;
        assert_eq!(app.who(&alice).await, "anonymous stamp-changed");
        assert_eq!(app.who(&bob).await, "3");
        assert_eq!(app.sessions.sweep().await.unwrap().stamp_changed, 0);
    }

    async fn users_who_change_their_own_password_stay_signed_in_in_this_browser_alone(database: Database) {
        let app = stamped(&database).await;
        let (mut here, there) = (app.signed_in("2").await, app.signed_in("2").await);
        let changing = database.pool.clone();
        let router = Router::new()
            .route("/password", post(async move |session: Session| -> Result<(), LoginError> {
                let sql = "UPDATE users SET stamp = 'second' WHERE id = 2";
                crate::support::with_pool!(&changing, pool => { sqlx::query(sql).execute(pool).await.unwrap(); });
                session.login(2).await?;
                Ok(())
            }))
            .layer(app.sessions.layer());
        let before = here.clone();
        assert_eq!(here.post(&router, "/password").await.status, StatusCode::OK);
        assert_eq!(app.who(&here).await, "2");
        assert_eq!(app.who(&there).await, "anonymous stamp-changed");
        assert_eq!(app.who(&before).await, "anonymous replaced");
    }

    async fn a_sign_in_whose_account_changes_before_it_is_real_opens_nothing(database: Database) {
        let app = stamped(&database).await;
        let gate = Gate::closed();
        let waiting = gate.clone();
        let router = Router::new()
            .route("/slow", post(async move |session: Session| -> Result<(), LoginError> {
                session.login(2).await?;
                waiting.pass().await;
                Ok(())
            }))
            .layer(app.sessions.layer());
        for (change, back) in [
            ("stamp = 'second'", "stamp = 'first'"),
            ("disabled = TRUE", "disabled = FALSE"),
        ] {
            let router = router.clone();
            let request = tokio::spawn(async move {
                let mut client = Client::new();
                client.post(&router, "/slow").await
            });
            gate.reached().await;
            database.execute(&format!("UPDATE users SET {change} WHERE id = 2")).await;
            gate.open();
            let answer = request.await.unwrap();
            assert_eq!((answer.status, answer.set_cookies()), (StatusCode::SERVICE_UNAVAILABLE, vec![]), "{change}");
            database.execute(&format!("UPDATE users SET {back} WHERE id = 2")).await;
            assert_eq!(database.live().await, 0);
        }
    }

    async fn acting_ends_with_the_stamp_of_either(database: Database) {
        let app = stamped(&database).await;
        for user in ["1", "2"] {
            let mut browser = app.signed_in("1").await;
            assert_eq!(browser.post(&app.router, "/act-as/2").await.status, StatusCode::OK);
            assert_eq!(app.who(&browser).await, "2");
            set_stamp(&database, user, "'second'").await;
            assert_eq!(app.who(&browser).await, "anonymous stamp-changed", "{user}");
            set_stamp(&database, user, "'first'").await;
            assert_eq!(app.who(&browser).await, "anonymous stamp-changed", "{user}");
        }
    }

    async fn open_connections_end_and_their_sessions_stay_ended(database: Database) {
        let app = stamped_with(&database, |builder| builder.watch_interval(Duration::from_millis(100))).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        let (ends, mut goes_on) = (watched(&app, &alice).await, watched(&app, &bob).await);
        set_stamp(&database, "2", "'second'").await;
        let reason = tokio::time::timeout(PATIENCE, ends).await.unwrap();
        assert_eq!(reason, EndedReason::StampChanged);
        assert!(futures::poll!(&mut goes_on).is_pending());
        eventually("it is written down", async || database.live().await == 1).await;
        set_stamp(&database, "2", "'first'").await;
        assert_eq!(app.who(&alice).await, "anonymous stamp-changed");
        assert_eq!(app.who(&bob).await, "3");
    }

    async fn rotating_and_proving_again_keep_it(database: Database) {
        let app = stamped(&database).await;
        let mut alice = app.signed_in("2").await;
        for path in ["/rotate", "/reauthenticated"] {
            alice.post(&app.router, path).await;
            assert_eq!(app.who(&alice).await, "2", "{path}");
        }
        set_stamp(&database, "2", "'second'").await;
        alice.clone().post(&app.router, "/reauthenticated").await;
        assert_eq!(app.who(&alice).await, "anonymous stamp-changed");
    }

    async fn a_session_from_before_there_were_stamps_counts_as_changed(database: Database) {
        let before = App::new(&database).await;
        let alice = before.signed_in("2").await;
        let app = stamped(&database).await;
        assert_eq!(app.who(&alice).await, "anonymous stamp-changed");
    }

    async fn more_than_one_stamp_of_an_account_is_not_judged(database: Database) {
        database.execute("CREATE TABLE stamps (user_id BIGINT, stamp BIGINT)").await;
        database.execute("INSERT INTO stamps VALUES (2, 1), (3, 1)").await;
        let from = "stamps WHERE user_id = {user:int}";
        let app = App::with(&database, |builder| builder.security_stamp("stamp", from)).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        database.execute("INSERT INTO stamps VALUES (2, 1)").await;
        assert_eq!(app.who(&alice).await, "unavailable");
        assert_eq!(app.who(&bob).await, "3");
        let answer = app.login(&mut Client::new(), "2").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }

    async fn keys_may_be_uuids_and_text(database: Database) {
        database.pool.migrate().await.unwrap();
        let key = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000a);
        let (uuid, literal) = match &database.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => ("BLOB", format!("x'{}'", key.simple())),
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => ("uuid", format!("'{key}'")),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => ("BINARY(16)", format!("x'{}'", key.simple())),
        };
        for (number, form, kind, literal, id) in [
            (1, "{user:uuid}", uuid, literal.as_str(), key.to_string()),
            (2, "{user:text}", "VARCHAR(64)", "'alice'", "alice".to_owned()),
        ] {
            database.execute(&format!("CREATE TABLE people{number} (id {kind} NOT NULL PRIMARY KEY, born BIGINT NOT NULL)")).await;
            let born = |born: u32| format!("INSERT INTO people{number} VALUES ({literal}, {born})");
            database.execute(&born(1)).await;
            let from = format!("people{number} p WHERE p.id = {form}");
            let builder = database.builder().key(Key::from_base64(KEY).unwrap());
            let builder = builder.account(from.clone()).security_stamp("p.born", from);
            let app = App::of(builder.build().await.unwrap());
            let browser = app.signed_in(&id).await;
            assert_eq!(app.who(&browser).await, id);
            database.execute(&format!("DELETE FROM people{number}")).await;
            database.execute(&born(2)).await;
            assert_eq!(app.who(&browser).await, "anonymous stamp-changed");
            assert_eq!(app.who(&app.signed_in(&id).await).await, id);
        }
    }
}
