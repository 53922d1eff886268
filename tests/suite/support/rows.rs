//! Rows of the tables as they are, and rows that a test writes itself: thousands of sessions, or such as no sign-in of a
//! short test leaves behind.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::uuid::Uuid;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Row as _};

use super::{Client, Database, Pool, secret::sealed};
use crate::with_pool;

/// A session to insert.
#[derive(Clone, Debug)]
pub struct NewRow {
    pub realm: &'static str,
    pub id: Uuid,
    pub token: [u8; 32],
    pub user_id: String,
    pub acting_user: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// Milliseconds since 1970, which all databases keep.
    pub created_at: i64,
    /// Seconds since the user proved who they are.
    pub proved_ago: i64,
    pub fate: Fate,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Live,
    Ended,
    /// Nobody has ended it: the idle timeout has passed.
    Idle,
    /// Nobody has ended it: the absolute timeout has passed.
    Overdue,
    /// A sign-in under way.
    Reserved,
    /// A sign-in that never became real.
    Lapsed,
    /// A sign-in that was ended while it was under way.
    ReservedAndEnded,
}

/// The rows of a table by what tells them apart, each with its columns by name, as text.
pub type Dump = BTreeMap<String, BTreeMap<String, Option<String>>>;

impl NewRow {
    /// A live session of this user.
    pub fn live(user_id: &str) -> Self {
        let id = Uuid::now_v7();
        Self {
            realm: "default",
            id,
            token: Sha256::digest(id.as_bytes()).into(),
            user_id: user_id.to_owned(),
            acting_user: None,
            ip: None,
            user_agent: None,
            created_at: 1_767_225_600_000, // 2026
            proved_ago: 30,
            fate: Fate::Live,
        }
    }

    /// The browser that this session is in.
    pub fn client(&self) -> Client {
        let name = "__Host-session";
        let text = format!("1{}{}", URL_SAFE_NO_PAD.encode(self.token), self.user_id);
        let mut client = Client::new();
        client.jar.insert(name.to_owned(), sealed(name, &text));
        client
    }

    fn values(&self, database: &Database) -> String {
        let (day, minute) = (24 * 60 * 60, 60);
        let ago = |seconds: i64| database.ago(seconds);
        let null = || "NULL".to_owned();
        let (seen, expires) = match self.fate {
            Fate::Idle => (ago(365 * day), ago(-365 * day)),
            Fate::Overdue => (ago(minute / 2), ago(minute)),
            _ => (ago(minute / 2), ago(-365 * day)),
        };
        let reserved = match self.fate {
            Fate::Reserved | Fate::ReservedAndEnded => ago(-day),
            Fate::Lapsed => ago(minute),
            _ => null(),
        };
        let (ended, reason) = match self.fate {
            Fate::Ended | Fate::ReservedAndEnded => (ago(minute), "'logout'".to_owned()),
            _ => (null(), null()),
        };
        let (created, proved) = (database.instant(self.created_at), ago(self.proved_ago));
        let (realm, id, hash) = (
            self.realm,
            self.id,
            database.bytes(&Sha256::digest(self.token)),
        );
        format!(
            "'{realm}', '{id}', {hash}, {created}, {proved}, {seen}, {expires}, {reserved}, {ended}, {reason}"
        )
    }
}

impl Database {
    /// Writes these sessions, many at once.
    pub async fn insert(&self, rows: &[NewRow]) {
        for rows in rows.chunks(500) {
            let mut texts = Vec::new();
            let lines: Vec<_> = rows
                .iter()
                .map(|row| {
                    let values = row.values(self);
                    let (user_id, acting) = (Some(row.user_id.clone()), row.acting_user.clone());
                    let bound = [user_id, acting, row.ip.clone(), row.user_agent.clone()];
                    let bound = bound.map(|text| {
                        texts.push(text);
                        self.parameter(texts.len())
                    });
                    format!("({values}, {})", bound.join(", "))
                })
                .collect();
            let sql = format!(
                "INSERT INTO countersign_sessions (realm, id, token_hash, created_at, authenticated_at, last_seen_at, \
                 expires_at, reserved_until, ended_at, ended_reason, user_id, acting_user, ip, user_agent) VALUES {}",
                lines.join(", ")
            );
            let written = with_pool!(&self.pool, pool => {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for text in texts {
                    query = query.bind(text);
                }
                query.execute(pool).await.unwrap().rows_affected()
            });
            assert_eq!(written, rows.len() as u64);
        }
    }

