use sqlx::{AssertSqlSafe, Row, SqlitePool, sqlite::SqlitePoolOptions};

use super::{ROWS, all, is_allowed, lengths, statements, tables};
use crate::store::dialect::Dialect;

async fn run(pool: &SqlitePool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await
        .unwrap();
}

fn fill(rows: u32, realm: &str, user: &str) -> String {
    format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         INSERT INTO countersign_sessions (id, realm, user_id, token_hash, created_at, authenticated_at, last_seen_at, expires_at) \
         SELECT hex(randomblob(16)), {realm}, {user}, randomblob(32), '2026-01-01', '2026-01-01', '2026-01-01', '2099-01-01' FROM n"
    )
}

async fn assert_plans(pool: &SqlitePool, when: &str) {
    let statements = statements(Dialect::Sqlite);
    for (name, statement, allowed) in all(&statements) {
        for length in lengths() {
            let (text, _) = statement.for_list(length);
            let explain = format!("EXPLAIN QUERY PLAN {}", text.as_str());
            let plan = sqlx::query(AssertSqlSafe(explain))
                .fetch_all(pool)
                .await
                .unwrap();
            let lines: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
            for line in &lines {
                let words: Vec<_> = line.split(' ').collect();
                let ours = [
                    "countersign_sessions",
                    "newest",
                    "former",
                    "found",
                    "previous",
                    "new",
                ];
                if !words.get(1).is_some_and(|table| ours.contains(table)) {
                    continue;
                }
                let index = words.iter().skip_while(|word| **word != "INDEX").nth(1);
                let by_row = line.contains("USING INTEGER PRIMARY KEY (rowid=?)");
                let by_index = index.is_some_and(|index| is_allowed(index, allowed));
                assert!(
                    words[0] == "SEARCH" && (by_row || by_index),
                    "{name}({length}) {when}: {lines:#?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn statements_go_by_their_index() {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    run(
        &pool,
        &tables(include_str!(
            "../../../../migrations/sqlite/0001_sessions.sql"
        )),
    )
    .await;
    assert_plans(&pool, "empty").await;
    run(&pool, &fill(3, "'r' || n", "n")).await;
    run(&pool, "ANALYZE").await;
    run(&pool, &fill(ROWS, "'default'", "n % 1000")).await;
    assert_plans(&pool, "analysed when there were three rows").await;
    run(&pool, "DROP TABLE sqlite_stat1").await;
}

#[tokio::test]
async fn statements_go_by_their_index_without_statistics_and_with_fresh_ones() {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    run(
        &pool,
        &tables(include_str!(
            "../../../../migrations/sqlite/0001_sessions.sql"
        )),
    )
    .await;
    run(&pool, &fill(ROWS, "'default'", "n % 1000")).await;
    assert_plans(&pool, "never analysed").await;
    run(&pool, "ANALYZE").await;
    assert_plans(&pool, "analysed").await;
    run(&pool, "UPDATE countersign_sessions SET user_id = '1'").await;
    run(&pool, "ANALYZE").await;
    assert_plans(&pool, "all of one user").await;
}
