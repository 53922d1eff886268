//! Reading the sessions that a filter means, in bounded steps.
//!
//! Each step reads one *window*: at most [`WINDOW`] rows of one index, in that index's order. The filter's other conditions
//! apply to the window alone. So a step costs the same in a table of a thousand rows and of ten million, whatever the
//! filter says and whatever the database believes about its rows. Which index that is, is decided here: see [`Path`].

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Bind, Cursor, Filter, Purpose, Store,
    dialect::Dialect,
    index::{Order, Part},
    statement::Statement,
    value::{CellKind, CorruptRow, Row},
};
use crate::error::Error;

/// The most rows that one step reads.
pub(super) const WINDOW: usize = 1024;

/// What a window has of each row: all that conditions and answers speak of.
const COLUMNS: &str = "id, realm, user_id, acting_user, created_at, authenticated_at, last_seen_at, expires_at, \
     reserved_until, remembered, ip, user_agent, ended_at, ended_reason, ended_by";

/// What leads to the sessions.
#[derive(Clone, Debug)]
pub(super) enum Path {
    /// One session by its id.
    One(Uuid),
    /// A part of an index.
    By(Part),
}

/// Which sessions count besides what the filter says, and from which end they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looking {
    /// Live and ended ones, newest first. A reservation is not a session.
    Listed,
    /// Live ones and sign-ins under way. Oldest first: what becomes real meanwhile moves ahead and is met again.
    Endable,
    /// Live ones.
    Live,
}

/// How long a walk may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As long as there is more. Only each step has a time budget.
    ToTheEnd,
    /// No step begins after half of the time budget, so that the answer is there within all of it.
    WithinBudget,
}

impl Looking {
    fn order(self) -> Order {
        match self {
            Self::Listed => Order::NewestFirst,
            Self::Endable | Self::Live => Order::OldestFirst,
        }
    }

    fn condition(self) -> &'static str {
        match self {
            Self::Listed => "reserved_until IS NULL",
            Self::Endable => "({live} OR {reserved})",
            Self::Live => "{live}",
        }
    }
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
    is_done: bool,
}

/// How the sessions are found, and the other conditions on them: each with AND before it, and their parameters.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) path: Path,
    pub(super) others: (String, Vec<Bind>),
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
            is_done: filter.means_none(),
        })
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
    /// where the window has none. The first window is about as large as what is wanted.
    pub(super) async fn step(&mut self, wanted: usize) -> Result<Vec<Row>, Error> {
        if self.is_done {
            return Ok(Vec::new());
        }
        let limit = wanted.clamp(2, WINDOW).next_power_of_two();
        let window = match self.after {
            Some(_) => WINDOW,
            None => limit,
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
        let kinds = [CellKind::Int, CellKind::Text, CellKind::Text];
        let rows = self.fetch(&Shape::Count, WINDOW, &kinds).await?;
        let row = rows.first().ok_or(CorruptRow)?;
        let count = u64::try_from(row.int(0)?).map_err(|_| CorruptRow)?;
        match row.maybe_text(1)? {
            Some(_) => self.after = Some(Cursor::read(row, 1, 2)?),
            None => self.is_done = true,
        }
        Ok(count)
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

/// What a step answers with.
pub(super) enum Shape {
    /// These columns of those that are meant, and of the window's last row, then: `created_at`, id, whether it is meant,
    /// whether it is the window's last one.
    Rows { columns: &'static str, limit: usize },
    /// How many are meant; `created_at` and id of the window's last row, where the window is full.
    Count,
}

impl Route {
    /// A step's template and its parameters. What is meant is found out about the rows of a whole window only: a condition
    /// inside of it would let the database look for rows that fulfil it, through the whole table if need be.
    pub(super) fn select(
        &self,
        dialect: Dialect,
        looking: Looking,
        shape: &Shape,
        after: Option<&Cursor>,
        window: usize,
    ) -> Result<(String, Vec<Bind>), Error> {
        let made = dialect.sortable("created_at");
        let (answer, end) = match shape {
            Shape::Rows { columns, limit } => (
                format!(
                    "{columns}, {made}, {{id:id}}, {{integer:countersign_match}}, {{flag:countersign_position = {window}}}"
                ),
                format!(
                    "WHERE countersign_match = 1 OR countersign_position = {window} \
                     ORDER BY countersign_position LIMIT {limit}"
                ),
            ),
            Shape::Count => (
                format!(
                    "{}, max(CASE WHEN countersign_position = {window} THEN {made} END), \
                     max(CASE WHEN countersign_position = {window} THEN {{id:id}} END)",
                    dialect.number("COALESCE(sum(countersign_match), 0)")
                ),
                String::new(),
            ),
        };
        let order = looking.order();
        let (rows, on_index) = match &self.path {
            Path::One(id) => (
                "FROM countersign_sessions WHERE id = {?uuid}".to_owned(),
                vec![Bind::from(*id)],
            ),
            Path::By(part) => {
                let place = after
                    .map(|after| after.beyond(dialect, order))
                    .transpose()?;
                part.clone().bounded(place).rows(dialect, order)
            }
        };
        let template = format!(
            "SELECT {answer} FROM (SELECT {COLUMNS}, CASE WHEN {{in_realm}} AND {condition}{others} THEN 1 ELSE 0 END \
             AS countersign_match, row_number() OVER (ORDER BY created_at {word}, id {word}) AS countersign_position \
             FROM (SELECT {COLUMNS} {rows} LIMIT {window}) countersign_window) countersign_walk {end}",
            condition = looking.condition(),
            others = self.others.0,
            word = order.word(),
        );
        let binds = self.others.1.iter().cloned().chain(on_index).collect();
        Ok((template, binds))
    }
}
