//! The queue of look-ups: who shares a place, who gives one back, and what becomes of those whose lane is gone.

use std::{future::Future, pin::Pin, time::Duration};

use axum::body::Body;
use countersign::SessionsBuilder;
use futures::{future::join_all, poll};
use http::{Method, Response, StatusCode};
use tokio::{runtime::Runtime, time::timeout};
use tower::ServiceExt;

use crate::{
    streams::watched,
    support::{
        App, Client, Database, eventually, on_every_server,
        proxy::{Mode, Proxy},
    },
};

/// Far more than a busy machine needs.
const BUDGET: Duration = Duration::from_secs(60);

type Asking = Pin<Box<dyn Future<Output = StatusCode> + Send>>;

/// A request that has not been polled yet.
fn asking(app: &App, client: &Client) -> Asking {
    let request = app
        .router
        .clone()
        .oneshot(client.request(Method::GET, "/me"));
    Box::pin(async move {
        let response: Response<Body> = request.await.unwrap();
        response.status()
    })
}

/// A node behind a proxy, with one lane.
async fn behind_proxy(database: &Database, capacity: usize) -> (Proxy, App) {
    database.pool.migrate().await.unwrap();
    let proxy = Proxy::before(database).await;
    let pool = proxy.pool(database, 4).await;
    let one_lane = |builder: SessionsBuilder| {
        builder
            .time_budget(BUDGET)
            .queue_capacity(capacity)
            .max_lanes(1)
    };
    let app = App::on(&pool, one_lane).await;
    (proxy, app)
}

/// A request whose statement is on its way, and stays there until the proxy lets it pass.
async fn under_way(proxy: &Proxy, app: &App, client: &Client) -> Asking {
    proxy.set(Mode::Hold);
    let before = proxy.held();
    let mut request = asking(app, client);
    assert!(poll!(&mut request).is_pending());
    eventually("a statement is on its way", || async {
        proxy.held() > before
    })
    .await;
    request
}

/// The requests, each polled once: those that are still waiting, and what the others were told.
async fn started(requests: Vec<Asking>) -> (Vec<Asking>, Vec<StatusCode>) {
    let (mut waiting, mut told) = (Vec::new(), Vec::new());
    for mut request in requests {
        match poll!(&mut request) {
            std::task::Poll::Ready(status) => told.push(status),
            std::task::Poll::Pending => waiting.push(request),
        }
    }
    (waiting, told)
}

async fn all_are_served(requests: Vec<Asking>) {
    let answers = timeout(BUDGET, join_all(requests)).await.unwrap();
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
}

on_every_server! {
    async fn a_thousand_requests_of_one_browser_take_one_place(database: Database) {
        let (proxy, app) = behind_proxy(&database, 2).await;
        let (alice, bob, admin) = (app.signed_in("2").await, app.signed_in("3").await, app.signed_in("1").await);
        let mut requests = vec![under_way(&proxy, &app, &alice).await];
        let (waiting, told) = started((0..1000).map(|_| asking(&app, &alice)).collect()).await;
        assert_eq!((waiting.len(), told.len()), (1000, 0));
        requests.extend(waiting);
        let (waiting, told) = started(vec![asking(&app, &bob), asking(&app, &admin)]).await;
        requests.extend(waiting);
        // Two places: alice's and bob's.
        assert_eq!(told, [StatusCode::SERVICE_UNAVAILABLE]);
        proxy.set(Mode::Pass);
        all_are_served(requests).await;
    }

    async fn too_many_requests_of_one_browser_are_refused_and_no_others(database: Database) {
        let (proxy, app) = behind_proxy(&database, 2).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        let mut requests = vec![under_way(&proxy, &app, &alice).await];
        let (waiting, told) = started((0..1100).map(|_| asking(&app, &alice)).collect()).await;
        assert_eq!(waiting.len(), 1024);
        assert_eq!(told, [StatusCode::SERVICE_UNAVAILABLE; 76]);
        requests.extend(waiting);
        let (waiting, told) = started(vec![asking(&app, &bob)]).await;
        assert_eq!((waiting.len(), told.len()), (1, 0));
        requests.extend(waiting);
        proxy.set(Mode::Pass);
        all_are_served(requests).await;
    }

    async fn whoever_hangs_up_leaves_the_queue_at_once(database: Database) {
        let (proxy, app) = behind_proxy(&database, 1).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        let first = under_way(&proxy, &app, &alice).await;
        let (mut waiting, _) = started(vec![asking(&app, &alice), asking(&app, &alice)]).await;
        let full = |app: &App| started(vec![asking(app, &bob)]);
        assert_eq!(full(&app).await.1, [StatusCode::SERVICE_UNAVAILABLE]);
        // One of two who share the place, then the other.
        drop(waiting.pop());
        assert_eq!(full(&app).await.1, [StatusCode::SERVICE_UNAVAILABLE]);
        drop(waiting.pop());
        let (mut waiting, told) = full(&app).await;
        assert!(told.is_empty(), "{told:?}");
        waiting.push(first);
        proxy.set(Mode::Pass);
        all_are_served(waiting).await;
    }
}

