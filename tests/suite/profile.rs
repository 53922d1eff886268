//! What handlers want to know of the user, read with the session.

use std::collections::HashMap;

use axum::{Router, routing::get};
use countersign::{
    BuildError, CurrentUser, Key, ProfileError, Rejection, Session, SessionsBuilder, SignedIn,
    uuid::Uuid,
};
use http::StatusCode;
use serde::Deserialize;

use crate::support::{App, Client, Database, KEY, Pool, on_every_database};

/// The people of a table that has a column of every type.
struct People {
    table: &'static str,
    /// Of user 2; user 3 has NULL wherever it is possible.
    row: &'static str,
    /// From the columns' names.
    columns: &'static [&'static str],
}

fn people(database: &Database) -> People {
    match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => People {
            table: "CREATE TABLE people (id INTEGER PRIMARY KEY, label TEXT, small INTEGER, big INTEGER, price NUMERIC, \
                    half REAL, third REAL, truth BOOLEAN, tenant BLOB, photo BLOB, born TEXT, seen TEXT, kind TEXT, \
                    nested TEXT, tags TEXT)",
            row: "INSERT INTO people VALUES (2, 'q\"uo\\te ''😀'' é', -7, 9223372036854775807, '12345678901234.56', 0.5, \
                  0.30000000000000004, TRUE, x'0190000000007000800000000000000a', x'00ff', '2026-01-02', \
                  '2026-01-02 03:04:05.678', 'admin', '{\"a\": [1, null]}', '[\"x\", \"y,z\"]')",
            columns: &[
                "label", "small", "big", "price", "half", "third", "truth", "tenant", "photo",
                "born", "seen", "kind", "nested", "tags",
            ],
        },
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => People {
            table: "CREATE TABLE people (id BIGINT PRIMARY KEY, label TEXT, small SMALLINT, big BIGINT, \
                    price NUMERIC(30, 2), half REAL, third DOUBLE PRECISION, truth BOOLEAN, tenant UUID, photo BYTEA, \
                    born DATE, seen TIMESTAMPTZ, kind TEXT, nested JSONB, tags TEXT[])",
            row: "INSERT INTO people VALUES (2, 'q\"uo\\te ''😀'' é', -7, 9223372036854775807, 12345678901234.56, 0.5, \
                  0.30000000000000004, TRUE, '01900000-0000-7000-8000-00000000000a', '\\x00ff', '2026-01-02', \
                  '2026-01-02 03:04:05.678+00', 'admin', '{\"a\": [1, null]}', ARRAY['x', 'y,z'])",
            columns: &[
                "label",
                "small",
                "big",
                "price",
                "half",
                "third",
                "truth",
                "tenant",
                "photo",
                "born",
                "to_char(seen AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') AS seen",
                "kind",
                "nested",
                "tags",
            ],
        },
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => People {
            table: "CREATE TABLE people (id BIGINT PRIMARY KEY, label VARCHAR(90) CHARACTER SET utf8mb4, small SMALLINT, \
                    big BIGINT, price DECIMAL(30, 2), half FLOAT, third DOUBLE, truth BOOLEAN, tenant BINARY(16), \
                    photo BLOB, born DATE, seen DATETIME(3), kind ENUM('user', 'admin'), nested JSON, tags JSON)",
            row: "INSERT INTO people VALUES (2, CONCAT('q', CHAR(34), 'uo', CHAR(92), 'te ''😀'' é'), -7, \
                  9223372036854775807, 12345678901234.56, 0.5, 0.30000000000000004, TRUE, \
                  UNHEX('0190000000007000800000000000000A'), UNHEX('00FF'), '2026-01-02', '2026-01-02 03:04:05.678', \
                  'admin', '{\"a\": [1, null]}', '[\"x\", \"y,z\"]')",
            columns: &[
                "label", "small", "big", "price", "half", "third", "truth", "tenant", "photo",
                "born", "seen", "kind", "nested", "tags",
            ],
        },
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    User,
    Admin,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Nested {
    a: Vec<Option<i32>>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Person {
    label: String,
    small: i16,
    big: i64,
    price: String,
    half: f32,
    third: f64,
    truth: bool,
    tenant: Uuid,
    photo: String,
    born: String,
    seen: String,
    kind: Kind,
    nested: Nested,
    tags: Vec<String>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
struct MaybePerson {
    label: Option<String>,
    small: Option<u8>,
    big: Option<u64>,
    price: Option<f64>,
    half: Option<f32>,
    third: Option<f64>,
    truth: Option<bool>,
    tenant: Option<Uuid>,
    photo: Option<String>,
    born: Option<String>,
    seen: Option<String>,
    nested: Option<HashMap<String, Vec<Option<i32>>>>,
    tags: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Named {
    name: String,
}

/// The names of `users`, as the usual tests have them.
fn names(builder: SessionsBuilder) -> SessionsBuilder {
    builder.profile(["id", "name"], "users WHERE id = {user:int}")
}

/// Answers with what the profile says of the user, or why it cannot.
async fn name(user: SignedIn) -> Result<String, String> {
    let named: Result<Named, _> = user.profile();
    named
        .map(|named| named.name)
        .map_err(|error| error.to_string())
}

fn router(app: &App) -> Router {
    Router::new()
        .route("/name", get(name))
        .route(
            "/current",
            get(|CurrentUser(user): CurrentUser<Named>| async move { user.name }),
        )
        .route(
            "/maybe",
            get(|user: Option<CurrentUser<Named>>| async move {
                user.map_or_else(|| "no user".to_owned(), |CurrentUser(user)| user.name)
            }),
        )
        .layer(app.sessions.layer())
}

/// The profile of a user as a handler gets it.
async fn profile_of<T: serde::de::DeserializeOwned + Send + 'static>(
    app: &App,
    client: &mut Client,
) -> Result<T, ProfileError> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let router = Router::new()
        .route(
            "/profile",
            get(move |user: SignedIn| async move {
                sender.try_send(user.profile::<T>()).ok();
            }),
        )
        .layer(app.sessions.layer());
    assert_eq!(client.get(&router, "/profile").await.status, StatusCode::OK);
    receiver.try_recv().unwrap()
}

async fn refused(database: &Database, columns: &[&str], from: &str) -> BuildError {
    database.pool.migrate().await.unwrap();
    let builder = database
        .builder()
        .key(Key::from_base64(KEY).unwrap())
        .any_account();
    builder
        .profile(columns.to_vec(), from)
        .build()
        .await
        .unwrap_err()
}

on_every_database! {
    async fn a_handler_has_the_user_as_of_this_request(database: Database) {
        let app = App::with(&database, names).await;
        let router = router(&app);
        let mut client = app.signed_in("2").await;
        database.execute("UPDATE users SET name = 'one' WHERE id = 2").await;
        for path in ["/name", "/current", "/maybe"] {
            assert_eq!(client.get(&router, path).await.body, "one", "{path}");
        }
        database.execute("UPDATE users SET name = 'it''s another' WHERE id = 2").await;
        assert_eq!(client.get(&router, "/current").await.body, "it's another");

        let mut anonymous = Client::new();
        assert_eq!(anonymous.get(&router, "/current").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(anonymous.get(&router, "/maybe").await.body, "no user");
    }

    async fn every_type_that_people_have_arrives(database: Database) {
        let people = people(&database);
        for sql in [people.table, people.row, "INSERT INTO people (id) VALUES (3)"] {
            database.run(sql).await;
        }
        let app = App::with(&database, |builder| {
            builder.profile(people.columns.to_vec(), "people WHERE id = {user:int}")
        }).await;
        let mut client = app.signed_in("2").await;
        let person: Person = profile_of(&app, &mut client).await.unwrap();
        let expected = Person {
            label: r#"q"uo\te '😀' é"#.into(),
            small: -7,
            big: i64::MAX,
            price: "12345678901234.56".into(),
            half: 0.5,
            third: 0.300_000_000_000_000_04,
            truth: true,
            tenant: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000a),
            photo: "00ff".into(),
            born: "2026-01-02".into(),
            seen: "2026-01-02 03:04:05.678".into(),
            kind: Kind::Admin,
            nested: Nested { a: vec![Some(1), None] },
            tags: vec!["x".into(), "y,z".into()],
        };
        assert_eq!(person, expected);

        let mut client = app.signed_in("3").await;
        assert_eq!(profile_of::<MaybePerson>(&app, &mut client).await.unwrap(), MaybePerson::default());
        let error = profile_of::<Person>(&app, &mut client).await.unwrap_err();
        assert!(error.to_string().contains("column `label`"), "{error}");
        assert!(error.to_string().contains("found NULL, expected a string"), "{error}");
    }

    async fn what_does_not_fit_is_told_without_the_value(database: Database) {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Wrong {
            name: u32,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Missing {
            email: String,
        }
        let app = App::with(&database, names).await;
        let mut client = app.signed_in("2").await;
        database.execute("UPDATE users SET name = 'Secretname' WHERE id = 2").await;
        let error = profile_of::<Wrong>(&app, &mut client).await.unwrap_err().to_string();
        assert!(error.contains("column `name`") && error.contains("found text, expected u32"), "{error}");
        assert!(!error.contains("Secretname"), "{error}");
        let error = profile_of::<Missing>(&app, &mut client).await.unwrap_err().to_string();
        assert!(error.contains("no column has the name `email`"), "{error}");

        let wrong = Router::new()
            .route("/", get(|_: CurrentUser<Wrong>| async {}))
            .layer(app.sessions.layer());
        assert_eq!(client.get(&wrong, "/").await.status, StatusCode::INTERNAL_SERVER_ERROR);
        let shown = Router::new()
            .route("/", get(|user: SignedIn, session: Session| async move { format!("{user:?} {session:?}") }))
            .layer(app.sessions.layer());
        let shown = client.get(&shown, "/").await.body;
        assert!(shown.contains("SignedIn") && !shown.contains("Secretname"), "{shown}");
    }

    async fn a_user_without_a_row_stays_signed_in(database: Database) {
        database.execute("CREATE TABLE cards (person BIGINT, name VARCHAR(20))").await;
        let app = App::with(&database, |builder| {
            builder.profile(["name"], "cards WHERE person = {user:int}")
        }).await;
        let router = router(&app);
        let mut client = app.signed_in("2").await;
        assert_eq!(app.who(&client).await, "2");
        assert!(client.get(&router, "/name").await.body.contains("finds no row for this user"));
        assert_eq!(client.get(&router, "/current").await.status, StatusCode::INTERNAL_SERVER_ERROR);
        database.execute("INSERT INTO cards VALUES (2, 'one')").await;
        assert_eq!(client.get(&router, "/current").await.body, "one");

        // Which of two rows is the user's is not known. The user stays signed in, and no other user suffers.
        let mut other = app.signed_in("3").await;
        database.execute("INSERT INTO cards VALUES (2, 'two'), (3, 'three')").await;
        assert!(client.get(&router, "/name").await.body.contains("finds several rows for this user"));
        assert_eq!(client.get(&router, "/current").await.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(other.get(&router, "/current").await.body, "three");
    }

    async fn each_user_of_a_batch_has_a_profile(database: Database) {
        let app = App::with(&database, names).await;
        database.execute("DELETE FROM user_permissions WHERE user_id = 2").await;
        database.execute("INSERT INTO user_permissions VALUES (3, 'a'), (3, 'b')").await;
        let mut clients = Vec::new();
        for number in 0..30 {
            let user = ["1", "2", "3"][number % 3];
            database.execute(&format!("UPDATE users SET name = 'name of {user}' WHERE id = {user}")).await;
            clients.push((user, app.signed_in(user).await));
        }
        let router = router(&app);
        let requests = clients.into_iter().map(|(user, mut client)| {
            let router = router.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    assert_eq!(client.get(&router, "/current").await.body, format!("name of {user}"));
                }
            })
        });
        futures::future::try_join_all(requests).await.unwrap();
    }

    async fn the_profile_is_of_the_user_that_an_administrator_acts_as(database: Database) {
        let app = App::with(&database, names).await;
        let mut browser = app.signed_in("1").await;
        database.execute("UPDATE users SET name = 'the user' WHERE id = 2").await;
        assert_eq!(browser.post(&app.router, "/act-as/2").await.status, StatusCode::OK);
        assert_eq!(browser.get(&router(&app), "/current").await.body, "the user");
    }

    async fn a_long_text_arrives_whole(database: Database) {
        database.execute("CREATE TABLE notes (person BIGINT PRIMARY KEY, name MEDIUMTEXT)".replace(
            "MEDIUMTEXT",
            match &database.pool {
                #[cfg(feature = "mysql")]
                Pool::MySql(_) => "MEDIUMTEXT",
                #[allow(unreachable_patterns)]
                _ => "TEXT",
            },
        ).as_str()).await;
        let long = "0123456789".repeat(30_000);
        database.execute(&format!("INSERT INTO notes VALUES (2, '{long}')")).await;
        let app = App::with(&database, |builder| {
            builder.profile(["name"], "notes WHERE person = {user:int}")
        }).await;
        let mut client = app.signed_in("2").await;
        let named: Named = profile_of(&app, &mut client).await.unwrap();
        assert_eq!(named.name, long);
    }

    async fn a_mistake_is_found_when_the_application_starts(database: Database) {
        let users = "users WHERE id = {user:int}";
        let quoted = refused(&database, &["\"nmae\""], users).await;
        assert!(quoted.to_string().contains("cannot read the column `nmae`"), "{quoted}");
        let error = refused(&database, &["name", "nmae"], users).await;
        let BuildError::ProfileColumn { column, .. } = &error else { panic!("{error}") };
        assert_eq!(column, "nmae");
        assert!(error.to_string().contains("cannot read the column `nmae`"), "{error}");

        for (columns, from, told) in [
            (&["name"][..], "persons WHERE id = {user:int}", "persons"),
            (&["name"], "users WHERE ide = {user:int}", "ide"),
            (&["name"], "users WHERE id = 2", "must contain the user's id"),
            (&[], users, "has no columns"),
            (&["lower(name)"], users, "no column with a name"),
            (&["name", "users.name"], users, "two columns of the name `name`"),
        ] {
            let error = refused(&database, columns, from).await.to_string();
            assert!(error.contains(told), "{columns:?} {from}: {error}");
        }
    }

    async fn without_a_setting_there_is_no_profile(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        assert_eq!(profile_of::<Named>(&app, &mut client).await, Err(ProfileError::NotConfigured));
        let umbrella = Rejection::from(ProfileError::NotConfigured).to_string();
        assert!(umbrella.contains("call `.profile("), "{umbrella}");
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn no_setting_of_the_connection_changes_a_letter_or_a_bit() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Bits {
        name: String,
        flags: u16,
        one: bool,
    }
    let database = Database::mysql().await;
    for sql in [
        "CREATE TABLE cards (person BIGINT, name VARCHAR(20) CHARACTER SET utf8mb4, flags BIT(9), one BIT(1))",
        "INSERT INTO cards VALUES (2, '😀', b'100000000', b'1')",
    ] {
        database.run(sql).await;
    }
    database.pool.migrate().await.unwrap();
    let url = format!(
        "{}?charset=latin1&collation=latin1_swedish_ci",
        database.url()
    );
    let pool = database.pool_at(&url, 4).await;
    let app = App::on(&pool, |builder| {
        builder.profile(["name", "flags", "one"], "cards WHERE person = {user:int}")
    })
    .await;
    let mut client = app.signed_in("2").await;
    let bits: Bits = profile_of(&app, &mut client).await.unwrap();
    assert_eq!(
        bits,
        Bits {
            name: "😀".into(),
            flags: 256,
            one: true
        }
    );
}
