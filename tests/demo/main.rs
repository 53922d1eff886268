//! The demo as people run it: the program itself, spoken to over HTTP, on a database that starts empty.
//!
//! `cargo test` builds the demo as well. `cargo test --test demo` and `cargo test NAME` do not, and would meet the one
//! that was built last: run `cargo build --example demo`, with the same features, before them.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(unused_imports, reason = "some of it is about one database alone")
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ::support;

mod control;
mod events;
mod program;

use countersign::uuid::Uuid;
use http::StatusCode;
use program::Demo;
use support::{Answer, Client, on_every_database};

/// What a form that did its work answers with.
fn assert_sent_home(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), Some("/"));
}

/// The attributes of the session cookie that an answer sets, sorted: their order means nothing.
fn session_attributes(answer: &Answer) -> Vec<String> {
    let cookies = answer.set_cookies();
    let cookie = cookies
        .iter()
        .find_map(|cookie| cookie.strip_prefix("session="))
        .unwrap_or_else(|| panic!("no session cookie in {cookies:?}"));
    let mut parts = cookie.split("; ").map(str::to_owned);
    assert!(!parts.next().unwrap().is_empty(), "{cookie}");
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    attributes
}

on_every_database! {
    async fn one_signs_in_and_out(database: Database) {
        let demo = Demo::start(&database).await;
        let mut browser = Client::new();
        let form = demo.get(&mut browser, "/").await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(form.body.contains(r#"<form method="post" action="/login""#));
        assert_eq!(form.set_cookies(), [""; 0]);
        assert_eq!(demo.whoami(&mut browser).await, StatusCode::UNAUTHORIZED);

        let answer = demo.sign_in(&mut browser, "alice", "bob-password").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.body.contains("do not belong together"));
        assert!(browser.jar.is_empty());

        let answer = demo.sign_in(&mut browser, "alice", "alice-password").await;
        assert_sent_home(&answer);
        // No Secure, as the demo is served without TLS; no Max-Age, so it goes when the browser does.
        assert_eq!(session_attributes(&answer), ["HttpOnly", "Path=/", "SameSite=Lax"]);

        let welcome = "Welcome, alice. You are signed in.";
        let home = demo.get(&mut browser, "/").await;
        assert_eq!(home.status, StatusCode::OK);
        assert!(home.body.contains(welcome) && home.body.contains("Hello, alice"));
        let home = demo.get(&mut browser, "/").await;
        assert!(!home.body.contains(welcome) && home.body.contains("Hello, alice"));

        let who = demo.get(&mut browser, "/whoami").await;
        assert_eq!(who.status, StatusCode::OK);
        assert_eq!(who.header("content-type"), Some("application/json"));
        let said: serde_json::Value = serde_json::from_str(&who.body).unwrap();
        let id: Uuid = said["session_id"].as_str().unwrap().parse().unwrap();
        assert_eq!(
            who.body,
            format!(r#"{{"user_id":"2","session_id":"{id}","permissions":["articles:edit","articles:read"]}}"#)
        );
        assert!(home.body.contains(&id.to_string()));

        let mut copy = browser.clone();
        assert_sent_home(&demo.post(&mut browser, "/logout", "").await);
        assert!(!browser.jar.contains_key("session"));
        assert!(demo.get(&mut browser, "/").await.body.contains("You are signed out."));
        assert_eq!(demo.whoami(&mut copy).await, StatusCode::UNAUTHORIZED);
    }

    async fn one_comes_back_to_the_page_that_asked_to_sign_in(database: Database) {
        let demo = Demo::start(&database).await;
        let mut browser = Client::new();
        let form = demo.get(&mut browser, "/?next=/account/sessions").await;
        assert!(form.body.contains(r#"name="next" value="/account/sessions""#), "{}", form.body);
        // What was made up elsewhere is not repeated.
        for elsewhere in ["https://example.com", "//example.com", "/%5Cexample.com", "account", "/a%0Ab"] {
            let form = demo.get(&mut browser, &format!("/?next={elsewhere}")).await;
            assert!(!form.body.contains("name=\"next\""), "{elsewhere}: {}", form.body);
            let credentials = format!("username=alice&password=alice-password&next={elsewhere}");
            assert_sent_home(&demo.post(&mut browser, "/login", &credentials).await);
            demo.post(&mut browser, "/logout", "").await;
        }
        let credentials = "username=alice&password=alice-password&next=/account/sessions";
        let answer = demo.post(&mut browser, "/login", credentials).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some("/account/sessions")));
        let page = demo.get(&mut browser, "/account/sessions").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("Your devices"));
        let confirm = demo.get(&mut browser, "/?next=/account/sessions").await;
        assert!(confirm.body.contains("Please confirm that it is you"));
    }

    async fn a_browser_is_remembered_when_asked_to_be(database: Database) {
        let demo = Demo::start(&database).await;
        let mut browser = Client::new();
        let form = "username=alice&password=alice-password&remember=yes";
        let answer = demo.post(&mut browser, "/login", form).await;
        assert_sent_home(&answer);
        let month = 30 * 24 * 60 * 60;
        assert_eq!(
            session_attributes(&answer),
            ["HttpOnly", &format!("Max-Age={month}"), "Path=/", "SameSite=Lax"]
        );
    }

    async fn some_pages_are_for_everybody(database: Database) {
        let demo = Demo::start(&database).await;
        let mut browser = Client::new();
        assert_eq!(demo.get(&mut browser, "/about").await.status, StatusCode::OK);
        let health = demo.get(&mut browser, "/health").await;
        assert_eq!((health.status, health.body.as_str()), (StatusCode::OK, "ok"));
        assert_eq!(demo.get(&mut browser, "/nowhere").await.status, StatusCode::NOT_FOUND);
    }

    async fn the_very_next_request_knows_what_somebody_may_do(database: Database) {
        let demo = Demo::start(&database).await;
        let (mut alice, mut bob) = (demo.signed_in("alice").await, demo.signed_in("bob").await);
        assert_sent_home(&demo.post(&mut alice, "/articles", "title=Fresh+news").await);
        assert!(demo.get(&mut bob, "/").await.body.contains("<strong>Fresh news</strong>"));
        let refused = demo.post(&mut bob, "/articles", "title=By+bob").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);

        let removal = "DELETE FROM user_permissions WHERE user_id = 2 AND permission = 'articles:edit'";
        assert_eq!(database.execute(removal).await, 1);
        let refused = demo.post(&mut alice, "/articles", "title=Too+late").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(database.count("SELECT count(*) FROM articles WHERE title IN ('By bob', 'Too late')").await, 0);

        assert_eq!(demo.whoami(&mut alice).await, StatusCode::OK);
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 2").await;
        assert_eq!(demo.whoami(&mut alice).await, StatusCode::UNAUTHORIZED);
        let answer = demo.sign_in(&mut Client::new(), "alice", "alice-password").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(demo.whoami(&mut bob).await, StatusCode::OK);
    }

    async fn one_session_too_many_ends_the_oldest(database: Database) {
        let demo = Demo::start(&database).await;
        let mut oldest = demo.signed_in("alice").await;
        let mut others = [demo.signed_in("alice").await, demo.signed_in("alice").await];
        let home = demo.get(&mut oldest, "/").await;
        assert_eq!(home.status, StatusCode::OK);
        assert!(home.body.contains("the limit of 2 sessions was reached"), "{}", home.body);
        assert!(home.body.contains(r#"action="/login""#));
        for other in &mut others {
            assert_eq!(demo.whoami(other).await, StatusCode::OK);
        }
    }

    async fn one_session_too_many_is_refused_where_that_is_the_policy(database: Database) {
        let demo = Demo::with(&database, &[("SESSION_LIMIT_POLICY", "refuse")]).await;
        let mut browsers = [demo.signed_in("alice").await, demo.signed_in("alice").await];
        let mut third = Client::new();
        let answer = demo.sign_in(&mut third, "alice", "alice-password").await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(answer.body.contains("signed in 2 times already"));
        assert!(third.jar.is_empty());
        for browser in &mut browsers {
            assert_eq!(demo.whoami(browser).await, StatusCode::OK);
        }
        assert_sent_home(&demo.post(&mut browsers[0], "/logout", "").await);
        assert_sent_home(&demo.sign_in(&mut third, "alice", "alice-password").await);
    }

    async fn a_new_password_ends_the_other_session(database: Database) {
        let demo = Demo::start(&database).await;
        let (mut here, mut there) = (demo.signed_in("alice").await, demo.signed_in("alice").await);
        let mut copy = here.clone();
        let answer = demo.post(&mut here, "/password", "new_password=open-sesame").await;
        assert_sent_home(&answer);
        assert_ne!(here.jar["session"], copy.jar["session"]);
        assert_eq!(demo.whoami(&mut here).await, StatusCode::OK);
        let home = demo.get(&mut here, "/").await;
        assert!(home.body.contains("Your password is changed, and your other session is ended."));
        assert_eq!(demo.whoami(&mut there).await, StatusCode::UNAUTHORIZED);
        let answer = demo.sign_in(&mut copy, "alice", "alice-password").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);

        database.age("authenticated_at", 5 * 60 + 1).await;
        let refused = demo.post(&mut here, "/password", "new_password=open-barley").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(demo.whoami(&mut here).await, StatusCode::OK);
        assert_sent_home(&demo.sign_in(&mut there, "alice", "open-sesame").await);
    }

    #[cfg(unix)]
    async fn it_stops_when_it_is_told_to(database: Database) {
        let mut demo = Demo::start(&database).await;
        let mut browser = demo.signed_in("alice").await;
        assert_eq!(demo.whoami(&mut browser).await, StatusCode::OK);
        demo.stops_when_told().await;
        // Sessions are rows: they outlive the program.
        assert_eq!(database.live().await, 1);
    }
}
