//! tower-sessions and axum-login, as axum-login's SQLite example puts them together.

#[allow(dead_code, reason = "the other contenders ask for more")]
#[path = "../../src/shared/mod.rs"]
mod shared;

use std::{collections::HashSet, time::Duration};

use axum::{
    Router,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, AuthzBackend, UserId,
};
use tower_sessions::{ExpiredDeletion, Expiry, SessionManagerLayer, SessionStore};
use tower_sessions_sqlx_store::{MySqlStore, PostgresStore, SqliteStore};

use shared::{
    application::{Application, Pool, User, answer},
    serve::{Failure, Who, serve},
};

fn main() -> Result<(), Failure> {
    serve(async |settings| match settings.pool {
        Pool::Sqlite(pool) => {
            let store = SqliteStore::new(pool.clone());
            store.migrate().await?;
            Ok(router(pool, store))
        }
        Pool::Postgres(pool) => {
            let store = PostgresStore::new(pool.clone());
            store.migrate().await?;
            Ok(router(pool, store))
        }
        Pool::MySql(pool) => {
            // Its own default schema is a database of that name: one that is this run's alone, by its name.
            let schema: String = sqlx::query_scalar("SELECT DATABASE()")
                .fetch_one(&pool)
                .await?;
            let store = MySqlStore::new(pool.clone()).with_schema_name(schema)?;
            store.migrate().await?;
            Ok(router(pool, store))
        }
    })
}

fn router<P, S>(pool: P, store: S) -> Router
where
    P: Application,
    S: SessionStore + ExpiredDeletion + Clone,
{
    let deletion = store
        .clone()
        .continuously_delete_expired(Duration::from_secs(60));
    tokio::spawn(deletion);
    let sessions =
        SessionManagerLayer::new(store).with_expiry(Expiry::OnInactivity(time::Duration::days(1)));
    let auth = AuthManagerLayerBuilder::new(Backend(pool), sessions).build();
    Router::new()
        .route("/whoami", get(whoami::<P>))
        .route("/login", post(login::<P>))
        .layer(auth)
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

#[derive(Clone, Debug)]
struct Backend<P>(P);

impl<P: Application> AuthnBackend for Backend<P> {
    type User = User;
    type Credentials = i64;
    type Error = sqlx::Error;

    async fn authenticate(&self, id: i64) -> sqlx::Result<Option<User>> {
        self.0.user(id).await
    }

    async fn get_user(&self, id: &UserId<Self>) -> sqlx::Result<Option<User>> {
        self.0.user(*id).await
    }
}

impl<P: Application> AuthzBackend for Backend<P> {
    type Permission = String;

    async fn get_user_permissions(&self, user: &User) -> sqlx::Result<HashSet<String>> {
        Ok(self.0.permissions(user.id).await?.into_iter().collect())
    }
}

async fn whoami<P: Application>(auth: AuthSession<Backend<P>>) -> Response {
    let Some(user) = &auth.user else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    // Asked once, however many a handler would check: each `permission_required!` and `has_perm` asks again.
    match auth.backend.get_all_permissions(user).await {
        Ok(names) => answer(names.iter().map(String::as_str)).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn login<P: Application>(
    mut auth: AuthSession<Backend<P>>,
    Query(who): Query<Who>,
) -> Response {
    match auth.authenticate(who.user).await {
        Ok(Some(user)) => match auth.login(&user).await {
            Ok(()) => "ok".into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Ok(None) => StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
