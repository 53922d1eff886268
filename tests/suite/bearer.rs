//! Clients that are no browser of this site: a bearer token does what the session cookie does.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use countersign::{
    BearerToken, CurrentUser, EndedReason, Filter, Limit, LoginError, Page, Rejection, Session,
    SessionsBuilder, SignedIn,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::support::{Answer, App, Client, Database, on_every_database};

async fn app(database: &Database) -> App {
    App::with(database, |builder| builder.bearer_tokens()).await
}

async fn app_with(database: &Database, configure: fn(SessionsBuilder) -> SessionsBuilder) -> App {
    App::with(database, |builder| configure(builder.bearer_tokens())).await
}

/// The usual routes, and those of an API.
fn router(app: &App) -> Router {
    async fn token(
        session: Session,
        Path((user, status)): Path<(String, u16)>,
    ) -> Result<(StatusCode, Json<BearerToken>), Rejection> {
        let token = session.login(user).bearer().await?;
        Ok((StatusCode::from_u16(status).unwrap(), Json(token)))
    }
    Router::new()
        .route("/token/{user}/{status}", post(token))
        .route(
            "/cookie/{user}",
            post(|session: Session, Path(user): Path<String>| async move {
                session.login(user).await.map(|id| id.to_string())
            }),
        )
        .route(
            "/state",
            post(|session: Session| async move {
                session.flash().info("hello");
                session
                    .temporary::<u32>("state")
                    .put(&1)
                    .map(drop)
                    .map_err(|error| error.to_string())
            }),
        )
        .layer(app.sessions.layer())
        .merge(app.router.clone())
}

fn with_token(token: &str) -> Client {
    with_header(&format!("Bearer {token}"))
}

fn with_header(value: &str) -> Client {
    let mut client = Client::new();
    client
        .headers
        .insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    client
}

/// A token, from a client that has nothing yet.
async fn token_of(router: &Router, user: &str) -> String {
    let answer = Client::new()
        .post(router, &format!("/token/{user}/200"))
        .await;
    assert_eq!(
        (answer.status, answer.set_cookies()),
        (StatusCode::OK, vec![]),
        "{}",
        answer.body
    );
    serde_json::from_str(&answer.body).unwrap()
}

async fn asks(router: &Router, token: &str) -> Answer {
    with_token(token).get(router, "/me").await
}

fn challenges(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.get_all(header::WWW_AUTHENTICATE);
    all.iter().map(|value| value.to_str().unwrap()).collect()
}

