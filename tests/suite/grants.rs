//! Granting waits for success: what a handler promised becomes real with its response, or not at all.

use axum::{Router, http::StatusCode, routing::post};
use countersign::{Error, LoginError, Session, Sessions};
use http::Method;
use tower::ServiceExt;

use crate::support::{Answer, App, Client, Gate, eventually, on_every_database};

/// A session cookie's value out of a Set-Cookie line.
fn token(cookie: &str) -> &str {
    cookie.split(['=', ';']).nth(1).unwrap()
}

on_every_database! {
    async fn a_sign_in_becomes_real_exactly_when_the_response_succeeds(database: Database) {
        let app = App::new(&database).await;
        for status in [200, 204, 302, 303, 400, 401, 404, 409, 500, 503] {
            let mut client = app.signed_in("3").await;
            let before = client.clone();
            let answer = client.post(&app.router, &format!("/login/2/{status}")).await;
            assert_eq!(answer.status, status);
            let succeeded = status < 400;
            assert_eq!(answer.session_cookie().is_some(), succeeded, "{status}");
            assert_eq!(app.who(&client).await, if succeeded { "2" } else { "3" }, "{status}");
            assert_eq!(app.who(&before).await, if succeeded { "anonymous replaced" } else { "3" }, "{status}");
            // What failed has left nothing at all.
            assert_eq!(database.count("SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL").await, 1);
            database.execute("DELETE FROM countersign_sessions").await;
        }
    }

    async fn nobody_can_prepare_the_token_of_somebody_who_signs_in(database: Database) {
        let app = App::new(&database).await;
        let attacker = app.signed_in("3").await;
        let mut victim = attacker.clone();
        let answer = app.login(&mut victim, "2").await;
        assert_ne!(token(&answer.session_cookie().unwrap()), attacker.session_cookie().unwrap());
        assert_eq!(app.who(&victim).await, "2");
        assert_eq!(app.who(&attacker).await, "anonymous replaced");

        let again = victim.clone();
        app.login(&mut victim, "2").await;
        assert_ne!(again.session_cookie(), victim.session_cookie());
        assert_eq!(app.who(&again).await, "anonymous replaced");
        assert_eq!(database.live().await, 1);
    }

    async fn a_panic_leaves_nothing_behind(database: Database) {
        let app = App::new(&database).await;
        let router = eventful(&app.sessions, &Gate::closed());
        let client = app.signed_in("3").await;
        for path in ["/login/panic", "/rotate/panic"] {
            let request = tokio::spawn(router.clone().oneshot(client.request(Method::POST, path)));
            assert!(request.await.unwrap_err().is_panic());
            assert_eq!(app.who(&client).await, "3", "{path}");
            eventually("nothing is left", || async {
                database.count("SELECT count(*) FROM countersign_sessions").await == 1
            }).await;
        }
        database.age("previous_until", 60).await;
        assert_eq!(app.who(&client).await, "3");
    }

    async fn signing_out_holds_whatever_becomes_of_the_response(database: Database) {
        let app = App::new(&database).await;
        let router = eventful(&app.sessions, &Gate::closed());
        for status in [200, 303, 400, 404, 500, 503] {
            let mut client = app.signed_in("2").await;
            let copy = client.clone();
            let answer = client.post(&app.router, &format!("/logout/{status}")).await;
            assert_eq!(answer.status, status);
            assert_eq!(client.session_cookie(), None, "the cookie is removed at {status}");
            assert_eq!(app.who(&copy).await, "anonymous logout", "{status}");
        }
        let client = app.signed_in("2").await;
        let request = tokio::spawn(router.oneshot(client.request(Method::POST, "/logout/panic")));
        assert!(request.await.unwrap_err().is_panic());
        assert_eq!(app.who(&client).await, "anonymous logout");
        assert_eq!(database.live().await, 0);
    }

    async fn a_reservation_that_lapsed_cannot_become_real(database: Database) {
        let app = App::new(&database).await;
        let gate = Gate::closed();
        let router = eventful(&app.sessions, &gate);
        let client = app.signed_in("3").await;
        for swept in [false, true] {
            let slow = tokio::spawn(router.clone().oneshot(client.request(Method::POST, "/login/slow")));
            gate.reached().await;
            // Until then it opens nothing and is no session to anybody.
            assert_eq!(database.live().await, 1);
            database.age("reserved_until", 61).await;
            if swept {
                assert_eq!(app.sessions.sweep().await.unwrap().lapsed, 1);
            }
            gate.open();
            let answer = Answer::read(slow.await.unwrap().unwrap()).await;
            assert_eq!((answer.status, answer.session_cookie()), (StatusCode::SERVICE_UNAVAILABLE, None));
            assert_eq!((answer.header("retry-after"), answer.body.as_str()), (Some("1"), ""));
            assert_eq!(app.who(&client).await, "3");
            assert_eq!(database.live().await, 1);
            let rows = "SELECT count(*) FROM countersign_sessions";
            eventually("its place is given back", || async { database.count(rows).await == 1 }).await;
        }
    }

    async fn a_sign_in_after_the_response_is_refused_and_leaves_nothing(database: Database) {
        let app = App::new(&database).await;
        let (keep, kept) = tokio::sync::oneshot::channel();
        let keep = std::sync::Arc::new(std::sync::Mutex::new(Some(keep)));
        let router = Router::new()
            .route("/keep", post(|session: Session| async move {
                let _ = keep.lock().unwrap().take().unwrap().send(session);
            }))
            .layer(app.sessions.layer());
        Client::new().post(&router, "/keep").await;
        let session = kept.await.unwrap();
        assert!(matches!(session.login(3).await, Err(LoginError::ResponseSent)));
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, 0);
    }

    async fn of_two_sign_ins_in_one_request_the_second_counts(database: Database) {
        let app = App::new(&database).await;
        let router = eventful(&app.sessions, &Gate::closed());
        let mut client = Client::new();
        let answer = client.post(&router, "/login/twice").await;
        assert_eq!(answer.set_cookies().len(), 1);
        assert_eq!(app.who(&client).await, "3");
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, 1);
    }

    async fn signing_out_takes_back_a_sign_in_of_the_same_request(database: Database) {
        let app = App::new(&database).await;
        let router = eventful(&app.sessions, &Gate::closed());
        for mut client in [Client::new(), app.signed_in("3").await] {
            let before = client.clone();
            assert_eq!(client.post(&router, "/login/logout").await.status, StatusCode::OK);
            assert_eq!(client.session_cookie(), None);
            assert!(app.who(&before).await.starts_with("anonymous"));
            assert_eq!(database.count("SELECT count(*) FROM countersign_sessions WHERE user_id = '2'").await, 0);
        }
        assert_eq!(database.live().await, 0);
    }

    async fn a_sign_in_after_a_sign_out_in_the_same_request_counts(database: Database) {
        let app = App::new(&database).await;
        let router = eventful(&app.sessions, &Gate::closed());
        let mut client = app.signed_in("3").await;
        let before = client.clone();
        let answer = client.post(&router, "/logout/login").await;
        assert_eq!(answer.set_cookies().len(), 1);
        assert_eq!(app.who(&client).await, "2");
        assert_eq!(app.who(&before).await, "anonymous logout");
        assert_eq!(database.live().await, 1);
    }

    async fn who_signs_in_is_who_they_were_until_the_response(database: Database) {
        let app = App::new(&database).await;
        let router = eventful(&app.sessions, &Gate::closed());
        for (mut client, expected) in [(Client::new(), "nobody"), (app.signed_in("3").await, "3")] {
            assert_eq!(client.post(&router, "/login/ask").await.body, expected);
            assert_eq!(app.who(&client).await, "2");
        }
    }

    async fn a_remembered_session_outlives_the_browser_and_no_other_does(database: Database) {
        let app = App::new(&database).await;
        let mut client = Client::new();
        let max_age = |answer: &Answer| {
            let cookie = answer.session_cookie().unwrap();
            let age = cookie.split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age="));
            age.map(|age| age.parse::<u64>().unwrap())
        };
        const DAY: u64 = 24 * 60 * 60;
        assert_eq!(max_age(&app.login(&mut client, "2").await), None);
        assert_eq!(max_age(&client.post(&app.router, "/rotate").await), None);

        let remembered = client.post(&app.router, "/remember/2").await;
        assert_eq!(max_age(&remembered), Some(30 * DAY));
        // The rotated cookie ends when the session does.
        database.age("expires_at", 10 * DAY).await;
        let rotated = max_age(&client.post(&app.router, "/rotate").await).unwrap();
        assert!((19 * DAY..=20 * DAY).contains(&rotated), "{rotated}");
    }

    async fn nothing_but_signing_in_makes_a_session(database: Database) {
        let app = App::new(&database).await;
        for path in ["/rotate", "/reauthenticated", "/logout", "/flash/hello"] {
            let answer = Client::new().post(&app.router, path).await;
            assert!(answer.session_cookie().is_none_or(|cookie| cookie.contains("Max-Age=0")), "{path}");
        }
        for path in ["/identity", "/maybe", "/static", "/health", "/me"] {
            assert_eq!(Client::new().get(&app.router, path).await.session_cookie(), None);
        }
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, 0);
    }
}

