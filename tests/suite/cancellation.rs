//! A request may be dropped at every point where it waits: its client hung up, a time-out struck, the server stops.
//!
//! Each of these tests drops a request after its first wait, then one after its second, and so on until one finishes;
//! both while what it waits for goes on, and when that is done but the request never learns of it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use axum::{Router, routing::post};
use countersign::{Error, LoginError, Session, Sessions, UserId};
use http::{Method, StatusCode};
use tokio::task::yield_now;
use tower::ServiceExt;

use crate::support::{App, Client, Database, eventually, on_every_database};

/// When a request is dropped that has been polled often enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drops {
    /// As soon as it waits.
    Waiting,
    /// When what it waits for is there.
    Woken,
}

/// Polls a future at most so many times.
pub(crate) async fn polled<F: Future>(times: usize, drops: Drops, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        if polls < times {
            polls += 1;
            match future.as_mut().poll(context) {
                Poll::Ready(output) => return Poll::Ready(Some(output)),
                Poll::Pending if polls < times || drops == Drops::Woken => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        Poll::Ready(None)
    })
    .await
}

/// How far the handler came.
#[derive(Clone, Debug, Default)]
struct Progress {
    began: Arc<AtomicBool>,
    finished: Arc<AtomicBool>,
}

impl Progress {
    fn began(&self) -> bool {
        self.began.load(Ordering::SeqCst)
    }

    fn finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }
}

/// Handlers with waits of their own around what they do.
fn patient(sessions: &Sessions, progress: &Progress) -> Router {
    let [login, rotate, logout] = [progress.clone(), progress.clone(), progress.clone()];
    Router::new()
        .route(
            "/login",
            post(|session: Session| async move {
                yield_now().await;
                login.began.store(true, Ordering::SeqCst);
                session.login(2).await?;
                yield_now().await;
                login.finished.store(true, Ordering::SeqCst);
                Ok::<_, LoginError>(())
            }),
        )
        .route(
            "/rotate",
            post(|session: Session| async move {
                yield_now().await;
                session.rotate();
                yield_now().await;
                rotate.finished.store(true, Ordering::SeqCst);
            }),
        )
        .route(
            "/logout",
            post(|session: Session| async move {
                yield_now().await;
                logout.began.store(true, Ordering::SeqCst);
                session.logout().await?;
                logout.finished.store(true, Ordering::SeqCst);
                yield_now().await;
                Ok::<_, Error>(())
            }),
        )
        .layer(sessions.layer())
}

/// Drops requests to this path at every point; `check` looks at what each has left.
async fn dropped_everywhere<F: Future<Output = ()>>(
    database: &Database,
    app: &App,
    path: &str,
    sign_in: Option<&str>,
    mut check: impl FnMut(Client, Progress, Drops, usize) -> F,
) {
    for drops in [Drops::Waiting, Drops::Woken] {
        for times in 1.. {
            assert!(times < 200, "{path} never finishes");
            let progress = Progress::default();
            let router = patient(&app.sessions, &progress);
            let client = match sign_in {
                Some(user) => app.signed_in(user).await,
                None => Client::new(),
            };
            let request = router.oneshot(client.request(Method::POST, path));
            let outcome = polled(times, drops, request).await;
            if let Some(response) = outcome {
                let status = response.unwrap().status();
                if status == StatusCode::CONFLICT {
                    // The request that was dropped before had not begun to take its place when `check` looked, and
                    // has not given it back yet. One that never does ends at the bound above.
                    continue;
                }
                assert!(status.is_success() && progress.finished(), "{status}");
                database.execute("DELETE FROM countersign_sessions").await;
                break;
            }
            check(client, progress, drops, times).await;
        }
    }
}

