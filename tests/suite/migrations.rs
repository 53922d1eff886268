//! The tables: made by an explicit call, checked at start, apart from the application's own.

use countersign::{BuildError, SessionsBuilder};

use crate::support::{App, Database, Pool, app::usual, on_every_database};

const TABLES: [&str; 3] = [
    "countersign_sessions",
    "countersign_users",
    "_countersign_migrations",
];

async fn build_error(builder: SessionsBuilder) -> BuildError {
    usual(builder).build().await.unwrap_err()
}

async fn steps(database: &Database) -> i64 {
    database
        .count("SELECT count(*) FROM _countersign_migrations")
        .await
}

on_every_database! {
    async fn from_empty_and_again_and_again(database: Database) {
        let error = build_error(database.builder()).await;
        assert!(matches!(error, BuildError::SchemaMissing), "{error:?}");
        assert!(error.to_string().contains("countersign::migrate(&pool)"), "{error}");

        database.pool.migrate().await.unwrap();
        let once = steps(&database).await;
        for table in TABLES {
            database.count(&format!("SELECT count(*) FROM {table}")).await;
        }
        database.pool.migrate().await.unwrap();
        assert_eq!(steps(&database).await, once);
        let app = App::of(usual(database.builder()).build().await.unwrap());
        let client = app.signed_in("2").await;
        database.pool.migrate().await.unwrap();
        assert_eq!(app.who(&client).await, "2");
    }

    async fn eight_nodes_that_start_at_once_migrate_once(database: Database) {
        let other = database.second_pool().await;
        let starting = (0..8).map(|node| {
            let pool = if node % 2 == 0 { &database.pool } else { &other };
            async move {
                pool.migrate().await.unwrap();
                usual(pool.builder()).build().await.unwrap()
            }
        });
        let nodes = futures::future::join_all(starting).await;
        let client = App::of(nodes[0].clone()).signed_in("2").await;
        assert_eq!(App::of(nodes[7].clone()).who(&client).await, "2");
        assert_eq!(steps(&database).await, database.count("SELECT max(version) FROM _countersign_migrations").await);
    }

    async fn older_tables_say_what_to_run_and_newer_ones_what_to_update(database: Database) {
        database.pool.migrate().await.unwrap();
        let version = database.count("SELECT max(version) FROM _countersign_migrations").await;
        database.execute("UPDATE _countersign_migrations SET version = version + 1").await;
        let error = build_error(database.builder()).await;
        assert!(
            matches!(error, BuildError::SchemaNewer { found, needed } if found == version + 1 && needed == version),
            "{error:?}"
        );
        assert!(error.to_string().contains("update the countersign dependency"), "{error}");
        let error = database.pool.migrate().await.unwrap_err();
        assert!(error.to_string().contains("update the"), "{error}");

        database.execute("UPDATE _countersign_migrations SET version = version - 2").await;
        let error = build_error(database.builder()).await;
        assert!(
            matches!(error, BuildError::SchemaOlder { found, needed } if found == version - 1 && needed == version),
            "{error:?}"
        );
        assert!(error.to_string().contains("countersign::migrate(&pool)"), "{error}");

        database.execute("DELETE FROM _countersign_migrations").await;
        let error = build_error(database.builder()).await;
        assert!(matches!(error, BuildError::SchemaMissing), "{error:?}");
    }

    async fn the_applications_own_migrations_are_left_alone(database: Database) {
        let own = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description VARCHAR(20) NOT NULL)";
        database.execute(own).await;
        database.execute("INSERT INTO _sqlx_migrations VALUES (99, 'mine')").await;
        database.pool.migrate().await.unwrap();
        usual(database.builder()).build().await.unwrap();
        assert_eq!(database.count("SELECT max(version) FROM _sqlx_migrations").await, 99);
        assert_eq!(database.count("SELECT count(*) FROM _sqlx_migrations").await, 1);
    }

    async fn requests_are_served_while_another_node_migrates(database: Database) {
        let app = App::new(&database).await;
        let client = app.signed_in("2").await;
        let other = database.second_pool().await;
        let migrating = async {
            for _ in 0..10 {
                other.migrate().await.unwrap();
            }
        };
        let serving = async {
            for _ in 0..40 {
                assert_eq!(app.who(&client).await, "2");
                app.signed_in("3").await;
            }
        };
        futures::join!(migrating, serving);
    }
}

/// A pool of somebody who may read and write, and not create tables.
#[cfg(any(feature = "postgres", feature = "mysql"))]
async fn pool_without_rights(database: &Database) -> (Pool, String) {
    let name = format!("reader_{}", countersign::uuid::Uuid::now_v7().simple());
    let url = database.url();
    let database_name = url.rsplit_once('/').unwrap().1.to_owned();
    let grants = match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => unreachable!("SQLite has no users"),
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => vec![
            format!("CREATE ROLE {name} LOGIN PASSWORD 'reader'"),
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
            format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}"
            ),
            format!(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name}"
            ),
        ],
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            let short = &name[name.len() - 20..];
            vec![
                format!("CREATE USER '{short}'@'%' IDENTIFIED BY 'reader'"),
                format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON {database_name}.* TO '{short}'@'%'"
                ),
            ]
        }
    };
    for grant in grants {
        database.execute(&grant).await;
    }
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.split_once('@').unwrap();
    let pool = match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => unreachable!("SQLite has no users"),
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => Pool::Postgres(
            sqlx::PgPool::connect(&format!("{scheme}://{name}:reader@{place}"))
                .await
                .unwrap(),
        ),
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            let short = &name[name.len() - 20..];
            Pool::MySql(
                sqlx::MySqlPool::connect(&format!("{scheme}://{short}:reader@{place}"))
                    .await
                    .unwrap(),
            )
        }
    };
    (pool, name)
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
async fn who_may_not_create_tables_is_told_so_and_can_serve(database: Database) {
    let (pool, name) = pool_without_rights(&database).await;
    let error = pool.migrate().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("needs the right to create tables"),
        "{error}"
    );
    database.pool.migrate().await.unwrap();
    let app = App::on(&pool, |builder| builder).await;
    let mut client = app.signed_in("2").await;
    assert_eq!(app.who(&client).await, "2");
    client.post(&app.router, "/rotate").await;
    client.post(&app.router, "/logout").await;
    app.sessions.sweep().await.unwrap();
    pool.close().await;
    match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => {}
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => {
            database.execute(&format!("DROP OWNED BY {name}")).await;
            database.execute(&format!("DROP ROLE {name}")).await;
        }
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            let short = &name[name.len() - 20..];
            database.execute(&format!("DROP USER '{short}'@'%'")).await;
        }
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn rights_on_postgres() {
    who_may_not_create_tables_is_told_so_and_can_serve(Database::postgres().await).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn rights_on_mysql() {
    who_may_not_create_tables_is_told_so_and_can_serve(Database::mysql().await).await;
}
