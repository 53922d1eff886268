//! Rows of any number, written by the database itself.

use std::ops::RangeInclusive;

use crate::{Failure, database::Database};

/// What the database knows about the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// What it knew of the empty table.
    None,
    Fresh,
}

impl Statistics {
    pub const ALL: [Self; 2] = [Self::None, Self::Fresh];

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fresh => "fresh",
        }
    }
}

/// How many sessions a user has. Half of all have ended.
pub const EACH: u64 = 4;
/// How many sessions come from one address.
const FROM_ONE_ADDRESS: u64 = 20;
/// Users beyond those who have sessions.
pub const FURTHER_USERS: u64 = 10_000;

/// How many users and addresses a table of this size has.
pub fn users(size: u64) -> u64 {
    size.div_ceil(EACH).max(1)
}

pub fn addresses(size: u64) -> u64 {
    size.div_ceil(FROM_ONE_ADDRESS).max(1)
}

/// When sessions were last seen, and when they expire: seconds from now.
struct Times {
    seen: i64,
    expires: i64,
}

impl Database {
    /// Sessions of one realm, one for each second up to now.
    pub async fn fill(&self, size: u64, statistics: Statistics) -> Result<(), Failure> {
        if statistics == Statistics::None {
            self.forbid_statistics().await?;
        }
        self.run("CREATE TABLE users (id BIGINT PRIMARY KEY)")
            .await?;
        self.run("CREATE TABLE user_permissions (user_id BIGINT, permission VARCHAR(20), PRIMARY KEY (user_id, permission))")
            .await?;
        let (numbers, number) = self.numbers(1..=users(size) + FURTHER_USERS);
        self.run(&format!("INSERT INTO users SELECT {number} FROM {numbers}"))
            .await?;
        self.run(
            "INSERT INTO user_permissions VALUES (1, 'sessions:read'), (1, 'sessions:revoke')",
        )
        .await?;
        let live = Times {
            seen: 0,
            expires: 2_000_000,
        };
        self.insert(1..=size, size, live).await?;
        match (statistics, self) {
            (Statistics::None, _) => Ok(()),
            (Statistics::Fresh, Self::Sqlite(..)) => self.run("ANALYZE").await,
            (Statistics::Fresh, Self::Postgres(..)) => self.run("VACUUM ANALYZE").await,
            (Statistics::Fresh, Self::MySql(..)) => {
                self.run("ANALYZE TABLE countersign_sessions").await
            }
        }
    }

    /// This many sessions that a sweep finds expired. `turn` tells apart those of several calls.
    pub async fn add_expired(&self, number: u64, turn: u64) -> Result<(), Failure> {
        let first = 100_000_000 + turn * number;
        let long_ago = Times {
            seen: -3_000_000,
            expires: -2_000_000,
        };
        self.insert(first..=first + number - 1, first + number, long_ago)
            .await
    }

    /// As if all that ended had ended long ago.
    pub async fn let_years_pass(&self) -> Result<(), Failure> {
        let then = self.from_now("-400000000");
        self.run(&format!(
            "UPDATE countersign_sessions SET ended_at = {then} WHERE ended_at IS NOT NULL"
        ))
        .await
    }

    /// The server gathers none by itself either.
    async fn forbid_statistics(&self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(..) => Ok(()),
            Self::Postgres(..) => {
                self.run("ALTER TABLE countersign_sessions SET (autovacuum_enabled = off)")
                    .await
            }
            Self::MySql(..) => {
                self.run(
                    "ALTER TABLE countersign_sessions STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0",
                )
                .await
            }
        }
    }

    async fn insert(
        &self,
        numbers: RangeInclusive<u64>,
        size: u64,
        times: Times,
    ) -> Result<(), Failure> {
        let (numbers, number) = self.numbers(numbers);
        let (id, hash) = match self {
            Self::Sqlite(..) => (
                "printf('%08x-0000-7000-8000-%012x', i, i)",
                "CAST(printf('%032d', i) AS BLOB)",
            ),
            Self::Postgres(..) => (
                "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid",
                "sha256(i::text::bytea)",
            ),
            Self::MySql(..) => (
                "concat(lpad(lower(hex(seq)), 8, '0'), '-0000-7000-8000-', lpad(lower(hex(seq)), 12, '0'))",
                "unhex(sha2(seq, 256))",
            ),
        };
        let text = |before: &str, modulo: u64| match self {
            Self::MySql(..) => format!("concat('{before}', {number} % {modulo})"),
            _ => format!("'{before}' || ({number} % {modulo})"),
        };
        self.run(&format!(
            "INSERT INTO countersign_sessions (id, realm, user_id, token_hash, created_at, authenticated_at, last_seen_at, \
             expires_at, ip, user_agent, ended_at, ended_reason) \
             SELECT {id}, 'default', {user}, {hash}, {created}, {created}, {seen}, {expires}, {address}, \
             'Mozilla/5.0 (X11; Linux x86_64)', CASE WHEN {number} % 2 = 0 THEN {ended} END, \
             CASE WHEN {number} % 2 = 0 THEN 'logout' END FROM {numbers}",
            user = text("", users(size)),
            created = self.from_now(&format!("-({size} - {number})")),
            seen = self.from_now(&times.seen.to_string()),
            expires = self.from_now(&times.expires.to_string()),
            address = text("10.0.0.", addresses(size)),
            ended = self.from_now("-60"),
        ))
        .await
    }

    /// What to select numbers from, and what a number is called there.
    fn numbers(&self, range: RangeInclusive<u64>) -> (String, &'static str) {
        let (first, last) = range.into_inner();
        match self {
            Self::Sqlite(..) => (
                format!(
                    "(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n)"
                ),
                "i",
            ),
            Self::Postgres(..) => (format!("generate_series({first}, {last}) i"), "i"),
            Self::MySql(..) => (format!("seq_{first}_to_{last}"), "seq"),
        }
    }

    fn from_now(&self, seconds: &str) -> String {
        match self {
            Self::Sqlite(..) => {
                format!("strftime('%Y-%m-%d %H:%M:%f', 'now', ({seconds}) || ' seconds')")
            }
            Self::Postgres(..) => format!("now() + ({seconds}) * interval '1 second'"),
            Self::MySql(..) => format!("utc_timestamp(6) + INTERVAL ({seconds}) SECOND"),
        }
    }
}
