//! What a request costs, counted in statements by what sqlx logs: the promise is one, not few.
//!
//! A test binary of its own, as it listens to the logs of the whole process; so its tests take turns.
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

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{Router, routing::get};
use countersign::{Access, PermissionSource, Permissions, SignedIn, SourceFuture, UserId};
use http::{HeaderValue, StatusCode, header};
use support::{App, Client, Database, counter::counted, on_every_database_in_turn};

/// A connection that is new has statements of its own to send. Somebody listens to events: they cost none.
async fn over_one_connection(
    database: &Database,
    configure: impl FnOnce(countersign::SessionsBuilder) -> countersign::SessionsBuilder,
) -> App {
    database.pool.migrate().await.unwrap();
    // One lane, which gives its connection back before there can be another.
    let listens =
        |builder: countersign::SessionsBuilder| configure(builder).max_lanes(1).on_event(drop);
    App::on(&database.pool_of(1).await, listens).await
}

/// In statements: a sign-in that ends another session, under a limit; a rotation; a sign-out, which verifies and ends; a
/// sign-in within the limit; a sign-out. BEGIN and COMMIT count on servers; sqlx does not log those of SQLite.
fn costs(pool: &support::Pool) -> [u64; 5] {
    match pool {
        #[cfg(feature = "sqlite")]
        support::Pool::Sqlite(_) => [7, 5, 2, 7, 2],
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        _ => [9, 6, 2, 9, 2],
    }
}

/// Many permission checks, in layers, extractors and the handler.
fn demanding(app: &App) -> Router {
    let checks = |user: SignedIn, other: Option<SignedIn>, session: countersign::Session| async move {
        for _ in 0..50 {
            assert!(user.can("articles:edit") && !user.can("articles:delete"));
            assert!(user.require("articles:read").is_ok());
        }
        assert_eq!(other.unwrap().permissions(), user.permissions());
        assert_eq!(session.signed_in().unwrap().session_id(), user.session_id());
        "all checked"
    };
    Router::new()
        .route("/demanding", get(checks))
        .route_layer(countersign::require("articles:edit"))
        .route_layer(countersign::require("articles:read"))
        .layer(app.sessions.layer())
        .route("/outside", get(|| async { "outside" }))
}

