//! A new token for the same session: parallel requests keep working, replays do not.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;

use crate::support::{App, Client, on_every_database};

on_every_database! {
    async fn the_old_token_is_good_for_the_grace_and_not_after_it(database: Database) {
        let app = App::new(&database).await;
        let other = App::beside(&database, |builder| builder).await;
        let mut client = app.signed_in("2").await;
        let old = client.clone();
        let answer = client.post(&app.router, "/rotate").await;
        assert!(answer.session_cookie().is_some());
        assert_ne!(client.session_cookie(), old.session_cookie());
        for node in [&app, &other] {
            assert_eq!(node.who(&old).await, "2");
            assert_eq!(node.who(&client).await, "2");
        }
        database.age("previous_until", 11).await;
        for node in [&app, &other] {
            assert_eq!(node.who(&old).await, "anonymous");
            assert_eq!(node.who(&client).await, "2");
        }
        assert_eq!(database.live().await, 1);
    }

    async fn without_a_grace_the_old_token_is_worth_nothing_at_once(database: Database) {
        let app = App::with(&database, |builder| builder.rotation_grace(Duration::ZERO)).await;
        let mut client = app.signed_in("2").await;
        let old = client.clone();
        client.post(&app.router, "/rotate").await;
        assert_eq!(app.who(&old).await, "anonymous");
        assert_eq!(app.who(&client).await, "2");
    }

    async fn the_old_token_cannot_be_exchanged_a_second_time(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        let old = client.clone();
        client.post(&app.router, "/rotate").await;
        for path in ["/rotate", "/reauthenticated"] {
            let replayed = old.clone().post(&app.router, path).await;
            assert_eq!((replayed.status, replayed.session_cookie()), (StatusCode::OK, None));
        }
        database.age("previous_until", 11).await;
        assert_eq!(app.who(&old).await, "anonymous");
        assert_eq!(old.clone().post(&app.router, "/rotate").await.session_cookie(), None);
        assert_eq!(app.who(&client).await, "2");
        // Each token is new, never one that was there before.
        let mut seen = vec![old.session_cookie().unwrap().to_owned()];
        for _ in 0..4 {
            assert!(!seen.contains(&client.session_cookie().unwrap().to_owned()));
            seen.push(client.session_cookie().unwrap().to_owned());
            client.post(&app.router, "/rotate").await;
        }
    }

    async fn of_parallel_rotations_one_wins_and_everybody_goes_on(database: Database) {
        let here = App::new(&database).await;
        let there = App::beside(&database, |builder| builder).await;
        let client = here.signed_in("2").await;
        let mut copies: Vec<_> = (0..16).map(|_| client.clone()).collect();
        let rotating = copies.iter_mut().enumerate().map(|(number, copy)| {
            let router = [&here.router, &there.router][number % 2];
            copy.post(router, "/rotate")
        });
        let answers = join_all(rotating).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
        assert_eq!(answers.iter().filter(|answer| answer.session_cookie().is_some()).count(), 1);
        for copy in &copies {
            assert_eq!(there.who(copy).await, "2");
        }
        // A browser has one jar: whatever the order of the answers, it ends up with the winner's token.
        let mut browser = client;
        answers.iter().for_each(|answer| browser.keep(answer));
        database.age("previous_until", 11).await;
        assert_eq!(here.who(&browser).await, "2");
    }

    async fn a_rotation_becomes_real_exactly_when_the_response_succeeds(database: Database) {
        let app = App::new(&database).await;
        for status in [200, 303, 400, 403, 500, 503] {
            let mut client = app.signed_in("2").await;
            let before = client.clone();
            let answer = client.post(&app.router, &format!("/rotate/{status}")).await;
            assert_eq!(answer.session_cookie().is_some(), status < 400, "{status}");
            database.age("previous_until", 11).await;
            assert_eq!(app.who(&client).await, "2", "{status}");
            assert_eq!(app.who(&before).await, if status < 400 { "anonymous" } else { "2" }, "{status}");
        }
    }

    async fn proving_again_who_one_is_opens_what_needs_a_recent_sign_in(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        assert_eq!(client.get(&app.router, "/recent").await.status, StatusCode::OK);
        database.age("authenticated_at", 600).await;
        let refused = client.get(&app.router, "/recent").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.body.contains("recent-sign-in-required"), "{}", refused.body);

        let before = client.clone();
        client.post(&app.router, "/rotate").await;
        assert_eq!(client.get(&app.router, "/recent").await.status, StatusCode::UNAUTHORIZED);
        client.post(&app.router, "/reauthenticated").await;
        assert_eq!(client.get(&app.router, "/recent").await.status, StatusCode::OK);
        assert_ne!(client.session_cookie(), before.session_cookie());
        assert_eq!(database.live().await, 1);
    }

    async fn who_is_not_signed_in_gets_no_token_by_rotating(database: Database) {
        let app = App::new(&database).await;
        let mut ended = app.signed_in("2").await;
        ended.clone().post(&app.router, "/logout").await;
        for path in ["/rotate", "/reauthenticated"] {
            for client in [&mut Client::new(), &mut ended] {
                let answer = client.post(&app.router, path).await;
                assert_eq!((answer.status, answer.session_cookie()), (StatusCode::OK, None));
            }
        }
        assert_eq!(database.live().await, 0);
    }

    async fn signing_out_or_in_with_the_old_token_ends_the_session_too(database: Database) {
        let app = App::new(&database).await;
        for path in ["/logout", "/login/2"] {
            let mut client = app.signed_in("2").await;
            let mut old = client.clone();
            client.post(&app.router, "/rotate").await;
            assert_eq!(old.post(&app.router, path).await.status, StatusCode::OK);
            assert!(app.who(&client).await.starts_with("anonymous "), "{path}");
            database.execute("DELETE FROM countersign_sessions").await;
        }
    }

    async fn a_proof_given_with_the_old_token_counts(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        database.age("authenticated_at", 600).await;
        assert_eq!(client.get(&app.router, "/recent").await.status, StatusCode::UNAUTHORIZED);
        let mut slower = client.clone();
        client.post(&app.router, "/rotate").await;

        let answer = slower.post(&app.router, "/reauthenticated").await;
        assert_eq!((answer.status, answer.session_cookie()), (StatusCode::OK, None), "the new token is the client's");
        assert_eq!(client.get(&app.router, "/recent").await.status, StatusCode::OK);
    }
}
