//! Whoever may not, and whatever cannot be read, gets a page that says so, and nothing changes.

use countersign::uuid::Uuid;
use http::{Method, StatusCode, header};

use crate::support::{
    App, Client, Database,
    control::sign_in,
    on_every_database,
    pages::{assert_leads_to, assert_page, ended_by, with_pages},
};

on_every_database! {
    async fn whoever_may_not_gets_a_page_that_says_so_and_changes_nothing(database: Database) {
        let app = with_pages(App::new(&database).await);
        database.execute("INSERT INTO user_permissions VALUES (3, 'sessions:read')").await;
        let (mut alice, id) = sign_in(&app, "2", "192.0.2.7", "").await;
        let (mut reader, _) = sign_in(&app, "3", "192.0.2.7", "").await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        // Whoever acts as an administrator sees what that one sees.
        let (mut acting, _) = sign_in(&app, "2", "192.0.2.7", "").await;
        acting.post(&app.router, "/act-as/1").await;
        let reading = ["/admin/sessions".to_owned(), format!("/admin/sessions/{id}"), "/admin/sessions/users/2".into()];
        let asking = [format!("/admin/sessions/{id}/end"), "/admin/sessions/users/2/end".into(), "/admin/sessions/end?user_id=2".into()];
        let ending = [
            (format!("/admin/sessions/{id}/end"), ""), ("/admin/sessions/users/2/end".into(), ""),
            ("/admin/sessions/end".into(), "user_id=2"), ("/admin/sessions/users/2/limit".into(), "limit=unlimited"),
        ];
        for path in reading.iter().chain(&asking) {
            assert_page(&Client::new().get(&app.router, path).await, StatusCode::UNAUTHORIZED);
            assert_page(&alice.get(&app.router, path).await, StatusCode::FORBIDDEN);
            assert_page(&admin.get(&app.router, path).await, StatusCode::OK);
        }
        for path in &reading {
            for client in [&mut reader, &mut acting] {
                let page = client.get(&app.router, path).await;
                assert_page(&page, StatusCode::OK);
                assert!(!page.all("a", "href").iter().any(|link| link.contains("/end")), "{}", page.body);
                assert!(!page.body.contains("method=\"post\""), "{}", page.body);
            }
        }
        for path in &asking {
            assert_page(&reader.get(&app.router, path).await, StatusCode::FORBIDDEN);
        }
        admin.headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
        for (path, form) in &ending {
            for (client, status) in [(&mut Client::new(), StatusCode::UNAUTHORIZED), (&mut alice, StatusCode::FORBIDDEN), (&mut reader, StatusCode::FORBIDDEN), (&mut admin, StatusCode::FORBIDDEN)] {
                assert_page(&client.submit(&app.router, path, form).await, status);
            }
        }
        admin.headers.remove("sec-fetch-site");
        for (origin, status) in [("null", StatusCode::FORBIDDEN), ("https://evil.example", StatusCode::FORBIDDEN), ("https://shop.example", StatusCode::SEE_OTHER)] {
            admin.headers.insert(header::ORIGIN, origin.parse().unwrap());
            admin.headers.insert(header::HOST, "shop.example".parse().unwrap());
            let answer = admin.submit(&app.router, "/admin/sessions/users/9/end", "").await;
            assert_eq!(answer.status, status, "{origin}");
        }
        assert_eq!(ended_by(&app, id).await, None);
        assert_eq!(app.sessions.limit(2).await.unwrap(), None);
    }

    async fn whoever_ends_without_reading_is_shown_nothing(database: Database) {
        let app = with_pages(App::new(&database).await);
        database.execute("INSERT INTO user_permissions VALUES (3, 'sessions:revoke')").await;
        let (_, id) = sign_in(&app, "2", "192.0.2.7", "").await;
        let (mut revoker, _) = sign_in(&app, "3", "192.0.2.7", "").await;
        for path in [
            "/admin/sessions".to_owned(), format!("/admin/sessions/{id}"), "/admin/sessions/users/2".into(),
            format!("/admin/sessions/{id}/end"), "/admin/sessions/users/2/end".into(), "/admin/sessions/end?user_id=2".into(),
        ] {
            assert_page(&revoker.get(&app.router, &path).await, StatusCode::FORBIDDEN);
        }
        let answer = revoker.submit(&app.router, "/admin/sessions/users/2/end", "").await;
        assert_leads_to(&answer, "/admin/sessions/users/2");
        assert_eq!(ended_by(&app, id).await.as_deref(), Some("3"));
    }

    async fn browsers_are_sent_to_the_sign_in_page(database: Database) {
        let app = with_pages(App::with(&database, |builder| builder.sign_in_page("/login")).await);
        let mut browser = Client::new();
        browser.headers.insert(header::ACCEPT, "text/html".parse().unwrap());
        let answer = browser.get(&app.router, "/admin/sessions?user_id=2").await;
        assert_leads_to(&answer, "/login?next=/admin/sessions%3Fuser_id%3D2");
        assert_leads_to(&browser.submit(&app.router, "/account/sessions/others/end", "").await, "/login");
        assert!(answer.header("content-security-policy").is_some());
    }

    async fn what_cannot_be_read_is_refused_as_a_page(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut admin, id) = sign_in(&app, "1", "192.0.2.1", "").await;
        for (method, path, status) in [
            (Method::GET, "/admin/sessions/nothing/here".to_owned(), StatusCode::NOT_FOUND),
            (Method::GET, "/account/sessions/a/b/c".into(), StatusCode::NOT_FOUND),
            (Method::DELETE, format!("/admin/sessions/{id}"), StatusCode::METHOD_NOT_ALLOWED),
            (Method::GET, "/admin/sessions/users/2/limit".into(), StatusCode::METHOD_NOT_ALLOWED),
            (Method::GET, format!("/admin/sessions/{}", Uuid::now_v7()), StatusCode::NOT_FOUND),
            (Method::GET, format!("/admin/sessions/{}", id.simple()), StatusCode::BAD_REQUEST),
            (Method::GET, format!("/admin/sessions/{id}?a=b"), StatusCode::BAD_REQUEST),
            (Method::GET, "/admin/sessions/users/%20".into(), StatusCode::BAD_REQUEST),
            (Method::GET, "/admin/sessions/users/%FF".into(), StatusCode::BAD_REQUEST),
            (Method::GET, "/admin/sessions/users/2?user_id=3".into(), StatusCode::BAD_REQUEST),
            (Method::GET, "/admin/sessions/end?state=ended".into(), StatusCode::BAD_REQUEST),
            (Method::GET, "/account/sessions?state=all".into(), StatusCode::BAD_REQUEST),
        ] {
            let answer = admin.send(&app.router, method.clone(), &path).await;
            assert_page(&answer, status);
            assert_eq!(answer.header("allow").is_some(), status == StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
        let form = format!("/admin/sessions/{id}/end");
        let json = admin.send_json(&app.router, Method::POST, &form, "{}").await;
        assert_page(&json, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let large = admin.submit(&app.router, &form, &"a".repeat(17 * 1024)).await;
        assert_page(&large, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(ended_by(&app, id).await, None);
    }

    async fn while_the_database_is_away_a_page_says_so(database: Database) {
        let client = App::new(&database).await.signed_in("1").await;
        let cut_off = with_pages(App::cut_off(&database, |builder| builder.sign_in_page("/login")).await);
        for path in ["/admin/sessions", "/account/sessions", "/admin/sessions/users/2"] {
            let answer = client.clone().get(&cut_off.router, path).await;
            assert_page(&answer, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert_eq!(answer.set_cookies(), Vec::<String>::new());
            assert!(answer.words().contains("has not signed you out"));
        }
        let answer = client.clone().submit(&cut_off.router, "/account/sessions/others/end", "").await;
        assert_page(&answer, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn without_the_layer_it_is_a_500_page() {
    let app = App::new(&Database::any().await).await;
    let router: axum::Router = countersign::admin::pages(&app.sessions).into();
    assert_page(
        &Client::new().get(&router, "/").await,
        StatusCode::INTERNAL_SERVER_ERROR,
    );
}
