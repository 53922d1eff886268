//! SQLite, where a writer holds the whole file and a disk can be full.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;

use crate::support::{App, Client, Database, Pool, eventually, usual};

fn sqlite(pool: &Pool) -> &sqlx::SqlitePool {
    match pool {
        Pool::Sqlite(pool) => pool,
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        _ => unreachable!("this is about SQLite"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_while_the_application_writes_and_sign_ins_wait() {
    let database = Database::sqlite().await;
    let app = App::with(&database, |builder| {
        builder.time_budget(Duration::from_secs(4))
    })
    .await;
    let client = app.signed_in("2").await;
    let other = database.pool_of(1).await;
    let lock = sqlite(&other).begin_with("BEGIN IMMEDIATE").await.unwrap();
    let sign_ins: Vec<_> = (0..40)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.login(&mut Client::new(), "3").await.status })
        })
        .collect();
    let mut asked = 0;
    while sign_ins.iter().any(|sign_in| !sign_in.is_finished()) {
        assert_eq!(app.who(&client).await, "2");
        asked += 1;
    }
    println!("{asked} look-ups while 40 sign-ins waited");
    for status in join_all(sign_ins).await {
        assert_eq!(status.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    }
    drop(lock);
    eventually("sign-ins work again", || async {
        app.login(&mut Client::new(), "3").await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_was_full_is_forgotten_when_it_has_room() {
    let database = Database::sqlite().await;
    let app = App::new(&database).await;
    let client = app.signed_in("2").await;
    let pool = sqlite(&database.pool);
    let roomy = pool.connect_options().as_ref().clone();
    let pages = database.count("PRAGMA page_count").await;
    pool.set_connect_options(
        roomy
            .clone()
            .pragma("max_page_count", (pages + 2).to_string()),
    );
    app.sessions.close().await;
    let mut signed_in = 0;
    while app.login(&mut Client::new(), "3").await.status == StatusCode::OK {
        signed_in += 1;
        assert!(signed_in < 1000, "it never gets full");
    }
    for _ in 0..20 {
        let status = app.login(&mut Client::new(), "3").await.status;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(app.who(&client).await, "2");
    }
    pool.set_connect_options(roomy);
    // The connections that met it are gone. One that only read has its own small limit still, and goes when it meets it.
    let mut refused = 0;
    for _ in 0..40 {
        let status = app.login(&mut Client::new(), "3").await.status;
        refused += usize::from(status != StatusCode::OK);
    }
    assert!(refused <= 1, "{refused} of 40 sign-ins were refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_is_shared_with_the_application_or_borrowed_from_it() {
    for url in ["sqlite::memory:", "sqlite::memory:?cache=private"] {
        let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        // One that went would take the database with it.
        let options = options.idle_timeout(None).max_lifetime(None);
        let pool = options.connect(url).await.unwrap();
        for table in [
            "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT, disabled BOOLEAN NOT NULL DEFAULT FALSE)",
            "CREATE TABLE user_permissions (user_id BIGINT NOT NULL, permission TEXT NOT NULL)",
            "INSERT INTO users (id) VALUES (2)",
        ] {
            sqlx::query(table).execute(&pool).await.unwrap();
        }
        countersign::migrate(&pool).await.unwrap();
        let sessions = usual(countersign::Sessions::builder(pool.clone()));
        let app = App::of(sessions.build().await.unwrap());
        for left_open in [false, true] {
            let mut client = app.signed_in("2").await;
            if left_open && url.contains("private") {
                // A transaction that the application leaves on its one connection.
                let mut connection = pool.acquire().await.unwrap();
                sqlx::Executor::execute(&mut *connection, sqlx::raw_sql("BEGIN"))
                    .await
                    .unwrap();
            }
            assert_eq!(app.who(&client).await, "2", "{url}");
            client.post(&app.router, "/logout").await;
            sqlx::Executor::execute(&pool, sqlx::raw_sql("ROLLBACK"))
                .await
                .ok();
            assert_eq!(app.who(&client).await, "anonymous", "{url}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_waits_for_itself_is_told_to_commit_first() {
    let database = Database::sqlite().await;
    let app = App::with(&database, |builder| {
        builder.time_budget(Duration::from_secs(1))
    })
    .await;
    let pool = sqlite(&database.pool).clone();
    let router = axum::Router::new()
        .route(
            "/register/{early}",
            axum::routing::post(
                |session: countersign::Session,
                 axum::extract::Path(early): axum::extract::Path<bool>| async move {
                    let mut transaction = pool.begin().await.unwrap();
                    sqlx::query("UPDATE users SET name = 'new' WHERE id = 3")
                        .execute(&mut *transaction)
                        .await
                        .unwrap();
                    if early {
                        transaction.commit().await.unwrap();
                        return session.login(3).await.map(|_| String::new());
                    }
                    let outcome = session.login(3).await;
                    transaction.commit().await.unwrap();
                    Ok(format!("{:?}", outcome.unwrap_err()))
                },
            ),
        )
        .layer(app.sessions.layer());
    let answer = Client::new().post(&router, "/register/false").await;
    assert!(
        answer
            .body
            .contains("it must commit before it signs a user in"),
        "{}",
        answer.body
    );
    let answer = Client::new().post(&router, "/register/true").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
}
