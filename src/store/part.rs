//! A part of an index, and how a statement is made to go by that index whatever the planner believes.
//!
//! SQLite and MariaDB are told the index by name. PostgreSQL knows no such words, and chooses by statistics, which may be
//! missing after a restore, or stale. There a statement is spelled so that one index alone can serve it:
//!
//! - Each index begins with an expression of its own, such as `realm || ' newest'`. Another index cannot serve it, not even
//!   in part.
//! - In an index of times alone, its place is a comparison of rows, from below and from above. PostgreSQL takes such a
//!   comparison for a common one, so it does not expect a handful of rows that could as well be read as a whole and sorted.
//!   Such a comparison can start a scan, and cannot end it. So the end of a part is looked for among the rows that a
//!   statement has read, whose number its LIMIT bounds: [`Rows::within`].
//! - In an index of users, administrators or addresses, each column is compared by itself. A comparison of rows ends a scan
//!   only where its first column changes: one user's sessions would lead on through those of all users after it.

use super::{
    Bind,
    dialect::Dialect,
    index::{Index, Order},
};

/// A part of an index: what it has of one realm, and of one user, administrator or address where it goes by these; between
/// bounds of its time.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) index: Index,
    name: Option<Bind>,
    bounds: Vec<Bound>,
}

/// The rows of a part as SQL, of which a statement reads as many as its LIMIT says.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// FROM, WHERE and ORDER BY.
    pub(super) sql: String,
    /// A WHERE for the rows that were read, or nothing: those that lie beyond the part come last.
    pub(super) within: String,
    /// Of both, in this order.
    pub(super) binds: Vec<Bind>,
}

/// Where a part begins or ends.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// `<`, `<=`, `>` or `>=`.
    comparison: &'static str,
    /// As SQL, and its parameters.
    time: (String, Vec<Bind>),
    /// Among rows of one time.
    id: Option<Bind>,
}

impl Bound {
    pub(super) fn new(comparison: &'static str, time: String, binds: Vec<Bind>) -> Self {
        Self {
            comparison,
            time: (time, binds),
            id: None,
        }
    }

    pub(super) fn with_id(self, id: Bind) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    /// As a condition on this column, and its parameters.
    fn on(&self, time: &str, dialect: Dialect) -> (String, Vec<Bind>) {
        let (than, (edge, binds)) = (self.comparison, &self.time);
        let mut binds = binds.clone();
        let condition = match (&self.id, dialect) {
            (None, _) => format!("{time} {than} {edge}"),
            // MariaDB finds no part of an index in a comparison of rows.
            (Some(_), Dialect::MySql) => {
                binds.extend_from_within(..);
                format!("({time} {than} {edge} OR ({time} = {edge} AND id {than} {{?uuid}}))")
            }
            (Some(_), _) => format!("({time}, id) {than} ({edge}, {{?uuid}})"),
        };
        binds.extend(self.id.clone());
        (condition, binds)
    }
}

impl Part {
    pub(super) fn of(index: Index) -> Self {
        Self {
            index,
            name: None,
            bounds: Vec::new(),
        }
    }

    pub(super) fn named(self, name: &impl ToString) -> Self {
        Self {
            name: Some(Bind::Text(name.to_string())),
            ..self
        }
    }

    pub(super) fn bounded(mut self, bound: Option<Bound>) -> Self {
        self.bounds.extend(bound);
        self
    }

    /// What of it lies beyond this place. A bound on the same side would be one comparison more, of which PostgreSQL would
    /// expect that it leaves few rows.
    pub(super) fn beyond(mut self, place: Option<Bound>) -> Self {
        if let Some(place) = place {
            let side = place.comparison.trim_end_matches('=');
            self.bounds
                .retain(|bound| !bound.comparison.starts_with(side));
            self.bounds.push(place);
        }
        self
    }

