//! Who gets past the extractors and route layers, and what everybody else is told.

use axum::{Router, routing::any};
use countersign::{Session, SignedIn, uuid::Uuid};
use http::{Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use crate::support::{Answer, App, Client, Database, logs::Logs, on_every_database};

/// The members that RFC 9457 names, and the code that programs go by.
fn assert_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["title"], status.canonical_reason().unwrap());
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["code"], code);
    assert!(problem["detail"].as_str().unwrap().ends_with('.'));
    let challenge = (status == StatusCode::UNAUTHORIZED).then_some("Cookie");
    assert_eq!(answer.header("www-authenticate"), challenge);
    let retry = (status == StatusCode::SERVICE_UNAVAILABLE).then_some("1");
    assert_eq!(answer.header("retry-after"), retry);
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
}

on_every_database! {
    async fn anonymous_requests_are_told_to_sign_in(database: Database) {
        let app = App::new(&database).await;
        for path in ["/me", "/permissions", "/edit", "/recent"] {
            let answer = Client::new().get(&app.router, path).await;
            assert_problem(&answer, StatusCode::UNAUTHORIZED, "signed-out");
        }
        assert_eq!(Client::new().get(&app.router, "/maybe").await.body, "nobody");
    }

    async fn a_missing_permission_is_a_403_and_holds_from_the_next_request_on(database: Database) {
        let app = App::new(&database).await;
        let (mut alice, mut bob) = (app.signed_in("2").await, app.signed_in("3").await);
        assert_eq!(alice.get(&app.router, "/edit").await.body, "edited");
        assert_problem(&bob.get(&app.router, "/edit").await, StatusCode::FORBIDDEN, "forbidden");

        database.execute("INSERT INTO user_permissions VALUES (3, 'articles:edit')").await;
        assert_eq!(bob.get(&app.router, "/edit").await.body, "edited");
        database.execute("DELETE FROM user_permissions WHERE permission = 'articles:edit'").await;
        for client in [&mut alice, &mut bob] {
            assert_problem(&client.get(&app.router, "/edit").await, StatusCode::FORBIDDEN, "forbidden");
        }
    }

    async fn permissions_are_compared_byte_for_byte(database: Database) {
        let app = App::new(&database).await;
        database.execute("DELETE FROM user_permissions WHERE user_id = 2").await;
        for near_miss in ["Articles:edit", "articles:edit2", "articles:*", "articles", "*"] {
            database.execute(&format!("INSERT INTO user_permissions VALUES (2, '{near_miss}')")).await;
        }
        let mut alice = app.signed_in("2").await;
        assert_problem(&alice.get(&app.router, "/edit").await, StatusCode::FORBIDDEN, "forbidden");
    }

    async fn a_sensitive_step_needs_a_recent_sign_in(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        assert_eq!(client.get(&app.router, "/recent").await.body, "recent");
        database.age("authenticated_at", 301).await;
        assert_problem(&client.get(&app.router, "/recent").await, StatusCode::UNAUTHORIZED, "recent-sign-in-required");
        assert_eq!(client.get(&app.router, "/me").await.body, "2");

        assert_eq!(client.post(&app.router, "/rotate").await.status, StatusCode::OK);
        assert_eq!(client.get(&app.router, "/recent").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(client.post(&app.router, "/reauthenticated").await.status, StatusCode::OK);
        assert_eq!(client.get(&app.router, "/recent").await.body, "recent");
    }

    async fn while_the_database_is_away_guards_answer_503_and_never_anonymous(database: Database) {
        let client = App::new(&database).await.signed_in("2").await;
        let cut_off = App::cut_off(&database, |builder| builder.sign_in_page("/login")).await;
        for path in ["/me", "/maybe", "/edit", "/recent"] {
            let mut browser = client.clone();
            browser.headers.insert(header::ACCEPT, "text/html".parse().unwrap());
            let answer = browser.get(&cut_off.router, path).await;
            assert_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        }
        assert_eq!(cut_off.who(&client).await, "unavailable");
        assert_eq!(client.clone().get(&cut_off.router, "/static").await.body, "static");
        assert_eq!(Client::new().get(&cut_off.router, "/maybe").await.body, "nobody");
    }
}

#[tokio::test]
async fn user_ids_come_back_as_the_type_that_signed_in() {
    let database = Database::any().await;
    let app = App::with(&database, |builder| builder).await;
    let typed = Router::new()
        .route(
            "/typed",
            any(|user: SignedIn| async move {
                assert_eq!(user.user_id().parse::<i64>(), Ok(2));
                assert!(user.user_id().parse::<Uuid>().is_err());
                "typed"
            }),
        )
        .layer(app.sessions.layer());
    assert_eq!(
        app.signed_in("2").await.get(&typed, "/typed").await.body,
        "typed"
    );
}

/// What `SignedIn` answers a browser on any path, the router nested or not.
async fn location(method: Method, path: &str, accept: &str) -> Option<String> {
    let database = Database::any().await;
    let app = App::with(&database, |builder| builder.sign_in_page("/login")).await;
    let guarded = any(|_: SignedIn| async { "guarded" });
    let router = Router::new()
        .nest("/admin", Router::new().route("/me", guarded.clone()))
        .fallback(guarded)
        .layer(app.sessions.layer());
    let mut browser = Client::new();
    browser
        .headers
        .insert(header::ACCEPT, accept.parse().unwrap());
    let answer = browser.send(&router, method, path).await;
    let location = answer.header("location").map(str::to_owned);
    let expected = match location {
        Some(_) => StatusCode::SEE_OTHER,
        None => StatusCode::UNAUTHORIZED,
    };
    assert_eq!(answer.status, expected, "{path}");
    // Another client is answered in another way: no cache gives one the answer of the other.
    let vary: Vec<_> = answer
        .headers
        .get_all("vary")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    let vary = vary.join(", ");
    for header in [
        "accept",
        "sec-fetch-mode",
        "sec-fetch-dest",
        "x-requested-with",
        "hx-request",
        "cookie",
    ] {
        assert!(vary.split(", ").any(|varies| varies == header), "{vary}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    location
}

#[tokio::test]
async fn what_is_answered_alike_to_all_clients_does_not_vary_by_them() {
    let database = Database::any().await;
    let app = App::new(&database).await;
    let answer = Client::new().get(&app.router, "/me").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("vary"), Some("cookie"));
}

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test]
async fn browsers_are_sent_to_the_sign_in_page_and_know_the_way_back() {
    let sent_to = |path: &'static str| location(Method::GET, path, BROWSER);
    assert_eq!(sent_to("/articles").await.unwrap(), "/login?next=/articles");
    assert_eq!(
        sent_to("/admin/me?a=b&c=d").await.unwrap(),
        "/login?next=/admin/me%3Fa%3Db%26c%3Dd",
        "the whole path, also in a nested router"
    );
    assert_eq!(sent_to("/").await.unwrap(), "/login?next=/");
}

#[tokio::test]
async fn only_what_a_browser_can_repeat_is_worth_coming_back_to() {
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        assert_eq!(
            location(method, "/articles", BROWSER).await.unwrap(),
            "/login"
        );
    }
    assert_eq!(
        location(Method::HEAD, "/articles", BROWSER).await.unwrap(),
        "/login?next=/articles"
    );
}