/// A runtime that runs only while it is waited for.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Two runtimes: one whose request opened the lane, and that ends; one whose requests wait.
#[expect(
    clippy::async_yields_async,
    reason = "the request that has been started is awaited later"
)]
fn a_runtime_ends(database: impl Future<Output = Database>, shares_the_statement: bool) {
    let (lives, ends) = (runtime(), runtime());
    let (database, proxy, app, alice, bob) = lives.block_on(async {
        let database = database.await;
        let (proxy, app) = behind_proxy(&database, 10).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        (database, proxy, app, alice, bob)
    });
    proxy.set(Mode::Hold);
    let start = async |client| {
        let mut request = asking(&app, client);
        assert!(poll!(&mut request).is_pending());
        request
    };
    let before = proxy.held();
    let abandoned = ends.block_on(start(&alice));
    // Its lane has not run yet.
    let shares = shares_the_statement.then(|| lives.block_on(start(&bob)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            ends.block_on(eventually("a statement is on its way", || async {
                proxy.held() > before
            }));
        });
        // The proxy is here.
        lives.block_on(eventually("a statement is on its way", || async {
            proxy.held() > before
        }));
    });
    let waits = match shares {
        Some(request) => request,
        None => lives.block_on(start(&bob)),
    };
    ends.shutdown_background();
    drop(abandoned);
    proxy.set(Mode::Pass);
    lives.block_on(async {
        all_are_served(vec![waits]).await;
        drop(app);
        drop(database);
    });
}

macro_rules! on_every_server_with_two_runtimes {
    ($( fn $name:ident($database:ident) $body:block )+) => {
        $(
            mod $name {
                use super::*;

                fn run($database: impl Future<Output = Database>) $body

                #[cfg(feature = "postgres")]
                #[test]
                fn postgres() {
                    run(Database::postgres());
                }

                #[cfg(feature = "mysql")]
                #[test]
                fn mysql() {
                    run(Database::mysql());
                }
            }
        )+
    };
}

on_every_server_with_two_runtimes! {
    fn a_lane_that_dies_with_its_runtime_leaves_the_queue_to_others(database) {
        a_runtime_ends(database, false);
    }

    fn whoever_shared_a_statement_of_a_runtime_that_ends_is_asked_for_again(database) {
        a_runtime_ends(database, true);
    }

    fn streams_outlive_the_runtime_that_watched_for_them(database) {
        // The one that lives goes on while the other is worked on: it has opened the connections.
        let (lives, ends) = (Runtime::new().unwrap(), runtime());
        let (database, app, alice, bob) = lives.block_on(async {
            let database = database.await;
            let app = App::with(&database, |builder| builder.time_budget(BUDGET)).await;
            let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
            (database, app, alice, bob)
        });
        // Whoever is the first to watch has the task that asks.
        let first = ends.block_on(watched(&app, &alice));
        let mut second = lives.block_on(watched(&app, &bob));
        assert!(lives.block_on(async { poll!(&mut second) }).is_pending());
        ends.shutdown_background();
        drop(first);
        lives.block_on(async {
            assert!(poll!(&mut second).is_pending());
            app.sessions.revoke_user(3, "test").await.unwrap();
            assert_eq!(timeout(BUDGET, second).await.unwrap().as_str(), "revoked");
            drop(database);
        });
    }
}

