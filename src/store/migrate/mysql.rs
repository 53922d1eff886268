//! On MySQL and MariaDB, where each statement about a table commits by itself.

use std::io;

use sqlx::{
    Connection, MySql, Pool, migrate::MigrateError as Cause, mysql::MySqlConnection,
    mysql::MySqlDatabaseError,
};

use super::{LONGEST, PATIENCE, advised, connection, migrator, within};
use crate::{
    error::{MigrateAdvice, MigrateError},
    store::dialect::Dialect,
};

/// Held by the program that migrates this database. sqlx waits for its own lock with a timeout of -1; MariaDB calls that
/// incorrect, in a warning, and gives none.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('countersign:', MD5(DATABASE())), 30)";
/// A transaction of the application's that has read a table holds up whatever alters it: for a day, by default.
const SETTINGS: &str = "SET SESSION lock_wait_timeout = 30";
/// A migration that stopped halfway is carried out again: its statements may be repeated.
const UNFINISHED: &str = "DELETE FROM _countersign_migrations WHERE success = FALSE";

pub(crate) async fn migrate(pool: &Pool<MySql>) -> Result<(), MigrateError> {
    within(LONGEST, carried_out(pool))
        .await
        .map_err(|cause| advised(cause, advice))
}

async fn carried_out(pool: &Pool<MySql>) -> Result<(), Cause> {
    let mut connection = connection(pool, pool.connect_options().as_ref().clone()).await?;
    // The server gives up after 30 seconds, and says so; twice that is for one that says nothing.
    within(PATIENCE * 2, lock(&mut connection)).await?;
    let mut migrator = migrator(Dialect::MySql);
    migrator.set_locking(false);
    match migrator.run_direct(None, &mut connection, false).await {
        Err(Cause::Dirty(_)) => {
            sqlx::query(UNFINISHED).execute(&mut connection).await?;
            migrator.run_direct(None, &mut connection, false).await?;
        }
        outcome => outcome?,
    }
    // It is done, and the lock ends with the connection, however that ends.
    connection.close().await.ok();
    Ok(())
}

async fn lock(connection: &mut MySqlConnection) -> Result<(), Cause> {
    sqlx::query(SETTINGS).execute(&mut *connection).await?;
    let locked: Option<i64> = sqlx::query_scalar(LOCK).fetch_one(connection).await?;
    match locked {
        Some(1) => Ok(()),
        _ => Err(sqlx::Error::Io(io::Error::new(
            io::ErrorKind::WouldBlock,
            "the lock of migrations is held",
        ))
        .into()),
    }
}

fn advice(error: &sqlx::Error) -> Option<MigrateAdvice> {
    if let sqlx::Error::Io(error) = error {
        return (error.kind() == io::ErrorKind::WouldBlock).then_some(MigrateAdvice::Busy);
    }
    let error = error.as_database_error()?;
    match error.try_downcast_ref::<MySqlDatabaseError>()?.number() {
        1205 => Some(MigrateAdvice::Busy),
        1290 | 1792 | 1836 => Some(MigrateAdvice::ReadOnly),
        _ => None,
    }
}
