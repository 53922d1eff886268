//! How many sessions a user may have, and what happens at that number.

use std::time::Duration;

use countersign::{Limit, LimitPolicy, MaxSessions, UserId};
use futures::future::join_all;
use http::StatusCode;

use crate::support::{App, Client, on_every_database};

const POLICIES: [LimitPolicy; 3] = [
    LimitPolicy::EndOldest,
    LimitPolicy::EndLeastRecentlySeen,
    LimitPolicy::Refuse,
];

fn at_most(max: u32, policy: LimitPolicy) -> Limit {
    Limit::end_oldest(max).policy(policy)
}

/// Tries to sign alice in with a new browser.
async fn attempt(app: &App) -> StatusCode {
    app.login(&mut Client::new(), "2").await.status
}

on_every_database! {
    async fn the_oldest_session_makes_room_and_its_browser_is_told_why(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::end_oldest(2))).await;
        let [first, second] = [app.signed_in("2").await, app.signed_in("2").await];
        let other = app.signed_in("3").await;
        // Whoever is oldest goes, however recently seen.
        database.age("last_seen_at", 600).await;
        assert_eq!(app.who(&first).await, "2");
        app.sessions.close().await;
        let third = app.signed_in("2").await;
        assert_eq!(app.who(&first).await, "anonymous limit");
        for client in [&second, &third] {
            assert_eq!(app.who(client).await, "2");
        }
        assert_eq!(app.who(&other).await, "3");
    }

    async fn the_session_that_was_seen_least_recently_makes_room(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::end_least_recently_seen(2))).await;
        let [first, second] = [app.signed_in("2").await, app.signed_in("2").await];
        database.age("last_seen_at", 600).await;
        assert_eq!(app.who(&first).await, "2");
        app.sessions.close().await;
        let third = app.signed_in("2").await;
        assert_eq!(app.who(&second).await, "anonymous limit");
        for client in [&first, &third] {
            assert_eq!(app.who(client).await, "2");
        }
    }

    async fn one_more_is_refused_until_a_place_is_free(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::refuse(2))).await;
        let mut first = app.signed_in("2").await;
        let second = app.signed_in("2").await;
        let mut third = Client::new();
        for _ in 0..2 {
            let refused = app.login(&mut third, "2").await;
            assert_eq!((refused.status, refused.session_cookie()), (StatusCode::CONFLICT, None));
            assert!(refused.body.contains("\"limit-reached\""), "{}", refused.body);
        }
        assert_eq!(app.who(&first).await, "2");
        assert_eq!(app.who(&second).await, "2");
        app.signed_in("3").await;

        first.post(&app.router, "/logout").await;
        assert_eq!(app.login(&mut third, "2").await.status, StatusCode::OK);
        // What has run out takes no place either, swept or not.
        assert_eq!(attempt(&app).await, StatusCode::CONFLICT);
        database.age("last_seen_at", 30 * 60 + 1).await;
        assert_eq!(attempt(&app).await, StatusCode::OK);
    }

    async fn a_sign_in_that_failed_gives_its_place_back_at_once(database: Database) {
        for policy in POLICIES {
            let app = App::with(&database, |builder| builder.limit(at_most(1, policy))).await;
            let mut client = Client::new();
            for status in [500, 400, 401, 404, 422, 503] {
                for _ in 0..3 {
                    let failed = client.post(&app.router, &format!("/login/2/{status}")).await;
                    assert_eq!(failed.status, status, "{policy:?}");
                }
            }
            assert_eq!(app.login(&mut client, "2").await.status, StatusCode::OK, "{policy:?}");
            database.execute("DELETE FROM countersign_sessions").await;
        }
    }

    async fn an_attempt_that_fails_ends_nobody_for_the_limit(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::end_oldest(1))).await;
        let client = app.signed_in("2").await;
        for status in [500, 401] {
            Client::new().post(&app.router, &format!("/login/2/{status}")).await;
            assert_eq!(app.who(&client).await, "2");
        }
    }

    async fn the_session_that_its_own_browser_replaces_takes_no_place(database: Database) {
        for policy in POLICIES {
            let app = App::with(&database, |builder| builder.limit(at_most(2, policy))).await;
            let mut client = app.signed_in("2").await;
            let other = app.signed_in("2").await;
            for _ in 0..3 {
                let old = client.clone();
                assert_eq!(app.login(&mut client, "2").await.status, StatusCode::OK, "{policy:?}");
                assert_eq!(app.who(&old).await, "anonymous replaced");
                assert_eq!(app.who(&other).await, "2", "{policy:?}");
            }
            // Somebody else at the same browser leaves the first user's place free.
            assert_eq!(app.login(&mut client, "3").await.status, StatusCode::OK, "{policy:?}");
            assert_eq!(attempt(&app).await, StatusCode::OK, "{policy:?}");
            assert_eq!(app.who(&other).await, "2", "{policy:?}");
            database.execute("DELETE FROM countersign_sessions").await;
        }
    }

    async fn a_user_may_have_a_maximum_of_their_own(database: Database) {
        let alice = UserId::from(2);
        for policy in POLICIES {
            let app = App::with(&database, |builder| builder.limit(at_most(2, policy))).await;
            let most = async |max| {
                app.sessions.set_limit(&alice, max, "test").await.unwrap();
                assert_eq!(app.sessions.limit(&alice).await.unwrap(), max);
                database.execute("DELETE FROM countersign_sessions").await;
                for _ in 0..4 {
                    attempt(&app).await;
                }
                database.live().await
            };
            assert_eq!(most(None).await, 2, "{policy:?}");
            assert_eq!(most(Some(MaxSessions::AtMost(3))).await, 3, "{policy:?}");
            assert_eq!(most(Some(MaxSessions::AtMost(1))).await, 1, "{policy:?}");
            assert_eq!(most(Some(MaxSessions::AtMost(0))).await, 0, "{policy:?}");
            assert_eq!(attempt(&app).await, StatusCode::CONFLICT, "{policy:?}");
            assert_eq!(app.login(&mut Client::new(), "3").await.status, StatusCode::OK);
            assert_eq!(most(Some(MaxSessions::Unlimited)).await, 4, "{policy:?}");
            assert_eq!(most(None).await, 2, "{policy:?}");
        }
    }

    async fn a_lower_maximum_counts_from_the_next_sign_in_on(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::end_oldest(3))).await;
        let clients = [app.signed_in("2").await, app.signed_in("2").await, app.signed_in("2").await];
        app.sessions.set_limit(2, Some(MaxSessions::AtMost(1)), "test").await.unwrap();
        assert_eq!(database.live().await, 3);
        let last = app.signed_in("2").await;
        for client in &clients {
            assert_eq!(app.who(client).await, "anonymous limit");
        }
        assert_eq!(app.who(&last).await, "2");
    }

    async fn the_application_may_say_itself_how_many(database: Database) {
        database.execute("CREATE TABLE quotas (user_id BIGINT PRIMARY KEY, sessions BIGINT)").await;
        let app = App::with(&database, |builder| {
            builder
                .limit(Limit::refuse(2))
                .limit_query("SELECT sessions FROM quotas WHERE user_id = {user:int}")
        }).await;
        let most = async || {
            database.execute("DELETE FROM countersign_sessions").await;
            for _ in 0..4 {
                attempt(&app).await;
            }
            database.live().await
        };
        assert_eq!(most().await, 2);
        for (quota, expected) in [("NULL", 2), ("3", 3), ("1", 1), ("0", 0), ("-1", 4)] {
            database.execute("DELETE FROM quotas").await;
            database.execute(&format!("INSERT INTO quotas VALUES (2, {quota})")).await;
            assert_eq!(most().await, expected, "{quota}");
        }
        app.sessions.set_limit(2, Some(MaxSessions::AtMost(1)), "test").await.unwrap();
        assert_eq!(most().await, 1);
    }

    async fn sixty_four_racing_sign_ins_never_pass_the_limit(database: Database) {
        for (policy, max) in POLICIES.into_iter().flat_map(|policy| [(policy, 1), (policy, 3)]) {
            let patient = |builder: countersign::SessionsBuilder| {
                builder.limit(at_most(max, policy)).time_budget(Duration::from_secs(30))
            };
            let nodes = [App::with(&database, patient).await, App::beside(&database, patient).await];
            let racing = join_all((0..64).map(|number| {
                let app = nodes[number % 2].clone();
                async move { tokio::spawn(async move { attempt(&app).await }).await.unwrap() }
            }));
            let watching = async {
                let mut most = 0;
                loop {
                    most = most.max(database.live().await);
                    assert!(most <= max.into(), "{most} live under {policy:?} {max}");
                    tokio::task::yield_now().await;
                }
            };
            let answers = tokio::select! {
                answers = racing => answers,
                never = watching => never,
            };

            let live = database.live().await;
            let count = |status| answers.iter().filter(|answer| **answer == status).count();
            let (accepted, refused) = (count(StatusCode::OK), count(StatusCode::CONFLICT));
            assert_eq!(accepted + refused, 64, "{policy:?} {max}: {answers:?}");
            match policy {
                LimitPolicy::Refuse => {
                    assert_eq!((accepted as i64, live), (max.into(), max.into()), "{policy:?} {max}");
                }
                LimitPolicy::EndOldest | LimitPolicy::EndLeastRecentlySeen => {
                    assert_eq!((accepted, live), (64, max.into()), "{policy:?} {max}");
                }
            }
            database.execute("DELETE FROM countersign_sessions").await;
        }
    }

    async fn once_a_maximum_is_set_no_sign_in_under_way_exceeds_it(database: Database) {
        let patient = |builder: countersign::SessionsBuilder| {
            builder.limit(Limit::unlimited()).time_budget(Duration::from_secs(30))
        };
        let nodes = [App::with(&database, patient).await, App::beside(&database, patient).await];
        for round in 0..24 {
            let racing = (0..16).map(|number| {
                let app = nodes[number % 2].clone();
                tokio::spawn(async move { attempt(&app).await })
            });
            let racing: Vec<_> = racing.collect();
            while database.live().await < round % 12 {
                tokio::task::yield_now().await;
            }
            nodes[0].sessions.set_limit(2, Some(MaxSessions::AtMost(3)), "test").await.unwrap();
            // It counts the others, and ends those that are too many.
            assert_eq!(attempt(&nodes[1]).await, StatusCode::OK);
            for racer in racing {
                assert_eq!(racer.await.unwrap(), StatusCode::OK);
            }
            assert_eq!(database.live().await, 3, "round {round}");
            nodes[0].sessions.set_limit(2, None, "test").await.unwrap();
            database.execute("DELETE FROM countersign_sessions").await;
        }
    }
}
