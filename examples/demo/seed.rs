//! The application's own tables and the rows it starts with. Safe to run at every start, and from
//! several programs at once.

use std::error::Error;

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use crate::passwords;
use crate::pool::{Pool, with_pool};

pub struct Account {
    pub id: i64,
    pub name: &'static str,
    pub permissions: &'static [&'static str],
}

pub const ACCOUNTS: [Account; 4] = [
    Account {
        id: 1,
        name: "admin",
        permissions: &[
            "articles:read",
            "articles:edit",
            "sessions:read",
            "sessions:revoke",
        ],
    },
    Account {
        id: 2,
        name: "alice",
        permissions: &["articles:read", "articles:edit"],
    },
    Account {
        id: 3,
        name: "bob",
        permissions: &["articles:read"],
    },
    // Sees everybody's sessions, and can end none but their own.
    Account {
        id: 4,
        name: "support",
        permissions: &["articles:read", "sessions:read"],
    },
];

const ARTICLES: [(i64, &str); 3] = [
    (1, "A session is a row, and rows can be ended"),
    (2, "What a permission is worth the moment it is taken away"),
    (2, "Three databases, one logic"),
];

/// Plain SQL that all three databases read alike, but for the type of a moment in time.
const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS users (
        id            BIGINT       NOT NULL PRIMARY KEY,
        name          VARCHAR(100) NOT NULL UNIQUE,
        password_hash VARCHAR(255) NOT NULL,
        disabled      BOOLEAN      NOT NULL DEFAULT FALSE
    )",
    "CREATE TABLE IF NOT EXISTS user_permissions (
        user_id    BIGINT       NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        permission VARCHAR(100) NOT NULL,
        PRIMARY KEY (user_id, permission)
    )",
    "CREATE TABLE IF NOT EXISTS articles (
        id         VARCHAR(36)  NOT NULL PRIMARY KEY,
        title      VARCHAR(200) NOT NULL,
        author_id  BIGINT       NULL REFERENCES users (id) ON DELETE SET NULL,
        created_at {timestamp}  NOT NULL DEFAULT CURRENT_TIMESTAMP
    )",
];

pub async fn tables_and_rows(pool: &Pool) -> Result<(), Box<dyn Error>> {
    for table in TABLES {
        // Of two programs that make the same table at once PostgreSQL turns one away. The table is
        // there by then, so asking again settles it.
        if create(pool, table).await.is_err() {
            create(pool, table).await?;
        }
    }
    // Only an empty database is filled: what somebody changed since then stays changed.
    if is_empty(pool).await? {
        let mut hashes = Vec::new();
        for account in &ACCOUNTS {
            hashes.push(passwords::hash(format!("{}-password", account.name)).await?);
        }
        match insert_all(pool, &hashes).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {} // another program was faster
            done => done?,
        }
    }
    Ok(())
}

async fn create(pool: &Pool, table: &'static str) -> sqlx::Result<()> {
    let table = AssertSqlSafe(table.replace("{timestamp}", pool.timestamp_type()));
    with_pool!(pool, pool => sqlx::query(table).execute(pool).await.map(drop))
}

async fn is_empty(pool: &Pool) -> sqlx::Result<bool> {
    let users: i64 = with_pool!(pool, pool => sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(pool).await?);
    Ok(users == 0)
}

/// All of it or, where another program is doing the same, nothing.
async fn insert_all(pool: &Pool, hashes: &[String]) -> sqlx::Result<()> {
    let permissions = || {
        ACCOUNTS
            .iter()
            .flat_map(|account| account.permissions.iter().map(|name| (account.id, *name)))
    };
    with_pool!(pool, pool => {
        let mut transaction = pool.begin().await?;
        QueryBuilder::new("INSERT INTO users (id, name, password_hash) ")
            .push_values(ACCOUNTS.iter().zip(hashes), |mut row, (account, hash)| {
                row.push_bind(account.id).push_bind(account.name).push_bind(hash);
            })
            .build()
            .execute(&mut *transaction)
            .await?;
        QueryBuilder::new("INSERT INTO user_permissions (user_id, permission) ")
            .push_values(permissions(), |mut row, (user, permission)| {
                row.push_bind(user).push_bind(permission);
            })
            .build()
            .execute(&mut *transaction)
            .await?;
        QueryBuilder::new("INSERT INTO articles (id, title, author_id) ")
            .push_values(ARTICLES, |mut row, (author, title)| {
                row.push_bind(Uuid::now_v7().to_string()).push_bind(title).push_bind(author);
            })
            .build()
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    })
}
