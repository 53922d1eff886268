//! However long a statement hangs on the server, its connections stay within the application's pool and our own.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign::SessionsBuilder;
use futures::future::join_all;
use http::StatusCode;
use sqlx::AssertSqlSafe;

use crate::support::{App, Client, Database, Pool, eventually, on_every_server, with_pool};

const BUDGET: Duration = Duration::from_secs(2);
/// Of the application's pool.
const POOL: u32 = 5;
/// Our own.
const OURS: usize = 12;

fn bounds(builder: SessionsBuilder) -> SessionsBuilder {
    builder.time_budget(BUDGET).touch_interval(Duration::ZERO)
}

async fn node(database: &Database) -> App {
    database.pool.migrate().await.unwrap();
    App::on(&database.pool_of(POOL).await, bounds).await
}

/// How many connections to this database the server has, but for those of the test itself.
async fn connections(database: &Database) -> i64 {
    let count = match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => unreachable!("it has no server"),
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        }
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE()"
        }
    };
    let own = with_pool!(&database.pool, pool => pool.size());
    database.count(count).await - i64::from(own)
}

/// The most connections that the server has while this runs.
async fn most_during(database: &Database, what: &str, work: impl Future<Output = ()>) {
    let (most, over) = (AtomicI64::new(0), AtomicBool::new(false));
    let looking = async {
        while !over.load(Ordering::SeqCst) {
            most.fetch_max(connections(database).await, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let working = async {
        work.await;
        over.store(true, Ordering::SeqCst);
    };
    futures::future::join(looking, working).await;
    let (most, bound) = (most.into_inner(), i64::from(POOL) + OURS as i64);
    println!("{what}: at most {most} connections on the server; {bound} are allowed");
    assert!(most <= bound, "{what}: {most} connections");
}

/// So many clients do this, each so many times.
async fn many<F: Future<Output = ()> + Send + 'static>(
    clients: usize,
    times: usize,
    work: impl Fn(usize) -> F + Clone + Send + 'static,
) {
    let clients = (0..clients).map(|client| {
        let work = work.clone();
        tokio::spawn(async move {
            for _ in 0..times {
                work(client).await;
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
}

/// Runs statements on one connection and keeps what they hold until it is dropped.
macro_rules! holding {
    ($database:expr, $statements:expr, $work:expr) => {{
        let holder = $database.pool_of(1).await;
        with_pool!(&holder, pool => {
            let mut connection = pool.acquire().await.unwrap();
            for statement in $statements {
                let statement = sqlx::raw_sql(AssertSqlSafe(String::from(statement)));
                sqlx::Executor::execute(&mut *connection, statement).await.unwrap();
            }
            $work.await;
            sqlx::Connection::close(connection.detach()).await.unwrap();
        });
    }};
}

async fn works_again(app: &App, client: &Client) {
    eventually("look-ups work again", || async {
        app.who(client).await == "2"
    })
    .await;
    eventually("sign-ins work again", || async {
        app.login(&mut Client::new(), "2").await.status == StatusCode::OK
    })
    .await;
}

on_every_server! {
    async fn a_table_that_is_locked_for_long(database: Database) {
        let app = node(&database).await;
        let client = app.signed_in("2").await;
        let lock = match &database.pool {
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => vec!["LOCK TABLES users WRITE"],
            _ => vec!["BEGIN", "ALTER TABLE users ADD COLUMN more INT"],
        };
        let asking = {
            let (app, client) = (app.clone(), client.clone());
            many(30, 4, move |_| {
                let (app, client) = (app.clone(), client.clone());
                async move { assert_eq!(app.who(&client).await, "unavailable") }
            })
        };
        holding!(database, lock, most_during(&database, "ALTER TABLE and look-ups", asking));
        works_again(&app, &client).await;
    }

    async fn a_row_of_a_user_that_is_locked_for_long(database: Database) {
        let app = node(&database).await;
        let client = app.signed_in("2").await;
        app.signed_in("3").await;
        let lock = ["BEGIN", "SELECT * FROM countersign_users WHERE user_id = '3' FOR UPDATE"];
        let signing_in = {
            let (app, client) = (app.clone(), client.clone());
            many(30, 4, move |number| {
                let (app, client) = (app.clone(), client.clone());
                async move {
                    let refused = app.login(&mut Client::new(), "3").await.status;
                    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
                    if number < 8 {
                        assert_eq!(app.who(&client).await, "2", "no look-up waits for sign-ins");
                    }
                }
            })
        };
        let meanwhile = async {
            // No ending waits for sign-ins.
            let ending = async {
                let user = countersign::UserId::from(3);
                assert_eq!(app.sessions.revoke_user(&user, "test").await.unwrap(), 1);
            };
            futures::future::join(signing_in, ending).await;
        };
        holding!(database, lock, most_during(&database, "a user's row and sign-ins", meanwhile));
        works_again(&app, &client).await;
    }

    async fn a_row_of_a_session_that_is_locked_for_long(database: Database) {
        let app = node(&database).await;
        let client = app.signed_in("2").await;
        let lock = ["BEGIN", "SELECT * FROM countersign_sessions WHERE user_id = '2' FOR UPDATE"];
        let touching = {
            let (app, client) = (app.clone(), client.clone());
            many(8, 40, move |number| {
                let (app, client) = (app.clone(), client.clone());
                async move {
                    assert_eq!(app.who(&client).await, "2");
                    if number == 0 {
                        app.sessions.close().await;
                    }
                }
            })
        };
        holding!(database, lock, most_during(&database, "a session's row and touches", touching));
        // A touch leaves alone what another holds, and waits for nothing.
        assert_eq!(app.sessions.missed_touches(), 0);
        works_again(&app, &client).await;
    }
}

/// A commit that waits, as for a standby that is away: no time-out of PostgreSQL ends it.
#[cfg(feature = "postgres")]
const WAITING_COMMITS: &[&str] = &[
    "CREATE FUNCTION wait_for_standby() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     WHILE NOT pg_try_advisory_xact_lock_shared(7) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER wait_for_standby AFTER INSERT OR UPDATE OR DELETE ON countersign_sessions \
     DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_standby()",
];

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_for_a_standby() {
    let database = Database::postgres().await;
    let app = node(&database).await;
    let client = app.signed_in("2").await;
    for statement in WAITING_COMMITS {
        database.execute(statement).await;
    }
    let at_once = Arc::new(AtomicUsize::new(0));
    let signing_in = {
        let (app, client, at_once) = (app.clone(), client.clone(), at_once.clone());
        many(150, 4, move |number| {
            let (app, client, at_once) = (app.clone(), client.clone(), at_once.clone());
            async move {
                let answer = app.login(&mut Client::new(), "3").await;
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                at_once.fetch_add(1, Ordering::SeqCst);
                if number < 8 {
                    assert_eq!(app.who(&client).await, "2", "no look-up waits for sign-ins");
                }
            }
        })
    };
    holding!(
        database,
        ["SELECT pg_advisory_lock(7)"],
        most_during(&database, "commits that wait for a standby", signing_in)
    );
    assert_eq!(at_once.load(Ordering::SeqCst), 150 * 4);
    works_again(&app, &client).await;
    let of_bob = "SELECT count(*) FROM countersign_sessions WHERE user_id = '3' AND ended_at IS NULL \
        AND reserved_until IS NULL";
    eventually("nobody has got a session", || async {
        database.count(of_bob).await == 0
    })
    .await;
}
