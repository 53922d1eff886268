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

#[path = "suite/support/mod.rs"]
mod support;

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use countersign::uuid::Uuid;
use http::StatusCode;
use support::{Answer, Client, Database, on_every_database};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// The program, which is killed when this is dropped.
struct Demo {
    process: Child,
    address: SocketAddr,
    /// Held, so that the program has somewhere to write to.
    _output: Lines<BufReader<ChildStdout>>,
    _folder: tempfile::TempDir,
}

impl Demo {
    async fn start(database: &Database) -> Self {
        Self::with(database, &[]).await
    }

    /// Starts it with nothing in its environment but this, in a folder of its own.
    async fn with(database: &Database, settings: &[(&str, &str)]) -> Self {
        // The demo makes tables of its own under these names.
        database.execute("DROP TABLE user_permissions").await;
        database.execute("DROP TABLE users").await;
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(program())
            .current_dir(&folder)
            .env_clear()
            .env("DATABASE_URL", database.url())
            .env("LISTEN", "127.0.0.1:0")
            .env("SESSION_LIMIT", "2")
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let starting = tokio::time::timeout(Duration::from_secs(60), output.next_line());
        let line = starting.await.expect("the demo starts").unwrap();
        let line = line.expect(
            "the demo did not start, and said why; it has to be built with the features of this test",
        );
        let address = line.strip_prefix("countersign demo: http://").unwrap();
        Self {
            process,
            address: address.parse().unwrap(),
            _output: output,
            _folder: folder,
        }
    }

    async fn get(&self, client: &mut Client, path: &str) -> Answer {
        let request = format!("GET {path}");
        let answer = client.send_to(self.address, &request, "").await;
        answer.expect("a whole answer")
    }

    async fn post(&self, client: &mut Client, path: &str, form: &str) -> Answer {
        let request = format!("POST {path}");
        let answer = client.send_to(self.address, &request, form).await;
        answer.expect("a whole answer")
    }

    async fn sign_in(&self, client: &mut Client, name: &str, password: &str) -> Answer {
        let form = format!("username={name}&password={password}");
        self.post(client, "/login", &form).await
    }

    /// A new browser in which this account is signed in.
    async fn signed_in(&self, name: &str) -> Client {
        let mut client = Client::new();
        let answer = self.sign_in(&mut client, name, &password_of(name)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        client
    }

    /// What `/whoami` says to this browser: 200 where it is signed in.
    async fn whoami(&self, client: &mut Client) -> StatusCode {
        self.get(client, "/whoami").await.status
    }
}

fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.parent().unwrap().parent().unwrap();
    let program = profile
        .join("examples")
        .join(format!("demo{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is missing: run `cargo build --example demo` with the features of this test, or `cargo test` without a name",
        program.display()
    );
    program
}

fn password_of(name: &str) -> String {
    format!("{name}-password")
}

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
        let told = std::process::Command::new("kill")
            .args(["-TERM", &demo.process.id().unwrap().to_string()])
            .status();
        assert!(told.unwrap().success());
        let stopping = tokio::time::timeout(Duration::from_secs(60), demo.process.wait());
        let status = stopping.await.expect("the demo stops").unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
        // Sessions are rows: they outlive the program.
        assert_eq!(database.live().await, 1);
    }
}
