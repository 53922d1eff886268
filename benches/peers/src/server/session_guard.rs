//! session-guard as its README shows it, and the permissions by a statement of the handler: it manages sessions only.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use session_guard::{AuthSession, Guard, GuardConfig, PgStore, Sessions};
use sqlx::PgPool;

use crate::shared::{
    application::{Application, answer},
    serve::{Failure, Who},
};

pub async fn router(pool: PgPool) -> Result<Router, Failure> {
    let store = PgStore::migrated(pool.clone()).await?;
    let guard = Guard::builder(store, GuardConfig::default())
        .subject::<i64>()
        .build();
    std::mem::forget(guard.spawn_purge(Duration::from_secs(600)));
    Ok(Router::new()
        .route("/whoami", get(whoami))
        .layer(guard.layer())
        .route("/login", post(login))
        .layer(Extension(pool))
        .with_state(guard))
}

async fn whoami(session: AuthSession<i64>, Extension(pool): Extension<PgPool>) -> Response {
    match pool.active_permissions(session.subject).await {
        Ok(Some(names)) => answer(names.iter().map(String::as_str)).into_response(),
        Ok(None) => StatusCode::FORBIDDEN.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn login(
    sessions: Sessions<PgStore, i64>,
    Extension(pool): Extension<PgPool>,
    Query(who): Query<Who>,
) -> Response {
    let Ok(Some(user)) = pool.user(who.user).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match sessions.login(&user.id).await {
        Ok(session) => (session, "ok").into_response(),
        Err(error) => error.into_response(),
    }
}
