//! Replicas: what was ended on the primary goes on there for a while, so nothing is asked of them.

use countersign::BuildError;

use crate::{
    mariadb::MariaDb,
    postgres::Postgres,
    support::{App, Database, Pool, app::usual, eventually},
};

async fn is_refused(pool: &Pool, named: &str) {
    let error = usual(pool.builder()).build().await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, BuildError::ReadOnly { .. }), "{message}");
    assert!(message.contains(named), "{message}");
    assert!(message.contains("reaches the primary"), "{message}");
    let error = pool.migrate().await.unwrap_err().to_string();
    assert!(error.contains("migrate on the primary"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_of_postgres_is_refused() {
    let primary = Postgres::start().await;
    let database = Database::postgres_at(primary.url(), "").await;
    let app = App::new(&database).await;
    let client = app.signed_in("2").await;
    let standby = primary.standby().await;
    let url = standby.url_of(database.url().rsplit_once('/').unwrap().1);
    let pool = database.pool_at(&url, 2).await;
    is_refused(&pool, "standby").await;
    pool.close().await;
    assert_eq!(app.who(&client).await, "2");
}

/// As after a failover to a server that has not heard of everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_turns_to_a_standby_is_not_believed() {
    let primary = Postgres::start().await;
    let database = Database::postgres_at(primary.url(), "").await;
    let writing = App::new(&database).await;
    let url = database.url();
    let name = url.rsplit_once('/').unwrap().1;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let turning = App::on(&Pool::Postgres(pool.clone()), |builder| builder).await;
    let client = turning.signed_in("2").await;
    assert_eq!(turning.who(&client).await, "2");

    let standby = primary.standby().await;
    let there = sqlx::PgPool::connect(&standby.url_of(name)).await.unwrap();
    let live = "SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL AND reserved_until IS NULL";
    eventually("the standby knows of the session", || async {
        let known: i64 = sqlx::query_scalar(live).fetch_one(&there).await.unwrap();
        known == 1
    })
    .await;
    sqlx::query("SELECT pg_wal_replay_pause()")
        .execute(&there)
        .await
        .unwrap();
    let ended = writing.sessions.revoke_user("2", "operator").await;
    assert_eq!(ended.unwrap(), 1);

    // The standby would say that the session is live, for as long as it is asked.
    let known: i64 = sqlx::query_scalar(live).fetch_one(&there).await.unwrap();
    assert_eq!(known, 1);
    pool.set_connect_options(standby.url_of(name).parse().unwrap());
    let admin = sqlx::PgPool::connect(&primary.url()).await.unwrap();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'",
    )
    .bind(name)
    .execute(&admin)
    .await
    .unwrap();
    for _ in 0..20 {
        assert_eq!(turning.who(&client).await, "unavailable");
    }
    let answer = turning.login(&mut crate::support::Client::new(), "3").await;
    assert_eq!(answer.status, http::StatusCode::SERVICE_UNAVAILABLE);

    pool.set_connect_options(url.parse().unwrap());
    eventually("the primary is asked again", || async {
        turning.who(&client).await.starts_with("anonymous")
    })
    .await;
}

#[tokio::test]
async fn a_mariadb_that_is_read_only_is_refused_and_told_of() {
    let (logs, _guard) = crate::support::logs::Logs::of_this_thread();
    let server = MariaDb::start(&[]).await;
    let database = Database::mysql_at(server.url(), "").await;
    database.pool.migrate().await.unwrap();
    let url = database.url();
    let name = url.rsplit_once('/').unwrap().1;
    let url = server.application(name).await;
    let pool = database.pool_at(&url, 4).await;
    let app = App::on(&pool, |builder| {
        builder.touch_interval(std::time::Duration::ZERO)
    })
    .await;
    let client = app.signed_in("2").await;

    server.execute("SET GLOBAL read_only = ON").await;
    // On a connection from before: what is not written is told, in the server's words or ours, and so is what is not
    // granted.
    eventually("the touch that failed is told", || async {
        app.who(&client).await;
        let text = logs.text();
        text.lines().any(|line| {
            line.contains("last_seen_at could not be written") && line.contains("read-only")
        })
    })
    .await;
    let mut other = crate::support::Client::new();
    let answer = app.login(&mut other, "3").await;
    assert_eq!(answer.status, http::StatusCode::SERVICE_UNAVAILABLE);

    let new = database.pool_at(&url, 2).await;
    is_refused(&new, "replica").await;
    // Root may write all the same, and must not be sent here either.
    let root = database.second_pool().await;
    let error = usual(root.builder()).build().await.unwrap_err();
    assert!(matches!(error, BuildError::ReadOnly { .. }), "{error}");

    server.execute("SET GLOBAL read_only = OFF").await;
    eventually("all is well again", || async {
        app.who(&client).await == "2"
    })
    .await;
}
