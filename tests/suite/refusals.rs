//! Refusals keep their statuses inside of an application's own error types, and take its words.

use std::time::Duration;

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use countersign::{
    Limit, LoginError, RefusalLayer, Refused, Rejection, Session, SignedIn, UserIdError, uuid::Uuid,
};
use http::{HeaderValue, StatusCode, header};

use crate::support::{Answer, App, Client, Database, on_every_database};

/// Whatever can be refused, by name.
async fn refuse(name: &str, session: &Session) -> Result<(), Rejection> {
    let user = session.signed_in();
    match (name, user) {
        ("forbidden", Some(user)) => user.require("nothing:has")?,
        ("stale", Some(user)) => user.require_recent(Duration::ZERO)?,
        ("id", Some(user)) => drop(user.id::<Uuid>()?),
        ("limit", _) => drop(session.login(2).await?),
        ("unavailable", _) => session.sessions().stats().await.map(drop)?,
        _ => {}
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum ByHand {
    #[error(transparent)]
    Sessions(Rejection),
}

countersign::from_rejections!(ByHand::Sessions);

impl IntoResponse for ByHand {
    fn into_response(self) -> Response {
        let Self::Sessions(rejection) = self;
        rejection.into_response()
    }
}

struct ByAnyhow(anyhow::Error);

impl IntoResponse for ByAnyhow {
    fn into_response(self) -> Response {
        Rejection::response_to(self.0.as_ref())
            .unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
    }
}

/// Every refusal in every error type, and the wording around all of it.
fn router(app: &App) -> Router {
    Router::new()
        .route(
            "/rejection/{name}",
            get(async |Path(name): Path<String>, session: Session| refuse(&name, &session).await),
        )
        .route(
            "/by-hand/{name}",
            get(async |Path(name): Path<String>, session: Session| {
                refuse(&name, &session).await?;
                Ok::<_, ByHand>(())
            }),
        )
        .route(
            "/anyhow/{name}",
            get(async |Path(name): Path<String>, session: Session| {
                use anyhow::Context;
                let refused = refuse(&name, &session)
                    .await
                    .context("while it was done")
                    .context("and around it");
                refused.map_err(ByAnyhow)
            }),
        )
        .route(
            "/unknown",
            get(async || {
                ByAnyhow(anyhow::anyhow!("something of the application's own")).into_response()
            }),
        )
        .route(
            "/me",
            get(async |user: SignedIn| user.user_id().to_string()),
        )
        .route("/own", get(async || StatusCode::FORBIDDEN))
        .route(
            "/login-and-refuse",
            post(async |session: Session| {
                session.login(3).await?;
                Err::<(), _>(Rejection::from(UserIdError::Empty))
            }),
        )
        .layer(app.sessions.layer())
}

#[track_caller]
fn assert_code(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.json()["code"], code);
}

const CASES: [(&str, u16, &str); 5] = [
    ("forbidden", 403, "forbidden"),
    ("stale", 401, "recent-sign-in-required"),
    ("id", 500, "internal"),
    ("limit", 409, "limit-reached"),
    ("unavailable", 503, "unavailable"),
];

on_every_database! {
    async fn every_error_type_keeps_the_status_of_every_refusal(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::refuse(1))).await;
        let router = router(&app);
        let away = App::cut_off(&database, |builder| builder).await;
        let away = self::router(&away);
        let mut alice = app.signed_in("2").await;
        let mut bob = app.signed_in("3").await;
        database.age("authenticated_at", 60).await;
        for kind in ["rejection", "by-hand", "anyhow"] {
            for (name, status, code) in CASES {
                let path = format!("/{kind}/{name}");
                let answer = match name {
                    "limit" => bob.get(&router, &path).await,
                    "unavailable" => alice.get(&away, &path).await,
                    _ => alice.get(&router, &path).await,
                };
                assert_code(&answer, status, code);
                assert_eq!(answer.header("retry-after").is_some(), status == 503, "{path}");
            }
            assert_eq!(alice.get(&router, &format!("/{kind}/nothing")).await.status, StatusCode::OK);
        }
        assert_eq!(alice.get(&router, "/unknown").await.status, StatusCode::IM_A_TEAPOT);
    }

    async fn refusals_take_the_words_of_the_application(database: Database) {
        let app = App::with(&database, |builder| builder.sign_in_page("/login")).await;
        let wording = RefusalLayer::new(|refused: &Refused<'_>| match refused.code() {
            "forbidden" => Some((StatusCode::IM_A_TEAPOT, [("retry-after", "9")], refused.uri().path().to_owned()).into_response()),
            "internal" => Some(axum::response::Redirect::to("/sorry").into_response()),
            _ => None,
        });
        let worded = router(&app).layer(wording);
        let mut alice = app.signed_in("2").await;
        let answer = alice.get(&worded, "/rejection/forbidden").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::IM_A_TEAPOT, "/rejection/forbidden"));
        assert_eq!(answer.header("retry-after"), Some("9"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"), "the head stays");

        // What is no refusal of this crate stays, and a redirect to the sign-in page as well.
        assert_eq!(alice.get(&worded, "/own").await.status, StatusCode::FORBIDDEN);
        assert_eq!(alice.get(&worded, "/me").await.body, "2");
        let mut browser = Client::new();
        browser.headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        assert_eq!(browser.get(&worded, "/me").await.header("location"), Some("/login?next=/me"));

        // What was granted before the refusal is undone, though the answer leads on.
        let answer = browser.post(&worded, "/login-and-refuse").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some("/sorry")));
        assert!(answer.session_cookie().is_none());
        assert_eq!(app.who(&browser).await, "anonymous");
    }

    async fn browsers_get_a_page_and_programs_the_problem(database: Database) {
        let app = App::new(&database).await;
        let worded = router(&app).layer(RefusalLayer::default());
        let away = App::cut_off(&database, |builder| builder).await;
        let away = router(&away).layer(RefusalLayer::default());
        let alice = app.signed_in("2").await;
        for (router, path, status, code) in [
            (&worded, "/rejection/forbidden", 403, "forbidden"), (&away, "/me", 503, "unavailable"),
        ] {
            assert_code(&alice.clone().get(router, path).await, status, code);
            let mut browser = alice.clone();
            browser.headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
            let page = browser.get(router, path).await;
            assert_eq!(page.status.as_u16(), status);
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(page.header("retry-after").is_some(), status == 503);
            assert!(page.words().contains("again") || page.words().contains("Ask an administrator"), "{}", page.body);
            let vary: Vec<_> = page.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
            assert!(vary.join(", ").contains("accept"), "{vary:?}");
        }
    }

    async fn a_login_that_does_not_become_real_is_worded_too(database: Database) {
        let app = App::new(&database).await;
        let worded = app.router.clone().layer(RefusalLayer::default());
        // The reservation is gone when the answer goes out.
        let gone = Router::new()
            .route("/login", post(async |session: Session| {
                let id = session.login(2).await?;
                session.sessions().revoke_user(2, "test").await.unwrap();
                Ok::<_, LoginError>(id.to_string())
            }))
            .layer(app.sessions.layer())
            .layer(RefusalLayer::default());
        let answer = Client::new().post(&gone, "/login").await;
        assert_code(&answer, 503, "unavailable");
        assert!(answer.session_cookie().is_none());
        assert_eq!(Client::new().get(&worded, "/health").await.body, "ok");
    }
}

