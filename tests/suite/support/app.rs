//! The application under test.

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use countersign::{
    Flash, Identity, Key, LoginError, RequireRecent, Session, Sessions, SessionsBuilder, SignedIn,
    require,
};

use super::{Answer, Client, Database};

/// One key for all nodes of a test: 64 bytes in base64.
pub const KEY: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

/// Sessions as most tests want them.
pub async fn sessions(database: &Database) -> Sessions {
    sessions_with(database, |builder| builder).await
}

/// Sessions with something else configured.
pub async fn sessions_with(
    database: &Database,
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> Sessions {
    database.pool.migrate().await.unwrap();
    configure(usual(database.builder())).build().await.unwrap()
}

/// The usual key, accounts and permissions.
pub fn usual(builder: SessionsBuilder) -> SessionsBuilder {
    builder
        .key(Key::from_base64(KEY).unwrap())
        .account("users WHERE id = {user:int} AND NOT disabled")
        .permissions("permission", "user_permissions WHERE user_id = {user:int}")
}

/// A small application.
///
/// | route | |
/// | --- | --- |
/// | `POST /login/{user}` | signs in; 200 with the session's id |
/// | `POST /login/{user}/{status}` | signs in and answers with this status |
/// | `POST /remember/{user}` | signs in for longer than the browser's session |
/// | `POST /act-as/{user}`, `POST /act-as/{user}/{status}` | acts as this user; 200 with the session's id, or this status |
/// | `POST /rotate`, `POST /rotate/{status}`, `POST /reauthenticated` | a new token |
/// | `POST /logout`, `POST /logout/{status}` | signs out, answers with this status |
/// | `POST /revoke-others` | ends the user's other sessions; how many there were |
/// | `GET /me` | `SignedIn`: the user's id |
/// | `GET /permissions` | the user's permissions, joined by spaces |
/// | `GET /maybe` | `Option<SignedIn>`: the user's id or `nobody` |
/// | `GET /identity` | `anonymous`, `unavailable` or the user's id; and why the session ended |
/// | `GET /edit` | needs `articles:edit` |
/// | `GET /recent` | needs a sign-in within 5 minutes |
/// | `POST /flash/{text}`, `GET /flash`, `GET /flash/{status}` | adds a message; shows all; shows all with a status |
/// | `GET /static` | inside the layer, asks for no session |
/// | `GET /health` | outside the layer |
pub fn router(sessions: &Sessions) -> Router {
    Router::new()
        .route("/edit", get(|| async { "edited" }))
        .route_layer(require("articles:edit"))
        .merge(
            Router::new()
                .route("/recent", get(|| async { "recent" }))
                .route_layer(RequireRecent::within(std::time::Duration::from_secs(300))),
        )
        .route("/login/{user}", post(login))
        .route("/login/{user}/{status}", post(login_with_status))
        .route("/remember/{user}", post(remember))
        .route("/act-as/{user}", post(act_as))
        .route("/act-as/{user}/{status}", post(act_as_with_status))
        .route(
            "/rotate",
            post(|session: Session| async move { session.rotate() }),
        )
        .route("/rotate/{status}", post(rotate_with_status))
        .route(
            "/reauthenticated",
            post(|session: Session| async move { session.reauthenticated() }),
        )
        .route("/logout", post(logout))
        .route("/logout/{status}", post(logout_with_status))
        .route("/revoke-others", post(revoke_others))
        .route(
            "/me",
            get(|user: SignedIn| async move { user.user_id().to_string() }),
        )
        .route("/permissions", get(permissions))
        .route("/maybe", get(maybe))
        .route("/identity", get(identity))
        .route(
            "/flash/{text}",
            post(|flash: Flash, Path(text): Path<String>| async move { flash.info(text) }),
        )
        .route("/flash", get(show_flash))
        .route(
            "/show/{status}",
            get(|Path(code): Path<u16>, flash: Flash| async move {
                (status(code), show_flash(flash).await)
            }),
        )
        .route("/static", get(|| async { "static" }))
        .layer(sessions.layer())
        .route("/health", get(|| async { "ok" }))
}

async fn login(session: Session, Path(user): Path<String>) -> Result<String, LoginError> {
    Ok(session.login(user).await?.to_string())
}

async fn act_as(session: Session, Path(user): Path<String>) -> Result<String, LoginError> {
    Ok(session.login_as(user).await?.to_string())
}

async fn act_as_with_status(
    session: Session,
    Path((user, code)): Path<(String, u16)>,
) -> Result<StatusCode, LoginError> {
    session.login_as(user).await?;
    Ok(status(code))
}

async fn login_with_status(
    session: Session,
    Path((user, code)): Path<(String, u16)>,
) -> Result<StatusCode, LoginError> {
    session.login(user).await?;
    Ok(status(code))
}

async fn remember(session: Session, Path(user): Path<String>) -> Result<String, LoginError> {
    Ok(session.login(user).remember().await?.to_string())
}

async fn rotate_with_status(session: Session, Path(code): Path<u16>) -> StatusCode {
    session.rotate();
    status(code)
}

async fn logout(session: Session) -> Result<&'static str, countersign::Error> {
    session.logout().await?;
    Ok("signed out")
}

async fn logout_with_status(
    session: Session,
    Path(code): Path<u16>,
) -> Result<StatusCode, countersign::Error> {
    session.logout().await?;
    Ok(status(code))
}

async fn revoke_others(session: Session, user: SignedIn) -> Result<String, countersign::Error> {
    let ended = session.sessions().revoke_others(&user, user.user_id());
    Ok(ended.await?.to_string())
}

async fn permissions(user: SignedIn) -> String {
    user.permissions().iter().collect::<Vec<_>>().join(" ")
}

async fn maybe(user: Option<SignedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.user_id().to_string())
}

async fn identity(session: Session) -> impl IntoResponse {
    let who = match session.identity() {
        Identity::Anonymous => "anonymous".to_owned(),
        Identity::SignedIn(user) => user.user_id().to_string(),
        Identity::Unavailable => "unavailable".to_owned(),
    };
    match session.ended_reason() {
        Some(reason) => format!("{who} {}", reason.as_str()),
        None => who,
    }
}

async fn show_flash(flash: Flash) -> String {
    let messages = flash.take();
    messages
        .iter()
        .map(|message| format!("[{}] {}", message.level.as_str(), message.text))
        .collect::<Vec<_>>()
        .join("\n")
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

/// One node of the application, with clients that sign in to it.
#[derive(Clone, Debug)]
pub struct App {
    pub sessions: Sessions,
    pub router: Router,
}

impl App {
    pub async fn new(database: &Database) -> Self {
        Self::of(sessions(database).await)
    }

    pub async fn with(
        database: &Database,
        configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Self {
        Self::of(sessions_with(database, configure).await)
    }

    /// Another node of the same application, with connections of its own.
    pub async fn beside(
        database: &Database,
        configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Self {
        let builder = usual(database.second_pool().await.builder());
        Self::of(configure(builder).build().await.unwrap())
    }

    pub fn of(sessions: Sessions) -> Self {
        Self {
            router: router(&sessions),
            sessions,
        }
    }

    /// A new browser in which this user is signed in.
    pub async fn signed_in(&self, user: &str) -> Client {
        let mut client = Client::new();
        let answer = self.login(&mut client, user).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        client
    }

    pub async fn login(&self, client: &mut Client, user: &str) -> Answer {
        client.post(&self.router, &format!("/login/{user}")).await
    }

    /// Whom this browser is signed in as.
    pub async fn who(&self, client: &Client) -> String {
        client.clone().get(&self.router, "/identity").await.body
    }
}
