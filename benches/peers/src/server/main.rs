//! One server per contender: `server CONTENDER DATABASE_URL WORKER_THREADS`.

mod axum_session;
mod axum_session_auth;
mod countersign;
mod plain;
mod session_guard;
#[allow(dead_code, reason = "axum-login asks for more")]
#[path = "../shared/mod.rs"]
mod shared;

use ::countersign::Limit;
use axum_session_sqlx::{SessionMySqlPool, SessionPgPool, SessionSqlitePool};
use shared::{
    application::Pool,
    serve::{Failure, serve},
};

/// The most sessions of a user in the contender `countersign-limit`.
const LIMIT: u32 = 3;

fn main() -> Result<(), Failure> {
    serve(async |settings| {
        let contender = settings.contender.as_str();
        match (contender, settings.pool) {
            ("plain", Pool::Sqlite(pool)) => plain::router(pool).await,
            ("plain", Pool::Postgres(pool)) => plain::router(pool).await,
            ("plain", Pool::MySql(pool)) => plain::router(pool).await,
            ("countersign", Pool::Sqlite(pool)) => countersign::router(pool, None).await,
            ("countersign", Pool::Postgres(pool)) => countersign::router(pool, None).await,
            ("countersign", Pool::MySql(pool)) => countersign::router(pool, None).await,
            ("countersign-limit", pool) => {
                let limit = Some(Limit::end_oldest(LIMIT));
                match pool {
                    Pool::Sqlite(pool) => countersign::router(pool, limit).await,
                    Pool::Postgres(pool) => countersign::router(pool, limit).await,
                    Pool::MySql(pool) => countersign::router(pool, limit).await,
                }
            }
            ("session-guard", Pool::Postgres(pool)) => session_guard::router(pool).await,
            ("axum_session", Pool::Sqlite(pool)) => {
                axum_session::router::<SessionSqlitePool, _>(pool).await
            }
            ("axum_session", Pool::Postgres(pool)) => {
                axum_session::router::<SessionPgPool, _>(pool).await
            }
            ("axum_session", Pool::MySql(pool)) => {
                axum_session::router::<SessionMySqlPool, _>(pool).await
            }
            ("axum_session_auth", Pool::Sqlite(pool)) => {
                axum_session_auth::router::<SessionSqlitePool, _>(pool).await
            }
            ("axum_session_auth", Pool::Postgres(pool)) => {
                axum_session_auth::router::<SessionPgPool, _>(pool).await
            }
            ("axum_session_auth", Pool::MySql(pool)) => {
                axum_session_auth::router::<SessionMySqlPool, _>(pool).await
            }
            _ => Err(format!("no {contender} on this database").into()),
        }
    })
}
