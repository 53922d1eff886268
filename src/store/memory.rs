//! A database for a test.

use super::migrate;
use crate::error::MigrateError;

/// A pool with an empty SQLite database in memory, which has countersign's tables. The database goes when the last clone of
/// the pool is dropped.
///
/// # Errors
///
/// [`MigrateError`], if SQLite cannot make it.
pub async fn sqlite() -> Result<sqlx::SqlitePool, MigrateError> {
    // A connection that went would take the database with it.
    let options = sqlx::sqlite::SqlitePoolOptions::new()
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    let pool = options
        .connect("sqlite::memory:")
        .await
        .map_err(sqlx::migrate::MigrateError::Execute)?;
    migrate(&pool).await?;
    Ok(pool)
}
