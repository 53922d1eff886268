//! A database for each contender: the application's tables, and a table of sessions that has the size of real ones.

use std::{error::Error, sync::Once};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row, any::AnyRow};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    contenders::Sessions,
    cpu::{self, DatabaseProcesses},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Sqlite, Self::MariaDb];

    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// The server's address, for the two that have one.
    pub fn server(self) -> Result<Option<String>> {
        let name = match self {
            Self::Sqlite => return Ok(None),
            Self::Postgres => "COUNTERSIGN_TEST_POSTGRES",
            Self::MariaDb => "COUNTERSIGN_TEST_MYSQL",
        };
        let url = std::env::var(name).map_err(|_| {
            format!("{name} is not set: run scripts/peers, or scripts/with-servers")
        })?;
        Ok(Some(url))
    }
}

/// A connection that the driver speaks on, and a runtime to wait on.
pub struct Database {
    runtime: Runtime,
    connection: Option<AnyConnection>,
    pub kind: Kind,
    pub url: String,
    /// On the maintenance database, where this one is dropped in the end.
    server: Option<(String, String)>,
    _folder: Option<TempDir>,
}

impl Database {
    /// A new and empty one of this name.
    pub fn create(kind: Kind, name: &str) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (url, server, folder) = match kind.server()? {
            None => {
                let folder = tempfile::tempdir()?;
                let file = folder.path().join(format!("{name}.db"));
                (
                    format!("sqlite:{}?mode=rwc", file.display()),
                    None,
                    Some(folder),
                )
            }
            Some(server) => {
                let name = format!("{name}_{}", std::process::id());
                runtime.block_on(async {
                    let mut connection = AnyConnection::connect(&server).await?;
                    connection
                        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                        .await?;
                    connection.close().await
                })?;
                let (base, _) = server
                    .rsplit_once('/')
                    .ok_or("an address without a database")?;
                (format!("{base}/{name}"), Some((server.clone(), name)), None)
            }
        };
        let connection = Some(runtime.block_on(AnyConnection::connect(&url))?);
        Ok(Self {
            runtime,
            connection,
            kind,
            url,
            server,
            _folder: folder,
        })
    }

    pub fn run(&mut self, statement: &str) -> Result<()> {
        let connection = self.connection.as_mut().ok_or("no connection")?;
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        let done = self.runtime.block_on(connection.execute(statement));
        done.map(drop).map_err(|error| error.into())
    }

    fn rows(&mut self, statement: String) -> Result<Vec<AnyRow>> {
        let connection = self.connection.as_mut().ok_or("no connection")?;
        Ok(self
            .runtime
            .block_on(connection.fetch_all(sqlx::query(AssertSqlSafe(statement))))?)
    }

    fn number(&mut self, statement: String) -> Result<i64> {
        Ok(self.rows(statement)?.first().ok_or("no row")?.try_get(0)?)
    }

    /// Users and their permissions: those who sign in have the numbers from 1 on, all others follow.
    pub fn fill_application(&mut self, users: i64) -> Result<()> {
        let number = if self.kind == Kind::Sqlite {
            "INTEGER"
        } else {
            "BIGINT"
        };
        self.run(&format!(
            "CREATE TABLE users (id {number} PRIMARY KEY, name VARCHAR(64) NOT NULL, \
             password_hash VARCHAR(128) NOT NULL, disabled BOOLEAN NOT NULL DEFAULT FALSE)"
        ))?;
        self.run(
            "CREATE TABLE user_permissions (user_id BIGINT NOT NULL, permission VARCHAR(64) NOT NULL, \
             PRIMARY KEY (user_id, permission))",
        )?;
        let ids: Vec<i64> = (1..=users).collect();
        for some in ids.chunks(500) {
            let rows: Vec<_> = some
                .iter()
                .map(|id| format!("({id}, 'user {id}', '$argon2id$v=19$m=19456,t=2,p=1${id:065}')"))
                .collect();
            self.run(&format!(
                "INSERT INTO users (id, name, password_hash) VALUES {}",
                rows.join(",")
            ))?;
            let rows: Vec<_> = some
                .iter()
                .flat_map(|id| {
                    permissions(*id)
                        .into_iter()
                        .map(move |name| format!("({id}, '{name}')"))
                })
                .collect();
            self.run(&format!(
                "INSERT INTO user_permissions VALUES {}",
                rows.join(",")
            ))?;
        }
        Ok(())
    }

    /// Copies the sessions of those who signed in, as sessions of others, until there are so many more.
    pub fn fill_sessions(&mut self, sessions: &Sessions, rows: i64, signed_in: i64) -> Result<()> {
        let (table, others) = (sessions.table(self.kind), rows / 10);
        let columns = self.columns(table)?;
        let values: Vec<_> = columns
            .iter()
            .map(
                |column| match sessions.own().iter().find(|(name, _)| name == column) {
                    Some((_, value)) => value.sql(self.kind, signed_in + 1, others),
                    None => format!("s.{column}"),
                },
            )
            .collect();
        let copies = rows / signed_in;
        self.run(&format!(
            "INSERT INTO {table} ({}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies}) \
             SELECT {} FROM {table} s CROSS JOIN n",
            columns.join(", "),
            values.join(", ")
        ))?;
        if let Some(statement) = sessions.then() {
            self.run(statement)?;
        }
        let there = self.number(format!("SELECT COUNT(*) FROM {table}"))?;
        if there < rows {
            return Err(format!("{table} has {there} rows instead of {rows}").into());
        }
        Ok(())
    }

    /// What a database in use has done long ago.
    pub fn analyze(&mut self, sessions: Option<&Sessions>) -> Result<()> {
        match self.kind {
            Kind::Sqlite => self.run("ANALYZE"),
            Kind::Postgres => self.run("VACUUM ANALYZE"),
            Kind::MariaDb => {
                let table = sessions.map_or("users", |sessions| sessions.table(Kind::MariaDb));
                self.run(&format!("ANALYZE TABLE users, user_permissions, {table}"))
            }
        }
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        let statement = match self.kind {
            Kind::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
            Kind::Postgres => format!(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 \
                 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' ORDER BY attnum"
            ),
            Kind::MariaDb => format!(
                "SELECT CAST(column_name AS CHAR) FROM information_schema.columns WHERE table_schema = DATABASE() \
                 AND table_name = '{table}' AND extra NOT LIKE '%GENERATED%' ORDER BY ordinal_position"
            ),
        };
        let rows = self.rows(statement)?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Whose processor time the database's is.
    pub fn processes(&mut self) -> DatabaseProcesses {
        let root = match self.kind {
            Kind::Sqlite => return DatabaseProcesses::Embedded,
            Kind::Postgres => {
                let backend = self.number("SELECT pg_backend_pid()::bigint".into()).ok();
                // In a container the number means another process: the name tells.
                backend
                    .and_then(|id| u32::try_from(id).ok())
                    .and_then(|id| cpu::parent_named(id, "postgres"))
            }
            Kind::MariaDb => {
                let port = self
                    .url
                    .rsplit_once('/')
                    .and_then(|(base, _)| base.rsplit_once(':'));
                port.and_then(|(_, port)| cpu::started_with(&format!("--port={port}")))
            }
        };
        root.map_or(DatabaseProcesses::Unknown, DatabaseProcesses::Under)
    }

    pub fn version(&mut self) -> Result<String> {
        let statement = match self.kind {
            Kind::Sqlite => "SELECT sqlite_version()",
            Kind::Postgres => "SELECT current_setting('server_version')",
            Kind::MariaDb => "SELECT CAST(VERSION() AS CHAR)",
        };
        let rows = self.rows(statement.into())?;
        Ok(format!(
            "{} {}",
            self.kind.title(),
            rows.first().ok_or("no row")?.try_get::<String, _>(0)?
        ))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let Some((server, name)) = self.server.take() else {
            return;
        };
        let statement = match self.kind {
            Kind::Postgres => format!("DROP DATABASE {name} WITH (FORCE)"),
            _ => format!("DROP DATABASE {name}"),
        };
        let dropped: sqlx::Result<()> = self.runtime.block_on(async {
            if let Some(connection) = connection {
                connection.close().await?;
            }
            let mut connection = AnyConnection::connect(&server).await?;
            connection.execute(AssertSqlSafe(statement)).await?;
            connection.close().await
        });
        if let Err(error) = dropped {
            eprintln!("{name} is still there: {error}");
        }
    }
}

/// Five of twenty, others for each user.
pub fn permissions(user: i64) -> Vec<String> {
    const THINGS: [&str; 5] = ["articles", "comments", "invoices", "reports", "users"];
    const ACTIONS: [&str; 4] = ["delete", "edit", "publish", "read"];
    let all: Vec<_> = THINGS
        .iter()
        .flat_map(|thing| {
            ACTIONS
                .iter()
                .map(move |action| format!("{thing}:{action}"))
        })
        .collect();
    let mut own: Vec<_> = (0..5)
        .filter_map(|step| {
            all.get(usize::try_from(user * 7 + step * 3).ok()? % all.len())
                .cloned()
        })
        .collect();
    own.sort_unstable();
    own
}
