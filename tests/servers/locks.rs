//! Migrating waits for others, and not for ever.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};

use crate::support::{Database, Pool};

/// Waits for what is held, for half a minute, and says what is wrong.
async fn is_told(pool: &Pool) {
    let migrating = tokio::time::timeout(Duration::from_secs(90), pool.migrate());
    let error = migrating.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("another program is migrating"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_never_released_is_told_on_postgres() {
    let database = Database::postgres().await;
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    // As a pooler keeps it.
    sqlx::query("SELECT pg_advisory_lock(7165074649429406323)")
        .execute(&mut other)
        .await
        .unwrap();
    is_told(&database.pool).await;
    other.close().await.unwrap();
    database.pool.migrate().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_never_released_is_told_on_mysql() {
    let database = Database::mysql().await;
    let mut other = MySqlConnection::connect(&database.url()).await.unwrap();
    let lock = "SELECT GET_LOCK(CONCAT('countersign:', MD5(DATABASE())), 1)";
    sqlx::query(lock).execute(&mut other).await.unwrap();
    is_told(&database.pool).await;
    other.close().await.unwrap();
    database.pool.migrate().await.unwrap();
}

/// A transaction that holds the table which notes what was applied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_held_is_told_on_postgres() {
    let database = Database::postgres().await;
    database.pool.migrate().await.unwrap();
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    let lock = "LOCK TABLE _countersign_migrations IN ACCESS EXCLUSIVE MODE";
    sqlx::query(AssertSqlSafe(lock))
        .execute(&mut *transaction)
        .await
        .unwrap();
    is_told(&database.pool).await;
    transaction.rollback().await.unwrap();
    database.pool.migrate().await.unwrap();
}
