//! What keeps a session alive or grants it is judged by a clock that is read when nothing is left to wait for; and a
//! session's own clocks start when it is real.

use std::time::Duration;

use axum::{Router, routing::post};
use countersign::{Filter, LoginError, Page, Session, SessionInfo};
use http::StatusCode;

use crate::support::{App, Client, Database, Gate, Pool, eventually, on_every_database};

/// A transaction of another's that holds the rows of all sessions (on SQLite, the write lock), and changes none.
enum Holder {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(sqlx::Transaction<'static, sqlx::MySql>),
}

impl Holder {
    async fn of(database: &Database) -> Self {
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        let rows = "SELECT id FROM countersign_sessions FOR UPDATE";
        match database.second_pool().await {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => Self::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await.unwrap()),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(rows)
                    .fetch_all(&mut *transaction)
                    .await
                    .unwrap();
                Self::Postgres(transaction)
            }
            #[cfg(feature = "mysql")]
            Pool::MySql(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query(rows)
                    .fetch_all(&mut *transaction)
                    .await
                    .unwrap();
                Self::MySql(transaction)
            }
        }
    }

    async fn let_go(self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => transaction.rollback().await.unwrap(),
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => transaction.rollback().await.unwrap(),
            #[cfg(feature = "mysql")]
            Self::MySql(transaction) => transaction.rollback().await.unwrap(),
        }
    }
}

/// Lets all sessions run out a second from now.
async fn expire_soon(database: &Database) {
    let soon = database.ago(-1);
    database
        .execute(&format!(
            "UPDATE countersign_sessions SET expires_at = {soon}"
        ))
        .await;
}

async fn run_out(database: &Database) {
    let now = database.ago(0);
    let live = format!("SELECT count(*) FROM countersign_sessions WHERE expires_at > {now}");
    eventually("the sessions have run out", async || {
        database.count(&live).await == 0
    })
    .await;
}

async fn only(app: &App) -> SessionInfo {
    let page = app.sessions.list(&Filter::all(), Page::first(9)).await;
    let mut sessions = page.unwrap().sessions;
    assert_eq!(sessions.len(), 1);
    sessions.remove(0)
}

/// The whole row of the only session.
async fn row(database: &Database) -> crate::support::rows::Dump {
    database.dump("countersign_sessions").await
}

on_every_database! {
    async fn a_touch_that_has_to_wait_revives_nothing(database: Database) {
        let app = App::with(&database, |builder| builder.touch_interval(Duration::ZERO)).await;
        let client = app.signed_in("2").await;
        assert_eq!(app.who(&client).await, "2");
        expire_soon(&database).await;
        let before = row(&database).await;
        let holder = Holder::of(&database).await;
        let sessions = app.sessions.clone();
        let closing = tokio::spawn(async move { sessions.close().await });
        run_out(&database).await;
        holder.let_go().await;
        closing.await.unwrap();
        assert_eq!(row(&database).await, before);
        assert_eq!(app.sessions.missed_touches(), 0);
    }

    async fn a_rotation_or_a_proof_that_has_to_wait_revives_nothing(database: Database) {
        for proves in [false, true] {
            database.pool.migrate().await.unwrap();
            database.execute("DELETE FROM countersign_sessions").await;
            let app = App::new(&database).await;
            let gate = Gate::closed();
            let waiting = gate.clone();
            let router = Router::new()
                .route("/renew", post(async move |session: Session| {
                    match proves {
                        true => session.reauthenticated(),
                        false => session.rotate(),
                    }
                    waiting.pass().await;
                }))
                .layer(app.sessions.layer());
            let mut client = app.signed_in("2").await;
            let request = tokio::spawn(async move { client.post(&router, "/renew").await });
            gate.reached().await;
            app.sessions.close().await;
            expire_soon(&database).await;
            let before = row(&database).await;
            let holder = Holder::of(&database).await;
            gate.open();
            run_out(&database).await;
            holder.let_go().await;
            let answer = request.await.unwrap();
            assert_eq!((answer.status, answer.set_cookies()), (StatusCode::OK, vec![]));
            assert_eq!(row(&database).await, before, "{proves}");
        }
    }

    async fn a_reservation_that_lapses_while_its_row_is_locked_becomes_nothing(database: Database) {
        let app = App::new(&database).await;
        let gate = Gate::closed();
        let router = slow(&app, &gate);
        let request = tokio::spawn(async move { Client::new().post(&router, "/slow").await });
        gate.reached().await;
        let soon = database.ago(-1);
        database.execute(&format!("UPDATE countersign_sessions SET reserved_until = {soon}")).await;
        let holder = Holder::of(&database).await;
        gate.open();
        let now = database.ago(0);
        let reserved = format!("SELECT count(*) FROM countersign_sessions WHERE reserved_until > {now}");
        eventually("it has lapsed", async || database.count(&reserved).await == 0).await;
        holder.let_go().await;
        let answer = request.await.unwrap();
        assert_eq!((answer.status, answer.set_cookies()), (StatusCode::SERVICE_UNAVAILABLE, vec![]));
        assert_eq!(database.live().await, 0);
    }

    async fn the_clocks_of_a_session_start_when_it_is_real(database: Database) {
        let app = App::new(&database).await;
        let gate = Gate::closed();
        let router = slow(&app, &gate);
        let request = tokio::spawn(async move {
            let mut client = Client::new();
            client.post(&router, "/slow").await;
            client
        });
        gate.reached().await;
        // A handler that takes longer than the idle timeout, and than the absolute one.
        for column in ["created_at", "last_seen_at", "authenticated_at"] {
            database.age(column, 31 * 60).await;
        }
        database.age("expires_at", 40 * 24 * 60 * 60).await;
        gate.open();
        let client = request.await.unwrap();
        assert_eq!(app.who(&client).await, "2");
        let info = only(&app).await;
        assert_eq!(info.created_at, info.last_seen_at);
        assert_eq!(info.expires_at - info.created_at, Duration::from_secs(30 * 24 * 60 * 60));
        // The proof was given before the handler called `login`.
        assert!(info.created_at - info.authenticated_at >= Duration::from_secs(31 * 60));
    }

    async fn acting_ends_no_later_than_the_administrators_own_session_could(database: Database) {
        let app = App::new(&database).await;
        let mut browser = app.signed_in("1").await;
        let soon = database.ago(-600);
        database.execute(&format!("UPDATE countersign_sessions SET expires_at = {soon}")).await;
        let own = only(&app).await.expires_at;
        assert_eq!(browser.post(&app.router, "/act-as/2").await.status, StatusCode::OK);
        let acting = app.sessions.list(&Filter::all().acting_user(1), Page::first(9)).await.unwrap();
        assert_eq!(acting.sessions[0].expires_at, own);
        assert_eq!(app.who(&browser).await, "2");
    }
}

fn slow(app: &App, gate: &Gate) -> Router {
    let gate = gate.clone();
    let handler = async move |session: Session| -> Result<(), LoginError> {
        session.login(2).await?;
        gate.pass().await;
        Ok(())
    };
    Router::new()
        .route("/slow", post(handler))
        .layer(app.sessions.layer())
}
