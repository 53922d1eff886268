//! The application shares its pool with nobody: whatever its handlers leave on their connections, sessions stand on
//! others.

use std::time::Duration;

use countersign::{ConnectionDiscard, EventKind};
use http::StatusCode;

use crate::{
    cancellation::{Drops, polled},
    support::{
        App, Client, Pool, eventually,
        heard::Heard,
        hooks::Hook,
        on_every_database, on_every_server,
        proxy::{Mode, Proxy},
        usual, with_pool,
    },
};

/// How many rounds of hang-ups: few enough for every run, or as many as wanted.
fn rounds() -> usize {
    let wanted = std::env::var("COUNTERSIGN_ROUNDS").ok();
    wanted.map_or(60, |wanted| wanted.parse().unwrap())
}

/// A handler of the application whose client hangs up while it begins a transaction, at this poll.
async fn hangs_up(pool: &Pool, polls: usize, drops: Drops) {
    with_pool!(pool, pool => drop(polled(polls, drops, pool.begin()).await));
}

on_every_server! {
    async fn no_hang_up_in_a_transaction_of_the_application_loses_an_ending(database: Database) {
        database.pool.migrate().await.unwrap();
        let proxy = Proxy::before(&database).await;
        let pools = [database.pool_of(5).await, proxy.pool(&database, 5).await];
        let nodes = [App::on(&pools[0], |b| b).await, App::on(&pools[1], |b| b).await];
        let (mut lost, mut old, mut checks) = (0, 0, 0);
        for round in 0..rounds() {
            let drops = [Drops::Waiting, Drops::Woken][round / 8 % 2];
            // Each byte of BEGIN and a few more, which is all of its message.
            proxy.set(Mode::HoldBegin { after: round % 12 });
            for pool in &pools {
                hangs_up(pool, 1 + round % 8, drops).await;
            }
            proxy.set(Mode::Pass);
            let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
            let client = here.signed_in("2").await;
            // A connection that is stuck in an old snapshot knows nothing of it.
            old += usize::from(there.who(&client).await != "2");
            let answer = client.clone().post(&here.router, "/logout").await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            for node in [there, here] {
                let who = node.who(&client).await;
                lost += usize::from(who != "anonymous logout");
                checks += 1;
            }
        }
        let live = database.live().await;
        println!("{} rounds, {checks} looks after an ending: {lost} lost, {old} old, {live} still live", rounds());
        assert_eq!((lost, old, live), (0, 0, 0));
    }

    async fn a_connection_that_a_hook_leaves_in_a_transaction_is_closed_and_told(database: Database) {
        database.pool.migrate().await.unwrap();
        let (heard, hook) = (Heard::default(), Hook::saying("START TRANSACTION"));
        hook.says(false);
        let pool = database.pool_with_hook(&hook).await;
        let app = App::on(&pool, |builder| heard.listen(builder)).await;
        let client = app.signed_in("2").await;
        hook.says(true);
        app.sessions.close().await;
        assert_eq!(app.who(&client).await, "unavailable");
        let why = ConnectionDiscard::OpenTransaction;
        eventually("it is told", || async {
            heard.news(&app).await.iter().any(|event| event.kind == EventKind::ConnectionDiscarded { why })
        }).await;
        hook.says(false);
        eventually("all is well again", || async { app.who(&client).await == "2" }).await;
        hook.says(true);
        let error = usual(pool.builder()).build().await.unwrap_err().to_string();
        assert!(error.contains("after_connect"), "{error}");
    }

    async fn hooks_run_and_new_connect_options_are_used(database: Database) {
        database.pool.migrate().await.unwrap();
        // What a hook has set stays, and what would keep us from committing does not.
        let words = match &database.pool {
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => "SET search_path = public",
            _ => "SET autocommit = 0",
        };
        let pool = database.pool_with_hook(&Hook::saying(words)).await;
        let app = App::on(&pool, |builder| builder.time_budget(Duration::from_secs(2))).await;
        let client = app.signed_in("2").await;
        assert_eq!(App::beside(&database, |b| b).await.who(&client).await, "2", "committed");
        // A server that is not there: no new connection can be made, which shows where it was looked for.
        pool.lead_nowhere();
        app.sessions.close().await;
        assert_eq!(app.who(&client).await, "unavailable");
    }

    async fn settings_of_a_server_that_cut_answers_change_nothing(database: Database) {
        database.pool.migrate().await.unwrap();
        let words = match &database.pool {
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => "SET default_transaction_isolation = 'read committed'",
            _ => "SET sql_select_limit = 1, group_concat_max_len = 4, sql_safe_updates = 1",
        };
        let pool = database.pool_with_hook(&Hook::saying(words)).await;
        let app = App::on(&pool, |b| b).await;
        let (mut admin, other) = (app.signed_in("1").await, app.signed_in("2").await);
        let all = admin.get(&app.router, "/permissions").await.body;
        assert_eq!(all, "articles:edit articles:read sessions:read sessions:revoke");
        let asking = [admin, other].map(|client| {
            let app = app.clone();
            tokio::spawn(async move { app.who(&client).await })
        });
        for (asked, expected) in asking.into_iter().zip(["1", "2"]) {
            assert_eq!(asked.await.unwrap(), expected);
        }
    }
}

on_every_database! {
    async fn an_exhausted_pool_of_the_application_does_not_touch_sessions(database: Database) {
        database.pool.migrate().await.unwrap();
        let pool = database.pool_of(1).await;
        let app = App::on(&pool, |b| b).await;
        let mut client = app.signed_in("2").await;
        with_pool!(&pool, pool => {
            let held = pool.acquire().await.unwrap();
            assert_eq!(app.who(&client).await, "2");
            for path in ["/login/2", "/rotate", "/logout"] {
                let answer = client.post(&app.router, path).await;
                assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
            }
            drop(held);
        });
    }

    async fn with_the_pool_of_the_application_all_is_closed(database: Database) {
        database.pool.migrate().await.unwrap();
        let pool = match &database.pool {
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => {
                let url = format!("{}?application_name=sessions", database.url());
                database.pool_at(&url, 2).await
            }
            _ => database.pool_of(2).await,
        };
        let app = App::on(&pool, |b| b).await;
        let client = app.signed_in("2").await;
        tokio::time::timeout(Duration::from_secs(20), pool.close()).await.unwrap();
        assert_eq!(app.who(&client).await, "unavailable");
        let answer = Client::new().post(&app.router, "/login/2").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        #[cfg(feature = "postgres")]
        if let Pool::Postgres(_) = &database.pool {
            let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND application_name = 'sessions'";
            eventually("nothing is connected", || async { database.count(others).await == 0 }).await;
        }
    }
}
