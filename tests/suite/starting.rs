//! `build` refuses a database on which sign-ins would fail later, and says what to do.

use countersign::{BuildError, Sessions};

use crate::support::{App, Database, Pool, app::usual, on_every_database, with_pool};

/// What `build` says over this pool, which it refuses.
async fn refused(pool: &Pool) -> (BuildError, String) {
    let error = usual(pool.builder()).build().await.unwrap_err();
    let message = error.to_string();
    (error, message)
}

/// What is damaged, by its own words.
async fn damage(database: &Database) -> Vec<String> {
    let (error, message) = refused(&database.pool).await;
    let BuildError::SchemaDamaged { problems } = error else {
        panic!("{message}")
    };
    assert!(message.contains("from a backup"), "{message}");
    problems
}

/// The statement that a problem ends with.
fn remedy(problem: &str) -> &str {
    problem
        .split('`')
        .nth(1)
        .unwrap_or_else(|| panic!("{problem}"))
}

async fn build(pool: &Pool) -> Sessions {
    usual(pool.builder()).build().await.unwrap()
}

/// Changes tables, always on the same connection: SQLite's others learn of it when they next read.
async fn alter(pool: &Pool, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    with_pool!(pool, pool => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()));
}

/// The name of each index of the sessions, but for the primary key's.
async fn indexes(database: &Database) -> Vec<String> {
    let query = match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => {
            "SELECT name FROM pragma_index_list('countersign_sessions') WHERE origin = 'c'"
        }
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => {
            "SELECT indexname::text FROM pg_indexes WHERE tablename = 'countersign_sessions' AND indexname NOT LIKE '%_pkey'"
        }
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            "SELECT DISTINCT CAST(index_name AS CHAR) FROM information_schema.statistics WHERE table_schema = DATABASE() \
             AND table_name = 'countersign_sessions' AND index_name <> 'PRIMARY'"
        }
    };
    with_pool!(&database.pool, pool => {
        sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
    })
}

