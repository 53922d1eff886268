//! The application around every contender: its users, their permissions, and the statements that ask for them.

use std::{error::Error, str::FromStr, time::Duration};

use sqlx::{
    MySqlPool, PgPool, SqlitePool,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

/// sqlx's own default, written down because the report states it.
pub const POOL_SIZE: u32 = 10;

#[derive(Clone, Debug)]
pub struct User {
    pub id: i64,
    pub password_hash: String,
}

/// The three questions that an application asks about its users. Passwords are not compared: that cost is the same
/// for every contender and would hide all others.
pub trait Application: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// The user, unless the account is disabled.
    fn user(&self, id: i64) -> impl Future<Output = sqlx::Result<Option<User>>> + Send;

    fn permissions(&self, id: i64) -> impl Future<Output = sqlx::Result<Vec<String>>> + Send;

    /// Both in one statement; `None` for a disabled account.
    fn active_permissions(
        &self,
        id: i64,
    ) -> impl Future<Output = sqlx::Result<Option<Vec<String>>>> + Send;
}

macro_rules! application {
    ($pool:ty, $one:literal) => {
        impl Application for $pool {
            async fn user(&self, id: i64) -> sqlx::Result<Option<User>> {
                let row: Option<(i64, String)> = sqlx::query_as(concat!(
                    "SELECT id, password_hash FROM users WHERE id = ",
                    $one,
                    " AND NOT disabled"
                ))
                .bind(id)
                .fetch_optional(self)
                .await?;
                Ok(row.map(|(id, password_hash)| User { id, password_hash }))
            }

            async fn permissions(&self, id: i64) -> sqlx::Result<Vec<String>> {
                sqlx::query_scalar(concat!(
                    "SELECT permission FROM user_permissions WHERE user_id = ",
                    $one
                ))
                .bind(id)
                .fetch_all(self)
                .await
            }

            async fn active_permissions(&self, id: i64) -> sqlx::Result<Option<Vec<String>>> {
                let rows: Vec<Option<String>> = sqlx::query_scalar(concat!(
                    "SELECT p.permission FROM users u LEFT JOIN user_permissions p ON p.user_id = u.id WHERE u.id = ",
                    $one,
                    " AND NOT u.disabled"
                ))
                .bind(id)
                .fetch_all(self)
                .await?;
                Ok((!rows.is_empty()).then(|| rows.into_iter().flatten().collect()))
            }
        }
    };
}
application!(SqlitePool, "?");
application!(PgPool, "$1");
application!(MySqlPool, "?");

#[derive(Clone)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    MySql(MySqlPool),
}

impl Pool {
    pub async fn connect(url: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(match url.split(':').next() {
            Some("postgres") => Self::Postgres(options().connect(url).await?),
            Some("mysql") => Self::MySql(options().connect(url).await?),
            Some("sqlite") => {
                // Write-ahead log and patience: what countersign's helper sets, for everybody.
                let file = SqliteConnectOptions::from_str(url)?
                    .journal_mode(SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(5))
                    .foreign_keys(true);
                Self::Sqlite(options().connect_with(file).await?)
            }
            _ => return Err(format!("no database of ours: {url}").into()),
        })
    }
}

fn options<DB: sqlx::Database>() -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(POOL_SIZE)
        // Long enough for 256 requests that wait for each other, short enough for a probe of an outage.
        .acquire_timeout(Duration::from_secs(10))
}

/// What `/whoami` answers: the permissions in order, whatever order they came in.
pub fn answer<'a>(permissions: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = permissions.into_iter().collect();
    names.sort_unstable();
    names.join(",")
}
