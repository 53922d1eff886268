use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{ROWS, Statement, all, is_allowed, lengths, statements, tables};
use crate::store::dialect::Dialect;

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}

fn fill(rows: u32, user: &str) -> String {
    format!(
        "INSERT INTO countersign_sessions (id, realm, user_id, token_hash, created_at, authenticated_at, last_seen_at, expires_at) \
         SELECT gen_random_uuid(), 'default', ({user})::text, sha256((n::text || random()::text)::bytea), now(), now(), now(), \
         now() + interval '1 day' FROM generate_series(1, {rows}) n"
    )
}

/// What stands for the parameters: lists of this length, other things once.
fn arguments(text: &str, length: usize) -> String {
    let mut arguments = Vec::new();
    while text.contains(&format!("${}::", arguments.len() + 1)) {
        let number = arguments.len() + 1;
        let is = |kind: &str| text.contains(&format!("${number}::{kind}"));
        let list =
            |value: &str, kind: &str| format!("ARRAY[{}]::{kind}", vec![value; length].join(","));
        let id = "'01900000-0000-7000-8000-000000000000'";
        arguments.push(match () {
            () if is("bytea[]") => list("'\\x00'::bytea", "bytea[]"),
            () if is("text[]") => list(id, "text[]"),
            () if is("bytea") => "'\\x00'".to_owned(),
            () if is("bigint") => "1".to_owned(),
            () if is("text::json") => {
                format!("'[{}]'", vec![id.replace('\'', "\""); length].join(","))
            }
            () if is("text::uuid") => id.to_owned(),
            () => "'1'".to_owned(),
        });
    }
    arguments.join(", ")
}

async fn plan(connection: &mut PgConnection, statement: &Statement, length: usize) -> Vec<String> {
    let text = statement.for_list(length).0;
    let arguments = arguments(text.as_str(), length);
    let prepare = format!("DEALLOCATE ALL; PREPARE asked AS {}", text.as_str());
    run(connection, &prepare).await;
    let execute = match arguments.as_str() {
        "" => "EXPLAIN EXECUTE asked".to_owned(),
        arguments => format!("EXPLAIN EXECUTE asked({arguments})"),
    };
    let rows = sqlx::raw_sql(AssertSqlSafe(execute))
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn assert_plans(connection: &mut PgConnection, when: &str) {
    let statements = statements(Dialect::Postgres);
    for mode in ["force_generic_plan", "force_custom_plan"] {
        run(connection, &format!("SET plan_cache_mode = {mode}")).await;
        for (name, statement, allowed) in all(&statements) {
            for length in lengths() {
                let plan = plan(connection, statement, length).await;
                for line in &plan {
                    let reads = line.contains("Seq Scan on countersign_sessions");
                    let index = line
                        .split_once("Scan using ")
                        .or_else(|| line.split_once("Bitmap Index Scan on "))
                        .and_then(|(_, rest)| rest.split(' ').next());
                    let other = index.is_some_and(|index| {
                        index.starts_with("countersign_sessions") && !is_allowed(index, allowed)
                    });
                    assert!(
                        !reads && !other,
                        "{name}({length}) {when}, {mode}: {plan:#?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn statements_go_by_their_index() {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES")
        .expect("COUNTERSIGN_TEST_POSTGRES is not set: run the tests with `scripts/with-servers cargo test …`");
    let mut admin = PgConnection::connect(&server).await.unwrap();
    // Gone with the connection: nothing has to be dropped when a plan is not as it should be.
    let schema = include_str!("../../../../migrations/postgres/0001_sessions.sql");
    let schema = tables(schema).replace("CREATE TABLE ", "CREATE TEMPORARY TABLE ");
    run(&mut admin, &schema).await;
    run(&mut admin, &fill(ROWS, "n % 1000")).await;
    assert_plans(&mut admin, "never analysed").await;
    run(&mut admin, "ANALYZE countersign_sessions, users, grants").await;
    assert_plans(&mut admin, "analysed").await;
    run(&mut admin, "TRUNCATE countersign_sessions").await;
    run(&mut admin, &fill(3, "n")).await;
    run(&mut admin, "ANALYZE countersign_sessions").await;
    run(&mut admin, &fill(ROWS, "n % 1000")).await;
    assert_plans(&mut admin, "analysed when there were three rows").await;
}
