//! What `build` asks the database, so that what cannot work is said at the start and not to those who sign in.

mod profile;
mod schema;
mod server;
mod trial;
mod version;

pub(super) use self::version::schema_version;
use uuid::Uuid;

use super::{
    CHECK_BUDGET, Fault, Purpose, Store, dialect::Dialect, fault::READ_ONLY, letters::Letters,
    retry::retry, value::Bind,
};
use crate::{error::BuildError, token::TokenHash};

impl Store {
    /// Whether the database takes writes, its tables are the ones this code was written for, the application's SQL
    /// runs, and a sign-in could be carried out.
    pub(crate) async fn check(&mut self) -> Result<(), BuildError> {
        let checks = async {
            let letters = self.check_server().await?;
            self.check_version().await?;
            self.check_schema().await?;
            self.check_application_sql().await?;
            self.check_writing().await?;
            Ok(letters)
        };
        self.letters = match tokio::time::timeout(CHECK_BUDGET, checks).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err(BuildError::Database(Fault::timed_out().into())),
        };
        Ok(())
    }

    async fn check_server(&self) -> Result<Letters, BuildError> {
        let standing = retry(|| async { server::ask(self.driver.as_ref()).await }).await;
        let standing = standing.map_err(|fault| self.refusal(fault))?;
        match standing.read_only {
            Some(state) => Err(BuildError::ReadOnly { state }),
            None => Ok(standing.letters),
        }
    }

    async fn check_application_sql(&self) -> Result<(), BuildError> {
        let trial = || async {
            let mut link = self.driver.acquire(Purpose::LookUp).await?;
            self.look_up(link.as_mut(), &[TokenHash::NONE]).await?;
            let no_sessions = || vec![Bind::Text("[]".into())];
            link.fetch(&self.statements.ended_among, no_sessions())
                .await?;
            if let Some(standing) = &self.statements.standing {
                link.fetch(standing, no_sessions()).await?;
            }
            if let Some(names) = &self.statements.display_names {
                let no_session = vec![Bind::Uuids(vec![Uuid::nil()])];
                link.fetch(names, no_session).await?;
            }
            if let Some(stamped) = &self.statements.stamped {
                let behind_all = vec![Bind::Int(i64::MAX / 1_000_000)];
                link.fetch(stamped, behind_all).await?;
            }
            Ok(())
        };
        match retry(trial).await {
            Ok(()) => Ok(()),
            Err(fault) => match self.wrong_profile_column().await {
                Some(refusal) => Err(refusal),
                None => Err(self.refusal(fault)),
            },
        }
    }

    /// What a fault means when the application starts.
    fn refusal(&self, fault: Fault) -> BuildError {
        let dialect = self.driver.dialect();
        match (dialect, fault.code()) {
            (Dialect::Postgres, "42501")
            | (Dialect::MySql, "1044" | "1142" | "1143" | "1227" | "1370") => {
                BuildError::RightMissing(fault.into())
            }
            (Dialect::MySql, "1665") => BuildError::BinlogFormat,
            (_, READ_ONLY) => BuildError::ReadOnly {
                state: server::READS_ONLY,
            },
            (Dialect::Postgres, "25006") | (Dialect::MySql, "1290" | "1792" | "1836") => {
                BuildError::ReadOnly {
                    state: server::READ_ONLY,
                }
            }
            (Dialect::Sqlite, code) if server::is_sqlite_read_only(code) => BuildError::ReadOnly {
                state: server::READ_ONLY,
            },
            _ => BuildError::Database(fault.into()),
        }
    }
}
