//! Users list and end their own sessions over HTTP, and nobody else's.

use std::time::Duration;

use axum::Router;
use countersign::{account, uuid::Uuid};
use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    App,
    control::{assert_headers, assert_problem, routers, sign_in, with_routers},
    on_every_database, sessions_with,
};

on_every_database! {
    async fn users_see_their_own_sessions_alone(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (_, first) = sign_in(&app, "2", "10.0.0.1", "").await;
        let (mut alice, second) = sign_in(&app, "2", "10.0.0.1", "").await;
        sign_in(&app, "3", "10.0.0.1", "").await;
        app.sessions.revoke(first, "1").await.unwrap();
        for (query, expected) in [("", vec![(second, true), (first, false)]), ("?state=live", vec![(second, true)]), ("?state=ended", vec![(first, false)])] {
            let answer = alice.get(&app.router, &format!("/api/account/sessions{query}")).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_headers(&answer);
            let listed = answer.json();
            let listed: Vec<(Uuid, bool)> = listed["sessions"].as_array().unwrap().iter().map(|session| {
                assert_eq!(session["user_id"], "2");
                (session["id"].as_str().unwrap().parse().unwrap(), session["current"].as_bool().unwrap())
            }).collect();
            assert_eq!(listed, expected, "{query}");
        }
        // There is no way to ask for somebody else's.
        let answer = alice.get(&app.router, "/api/account/sessions?user_id=3").await;
        assert_problem(&answer, 400, "invalid-parameter");
        assert_eq!(answer.json()["parameter"], "user_id");
    }

    async fn users_end_their_own_sessions_alone(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut alice, current) = sign_in(&app, "2", "10.0.0.1", "").await;
        let (other, id) = sign_in(&app, "2", "10.0.0.1", "").await;
        let (bob, foreign) = sign_in(&app, "3", "10.0.0.1", "").await;
        let unknown = Uuid::now_v7();
        let answers = [
            alice.send(&app.router, Method::DELETE, &format!("/api/account/sessions/{foreign}")).await,
            alice.send(&app.router, Method::DELETE, &format!("/api/account/sessions/{unknown}")).await,
        ];
        for answer in &answers {
            assert_problem(answer, 404, "not-found");
        }
        assert_eq!(answers[0].body, answers[1].body, "a foreign session is as unknown as any");
        assert_eq!(app.who(&bob).await, "3");
        let own = alice.send(&app.router, Method::DELETE, &format!("/api/account/sessions/{current}")).await;
        assert_problem(&own, 409, "current-session");

        let address = format!("/api/account/sessions/{id}");
        let answer = alice.send(&app.router, Method::DELETE, &address).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_headers(&answer);
        assert_eq!(app.who(&other).await, "anonymous revoked");
        assert_eq!(app.sessions.get(id).await.unwrap().unwrap().ended_by.as_deref(), Some("2"));
        assert_problem(&alice.send(&app.router, Method::DELETE, &address).await, 404, "not-found");

        for _ in 0..2 {
            sign_in(&app, "2", "10.0.0.1", "").await;
        }
        for revoked in [2, 0] {
            let answer = alice.send(&app.router, Method::DELETE, "/api/account/sessions").await;
            assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "revoked": revoked, "kept": 1, "incomplete": false})));
        }
        assert_eq!((app.who(&alice).await, app.who(&bob).await), ("2".into(), "3".into()));
    }

    async fn ending_asks_for_a_recent_sign_in(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut alice, _) = sign_in(&app, "2", "10.0.0.1", "").await;
        let (_, id) = sign_in(&app, "2", "10.0.0.1", "").await;
        let addresses = [format!("/api/account/sessions/{id}"), "/api/account/sessions".into()];
        database.age("authenticated_at", 16 * 60).await;
        for address in &addresses {
            let answer = alice.send(&app.router, Method::DELETE, address).await;
            assert_problem(&answer, 401, "recent-sign-in-required");
            assert!(answer.header("www-authenticate").is_some());
        }
        assert_eq!(alice.get(&app.router, "/api/account/sessions").await.status, StatusCode::OK);
        assert_eq!(database.live().await, 2);

        let longer = routers(&app, |admin| admin, |account| account.recent_sign_in(Duration::from_secs(20 * 60)));
        assert_eq!(alice.send(&longer, Method::DELETE, &addresses[0]).await.status, StatusCode::NO_CONTENT);
        database.age("authenticated_at", 24 * 60 * 60).await;
        assert_problem(&alice.send(&longer, Method::DELETE, &addresses[1]).await, 401, "recent-sign-in-required");
        let ever = routers(&app, |admin| admin, |account| account.insecure_any_sign_in_age());
        assert_eq!(alice.send(&ever, Method::DELETE, &addresses[1]).await.status, StatusCode::OK);
        // Whoever proves again who they are may go on.
        alice.post(&app.router, "/reauthenticated").await;
        assert_eq!(alice.send(&app.router, Method::DELETE, &addresses[1]).await.status, StatusCode::OK);
    }

    async fn the_layer_of_another_application_says_nothing_about_its_users(database: Database) {
        let app = App::new(&database).await;
        let other = App::of(sessions_with(&database, |builder| builder.realm("other")).await);
        let (_, id) = sign_in(&other, "2", "10.0.0.1", "").await;
        let (mut alice, _) = sign_in(&app, "2", "10.0.0.1", "").await;
        let router = Router::new()
            .nest("/api/account", account::router(&other.sessions).build())
            .layer(app.sessions.layer());
        for (method, address) in [
            (Method::GET, "/api/account/sessions".to_owned()), (Method::DELETE, "/api/account/sessions".into()),
            (Method::DELETE, format!("/api/account/sessions/{id}")),
        ] {
            assert_problem(&alice.send(&router, method, &address).await, 500, "internal");
        }
        assert_eq!(database.live().await, 2);
    }

    async fn whoever_acts_as_a_user_ends_nothing_of_theirs(database: Database) {
        let app = App::new(&database).await;
        let ever = routers(&app, |admin| admin, |account| account.insecure_any_sign_in_age());
        let (_, id) = sign_in(&app, "2", "10.0.0.1", "").await;
        let (mut acting, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        acting.post(&app.router, "/act-as/2").await;
        assert_eq!(acting.get(&ever, "/api/account/sessions").await.status, StatusCode::OK);
        for address in [format!("/api/account/sessions/{id}"), "/api/account/sessions".into()] {
            assert_problem(&acting.send(&ever, Method::DELETE, &address).await, 401, "recent-sign-in-required");
        }
        assert_eq!(database.live().await, 2);
    }
}
