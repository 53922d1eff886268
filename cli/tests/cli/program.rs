//! Running the program.

use std::process::Stdio;

use countersign::uuid::Uuid;
use serde_json::Value;
use tokio::process::Command;

use crate::support::{App, Client, Database};

pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_countersign");

/// The exit code and the output.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The result of a command that must succeed.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A command of an operator called jane, with only these variables in its environment.
pub(crate) fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(PATH);
    command
        .env_clear()
        .env("DATABASE_URL", url)
        .env("USER", "jane")
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

pub(crate) async fn cli_at(url: &str, arguments: &[&str]) -> Ran {
    ran(&mut command(url, arguments)).await
}

pub(crate) async fn ran(command: &mut Command) -> Ran {
    let output = command.output().await.unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) async fn cli(database: &Database, arguments: &[&str]) -> Ran {
    cli_at(&database.url(), arguments).await
}

/// The result with `--format json`, parsed.
pub(crate) async fn json(database: &Database, arguments: &[&str]) -> Value {
    cli(database, &[arguments, &["--format", "json"]].concat())
        .await
        .json()
}

/// The ids that a listing shows.
pub(crate) async fn ids(database: &Database, arguments: &[&str]) -> Vec<Uuid> {
    let list = json(database, &[&["list", "--all"], arguments].concat()).await;
    let sessions = list["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| session["id"].as_str().unwrap().parse().unwrap())
        .collect()
}

/// Signs a user in with this user agent and address. Returns the session's id.
pub(crate) async fn sign_in(app: &App, user: &str, address: &str, agent: &str) -> Uuid {
    let mut client = Client::new();
    client.peer = Some(format!("{address}:1234").parse().unwrap());
    client
        .headers
        .insert(http::header::USER_AGENT, agent.parse().unwrap());
    let answer = app.login(&mut client, user).await;
    answer.body.parse().expect(&answer.body)
}

/// Expired sessions that are not marked as ended.
pub(crate) async fn leave_behind(database: &Database, number: usize) {
    let rows = (0..number).map(|_| {
        let id = Uuid::now_v7();
        let hash = format!("{0}{0}", id.simple());
        let hash = match &database.pool {
            #[cfg(feature = "postgres")]
            crate::support::Pool::Postgres(_) => format!("'\\x{hash}'::bytea"),
            #[allow(unreachable_patterns)]
            _ => format!("X'{hash}'"),
        };
        let then = "'2020-01-01 00:00:00.000'";
        format!(
            "('default', '{id}', '9', {hash}, {then}, {then}, {then}, '2020-01-31 00:00:00.000')"
        )
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    database
        .execute(&format!(
            "INSERT INTO countersign_sessions (realm, id, user_id, token_hash, created_at, authenticated_at, \
             last_seen_at, expires_at) VALUES {rows}"
        ))
        .await;
}
