//! Servers and databases that are set up in another way than usual: what is promised holds there too.

use countersign::{Error, ErrorKind, Filter, MaxSessions, Page, UserId};
use http::{HeaderValue, StatusCode, header};

use crate::support::{App, Client, Database, Pool};

/// What an application does with sessions, many at once where that may make a difference.
async fn everything_works(database: &Database, pool: &Pool) {
    database.pool.migrate().await.unwrap();
    let app = App::on(pool, |builder| builder).await;
    let clients = (0..12).map(|number| {
        let (app, user) = (app.clone(), if number % 2 == 0 { "2" } else { "3" });
        async move {
            let mut client = app.signed_in(user).await;
            assert_eq!(app.who(&client).await, user);
            let edited = client.get(&app.router, "/edit").await.status;
            let expected = match user {
                "2" => StatusCode::OK,
                _ => StatusCode::FORBIDDEN,
            };
            assert_eq!(edited, expected);
            assert_eq!(
                client.post(&app.router, "/rotate").await.status,
                StatusCode::OK
            );
            assert_eq!(app.who(&client).await, user);
            client
        }
    });
    let mut clients = futures::future::join_all(clients).await;

    let alice = UserId::from("2");
    app.sessions
        .set_limit(&alice, Some(MaxSessions::AtMost(20)), "operator")
        .await
        .unwrap();
    let of_alice = Filter::user("2");
    let page = app
        .sessions
        .list(&of_alice, Page::first(100))
        .await
        .unwrap();
    assert_eq!(page.sessions.len(), 6);
    assert_eq!(
        clients[0].post(&app.router, "/logout").await.status,
        StatusCode::OK
    );
    assert_eq!(app.who(&clients[2]).await, "2");
    assert_eq!(
        app.sessions.revoke_user(&alice, "operator").await.unwrap(),
        5
    );
    assert!(app.who(&clients[2]).await.starts_with("anonymous"));
    assert_eq!(app.who(&clients[1]).await, "3");

    database
        .execute("DELETE FROM user_permissions WHERE user_id = 1")
        .await;
    let mut admin = app.signed_in("1").await;
    assert_eq!(admin.get(&app.router, "/permissions").await.body, "");
    database
        .execute("UPDATE users SET disabled = TRUE WHERE id = 3")
        .await;
    let answers = clients.iter().skip(1).step_by(2).map(|bob| app.who(bob));
    for who in futures::future::join_all(answers).await {
        assert!(who.starts_with("anonymous"), "{who}");
    }
    app.sessions.sweep().await.unwrap();
}

/// A user agent with letters that few encodings have.
const WORDY: &str = "Browser Zoë/5 (price: 5 €; 🦊)";

async fn browser_of(user_agent: &str) -> Client {
    let mut client = Client::new();
    let value = HeaderValue::from_bytes(user_agent.as_bytes()).unwrap();
    client.headers.insert(header::USER_AGENT, value);
    client
}

/// What is only shown fails neither a sign-in nor an ending, and is found as it is shown.
async fn any_user_agent_signs_in(database: &Database, kept: &str, by: &str) {
    database.pool.migrate().await.unwrap();
    let app = App::on(&database.pool, |builder| builder).await;
    let mut client = browser_of(WORDY).await;
    let answer = app.login(&mut client, "2").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(app.who(&client).await, "2");

    let found = Filter::all().user_agent("5 €");
    let page = app.sessions.list(&found, Page::first(9)).await.unwrap();
    let [session] = page.sessions.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!(session.user_agent.as_deref(), Some(kept));
    assert_eq!(
        app.sessions.revoke_where(&found, "Łukasz €").await.unwrap(),
        1
    );
    let page = app.sessions.list(&found, Page::first(9)).await.unwrap();
    assert_eq!(page.sessions[0].ended_by.as_deref(), Some(by));
    assert!(app.who(&client).await.starts_with("anonymous"));
}

#[cfg(feature = "postgres")]
async fn with_default(setting: &str) {
    let database = Database::postgres().await;
    let url = database.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    database
        .execute(&format!("ALTER DATABASE {name} SET {setting}"))
        .await;
    everything_works(&database, &database.second_pool().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_where_transactions_are_serializable_by_default() {
    with_default("default_transaction_isolation = 'serializable'").await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_where_transactions_are_repeatable_reads_by_default() {
    with_default("default_transaction_isolation = 'repeatable read'").await;
}

/// Roles of an application often have them.
#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_time_outs_and_another_time_zone_by_default() {
    let database = Database::postgres().await;
    let url = database.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    for setting in [
        "statement_timeout = '5s'",
        "lock_timeout = '2s'",
        "idle_in_transaction_session_timeout = '5s'",
        "timezone = 'Pacific/Kiritimati'",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'sql_standard'",
        "standard_conforming_strings = off",
        "bytea_output = 'escape'",
        "extra_float_digits = 0",
    ] {
        database
            .execute(&format!("ALTER DATABASE {name} SET {setting}"))
            .await;
    }
    everything_works(&database, &database.second_pool().await).await;
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_with_other_settings_of_its_sessions() {
    for settings in [
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION time_zone = '+13:00', sql_mode = 'ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES'",
        "SET SESSION sql_mode = ''",
        "SET SESSION collation_connection = utf8mb4_general_ci",
    ] {
        let database = Database::mysql().await;
        let pool = sqlx::mysql::MySqlPoolOptions::new()
            .max_connections(8)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    sqlx::Executor::execute(connection, settings).await?;
                    Ok(())
                })
            })
            .connect(&database.url())
            .await
            .unwrap();
        everything_works(&database, &Pool::MySql(pool)).await;
    }
}

#[cfg(feature = "postgres")]
const LATIN1: &str = "ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'";

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_in_latin1_signs_in_any_user_agent() {
    let database = Database::postgres_with(LATIN1).await;
    let kept = r"Browser Zoë/5 (price: 5 \u{20ac}; \u{1f98a})";
    any_user_agent_signs_in(&database, kept, r"\u{141}ukasz \u{20ac}").await;

    // A user's id is more than shown: what cannot be kept is refused, and says why.
    let sessions = crate::support::sessions(&database).await;
    let unknown = Filter::user("Łukasz");
    let error: Error = sessions.list(&unknown, Page::first(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("encoding"), "{source}");
    let database = Database::postgres_with(LATIN1).await;
    everything_works(&database, &database.pool).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_in_other_encodings_signs_in_any_user_agent() {
    for encoding in ["EUC_JP", "WIN1252"] {
        let options = format!("ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'");
        let database = Database::postgres_with(&options).await;
        let kept = r"Browser Zo\u{eb}/5 (price: 5 \u{20ac}; \u{1f98a})";
        any_user_agent_signs_in(&database, kept, r"\u{141}ukasz \u{20ac}").await;
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_without_an_encoding_keeps_all_letters() {
    let options = "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'";
    let database = Database::postgres_with(options).await;
    any_user_agent_signs_in(&database, WORDY, "Łukasz €").await;
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_in_latin1_keeps_all_letters() {
    let options = "CHARACTER SET latin1 COLLATE latin1_swedish_ci";
    let database = Database::mysql_with(options).await;
    any_user_agent_signs_in(&database, WORDY, "Łukasz €").await;
    let database = Database::mysql_with(options).await;
    everything_works(&database, &database.pool).await;
}
