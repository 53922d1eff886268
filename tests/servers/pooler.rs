//! PgBouncer between the application and its database.

use std::time::Duration;

use crate::{
    pgbouncer::PgBouncer,
    support::{App, Database, Pool, app::usual},
};

fn name_of(database: &Database) -> String {
    database.url().rsplit_once('/').unwrap().1.to_owned()
}

/// A lock of a session would be taken on one server connection and returned on another; those who migrate later would
/// wait for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_through_a_pooler_of_transactions_leaves_no_lock() {
    let database = Database::postgres().await;
    let pooler = PgBouncer::start(
        "transaction",
        "ignore_startup_parameters = extra_float_digits",
    )
    .await;
    let url = pooler.url_of(&name_of(&database));
    for _ in 0..5 {
        let nodes = (0..6).map(|_| async {
            let pool = database.pool_at(&url, 1).await;
            pool.migrate().await.unwrap();
            pool.close().await;
        });
        // The lock's own bound is half a minute.
        let all = futures::future::join_all(nodes);
        tokio::time::timeout(Duration::from_secs(25), all)
            .await
            .unwrap();
    }
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database \
                 WHERE datname = current_database())";
    assert_eq!(database.count(locks).await, 0);
    let app = App::on(&database.pool, |builder| builder).await;
    assert_eq!(app.who(&app.signed_in("2").await).await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_work_through_a_pooler_of_sessions() {
    let database = Database::postgres().await;
    let settings =
        "ignore_startup_parameters = extra_float_digits, options\ndefault_pool_size = 40";
    let pooler = PgBouncer::start("session", settings).await;
    let pool = database
        .pool_at(&pooler.url_of(&name_of(&database)), 4)
        .await;
    pool.migrate().await.unwrap();
    let app = App::on(&pool, |builder| builder).await;
    let mut client = app.signed_in("2").await;
    assert_eq!(app.who(&client).await, "2");
    client.post(&app.router, "/logout").await;
    assert!(app.who(&client).await.starts_with("anonymous"));
    app.sessions.close().await;
    pool.close().await;
}

/// It says so itself, at the first connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_refuses_startup_parameters_is_told() {
    let database = Database::postgres().await;
    database.pool.migrate().await.unwrap();
    let pooler = PgBouncer::start("transaction", "").await;
    let url = pooler.url_of(&name_of(&database));
    let pool = sqlx::postgres::PgPoolOptions::new()
        .connect_lazy(&url)
        .unwrap();
    let pool = Pool::Postgres(pool);
    let error = pool.migrate().await.unwrap_err().to_string();
    assert!(error.contains("extra_float_digits"), "{error}");
    let error = usual(pool.builder()).build().await.unwrap_err().to_string();
    assert!(error.contains("extra_float_digits"), "{error}");
}
