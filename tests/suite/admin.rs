//! Administrators list, show and end sessions over HTTP, and set limits.

use axum::Router;
use countersign::{MaxSessions, admin, uuid::Uuid};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Answer, App,
    control::{assert_headers, assert_problem, ids, routers, sign_in, with_routers},
    on_every_database,
};

/// The address in `Link: <…>; rel="next"`.
fn next_link(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let address = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(address.to_owned())
}

on_every_database! {
    async fn a_session_is_shown_as_it_is(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.1", "Admin/1").await;
        let (_, id) = sign_in(&app, "2", "192.0.2.2", "<b>Browser</b>").await;
        let answer = admin.get(&app.router, &format!("/api/admin/sessions/{id}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("vary"), Some("cookie"));
        assert_headers(&answer);
        let session = answer.json();
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!(session["id"], id.to_string());
        assert_eq!((&session["user_id"], &session["state"], &session["current"]), (&json!("2"), &json!("live"), &json!(false)));
        assert_eq!((&session["ip"], &session["user_agent"]), (&json!("192.0.2.2"), &json!("<b>Browser</b>")));
        for name in ["ended_at", "ended_reason", "ended_by"] {
            assert_eq!(session[name], Value::Null, "{name}");
        }
        for (name, time) in [
            ("created_at", info.created_at), ("last_seen_at", info.last_seen_at),
            ("expires_at", info.expires_at), ("authenticated_at", info.authenticated_at),
        ] {
            let text = session[name].as_str().unwrap();
            let format = &countersign::time::format_description::well_known::Rfc3339;
            assert!(text.ends_with('Z'), "{text}");
            assert_eq!(countersign::time::OffsetDateTime::parse(text, format).unwrap(), time, "{name}");
        }
        let own = admin.get(&app.router, &format!("/api/admin/sessions/{own}")).await;
        assert_eq!(own.json()["current"], true);

        app.sessions.revoke(id, "nightly job").await.unwrap();
        let ended = admin.get(&app.router, &format!("/api/admin/sessions/{id}")).await.json();
        assert_eq!((&ended["state"], &ended["ended_reason"], &ended["ended_by"]), (&json!("ended"), &json!("revoked"), &json!("nightly job")));
        assert!(ended["ended_at"].is_string());

        let unknown = admin.get(&app.router, &format!("/api/admin/sessions/{}", Uuid::now_v7())).await;
        assert_problem(&unknown, 404, "not-found");
        // HEAD answers like GET, without a body.
        let head = admin.send(&app.router, Method::HEAD, &format!("/api/admin/sessions/{id}")).await;
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
        assert_headers(&head);
    }

    async fn every_parameter_narrows_the_list(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, own) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let (_, one) = sign_in(&app, "2", "10.0.0.2", "Firefox & friends").await;
        let (_, two) = sign_in(&app, "3", "2001:db8::1", "Fire+fox").await;
        let (_, three) = sign_in(&app, "3", "10.0.0.2", "Chrome").await;
        app.sessions.revoke(three, "1").await.unwrap();
        database.execute(&format!(
            "UPDATE countersign_sessions SET created_at = '2020-06-01 00:00:00.000' WHERE id = '{one}'"
        )).await;
        let cases: [(&str, &[Uuid]); 18] = [
            ("", &[three, two, own, one]),
            ("?", &[three, two, own, one]),
            ("?user_id=3", &[three, two]),
            ("?user_id=9", &[]),
            ("?state=live", &[two, own, one]),
            ("?state=ended", &[three]),
            ("?ip=10.0.0.2", &[three, one]),
            ("?ip=2001:DB8:0:0::1", &[two]),
            ("?ip=%3a%3affff:10.0.0.2", &[three, one]),
            ("?user_agent=Firefox+%26%20fr", &[one]),
            ("?user_agent=Fire%2Bfox", &[two]),
            ("?created_before=2021-01-01T00:00:00Z", &[one]),
            ("?created_after=2021-01-01T00%3A00%3A00%2B01%3A00", &[three, two, own]),
            ("?created_after=2020-01-01T00:00:00Z&created_before=2021-01-01T00:00:00Z", &[one]),
            ("?created_after=0000-01-01T00:00:00%2B23:59", &[three, two, own, one]),
            ("?created_after=9999-12-31T23:59:59-23:59", &[]),
            ("?user_id=3&state=ended&ip=10.0.0.2&user_agent=Chrome&page_size=1000", &[three]),
            ("?user_id=3&state=live&ip=10.0.0.2", &[]),
        ];
        for (query, expected) in cases {
            let answer = admin.get(&app.router, &format!("/api/admin/sessions{query}")).await;
            assert_eq!(ids(&answer), expected, "{query}");
            assert_eq!(answer.json()["next_page_token"], Value::Null, "{query}");
            assert_eq!(answer.header("link"), None);
        }
    }

    async fn pages_lead_to_each_other(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let mut all = Vec::new();
        for _ in 0..7 {
            all.insert(0, sign_in(&app, "2", "10.0.0.1", "a b&c").await.1);
        }
        let first = "/api/admin/sessions?page_size=3&user_agent=b%26c&user_id=2";
        let mut address = Some(first.to_owned());
        let mut met = Vec::new();
        while let Some(page) = address {
            let answer = admin.get(&app.router, &page).await;
            met.push(ids(&answer));
            address = next_link(&answer);
            // The token in the body is the one in the link, which keeps the other parameters.
            match answer.json()["next_page_token"].as_str() {
                Some(token) => {
                    let link = address.as_ref().unwrap();
                    assert!(link.starts_with("/api/admin/sessions?"), "{link}");
                    for kept in ["user_id=2", "user_agent=b%26c", "page_size=3"] {
                        assert!(link.contains(kept), "{link}");
                    }
                    let by_hand = format!("{first}&page_token={token}");
                    assert_eq!(ids(&admin.get(&app.router, &by_hand).await), ids(&admin.get(&app.router, link).await));
                }
                None => assert_eq!(address, None),
            }
        }
        assert_eq!(met.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(met.concat(), all);
    }

    async fn a_limit_is_set_and_taken_back(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        let address = "/api/admin/users/2/limit";
        let read = admin.get(&app.router, address).await;
        assert_eq!((read.status, read.json()), (StatusCode::OK, json!({ "max_sessions": null })));
        for (wanted, set) in [
            (json!(0), Some(MaxSessions::AtMost(0))), (json!(4_294_967_295_u32), Some(MaxSessions::AtMost(u32::MAX))),
            (json!("unlimited"), Some(MaxSessions::Unlimited)), (json!(null), None), (json!(2), Some(MaxSessions::AtMost(2))),
        ] {
            let body = json!({ "max_sessions": wanted });
            let answer = admin.send_json(&app.router, Method::PUT, address, body.to_string()).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::OK, body.clone()));
            assert_eq!(admin.get(&app.router, address).await.json(), body);
            assert_eq!(app.sessions.limit(2).await.unwrap(), set);
        }
        // JSON has no integers of its own: this is the number 3.
        let answer = admin.send_json(&app.router, Method::PUT, address, r#"{"max_sessions":3.0}"#).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "max_sessions": 3 })));
        for wanted in ["-1", "4294967296", "4294967296.0", "-1.0", "1.5", "\"2\"", "\"Unlimited\"", "true", "[]", "{}"] {
            let body = format!("{{\"max_sessions\":{wanted}}}");
            let answer = admin.send_json(&app.router, Method::PUT, address, body).await;
            assert_problem(&answer, 400, "invalid-parameter");
            assert_eq!(answer.json()["parameter"], "max_sessions", "{wanted}");
        }
        assert_eq!(app.sessions.limit(2).await.unwrap(), Some(MaxSessions::AtMost(3)));
    }

    async fn permissions_have_the_names_that_are_configured(database: Database) {
        let app = App::new(&database).await;
        let router = routers(
            &app,
            |admin| admin.read_permission("articles:read").revoke_permission("articles:edit"),
            |account| account,
        );
        let (mut alice, _) = sign_in(&app, "2", "10.0.0.1", "").await;
        let (mut bob, _) = sign_in(&app, "3", "10.0.0.1", "").await;
        for client in [&mut alice, &mut bob] {
            assert_eq!(client.get(&router, "/api/admin/sessions").await.status, StatusCode::OK);
        }
        let address = "/api/admin/users/9/sessions";
        assert_eq!(alice.send(&router, Method::DELETE, address).await.status, StatusCode::OK);
        assert_problem(&bob.send(&router, Method::DELETE, address).await, 403, "forbidden");
        // Taken away, it is gone with the next request.
        database.execute("DELETE FROM user_permissions WHERE user_id = 3").await;
        assert_problem(&bob.get(&router, "/api/admin/sessions").await, 403, "forbidden");
    }

    async fn they_can_be_nested_below_parameters(database: Database) {
        let app = App::new(&database).await;
        let router: Router = Router::new()
            .nest("/tenants/{id}/users/{user_id}", Router::new().nest("/admin", admin::router(&app.sessions).build()))
            .layer(app.sessions.layer());
        let (mut client, own) = sign_in(&app, "1", "10.0.0.1", "").await;
        sign_in(&app, "2", "10.0.0.1", "").await;
        let mount = "/tenants/7/users/8/admin";
        let shown = client.get(&router, &format!("{mount}/sessions/{own}")).await;
        assert_eq!((shown.status, shown.json()["id"].as_str()), (StatusCode::OK, Some(own.to_string().as_str())));
        let ended = client.send(&router, Method::DELETE, &format!("{mount}/users/2/sessions")).await;
        assert_eq!(ended.json(), json!({ "revoked": 1, "kept": 0, "incomplete": false}));
        let listed = client.get(&router, &format!("{mount}/sessions?page_size=1")).await;
        let next = next_link(&listed).unwrap();
        assert!(next.starts_with(&format!("{mount}/sessions?page_size=1&page_token=")), "{next}");
        assert_eq!(ids(&client.get(&router, &next).await), [own]);
    }
}