    /// All rows of a table, as they are.
    pub async fn dump(&self, table: &str) -> Dump {
        self.dump_where(table, "1 = 1").await
    }

    /// Some rows of a table, as they are.
    pub async fn dump_where(&self, table: &str, condition: &str) -> Dump {
        let columns = self.texts(&self.columns_of(table)).await;
        let columns: Vec<_> = columns.into_iter().flatten().flatten().collect();
        let expressions: Vec<_> = columns.iter().map(|column| self.text_of(column)).collect();
        let (key, expressions) = (self.key_of(table), expressions.join(", "));
        let rows = format!("SELECT {key}, {expressions} FROM {table} WHERE {condition}");
        let mut dump = Dump::new();
        for mut row in self.texts(&rows).await {
            let key = row.remove(0).unwrap();
            dump.insert(key, columns.iter().cloned().zip(row).collect());
        }
        dump
    }

    /// Both tables, as they are.
    pub async fn dump_all(&self) -> [Dump; 2] {
        [
            self.dump("countersign_sessions").await,
            self.dump("countersign_users").await,
        ]
    }

    /// So many seconds before now by the database's clock; after it, when they are negative.
    pub fn ago(&self, seconds: i64) -> String {
        let later = -seconds;
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => {
                format!("strftime('%Y-%m-%d %H:%M:%f', 'now', '{later:+} seconds')")
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => format!("statement_timestamp() + interval '{later} seconds'"),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => format!("UTC_TIMESTAMP(6) + INTERVAL {later} SECOND"),
        }
    }

    /// A time in milliseconds since 1970.
    pub fn instant(&self, millis: i64) -> String {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => {
                format!("strftime('%Y-%m-%d %H:%M:%f', {millis} / 1000.0, 'unixepoch')")
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => {
                format!("timestamptz '1970-01-01 00:00:00Z' + {millis} * interval '1 millisecond'")
            }
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => {
                let micros = millis * 1000;
                format!("TIMESTAMP'1970-01-01 00:00:00' + INTERVAL {micros} MICROSECOND")
            }
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match &self.pool {
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => format!("'\\x{digits}'::bytea"),
            #[cfg(any(feature = "sqlite", feature = "mysql"))]
            _ => format!("X'{digits}'"),
        }
    }

    /// The n-th parameter of a statement, counted from 1.
    #[cfg_attr(
        not(feature = "postgres"),
        allow(unused_variables, reason = "the others count for themselves")
    )]
    fn parameter(&self, number: usize) -> String {
        match &self.pool {
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => format!("${number}::text"),
            #[cfg(any(feature = "sqlite", feature = "mysql"))]
            _ => "?".to_owned(),
        }
    }

    fn columns_of(&self, table: &str) -> String {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' \
                 ORDER BY ordinal_position"
            ),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => format!(
                "SELECT CAST(column_name AS CHAR) FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        }
    }

    /// What tells the rows of a table apart.
    fn key_of(&self, table: &str) -> String {
        match table {
            "countersign_sessions" => self.text_of("id"),
            "countersign_users" => "concat_ws(' ', realm, user_id)".to_owned(),
            other => panic!("no such table: {other}"),
        }
    }

    fn text_of(&self, column: &str) -> String {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) if column.ends_with("_hash") => format!("hex({column})"),
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => format!("CAST({column} AS TEXT)"),
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => format!("{column}::text"),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) if column.ends_with("_hash") => format!("HEX({column})"),
            #[cfg(feature = "mysql")]
            Pool::MySql(_) => format!("CAST({column} AS CHAR)"),
        }
    }

    /// What a query of nothing but text says.
    async fn texts(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = AssertSqlSafe(sql.to_owned());
        with_pool!(&self.pool, pool => {
            let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
            rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
        })
    }
}