on_every_database! {
    async fn a_token_signs_in_without_a_cookie(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        for scheme in ["Bearer", "bearer", "BEARER", "bEARER", "Bearer "] {
            let answer = with_header(&format!("{scheme} {token}")).get(&router, "/me").await;
            assert_eq!((answer.status, answer.body.as_str(), answer.set_cookies()), (StatusCode::OK, "2", vec![]), "{scheme}");
        }
        let answer = with_token(&token).get(&router, "/edit").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "edited"));
    }

    async fn a_token_opens_nothing_until_its_response_has_succeeded(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let early = Router::new()
            .route("/early", post({
                let router = router.clone();
                |session: Session| async move {
                    let token = session.login("2").bearer().await.unwrap();
                    let early = asks(&router, token.as_str()).await.status;
                    assert_eq!(early, StatusCode::UNAUTHORIZED);
                    token.to_string()
                }
            }))
            .layer(app.sessions.layer());
        let token = Client::new().post(&early, "/early").await.body;
        assert_eq!(asks(&router, &token).await.status, StatusCode::OK);

        for status in [400, 403, 500, 503] {
            let answer = Client::new().post(&router, &format!("/token/2/{status}")).await;
            assert_eq!((answer.status.as_u16(), answer.set_cookies()), (status, vec![]));
            let token: String = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(asks(&router, &token).await.status, StatusCode::UNAUTHORIZED, "{status}");
        }
        assert_eq!(database.live().await, 1);
    }

    async fn what_is_taken_away_is_gone_with_the_next_request(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        database.execute("DELETE FROM user_permissions WHERE user_id = 2").await;
        assert_eq!(with_token(&token).get(&router, "/edit").await.status, StatusCode::FORBIDDEN);
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 2").await;
        assert_eq!(asks(&router, &token).await.status, StatusCode::UNAUTHORIZED);
        database.execute("UPDATE users SET disabled = FALSE WHERE id = 2").await;
        assert_eq!(asks(&router, &token).await.status, StatusCode::OK);

        let sessions = app.sessions.list(&Filter::user(2), Page::first(9)).await.unwrap().sessions;
        assert!(sessions[0].bearer);
        assert!(app.sessions.revoke(sessions[0].id, "test").await.unwrap());
        let answer = asks(&router, &token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(challenges(&answer), ["Cookie", "Bearer error=\"invalid_token\""]);
    }

    async fn signing_out_ends_the_token_and_touches_no_cookie(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        let answer = with_token(&token).post(&router, "/logout").await;
        assert_eq!((answer.status, answer.set_cookies()), (StatusCode::OK, vec![]));
        assert_eq!(asks(&router, &token).await.status, StatusCode::UNAUTHORIZED);
        let sessions = app.sessions.list(&Filter::user(2), Page::first(9)).await.unwrap().sessions;
        assert_eq!(sessions[0].ended_reason, Some(EndedReason::Logout));
    }

    async fn two_credentials_are_refused(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        for user in ["2", "3"] {
            let mut browser = app.signed_in(user).await;
            browser.headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
            for path in ["/me", "/maybe", "/edit", "/recent"] {
                let answer = browser.get(&router, path).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
                assert_eq!(answer.json()["code"], "two-credentials", "{path}");
                assert_eq!(answer.set_cookies(), Vec::<String>::new());
            }
            browser.headers.remove(header::AUTHORIZATION);
            assert_eq!(browser.get(&router, "/me").await.body, user);
        }
        assert_eq!(asks(&router, &token).await.body, "2");
        // A value that nobody can read is a credential too.
        let mut odd = with_token("x");
        odd.headers.insert(header::COOKIE, HeaderValue::from_static("__Host-session=y"));
        assert_eq!(odd.get(&router, "/me").await.status, StatusCode::BAD_REQUEST);
    }

    async fn several_tokens_are_refused(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        for other in [bearer.clone(), HeaderValue::from_static("Basic YTpi")] {
            let mut client = Client::new();
            client.headers.append(header::AUTHORIZATION, bearer.clone());
            client.headers.append(header::AUTHORIZATION, other);
            assert_eq!(client.get(&router, "/me").await.status, StatusCode::UNAUTHORIZED);
        }
    }

    async fn a_cookie_is_no_token_and_a_token_no_cookie(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        let cookie = app.signed_in("2").await.session_cookie().unwrap().to_owned();
        assert_eq!(asks(&router, &cookie).await.status, StatusCode::UNAUTHORIZED);
        let mut browser = Client::new();
        browser.headers.insert(header::COOKIE, HeaderValue::from_str(&format!("__Host-session={token}")).unwrap());
        assert_eq!(browser.get(&router, "/me").await.status, StatusCode::UNAUTHORIZED);
    }

    async fn hostile_tokens_are_no_session(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        let mut edited = token.clone();
        let last = if edited.pop() == Some('A') { 'B' } else { 'A' };
        edited.push(last);
        let long = "A".repeat(5000);
        for value in ["", "x", &edited[..], &token[1..], &token[..token.len() - 1], &long, "a b", "\u{e9}", "..", "null"] {
            let answer = with_header(&format!("Bearer {value}")).get(&router, "/me").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{value}");
            let answer = with_header(&format!("Bearer {value}")).get(&router, "/maybe").await;
            assert_eq!(answer.body, "nobody", "{value}");
        }
        assert_eq!(asks(&router, &token).await.status, StatusCode::OK);
    }

    async fn other_schemes_belong_to_the_application(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        for value in ["Basic YTpi", "Digest x", "Bearerx", "Token x"] {
            let mut browser = app.signed_in("2").await;
            browser.headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            assert_eq!(browser.get(&router, "/me").await.body, "2", "{value}");
        }
    }

    async fn without_the_setting_the_header_is_the_applications(database: Database) {
        let on = app(&database).await;
        let token = token_of(&router(&on), "2").await;
        let off = App::beside(&database, |builder| builder).await;
        let router = router(&off);
        assert_eq!(asks(&router, &token).await.status, StatusCode::UNAUTHORIZED);
        let mut browser = off.signed_in("3").await;
        browser.headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        let answer = browser.get(&router, "/me").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "3"));
        assert_eq!(answer.headers.get_all(header::VARY).iter().collect::<Vec<_>>(), ["cookie"]);
        let answer = Client::new().post(&router, "/token/2/200").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(database.live().await, 2);
    }

    async fn a_token_leaves_the_browsers_session_alone(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let mut browser = app.signed_in("2").await;
        let answer = browser.post(&router, "/token/2/200").await;
        assert_eq!((answer.status, answer.set_cookies()), (StatusCode::OK, vec![]));
        let token: String = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(browser.get(&router, "/me").await.body, "2");
        assert_eq!(asks(&router, &token).await.body, "2");
        assert_eq!(database.live().await, 2);
    }

    async fn a_new_token_takes_the_place_of_the_clients_old_one(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let old = token_of(&router, "2").await;
        let answer = with_token(&old).post(&router, "/token/2/200").await;
        let new: String = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(asks(&router, &old).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(asks(&router, &new).await.body, "2");
    }

    async fn a_request_with_a_token_gets_no_cookie(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        let answer = with_token(&token).post(&router, "/cookie/3").await;
        assert_eq!((answer.status, answer.set_cookies()), (StatusCode::BAD_REQUEST, vec![]));
        assert_eq!(answer.json()["code"], "bearer-request");
        for path in ["/rotate", "/reauthenticated", "/state", "/flash/hello"] {
            let answer = with_token(&token).post(&router, path).await;
            assert_eq!((answer.status, answer.set_cookies()), (StatusCode::OK, vec![]), "{path}");
        }
        assert_eq!(asks(&router, &token).await.body, "2");
        assert!(LoginError::BearerRequest.to_string().contains("login(…).bearer()"));
    }

    async fn a_proof_counts_for_a_token(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        database.age("authenticated_at", 600).await;
        let answer = with_token(&token).get(&router, "/recent").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(challenges(&answer), ["Cookie", "Bearer error=\"insufficient_user_authentication\""]);
        assert_eq!(with_token(&token).post(&router, "/reauthenticated").await.status, StatusCode::OK);
        assert_eq!(with_token(&token).get(&router, "/recent").await.status, StatusCode::OK);
    }

    async fn a_limit_counts_both_kinds(database: Database) {
        let app = app_with(&database, |builder| builder.limit(Limit::end_oldest(2))).await;
        let router = router(&app);
        let browser = app.signed_in("2").await;
        let first = token_of(&router, "2").await;
        let second = token_of(&router, "2").await;
        assert_eq!(app.who(&browser).await, "anonymous limit");
        assert_eq!(asks(&router, &first).await.body, "2");
        assert_eq!(asks(&router, &second).await.body, "2");
        app.signed_in("2").await;
        assert_eq!(asks(&router, &first).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn timeouts_hold_for_tokens(database: Database) {
        let app = app(&database).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        database.age("last_seen_at", 31 * 60).await;
        assert_eq!(asks(&router, &token).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn an_answer_depends_on_the_header(database: Database) {
        let app = app_with(&database, |builder| builder.sign_in_page("/login")).await;
        let router = router(&app);
        let token = token_of(&router, "2").await;
        for answer in [asks(&router, &token).await, Client::new().get(&router, "/me").await] {
            let varies: Vec<_> = answer.headers.get_all(header::VARY).iter().map(|value| value.to_str().unwrap()).collect();
            assert!(varies.contains(&"cookie") && varies.contains(&"authorization"), "{varies:?}");
        }
        // A browser is sent to the sign-in page, and a client with a token is not.
        let mut navigation = HeaderMap::new();
        navigation.insert("sec-fetch-mode", HeaderValue::from_static("navigate"));
        navigation.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let mut browser = Client::new();
        browser.headers.extend(navigation.clone());
        assert_eq!(browser.get(&router, "/me").await.status, StatusCode::SEE_OTHER);
        let mut client = with_token("x");
        client.headers.extend(navigation);
        assert_eq!(client.get(&router, "/me").await.status, StatusCode::UNAUTHORIZED);
    }

    async fn both_nodes_know_a_token(database: Database) {
        let here = app(&database).await;
        let there = App::beside(&database, |builder| builder.bearer_tokens()).await;
        let token = token_of(&router(&here), "2").await;
        assert_eq!(asks(&router(&there), &token).await.body, "2");
        with_token(&token).post(&there.router, "/logout").await;
        assert_eq!(asks(&router(&here), &token).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn the_token_is_in_no_debug_output(database: Database) {
        let app = app(&database).await;
        let shown = Router::new()
            .route("/shown", post(|session: Session| async move {
                let token = session.login("2").bearer().await.unwrap();
                assert!(!format!("{token:?} {session:?}").contains(token.as_str()));
                assert!(format!("{token:?}").contains(&token.session_id().to_string()));
                assert_eq!(serde_json::to_string(&token).unwrap(), format!("{:?}", token.as_str()));
            }))
            .layer(app.sessions.layer());
        assert_eq!(Client::new().post(&shown, "/shown").await.status, StatusCode::OK);
    }

    async fn a_handler_has_the_same_at_hand(database: Database) {
        #[derive(serde::Deserialize)]
        struct Named {
            name: String,
        }
        let app = app_with(&database, |builder| builder.profile(["name"], "users WHERE id = {user:int}")).await;
        let token = token_of(&router(&app), "2").await;
        database.execute("UPDATE users SET name = 'one' WHERE id = 2").await;
        let handler = Router::new()
            .route("/", get(|CurrentUser(user): CurrentUser<Named>, who: SignedIn| async move {
                format!("{} {}", user.name, who.user_id())
            }))
            .layer(app.sessions.layer());
        assert_eq!(with_token(&token).get(&handler, "/").await.body, "one 2");
    }
}
