//! The database behind a network that fails: nobody is let in, nobody is signed out, nobody waits for long.

use std::time::Duration;

use countersign::{EventKind, Limit, SessionsBuilder};
use http::StatusCode;
use tokio::time::{Instant, timeout};

use crate::support::{
    Answer, App, Client, Database, eventually,
    heard::Heard,
    on_every_server,
    proxy::{Mode, Proxy},
};

const BUDGET: Duration = Duration::from_millis(500);
/// Far beyond the budget, so that a slow machine does not fail the test, and far below "never".
const AT_LAST: Duration = Duration::from_secs(10);

/// A node behind a proxy, and a browser that is signed in.
async fn behind_proxy(database: &Database) -> (Proxy, App, Client) {
    behind_proxy_with(database, |builder| builder).await
}

async fn behind_proxy_with(
    database: &Database,
    configure: fn(SessionsBuilder) -> SessionsBuilder,
) -> (Proxy, App, Client) {
    database.pool.migrate().await.unwrap();
    let proxy = Proxy::before(database).await;
    let pool = proxy.pool(database, 4).await;
    let app = App::on(&pool, |builder| configure(builder.time_budget(BUDGET))).await;
    let client = app.signed_in("2").await;
    (proxy, app, client)
}

async fn promptly<T>(work: impl Future<Output = T>) -> T {
    timeout(AT_LAST, work).await.expect("an answer, not a hang")
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.body
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
}

/// Once the network is well again, new connections are made; the first attempt may still meet an old one.
async fn recovers(app: &App, client: &Client) {
    eventually("the same cookie works", || async {
        promptly(app.who(client)).await == "2"
    })
    .await;
}

