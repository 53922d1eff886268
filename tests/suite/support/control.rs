//! The routers for administrators and accounts, nested where applications nest them.

use std::net::SocketAddr;

use axum::Router;
use countersign::{account, admin, uuid::Uuid};
use http::{HeaderValue, StatusCode, header};

use super::{Answer, App, Client};

/// The application with `/api/admin` and `/api/account` as they come.
pub fn with_routers(mut app: App) -> App {
    let routers = routers(&app, |admin| admin, |account| account);
    app.router = app.router.merge(routers);
    app
}

/// The same with something else configured.
pub fn routers(
    app: &App,
    configure_admin: impl FnOnce(admin::AdminRouter) -> admin::AdminRouter,
    configure_account: impl FnOnce(account::AccountRouter) -> account::AccountRouter,
) -> Router {
    let admin = configure_admin(admin::router(&app.sessions));
    let account = configure_account(account::router(&app.sessions));
    Router::new()
        .nest("/api/admin", admin.build())
        .nest("/api/account", account.build())
        .layer(app.sessions.layer())
}

/// Asks for an ending by conditions.
pub async fn revoke(admin: &mut Client, app: &Router, body: serde_json::Value) -> Answer {
    let path = "/api/admin/sessions/revoke";
    admin
        .send_json(app, http::Method::POST, path, body.to_string())
        .await
}

/// The ids on a page.
pub fn ids(answer: &Answer) -> Vec<Uuid> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let page = answer.json();
    let sessions = page["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| session["id"].as_str().unwrap().parse().unwrap())
        .collect()
}

/// Signs a user in from this address with this browser; the session's id.
pub async fn sign_in(app: &App, user: &str, address: &str, agent: &str) -> (Client, Uuid) {
    let mut client = Client::new();
    client.peer = Some(SocketAddr::new(address.parse().unwrap(), 1234));
    let agent = HeaderValue::from_bytes(agent.as_bytes()).unwrap();
    client.headers.insert(header::USER_AGENT, agent);
    let id = app.login(&mut client, user).await.body.parse().unwrap();
    (client, id)
}

/// A problem with this status and code, as every refusal is.
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16, code: &str) {
    let expected = StatusCode::from_u16(status).unwrap();
    assert_eq!(answer.status, expected, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_headers(answer);
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    assert!(
        problem["title"].is_string() && problem["detail"].is_string(),
        "{problem}"
    );
}

/// What every answer of the routers has.
#[track_caller]
pub fn assert_headers(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

/// Nothing that a browser could take for markup, or a terminal for a command.
#[track_caller]
pub fn assert_harmless(answer: &Answer) {
    assert!(
        answer.status.as_u16() < 500,
        "{}: {}",
        answer.status,
        answer.body
    );
    for (name, value) in &answer.headers {
        assert!(
            value
                .as_bytes()
                .iter()
                .all(|byte| (0x20..0x7f).contains(byte)),
            "{name}"
        );
    }
    if answer.status.is_client_error() {
        assert!(
            answer.body.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{}",
            answer.body
        );
        assert!(
            !answer.body.contains(['<', '>', '&', '\'']),
            "{}",
            answer.body
        );
        assert!(answer.body.len() < 1000, "{}", answer.body);
    }
}
