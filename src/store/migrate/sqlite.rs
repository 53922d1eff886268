//! On SQLite: all of it in one transaction, whose write lock is the lock of migrations.

use sqlx::{Pool, Sqlite, migrate::MigrateError as Cause};

use super::{advised, migrator};
use crate::{
    error::{MigrateAdvice, MigrateError},
    store::dialect::Dialect,
};

/// On a connection of the pool: one of our own would be a database of its own where it is in memory. The busy timeout
/// of the pool's connections bounds the wait for the lock.
pub(crate) async fn migrate(pool: &Pool<Sqlite>) -> Result<(), MigrateError> {
    carried_out(pool)
        .await
        .map_err(|cause| advised(cause, advice))
}

async fn carried_out(pool: &Pool<Sqlite>) -> Result<(), Cause> {
    let mut transaction = pool.begin_with(Dialect::Sqlite.begin()).await?;
    migrator(Dialect::Sqlite)
        .set_locking(false)
        .run_direct(None, &mut *transaction, false)
        .await?;
    Ok(transaction.commit().await?)
}

fn advice(error: &sqlx::Error) -> Option<MigrateAdvice> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    match extended & 0xff {
        5 | 6 => Some(MigrateAdvice::Busy),
        8 => Some(MigrateAdvice::ReadOnly),
        _ => None,
    }
}
