//! Whatever comes as a body, the answer has the right status, shows nothing unescaped and changes nothing.

use axum::{Router, body::Body};
use countersign::uuid::Uuid;
use http::{HeaderValue, Method, StatusCode, header};

use crate::support::{
    Answer, App, Client,
    control::{assert_harmless, assert_problem, sign_in, with_routers},
    on_every_database,
};

const ADMIN: &str = "/api/admin/sessions";
const REVOKE: &str = "/api/admin/sessions/revoke";

/// Bodies that are not one JSON object.
const NOT_AN_OBJECT: &[&str] = &[
    "",
    "{",
    "null",
    "[]",
    r#""user_id""#,
    r#"{"user_id":"2"} {}"#,
    r#"{"user_id":"\ud800"}"#,
    "{'user_id':'2'}",
    "user_id=2",
];

/// Members of a revocation, and the one of them that is wrong.
const WRONG_MEMBERS: &[(&str, &str)] = &[
    (r#"{"user_id":2}"#, "user_id"),
    (r#"{"user_id":null}"#, "user_id"),
    (r#"{"user_id":["2"]}"#, "user_id"),
    (r#"{"user_id":{"$ne":"2"}}"#, "user_id"),
    (r#"{"user_id":"2\u0000"}"#, "user_id"),
    (r#"{"user_id":"2","user_id":"3"}"#, "user_id"),
    (r#"{"user_id":"2","User_id":"3"}"#, "User_id"),
    (r#"{"user_id":"2","dry_run":"true"}"#, "dry_run"),
    (r#"{"user_id":"2","dry_run":1}"#, "dry_run"),
    (r#"{"user_id":"2","dry_run":null}"#, "dry_run"),
    (r#"{"user_id":"2","dryrun":true}"#, "dryrun"),
    (
        r#"{"user_id":"2","include_current":"yes"}"#,
        "include_current",
    ),
    (r#"{"everybody":"true"}"#, "everybody"),
    (r#"{"user_id":"2","page_size":1}"#, "page_size"),
    (r#"{"user_id":"2","page_token":""}"#, "page_token"),
];

async fn send(admin: &mut Client, app: &Router, path: &str, kind: &str, body: Body) -> Answer {
    let mut request = admin.request(Method::POST, path);
    *request.body_mut() = body;
    let kind = HeaderValue::from_str(kind).unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    admin.exchange(app, request).await
}

on_every_database! {
    async fn a_body_that_cannot_be_right_is_refused(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        sign_in(&app, "2", "10.0.0.1", "").await;
        for body in NOT_AN_OBJECT {
            let answer = send(&mut admin, &app.router, REVOKE, "application/json", Body::from(*body)).await;
            assert_problem(&answer, 400, "invalid-body");
            assert_harmless(&answer);
        }
        for (body, parameter) in WRONG_MEMBERS {
            let answer = send(&mut admin, &app.router, REVOKE, "application/json", Body::from(*body)).await;
            assert_problem(&answer, 400, "invalid-parameter");
            assert_harmless(&answer);
            assert_eq!(answer.json()["parameter"], *parameter, "{body}");
        }
        let deep = format!("{{\"user_id\":{}", "[".repeat(10_000));
        let long = format!("{{\"user_id\":\"{}\"}}", "x".repeat(16 * 1024));
        let not_utf8 = b"{\"user_id\":\"\xff\"}".to_vec();
        assert_problem(&send(&mut admin, &app.router, REVOKE, "application/json", deep.into()).await, 400, "invalid-body");
        assert_problem(&send(&mut admin, &app.router, REVOKE, "application/json", not_utf8.into()).await, 400, "invalid-body");
        assert_problem(&send(&mut admin, &app.router, REVOKE, "application/json", long.clone().into()).await, 413, "invalid-body");
        let put = admin.send_json(&app.router, Method::PUT, "/api/admin/users/2/limit", long).await;
        assert_problem(&put, 413, "invalid-body");
        for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json, text/plain"] {
            let answer = send(&mut admin, &app.router, REVOKE, kind, "{\"user_id\":\"2\"}".into()).await;
            assert_problem(&answer, 415, "invalid-body");
        }
        let answer = send(&mut admin, &app.router, &format!("{REVOKE}?dry_run=true"), "application/json", "{\"user_id\":\"2\"}".into()).await;
        assert_problem(&answer, 400, "invalid-parameter");
        assert_eq!(database.live().await, 2);
        let answer = send(&mut admin, &app.router, REVOKE, "Application/JSON; charset=utf-8", "{\"user_id\":\"2\"}".into()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    async fn a_body_where_none_is_expected_is_refused(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, own) = sign_in(&app, "1", "10.0.0.1", "").await;
        for (method, path) in [
            (Method::GET, ADMIN.to_owned()), (Method::GET, format!("{ADMIN}/{own}")),
            (Method::DELETE, format!("{ADMIN}/{}", Uuid::now_v7())), (Method::DELETE, "/api/admin/users/1/sessions".into()),
            (Method::GET, "/api/admin/users/1/limit".into()), (Method::GET, "/api/account/sessions".into()),
            (Method::DELETE, "/api/account/sessions".into()), (Method::DELETE, format!("/api/account/sessions/{}", Uuid::now_v7())),
        ] {
            let answer = admin.send_json(&app.router, method, &path, "{\"user_id\":\"1\"}").await;
            assert_problem(&answer, 400, "invalid-body");
        }
        assert_eq!(database.live().await, 1);
    }
}
