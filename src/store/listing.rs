//! Listing sessions.

use std::time::{Duration, Instant};

use super::{
    Bind, Cursor, Fault, FaultKind, Purpose, Store,
    filter::Filter,
    info::{SessionInfo, read_info},
    statement::Statement,
    statements::{INFO, INFO_COLUMNS},
    value::{CellKind, Row},
    walk::{Extent, WINDOW},
    window::Looking,
};
use crate::error::{Error, ErrorKind};

/// How much of a listing, from where. Newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    size: u32,
    after: Option<Cursor>,
}

impl Page {
    /// The most sessions on a page.
    pub const MAX_SIZE: u32 = 1000;

    /// The first page; sizes are brought into 1 to [`MAX_SIZE`](Self::MAX_SIZE).
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self {
            size: size.clamp(1, Self::MAX_SIZE),
            after: None,
        }
    }

    /// The page that starts where [`SessionPage::next`] said. Sessions that come or go meanwhile move nothing.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<SessionInfo>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Cursor>,
    /// Time ran out before the page was full: fewer sessions are here than were asked for, or none, and older ones may
    /// match. [`next`](Self::next) goes on from there. It happens with conditions that no index serves, such as a rare
    /// [user agent](Filter::user_agent) among millions of sessions.
    pub incomplete: bool,
}

/// How many sessions a filter means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) sessions: u64,
    /// Time ran out: there may be more.
    pub(crate) incomplete: bool,
}

impl Store {
    pub(crate) async fn list(&self, filter: &Filter, page: Page) -> Result<SessionPage, Error> {
        let started = Instant::now();
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let mut walk = self
            .walk(filter, Looking::Listed, INFO, &INFO_COLUMNS)?
            .starting(page.after);
        let (mut rows, mut has_moved, mut has_stopped) = (Vec::new(), false, false);
        // One more than asked for tells whether there is a next page.
        while rows.len() <= size && !walk.is_done() && !has_stopped {
            let was_full = rows.len() == size;
            let wanted = match filter.part_of_name() {
                Some(_) => WINDOW,
                None => size + 1 - rows.len(),
            };
            match walk.step(wanted).await {
                // What was read and cannot be named must not be passed over.
                Ok(found) => rows.extend(self.only_named(found, filter, started).await?),
                // How far it got is worth more than nothing at all.
                Err(error) if error.kind() == ErrorKind::Unavailable && has_moved => {
                    has_stopped = true;
                }
                Err(error) => return Err(error),
            }
            has_moved = true;
            // Whether a full page is the last one is not worth looking through the whole table.
            has_stopped |= walk.is_out_of_time() || (was_full && rows.len() == size);
        }
        let shown = || rows.iter().take(size);
        let next = match rows.len() > size {
            // By its place alone: what else is in that row may be unreadable.
            true => shown().rev().find_map(|row| walk_place(row).ok()),
            false if walk.is_done() => None,
            false => walk.position().cloned(),
        };
        let mut sessions: Vec<_> = shown().filter_map(readable).collect();
        self.add_display_names(&mut sessions, self.left_since(started))
            .await;
        Ok(SessionPage {
            incomplete: rows.len() < size && next.is_some(),
            next,
            sessions,
        })
    }

    /// Those of the rows whose user's display name has the part that the filter names.
    async fn only_named(
        &self,
        mut rows: Vec<Row>,
        filter: &Filter,
        started: Instant,
    ) -> Result<Vec<Row>, Error> {
        let Some(part) = filter.part_of_name().map(str::to_lowercase) else {
            return Ok(rows);
        };
        let ids: Vec<_> = rows.iter().filter_map(|row| row.uuid(0).ok()).collect();
        let names = self.display_names(&ids, self.left_since(started)).await?;
        rows.retain(|row| {
            let names = row.uuid(0).ok().and_then(|id| names.get(&id));
            let name = names.and_then(|names| names.user.as_deref());
            name.is_some_and(|name| name.to_lowercase().contains(&part))
        });
        Ok(rows)
    }

    fn left_since(&self, started: Instant) -> Duration {
        self.time_budget.saturating_sub(started.elapsed())
    }

    pub(crate) async fn count_live_where(
        &self,
        filter: &Filter,
        extent: Extent,
    ) -> Result<Counted, Error> {
        let mut walk = self.walk(filter, Looking::Live, "", &[])?.lasting(extent);
        let mut counted = Counted::default();
        while !walk.is_done() && !counted.incomplete {
            counted.sessions += walk.count_step().await?;
            counted.incomplete = walk.is_out_of_time();
        }
        Ok(counted)
    }

    pub(super) fn compile(&self, template: &str, columns: &[CellKind]) -> Statement {
        Statement::new(self.fragments.dialect, template, columns, |tag| {
            self.fragments.resolve(tag)
        })
    }

    /// Reads what can wait.
    pub(super) async fn fetch(
        &self,
        statement: &Statement,
        binds: Vec<Bind>,
    ) -> Result<Vec<Row>, Error> {
        self.fetch_for(Purpose::Upkeep, self.time_budget, statement, binds)
            .await
    }

    pub(super) async fn fetch_for(
        &self,
        purpose: Purpose,
        budget: Duration,
        statement: &Statement,
        binds: Vec<Bind>,
    ) -> Result<Vec<Row>, Error> {
        self.within(budget, async {
            match self.fetch_once(purpose, statement, binds.clone()).await {
                // Reading twice does no harm.
                Err(fault) if fault.kind() == FaultKind::Lost => {
                    self.fetch_once(purpose, statement, binds).await
                }
                outcome => outcome,
            }
        })
        .await
    }

    async fn fetch_once(
        &self,
        purpose: Purpose,
        statement: &Statement,
        binds: Vec<Bind>,
    ) -> Result<Vec<Row>, Fault> {
        let mut link = self.driver.acquire(purpose).await?;
        link.fetch(statement, binds).await
    }
}

fn walk_place(row: &Row) -> Result<Cursor, super::CorruptRow> {
    Cursor::read(row, INFO_COLUMNS.len(), INFO_COLUMNS.len() + 1)
}

/// A row that cannot be read is reported and left out: the others are unharmed, and can still be ended.
fn readable(row: &Row) -> Option<SessionInfo> {
    let session = read_info(row);
    if session.is_err() {
        let session_id = row.uuid(0).ok().map(tracing::field::display);
        tracing::error!(
            session_id,
            "a session's row cannot be read and is not listed"
        );
    }
    session.ok()
}
