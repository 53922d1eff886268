//! Accounts and permissions where the application has them: under keys of any type, in any number of queries, or
//! somewhere else altogether.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Path, routing::post};
use countersign::{
    Access, Key, LoginError, PermissionSource, Permissions, SourceFuture, UserId, UserIdError,
    uuid::Uuid,
};
use http::StatusCode;

use crate::support::{App, Client, Database, KEY, Pool, on_every_database};

const ALICE: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000a);
const BOB: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000b);

/// Accounts and permissions under keys of this form.
async fn app_with_keys(database: &Database, form: &str, kind: &str, keys: [String; 2]) -> App {
    let [alice, bob] = keys;
    for statement in [
        format!("CREATE TABLE people (id {kind} NOT NULL PRIMARY KEY, enabled BOOLEAN NOT NULL)"),
        format!("CREATE TABLE grants (person {kind} NOT NULL, name VARCHAR(20))"),
        format!("INSERT INTO people VALUES ({alice}, TRUE), ({bob}, FALSE)"),
        format!("INSERT INTO grants VALUES ({alice}, 'articles:edit'), ({bob}, 'articles:read')"),
    ] {
        database.execute(&statement).await;
    }
    database.pool.migrate().await.unwrap();
    let builder = database
        .builder()
        .key(Key::from_base64(KEY).unwrap())
        .account(format!("people p WHERE p.id = {form} AND p.enabled"))
        .permissions("g.name", format!("grants g WHERE g.person = {form}"));
    App::of(builder.build().await.unwrap())
}

async fn permissions(app: &App, user: &str) -> Option<String> {
    let mut client = Client::new();
    let answer = app.login(&mut client, user).await;
    if answer.status == StatusCode::FORBIDDEN {
        assert_eq!(app.who(&client).await, "anonymous");
        return None;
    }
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let answer = client.get(&app.router, "/permissions").await;
    (answer.status == StatusCode::OK).then_some(answer.body)
}

