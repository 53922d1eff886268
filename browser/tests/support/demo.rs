//! The demo as people run it, on a database of its own.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::file;

/// The program, which is killed when this is dropped.
pub struct Demo {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    _process: Child,
    /// Held, so that the program has somewhere to write to.
    _output: Lines<BufReader<ChildStdout>>,
    _folder: tempfile::TempDir,
}

impl Demo {
    /// Starts it with any number of sessions for each user.
    pub async fn start() -> Self {
        Self::with(&[("SESSION_LIMIT", "0")]).await
    }

    /// Starts it with nothing in its environment but this, in a folder of its own.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(file("COUNTERSIGN_DEMO"))
            .current_dir(&folder)
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("TIME_BUDGET", "60s")
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let starting = timeout(Duration::from_secs(120), output.next_line());
        let line = starting.await.expect("the demo starts").unwrap();
        let line = line.expect("the demo did not start, and said why");
        let origin = line.strip_prefix("countersign demo: ").unwrap().to_owned();
        Self {
            origin,
            _process: process,
            _output: output,
            _folder: folder,
        }
    }
}
