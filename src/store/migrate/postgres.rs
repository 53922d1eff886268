//! On PostgreSQL: all of it in one transaction, the lock included.
//!
//! A session's lock would outlive its migration behind a pooler that gives each transaction another server
//! connection: taken on one, returned on another, and never free again. A transaction stays on one, and its lock ends
//! with it, whatever becomes of this program.

mod unnamed;

use sqlx::{Connection, Pool, Postgres, migrate::MigrateError as Cause};

use self::unnamed::{Unnamed, query};

use super::{LONGEST, PATIENCE, advised, connection, migrator, within};
use crate::{
    error::{MigrateAdvice, MigrateError},
    store::dialect::Dialect,
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// For this transaction alone, whatever the role's defaults are: locks are waited for as long as is reasonable, and
/// statements take as long as a large table needs.
const SETTINGS: &str = "SELECT set_config('lock_timeout', '30s', true), set_config('statement_timeout', '0', true), \
     set_config('idle_in_transaction_session_timeout', '0', true)";
/// The lock of this database's migrations: the number is our own, the bytes of `counters`.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7165074649429406323)";

pub(crate) async fn migrate(pool: &Pool<Postgres>) -> Result<(), MigrateError> {
    within(LONGEST, carried_out(pool))
        .await
        .map_err(|cause| advised(cause, advice))
}

async fn carried_out(pool: &Pool<Postgres>) -> Result<(), Cause> {
    let mut connection = connection(pool, pool.connect_options().as_ref().clone()).await?;
    let mut transaction =
        within(PATIENCE, async { Ok(connection.begin_with(BEGIN).await?) }).await?;
    // The server gives up after 30 seconds, and says so; twice that is for one that says nothing.
    within(PATIENCE * 2, async {
        query(SETTINGS).execute(&mut *transaction).await?;
        query(LOCK).execute(&mut *transaction).await?;
        Ok(())
    })
    .await?;
    migrator(Dialect::Postgres)
        .set_locking(false)
        .run_direct(None, &mut Unnamed(&mut transaction), false)
        .await?;
    transaction.commit().await?;
    // It is committed; how the connection ends changes nothing.
    connection.close().await.ok();
    Ok(())
}

fn advice(error: &sqlx::Error) -> Option<MigrateAdvice> {
    match error.as_database_error()?.code()?.as_ref() {
        "55P03" => Some(MigrateAdvice::Busy),
        "25006" => Some(MigrateAdvice::ReadOnly),
        _ => None,
    }
}
