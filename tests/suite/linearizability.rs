//! No stale acceptance: whoever asks after a change was confirmed sees it, however many ask at once and wherever.
//!
//! Eight clients on two nodes ask without pause whether a session may edit, and note when each question began. Round
//! after round the session is revoked, its user loses the permission, or the account is disabled. Of the questions that
//! began after the call which did so had returned, none may be answered with yes.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use countersign::{SessionsBuilder, UserId};
use http::StatusCode;
use tokio::sync::watch;

use crate::support::{App, Client, Database, Pool, on_every_database};

const CLIENTS: usize = 8;
const FIRST_USER: usize = 1000;

/// One session of one user, until the change that ends or lessens it.
#[derive(Debug)]
struct Round {
    client: Client,
    asked: Mutex<Vec<Asked>>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    began: Instant,
    status: StatusCode,
}

impl Round {
    fn count(&self, which: impl Fn(&Asked) -> bool) -> usize {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|asked| which(asked))
            .count()
    }

    /// Waits until so many of these questions were answered.
    async fn answers(&self, number: usize, which: impl Fn(&Asked) -> bool) {
        let waiting = async {
            while self.count(&which) < number {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(crate::support::PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("nobody answers: {:?}", self.asked.lock().unwrap().last()));
    }
}

/// Asks about the session of the current round until there is none.
async fn hammer(app: App, rounds: watch::Receiver<Option<Arc<Round>>>) {
    loop {
        let Some(round) = rounds.borrow().clone() else {
            return;
        };
        let mut client = round.client.clone();
        let began = Instant::now();
        let status = client.get(&app.router, "/edit").await.status;
        round.asked.lock().unwrap().push(Asked { began, status });
    }
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Revoke,
    RemovePermission,
    DisableAccount,
}

impl Change {
    async fn make(self, app: &App, database: &Database, user: usize) -> StatusCode {
        match self {
            Self::Revoke => {
                let revoked = app
                    .sessions
                    .revoke_user(&UserId::from(user.to_string()), "1")
                    .await;
                assert_eq!(revoked.unwrap(), 1);
                StatusCode::UNAUTHORIZED
            }
            Self::RemovePermission => {
                database
                    .execute(&format!(
                        "DELETE FROM user_permissions WHERE user_id = {user}"
                    ))
                    .await;
                StatusCode::FORBIDDEN
            }
            Self::DisableAccount => {
                database
                    .execute(&format!(
                        "UPDATE users SET disabled = TRUE WHERE id = {user}"
                    ))
                    .await;
                StatusCode::UNAUTHORIZED
            }
        }
    }
}

async fn nobody_is_accepted_late(database: &Database, nodes: [App; 2], rounds: usize) {
    let users = (0..rounds).map(|number| format!("({}, 'someone')", FIRST_USER + number));
    let users = users.collect::<Vec<_>>().join(", ");
    database
        .execute(&format!("INSERT INTO users (id, name) VALUES {users}"))
        .await;
    database
        .execute("INSERT INTO user_permissions SELECT id, 'articles:edit' FROM users WHERE name = 'someone'")
        .await;
    let (current, watched) = watch::channel(None);
    let mut clients = Vec::new();
    for number in 0..rounds {
        let user = FIRST_USER + number;
        let app = &nodes[number % 2];
        let round = Arc::new(Round {
            client: app.signed_in(&user.to_string()).await,
            asked: Mutex::default(),
        });
        current.send_replace(Some(round.clone()));
        if clients.is_empty() {
            clients
                .extend((0..CLIENTS).map(|client| {
                    tokio::spawn(hammer(nodes[client % 2].clone(), watched.clone()))
                }));
        }
        round
            .answers(CLIENTS, |asked| asked.status == StatusCode::OK)
            .await;

        let change = [
            Change::Revoke,
            Change::RemovePermission,
            Change::DisableAccount,
        ][number % 3];
        let refusal = change.make(app, database, user).await;
        let returned = Instant::now();

        round
            .answers(2 * CLIENTS, |asked| asked.began > returned)
            .await;
        let late = round.count(|asked| asked.began > returned && asked.status != refusal);
        assert_eq!(
            late, 0,
            "of those who asked after round {number}, {change:?}"
        );
    }
    current.send_replace(None);
    for client in clients {
        client.await.unwrap();
    }
}

/// An account query that takes some milliseconds, after the database has made up its mind which rows there are.
fn slowly(pool: &Pool) -> &'static str {
    match pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => {
            "users WHERE id = {user:int} AND NOT disabled AND (WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT count(*) FROM n) > 0"
        }
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => {
            "users WHERE id = {user:int} AND NOT disabled AND pg_sleep(0.005) IS NOT NULL"
        }
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            "users WHERE id = {user:int} AND NOT disabled AND sleep(0.005 + 0 * id) = 0"
        }
    }
}

/// A busy machine is no reason for anybody to be told 503.
fn patient(builder: SessionsBuilder) -> SessionsBuilder {
    builder.time_budget(Duration::from_secs(30))
}

on_every_database! {
    async fn whoever_asks_after_a_change_sees_it(database: Database) {
        let nodes = [App::with(&database, patient).await, App::beside(&database, patient).await];
        nobody_is_accepted_late(&database, nodes, 120).await;
    }

    async fn whoever_asks_after_a_change_sees_it_however_long_statements_take(database: Database) {
        let account = slowly(&database.pool);
        let nodes = [
            App::with(&database, |builder| patient(builder).account(account)).await,
            App::beside(&database, |builder| patient(builder).account(account)).await,
        ];
        nobody_is_accepted_late(&database, nodes, 30).await;
    }
}
