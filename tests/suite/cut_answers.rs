//! What a server's settings cut from an answer is not known: it is neither "no" nor a shorter list.

use axum::http::StatusCode;
use countersign::{Limit, Sessions};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, MySqlPool, mysql::MySqlPoolOptions};

use crate::support::{App, Client, Database, PATIENCE, usual};

/// Another node, to whose connections this is said first.
async fn node(database: &Database, setting: &'static str) -> App {
    let pool: MySqlPool = MySqlPoolOptions::new()
        .max_connections(4)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::query(AssertSqlSafe(setting))
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .connect(&database.url())
        .await
        .unwrap();
    let builder = usual(Sessions::builder(pool)).limit(Limit::refuse(1));
    App::of(builder.time_budget(PATIENCE / 2).build().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_that_are_cut_are_not_fewer_permissions() {
    let database = Database::mysql().await;
    let whole = App::new(&database).await;
    let cut = node(&database, "SET SESSION group_concat_max_len = 1024").await;
    database
        .execute("DELETE FROM user_permissions WHERE user_id = 2")
        .await;
    let mut names: Vec<_> = (0..50)
        .map(|number| format!("m{number:03}:articles:edit"))
        .collect();
    names.push("sessions:revoke-own".to_owned());
    let rows: Vec<_> = names.iter().map(|name| format!("(2, '{name}')")).collect();
    database
        .execute(&format!(
            "INSERT INTO user_permissions VALUES {}",
            rows.join(", ")
        ))
        .await;
    let mut alice = whole.signed_in("2").await;
    // Wherever the cut falls.
    for length in 1..=48 {
        let first = "a".repeat(length);
        database
            .execute(&format!(
                "INSERT INTO user_permissions VALUES (2, '{first}')"
            ))
            .await;
        let expected = format!("{first} {}", names.join(" "));
        assert_eq!(
            alice.get(&whole.router, "/permissions").await.body,
            expected
        );
        let answer = alice.get(&cut.router, "/permissions").await;
        match answer.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                assert_eq!(answer.set_cookies(), Vec::<String>::new())
            }
            status => assert_eq!((status, answer.body), (StatusCode::OK, expected)),
        }
        database
            .execute(&format!(
                "DELETE FROM user_permissions WHERE permission = '{first}'"
            ))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_left_out_are_not_unknown() {
    let database = Database::mysql().await;
    let whole = App::new(&database).await;
    database
        .execute("INSERT INTO users (id, name) SELECT seq, 'one' FROM seq_10_to_29")
        .await;
    let users: Vec<_> = (10..30).map(|user: i32| user.to_string()).collect();
    let clients = join_all(users.iter().map(|user| whole.signed_in(user))).await;
    for setting in [
        "SET SESSION sql_select_limit = 1",
        "SET SESSION sql_select_limit = 2",
    ] {
        let cut = node(&database, setting).await;
        for _ in 0..5 {
            let seen = join_all(clients.iter().map(|client| cut.who(client))).await;
            for (user, who) in users.iter().zip(seen) {
                assert!(who == *user || who == "unavailable", "{user}: {who}");
            }
        }
    }
    // A limit is counted or the sign-in is refused.
    let cut = node(&database, "SET SESSION sql_select_limit = 1").await;
    let answer = cut.login(&mut Client::new(), "10").await;
    assert!(
        [StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE].contains(&answer.status),
        "{}",
        answer.body
    );
}
