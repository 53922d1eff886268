//! A sign-in that concerns no other session activates in one statement. It must see a maximum that is set in its last instant,
//! and is undone when its answer is lost.
#![cfg(any(feature = "postgres", feature = "mysql"))]

use std::time::Duration;

use countersign::Limit;
use http::StatusCode;

use crate::support::{
    App, Client, Database, Pool, eventually, on_every_server,
    proxy::{Mode, Proxy},
};

/// An open transaction that has changed the rows of all users.
enum Holder {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(sqlx::Transaction<'static, sqlx::MySql>),
}

impl Holder {
    async fn with_maximum(database: &Database, max: &str) -> Self {
        let set = sqlx::AssertSqlSafe(format!("UPDATE countersign_users SET max_sessions = {max}"));
        match database.second_pool().await {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => unreachable!("its writers wait before they read"),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(set).execute(&mut *transaction).await.unwrap();
                Self::Postgres(transaction)
            }
            #[cfg(feature = "mysql")]
            Pool::MySql(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(set).execute(&mut *transaction).await.unwrap();
                Self::MySql(transaction)
            }
        }
    }

    async fn commit(self) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => transaction.commit().await.unwrap(),
            #[cfg(feature = "mysql")]
            Self::MySql(transaction) => transaction.commit().await.unwrap(),
        }
    }
}

/// Whether the sign-in has sent its last statement, which waits for the user's row.
async fn activates(database: &Database) -> bool {
    let sql = match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => unreachable!("its writers wait before they read"),
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id <> connection_id() \
             AND info LIKE 'UPDATE countersign_sessions SET reserved_until%'"
        }
    };
    database.count(sql).await > 0
}

on_every_server! {
    async fn a_maximum_that_is_set_in_the_last_instant_counts(database: Database) {
        let app = App::with(&database, |builder| {
            let builder = builder.limit(Limit::unlimited()).time_budget(Duration::from_secs(60));
            builder.reservation_timeout(Duration::from_secs(3600))
        }).await;
        let first = app.signed_in("2").await;
        let maximum = Holder::with_maximum(&database, "1").await;
        let router = app.router.clone();
        let signing_in = tokio::spawn(async move {
            let mut client = Client::new();
            let status = client.post(&router, "/login/2").await.status;
            (client, status)
        });
        eventually("the sign-in waits", || activates(&database)).await;
        maximum.commit().await;
        let (second, status) = signing_in.await.unwrap();
        assert_eq!(status, StatusCode::OK);
        assert_eq!(app.who(&first).await, "anonymous limit");
        assert_eq!(app.who(&second).await, "2");
    }

    async fn one_whose_last_answer_is_lost_is_undone(database: Database) {
        database.pool.migrate().await.unwrap();
        let proxy = Proxy::before(&database).await;
        let pool = proxy.pool(&database, 4).await;
        let app = App::on(&pool, |builder| {
            let builder = builder.limit(Limit::unlimited()).time_budget(Duration::from_secs(60));
            builder.reservation_timeout(Duration::from_secs(3600))
        }).await;
        app.signed_in("2").await;
        let holder = Holder::with_maximum(&database, "NULL").await;
        let router = app.router.clone();
        let signing_in = tokio::spawn(async move { Client::new().post(&router, "/login/2").await });
        eventually("the sign-in waits", || activates(&database)).await;
        proxy.set(Mode::CutNextAnswer);
        holder.commit().await;
        let answer = signing_in.await.unwrap();
        assert_eq!((answer.status, answer.set_cookies()), (StatusCode::SERVICE_UNAVAILABLE, vec![]));
        assert_eq!(proxy.mode(), Mode::Pass, "an answer was cut");
        // It was real for a moment, and no client has its cookie.
        let undone = "SELECT count(*) FROM countersign_sessions WHERE ended_reason = 'abandoned'";
        eventually("it is undone", || async { database.count(undone).await == 1 }).await;
        assert_eq!(database.live().await, 1);
    }
}
