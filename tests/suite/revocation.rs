//! What has ended stays ended: from the next request on, on every node, for every copy of the cookie.

use std::time::Duration;

use axum::{Router, extract::Path, routing::post};
use countersign::{
    EndedReason, Error, Filter, LoginError, Session, SessionState, Sessions, UserId, uuid::Uuid,
};
use http::{Method, StatusCode};
use tower::ServiceExt;

use crate::support::{Answer, App, Client, Database, Gate, eventually, on_every_database};

/// The ways in which a session of alice comes to its end.
#[derive(Clone, Copy, Debug)]
enum Way {
    Revoke,
    RevokeUser,
    RevokeOthers,
    RevokeWhere,
    Logout,
    LoginAgain,
    DisabledAccount,
    DeletedAccount,
    EndedByHand,
    DeletedByHand,
}

use Way::*;

const WAYS: [Way; 10] = [
    Revoke,
    RevokeUser,
    RevokeOthers,
    RevokeWhere,
    Logout,
    LoginAgain,
    DisabledAccount,
    DeletedAccount,
    EndedByHand,
    DeletedByHand,
];

impl Way {
    async fn go(self, database: &Database, app: &App, client: &Client, id: Uuid) {
        let alice = UserId::from(2);
        let sessions = &app.sessions;
        match self {
            Revoke => assert!(sessions.revoke(id, "1").await.unwrap()),
            RevokeUser => assert_eq!(sessions.revoke_user(&alice, "1").await.unwrap(), 1),
            RevokeOthers => {
                let mut other = app.signed_in("2").await;
                let ended = other.post(&app.router, "/revoke-others").await;
                assert_eq!(ended.body, "1");
                assert_eq!(app.who(&other).await, "2");
            }
            RevokeWhere => {
                let all = Filter::all();
                assert_eq!(sessions.revoke_where(&all, "job").await.unwrap(), 1);
            }
            Logout => drop(client.clone().post(&app.router, "/logout").await),
            LoginAgain => drop(app.login(&mut client.clone(), "2").await),
            DisabledAccount => drop(database.execute("UPDATE users SET disabled = TRUE WHERE id = 2").await),
            DeletedAccount => drop(database.execute("DELETE FROM users WHERE id = 2").await),
            EndedByHand => drop(
                database
                    .execute("UPDATE countersign_sessions SET ended_at = created_at, ended_reason = 'by hand'")
                    .await,
            ),
            DeletedByHand => drop(database.execute("DELETE FROM countersign_sessions").await),
        }
    }

    fn told(self) -> &'static str {
        match self {
            Revoke | RevokeUser | RevokeOthers | RevokeWhere => "anonymous revoked",
            Logout => "anonymous logout",
            LoginAgain => "anonymous replaced",
            DisabledAccount | DeletedAccount => "anonymous account-refused",
            DeletedByHand => "anonymous",
            EndedByHand => "anonymous other",
        }
    }
}

