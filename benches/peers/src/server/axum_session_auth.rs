//! axum_session_auth on axum_session, with its cache of users, which is on by default.

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_session::{DatabasePool, SessionConfig, SessionLayer, SessionStore};
use axum_session_auth::{AuthConfig, AuthSession, AuthSessionLayer, Authentication};

use crate::shared::{
    application::{Application, answer},
    serve::{Failure, Who},
};

#[derive(Clone, Debug)]
struct Member {
    permissions: Vec<String>,
}

#[async_trait::async_trait]
impl<P: Application> Authentication<Member, i64, P> for Member {
    async fn load_user(id: i64, pool: Option<&P>) -> anyhow::Result<Member> {
        let pool = pool.ok_or_else(|| anyhow::anyhow!("no pool"))?;
        let permissions = pool.active_permissions(id).await?;
        let permissions = permissions.ok_or_else(|| anyhow::anyhow!("no such account"))?;
        Ok(Member { permissions })
    }

    fn is_authenticated(&self) -> bool {
        true
    }

    fn is_active(&self) -> bool {
        true
    }

    fn is_anonymous(&self) -> bool {
        false
    }
}

pub async fn router<S, P>(pool: P) -> Result<Router, Failure>
where
    P: Application,
    S: DatabasePool + From<P> + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let config = SessionConfig::default().with_table_name("sessions_table");
    let store = SessionStore::<S>::new(Some(pool.clone().into()), config).await?;
    let auth = AuthSessionLayer::<Member, i64, S, P>::new(Some(pool.clone()))
        .with_config(AuthConfig::default());
    Ok(Router::new()
        .route("/whoami", get(whoami::<S, P>))
        .route("/login", post(login::<S, P>))
        .layer(auth)
        .layer(SessionLayer::new(store))
        .with_state(pool))
}

async fn whoami<S, P>(auth: AuthSession<Member, i64, S, P>) -> Response
where
    P: Application,
    S: DatabasePool + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    match &auth.current_user {
        Some(user) => answer(user.permissions.iter().map(String::as_str)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn login<S, P>(
    auth: AuthSession<Member, i64, S, P>,
    State(pool): State<P>,
    Query(who): Query<Who>,
) -> Response
where
    P: Application,
    S: DatabasePool + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let Ok(Some(user)) = pool.user(who.user).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    auth.login_user(user.id);
    "ok".into_response()
}
