//! A fresh database for each test, with the application's tables in it; gone when the test is over.

use std::{future::Future, time::Duration};

use countersign::{Sessions, SessionsBuilder};
use sqlx::AssertSqlSafe;

/// The application's own tables: who there is, and what they may do.
const APPLICATION: &[&str] = &[
    "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(64) NOT NULL, disabled BOOLEAN NOT NULL DEFAULT FALSE)",
    "CREATE TABLE user_permissions (user_id BIGINT NOT NULL, permission VARCHAR(64) NOT NULL, PRIMARY KEY (user_id, permission))",
    "INSERT INTO users (id, name) VALUES (1, 'admin'), (2, 'alice'), (3, 'bob')",
    "INSERT INTO user_permissions VALUES (1, 'sessions:read'), (1, 'sessions:revoke'), (1, 'articles:read'), \
     (1, 'articles:edit'), (2, 'articles:read'), (2, 'articles:edit'), (3, 'articles:read')",
];

/// One database of one test.
#[derive(Debug)]
pub struct Database {
    pub pool: Pool,
    place: Place,
}

/// A pool of whichever database.
#[derive(Clone, Debug)]
pub enum Pool {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

/// Where it is, and how it goes away.
#[derive(Debug)]
enum Place {
    #[cfg(feature = "sqlite")]
    File(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres { server: String, name: String },
    #[cfg(feature = "mysql")]
    MySql { server: String, name: String },
}

/// The same expression for whichever pool it is.
#[macro_export]
macro_rules! with_pool {
    ($pool:expr, $name:ident => $body:expr) => {
        match $pool {
            #[cfg(feature = "sqlite")]
            $crate::Pool::Sqlite($name) => $body,
            #[cfg(feature = "postgres")]
            $crate::Pool::Postgres($name) => $body,
            #[cfg(feature = "mysql")]
            $crate::Pool::MySql($name) => $body,
        }
    };
}

impl Database {
    #[cfg(feature = "sqlite")]
    pub async fn sqlite() -> Self {
        let place = Place::File(tempfile::tempdir().unwrap());
        Self::made(place).await
    }

    #[cfg(feature = "postgres")]
    pub async fn postgres() -> Self {
        Self::postgres_with("").await
    }

    /// A database that is created with these options.
    #[cfg(feature = "postgres")]
    pub async fn postgres_with(options: &str) -> Self {
        Self::postgres_at(server("COUNTERSIGN_TEST_POSTGRES"), options).await
    }

    /// A database on this server.
    #[cfg(feature = "postgres")]
    pub async fn postgres_at(server: String, options: &str) -> Self {
        let name = fresh_name();
        let admin = sqlx::PgPool::connect(&server).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name} {options}")))
            .execute(&admin)
            .await
            .unwrap();
        admin.close().await;
        Self::made(Place::Postgres { server, name }).await
    }

    #[cfg(feature = "mysql")]
    pub async fn mysql() -> Self {
        Self::mysql_with("").await
    }

    /// A database that is created with these options.
    #[cfg(feature = "mysql")]
    pub async fn mysql_with(options: &str) -> Self {
        Self::mysql_at(server("COUNTERSIGN_TEST_MYSQL"), options).await
    }

    /// A database on this server.
    #[cfg(feature = "mysql")]
    pub async fn mysql_at(server: String, options: &str) -> Self {
        let name = fresh_name();
        let admin = sqlx::MySqlPool::connect(&server).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name} {options}")))
            .execute(&admin)
            .await
            .unwrap();
        admin.close().await;
        Self::made(Place::MySql { server, name }).await
    }

    async fn made(place: Place) -> Self {
        let database = Self {
            pool: place.connect(8).await,
            place,
        };
        for statement in APPLICATION {
            database.execute(statement).await;
        }
        database
    }

    /// Another pool to the same database: another node of the application.
    pub async fn second_pool(&self) -> Pool {
        self.place.connect(8).await
    }

    /// A pool of so many connections at the most.
    pub async fn pool_of(&self, connections: u32) -> Pool {
        self.place.connect(connections).await
    }

