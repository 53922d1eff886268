//! What the log says of events: the same as the hook hears, under names that filters and dashboards may rely on.
//!
//! A test binary of its own, as it reads all logs of the process.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(unused_imports, reason = "some of it is about one database alone")
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ::support;

use countersign::{Filter, Limit};
use http::{StatusCode, header};
use support::{App, Client, Database, logs::Logs};

#[tokio::test]
async fn the_log_has_the_same_with_stable_names_and_nothing_can_be_forged() {
    let logs = Logs::default();
    tracing::subscriber::set_global_default(logs.subscriber()).unwrap();
    let database = Database::any().await;
    let app = App::with(&database, |builder| builder.limit(Limit::refuse(1))).await;
    let mut client = Client::new();
    client.peer = Some("203.0.113.7:4711".parse().unwrap());
    // Another line, another level, another field; a line separator of Unicode, and text that runs from right to left.
    let hostile = "x\u{2028}ERROR event=\"signed-out\" user_id=\"1\" \u{202e}";
    client.headers.insert(
        header::USER_AGENT,
        http::HeaderValue::from_bytes(hostile.as_bytes()).unwrap(),
    );
    let id = app.login(&mut client, "2").await.body;
    client.post(&app.router, "/rotate").await;
    assert_eq!(
        app.login(&mut Client::new(), "2").await.status,
        StatusCode::CONFLICT
    );
    let mut forged = Client::new();
    forged
        .jar
        .insert("__Host-session".to_owned(), "forged".to_owned());
    forged.get(&app.router, "/me").await;
    client.post(&app.router, "/logout").await;
    app.signed_in("3").await;
    app.sessions
        .revoke_where(&Filter::all(), "night \"job\"")
        .await
        .unwrap();

    let text = logs.text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains(" countersign::events: "))
        .collect();
    let whose = format!(
        "count=1 user_id=\"2\" session_id={id} ip=\"203.0.113.7\" user_agent=\"x\\\\u{{2028}}ERROR event=\\\"signed-out\\\" user_id=\\\"1\\\" \\\\u{{202e}}\""
    );
    for (line, expected) in lines.iter().zip([
        format!(" INFO countersign::events: signed in event=\"signed-in\" {whose}"),
        format!(" INFO countersign::events: session token rotated event=\"rotated\" {whose}"),
        " INFO countersign::events: sign-in refused event=\"sign-in-refused\" count=1 user_id=\"2\" reason=\"limit-reached\" max=1".to_owned(),
        " WARN countersign::events: session cookie rejected event=\"cookie-rejected\" count=1 reason=\"undecipherable\"".to_owned(),
        format!(" INFO countersign::events: signed out event=\"signed-out\" {whose}"),
        " INFO countersign::events: signed in event=\"signed-in\" count=1 user_id=\"3\"".to_owned(),
        " INFO countersign::events: sessions revoked event=\"ended\" count=1 reason=\"revoked\" by=\"night \\\"job\\\"\"".to_owned(),
    ]) {
        assert!(line.contains(&expected), "{line}\n{expected}");
    }
    assert_eq!(lines.len(), 7, "{lines:#?}");

    // A browser drops the cookie of a sign-in over plain HTTP: that is told once.
    let warnings = || logs.text().matches("over plain HTTP").count();
    for (origin, user, expected) in [
        ("https://app.test", "1", 0),
        ("http://app.test", "2", 1),
        ("http://app.test", "3", 1),
    ] {
        let mut browser = Client::new();
        browser
            .headers
            .insert(header::ORIGIN, origin.parse().unwrap());
        browser
            .headers
            .insert(header::HOST, "app.test".parse().unwrap());
        app.login(&mut browser, user).await;
        assert_eq!(warnings(), expected, "{origin}");
    }
}
