//! Real processes: killed with everything in flight, or side by side on one database.

use std::{
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::StatusCode;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::{Answer, App, Client, Database, Pool, eventually, sessions};

/// The database of a child process; unset in the tests' own.
const DATABASE: &str = "COUNTERSIGN_TEST_CHILD_DATABASE";
const LISTENING: &str = "listening on port ";

/// A node of the application in a process of its own: this very binary, told to serve. Killed when dropped.
struct Node {
    process: Child,
    port: u16,
}

/// What a child runs; without its variable, nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_in_a_child() {
    let Ok(url) = std::env::var(DATABASE) else {
        return;
    };
    let app = App::on(&connect(&url).await, |builder| builder).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{LISTENING}{}", listener.local_addr().unwrap().port());
    axum::serve(listener, app.router).await.unwrap();
}

async fn connect(url: &str) -> Pool {
    #[cfg(feature = "sqlite")]
    if url.starts_with("sqlite:") {
        let options = countersign::sqlite_options(url).unwrap();
        return Pool::Sqlite(sqlx::SqlitePool::connect_with(options).await.unwrap());
    }
    #[cfg(feature = "postgres")]
    if url.starts_with("postgres:") {
        return Pool::Postgres(sqlx::PgPool::connect(url).await.unwrap());
    }
    panic!("no such database is built in: {url}");
}

impl Node {
    async fn start(database: &Database) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::serve_in_a_child", "--nocapture"])
            .env(DATABASE, database.url())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("the child serves");
            if let Some((_, port)) = line.split_once(LISTENING) {
                break port.parse().unwrap();
            }
        };
        Self { process, port }
    }

    /// Sends a request; `None` when no whole answer came back.
    async fn send(&self, client: &mut Client, request: &str) -> Option<Answer> {
        send(self.port, client, request).await
    }
}

async fn send(port: u16, client: &mut Client, request: &str) -> Option<Answer> {
    client
        .send_to(([127, 0, 0, 1], port).into(), request, "")
        .await
}

/// What the browsers know when the process is gone.
#[derive(Default)]
struct Known {
    /// Signed in, and nothing since.
    live: Vec<Client>,
    /// Signed out, and told so.
    ended: Vec<Client>,
}

const BROWSERS: usize = 8;

/// Signs in again and again, and every other time out again, until the server is gone.
async fn come_and_go(port: u16, user: &str, known: &Mutex<Known>, answered: &AtomicUsize) {
    loop {
        for leaves in [false, true] {
            let mut client = Client::new();
            match send(port, &mut client, &format!("POST /login/{user}")).await {
                Some(answer) if answer.status == StatusCode::OK => {}
                Some(_) => continue,
                None => return,
            }
            answered.fetch_add(1, Ordering::SeqCst);
            if !leaves {
                known.lock().unwrap().live.push(client);
                continue;
            }
            let copy = client.clone();
            match send(port, &mut client, "POST /logout").await {
                Some(answer) if answer.status == StatusCode::OK => {
                    known.lock().unwrap().ended.push(copy)
                }
                Some(_) => {}
                None => return,
            }
        }
    }
}

async fn a_killed_process_leaves_nothing_half_made(database: Database) {
    database.pool.migrate().await.unwrap();
    let mut node = Node::start(&database).await;
    let port = node.port;
    let (known, answered) = (
        Arc::new(Mutex::new(Known::default())),
        Arc::new(AtomicUsize::new(0)),
    );
    let browsers = (0..BROWSERS).map(|number| {
        let (known, answered) = (known.clone(), answered.clone());
        tokio::spawn(async move {
            come_and_go(port, ["1", "2", "3"][number % 3], &known, &answered).await;
        })
    });
    let browsers: Vec<_> = browsers.collect();
    eventually("browsers come and go", || async {
        answered.load(Ordering::SeqCst) >= 100
    })
    .await;
    node.process.kill().await.unwrap();
    futures::future::join_all(browsers).await;

    let app = App::of(sessions(&database).await);
    let known = std::mem::take(&mut *known.lock().unwrap());
    assert!(known.ended.len() > 10 && known.live.len() > 10);
    for client in &known.ended {
        assert_eq!(app.who(client).await, "anonymous logout");
    }
    for client in &known.live {
        assert!(["1", "2", "3"].contains(&app.who(client).await.as_str()));
    }
    // Beyond these, at most what each browser was in the middle of.
    let unknown = database.live().await - known.live.len() as i64;
    assert!((0..=BROWSERS as i64).contains(&unknown), "{unknown}");
    // What was reserved opens nothing and lapses.
    database.age("reserved_until", 61).await;
    app.sessions.sweep().await.unwrap();
    let reserved = "SELECT count(*) FROM countersign_sessions WHERE reserved_until IS NOT NULL";
    assert_eq!(database.count(reserved).await, 0);
    assert_eq!(app.who(&app.signed_in("2").await).await, "2");
}

async fn what_ends_in_one_process_has_ended_in_the_other(database: Database) {
    database.pool.migrate().await.unwrap();
    let nodes = [Node::start(&database).await, Node::start(&database).await];
    let app = App::of(sessions(&database).await);
    for (here, there) in [(0, 1), (1, 0)] {
        for _ in 0..10 {
            let mut client = Client::new();
            let answer = nodes[here]
                .send(&mut client, "POST /login/2")
                .await
                .unwrap();
            let id = answer.body.parse().unwrap();
            let copy = client.clone();
            assert_eq!(
                nodes[there]
                    .send(&mut client, "GET /me")
                    .await
                    .unwrap()
                    .body,
                "2"
            );
            nodes[there]
                .send(&mut client, "POST /logout")
                .await
                .unwrap();
            for node in &nodes {
                let answer = node.send(&mut copy.clone(), "GET /identity").await.unwrap();
                assert_eq!(answer.body, "anonymous logout");
            }
            assert!(!app.sessions.revoke(id, "job").await.unwrap());

            let answer = nodes[here]
                .send(&mut client, "POST /login/3")
                .await
                .unwrap();
            let id = answer.body.parse().unwrap();
            assert!(app.sessions.revoke(id, "job").await.unwrap());
            for node in &nodes {
                let answer = node.send(&mut client, "GET /identity").await.unwrap();
                assert_eq!(answer.body, "anonymous revoked");
            }
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn killed() {
        a_killed_process_leaves_nothing_half_made(Database::sqlite().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn side_by_side() {
        what_ends_in_one_process_has_ended_in_the_other(Database::sqlite().await).await;
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn killed() {
        a_killed_process_leaves_nothing_half_made(Database::postgres().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn side_by_side() {
        what_ends_in_one_process_has_ended_in_the_other(Database::postgres().await).await;
    }
}
