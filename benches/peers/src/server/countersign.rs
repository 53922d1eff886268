//! countersign as its README shows it.

use std::time::Duration;

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response, Result},
    routing::{get, post},
};
use countersign::{Key, Limit, Session, SessionPool, Sessions, SignedIn};

use crate::shared::{
    application::{Application, answer},
    serve::{Failure, Who},
};

pub async fn router<P>(pool: P, limit: Option<Limit>) -> Result<Router, Failure>
where
    P: Application + SessionPool,
{
    countersign::migrate(&pool).await?;
    let mut builder = Sessions::builder(pool.clone())
        .key(Key::generate())
        .account("users WHERE id = {user:int} AND NOT disabled")
        .permissions("permission", "user_permissions WHERE user_id = {user:int}");
    if let Some(limit) = limit {
        builder = builder.limit(limit);
    }
    let sessions = builder.build().await?;
    // Sweeps for as long as the process lives.
    std::mem::forget(sessions.spawn_sweeper(Duration::from_secs(60)));
    Ok(Router::new()
        .route("/whoami", get(whoami))
        .route("/login", post(login::<P>))
        .layer(sessions.layer())
        .with_state(pool))
}

async fn whoami(user: SignedIn) -> String {
    answer(user.permissions().iter())
}

async fn login<P: Application>(
    session: Session,
    State(pool): State<P>,
    Query(who): Query<Who>,
) -> Result<Response> {
    let Ok(Some(user)) = pool.user(who.user).await else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    session.login(user.id).await?;
    Ok("ok".into_response())
}