fn is_mysql(database: &Database) -> bool {
    match &database.pool {
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => true,
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

on_every_database! {
    async fn a_start_leaves_nothing_behind(database: Database) {
        database.pool.migrate().await.unwrap();
        let starting = (0..8).map(|_| build(&database.pool));
        let nodes = futures::future::join_all(starting).await;
        for table in ["countersign_sessions", "countersign_users"] {
            assert_eq!(database.count(&format!("SELECT count(*) FROM {table}")).await, 0);
        }
        let client = App::of(nodes[0].clone()).signed_in("2").await;
        assert_eq!(App::of(nodes[7].clone()).who(&client).await, "2");
    }

    async fn an_index_that_is_gone_is_told_with_the_statement_that_makes_it(database: Database) {
        database.pool.migrate().await.unwrap();
        let one = database.pool_of(1).await;
        let indexes = indexes(&database).await;
        assert!(indexes.len() > 5, "{indexes:?}");
        for index in &indexes {
            let on = if is_mysql(&database) { " ON countersign_sessions" } else { "" };
            alter(&one, &format!("DROP INDEX {index}{on}")).await;
            let problems = damage(&database).await;
            let [problem] = problems.as_slice() else { panic!("{problems:?}") };
            assert!(problem.contains(index.as_str()), "{problem}");
            alter(&one, remedy(problem)).await;
        }
        build(&database.pool).await;
    }

    async fn an_index_over_other_columns_is_told(database: Database) {
        database.pool.migrate().await.unwrap();
        let one = database.pool_of(1).await;
        let on = if is_mysql(&database) { " ON countersign_sessions" } else { "" };
        alter(&one, &format!("DROP INDEX countersign_sessions_user{on}")).await;
        // The name alone is not enough.
        alter(&one, "CREATE INDEX countersign_sessions_user ON countersign_sessions (user_id)").await;
        let problems = damage(&database).await;
        assert!(problems[0].contains("is user_id and must be realm user_id"), "{problems:?}");
    }

    async fn columns_and_tables_that_are_gone_are_named(database: Database) {
        database.pool.migrate().await.unwrap();
        database.execute("ALTER TABLE countersign_users RENAME COLUMN max_sessions TO maximum").await;
        assert_eq!(damage(&database).await, ["the column countersign_users.max_sessions is missing"]);
        database.execute("DROP TABLE countersign_users").await;
        assert_eq!(damage(&database).await, ["the table countersign_users is missing"]);
    }

    async fn what_the_trial_meets_is_told(database: Database) {
        database.pool.migrate().await.unwrap();
        // An addition that the schema's check has no reason to refuse, and that every sign-in would fail on.
        let added = "ALTER TABLE countersign_sessions ADD COLUMN tenant VARCHAR(9) CHECK (tenant IS NOT NULL)";
        database.execute(added).await;
        let (error, message) = refused(&database.pool).await;
        assert!(matches!(error, BuildError::Database(_)), "{message}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_file_that_is_read_only_is_refused() {
    let database = Database::sqlite().await;
    database.pool.migrate().await.unwrap();
    let read_only = countersign::sqlite_options(&database.url())
        .unwrap()
        .read_only(true);
    let pool = Pool::Sqlite(sqlx::SqlitePool::connect_with(read_only).await.unwrap());
    let (error, message) = refused(&pool).await;
    assert!(matches!(error, BuildError::ReadOnly { .. }), "{message}");
    assert!(message.contains("reaches the primary"), "{message}");
    database.execute("DROP TABLE _countersign_migrations").await;
    let error = pool.migrate().await.unwrap_err().to_string();
    assert!(error.contains("takes no writes"), "{error}");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_database_of_read_only_transactions_is_refused() {
    let database = Database::postgres().await;
    database.pool.migrate().await.unwrap();
    let (_, name) = database
        .url()
        .rsplit_once('/')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let setting = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    database.execute(&setting).await;
    let (error, message) = refused(&database.second_pool().await).await;
    assert!(matches!(error, BuildError::ReadOnly { .. }), "{message}");
    assert!(message.contains("read-only by default"), "{message}");
}

/// A role that may do everything but this.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_right_that_is_missing_is_named_on_postgres() {
    let database = Database::postgres().await;
    database.pool.migrate().await.unwrap();
    let role = format!("role_{}", countersign::uuid::Uuid::now_v7().simple());
    database
        .execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'role'"))
        .await;
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO";
    database.execute(&format!("{grant} {role}")).await;
    let (scheme, rest) = database
        .url()
        .split_once("://")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let place = rest.rsplit_once('@').unwrap().1.to_owned();
    let pool = database
        .pool_at(&format!("{scheme}://{role}:role@{place}"), 2)
        .await;
    build(&pool).await;
    for (right, table) in [
        ("INSERT", "countersign_users"),
        ("UPDATE", "countersign_users"),
        ("INSERT", "countersign_sessions"),
        ("UPDATE", "countersign_sessions"),
        ("DELETE", "countersign_sessions"),
        ("SELECT", "countersign_sessions"),
        ("SELECT", "_countersign_migrations"),
        ("SELECT", "users"),
    ] {
        database
            .execute(&format!("REVOKE {right} ON {table} FROM {role}"))
            .await;
        let (error, message) = refused(&pool).await;
        assert!(
            matches!(error, BuildError::RightMissing(_)),
            "{right} on {table}: {message}"
        );
        assert!(
            message.contains(&format!("permission denied for table {table}")),
            "{message}"
        );
        database
            .execute(&format!("GRANT {right} ON {table} TO {role}"))
            .await;
    }
    build(&pool).await;
    pool.close().await;
    database.execute(&format!("DROP OWNED BY {role}")).await;
    database.execute(&format!("DROP ROLE {role}")).await;
}

/// The right to make the second table came too late.
#[cfg(feature = "mysql")]
#[tokio::test]
async fn a_migration_that_stopped_halfway_is_told_and_goes_on_the_next_time() {
    let database = Database::mysql().await;
    let url = database.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let id = countersign::uuid::Uuid::now_v7().simple().to_string();
    let user = format!("half_{}", &id[12..]);
    database
        .execute(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'half'"))
        .await;
    for grant in [
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO '{user}'@'%'"),
        format!("GRANT CREATE ON {name}.countersign_sessions TO '{user}'@'%'"),
        format!("GRANT CREATE ON {name}._countersign_migrations TO '{user}'@'%'"),
    ] {
        database.execute(&grant).await;
    }
    let (scheme, place) = server.split_once("://").unwrap();
    let place = place.rsplit_once('@').unwrap().1;
    let pool = database
        .pool_at(&format!("{scheme}://{user}:half@{place}/{name}"), 2)
        .await;

    let error = pool.migrate().await.unwrap_err().to_string();
    assert!(
        error.contains("needs the right to create tables"),
        "{error}"
    );
    let (error, message) = refused(&pool).await;
    assert!(
        matches!(error, BuildError::SchemaUnfinished { version: 1 }),
        "{message}"
    );
    assert!(message.contains("may create tables"), "{message}");

    let rest = format!("GRANT CREATE ON {name}.countersign_users TO '{user}'@'%'");
    database.execute(&rest).await;
    pool.migrate().await.unwrap();
    let app = App::of(build(&pool).await);
    assert_eq!(app.who(&app.signed_in("2").await).await, "2");

    for (right, table) in [
        ("INSERT", "countersign_users"),
        ("DELETE", "countersign_sessions"),
    ] {
        database
            .execute(&format!(
                "REVOKE SELECT, INSERT, UPDATE, DELETE ON {name}.* FROM '{user}'@'%'"
            ))
            .await;
        for each in [
            "countersign_users",
            "countersign_sessions",
            "_countersign_migrations",
            "users",
            "user_permissions",
        ] {
            let rights = ["SELECT", "INSERT", "UPDATE", "DELETE"];
            let rights = rights
                .into_iter()
                .filter(|one| (*one, each) != (right, table));
            let rights = rights.collect::<Vec<_>>().join(", ");
            database
                .execute(&format!("GRANT {rights} ON {name}.{each} TO '{user}'@'%'"))
                .await;
        }
        let (error, message) = refused(
            &database
                .pool_at(&format!("{scheme}://{user}:half@{place}/{name}"), 2)
                .await,
        )
        .await;
        assert!(matches!(error, BuildError::RightMissing(_)), "{message}");
        assert!(
            message.contains(&format!("{right} command denied")),
            "{message}"
        );
        for each in [
            "countersign_users",
            "countersign_sessions",
            "_countersign_migrations",
            "users",
            "user_permissions",
        ] {
            database
                .execute(&format!(
                    "REVOKE ALL PRIVILEGES ON {name}.{each} FROM '{user}'@'%'"
                ))
                .await;
        }
        database
            .execute(&format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO '{user}'@'%'"
            ))
            .await;
    }
    database.execute(&format!("DROP USER '{user}'@'%'")).await;
}

/// As scripts do that convert all tables of a database to one collation, or to one engine.
#[cfg(feature = "mysql")]
#[tokio::test]
async fn another_collation_or_engine_is_told_with_the_statement_that_mends_it() {
    let database = Database::mysql().await;
    database.pool.migrate().await.unwrap();
    database
        .execute("ALTER TABLE countersign_users MODIFY user_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL")
        .await;
    let [problem] = damage(&database).await.try_into().unwrap();
    assert!(
        problem.contains("countersign_users.user_id is utf8mb4_general_ci"),
        "{problem}"
    );
    database.execute(remedy(&problem)).await;
    build(&database.pool).await;

    database
        .execute("ALTER TABLE countersign_users ENGINE = Aria")
        .await;
    let [problem] = damage(&database).await.try_into().unwrap();
    assert!(
        problem.contains("the engine of countersign_users is Aria"),
        "{problem}"
    );
    database.execute(remedy(&problem)).await;
    build(&database.pool).await;
}