on_every_database! {
    async fn every_way_of_ending_holds_on_the_very_next_request_on_every_node(database: Database) {
        let nodes = [App::new(&database).await, App::beside(&database, |builder| builder).await];
        for (way, [here, there]) in WAYS.into_iter().flat_map(|way| {
            [(way, [&nodes[0], &nodes[1]]), (way, [&nodes[1], &nodes[0]])]
        }) {
            let mut client = Client::new();
            let id = Uuid::parse_str(&here.login(&mut client, "2").await.body).unwrap();
            let copies = [client.clone(), client.clone()];
            for (node, copy) in [here, there].into_iter().zip(&copies) {
                assert_eq!(node.who(copy).await, "2", "{way:?}");
            }

            way.go(&database, here, &client, id).await;

            for (node, mut copy) in [there, here].into_iter().zip(copies) {
                assert_eq!(copy.get(&node.router, "/me").await.status, StatusCode::UNAUTHORIZED, "{way:?}");
                assert_eq!(copy.get(&node.router, "/edit").await.status, StatusCode::UNAUTHORIZED, "{way:?}");
                assert_eq!(node.who(&copy).await, way.told(), "{way:?}");
            }
            database.execute("DELETE FROM countersign_sessions").await;
            database.execute("DELETE FROM users WHERE id = 2").await;
            database.execute("INSERT INTO users (id, name) VALUES (2, 'alice')").await;
        }
    }

    async fn a_permission_that_is_removed_or_added_counts_from_the_next_request_on(database: Database) {
        let here = App::new(&database).await;
        let there = App::beside(&database, |builder| builder).await;
        let mut client = here.signed_in("2").await;
        for app in [&here, &there, &here] {
            assert_eq!(client.get(&app.router, "/edit").await.status, StatusCode::OK);
            database.execute("DELETE FROM user_permissions WHERE user_id = 2 AND permission = 'articles:edit'").await;
            assert_eq!(client.get(&app.router, "/edit").await.status, StatusCode::FORBIDDEN);
            assert_eq!(client.get(&app.router, "/permissions").await.body, "articles:read");
            database.execute("INSERT INTO user_permissions VALUES (2, 'articles:edit')").await;
        }
        assert_eq!(client.get(&there.router, "/edit").await.status, StatusCode::OK);
    }

    async fn nothing_brings_back_a_session_that_has_ended(database: Database) {
        let app = App::with(&database, |builder| builder.touch_interval(Duration::ZERO)).await;
        let mut client = Client::new();
        let id = Uuid::parse_str(&app.login(&mut client, "2").await.body).unwrap();
        // A touch is due and waits to be written.
        assert_eq!(app.who(&client).await, "2");
        assert!(app.sessions.revoke(id, "1").await.unwrap());
        let ended = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!((ended.state, ended.ended_reason), (SessionState::Ended, Some(EndedReason::Revoked)));

        app.sessions.close().await;
        for path in ["/rotate", "/reauthenticated", "/logout", "/logout/500", "/login/3"] {
            client.clone().post(&app.router, path).await;
        }
        app.signed_in("2").await;
        assert!(!app.sessions.revoke(id, "1").await.unwrap());
        let asking = (0..32).map(|_| app.who(&client));
        assert!(futures::future::join_all(asking).await.iter().all(|who| who == "anonymous revoked"));
        app.sessions.sweep().await.unwrap();
        app.sessions.close().await;

        assert_eq!(app.who(&client).await, "anonymous revoked");
        assert_eq!(app.sessions.get(id).await.unwrap().unwrap(), ended);
    }

    async fn a_request_under_way_cannot_carry_a_session_past_its_end(database: Database) {
        let app = App::new(&database).await;
        let (gate, slow) = slow_router(&app.sessions);
        let client = app.signed_in("2").await;
        let under_way = tokio::spawn(slow.oneshot(client.request(Method::POST, "/rotate")));
        gate.reached().await;
        app.sessions.revoke_user(2, "1").await.unwrap();
        gate.open();
        let answer = Answer::read(under_way.await.unwrap().unwrap()).await;
        assert_eq!((answer.status, answer.session_cookie()), (StatusCode::OK, None));
        assert_eq!(database.live().await, 0);
        assert_eq!(app.who(&client).await, "anonymous revoked");
    }

    async fn sign_ins_under_way_end_with_everything_else_that_is_revoked(database: Database) {
        let here = App::new(&database).await;
        let there = App::beside(&database, |builder| builder).await;
        let (gate, slow) = slow_router(&here.sessions);
        let other = Filter::user(3);
        for filter in [Filter::user(2), Filter::all()] {
            let under_way = tokio::spawn(slow.clone().oneshot(Client::new().request(Method::POST, "/login/2")));
            gate.reached().await;
            assert_eq!(there.sessions.revoke_where(&other, "1").await.unwrap(), 0);
            assert_eq!(there.sessions.revoke_where(&filter, "1").await.unwrap(), 0);
            gate.open();
            let answer = Answer::read(under_way.await.unwrap().unwrap()).await;
            assert_eq!((answer.status, answer.session_cookie()), (StatusCode::SERVICE_UNAVAILABLE, None));
            assert_eq!(database.live().await, 0);
        }
    }

    async fn a_request_under_way_signs_out_although_others_have_rotated_the_token_since(database: Database) {
        let app = App::new(&database).await;
        let (gate, slow) = slow_router(&app.sessions);
        let mut client = app.signed_in("2").await;
        let under_way = tokio::spawn(slow.oneshot(client.request(Method::POST, "/logout")));
        gate.reached().await;
        for _ in 0..2 {
            assert!(client.post(&app.router, "/rotate").await.session_cookie().is_some());
        }
        gate.open();
        assert_eq!(under_way.await.unwrap().unwrap().status(), StatusCode::OK);
        assert_eq!(app.who(&client).await, "anonymous logout");
    }

    async fn a_sign_in_under_way_replaces_the_session_although_others_have_rotated_its_token_since(database: Database) {
        let app = App::new(&database).await;
        let (gate, slow) = slow_router(&app.sessions);
        let mut client = app.signed_in("2").await;
        let under_way = tokio::spawn(slow.oneshot(client.request(Method::POST, "/login/3")));
        gate.reached().await;
        for _ in 0..2 {
            assert!(client.post(&app.router, "/rotate").await.session_cookie().is_some());
        }
        gate.open();
        assert_eq!(under_way.await.unwrap().unwrap().status(), StatusCode::OK);
        assert_eq!(app.who(&client).await, "anonymous replaced");
        assert_eq!(database.live().await, 1);
    }

    async fn signing_out_ends_the_session_of_an_account_that_is_disabled(database: Database) {
        let app = App::new(&database).await;
        let client = app.signed_in("2").await;
        database.execute("UPDATE users SET disabled = TRUE").await;
        client.clone().post(&app.router, "/logout").await;
        database.execute("UPDATE users SET disabled = FALSE").await;
        assert_eq!(app.who(&client).await, "anonymous logout");
    }

    async fn whoever_gives_up_waiting_has_revoked_all_the_same(database: Database) {
        let app = App::new(&database).await;
        let client = app.signed_in("2").await;
        let alice = UserId::from(2);
        // Polled once, then dropped.
        tokio::select! {
            biased;
            _ = app.sessions.revoke_user(&alice, "1") => {}
            () = std::future::ready(()) => {}
        }
        eventually("the session is revoked", || async { app.who(&client).await == "anonymous revoked" }).await;
    }
}

/// Handlers that sign in, rotate and sign out slowly.
fn slow_router(sessions: &Sessions) -> (Gate, Router) {
    let gate = Gate::closed();
    let [at_login, at_rotate, at_logout] = [gate.clone(), gate.clone(), gate.clone()];
    let router = Router::new()
        .route(
            "/login/{user}",
            post(|session: Session, Path(user): Path<String>| async move {
                session.login(user).await?;
                at_login.pass().await;
                Ok::<_, LoginError>(())
            }),
        )
        .route(
            "/rotate",
            post(|session: Session| async move {
                session.rotate();
                at_rotate.pass().await;
            }),
        )
        .route(
            "/logout",
            post(|session: Session| async move {
                at_logout.pass().await;
                session.logout().await?;
                Ok::<_, Error>(())
            }),
        )
        .layer(sessions.layer());
    (gate, router)
}
