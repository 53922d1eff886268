//! What the application itself asks its database. Sessions and permissions are not among it:
//! countersign reads those, on every request.

use axum::response::{IntoResponse, Response};
use countersign::UserId;
use sqlx::{FromRow, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::pages::ErrorPage;
use crate::pool::{Pool, with_pool};

#[derive(Clone)]
pub struct Database {
    pool: Pool,
}

#[derive(FromRow)]
pub struct Account {
    pub id: i64,
    pub name: String,
    pub password_hash: String,
}

#[derive(FromRow)]
pub struct Article {
    pub title: String,
    pub author: Option<String>,
    pub created_at: OffsetDateTime,
}

impl Database {
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Who may sign in under this name; a disabled user may not.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, DatabaseError> {
        if name.contains('\0') {
            return Ok(None); // PostgreSQL has no such text, and would call it an error
        }
        let account: Option<Account> = with_pool!(&self.pool, pool => {
            QueryBuilder::new("SELECT id, name, password_hash FROM users WHERE NOT disabled AND name = ")
                .push_bind(name)
                .build_query_as()
                .fetch_optional(pool)
                .await?
        });
        // MySQL finds `alice` under `Alice ` too: the same name has to mean the same on all three.
        Ok(account.filter(|account| account.name == name))
    }

    pub async fn user_name(&self, user: &UserId) -> Result<Option<String>, DatabaseError> {
        let id: i64 = user.parse()?;
        Ok(with_pool!(&self.pool, pool => {
            QueryBuilder::new("SELECT name FROM users WHERE id = ")
                .push_bind(id)
                .build_query_scalar()
                .fetch_optional(pool)
                .await?
        }))
    }

    pub async fn set_password(&self, user: &UserId, hash: &str) -> Result<(), DatabaseError> {
        let id: i64 = user.parse()?;
        with_pool!(&self.pool, pool => {
            QueryBuilder::new("UPDATE users SET password_hash = ")
                .push_bind(hash)
                .push(" WHERE id = ")
                .push_bind(id)
                .build()
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// The newest articles, the newest first.
    pub async fn articles(&self) -> Result<Vec<Article>, DatabaseError> {
        Ok(with_pool!(&self.pool, pool => {
            sqlx::query_as(
                "SELECT title, users.name AS author, created_at
                 FROM articles LEFT JOIN users ON users.id = author_id
                 ORDER BY created_at DESC, articles.id DESC LIMIT 20",
            )
            .fetch_all(pool)
            .await?
        }))
    }

    pub async fn add_article(&self, author: &UserId, title: &str) -> Result<(), DatabaseError> {
        let author: i64 = author.parse()?;
        with_pool!(&self.pool, pool => {
            QueryBuilder::new("INSERT INTO articles (id, title, author_id) VALUES (")
                .push_bind(Uuid::now_v7().to_string())
                .push(", ")
                .push_bind(title)
                .push(", ")
                .push_bind(author)
                .push(")")
                .build()
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

/// The database did not answer as it should. Whoever asked sees a page that says to try again; what
/// happened is in the log.
#[derive(Debug)]
pub struct DatabaseError;

impl<E: std::error::Error> From<E> for DatabaseError {
    fn from(error: E) -> Self {
        tracing::error!(%error, "database");
        Self
    }
}

impl IntoResponse for DatabaseError {
    fn into_response(self) -> Response {
        ErrorPage::unavailable().into_response()
    }
}
