//! What a server says of itself.

use crate::store::{
    Fault, Purpose,
    dialect::Dialect,
    driver::Driver,
    letters::Letters,
    statement::Statement,
    value::CellKind::{Int, Text},
};

/// For a refusal that comes with a write.
pub(super) const READ_ONLY: &str = "a database that takes no writes";

/// For a connection that was refused for it.
pub(super) const READS_ONLY: &str =
    "a replica, a standby, or a database whose transactions are read-only by default";

#[derive(Debug)]
pub(super) struct Standing {
    /// Why there can be no writes, and perhaps only old news.
    pub(super) read_only: Option<&'static str>,
    pub(super) letters: Letters,
}

pub(super) async fn ask(driver: &dyn Driver) -> Result<Standing, Fault> {
    let dialect = driver.dialect();
    let statement = Statement::new(dialect, query(dialect), &[Int, Text], |_| None);
    let mut link = driver.acquire(Purpose::LookUp).await?;
    let rows = link.fetch(&statement, Vec::new()).await?;
    let row = rows.first().ok_or_else(Fault::corrupt)?;
    let state = row.int(0).map_err(|_| Fault::corrupt())?;
    let encoding = row.text(1).map_err(|_| Fault::corrupt())?;
    Ok(Standing {
        read_only: (state != 0).then(|| words(dialect, state)),
        letters: Letters::of_encoding(encoding),
    })
}

/// 0 where it takes writes, 2 where it is a replica, 1 where it is something else that takes none; and its encoding.
fn query(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT (SELECT query_only FROM pragma_query_only), 'UTF8'",
        Dialect::Postgres => {
            "SELECT (CASE WHEN pg_is_in_recovery() THEN 2 \
             WHEN current_setting('transaction_read_only') = 'on' THEN 1 ELSE 0 END)::bigint, \
             current_setting('server_encoding')"
        }
        // Its user may be allowed to write all the same, but it is there for reading. Later versions spell the
        // setting in words. Our columns have a character set of their own.
        Dialect::MySql => {
            "SELECT CASE WHEN CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF') \
             OR @@global.innodb_read_only = 1 THEN 2 ELSE 0 END, 'UTF8'"
        }
    }
}

fn words(dialect: Dialect, state: i64) -> &'static str {
    match (dialect, state) {
        (Dialect::Postgres, 2) => "a standby of PostgreSQL (pg_is_in_recovery)",
        (Dialect::Postgres, _) => "a database whose transactions are read-only by default",
        (Dialect::MySql, _) => "a server with read_only on, as replicas have it",
        (Dialect::Sqlite, _) => "a database with PRAGMA query_only on",
    }
}

/// SQLITE_READONLY, whatever the reason in its higher bits.
pub(super) fn is_sqlite_read_only(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| code & 0xff == 8)
}
