//! The one place where sessions are kept. It knows digests of tokens and never tokens, rows and never requests.
//!
//! All logic is here once; what the databases spell differently is text in [`dialect`], what their drivers need is in
//! [`backend`].

// Each database is reached through the feature of its name; with none of them only the fuzz targets are built.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code)
)]

mod application;
mod backend;
mod backlog;
#[cfg(countersign_benches)]
pub(crate) mod benches;
mod check;
mod conditions;
mod connections;
mod cursor;
mod dialect;
mod display_name;
mod driver;
pub(crate) mod ending;
mod fault;
mod filter;
mod fragments;
mod grant;
mod held;
mod index;
mod info;
mod judging;
mod letters;
mod listing;
#[cfg(all(feature = "testing", feature = "sqlite"))]
mod memory;
mod migrate;
mod part;
mod pool;
#[cfg(feature = "admin")]
mod preview;
mod profile;
mod replacing;
mod reserving;
mod retry;
mod rotation;
mod sign_in;
mod stamp;
mod stamped;
mod standing;
mod statement;
mod statements;
mod stats;
mod sweep;
mod user_limit;
mod value;
mod verify;
mod walk;
mod watch;
mod ways;
mod window;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::{error::Error, user_id::UserId};

#[cfg(feature = "pages")]
pub(crate) use self::display_name::DisplayNames;
#[cfg(all(feature = "testing", feature = "sqlite"))]
pub use self::memory::sqlite;
#[cfg(feature = "sqlite")]
pub use self::pool::sqlite_options;
pub(crate) use self::{
    application::{ApplicationSql, SqlPart, SqlShape},
    connections::{Bounds, OnDiscard, Purpose},
    dialect::UserCast,
    driver::{Driver, Link},
    fault::{Fault, FaultKind},
    fragments::{Fragments, Timings},
    grant::SignInError,
    pool::driver_of,
    profile::{Profile, ProfileRow, ProfileSql},
    rotation::{Proof, Rotation},
    sign_in::{Displaced, NewSession, Previous},
    stamp::StampHash,
    statement::MAX_LIST,
    value::Bind,
    verify::{Found, Lookup},
    walk::Extent,
};
use self::{
    backlog::Backlog, letters::Letters, retry::retry, statements::Statements, value::CorruptRow,
};
pub use self::{
    connections::ConnectionDiscard,
    cursor::{Cursor, InvalidCursor},
    filter::Filter,
    info::{EndedReason, SessionInfo, SessionState},
    listing::{Page, SessionPage},
    pool::{SessionPool, migrate, schema_version},
    stats::Stats,
    sweep::Swept,
};

/// How long the database may take to answer when the application starts.
const CHECK_BUDGET: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Store {
    driver: Arc<dyn Driver>,
    statements: Statements,
    fragments: Fragments,
    /// The forms in which the application's SQL takes the user's id: an id that has no such form is refused.
    user_casts: Vec<UserCast>,
    permission_columns: usize,
    has_stamp: bool,
    profile: Option<ProfileSql>,
    stamp_cursor: stamped::StampCursor,
    /// Which ones the database has: found out by `check`.
    letters: Letters,
    time_budget: Duration,
    /// After this long a walk within the time budget begins no further step.
    walk_budget: Duration,
    backlog: Backlog,
    /// Something was ended by this process: the watchers of sessions look again.
    ended: Notify,
}

impl Store {
    pub(crate) fn new(
        driver: Arc<dyn Driver>,
        realm: Arc<str>,
        timings: Timings,
        application: &ApplicationSql,
    ) -> Self {
        let time_budget = timings.time_budget;
        let fragments = Fragments {
            dialect: driver.dialect(),
            realm,
            timings,
        };
        Self {
            statements: Statements::new(&fragments, application),
            user_casts: UserCast::ALL
                .into_iter()
                .filter(|cast| application.uses(*cast))
                .collect(),
            permission_columns: application.permissions.len(),
            has_stamp: application.stamp.is_some(),
            profile: application.profile.clone(),
            stamp_cursor: stamped::StampCursor::default(),
            driver,
            fragments,
            letters: Letters::default(),
            time_budget,
            walk_budget: time_budget / 2,
            backlog: Backlog::default(),
            ended: Notify::new(),
        }
    }

    /// Whether the id has the form that the application's SQL casts it to. A cast that quietly gives 0 or the leading
    /// digits, as SQLite's and MySQL's do, would otherwise name another user.
    pub(crate) fn accepts(&self, user_id: &UserId) -> bool {
        self.user_casts.iter().all(|cast| match cast {
            UserCast::Int => user_id.is_canonical_int(),
            UserCast::Uuid => user_id.is_canonical_uuid(),
            UserCast::Text => true,
        })
    }

    pub(crate) fn realm(&self) -> &str {
        &self.fragments.realm
    }

    pub(crate) fn timings(&self) -> &Timings {
        &self.fragments.timings
    }

    /// Who is told of connections that are given up.
    pub(crate) fn on_discard(&self, listener: OnDiscard) {
        self.driver.on_discard(listener);
    }

    /// What must be undone.
    pub(crate) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Closes the connections that are not in use.
    pub(crate) async fn close_idle(&self) {
        self.driver.close_idle().await;
    }

    /// Gives up the connections that are not in use: the server has fallen silent, and they may be dead.
    pub(crate) fn distrust(&self) {
        self.driver.distrust();
    }

    /// Whether all connections that look-ups may have are out.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.driver.is_exhausted()
    }

    /// A connection for the verifier's lane.
    pub(crate) async fn link(&self) -> Result<Box<dyn Link>, Fault> {
        self.driver.acquire(Purpose::LookUp).await
    }

    /// Moves `last_seen_at` of sessions that are still live. It cannot bring back one that has ended, nor one that runs out
    /// while its row is locked: what is locked by another is left to the next touch.
    pub(crate) async fn touch(&self, ids: Vec<Uuid>) -> Result<u64, Error> {
        self.within_budget(retry(|| async {
            let Some(due) = &self.statements.due_for_touch else {
                let mut link = self.driver.acquire(Purpose::Upkeep).await?;
                let binds = vec![Bind::Uuids(ids.clone())];
                return link.execute(&self.statements.touch, binds).await;
            };
            let mut unit = self.driver.begin(Purpose::Upkeep).await?;
            let rows = unit.fetch(due, vec![Bind::Uuids(ids.clone())]).await?;
            let ids: Vec<_> = rows.iter().filter_map(|row| row.uuid(0).ok()).collect();
            let mut touched = 0;
            if !ids.is_empty() {
                let binds = vec![Bind::Uuids(ids)];
                touched = unit.execute(&self.statements.touch, binds).await?;
            }
            unit.commit().await?;
            Ok(touched)
        }))
        .await
    }

    async fn within_budget<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Error> {
        self.within(self.time_budget, work).await
    }

    /// A hang is answered like an outage.
    async fn within<T>(
        &self,
        budget: Duration,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(budget, work).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Fault::timed_out().into()),
        }
    }
}

impl From<CorruptRow> for Error {
    fn from(_: CorruptRow) -> Self {
        Self::corrupt()
    }
}

#[cfg(test)]
mod tests;