on_every_database! {
    async fn a_sign_in_that_is_dropped_anywhere_leaves_nothing_live(database: Database) {
        let app = App::new(&database).await;
        let (app, database) = (&app, &database);
        dropped_everywhere(database, app, "/login", None, |client, _, drops, times| async move {
            assert_eq!(app.who(&client).await, "anonymous");
            eventually(&format!("nothing is left of the sign-in dropped at {times}, {drops:?}"), || async {
                database.count("SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL").await == 0
            }).await;
        }).await;
    }

    async fn a_sign_in_that_is_dropped_in_its_handler_leaves_the_previous_session(database: Database) {
        let app = App::new(&database).await;
        let (app, database) = (&app, &database);
        dropped_everywhere(database, app, "/login", Some("3"), |client, progress, drops, times| async move {
            eventually(&format!("nothing is left of the sign-in dropped at {times}, {drops:?}"), || async {
                let left = "SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL AND user_id = '2'";
                database.count(left).await == 0
            }).await;
            // Once the handler has answered, the change of sessions is one transaction: done, or not.
            let who = app.who(&client).await;
            if !progress.finished() || who != "anonymous replaced" {
                assert_eq!(who, "3", "at {times}, {drops:?}");
            }
            database.execute("DELETE FROM countersign_sessions").await;
        }).await;
    }

    async fn a_rotation_that_is_dropped_anywhere_leaves_the_token_as_it_was(database: Database) {
        let app = App::new(&database).await;
        let (app, database) = (&app, &database);
        dropped_everywhere(database, app, "/rotate", Some("2"), |client, _, drops, times| async move {
            assert_eq!(app.who(&client).await, "2", "at {times}, {drops:?}");
            eventually(&format!("the rotation dropped at {times}, {drops:?} is taken back"), || async {
                database.count("SELECT count(*) FROM countersign_sessions WHERE previous_token_hash IS NOT NULL").await == 0
            }).await;
            database.age("previous_until", 11).await;
            let client = &client;
            eventually(&format!("the token is good again after {times}, {drops:?}"), || async {
                app.who(client).await == "2"
            }).await;
        }).await;
    }

    async fn a_sign_out_that_has_begun_happens(database: Database) {
        let app = App::new(&database).await;
        let app = &app;
        dropped_everywhere(&database, app, "/logout", Some("2"), |client, progress, drops, times| async move {
            if progress.finished() {
                assert_eq!(app.who(&client).await, "anonymous logout", "at {times}, {drops:?}");
            } else if progress.began() {
                let client = &client;
                eventually(&format!("the sign-out dropped at {times}, {drops:?} happens"), || async {
                    app.who(client).await == "anonymous logout"
                }).await;
            } else {
                assert_eq!(app.who(&client).await, "2", "at {times}, {drops:?}");
            }
        }).await;
    }

    async fn a_revocation_of_a_user_that_was_dropped_goes_on_to_the_end(database: Database) {
        let app = App::new(&database).await;
        let user = UserId::from(1);
        for drops in [Drops::Waiting, Drops::Woken] {
            for times in 1.. {
                assert!(times < 200, "it never finishes");
                app.signed_in("1").await;
                // One session of their own, and one in which they act as somebody else.
                app.signed_in("1").await.post(&app.router, "/act-as/2").await;
                let outcome = polled(times, drops, app.sessions.revoke_user(&user, "test")).await;
                eventually(&format!("all have ended though dropped at {times}, {drops:?}"), || async {
                    database.live().await == 0
                }).await;
                if let Some(outcome) = outcome {
                    assert_eq!(outcome.unwrap(), 2);
                    break;
                }
            }
        }
    }

    async fn a_limit_counts_no_sign_in_that_was_dropped(database: Database) {
        let app = App::with(&database, |builder| builder.limit(countersign::Limit::refuse(1))).await;
        let app = &app;
        dropped_everywhere(&database, app, "/login", None, |_, _, drops, times| async move {
            eventually(&format!("there is a place again after {times}, {drops:?}"), || async {
                let mut client = Client::new();
                let signed_in = app.login(&mut client, "2").await.status.is_success();
                client.post(&app.router, "/logout").await;
                signed_in
            }).await;
        }).await;
    }
}
