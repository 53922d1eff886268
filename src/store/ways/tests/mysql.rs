use sqlx::{AssertSqlSafe, Connection, MySqlConnection, Row};

use super::{ROWS, all, is_allowed, lengths, statements, tables};
use crate::store::dialect::Dialect;

async fn run(connection: &mut MySqlConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}

fn fill(rows: u32, user: &str) -> String {
    format!(
        "INSERT INTO countersign_sessions (id, realm, user_id, token_hash, created_at, authenticated_at, last_seen_at, expires_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT UUID(), 'default', {user}, UNHEX(SHA2(UUID(), 256)), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), \
         UTC_TIMESTAMP(6) + INTERVAL 1 DAY FROM n"
    )
}

/// The text with values in the place of its parameters.
fn filled_in(text: &str, length: usize) -> String {
    let ids = |quote: &str| {
        let ids =
            (0..length).map(|number| format!("{quote}01900000-0000-7000-8000-{number:012}{quote}"));
        ids.collect::<Vec<_>>().join(",")
    };
    let mut parts = text.split('?');
    let mut filled = parts.next().unwrap().to_owned();
    for (number, part) in parts.enumerate() {
        let value = match part.starts_with(", '$[*]'") {
            true => format!("'[{}]'", ids("\"")),
            false if part.starts_with(" MICROSECOND") => "1".to_owned(),
            false => format!("'{number}'"),
        };
        filled.push_str(&value);
        filled.push_str(part);
    }
    filled
}

async fn assert_plans(connection: &mut MySqlConnection, when: &str) {
    let statements = statements(Dialect::MySql);
    for (name, statement, allowed) in all(&statements) {
        for length in lengths() {
            let text = statement.for_list(length).0;
            let explain = format!("EXPLAIN {}", filled_in(text.as_str(), length));
            let rows = sqlx::raw_sql(AssertSqlSafe(explain))
                .fetch_all(&mut *connection)
                .await
                .unwrap();
            let text = |row: &sqlx::mysql::MySqlRow, column: &str| {
                row.try_get_unchecked::<Option<String>, _>(column)
                    .unwrap()
                    .unwrap_or_default()
            };
            let plan: Vec<_> = rows
                .iter()
                .map(|row| ["table", "type", "key", "Extra"].map(|column| text(row, column)))
                .collect();
            for [table, kind, key, _] in &plan {
                let ours = [
                    "countersign_sessions",
                    "newest",
                    "former",
                    "found",
                    "previous",
                    "new",
                ];
                if !ours.contains(&table.as_str()) || kind.is_empty() || kind == "const" {
                    continue;
                }
                assert!(
                    !["ALL", "index"].contains(&kind.as_str()) && is_allowed(key, allowed),
                    "{name}({length}) {when}: {plan:#?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn statements_go_by_their_index() {
    let server = std::env::var("COUNTERSIGN_TEST_MYSQL").expect(
        "COUNTERSIGN_TEST_MYSQL is not set: run the tests with `scripts/with-servers cargo test …`",
    );
    let mut connection = MySqlConnection::connect(&server).await.unwrap();
    let name = format!("countersign_{}", uuid::Uuid::now_v7().simple());
    run(
        &mut connection,
        &format!("CREATE DATABASE {name}; USE {name}; SET max_recursive_iterations = 1000000"),
    )
    .await;
    let plans = async {
        run(
            &mut connection,
            &tables(include_str!(
                "../../../../migrations/mysql/0001_sessions.sql"
            )),
        )
        .await;
        run(&mut connection, &fill(3, "n")).await;
        run(&mut connection, "ANALYZE TABLE countersign_sessions").await;
        run(&mut connection, &fill(ROWS, "n MOD 1000")).await;
        assert_plans(&mut connection, "analysed when there were three rows").await;
        run(&mut connection, "ANALYZE TABLE countersign_sessions").await;
        assert_plans(&mut connection, "analysed").await;
    };
    let outcome = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(plans)).await;
    run(&mut connection, &format!("DROP DATABASE {name}")).await;
    outcome.unwrap();
}