#[tokio::test]
async fn programs_get_a_401_where_browsers_are_redirected() {
    for accept in ["application/json", "*/*", "text/*", "", "text/htmlx"] {
        assert_eq!(location(Method::GET, "/me", accept).await, None, "{accept}");
    }
}

#[tokio::test]
async fn hostile_paths_stay_data_inside_the_redirect() {
    for path in [
        "/a?next=https://evil.example",
        "/a?x=%0d%0aSet-Cookie:%20a=b",
        "/a?x=';{alert(1)}|[`]^",
        "/a%2f..%2f..?x=%00",
        "/a?b=c;d=e&next=//evil.example",
        "/a/@evil.example:80/b",
    ] {
        let location = location(Method::GET, path, BROWSER).await.unwrap();
        let next = location.strip_prefix("/login?next=").unwrap();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/%-._~".contains(&byte);
        assert!(next.bytes().all(plain), "{location}");
        assert_eq!(percent_decode_str(next).decode_utf8().unwrap(), path);
    }
}

#[tokio::test]
async fn the_way_back_never_leads_to_another_site() {
    // A browser reads either as the name of another host.
    for path in ["//evil.example/a", "/\\evil.example/a", "///evil.example"] {
        assert_eq!(
            location(Method::GET, path, BROWSER).await.unwrap(),
            "/login",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_route_without_the_layer_is_a_500_and_its_log_names_the_layer() {
    let (logs, _guard) = Logs::of_this_thread();
    let router = Router::new()
        .route("/session", any(|_: Session| async { "let in" }))
        .route("/signed-in", any(|_: SignedIn| async { "let in" }))
        .route("/maybe", any(|_: Option<SignedIn>| async { "let in" }))
        .route("/flash", any(|_: countersign::Flash| async { "let in" }))
        .merge(
            Router::new()
                .route("/required", any(|| async { "let in" }))
                .route_layer(countersign::require("a")),
        );
    for path in ["/session", "/signed-in", "/maybe", "/flash", "/required"] {
        let before = logs.text().len();
        let answer = Client::new().get(&router, path).await;
        assert_problem(&answer, StatusCode::INTERNAL_SERVER_ERROR, "internal");
        let said = logs.text().split_off(before);
        assert!(
            said.contains("ERROR") && said.contains("no SessionLayer"),
            "{path}: {said}"
        );
        // Clients of a release learn nothing of the set-up.
        let tells = answer.body.contains("SessionLayer");
        assert_eq!(tells, cfg!(debug_assertions), "{}", answer.body);
    }
}

#[tokio::test]
async fn two_layers_around_one_route_work_like_one() {
    let database = Database::any().await;
    let app = App::new(&database).await;
    let twice = app.router.clone().layer(app.sessions.layer());
    let mut client = Client::new();
    let answer = client.post(&twice, "/login/2").await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!(client.get(&twice, "/me").await.body, "2");
    assert_eq!(client.post(&twice, "/logout").await.set_cookies().len(), 1);
    assert_eq!(client.get(&twice, "/maybe").await.body, "nobody");
}
