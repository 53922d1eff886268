//! The program as a process, and browsers that talk to it.

use std::{net::SocketAddr, path::PathBuf, process::Stdio};

use http::StatusCode;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::support::{Answer, Client, Database, PATIENCE};

/// The program, which is killed when this is dropped.
pub(crate) struct Demo {
    process: Child,
    pub(crate) address: SocketAddr,
    /// Held, so that the program has somewhere to write to.
    _output: Lines<BufReader<ChildStdout>>,
    _folder: tempfile::TempDir,
}

impl Demo {
    pub(crate) async fn start(database: &Database) -> Self {
        Self::with(database, &[]).await
    }

    /// Starts it with nothing in its environment but this, in a folder of its own.
    pub(crate) async fn with(database: &Database, settings: &[(&str, &str)]) -> Self {
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
            .env("TIME_BUDGET", "60s")
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let starting = tokio::time::timeout(PATIENCE, output.next_line());
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

    pub(crate) async fn get(&self, client: &mut Client, path: &str) -> Answer {
        self.send(client, &format!("GET {path}")).await
    }

    /// Sends `METHOD /path`.
    pub(crate) async fn send(&self, client: &mut Client, request: &str) -> Answer {
        let answer = client.send_to(self.address, request, "").await;
        answer.expect("a whole answer")
    }

    pub(crate) async fn post(&self, client: &mut Client, path: &str, form: &str) -> Answer {
        let request = format!("POST {path}");
        let answer = client.send_to(self.address, &request, form).await;
        answer.expect("a whole answer")
    }

    pub(crate) async fn sign_in(&self, client: &mut Client, name: &str, password: &str) -> Answer {
        let form = format!("username={name}&password={password}");
        self.post(client, "/login", &form).await
    }

    /// A new browser in which this account is signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Client {
        let mut client = Client::new();
        let answer = self.sign_in(&mut client, name, &password_of(name)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        client
    }

    /// Tells it to stop, as a service manager would, and waits until it has.
    #[cfg(unix)]
    pub(crate) async fn stops_when_told(&mut self) {
        let told = std::process::Command::new("kill")
            .args(["-TERM", &self.process.id().unwrap().to_string()])
            .status();
        assert!(told.unwrap().success());
        let stopping = tokio::time::timeout(PATIENCE, self.process.wait());
        let status = stopping.await.expect("the demo stops").unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
    }

    /// What `/whoami` says to this browser: 200 where it is signed in.
    pub(crate) async fn whoami(&self, client: &mut Client) -> StatusCode {
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