    /// A pool that takes another way to this database.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub async fn pool_at(&self, url: &str, connections: u32) -> Pool {
        self.place.connect_to(url, connections).await
    }

    /// The address of this database, for tests that put something between.
    pub fn url(&self) -> String {
        self.place.url()
    }

    /// Runs a statement of the test's own; the number of rows it changed.
    pub async fn execute(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        with_pool!(&self.pool, pool => sqlx::query(sql).execute(pool).await.unwrap().rows_affected())
    }

    /// Runs what a driver does not prepare, such as the text of a function.
    pub async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        with_pool!(&self.pool, pool => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()));
    }

    /// A number.
    pub async fn count(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        with_pool!(&self.pool, pool => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap())
    }

    /// How many sessions are neither ended nor reserved.
    pub async fn live(&self) -> i64 {
        self.count("SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL AND reserved_until IS NULL").await
    }

    /// Moves a time column of all sessions into the past.
    pub async fn age(&self, column: &str, seconds: u64) {
        let earlier = match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => {
                format!("strftime('%Y-%m-%d %H:%M:%f', {column}, '-{seconds} seconds')")
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => format!("{column} - interval '{seconds} seconds'"),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => format!("{column} - INTERVAL {seconds} SECOND"),
        };
        self.execute(&format!(
            "UPDATE countersign_sessions SET {column} = {earlier}"
        ))
        .await;
    }

    pub fn builder(&self) -> SessionsBuilder {
        self.pool.builder()
    }
}

impl Pool {
    /// Patient with the database: a test that is not about time must pass on a machine that is busy.
    pub fn builder(&self) -> SessionsBuilder {
        with_pool!(self, pool => Sessions::builder(pool.clone()))
            .time_budget(Duration::from_secs(20))
    }

    pub async fn migrate(&self) -> Result<(), countersign::MigrateError> {
        with_pool!(self, pool => countersign::migrate(pool).await)
    }

    pub async fn close(&self) {
        with_pool!(self, pool => pool.close().await);
    }
}

impl Place {
    fn url(&self) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(folder) => format!(
                "sqlite:{}?mode=rwc",
                folder.path().join("test.db").display()
            ),
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => with_database(server, name),
            #[cfg(feature = "mysql")]
            Self::MySql { server, name } => with_database(server, name),
        }
    }

    async fn connect(&self, connections: u32) -> Pool {
        self.connect_to(&self.url(), connections).await
    }

    async fn connect_to(&self, url: &str, connections: u32) -> Pool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(_) => {
                let options = countersign::sqlite_options(url).unwrap();
                let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(connections);
                Pool::Sqlite(pool.connect_with(options).await.unwrap())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { .. } => {
                let pool = sqlx::postgres::PgPoolOptions::new().max_connections(connections);
                Pool::Postgres(pool.connect(url).await.unwrap())
            }
            #[cfg(feature = "mysql")]
            Self::MySql { .. } => {
                let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(connections);
                Pool::MySql(pool.connect(url).await.unwrap())
            }
        }
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
impl Drop for Place {
    fn drop(&mut self) {
        let (command, program): (Vec<String>, &str) = match self {
            #[cfg(feature = "sqlite")]
            Self::File(_) => return,
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => (
                vec![server.clone(), format!("DROP DATABASE {name} WITH (FORCE)")],
                "postgres",
            ),
            #[cfg(feature = "mysql")]
            Self::MySql { server, name } => (
                vec![server.clone(), format!("DROP DATABASE {name}")],
                "mysql",
            ),
        };
        drop_database(program, command);
    }
}

/// On a thread and a runtime of its own: the test's are on their way out, perhaps by a panic.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn drop_database(program: &'static str, command: Vec<String>) {
    let dropping = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let [server, statement] = command.as_slice() else {
                return;
            };
            let statement = AssertSqlSafe(statement.clone());
            match program {
                #[cfg(feature = "postgres")]
                "postgres" => {
                    use sqlx::Connection;
                    let mut admin = sqlx::PgConnection::connect(server).await.unwrap();
                    sqlx::query(statement).execute(&mut admin).await.unwrap();
                }
                #[cfg(feature = "mysql")]
                "mysql" => {
                    use sqlx::Connection;
                    let mut admin = sqlx::MySqlConnection::connect(server).await.unwrap();
                    sqlx::query(statement).execute(&mut admin).await.unwrap();
                }
                _ => {}
            }
        });
    });
    let dropped = dropping.join();
    if !std::thread::panicking() {
        dropped.unwrap();
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests with `scripts/with-servers cargo test …`, or `scripts/test` for all of them")
    })
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn fresh_name() -> String {
    format!("countersign_{}", countersign::uuid::Uuid::now_v7().simple())
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn with_database(server: &str, name: &str) -> String {
    let (start, _) = server.rsplit_once('/').unwrap();
    format!("{start}/{name}")
}

/// Longer than anything takes, also on a machine that does ten other things: what a test waits for at the most.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until a condition holds; fails the test when it does not in [`PATIENCE`].
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never came true: {what}"));
}