/// Permissions that meet a conflict five times in a row before they are read.
async fn conflicts(database: &Database) -> &'static str {
    match &database.pool {
        #[cfg(feature = "sqlite")]
        crate::support::Pool::Sqlite(_) => "user_permissions WHERE user_id = {user:int}",
        #[cfg(feature = "postgres")]
        crate::support::Pool::Postgres(_) => {
            database.run("CREATE SEQUENCE tries").await;
            database
                .run(
                    "CREATE FUNCTION settled() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN \
                     IF nextval('tries') % 6 <> 0 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; \
                     RETURN true; END $$",
                )
                .await;
            "(SELECT permission FROM user_permissions WHERE user_id = {user:int} LIMIT 1) one WHERE settled()"
        }
        #[cfg(feature = "mysql")]
        crate::support::Pool::MySql(_) => {
            database.run("CREATE SEQUENCE tries").await;
            database
                .run(
                    "CREATE FUNCTION settled(person BIGINT) RETURNS INT BEGIN \
                     IF NEXTVAL(tries) % 6 <> 0 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF; \
                     RETURN 1; END",
                )
                .await;
            "users WHERE users.id = {user:int} AND settled(users.id) = 1"
        }
    }
}

on_every_server! {
    async fn a_look_up_that_meets_conflicts_is_repeated_within_the_budget(database: Database) {
        let from = conflicts(&database).await;
        database.pool.migrate().await.unwrap();
        let column = if from.starts_with("users") { "users.name" } else { "permission" };
        let app = App::of(
            database
                .builder()
                .key(countersign::Key::from_base64(crate::support::KEY).unwrap())
                .account("users WHERE id = {user:int} AND NOT disabled")
                .permissions(column, from)
                .time_budget(BUDGET)
                .build()
                .await
                .unwrap(),
        );
        let client = app.signed_in("2").await;
        for _ in 0..5 {
            assert_eq!(app.who(&client).await, "2");
        }
    }

    async fn only_the_first_request_of_an_outage_waits_for_long(database: Database) {
        const SOME_SECONDS: Duration = Duration::from_secs(6);
        database.pool.migrate().await.unwrap();
        let proxy = Proxy::before(&database).await;
        let heard = crate::support::heard::Heard::default();
        let app = App::on(&proxy.pool(&database, 4).await, |builder| {
            heard.listen(builder.time_budget(SOME_SECONDS))
        })
        .await;
        let client = app.signed_in("2").await;
        proxy.set(Mode::BlackHole);
        assert_eq!(asking(&app, &client).await, StatusCode::SERVICE_UNAVAILABLE);
        let began = tokio::time::Instant::now();
        assert_eq!(asking(&app, &client).await, StatusCode::SERVICE_UNAVAILABLE);
        let waited = began.elapsed();
        assert!(waited < SOME_SECONDS / 2, "{waited:?}");
        // The connections of before stay silent. Nobody has to find that out once there has been an answer.
        proxy.set(Mode::Pass);
        eventually("the outage is over", || async {
            heard.so_far().iter().any(|event| matches!(event.kind, countersign::EventKind::StoreAvailable { .. }))
        })
        .await;
        let began = tokio::time::Instant::now();
        all_are_served((0..32).map(|_| asking(&app, &client)).collect()).await;
        let waited = began.elapsed();
        assert!(waited < SOME_SECONDS / 2, "{waited:?}");
    }

    async fn an_answer_that_takes_too_long_is_no_outage(database: Database) {
        database.pool.migrate().await.unwrap();
        let slow = match &database.pool {
            #[cfg(feature = "sqlite")]
            crate::support::Pool::Sqlite(_) => return, // it has no server
            #[cfg(feature = "postgres")]
            crate::support::Pool::Postgres(_) => "users WHERE id = {user:int} AND (id <> 3 OR pg_sleep(5) IS NULL)",
            #[cfg(feature = "mysql")]
            crate::support::Pool::MySql(_) => "users WHERE id = {user:int} AND (id <> 3 OR sleep(5 + 0 * id) = 1)",
        };
        let heard = crate::support::heard::Heard::default();
        let app = App::on(&database.pool, |builder| {
            heard.listen(builder.account(slow).time_budget(Duration::from_secs(2)))
        })
        .await;
        let client = app.signed_in("2").await;
        let row = crate::support::rows::NewRow::live("3");
        database.insert(std::slice::from_ref(&row)).await;
        assert_eq!(asking(&app, &row.client()).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(app.who(&client).await, "2");
        let told = heard.news(&app).await;
        assert!(!told.iter().any(|event| event.kind == countersign::EventKind::StoreUnavailable));
    }
}
