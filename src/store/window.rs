//! The SQL of one step of a walk: it reads a window of an index, and answers about the window's rows.

use uuid::Uuid;

use super::{
    Bind, Cursor,
    dialect::Dialect,
    index::Order,
    part::{Part, Rows},
};
use crate::error::Error;

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

impl Looking {
    pub(super) fn order(self) -> Order {
        match self {
            Self::Listed => Order::NewestFirst,
            Self::Endable | Self::Live => Order::OldestFirst,
        }
    }

    pub(super) fn condition(self) -> &'static str {
        match self {
            Self::Listed => "reserved_until IS NULL",
            Self::Endable => "({live} OR {reserved})",
            Self::Live => "{live}",
        }
    }
}

/// How the sessions are found, and the other conditions on them: each with AND before it, and their parameters.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) path: Path,
    pub(super) others: (String, Vec<Bind>),
}

/// What a window has of each row: all that conditions and answers speak of.
const COLUMNS: &str = "id, realm, user_id, acting_user, created_at, authenticated_at, last_seen_at, expires_at, \
     reserved_until, remembered, bearer, ip, user_agent, ended_at, ended_reason, ended_by";

/// What a step answers with.
pub(super) enum Shape {
    /// These columns of those that are meant, and of the window's last row, then: `created_at`, id, whether it is meant,
    /// whether it is the window's last one.
    Rows { columns: &'static str, limit: usize },
    /// How many are meant; `created_at` and id of the window's last row, where the window is full.
    Count,
    /// All rows of the window by state and reason, the live ones by user as well: [`STATES`]. Then as above, in the group
    /// of the window's last row.
    States,
}

/// Whether they are live, are sign-ins under way, and have ever been sign-ins only; why they ended; the user, if they are
/// live; how many.
const STATES: &str = "{flag:live}, {flag:reserved}, {flag:reserved_until IS NOT NULL}, ended_reason, \
     CASE WHEN {live} THEN user_id END, {integer:count(*)}";

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
        let last = format!(
            "max(CASE WHEN countersign_position = {window} THEN {made} END), \
             max(CASE WHEN countersign_position = {window} THEN {{id:id}} END)"
        );
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
                    "{}, {last}",
                    dialect.number("COALESCE(sum(countersign_match), 0)")
                ),
                String::new(),
            ),
            Shape::States => (format!("{STATES}, {last}"), "GROUP BY 1, 2, 3, 4, 5".into()),
        };
        let order = looking.order();
        let rows = match &self.path {
            Path::One(id) => Rows {
                sql: "FROM countersign_sessions WHERE id = {?uuid}".to_owned(),
                within: String::new(),
                binds: vec![Bind::from(*id)],
            },
            Path::By(part) => {
                let place = after
                    .map(|after| after.beyond(dialect, order))
                    .transpose()?;
                part.clone().beyond(place).rows(dialect, order)
            }
        };
        let template = format!(
            "SELECT {answer} FROM (SELECT {COLUMNS}, CASE WHEN {{in_realm}} AND {condition}{others} THEN 1 ELSE 0 END \
             AS countersign_match, row_number() OVER (ORDER BY created_at {word}, id {word}) AS countersign_position \
             FROM (SELECT {COLUMNS} {rows} LIMIT {window}) countersign_window{within}) countersign_walk {end}",
            rows = rows.sql,
            within = rows.within,
            condition = looking.condition(),
            others = self.others.0,
            word = order.word(),
        );
        let binds = self.others.1.iter().cloned().chain(rows.binds).collect();
        Ok((template, binds))
    }
}