on_every_database_in_turn! {
    async fn a_signed_in_request_costs_one_statement_whatever_it_checks(database: Database) {
        let app = over_one_connection(&database, |builder| builder).await;
        let mut client = app.signed_in("2").await;
        let router = demanding(&app);
        for _ in 0..3 {
            let (statements, answer) = counted(client.get(&router, "/demanding")).await;
            assert_eq!((statements, answer.body.as_str()), (1, "all checked"));
        }
        let twice = router.layer(app.sessions.layer());
        let (statements, answer) = counted(client.get(&twice, "/demanding")).await;
        assert_eq!((statements, answer.body.as_str()), (1, "all checked"));
    }

    async fn a_request_without_a_valid_cookie_costs_none_whatever_it_sends(database: Database) {
        let app = App::new(&database).await;
        let good = app.signed_in("2").await.session_cookie().unwrap().to_owned();
        let other = app.signed_in("3").await.session_cookie().unwrap().to_owned();
        for cookies in [
            vec![],
            vec!["__Host-session=x".to_owned()],
            vec![format!("__Host-session={good}; __Host-session={other}")],
            vec![format!("__Host-session={good}"), format!("__Host-session={other}")],
            vec![format!("session={good}; %5F%5FHost-session={good}; __Host-flash={good}")],
            vec![format!("__Host-session={}", "A".repeat(good.len()))],
            vec![format!("__Host-session={}", "A".repeat(100_000))],
            vec!["a=b".to_owned(); 500],
        ] {
            for path in ["/maybe", "/me", "/edit", "/recent", "/identity", "/flash", "/static"] {
                let mut client = Client::new();
                for cookie in &cookies {
                    client.headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
                }
                let (statements, answer) = counted(client.get(&app.router, path)).await;
                assert_eq!(statements, 0, "{path} {:?}", cookies.first());
                assert!(!answer.status.is_server_error());
            }
            let (statements, _) = counted(Client::new().post(&app.router, "/logout")).await;
            assert_eq!(statements, 0);
        }
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, 2);
    }

    async fn routes_outside_the_layer_pay_nothing(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        let (statements, answer) = counted(client.get(&app.router, "/health")).await;
        assert_eq!((statements, answer.body.as_str()), (0, "ok"));
    }

    async fn under_load_requests_share_statements(database: Database) {
        let app = App::new(&database).await;
        let mut clients = Vec::new();
        for number in 0..64 {
            clients.push(app.signed_in(["1", "2", "3"][number % 3]).await);
        }
        let requests = 64 * 10;
        let (statements, ()) = counted(async {
            let tasks = clients.into_iter().map(|mut client| {
                let router = app.router.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        assert_eq!(client.get(&router, "/me").await.status, StatusCode::OK);
                    }
                })
            });
            futures::future::try_join_all(tasks).await.unwrap();
        })
        .await;
        assert!(statements >= 10 && statements < requests / 2, "{statements} for {requests} requests");
    }

    async fn signing_in_and_out_costs_what_it_costs(database: Database) {
        let app = over_one_connection(&database, |builder| builder.limit(countersign::Limit::end_oldest(1))).await;
        app.signed_in("2").await;
        let mut client = Client::new();
        // A verification may give its connection back only after its answer; then an ending opens a second one, which has
        // statements of its own to send, once. So the least of some rounds is what it costs.
        let mut least: Option<Vec<u64>> = None;
        for _ in 0..4 {
            let mut spent = Vec::new();
            for path in ["/login/2", "/rotate", "/logout", "/login/2", "/logout"] {
                let (statements, answer) = counted(client.post(&app.router, path)).await;
                assert_eq!(answer.status, StatusCode::OK);
                spent.push(statements);
            }
            least = Some(match least {
                Some(before) => before.into_iter().zip(spent).map(|(one, other)| one.min(other)).collect(),
                None => spent,
            });
        }
        assert_eq!(least.unwrap(), costs(&database.pool));
    }

    async fn a_sign_in_that_concerns_no_other_session_costs_four(database: Database) {
        let app = over_one_connection(&database, |builder| builder).await;
        app.signed_in("2").await;
        let mut least = u64::MAX;
        for _ in 0..4 {
            let (statements, answer) = counted(Client::new().post(&app.router, "/login/2")).await;
            assert_eq!(answer.status, StatusCode::OK);
            least = least.min(statements);
        }
        // Account, reservation, account, activation.
        assert_eq!(least, 4);
    }

    async fn a_permission_source_is_asked_beside_the_one_statement(database: Database) {
        database.pool.migrate().await.unwrap();
        let builder = database
            .pool_of(1)
            .await
            .builder()
            .key(countersign::Key::generate())
            .permission_source(Asks);
        let app = App::of(builder.build().await.unwrap());
        let mut client = app.signed_in("2").await;
        let before = ASKED.load(Ordering::SeqCst);
        let (statements, answer) = counted(client.get(&app.router, "/edit")).await;
        assert_eq!((statements, answer.body.as_str()), (1, "edited"));
        assert_eq!(ASKED.load(Ordering::SeqCst) - before, 1);
        let (statements, _) = counted(Client::new().get(&app.router, "/edit")).await;
        assert_eq!((statements, ASKED.load(Ordering::SeqCst) - before), (0, 1));
    }
}

static ASKED: AtomicU64 = AtomicU64::new(0);

struct Asks;

impl PermissionSource for Asks {
    fn access<'a>(&'a self, _: &'a UserId) -> SourceFuture<'a> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Access::Granted(Permissions::from_iter(["articles:edit"]))) })
    }
}