on_every_database! {
    async fn keys_may_be_uuids(database: Database) {
        let (kind, literal): (_, fn(Uuid) -> String) = match &database.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => ("BLOB", |key| format!("x'{}'", key.simple())),
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => ("uuid", |key| format!("'{key}'")),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => ("BINARY(16)", |key| format!("x'{}'", key.simple())),
        };
        let app = app_with_keys(&database, "{user:uuid}", kind, [literal(ALICE), literal(BOB)]).await;
        assert_eq!(permissions(&app, &ALICE.to_string()).await.as_deref(), Some("articles:edit"));
        assert_eq!(permissions(&app, &BOB.to_string()).await, None);
        let upper = ALICE.to_string().to_uppercase();
        for other in [upper, ALICE.simple().to_string(), format!("{{{ALICE}}}"), "2".to_owned()] {
            let other = other.replace('{', "%7B").replace('}', "%7D");
            let answer = app.login(&mut Client::new(), &other).await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{other}");
        }
    }

    async fn keys_may_be_text_and_are_compared_to_the_letter(database: Database) {
        let keys = ["'auth0|Alice'".to_owned(), "'auth0|bob'".to_owned()];
        let app = app_with_keys(&database, "{user:text}", "VARCHAR(64)", keys).await;
        assert_eq!(permissions(&app, "auth0%7CAlice").await.as_deref(), Some("articles:edit"));
        assert_eq!(permissions(&app, "auth0%7Cbob").await, None);
        for other in ["auth0%7Calice", "AUTH0%7CALICE", "%27%20OR%201=1%20--", "auth0%7CAlic%C3%A9"] {
            assert_eq!(permissions(&app, other).await, None, "{other}");
        }
        // MySQL and MariaDB would take the first of these for the user without the space.
        for padded in ["auth0%7CAlice%20", "%20auth0%7CAlice"] {
            let answer = app.login(&mut Client::new(), padded).await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{padded}");
        }
    }

    async fn only_the_canonical_form_of_a_number_signs_in(database: Database) {
        let app = App::new(&database).await;
        let outcome = Router::new()
            .route(
                "/try/{user}",
                post(|session: countersign::Session, Path(user): Path<String>| async move {
                    match session.login(user).await {
                        Ok(_) => "signed in",
                        Err(LoginError::InvalidUserId(
                            UserIdError::Form | UserIdError::SurroundingSpace | UserIdError::ControlCharacter,
                        )) => "invalid",
                        Err(_) => "another error",
                    }
                }),
            )
            .layer(app.sessions.layer());
        for not_two in ["02", "+2", "%202", "2%20", "2x", "x", "2.0", "0x2", "2e0", "-0", "9223372036854775808", "%D9%A2", "2%00"] {
            let mut client = Client::new();
            let answer = client.post(&outcome, &format!("/try/{not_two}")).await;
            assert_eq!(answer.body, "invalid", "{not_two}");
            assert_eq!(client.session_cookie(), None);
        }
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, 0);
        assert_eq!(Client::new().post(&outcome, "/try/2").await.body, "signed in");
        // Of the right form, and nobody's: the account decides.
        let mut nobody = Client::new();
        nobody.post(&outcome, "/try/-9223372036854775808").await;
        assert_eq!(app.who(&nobody).await, "anonymous");
    }

    async fn queries_add_up_and_duplicates_and_nulls_do_no_harm(database: Database) {
        for statement in [
            "CREATE TABLE roles (id BIGINT PRIMARY KEY, name VARCHAR(20))",
            "CREATE TABLE user_roles (user_id BIGINT, role_id BIGINT)",
            "INSERT INTO roles VALUES (1, 'articles:edit'), (2, NULL), (3, 'roles:\"quoted\", [x]')",
            "INSERT INTO user_roles VALUES (3, 1), (3, 1), (3, 2), (3, 3)",
        ] {
            database.execute(statement).await;
        }
        let app = App::with(&database, |builder| {
            builder
                // Aliases as an application might choose them.
                .permissions("s.name", "user_roles u JOIN roles s ON s.id = u.role_id WHERE u.user_id = {user:int}")
                .permissions("id.permission", "user_permissions id WHERE id.user_id = {user:int}")
        })
        .await;
        assert_eq!(
            permissions(&app, "3").await.as_deref(),
            Some("articles:edit articles:read roles:\"quoted\", [x]")
        );
        assert_eq!(permissions(&app, "2").await.as_deref(), Some("articles:edit articles:read"));
        database.execute("DELETE FROM user_permissions").await;
        assert_eq!(permissions(&app, "2").await.as_deref(), Some(""));
    }

    async fn a_permission_source_is_believed_and_its_failure_is_not_a_refusal(database: Database) {
        database.pool.migrate().await.unwrap();
        let source = Directory::default();
        let builder = database.builder().key(Key::from_base64(KEY).unwrap());
        let builder = builder.permission_source(source.clone()).time_budget(Duration::from_millis(500));
        let app = App::of(builder.build().await.unwrap());
        let mut client = app.signed_in("whoever").await;
        assert_eq!(client.get(&app.router, "/edit").await.body, "edited");
        for (says, path, expected) in [
            (Says::Nothing, "/edit", StatusCode::FORBIDDEN),
            (Says::Denied, "/me", StatusCode::UNAUTHORIZED),
            (Says::Fails, "/maybe", StatusCode::SERVICE_UNAVAILABLE),
            (Says::Hangs, "/me", StatusCode::SERVICE_UNAVAILABLE),
            (Says::Edits, "/edit", StatusCode::OK),
        ] {
            *source.0.lock().unwrap() = says;
            let answer = client.get(&app.router, path).await;
            assert_eq!((answer.status, answer.set_cookies().len()), (expected, 0), "{says:?}");
            assert_eq!(client.get(&app.router, "/static").await.status, StatusCode::OK);
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Says {
    #[default]
    Edits,
    Nothing,
    Denied,
    Fails,
    Hangs,
}

#[derive(Clone, Default)]
struct Directory(Arc<Mutex<Says>>);

impl PermissionSource for Directory {
    fn access<'a>(&'a self, _: &'a UserId) -> SourceFuture<'a> {
        let says = *self.0.lock().unwrap();
        Box::pin(async move {
            match says {
                Says::Edits => Ok(Access::Granted(Permissions::from_iter(["articles:edit"]))),
                Says::Nothing => Ok(Access::Granted(Permissions::default())),
                Says::Denied => Ok(Access::Denied),
                Says::Fails => Err("the directory is away".into()),
                Says::Hangs => std::future::pending().await,
            }
        })
    }
}
