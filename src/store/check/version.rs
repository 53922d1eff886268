//! Which version the tables are of.

use crate::{
    error::BuildError,
    store::{
        Fault, FaultKind, Purpose, Store, dialect::Dialect, driver::Driver,
        migrate::SCHEMA_VERSION, retry::retry, statement::Statement, value::CellKind::Int,
    },
};

/// The version that is there, and one that was begun.
#[derive(Clone, Copy, Debug, Default)]
struct Versions {
    finished: Option<i64>,
    unfinished: Option<i64>,
}

/// The version of the tables that are there; `None` when there are none.
pub(crate) async fn schema_version(driver: &dyn Driver) -> Result<Option<i64>, Fault> {
    Ok(versions(driver).await?.finished)
}

async fn versions(driver: &dyn Driver) -> Result<Versions, Fault> {
    let dialect = driver.dialect();
    let query = format!(
        "SELECT {}, {} FROM _countersign_migrations",
        dialect.integer("max(CASE WHEN success THEN version END)"),
        dialect.integer("max(CASE WHEN success THEN NULL ELSE version END)")
    );
    let statement = Statement::new(dialect, &query, &[Int, Int], |_| None);
    let mut link = driver.acquire(Purpose::LookUp).await?;
    let rows = match link.fetch(&statement, Vec::new()).await {
        Err(fault) if is_no_such_table(dialect, &fault) => return Ok(Versions::default()),
        outcome => outcome?,
    };
    let row = rows.first().ok_or_else(Fault::corrupt)?;
    let version = |column| row.maybe_int(column).map_err(|_| Fault::corrupt());
    Ok(Versions {
        finished: version(0)?,
        unfinished: version(1)?,
    })
}

/// No such table, schema or database, which is something else than no right to read it.
fn is_no_such_table(dialect: Dialect, fault: &Fault) -> bool {
    match dialect {
        Dialect::Sqlite => fault.kind() == FaultKind::Statement,
        Dialect::Postgres => matches!(fault.code(), "42P01" | "3F000"),
        Dialect::MySql => matches!(fault.code(), "1046" | "1146"),
    }
}

impl Store {
    pub(super) async fn check_version(&self) -> Result<(), BuildError> {
        let asked = retry(|| async { versions(self.driver.as_ref()).await }).await;
        let versions = asked.map_err(|fault| self.refusal(fault))?;
        let needed = SCHEMA_VERSION;
        match (versions.unfinished, versions.finished) {
            (Some(version), _) => Err(BuildError::SchemaUnfinished { version }),
            (None, None) => Err(BuildError::SchemaMissing),
            (None, Some(found)) if found < needed => Err(BuildError::SchemaOlder { found, needed }),
            (None, Some(found)) if found > needed => Err(BuildError::SchemaNewer { found, needed }),
            (None, Some(_)) => Ok(()),
        }
    }
}