    /// How its rows are read in this order. More conditions do not belong here: see [`super::walk`].
    pub(super) fn rows(&self, dialect: Dialect, order: Order) -> Rows {
        let name = self.index.name(dialect);
        let (start, of_realm, is_in) = self.index.spelling();
        match dialect {
            Dialect::Sqlite => {
                self.by_columns(dialect, &format!("INDEXED BY {name}"), "{in_realm}", order)
            }
            Dialect::MySql => self.by_columns(
                dialect,
                &format!("FORCE INDEX ({name})"),
                "{in_realm}",
                order,
            ),
            Dialect::Postgres if self.index.names().is_some() => {
                let in_realm = format!("{is_in}{start} = {of_realm}");
                self.by_columns(dialect, "", &in_realm, order)
            }
            Dialect::Postgres => self.by_rows(dialect, order),
        }
    }

    fn has_id(&self) -> bool {
        self.index.time() == "created_at"
    }

    fn by_columns(&self, dialect: Dialect, hint: &str, in_realm: &str, order: Order) -> Rows {
        let time = self.index.time();
        let mut sql = format!("FROM countersign_sessions {hint} WHERE {in_realm}");
        let mut binds = Vec::new();
        if self.index.is_of_unended() {
            sql.push_str(" AND ended_at IS NULL");
        }
        if let Some(condition) = self.index.condition() {
            sql.push_str(&format!(" AND {condition}"));
        }
        if let Some(column) = self.index.names() {
            sql.push_str(&format!(" AND {column} = {{?text}}"));
            binds.extend(self.name.clone());
        }
        for bound in &self.bounds {
            let (condition, its_binds) = bound.on(time, dialect);
            sql.push_str(&format!(" AND {condition}"));
            binds.extend(its_binds);
        }
        sql.push_str(&format!(" ORDER BY {time} {}", order.word()));
        if self.has_id() {
            sql.push_str(&format!(", id {}", order.word()));
        }
        Rows {
            sql,
            within: String::new(),
            binds,
        }
    }

    /// Of an index that has nothing between the realm and the time.
    fn by_rows(&self, dialect: Dialect, order: Order) -> Rows {
        let (start, of_realm, is_in) = self.index.spelling();
        let time = self.index.time();
        let mut sorted = vec![start, time];
        if self.has_id() {
            sorted.push("id");
        }
        let sorted: Vec<_> = sorted
            .iter()
            .map(|column| format!("{column} {}", order.word()))
            .collect();
        let (starts, ends): (Vec<_>, Vec<_>) = self
            .bounds
            .iter()
            .cloned()
            .partition(|bound| bound.comparison.starts_with(order.onwards()));
        let mut bounds = vec![
            Bound::new(">=", "timestamptz '-infinity'".into(), Vec::new()),
            Bound::new("<=", "timestamptz 'infinity'".into(), Vec::new()),
        ];
        // A start needs no other on its side.
        bounds.retain(|end| starts.is_empty() || !end.comparison.starts_with(order.onwards()));
        bounds.extend(starts);
        let mut binds = Vec::new();
        let conditions: Vec<_> = bounds
            .iter()
            .map(|bound| {
                binds.extend(bound.time.1.iter().cloned());
                binds.extend(bound.id.clone());
                let (id, its) = match bound.id {
                    Some(_) => (", id", ", {?uuid}"),
                    None => ("", ""),
                };
                format!(
                    "({start}, {time}{id}) {} ({of_realm}, {}{its})",
                    bound.comparison, bound.time.0
                )
            })
            .collect();
        let sql = format!(
            "FROM countersign_sessions WHERE {is_in}{} ORDER BY {}",
            conditions.join(" AND "),
            sorted.join(", ")
        );
        let mut within = Vec::new();
        for bound in &ends {
            let (condition, its_binds) = bound.on(time, dialect);
            within.push(condition);
            binds.extend(its_binds);
        }
        Rows {
            sql,
            within: match within.is_empty() {
                true => String::new(),
                false => format!(" WHERE {}", within.join(" AND ")),
            },
            binds,
        }
    }
}
