//! Servers whose settings make sign-ins impossible.

use countersign::BuildError;

use crate::{
    mariadb::MariaDb,
    support::{App, Database, app::usual},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_binary_log_of_statements_is_refused() {
    let settings = [
        "--log-bin=binlog",
        "--server-id=1",
        "--binlog-format=STATEMENT",
    ];
    let server = MariaDb::start(&settings).await;
    let database = Database::mysql_at(server.url(), "").await;
    database.pool.migrate().await.unwrap();
    let error = usual(database.builder()).build().await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, BuildError::BinlogFormat), "{message}");
    assert!(message.contains("ROW or MIXED"), "{message}");
    for format in ["MIXED", "ROW"] {
        server
            .execute(&format!("SET GLOBAL binlog_format = {format}"))
            .await;
        // The setting is that of connections made from now on.
        let app = App::beside(&database, |builder| builder).await;
        assert_eq!(app.who(&app.signed_in("2").await).await, "2");
    }
}
