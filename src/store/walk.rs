//! Reading the sessions that a filter means, in bounded steps.
//!
//! Each step reads one *window*: at most [`WINDOW`] rows of one index, in that index's order. The filter's other conditions
//! apply to the window alone. So a step costs the same in a table of a thousand rows and of ten million, whatever the
//! filter says and whatever the database believes about its rows. Which index that is, is decided in
//! [`super::filter`]; the SQL of a step is in [`super::window`].

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Cursor, Filter, Purpose, Store,
    statement::Statement,
    value::{CellKind, CorruptRow, Row},
    window::{Looking, Route, Shape},
};
use crate::error::Error;

/// The most rows that one step reads.
pub(super) const WINDOW: usize = 1024;

/// How long a walk may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As long as there is more. Only each step has a time budget.
    ToTheEnd,
    /// No step begins after half of the time budget, so that the answer is there within all of it.
    WithinBudget,
}

/// The sessions that a filter means, step by step.
pub(super) struct Walk<'a> {
    store: &'a Store,
    route: Route,
    looking: Looking,
    columns: &'static str,
    kinds: &'static [CellKind],
    after: Option<Cursor>,
    extent: Extent,
    started: Instant,
    /// Most rows of the index are meant, so that a window as large as what is wanted has about that.
    is_dense: bool,
    is_begun: bool,
    is_done: bool,
}

impl Store {
    /// A walk over what the filter means, for these columns of it.
    pub(super) fn walk(
        &self,
        filter: &Filter,
        looking: Looking,
        columns: &'static str,
        kinds: &'static [CellKind],
    ) -> Result<Walk<'_>, Error> {
        filter.check()?;
        self.check_name(filter, looking)?;
        Ok(Walk {
            store: self,
            route: filter
                .spelled_in(self.letters)
                .route(self.fragments.dialect, looking),
            looking,
            columns,
            kinds,
            after: None,
            extent: Extent::WithinBudget,
            started: Instant::now(),
            is_dense: filter.is_by_index_alone(looking),
            is_begun: false,
            is_done: filter.means_none(),
        })
    }

    /// A display name is no condition of SQL: only a listing knows how to look for it.
    fn check_name(&self, filter: &Filter, looking: Looking) -> Result<(), Error> {
        match (filter.part_of_name(), looking) {
            (None, _) => Ok(()),
            (Some(_), Looking::Listed) if self.has_display_names() => Ok(()),
            (Some(_), Looking::Listed) => Err(Error::invalid(
                "the filter names a display name, and the application has none: call `.display_name` on the builder",
            )),
            (Some(_), Looking::Endable | Looking::Live) => Err(Error::invalid(
                "the filter names a display name, which several users can have: name the user by the id",
            )),
        }
    }
}

impl Walk<'_> {
    pub(super) fn starting(self, after: Option<Cursor>) -> Self {
        Self { after, ..self }
    }

    pub(super) fn lasting(self, extent: Extent) -> Self {
        Self { extent, ..self }
    }

    /// Nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Something may be left, and there is no time to look.
    pub(super) fn is_out_of_time(&self) -> bool {
        let enough = self.store.walk_budget;
        !self.is_done && self.extent == Extent::WithinBudget && self.started.elapsed() >= enough
    }

    /// How far it got.
    pub(super) fn position(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }

    /// The next sessions of those that are meant: as many as are wanted or somewhat more, or all of the next window; none
    /// where the window has none. The first window is about as large as what is wanted, unless a request went before that
    /// found little: then each goes on by as much as one step can.
    pub(super) async fn step(&mut self, wanted: usize) -> Result<Vec<Row>, Error> {
        if self.is_done {
            return Ok(Vec::new());
        }
        let limit = wanted.clamp(2, WINDOW).next_power_of_two();
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let window = match is_first && (self.after.is_none() || self.is_dense) {
            true => limit,
            false => WINDOW,
        };
        let shape = Shape::Rows {
            columns: self.columns,
            limit,
        };
        let width = self.kinds.len();
        let kinds = [
            self.kinds,
            &[CellKind::Text, CellKind::Text, CellKind::Int, CellKind::Int],
        ]
        .concat();
        let mut rows = self.fetch(&shape, window, &kinds).await?;
        let is_cut = rows.len() >= limit;
        let flag = |row: &Row, column: usize| row.int(column) == Ok(1);
        let Some(last) = rows.last().filter(|row| is_cut || flag(row, width + 3)) else {
            self.is_done = true;
            return Ok(rows);
        };
        self.after = Some(Cursor::read(last, width, width + 1)?);
        // The window's last row comes along to tell where it ends, even if the filter does not mean it.
        if !flag(last, width + 2) {
            rows.pop();
        }
        Ok(rows)
    }

    /// How many are meant, of those in the next window.
    pub(super) async fn count_step(&mut self) -> Result<u64, Error> {
        if self.is_done {
            return Ok(0);
        }
        let rows = self.groups_step(&Shape::Count, &[CellKind::Int]).await?;
        let row = rows.first().ok_or(CorruptRow)?;
        Ok(u64::try_from(row.int(0)?).map_err(|_| CorruptRow)?)
    }

    /// What the shape says of the next window: rows of these columns, or none after the last window.
    pub(super) async fn groups_step(
        &mut self,
        shape: &Shape,
        kinds: &[CellKind],
    ) -> Result<Vec<Row>, Error> {
        if self.is_done {
            return Ok(Vec::new());
        }
        let (made, id) = (kinds.len(), kinds.len() + 1);
        let kinds = [kinds, &[CellKind::Text, CellKind::Text]].concat();
        let rows = self.fetch(shape, WINDOW, &kinds).await?;
        // The window's last row is in one of the groups.
        let last = rows
            .iter()
            .find(|row| !matches!(row.maybe_text(made), Ok(None)));
        match last {
            Some(row) => self.after = Some(Cursor::read(row, made, id)?),
            None => self.is_done = true,
        }
        Ok(rows)
    }

    async fn fetch(
        &self,
        shape: &Shape,
        window: usize,
        kinds: &[CellKind],
    ) -> Result<Vec<Row>, Error> {
        let dialect = self.store.fragments.dialect;
        let after = self.after.as_ref();
        let (template, binds) = self
            .route
            .select(dialect, self.looking, shape, after, window)?;
        let statement: Statement = self.store.compile(&template, kinds);
        let purpose = match self.looking {
            Looking::Endable => Purpose::Ending,
            Looking::Listed | Looking::Live => Purpose::Upkeep,
        };
        let left = match self.extent {
            Extent::ToTheEnd => self.store.time_budget,
            Extent::WithinBudget => self
                .store
                .time_budget
                .saturating_sub(self.started.elapsed()),
        };
        self.store
            .fetch_for(
                purpose,
                left.max(Duration::from_millis(1)),
                &statement,
                binds,
            )
            .await
    }
}
