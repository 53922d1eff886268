//! When a part fails: unknown is not invalid, one broken row is not everybody's, and nobody waits for ever.

use std::time::Duration;

use countersign::SessionsBuilder;
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use http::StatusCode;
use tokio::time::timeout;

use crate::support::{
    App, Client, Database, Pool, eventually, hooks::Hook, on_every_database, rows::NewRow, sessions,
};

const BUDGET: Duration = Duration::from_millis(500);
const AT_LAST: Duration = Duration::from_secs(20);

/// A node with a browser that is signed in, and no connection but those that come through a door.
async fn behind_a_door(
    database: &Database,
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> (App, Hook, Client) {
    database.pool.migrate().await.unwrap();
    let hook = Hook::saying("SELECT 1");
    let app = App::on(&database.pool_with_hook(&hook).await, configure).await;
    let client = app.signed_in("2").await;
    app.sessions.close().await;
    (app, hook, client)
}

on_every_database! {
    async fn connections_that_cannot_be_had_are_a_503_and_harm_no_other_route(database: Database) {
        let (app, hook, mut client) = behind_a_door(&database, |builder| builder.time_budget(BUDGET)).await;
        hook.opens(false);
        for (path, expected) in [
            ("/me", StatusCode::SERVICE_UNAVAILABLE),
            ("/maybe", StatusCode::SERVICE_UNAVAILABLE),
            ("/static", StatusCode::OK),
            ("/health", StatusCode::OK),
        ] {
            let answer = timeout(AT_LAST, client.get(&app.router, path)).await.unwrap();
            assert_eq!((answer.status, answer.set_cookies().len()), (expected, 0), "{path}");
        }
        let answer = timeout(AT_LAST, client.post(&app.router, "/login/2")).await.unwrap();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        hook.opens(true);
        eventually("the same cookie works", || async { app.who(&client).await == "2" }).await;
    }

    async fn a_full_queue_refuses_at_once_and_nobody_hangs(database: Database) {
        let bounds = |builder: SessionsBuilder| builder.queue_capacity(1).max_lanes(1).time_budget(AT_LAST * 3);
        let (app, hook, client) = behind_a_door(&database, bounds).await;
        // As many sessions: requests of one session would share a place.
        let sessions: Vec<_> = (0..64).map(|_| NewRow::live("2")).collect();
        database.insert(&sessions).await;
        hook.opens(false);
        let mut answers: FuturesUnordered<_> = sessions
            .iter()
            .map(|session| {
                let (mut client, app) = (session.client(), app.clone());
                tokio::spawn(async move { client.get(&app.router, "/me").await.status })
            })
            .collect();
        // One waits for the connection; whoever finds it waiting is refused, not queued.
        for _ in 0..63 {
            let status = timeout(AT_LAST, answers.next()).await.unwrap().unwrap();
            assert_eq!(status.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
        }
        hook.opens(true);
        let status = timeout(AT_LAST, answers.next()).await.unwrap().unwrap();
        assert_eq!(status.unwrap(), StatusCode::OK);
        assert_eq!(app.who(&client).await, "2");
    }

    async fn one_corrupt_session_is_refused_and_the_others_are_served_in_the_same_instant(database: Database) {
        let app = App::new(&database).await;
        let mut clients = Vec::new();
        for number in 0..24 {
            clients.push(app.signed_in(["1", "2", "3"][number % 3]).await);
        }
        let mut broken = Client::new();
        let id = app.login(&mut broken, "2").await.body;
        // A number's cast fails on this on PostgreSQL, and quietly gives 0 elsewhere.
        database.execute(&format!("UPDATE countersign_sessions SET user_id = 'x' WHERE id = '{id}'")).await;
        clients.push(broken);
        for _ in 0..5 {
            let asking = clients.iter().cloned().map(|mut client| {
                let app = app.clone();
                tokio::spawn(async move { client.get(&app.router, "/me").await })
            });
            let answers = join_all(asking.collect::<Vec<_>>()).await;
            for (number, answer) in answers.into_iter().enumerate() {
                let answer = answer.unwrap();
                match number {
                    24 => {
                        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                        assert_eq!(answer.set_cookies(), Vec::<String>::new());
                    }
                    _ => assert_eq!(answer.body, ["1", "2", "3"][number % 3]),
                }
            }
        }
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_locked_file_live_sessions_go_on_and_sign_ins_answer_503() {
    let database = Database::sqlite().await;
    let app = App::with(&database, |builder| builder.time_budget(BUDGET)).await;
    let client = app.signed_in("2").await;
    let other = database.pool_of(1).await;
    #[allow(irrefutable_let_patterns, reason = "where SQLite is the only database")]
    let Pool::Sqlite(other) = &other else {
        return;
    };
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(app.who(&client).await, "2", "readers need no lock");
    for request in ["/login/3", "/logout", "/rotate"] {
        let answer = timeout(AT_LAST, client.clone().post(&app.router, request)).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{request}");
        assert_eq!(answer.session_cookie(), None, "{request}");
    }
    drop(lock);
    assert_eq!(app.who(&client).await, "2");
    crate::support::eventually("sign-ins work again", || async {
        app.login(&mut Client::new(), "3").await.status == StatusCode::OK
    })
    .await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_file_that_cannot_be_written_live_sessions_go_on_and_touches_are_counted() {
    let database = Database::sqlite().await;
    let client = App::new(&database).await.signed_in("2").await;
    database.age("last_seen_at", 120).await;
    let options = countersign::sqlite_options(&database.url())
        .unwrap()
        .pragma("query_only", "1");
    let pool = Pool::Sqlite(sqlx::SqlitePool::connect_with(options).await.unwrap());
    let app = App::on(&pool, |builder| builder.time_budget(BUDGET)).await;
    assert_eq!(app.who(&client).await, "2");
    let answer = Client::new().post(&app.router, "/login/3").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
    app.sessions.close().await;
    assert_eq!(app.sessions.missed_touches(), 1);
}

#[test]
fn a_runtime_that_shuts_down_in_the_middle_takes_nobody_with_it() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    };
    let outer = runtime();
    let database = outer.block_on(Database::any());
    for pause in [0, 1, 5, 20] {
        let inner = runtime();
        let app = inner.block_on(async {
            let pool = database.second_pool().await;
            pool.migrate().await.unwrap();
            App::on(&pool, |builder| builder).await
        });
        for number in 0..32 {
            let app = app.clone();
            inner.spawn(async move {
                let mut client = Client::new();
                app.login(&mut client, ["1", "2", "3"][number % 3]).await;
                client.get(&app.router, "/me").await;
                client.post(&app.router, "/logout").await;
            });
        }
        std::thread::sleep(Duration::from_millis(pause));
        inner.shutdown_background();
        drop(app);
    }
    outer.block_on(async {
        let app = App::of(sessions(&database).await);
        assert_eq!(app.who(&app.signed_in("2").await).await, "2");
    });
}
