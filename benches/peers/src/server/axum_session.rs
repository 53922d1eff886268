//! axum_session with its persistent layer: what the handler needs is put into the session at sign-in and read from the
//! copy in memory afterwards.

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_session::{DatabasePool, Session, SessionConfig, SessionLayer, SessionStore};

use crate::shared::{
    application::{Application, answer},
    serve::{Failure, Who},
};

pub async fn router<S, P>(pool: P) -> Result<Router, Failure>
where
    P: Application,
    S: DatabasePool + From<P> + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let config = SessionConfig::default().with_table_name("sessions_table");
    let store = SessionStore::<S>::new(Some(pool.clone().into()), config).await?;
    Ok(Router::new()
        .route("/whoami", get(whoami::<S>))
        .route("/login", post(login::<S, P>))
        .layer(SessionLayer::new(store))
        .with_state(pool))
}

async fn whoami<S>(session: Session<S>) -> Response
where
    S: DatabasePool + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    match session.get::<Vec<String>>("permissions") {
        Some(names) => answer(names.iter().map(String::as_str)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn login<S, P>(session: Session<S>, State(pool): State<P>, Query(who): Query<Who>) -> Response
where
    P: Application,
    S: DatabasePool + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let Ok(Some(user)) = pool.user(who.user).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(permissions) = pool.permissions(user.id).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    session.set("user", user.id);
    session.set("permissions", permissions);
    session.renew();
    "ok".into_response()
}
