//! Help for tests of an application's own handlers.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use countersign::{Limit, LoginError, testing};
use http::{Method, StatusCode, header};
use tower::ServiceExt;

use crate::support::{App, on_every_database};

async fn ask(router: &Router, client: &testing::TestClient, path: &str) -> (StatusCode, String) {
    let request = client
        .request(Method::GET, path)
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

on_every_database! {
    async fn a_test_signs_in_as_a_browser_or_with_a_token(database: Database) {
        let app = App::with(&database, |builder| builder.bearer_tokens()).await;
        let browser = testing::sign_in(&app.sessions, 2).await.unwrap();
        let program = testing::sign_in_with_token(&app.sessions, 2).await.unwrap();
        assert_eq!((browser.header().0, program.header().0), (header::COOKIE, header::AUTHORIZATION));
        for client in [&browser, &program] {
            assert_eq!(ask(&app.router, client, "/me").await, (StatusCode::OK, "2".into()));
            assert_eq!(ask(&app.router, client, "/edit").await.0, StatusCode::OK);
        }
        assert!(app.sessions.revoke(browser.session_id(), "test").await.unwrap());
        assert_eq!(ask(&app.router, &browser, "/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(&app.router, &program, "/me").await.0, StatusCode::OK);
        assert_eq!(database.live().await, 1);
        let (_, value) = program.header();
        assert!(value.is_sensitive() && !format!("{program:?}").contains(value.to_str().unwrap()));
    }

    async fn a_test_is_refused_as_the_application_is(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::refuse(1))).await;
        let refused = testing::sign_in_with_token(&app.sessions, 2).await.unwrap_err();
        assert!(matches!(refused, LoginError::BearerOff), "{refused}");
        let refused = testing::sign_in(&app.sessions, "two").await.unwrap_err();
        assert!(matches!(refused, LoginError::InvalidUserId(_)), "{refused}");
        testing::sign_in(&app.sessions, 2).await.unwrap();
        let refused = testing::sign_in(&app.sessions, 2).await.unwrap_err();
        assert!(matches!(refused, LoginError::LimitReached { max: 1 }), "{refused}");
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 3").await;
        let refused = testing::sign_in(&app.sessions, 3).await.unwrap_err();
        assert!(matches!(refused, LoginError::AccountRefused), "{refused}");
        assert_eq!(database.live().await, 1);
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_database_in_memory_serves_a_whole_test() {
    let pool = testing::sqlite().await.unwrap();
    let other = testing::sqlite().await.unwrap();
    let builder = |pool| {
        countersign::Sessions::builder(pool)
            .key(countersign::Key::generate())
            .any_account()
    };
    let sessions = builder(pool.clone()).build().await.unwrap();
    builder(other.clone()).build().await.unwrap();
    let client = testing::sign_in(&sessions, "alice").await.unwrap();
    let router = Router::new()
        .route(
            "/me",
            axum::routing::get(
                |user: countersign::SignedIn| async move { user.user_id().to_string() },
            ),
        )
        .layer(sessions.layer());
    for _ in 0..20 {
        assert_eq!(
            ask(&router, &client, "/me").await,
            (StatusCode::OK, "alice".into())
        );
    }
    // Each has a database of its own.
    for (pool, expected) in [(pool, 1), (other, 0)] {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM countersign_sessions")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(count, expected);
    }
}
