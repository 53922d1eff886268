//! A whole application on countersign: pages, real passwords, articles, three databases.
//!
//! `cargo run --example demo`, then open <http://127.0.0.1:3000>. `README.md` beside this file has
//! things to try. To see how sessions are used, read this file, then `routes.rs`, then `handlers/`;
//! the rest is what any application has.
#![allow(unreachable_pub, reason = "a program: there is no outside")]

mod config;
mod database;
mod handlers;
mod keys;
mod pages;
mod passwords;
mod pool;
mod routes;
mod seed;
mod serve;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use config::{Config, Cookies, SettingError};
use countersign::{BuildError, Sessions};
use database::Database;
use pool::Pool;
use routes::App;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {}", with_causes(error.as_ref()));
            let is_setting = error.is::<SettingError>() || error.is::<BuildError>();
            ExitCode::from(if is_setting { 2 } else { 1 })
        }
    }
}

fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;
    let pool = Pool::connect(&config.database_url).await?;
    pool.migrate_countersign().await?;
    seed::tables_and_rows(&pool).await?;

    let sessions = sessions(&pool, &config).await?;
    // Ends what has timed out and deletes what ended long ago, for as long as this is held.
    let sweeper = sessions.spawn_sweeper(Duration::from_secs(60));

    let database = Database::new(pool.clone());
    let stop = serve::Stop::by_signal();
    let app = App {
        sessions: sessions.clone(),
        database,
        session_limit: config.session_limit,
        recent_sign_in: config.recent_sign_in,
        stop: stop.clone(),
    };
    let listener = serve::listen(config.listen)?;
    announce(&listener, &config)?;
    let served = serve::until_told(stop, listener, routes::router(app)?).await;

    drop(sweeper);
    // Requests only note when a session was last seen: this writes what is still to be written.
    sessions.close().await;
    pool.close().await;
    tracing::info!("stopped");
    Ok(served?)
}

/// Everything there is to configure: where the application's facts are, and how long sessions last.
async fn sessions(pool: &Pool, config: &Config) -> Result<Sessions, Box<dyn Error>> {
    let mut builder = pool
        .sessions_builder()
        .keys(config.keys.iter().cloned())
        .account("users WHERE id = {user:int} AND NOT disabled")
        // Another password, whoever has set it, ends every session that was made with the old one.
        .security_stamp("password_hash", "users WHERE id = {user:int}")
        .permissions("permission", "user_permissions WHERE user_id = {user:int}")
        // Lists and pages show who it is, and the id beside it.
        .display_name("name", "users WHERE id = {user:int}")
        // People who are not signed in are sent there, with the page they wanted as `next`.
        .sign_in_page("/")
        // Programs get a token from `/token`, and send it instead of a cookie.
        .bearer_tokens()
        .limit(config.limit())
        .idle_timeout(config.idle_timeout)
        .remembered_idle_timeout(config.remembered_idle_timeout)
        .absolute_timeout(config.absolute_timeout)
        .touch_interval(config.touch_interval)
        .time_budget(config.time_budget);
    if let Cookies::PlainHttp = config.cookies {
        builder = builder.insecure_cookies();
    }
    builder.build().await.map_err(|error| match error {
        BuildError::Keys { problem } => {
            SettingError::secret("SESSION_KEYS", format!("cannot be used: {problem}")).into()
        }
        other => other.into(),
    })
}

/// Says where to go, and as whom.
fn announce(listener: &TcpListener, config: &Config) -> io::Result<()> {
    let mut address = listener.local_addr()?.to_string();
    if config.listen.ip().is_unspecified() {
        address = format!(
            "localhost:{} (and every other address of this machine)",
            listener.local_addr()?.port()
        );
    }
    let mut out = io::stdout().lock();
    writeln!(out, "countersign demo: http://{address}")?;
    writeln!(
        out,
        "accounts (each password is the name followed by -password):"
    )?;
    for account in seed::ACCOUNTS {
        writeln!(
            out,
            "  {:<8} {}",
            account.name,
            account.permissions.join(", ")
        )?;
    }
    if let Cookies::Secure = config.cookies {
        writeln!(
            out,
            "SECURE_COOKIES=1: browsers send these cookies over HTTPS alone"
        )?;
    }
    out.flush()
}

/// An error and what led to it, on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Many errors repeat their cause in their own text.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
