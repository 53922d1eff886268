//! Hand-written: a statement that reads nothing, and one that joins session, account and permissions.

use std::time::Duration;

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sha2::{Digest, Sha256};
use sqlx::{MySqlPool, PgPool, SqlitePool};

use crate::shared::{
    application::{Application, answer},
    serve::{Failure, Who},
};

const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

pub async fn router<P: Plain>(pool: P) -> Result<Router, Failure> {
    pool.migrate().await?;
    Ok(Router::new()
        .route("/select1", get(select1::<P>))
        .route("/whoami", get(whoami::<P>))
        .route("/login", post(login::<P>))
        .with_state(pool))
}

async fn select1<P: Plain>(State(pool): State<P>) -> Response {
    match pool.select1().await {
        Ok(one) => one.to_string().into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn whoami<P: Plain>(State(pool): State<P>, headers: HeaderMap) -> Response {
    let cookie = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok());
    let Some(token) = cookie.and_then(|pair| pair.strip_prefix("session=")) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match pool.joined(digest(token.as_bytes())).await {
        Ok(rows) if rows.is_empty() => StatusCode::UNAUTHORIZED.into_response(),
        Ok(rows) => answer(rows.iter().flatten().map(String::as_str)).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn login<P: Plain>(State(pool): State<P>, Query(who): Query<Who>) -> Response {
    let Ok(Some(user)) = pool.user(who.user).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let token: String = rand::random::<[u8; 32]>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match pool.insert(digest(token.as_bytes()), user.id).await {
        Ok(()) => [(
            header::SET_COOKIE,
            format!("session={token}; Path=/; HttpOnly"),
        )]
        .into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn digest(token: &[u8]) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// Seconds since 1970: the same column type on every database.
fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

pub trait Plain: Application {
    fn migrate(&self) -> impl Future<Output = sqlx::Result<()>> + Send;
    fn select1(&self) -> impl Future<Output = sqlx::Result<i32>> + Send;
    /// No row for no session or no account; one row with NULL for no permissions.
    fn joined(
        &self,
        digest: Vec<u8>,
    ) -> impl Future<Output = sqlx::Result<Vec<Option<String>>>> + Send;
    fn insert(&self, digest: Vec<u8>, user: i64) -> impl Future<Output = sqlx::Result<()>> + Send;
}

macro_rules! plain {
    ($pool:ty, $hash:literal, $one:literal, $two:literal, $three:literal) => {
        impl Plain for $pool {
            async fn migrate(&self) -> sqlx::Result<()> {
                sqlx::query(concat!(
                    "CREATE TABLE IF NOT EXISTS plain_sessions (token_hash ",
                    $hash,
                    " PRIMARY KEY, user_id BIGINT NOT NULL, expires_at BIGINT NOT NULL)"
                ))
                .execute(self)
                .await?;
                Ok(())
            }

            async fn select1(&self) -> sqlx::Result<i32> {
                sqlx::query_scalar("SELECT 1").fetch_one(self).await
            }

            async fn joined(&self, digest: Vec<u8>) -> sqlx::Result<Vec<Option<String>>> {
                sqlx::query_scalar(concat!(
                    "SELECT p.permission FROM plain_sessions s JOIN users u ON u.id = s.user_id AND NOT u.disabled ",
                    "LEFT JOIN user_permissions p ON p.user_id = u.id WHERE s.token_hash = ",
                    $one,
                    " AND s.expires_at > ",
                    $two
                ))
                .bind(digest)
                .bind(now())
                .fetch_all(self)
                .await
            }

            async fn insert(&self, digest: Vec<u8>, user: i64) -> sqlx::Result<()> {
                let expires = now().saturating_add(LIFETIME.as_secs() as i64);
                sqlx::query(concat!(
                    "INSERT INTO plain_sessions (token_hash, user_id, expires_at) VALUES (",
                    $one,
                    ", ",
                    $two,
                    ", ",
                    $three,
                    ")"
                ))
                .bind(digest)
                .bind(user)
                .bind(expires)
                .execute(self)
                .await?;
                Ok(())
            }
        }
    };
}
plain!(SqlitePool, "BLOB", "?", "?", "?");
plain!(PgPool, "BYTEA", "$1", "$2", "$3");
plain!(MySqlPool, "BINARY(32)", "?", "?", "?");
