//! Administrators end sessions over HTTP: one, a user's, what a filter means; not by accident, and not whose they may
//! not.

use axum::Router;
use countersign::{SignedIn, UserId, admin::Authorization, uuid::Uuid};
use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    App, Gate,
    control::{assert_headers, assert_problem, ids, revoke, routers, sign_in, with_routers},
    on_every_database,
};

fn protects_bob(app: &App) -> Router {
    let refuse_bob = async |_: SignedIn, user: UserId| {
        Ok(match user.as_str() {
            "3" => Authorization::Refused,
            _ => Authorization::Granted,
        })
    };
    routers(app, |admin| admin.authorize(refuse_bob), |account| account)
}

on_every_database! {
    async fn one_session_ends_once(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, own) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let (alice, id) = sign_in(&app, "2", "10.0.0.1", "").await;
        let address = format!("/api/admin/sessions/{id}");
        let answer = admin.send(&app.router, Method::DELETE, &address).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""));
        assert_headers(&answer);
        assert_eq!(app.who(&alice).await, "anonymous revoked");
        assert_eq!(app.sessions.get(id).await.unwrap().unwrap().ended_by.as_deref(), Some("1"));
        assert_problem(&admin.send(&app.router, Method::DELETE, &address).await, 404, "not-found");
        let unknown = format!("/api/admin/sessions/{}", Uuid::now_v7());
        assert_problem(&admin.send(&app.router, Method::DELETE, &unknown).await, 404, "not-found");

        let address = format!("/api/admin/sessions/{own}");
        for kept in [address.clone(), format!("{address}?include_current=false")] {
            assert_problem(&admin.send(&app.router, Method::DELETE, &kept).await, 409, "current-session");
        }
        assert_eq!(app.who(&admin).await, "1");
        let answer = admin.send(&app.router, Method::DELETE, &format!("{address}?include_current=true")).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(app.who(&admin).await, "anonymous revoked");
    }

    async fn all_sessions_of_a_user_end_but_the_current_one(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        for user in ["1", "2", "2", "3"] {
            sign_in(&app, user, "10.0.0.1", "").await;
        }
        for (user, revoked, kept) in [("2", 2, 0), ("2", 0, 0), ("1", 1, 1), ("9", 0, 0)] {
            let answer = admin.send(&app.router, Method::DELETE, &format!("/api/admin/users/{user}/sessions")).await;
            assert_eq!(answer.json(), json!({ "revoked": revoked, "kept": kept, "incomplete": false}), "{user}");
            assert_headers(&answer);
        }
        assert_eq!(app.who(&admin).await, "1");
        assert_eq!(database.live().await, 2);
        let answer = admin.send(&app.router, Method::DELETE, "/api/admin/users/1/sessions?include_current=true").await;
        assert_eq!(answer.json(), json!({ "revoked": 1, "kept": 0, "incomplete": false}));
        assert_eq!(app.who(&admin).await, "anonymous revoked");
    }

    async fn a_filter_ends_what_its_dry_run_counted(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        for user in ["1", "2", "3", "3"] {
            sign_in(&app, user, "10.0.0.9", "curl/8").await;
        }
        for body in [
            json!({ "user_id": "2" }), json!({ "ip": "10.0.0.9", "user_agent": "curl/", "state": "live" }),
            json!({ "created_after": "2020-01-01T00:00:00+01:00" }), json!({ "everybody": true }),
            json!({ "everybody": true, "state": "ended" }), json!({ "everybody": true, "include_current": true }),
        ] {
            let mut dry = body.clone();
            dry["dry_run"] = true.into();
            let before = database.live().await;
            let expected = revoke(&mut admin, &app.router, dry).await;
            assert_eq!(database.live().await, before, "a dry run ends nobody");
            let answer = revoke(&mut admin, &app.router, body.clone()).await;
            assert_eq!(answer.status, StatusCode::OK, "{body}: {}", answer.body);
            assert_eq!(answer.json(), expected.json(), "{body}");
            let revoked = answer.json()["revoked"].as_i64().unwrap();
            assert_eq!(database.live().await, before - revoked, "{body}");
        }
        assert_eq!(database.live().await, 0);
    }

    async fn nobody_ends_everybody_by_accident(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        sign_in(&app, "2", "10.0.0.1", "").await;
        for body in [
            json!({}), json!({ "state": "live" }), json!({ "everybody": false }), json!({ "dry_run": true }),
            json!({ "everybody": true, "user_id": "2" }),
        ] {
            let answer = revoke(&mut admin, &app.router, body).await;
            assert_problem(&answer, 400, "invalid-parameter");
            assert_eq!(answer.json()["parameter"], "everybody");
        }
        assert_eq!(database.live().await, 2);
    }

    async fn who_is_protected_stays(database: Database) {
        let app = App::new(&database).await;
        let router = protects_bob(&app);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let (bob, id) = sign_in(&app, "3", "10.0.0.1", "").await;
        for user in ["1", "2", "2", "3"] {
            sign_in(&app, user, "10.0.0.1", "").await;
        }
        let single = admin.send(&router, Method::DELETE, &format!("/api/admin/sessions/{id}")).await;
        assert_problem(&single, 403, "forbidden");
        let limit = admin.send_json(&router, Method::PUT, "/api/admin/users/3/limit", r#"{"max_sessions":1}"#).await;
        assert_problem(&limit, 403, "forbidden");
        assert_eq!(app.sessions.limit(3).await.unwrap(), None);
        let all_of_bob = admin.send(&router, Method::DELETE, "/api/admin/users/3/sessions").await;
        assert_eq!(all_of_bob.json(), json!({ "revoked": 0, "kept": 2, "incomplete": false}));
        let everybody = json!({ "everybody": true, "dry_run": true });
        assert_eq!(revoke(&mut admin, &router, everybody).await.json(), json!({ "revoked": 3, "kept": 3, "incomplete": false}));
        let everybody = json!({ "everybody": true });
        assert_eq!(revoke(&mut admin, &router, everybody).await.json(), json!({ "revoked": 3, "kept": 3, "incomplete": false}));
        assert_eq!((app.who(&bob).await, app.who(&admin).await), ("3".into(), "1".into()));
    }

    async fn an_undecided_authorization_ends_nobody(database: Database) {
        let app = App::new(&database).await;
        let undecided = async |_: SignedIn, _: UserId| Err("the directory is away".into());
        let router = routers(&app, |admin| admin.authorize(undecided), |account| account);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let (_, id) = sign_in(&app, "2", "10.0.0.1", "").await;
        for address in [format!("/api/admin/sessions/{id}"), "/api/admin/users/2/sessions".into()] {
            let answer = admin.send(&router, Method::DELETE, &address).await;
            assert_problem(&answer, 503, "unavailable");
            assert!(answer.header("retry-after").is_some());
        }
        let limit = admin.send_json(&router, Method::PUT, "/api/admin/users/2/limit", r#"{"max_sessions":1}"#).await;
        assert_problem(&limit, 503, "unavailable");
        assert_eq!(database.live().await, 2);
    }

    async fn whoever_begins_to_act_while_it_is_decided_is_not_spared(database: Database) {
        let app = App::new(&database).await;
        let gate = Gate::closed();
        let at_the_gate = gate.clone();
        let decided = move |_: SignedIn, user: UserId| {
            let gate = at_the_gate.clone();
            async move {
                if user.as_str() == "2" {
                    gate.pass().await;
                }
                Ok(Authorization::Granted)
            }
        };
        let router = routers(&app, |admin| admin.authorize(decided), |account| account);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let (mut thief, _) = sign_in(&app, "2", "10.0.0.6", "").await;
        let ending = tokio::spawn(async move {
            revoke(&mut admin, &router, json!({ "everybody": true })).await
        });
        gate.reached().await;
        assert_eq!(thief.post(&app.router, "/act-as/3").await.status, StatusCode::OK);
        gate.open();
        assert_eq!(ending.await.unwrap().json(), json!({ "revoked": 1, "kept": 1, "incomplete": false}));
        assert_eq!(app.who(&thief).await, "anonymous revoked");
        assert_eq!(database.live().await, 1);
    }

    async fn an_authorization_that_does_not_answer_is_not_waited_for(database: Database) {
        let app = App::with(&database, |builder| builder.time_budget(std::time::Duration::from_secs(3))).await;
        let silent = async |_: SignedIn, _: UserId| std::future::pending().await;
        let router = routers(&app, |admin| admin.authorize(silent), |account| account);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let (_, id) = sign_in(&app, "2", "10.0.0.1", "").await;
        for address in [format!("/api/admin/sessions/{id}"), "/api/admin/users/2/sessions".into()] {
            let asking = admin.send(&router, Method::DELETE, &address);
            let answer = tokio::time::timeout(crate::support::PATIENCE, asking).await.expect(&address);
            assert_problem(&answer, 503, "unavailable");
        }
        assert_eq!(database.live().await, 2);
    }

    async fn who_acts_as_somebody_is_named_and_ends_with_either(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        database.execute("INSERT INTO user_permissions VALUES (2, 'sessions:read'), (2, 'sessions:revoke')").await;
        let acting_as = async |user: &str| {
            let (mut acting, _) = sign_in(&app, "1", "10.0.0.1", "").await;
            let answer = acting.post(&app.router, &format!("/act-as/{user}")).await;
            (acting, answer.body.parse::<Uuid>().unwrap())
        };
        let (mut acting, id) = acting_as("2").await;
        let shown = admin.get(&app.router, &format!("/api/admin/sessions/{id}")).await.json();
        assert_eq!((&shown["user_id"], &shown["acting_user"]), (&json!("2"), &json!("1")));
        let listed = admin.get(&app.router, "/api/admin/sessions?acting_user=1").await;
        assert_eq!(ids(&listed), [id]);
        // Whatever the user may: who acts decides over nobody.
        let (_, bobs) = sign_in(&app, "3", "10.0.0.1", "").await;
        let answer = acting.send(&app.router, Method::DELETE, &format!("/api/admin/sessions/{bobs}")).await;
        assert_problem(&answer, 403, "forbidden");
        assert_eq!(app.sessions.get(bobs).await.unwrap().unwrap().ended_at, None);

        // It is a matter of both users.
        let (_, as_bob) = acting_as("3").await;
        let router = protects_bob(&app);
        let answer = admin.send(&router, Method::DELETE, &format!("/api/admin/sessions/{as_bob}")).await;
        assert_problem(&answer, 403, "forbidden");
        let by_administrator = revoke(&mut admin, &router, json!({ "acting_user": "1" })).await;
        assert_eq!(by_administrator.json(), json!({ "revoked": 1, "kept": 1, "incomplete": false}));
        let answer = admin.send(&app.router, Method::DELETE, "/api/admin/users/1/sessions").await;
        assert_eq!(answer.json(), json!({ "revoked": 1, "kept": 1, "incomplete": false}));
    }
}