#[tokio::test]
async fn ids_come_back_as_the_type_that_is_asked_for() {
    let database = Database::any().await;
    let app = App::new(&database).await;
    let typed = Router::new()
        .route(
            "/id",
            get(async |user: SignedIn| user.id::<i64>().map(|id| format!("{}", id + 1))),
        )
        .route("/text", get(async |user: SignedIn| user.id::<String>()))
        .route(
            "/uuid",
            get(async |user: SignedIn| user.id::<Uuid>().map(|id| id.to_string())),
        )
        .layer(app.sessions.layer());
    let mut alice = app.signed_in("2").await;
    assert_eq!(alice.get(&typed, "/id").await.body, "3");
    assert_eq!(alice.get(&typed, "/text").await.body, "2");
    assert_code(&alice.get(&typed, "/uuid").await, 500, "internal");
}

#[tokio::test]
async fn who_ends_is_whoever_acts() {
    let database = Database::any().await;
    let app = App::new(&database).await;
    let router = Router::new()
        .route(
            "/end-all",
            post(async |session: Session, user: SignedIn| {
                let ended = session.sessions().revoke_user(3, &user).await?;
                Ok::<_, Rejection>(ended.to_string())
            }),
        )
        .layer(app.sessions.layer());
    for (act, by) in [(false, "1"), (true, "1")] {
        let mut bob = Client::new();
        let id = app.login(&mut bob, "3").await.body.parse().unwrap();
        let mut admin = app.signed_in("1").await;
        if act {
            admin.post(&app.router, "/act-as/2").await;
        }
        assert_eq!(admin.post(&router, "/end-all").await.body, "1");
        let session = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!(session.ended_by.as_deref(), Some(by));
    }
}
