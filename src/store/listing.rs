//! Listing sessions.

use uuid::Uuid;

use super::{
    Bind, Fault, FaultKind, Purpose, Store,
    filter::Filter,
    info::{SessionInfo, read_info},
    statement::Statement,
    statements::{INFO_COLUMNS, INFO_SELECT},
    value::{CellKind, CorruptRow, Row},
};
use crate::error::Error;

/// How much of a listing, from where. Newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    size: u32,
    after: Option<Uuid>,
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

    /// The page after the session that [`SessionPage::next`] named. Sessions that come or go meanwhile move nothing.
    #[must_use]
    pub fn after(mut self, session: Uuid) -> Self {
        self.after = Some(session);
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
    pub next: Option<Uuid>,
}

impl Store {
    pub(crate) async fn list(&self, filter: &Filter, page: Page) -> Result<SessionPage, Error> {
        filter.check()?;
        let (mut conditions, mut binds) = filter.conditions(self);
        if let Some(after) = page.after {
            conditions.push_str(" AND id < {?uuid}");
            binds.push(Bind::from(after));
        }
        // One more than asked for tells whether there is a next page. A reservation is not a session.
        let template = format!(
            "{INFO_SELECT} WHERE {{in_realm}} AND reserved_until IS NULL{conditions} ORDER BY id DESC LIMIT {}",
            page.size + 1
        );
        let statement = self.compile(&template, &INFO_COLUMNS);
        let rows = self.fetch(&statement, binds).await?;
        let shown = rows.iter().take(page.size as usize);
        let next = match rows.len() > page.size as usize {
            // By its id alone: what else is in that row may be unreadable.
            true => shown.clone().rev().find_map(|row| row.uuid(0).ok()),
            false => None,
        };
        let sessions = shown.filter_map(readable).collect();
        Ok(SessionPage { sessions, next })
    }

    pub(crate) async fn count_live_where(&self, filter: &Filter) -> Result<u64, Error> {
        filter.check()?;
        let (conditions, binds) = filter.conditions(self);
        let template = format!(
            "SELECT {{integer:count(*)}} FROM countersign_sessions WHERE {{in_realm}} AND {{live}}{conditions}"
        );
        let rows = self
            .fetch(&self.compile(&template, &[CellKind::Int]), binds)
            .await?;
        let count = rows.first().ok_or(CorruptRow)?.int(0)?;
        Ok(u64::try_from(count).unwrap_or_default())
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
        self.fetch_for(Purpose::Upkeep, statement, binds).await
    }

    pub(super) async fn fetch_for(
        &self,
        purpose: Purpose,
        statement: &Statement,
        binds: Vec<Bind>,
    ) -> Result<Vec<Row>, Error> {
        self.within_budget(async {
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