/// Handlers that do more than one thing, or never finish.
fn eventful(sessions: &Sessions, gate: &Gate) -> Router {
    let gate = gate.clone();
    Router::new()
        .route("/login/twice", post(login_twice))
        .route("/login/logout", post(login_and_logout))
        .route("/logout/login", post(logout_and_login))
        .route("/login/ask", post(login_and_ask))
        .route("/login/panic", post(login_and_panic))
        .route("/rotate/panic", post(rotate_and_panic))
        .route("/logout/panic", post(logout_and_panic))
        .route(
            "/login/slow",
            post(|session: Session| async move {
                session.login(2).await?;
                gate.pass().await;
                Ok::<_, LoginError>("signed in")
            }),
        )
        .layer(sessions.layer())
}

async fn login_twice(session: Session) -> Result<(), LoginError> {
    session.login(2).await?;
    session.clone().login(3).await?;
    Ok(())
}

async fn login_and_logout(session: Session) -> Result<(), LoginError> {
    session.login(2).await?;
    session.logout().await.map_err(LoginError::Unavailable)?;
    Ok(())
}

async fn logout_and_login(session: Session) -> Result<(), LoginError> {
    session.logout().await.map_err(LoginError::Unavailable)?;
    session.login(2).await?;
    Ok(())
}

async fn login_and_ask(session: Session) -> Result<String, LoginError> {
    session.login(2).await?;
    let user = session.user_id();
    Ok(user.map_or("nobody".to_owned(), |user| user.to_string()))
}

async fn login_and_panic(session: Session) -> Result<(), LoginError> {
    session.login(2).await?;
    panic!("after a sign-in")
}

async fn rotate_and_panic(session: Session) {
    session.rotate();
    panic!("after a rotation")
}

async fn logout_and_panic(session: Session) -> Result<(), Error> {
    session.logout().await?;
    panic!("after a sign-out")
}
