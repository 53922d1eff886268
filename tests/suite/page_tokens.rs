//! A page token opens the next page of the listing that it was made for, and nothing else.

use axum::Router;
use countersign::Key;
use http::StatusCode;

use crate::support::{
    Answer, App, Client, Database,
    control::{assert_problem, sign_in, with_routers},
    on_every_database, sessions_with,
};

async fn token_of(client: &mut Client, app: &Router, path: &str) -> String {
    let answer = client.get(app, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["next_page_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn page(client: &mut Client, app: &Router, path: &str, token: &str) -> Answer {
    let separator = if path.contains('?') { '&' } else { '?' };
    let answer = client
        .get(app, &format!("{path}{separator}page_token={token}"))
        .await;
    if answer.status != StatusCode::OK {
        assert_problem(&answer, 400, "invalid-page-token");
    }
    answer
}

/// Sessions enough for several pages, of an administrator and of somebody else who may read.
async fn prepared(database: &Database) -> (App, Client, Client) {
    let app = with_routers(App::new(database).await);
    database
        .execute("INSERT INTO user_permissions VALUES (2, 'sessions:read')")
        .await;
    let (admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
    let (reader, _) = sign_in(&app, "2", "10.0.0.1", "").await;
    for _ in 0..2 {
        sign_in(&app, "1", "10.0.0.1", "").await;
        sign_in(&app, "2", "10.0.0.1", "").await;
    }
    (app, admin, reader)
}

on_every_database! {
    async fn a_token_is_of_no_use_elsewhere(database: Database) {
        let (app, mut admin, mut reader) = prepared(&database).await;
        let of = "/api/admin/sessions?page_size=1&user_id=1";
        let token = token_of(&mut admin, &app.router, of).await;
        assert_eq!(page(&mut admin, &app.router, of, &token).await.status, StatusCode::OK);
        // How much comes at once may change on the way.
        let larger = "/api/admin/sessions?page_size=9&user_id=1";
        assert_eq!(page(&mut admin, &app.router, larger, &token).await.status, StatusCode::OK);
        for elsewhere in [
            "/api/admin/sessions", "/api/admin/sessions?user_id=2", "/api/admin/sessions?acting_user=1",
            "/api/admin/sessions?user_id=1&state=live", "/api/admin/sessions?user_agent=1", "/api/account/sessions",
        ] {
            assert_eq!(page(&mut admin, &app.router, elsewhere, &token).await.status, StatusCode::BAD_REQUEST, "{elsewhere}");
        }
        assert_eq!(page(&mut reader, &app.router, of, &token).await.status, StatusCode::BAD_REQUEST);
        // It belongs to the user, not to the session.
        let (mut again, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        assert_eq!(page(&mut again, &app.router, of, &token).await.status, StatusCode::OK);

        let own = token_of(&mut admin, &app.router, "/api/account/sessions?page_size=1").await;
        assert_eq!(page(&mut admin, &app.router, "/api/account/sessions", &own).await.status, StatusCode::OK);
        assert_eq!(page(&mut admin, &app.router, "/api/admin/sessions", &own).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(page(&mut reader, &app.router, "/api/account/sessions", &own).await.status, StatusCode::BAD_REQUEST);

        // A cookie is no page token, and a page token is no cookie.
        let cookie = admin.session_cookie().unwrap().replace('+', "-").replace('/', "_").replace('=', "");
        assert_eq!(page(&mut admin, &app.router, of, &cookie).await.status, StatusCode::BAD_REQUEST);
        admin.jar.insert("__Host-session".into(), token.replace('-', "+").replace('_', "/"));
        assert_eq!(app.who(&admin).await, "anonymous");
    }

    async fn another_realm_has_other_tokens(database: Database) {
        let (app, mut admin, _) = prepared(&database).await;
        let token = token_of(&mut admin, &app.router, "/api/admin/sessions?page_size=1").await;
        let other = App::of(sessions_with(&database, |builder| builder.realm("other")).await);
        let other = with_routers(other);
        let (mut there, _) = sign_in(&other, "1", "10.0.0.1", "").await;
        assert_eq!(page(&mut there, &other.router, "/api/admin/sessions", &token).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(page(&mut admin, &app.router, "/api/admin/sessions", &token).await.status, StatusCode::OK);
    }

    async fn an_edited_token_is_refused(database: Database) {
        let (app, mut admin, _) = prepared(&database).await;
        let path = "/api/admin/sessions?page_size=1";
        let token = token_of(&mut admin, &app.router, path).await;
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{token}");
        for position in 0..token.len() {
            let mut edited = token.clone().into_bytes();
            edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
            let edited = String::from_utf8(edited).unwrap();
            assert_eq!(page(&mut admin, &app.router, path, &edited).await.status, StatusCode::BAD_REQUEST, "{position}");
        }
        let long = "A".repeat(30_000);
        for forged in [
            "", "A", &token[1..], &format!("{token}A"), &format!("A{token}"), &format!("{token}%3D"), &token.to_lowercase(),
            &"A".repeat(80), &"%C3%A4".repeat(40), &"%2B".repeat(80), "0198c5b2-9f3e-7c4b-8a5d-6e7f8091a2b3", "'%20OR%201=1--", &long,
        ] {
            assert_eq!(page(&mut admin, &app.router, path, forged).await.status, StatusCode::BAD_REQUEST, "{forged}");
        }
    }

    async fn tokens_of_older_keys_are_read_and_of_retired_ones_refused(database: Database) {
        let (app, mut admin, _) = prepared(&database).await;
        let path = "/api/admin/sessions?page_size=1";
        let token = token_of(&mut admin, &app.router, path).await;
        let new = Key::generate();
        let keys = [new.clone(), Key::from_base64(crate::support::KEY).unwrap()];
        let build = async |keys: Vec<Key>| {
            let builder = database.builder().keys(keys).any_account()
                .permissions("permission", "user_permissions WHERE user_id = {user:int}");
            with_routers(App::of(builder.build().await.unwrap()))
        };
        let both = build(keys.to_vec()).await;
        assert_eq!(page(&mut admin, &both.router, path, &token).await.status, StatusCode::OK);
        let newer = token_of(&mut admin, &both.router, path).await;
        assert_eq!(page(&mut admin, &app.router, path, &newer).await.status, StatusCode::BAD_REQUEST);
        let only_new = build(vec![new]).await;
        let (mut admin, _) = sign_in(&only_new, "1", "10.0.0.1", "").await;
        assert_eq!(page(&mut admin, &only_new.router, path, &newer).await.status, StatusCode::OK);
        assert_eq!(page(&mut admin, &only_new.router, path, &token).await.status, StatusCode::BAD_REQUEST);
    }
}
