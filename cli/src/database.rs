//! The database, and the handle for its sessions.

use std::{future::Future, time::Duration};

use countersign::{Key, Sessions, SessionsBuilder};
use sqlx::{Connection, Database, Pool, pool::PoolOptions};

use super::{
    arguments::{Globals, Idle, Names},
    failure::{Exit, Failure},
    terminal,
};

/// The longest absolute timeout that an application can have. As an idle timeout it ends no session earlier than its
/// absolute timeout. As a retention it deletes no session that an application may want to keep.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// The realm of applications that set none.
pub(crate) const DEFAULT_REALM: &str = "default";

/// A pool of one of the databases.
pub(crate) enum AnyPool {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

/// Evaluates the expression with the pool, whatever its database.
macro_rules! with_pool {
    ($pool:expr, $name:ident => $expression:expr) => {
        match $pool {
            #[cfg(feature = "sqlite")]
            $crate::database::AnyPool::Sqlite($name) => $expression,
            #[cfg(feature = "postgres")]
            $crate::database::AnyPool::Postgres($name) => $expression,
            #[cfg(feature = "mysql")]
            $crate::database::AnyPool::MySql($name) => $expression,
        }
    };
}
pub(crate) use with_pool;

/// Whether to create a database that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Yes, if the address says so.
    MayBeMade,
    /// No: a mistyped name must not create an empty file.
    IsAnError,
}

/// The handle for showing and ending sessions. A session counts as live if any application with these tables may still
/// accept it.
pub(crate) async fn sessions(globals: &Globals) -> Result<Sessions, Failure> {
    build(globals, |builder| builder).await
}

/// The handle for listings, with the application's idle timeout and what people call its users.
pub(crate) async fn sessions_with_names(
    globals: &Globals,
    idle: &Idle,
    names: &Names,
) -> Result<Sessions, Failure> {
    let with_names = |builder: SessionsBuilder| match &names.display_name {
        Some(name) => builder.display_name(name.column.as_str(), name.from.as_str()),
        None => builder,
    };
    build(globals, |builder| with_names(with_idle(builder, idle))).await
}

/// Names the other realms, since an operator who looks into the wrong one sees nothing.
pub(crate) async fn say_other_realms(globals: &Globals, sessions: &Sessions) {
    let Ok(mut realms) = sessions.realms().await else {
        return;
    };
    realms.retain(|realm| realm != sessions.realm());
    if globals.realm.is_none() && !realms.is_empty() {
        terminal::say(&format!(
            "There is nothing in the realm {}. Other realms have sessions, choose one with --realm: {}",
            sessions.realm(),
            realms.join(", ")
        ));
    }
}

pub(crate) fn with_idle(builder: SessionsBuilder, idle: &Idle) -> SessionsBuilder {
    match idle.idle_timeout {
        Some(timeout) => builder
            .idle_timeout(timeout)
            .remembered_idle_timeout(idle.remembered_idle_timeout.unwrap_or(LONGEST)),
        None => builder,
    }
}

pub(crate) async fn build(
    globals: &Globals,
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> Result<Sessions, Failure> {
    let pool = connect(globals, Missing::IsAnError).await?;
    let builder = with_pool!(pool, pool => Sessions::builder(pool))
        .key(Key::generate()) // no cookie is read or written here
        .realm(globals.realm.as_deref().unwrap_or(DEFAULT_REALM))
        .any_account() // only the application knows its accounts
        .idle_timeout(LONGEST)
        .absolute_timeout(LONGEST)
        .retention(LONGEST)
        .time_budget(globals.timeout);
    Ok(configure(builder).build().await?)
}

/// Connects to the database of `--database-url` or `DATABASE_URL`.
///
/// # Security
///
/// No message quotes the address, or sqlx's error about an address that it cannot read.
#[cfg_attr(
    not(feature = "sqlite"),
    allow(unused_variables, reason = "servers make no database by themselves")
)]
pub(crate) async fn connect(globals: &Globals, missing: Missing) -> Result<AnyPool, Failure> {
    let url = globals.database_url.as_deref().unwrap_or_default();
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            // Leaves the journal mode alone: the application decides whether the file has a write-ahead log.
            let mut options: sqlx::sqlite::SqliteConnectOptions = parse(url)?;
            if missing == Missing::IsAnError {
                options = options.create_if_missing(false);
            }
            Ok(AnyPool::Sqlite(
                open(options.busy_timeout(globals.timeout), globals).await?,
            ))
        }
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => {
            let options: sqlx::postgres::PgConnectOptions = parse(url)?;
            Ok(AnyPool::Postgres(
                open(options.application_name("countersign"), globals).await?,
            ))
        }
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => {
            let options: sqlx::mysql::MySqlConnectOptions = parse(url)?;
            Ok(AnyPool::MySql(open(options, globals).await?))
        }
        _ => Err(not_for_us(url, scheme)),
    }
}

fn parse<O: std::str::FromStr>(url: &str) -> Result<O, Failure> {
    url.parse().map_err(|_| {
        Failure::usage(
            "the database's address is invalid: write it as sqlite:app.db, \
             postgres://user:password@host:port/name or mysql://user:password@host:port/name, \
             with special characters in the password percent-encoded, and with parameters that the database has",
        )
    })
}

/// Tries one connection first, to report why it fails: a pool would retry without saying why.
async fn open<DB: Database>(
    options: <DB::Connection as Connection>::Options,
    globals: &Globals,
) -> Result<Pool<DB>, Failure> {
    let trial = async {
        let connection = <DB::Connection as Connection>::connect_with(&options).await?;
        connection.close().await
    };
    within(globals.timeout, trial).await?;
    let pool = PoolOptions::new()
        .max_connections(2)
        .acquire_timeout(globals.timeout);
    Ok(pool.connect_lazy_with(options))
}

async fn within(
    timeout: Duration,
    trial: impl Future<Output = Result<(), sqlx::Error>>,
) -> Result<(), Failure> {
    let unavailable = |why: String| {
        let message = format!("the database cannot be reached: {why}");
        Failure::new(Exit::Unavailable, message)
    };
    match tokio::time::timeout(timeout, trial).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(unavailable(error.to_string())),
        Err(_) => Err(unavailable(format!(
            "no answer within {} (raise it with --timeout)",
            humantime::format_duration(timeout)
        ))),
    }
}

fn not_for_us(url: &str, scheme: &str) -> Failure {
    let feature = match scheme {
        "sqlite" => "sqlite",
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        _ if url.is_empty() => {
            return Failure::usage(
                "no database is named: set DATABASE_URL, or pass --database-url",
            );
        }
        _ => {
            return Failure::usage(
                "the database's address must start with sqlite:, postgres:// or mysql://",
            );
        }
    };
    Failure::usage(format!(
        "this program was built without {feature}: install it with cargo install countersign-cli --features {feature}"
    ))
}
