//! Pages of other sites change nothing, and other methods do nothing.

use axum::{Router, routing::post};
use countersign::{Session, uuid::Uuid};
use http::{HeaderValue, Method, StatusCode, header};

use crate::support::{
    App, Client,
    control::{assert_problem, routers, sign_in, with_routers},
    heard::Heard,
    on_every_database,
};

const ADMIN: &str = "/api/admin/sessions";
const REVOKE: &str = "/api/admin/sessions/revoke";

on_every_database! {
    async fn a_bearer_token_is_no_browsers(database: Database) {
        let app = with_routers(App::with(&database, |builder| builder.bearer_tokens()).await);
        let issuer = Router::new()
            .route("/token", post(|session: Session| async move {
                session.login("1").bearer().await.unwrap().to_string()
            }))
            .layer(app.sessions.layer());
        let token = Client::new().post(&issuer, "/token").await.body;
        let nothing = format!("{ADMIN}/{}", Uuid::now_v7());
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://app.other.example")] {
            let mut client = Client::new();
            client.headers.insert(name, HeaderValue::from_static(value));
            client.headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
            assert_problem(&client.send(&app.router, Method::DELETE, &nothing).await, 404, "not-found");
            // A cookie beside it is a browser's.
            let (browser, _) = sign_in(&app, "1", "10.0.0.1", "").await;
            client.jar = browser.jar;
            assert_problem(&client.send(&app.router, Method::DELETE, &nothing).await, 400, "two-credentials");
            client.headers.remove(header::AUTHORIZATION);
            assert_problem(&client.send(&app.router, Method::DELETE, &nothing).await, 403, "cross-site");
        }
        let mut client = Client::new();
        client.headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        let list = client.get(&app.router, ADMIN).await.json();
        let kinds: Vec<_> = list["sessions"].as_array().unwrap().iter().map(|session| session["bearer"].clone()).collect();
        assert_eq!(kinds, [false, false, true]);
    }

    async fn other_methods_are_told_which_there_are(database: Database) {
        let app = with_routers(App::new(&database).await);
        let id = Uuid::now_v7();
        for (path, allow) in [
            (ADMIN.to_owned(), "GET,HEAD"), (REVOKE.to_owned(), "POST"), (format!("{ADMIN}/{id}"), "GET,HEAD,DELETE"),
            ("/api/admin/users/2/sessions".into(), "DELETE"), ("/api/admin/users/2/limit".into(), "GET,HEAD,PUT"),
            ("/api/account/sessions".into(), "GET,HEAD,DELETE"), (format!("/api/account/sessions/{id}"), "DELETE"),
        ] {
            for method in [Method::OPTIONS, Method::TRACE, Method::PATCH, Method::from_bytes(b"PURGE").unwrap()] {
                let answer = Client::new().send(&app.router, method, &path).await;
                assert_problem(&answer, 405, "method-not-allowed");
                assert_eq!(answer.header("allow"), Some(allow), "{path}");
            }
        }
    }

    async fn other_sites_change_nothing(database: Database) {
        let app = with_routers(App::new(&database).await);
        let trusting = routers(
            &app,
            |admin| admin.trusted_origin("https://admin.example.com").unwrap(),
            |account| account.trusted_origin("https://admin.example.com").unwrap(),
        );
        let (admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        let changes = [
            (Method::DELETE, format!("{ADMIN}/{}", Uuid::now_v7())), (Method::DELETE, "/api/admin/users/9/sessions".into()),
            (Method::POST, REVOKE.to_owned()), (Method::PUT, "/api/admin/users/9/limit".into()),
            (Method::DELETE, "/api/account/sessions".into()), (Method::DELETE, format!("/api/account/sessions/{}", Uuid::now_v7())),
        ];
        let foreign: [&[(&str, &str)]; 4] = [
            &[("sec-fetch-site", "cross-site")], &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("host", "app.example.com")], &[("origin", "null")],
        ];
        for (method, path) in &changes {
            for headers in foreign {
                let mut client = admin.clone();
                for (name, value) in headers {
                    client.headers.insert(*name, HeaderValue::from_static(value));
                }
                assert_problem(&client.send(&app.router, method.clone(), path).await, 403, "cross-site");
                // Nobody is told about sites before it is known who asks.
                client.jar.clear();
                assert_problem(&client.send(&app.router, method.clone(), path).await, 401, "signed-out");
            }
            for headers in [&[("sec-fetch-site", "same-origin")][..], &[("origin", "https://app.example.com"), ("host", "app.example.com")], &[]] {
                let mut client = admin.clone();
                for (name, value) in headers {
                    client.headers.insert(*name, HeaderValue::from_static(value));
                }
                let answer = client.send(&app.router, method.clone(), path).await;
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{path}");
            }
            let mut trusted = admin.clone();
            trusted.headers.insert("origin", HeaderValue::from_static("https://admin.example.com"));
            trusted.headers.insert("sec-fetch-site", HeaderValue::from_static("same-site"));
            assert_ne!(trusted.send(&trusting, method.clone(), path).await.status, StatusCode::FORBIDDEN, "{path}");
            assert_problem(&trusted.send(&app.router, method.clone(), path).await, 403, "cross-site");
        }
        let mut reading = admin.clone();
        reading.headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert_eq!(reading.get(&app.router, ADMIN).await.status, StatusCode::OK);
    }

    async fn what_other_sites_try_is_told(database: Database) {
        let heard = Heard::default();
        let app = with_routers(App::with(&database, |builder| heard.listen(builder)).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        heard.news(&app).await;
        admin.headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        admin.send(&app.router, Method::DELETE, "/api/account/sessions").await;
        admin.get(&app.router, ADMIN).await;
        assert_eq!(heard.told(&app).await, ["cross-site-refused user=1"]);
        for _ in 0..30 {
            admin.send(&app.router, Method::POST, REVOKE).await;
        }
        let told = heard.news(&app).await;
        assert_eq!(told.iter().map(|event| event.count).sum::<u64>(), 30);
    }
}
