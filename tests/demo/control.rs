//! Administrators and users at the controls that the demo mounts: the program itself has them at these addresses.

use http::StatusCode;
use serde_json::Value;

use crate::{
    program::Demo,
    support::{Answer, Client, on_every_database},
};

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

fn assert_refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(json(answer)["code"], code);
}

/// The id of the session that this browser is signed in with.
async fn session_of(demo: &Demo, browser: &mut Client) -> String {
    let who = demo.get(browser, "/whoami").await;
    json(&who)["session_id"].as_str().unwrap().to_owned()
}

on_every_database! {
    async fn users_end_their_own_sessions(database: Database) {
        let demo = Demo::start(&database).await;
        let (mut here, mut there) = (demo.signed_in("alice").await, demo.signed_in("alice").await);
        demo.signed_in("bob").await;
        let (current, other) = (session_of(&demo, &mut here).await, session_of(&demo, &mut there).await);

        let listed = json(&demo.get(&mut here, "/api/account/sessions").await);
        let mut listed: Vec<_> = listed["sessions"].as_array().unwrap().iter()
            .map(|session| (session["id"].as_str().unwrap().to_owned(), session["current"].as_bool().unwrap()))
            .collect();
        listed.sort();
        assert_eq!(listed, [(current.clone(), true), (other.clone(), false)]);

        let own = demo.send(&mut here, &format!("DELETE /api/account/sessions/{current}")).await;
        assert_refused(&own, StatusCode::CONFLICT, "current-session");
        let ended = demo.send(&mut here, &format!("DELETE /api/account/sessions/{other}")).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        assert_eq!(demo.whoami(&mut there).await, StatusCode::UNAUTHORIZED);
        assert!(demo.get(&mut there, "/").await.body.contains("this session was ended from elsewhere"));
        assert_eq!(demo.whoami(&mut here).await, StatusCode::OK);
    }

    async fn administrators_end_those_of_everybody(database: Database) {
        let demo = Demo::start(&database).await;
        let (mut admin, mut support) = (demo.signed_in("admin").await, demo.signed_in("support").await);
        let mut alice = demo.signed_in("alice").await;
        let id = session_of(&demo, &mut alice).await;

        for path in ["/api/admin/sessions", &format!("/api/admin/sessions/{id}")] {
            assert_refused(&demo.get(&mut Client::new(), path).await, StatusCode::UNAUTHORIZED, "signed-out");
            assert_refused(&demo.get(&mut alice, path).await, StatusCode::FORBIDDEN, "forbidden");
            assert_eq!(demo.get(&mut support, path).await.status, StatusCode::OK);
        }
        let ending = format!("DELETE /api/admin/sessions/{id}");
        assert_refused(&demo.send(&mut alice, &ending).await, StatusCode::FORBIDDEN, "forbidden");
        assert_refused(&demo.send(&mut support, &ending).await, StatusCode::FORBIDDEN, "forbidden");
        assert_eq!(demo.whoami(&mut alice).await, StatusCode::OK);

        assert_eq!(demo.send(&mut admin, &ending).await.status, StatusCode::NO_CONTENT);
        assert_eq!(demo.whoami(&mut alice).await, StatusCode::UNAUTHORIZED);
        let shown = json(&demo.get(&mut admin, &format!("/api/admin/sessions/{id}")).await);
        assert_eq!((&shown["state"], &shown["ended_reason"], &shown["ended_by"]), (&"ended".into(), &"revoked".into(), &"1".into()));
    }
}
