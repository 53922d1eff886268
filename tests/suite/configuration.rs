//! Nothing is valid by accident, and whoever configures something wrong is told what to do.

use std::time::Duration;

use countersign::{
    Access, BuildError, ErrorKind, Key, PermissionSource, SessionsBuilder, SourceFuture, UserId,
};

use crate::support::{Database, KEY, app::usual, on_every_database};

const ACCOUNT: &str = "users WHERE id = {user:int}";

/// Builds with something wrong; what the error says.
async fn refused(
    database: &Database,
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> (BuildError, String) {
    let error = configure(database.builder()).build().await.unwrap_err();
    let message = error.to_string();
    (error, message)
}

fn with_key(builder: SessionsBuilder) -> SessionsBuilder {
    builder.key(Key::from_base64(KEY).unwrap())
}

macro_rules! assert_refused {
    ($database:expr, $configure:expr, $error:pat, $says:expr) => {{
        let (error, message) = refused($database, $configure).await;
        assert!(matches!(error, $error), "{error:?}");
        assert!(message.contains($says), "{message}");
    }};
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_said_before_anything_runs() {
    let database = &Database::any().await;
    database.pool.migrate().await.unwrap();
    assert_refused!(
        database,
        |builder| builder.any_account(),
        BuildError::Keys { .. },
        "openssl rand"
    );
    assert_refused!(
        database,
        with_key,
        BuildError::AccountMissing,
        ".any_account()"
    );
    assert_refused!(
        database,
        |builder| with_key(builder).any_account().permission_source(Nobody),
        BuildError::TwoPermissionSources,
        "drop `.permission_source`"
    );
    for (session, flash, says) in [
        ("", "flash", "empty"),
        ("same", "same", "different names"),
        ("__Host-session", "flash", "pass the bare name"),
        ("sess;ion", "flash", "use letters"),
    ] {
        assert_refused!(
            database,
            |builder| usual(builder).cookie_names(session, flash),
            BuildError::CookieNames { .. },
            says
        );
    }
    for proxy in ["proxy.example", "10.0.0.0/33", ""] {
        assert_refused!(
            database,
            |builder| usual(builder).trusted_proxies([proxy]),
            BuildError::TrustedProxy { .. },
            "10.0.0.0/8"
        );
    }
    for page in ["https://evil.example", "//evil.example", "login", "/a?b"] {
        assert_refused!(
            database,
            |builder| usual(builder).sign_in_page(page),
            BuildError::SignInPage { .. },
            "a path of this site"
        );
    }
}

#[tokio::test]
async fn durations_and_numbers_have_to_make_sense() {
    let database = &Database::any().await;
    database.pool.migrate().await.unwrap();
    let hour = Duration::from_secs(3600);
    type Set = fn(SessionsBuilder, Duration) -> SessionsBuilder;
    let settings: [(&str, Set); 8] = [
        ("idle_timeout", |builder, value| builder.idle_timeout(value)),
        ("remembered_idle_timeout", |builder, value| {
            builder.remembered_idle_timeout(value)
        }),
        ("absolute_timeout", |builder, value| {
            builder.absolute_timeout(value)
        }),
        ("touch_interval", |builder, value| {
            builder.touch_interval(value)
        }),
        ("rotation_grace", |builder, value| {
            builder.rotation_grace(value)
        }),
        ("reservation_timeout", |builder, value| {
            builder.reservation_timeout(value)
        }),
        ("retention", |builder, value| builder.retention(value)),
        ("time_budget", |builder, value| builder.time_budget(value)),
    ];
    for (setting, set) in settings {
        assert_refused!(
            database,
            |builder| set(usual(builder), Duration::MAX),
            BuildError::Duration { .. },
            setting
        );
        if !matches!(setting, "touch_interval" | "rotation_grace" | "retention") {
            assert_refused!(
                database,
                |builder| set(usual(builder), Duration::ZERO),
                BuildError::Duration { .. },
                setting
            );
        }
    }
    assert_refused!(
        database,
        |builder| usual(builder).idle_timeout(2 * hour).absolute_timeout(hour),
        BuildError::Duration {
            setting: "idle_timeout",
            ..
        },
        "at most the absolute timeout"
    );
    for remembered in [hour, 4 * hour] {
        assert_refused!(
            database,
            |builder| usual(builder)
                .idle_timeout(2 * hour)
                .remembered_idle_timeout(remembered)
                .absolute_timeout(3 * hour),
            BuildError::Duration {
                setting: "remembered_idle_timeout",
                ..
            },
            "at least the idle timeout"
        );
    }
    assert_refused!(
        database,
        |builder| usual(builder).idle_timeout(hour).touch_interval(hour),
        BuildError::Duration {
            setting: "touch_interval",
            ..
        },
        "half of the idle timeout"
    );
    assert_refused!(
        database,
        |builder| usual(builder).queue_capacity(0),
        BuildError::Number {
            setting: "queue_capacity",
            ..
        },
        "at least one"
    );
    assert_refused!(
        database,
        |builder| usual(builder).max_lanes(0),
        BuildError::Number {
            setting: "max_lanes",
            ..
        },
        "at least one"
    );
    assert_refused!(
        database,
        |builder| usual(builder).max_lanes(2).connections(5),
        BuildError::Number {
            setting: "connections",
            ..
        },
        "four more"
    );
    assert_refused!(
        database,
        |builder| usual(builder).max_lanes(usize::MAX),
        BuildError::Number {
            setting: "max_lanes",
            ..
        },
        "at most"
    );
}

on_every_database! {
    async fn sql_without_the_users_id_or_with_an_unknown_form_is_refused(database: Database) {
        let database = &database;
        database.pool.migrate().await.unwrap();
        for sql in [
            "users", "users WHERE id = {user}", "users WHERE id = {user:number}", "users WHERE id = {user:int} OR id = {userid}",
            "users WHERE id = '{user:int}'", "users WHERE id = 2 -- {user:int}",
        ] {
            let start = |builder| with_key(builder).account(sql);
            assert_refused!(database, start, BuildError::UserPlaceholder { .. }, "{user:uuid}");
            let start = |builder| usual(builder).permissions("name", sql);
            assert_refused!(database, start, BuildError::UserPlaceholder { .. }, sql);
            let query = format!("SELECT 1 FROM {sql}");
            let start = |builder| usual(builder).limit_query(&query);
            assert_refused!(database, start, BuildError::UserPlaceholder { .. }, sql);
        }
    }

    async fn sql_of_another_shape_is_refused_by_its_call(database: Database) {
        let database = &database;
        database.pool.migrate().await.unwrap();
        for sql in ["SELECT 1 FROM users WHERE id = {user:int}", "  select id from users where id = {user:int}"] {
            let start = |builder| with_key(builder).account(sql);
            assert_refused!(database, start, BuildError::SqlShape { .. }, "`.account` takes the FROM part of a query, without SELECT");
            let start = |builder| usual(builder).permissions("name", sql);
            assert_refused!(database, start, BuildError::SqlShape { .. }, "`.permissions` takes the FROM part");
            let start = |builder| usual(builder).profile(["name"], sql);
            assert_refused!(database, start, BuildError::SqlShape { .. }, "`.profile` takes the FROM part");
        }
        for around in ["GROUP BY permission", "ORDER BY 1", "order  by permission", "LIMIT 1", "UNION SELECT 'a'"] {
            let sql = format!("user_permissions WHERE user_id = {{user:int}} {around}");
            let start = |builder| usual(builder).permissions("permission", &sql);
            assert_refused!(database, start, BuildError::SqlShape { .. }, "`.permissions` takes a FROM part without GROUP BY");
        }
        let start = |builder| usual(builder).limit_query("quotas WHERE id = {user:int}");
        assert_refused!(database, start, BuildError::SqlShape { .. }, "`.limit_query` takes a whole query");

        // In parentheses, in quotes, or in another place it is none of these.
        let sql = "(SELECT permission, user_id AS owner FROM user_permissions ORDER BY permission LIMIT 9) p \
                   WHERE p.owner = {user:int} AND p.permission <> 'LIMIT 1'";
        let start = usual(database.builder()).permissions("p.permission", sql);
        start.build().await.unwrap();
    }

    async fn sql_that_does_not_run_is_found_at_start(database: Database) {
        let database = &database;
        database.pool.migrate().await.unwrap();
        for (wrong, named) in [
            ("no_such_table WHERE id = {user:int}", "no_such_table"),
            ("users WHERE no_such_column = {user:int}", "no_such_column"),
        ] {
            let start = |builder| with_key(builder).account(wrong);
            assert_refused!(database, start, BuildError::Database(_), named);
            let start = |builder| usual(builder).permissions("name", wrong);
            assert_refused!(database, start, BuildError::Database(_), named);
            let query = format!("SELECT 1 FROM {wrong}");
            let start = |builder| usual(builder).limit_query(query);
            assert_refused!(database, start, BuildError::Database(_), named);
        }
        let start = |builder| usual(builder).permissions("no_such_column", ACCOUNT);
        assert_refused!(database, start, BuildError::Database(_), "no_such_column");
        let start = |builder| with_key(builder).account("users WHERE (id = {user:int}");
        let (error, message) = refused(database, start).await;
        let BuildError::Database(error) = error else { panic!("{message}") };
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(message.contains("the SQL given to the builder"), "{message}");
    }

    async fn a_database_that_is_away_is_another_error_than_wrong_sql(database: Database) {
        let pool = database.pool_of(1).await;
        pool.close().await;
        let error = usual(pool.builder()).build().await.unwrap_err();
        let BuildError::Database(error) = error else { panic!("{error}") };
        assert!(error.is_unavailable());
    }
}

struct Nobody;

impl PermissionSource for Nobody {
    fn access<'a>(&'a self, _: &'a UserId) -> SourceFuture<'a> {
        Box::pin(async { Ok(Access::Denied) })
    }
}
