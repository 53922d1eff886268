//! Sign-ins of one browser that run at the same time replace one another, as far as it can be known that the browser is one.

use axum::{Router, routing::post};
use countersign::{LoginError, Session};
use futures::future::join_all;
use http::StatusCode;

use crate::support::{App, Client, Database, Gate, on_every_database};

fn slow(app: &App, gate: &Gate) -> Router {
    let gate = gate.clone();
    let handler = async move |session: Session| -> Result<(), LoginError> {
        session.login(2).await?;
        gate.pass().await;
        Ok(())
    };
    Router::new()
        .route("/slow", post(handler))
        .layer(app.sessions.layer())
}

/// So many clicks on "sign in" of this browser, all of them under way before the first is answered. The browser that each
/// answer would make of it.
async fn clicks(app: &App, browser: &Client, number: usize) -> Vec<Client> {
    let gate = Gate::closed();
    let router = slow(app, &gate);
    let requests: Vec<_> = (0..number)
        .map(|_| {
            let (mut browser, router) = (browser.clone(), router.clone());
            tokio::spawn(async move {
                let answer = browser.post(&router, "/slow").await;
                assert_eq!(answer.status, StatusCode::OK);
                browser
            })
        })
        .collect();
    for _ in 0..number {
        gate.reached().await;
    }
    for _ in 0..number {
        gate.open();
    }
    let browsers = join_all(requests).await;
    browsers.into_iter().map(Result::unwrap).collect()
}

async fn live_of(database: &Database, user: &str) -> i64 {
    database
        .count(&format!(
            "SELECT count(*) FROM countersign_sessions WHERE user_id = '{user}' AND ended_at IS NULL AND reserved_until IS NULL"
        ))
        .await
}

on_every_database! {
    async fn sign_ins_that_share_the_previous_session_leave_one(database: Database) {
        let app = App::new(&database).await;
        let elsewhere = app.signed_in("2").await;
        let browser = app.signed_in("2").await;
        let after = clicks(&app, &browser, 5).await;
        assert_eq!(live_of(&database, "2").await, 2);
        let who = join_all(after.iter().map(|browser| app.who(browser))).await;
        assert_eq!(who.iter().filter(|who| *who == "2").count(), 1, "{who:?}");
        assert_eq!(who.iter().filter(|who| *who == "anonymous replaced").count(), 4, "{who:?}");
        assert_eq!(app.who(&elsewhere).await, "2");
    }

    async fn so_do_those_that_share_a_session_that_is_over(database: Database) {
        let app = App::new(&database).await;
        let browser = app.signed_in("2").await;
        app.sessions.revoke_user(2, "test").await.unwrap();
        assert_eq!(app.who(&browser).await, "anonymous revoked");
        clicks(&app, &browser, 5).await;
        assert_eq!(live_of(&database, "2").await, 1);
    }

    async fn a_late_one_replaces_what_came_of_the_others_meanwhile(database: Database) {
        let app = App::new(&database).await;
        let browser = app.signed_in("3").await;
        let gate = Gate::closed();
        let router = slow(&app, &gate);
        let mut late = browser.clone();
        let late = tokio::spawn(async move { late.post(&router, "/slow").await.status });
        gate.reached().await;
        let mut quick = browser.clone();
        app.login(&mut quick, "2").await;
        app.login(&mut quick, "2").await;
        gate.open();
        assert_eq!(late.await.unwrap(), StatusCode::OK);
        assert_eq!(live_of(&database, "2").await, 1);
        assert_eq!(app.who(&quick).await, "anonymous replaced");
    }

    async fn other_users_sessions_of_the_browser_end_only_where_it_still_had_them(database: Database) {
        let app = App::new(&database).await;
        let shared = app.signed_in("3").await;
        // Two tabs of one browser, two users: what the one got is not the other's to end.
        let (mut one, mut other) = (shared.clone(), shared.clone());
        app.login(&mut one, "2").await;
        app.login(&mut other, "1").await;
        assert_eq!((live_of(&database, "2").await, live_of(&database, "1").await), (1, 1));
    }

    async fn a_browser_without_a_session_is_not_known_to_be_one(database: Database) {
        let app = App::new(&database).await;
        clicks(&app, &Client::new(), 3).await;
        assert_eq!(live_of(&database, "2").await, 3);
    }
}
