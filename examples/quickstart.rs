//! The smallest whole application: sign in, be verified on every request, sign out.
//!
//! ```text
//! cargo run --example quickstart
//! curl -c jar -b jar -d 'name=alice&password=alice-password' http://127.0.0.1:3000/login
//! curl -c jar -b jar http://127.0.0.1:3000/
//! sqlite3 quickstart.db "DELETE FROM user_permissions"     # the next request knows
//! curl -c jar -b jar http://127.0.0.1:3000/
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/logout
//! ```

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Result};
use axum::routing::{get, post};
use axum::{Form, Router};
use countersign::{Key, Session, Sessions, SignedIn};
use serde::Deserialize;
use sqlx::SqlitePool;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let options = countersign::sqlite_options("sqlite:quickstart.db?mode=rwc")?;
    let pool = SqlitePool::connect_with(options).await?;
    sqlx::raw_sql(TABLES).execute(&pool).await?;

    countersign::migrate(&pool).await?;
    let sessions = Sessions::builder(pool)
        .key(Key::generate()) // one that is kept, `Key::from_base64(…)`, survives a restart
        .account("users WHERE id = {user:int} AND NOT disabled")
        .security_stamp("created_at", "users WHERE id = {user:int}") // an id that is given again is another user
        .permissions("permission", "user_permissions WHERE user_id = {user:int}")
        .insecure_cookies() // plain HTTP, for a first try; without this line: Secure and `__Host-`
        .build()
        .await?;

    let app = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .layer(sessions.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async { _ = tokio::signal::ctrl_c().await })
    .await?;
    sessions.close().await;
    Ok(())
}

async fn home(who: SignedIn) -> String {
    let may_edit = if who.can("articles:edit") {
        "may"
    } else {
        "may not"
    };
    format!(
        "You are user {}, and you {may_edit} edit articles.\n",
        who.user_id()
    )
}

async fn login(session: Session, Form(form): Form<Credentials>) -> Result<&'static str> {
    let user = your_own_check_of_the_password(&form).ok_or(StatusCode::UNAUTHORIZED)?;
    session.login(user).await?;
    Ok("You are signed in.\n")
}

async fn logout(session: Session) -> Result<impl IntoResponse> {
    session.logout().await?;
    Ok("You are signed out.\n")
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

/// Stands for what your application does: look up a salted hash, check it with argon2, on a thread
/// that may block. `examples/demo/passwords.rs` has all of it.
fn your_own_check_of_the_password(form: &Credentials) -> Option<i64> {
    (form.name == "alice" && form.password == "alice-password").then_some(2)
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS users (
        id INTEGER PRIMARY KEY,
        disabled BOOLEAN NOT NULL DEFAULT FALSE,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')));
    CREATE TABLE IF NOT EXISTS user_permissions (user_id INTEGER, permission TEXT, PRIMARY KEY (user_id, permission));
    INSERT OR IGNORE INTO users (id) VALUES (2);
    INSERT OR IGNORE INTO user_permissions VALUES (2, 'articles:edit');";