on_every_server! {
    async fn an_outage_is_a_503_and_the_same_cookie_works_afterwards(database: Database) {
        let (proxy, app, client) = behind_proxy(&database).await;
        for mode in [Mode::Reset, Mode::BlackHole, Mode::HalfClose, Mode::Delay(Duration::from_secs(30))] {
            proxy.set(mode);
            for path in ["/me", "/maybe", "/edit", "/recent"] {
                let answer = promptly(client.clone().get(&app.router, path)).await;
                assert_unavailable(&answer);
            }
            let started = Instant::now();
            assert_eq!(app.who(&client).await, "unavailable");
            assert!(started.elapsed() < AT_LAST);
            assert_eq!(promptly(client.clone().get(&app.router, "/static")).await.body, "static");
            assert_eq!(promptly(Client::new().get(&app.router, "/maybe")).await.body, "nobody");
            // What hangs in a connection that fell silent is given up; the rest is cut.
            proxy.set(Mode::Reset);
            proxy.set(Mode::Pass);
            recovers(&app, &client).await;
        }
        assert_eq!(database.live().await, 1);
    }

    async fn an_outage_is_told_at_its_beginning_and_at_its_end(database: Database) {
        database.pool.migrate().await.unwrap();
        let (heard, proxy) = (Heard::default(), Proxy::before(&database).await);
        let pool = proxy.pool(&database, 4).await;
        let app = App::on(&pool, |builder| heard.listen(builder.time_budget(BUDGET))).await;
        let client = app.signed_in("2").await;
        heard.news(&app).await;
        for _ in 0..2 {
            proxy.set(Mode::Reset);
            eventually("an outage is told", || async {
                promptly(app.who(&client)).await;
                heard.so_far().iter().any(|event| event.kind == EventKind::StoreUnavailable)
            })
            .await;
            for _ in 0..20 {
                assert_eq!(promptly(app.who(&client)).await, "unavailable");
            }
            proxy.set(Mode::Pass);
            recovers(&app, &client).await;
            let told = heard.news(&app).await;
            let told: Vec<_> = told.iter().filter(|event| event.kind.name().starts_with("store")).collect();
            match told[..] {
                [began, ended] => {
                    assert_eq!(began.kind, EventKind::StoreUnavailable);
                    let EventKind::StoreAvailable { after } = ended.kind else { panic!("{ended:?}") };
                    assert!(!after.is_zero());
                }
                _ => panic!("{told:?}"),
            }
        }
    }

    async fn signing_in_and_out_during_an_outage_changes_nothing(database: Database) {
        let (proxy, app, client) = behind_proxy(&database).await;
        for mode in [Mode::Reset, Mode::BlackHole] {
            proxy.set(mode);
            for request in ["/login/3", "/remember/3", "/logout"] {
                let answer = promptly(client.clone().post(&app.router, request)).await;
                assert_unavailable(&answer);
                let answer = promptly(Client::new().post(&app.router, request)).await;
                if request != "/logout" {
                    assert_unavailable(&answer);
                }
            }
            proxy.set(Mode::Reset);
            proxy.set(Mode::Pass);
            recovers(&app, &client).await;
        }
        let of_bob = "SELECT count(*) FROM countersign_sessions WHERE user_id = '3'";
        eventually("no half-made session is left", || async { database.count(of_bob).await == 0 }).await;
        assert_eq!(database.live().await, 1);
    }

    async fn a_connection_that_breaks_in_mid_statement_is_replaced_within_the_request(database: Database) {
        let (proxy, app, client) = behind_proxy(&database).await;
        for _ in 0..3 {
            proxy.set(Mode::CutNextAnswer);
            let answer = promptly(client.clone().get(&app.router, "/me")).await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "2"));
            assert_eq!(proxy.mode(), Mode::Pass, "one was cut");
        }
    }

    async fn a_commit_whose_answer_is_lost_gives_no_cookie_and_leaves_nothing_live(database: Database) {
        // With a limit, the sign-in is a transaction.
        let limited = |builder: SessionsBuilder| builder.limit(Limit::end_oldest(9));
        let (proxy, app, client) = behind_proxy_with(&database, limited).await;
        for _ in 0..3 {
            proxy.set(Mode::CutAnswerToCommit);
            let answer = promptly(Client::new().post(&app.router, "/login/3")).await;
            assert_unavailable(&answer);
            assert_eq!(proxy.mode(), Mode::Pass, "a commit was cut");
        }
        let of_bob = "SELECT count(*) FROM countersign_sessions WHERE user_id = '3' AND ended_at IS NULL";
        eventually("what was committed is undone", || async { database.count(of_bob).await == 0 }).await;
        assert_eq!(app.who(&client).await, "2");
    }

    async fn the_second_commit_of_a_sign_in_is_no_less_safe(database: Database) {
        let (proxy, app, client) = behind_proxy(&database).await;
        // Between the reservation's commit and the activation's, the handler runs.
        let switch = proxy.clone();
        let router = axum::Router::new()
            .route(
                "/login",
                axum::routing::post(|session: countersign::Session| async move {
                    session.login(3).await.map(|_| switch.set(Mode::CutAnswerToCommit))
                }),
            )
            .layer(app.sessions.layer());
        let mut browser = client.clone();
        let answer = promptly(browser.post(&router, "/login")).await;
        assert_unavailable(&answer);
        assert_eq!(proxy.mode(), Mode::Pass, "a commit was cut");
        let of_bob = "SELECT count(*) FROM countersign_sessions WHERE user_id = '3' AND ended_at IS NULL";
        eventually("what nobody received is ended", || async { database.count(of_bob).await == 0 }).await;
    }

    async fn touches_that_could_not_be_written_are_counted(database: Database) {
        let (proxy, app, client) = behind_proxy(&database).await;
        database.age("last_seen_at", 120).await;
        assert_eq!(app.who(&client).await, "2");
        proxy.set(Mode::Reset);
        promptly(app.sessions.close()).await;
        assert_eq!(app.sessions.missed_touches(), 1);
        proxy.set(Mode::Pass);
        recovers(&app, &client).await;
        promptly(app.sessions.close()).await;
        let stale = match &database.pool {
            #[cfg(feature = "sqlite")]
            crate::support::Pool::Sqlite(_) => return, // it has no server
            #[cfg(feature = "postgres")]
            crate::support::Pool::Postgres(_) => "now() - interval '60 seconds'",
            #[cfg(feature = "mysql")]
            crate::support::Pool::MySql(_) => "UTC_TIMESTAMP(6) - INTERVAL 60 SECOND",
        };
        let stale = format!("SELECT count(*) FROM countersign_sessions WHERE last_seen_at < {stale}");
        assert_eq!(database.count(&stale).await, 0);
    }
}
