//! The indexes of the sessions, and how a statement is made to go by one of them whatever the planner believes.
//!
//! SQLite and MariaDB are told the index by name. PostgreSQL knows no such words, and chooses by statistics, which may be
//! missing after a restore, or stale. There a statement is spelled so that one index alone can serve it:
//!
//! - Each index begins with an expression of its own, such as `realm || ' newest'`. Another index cannot serve it, not even
//!   in part.
//! - In an index of times alone, its place is a comparison of rows, from below and from above. PostgreSQL takes such a
//!   comparison for a common one, so it does not expect a handful of rows that could as well be read as a whole and sorted.
//! - In an index of users, administrators or addresses, each column is compared by itself. A comparison of rows ends a scan
//!   only where its first column changes: one user's sessions would lead on through those of all users after it.

use super::{Bind, dialect::Dialect};

/// An index of the sessions. Each is in the order of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// All of a realm, by `created_at`.
    Newest,
    /// What has not ended, by `created_at`.
    Live,
    /// A user's, by `created_at`.
    User,
    /// Those in which an administrator acts as another user, by `created_at`.
    ActingUser,
    /// Those from one address, by `created_at`.
    Ip,
    /// What has not ended, by `last_seen_at`.
    Idle,
    /// What has not ended, by `expires_at`.
    Expires,
    /// Sign-ins that are not real yet, by `reserved_until`.
    Reserved,
    /// What has ended, by `ended_at`.
    Ended,
}

/// From which end an index is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NewestFirst => "DESC",
            Self::OldestFirst => "ASC",
        }
    }
}

impl Index {
    #[cfg(test)]
    pub(super) const ALL: [Self; 9] = [
        Self::Newest,
        Self::Live,
        Self::User,
        Self::ActingUser,
        Self::Ip,
        Self::Idle,
        Self::Expires,
        Self::Reserved,
        Self::Ended,
    ];

    pub(super) fn name(self, dialect: Dialect) -> &'static str {
        match self {
            Self::Newest => "countersign_sessions_newest",
            // What has not ended is the part of that index where `ended_at` is NULL.
            Self::Live if dialect == Dialect::MySql => "countersign_sessions_ended",
            Self::Live => "countersign_sessions_live",
            Self::User => "countersign_sessions_user",
            Self::ActingUser => "countersign_sessions_acting_user",
            Self::Ip => "countersign_sessions_ip",
            Self::Idle => "countersign_sessions_idle",
            Self::Expires => "countersign_sessions_expires",
            Self::Reserved => "countersign_sessions_reserved",
            Self::Ended => "countersign_sessions_ended",
        }
    }

    /// The column between the realm and the time.
    fn names(self) -> Option<&'static str> {
        match self {
            Self::User => Some("user_id"),
            Self::ActingUser => Some("acting_user"),
            Self::Ip => Some("ip"),
            _ => None,
        }
    }

    fn time(self) -> &'static str {
        match self {
            Self::Newest | Self::Live | Self::User | Self::ActingUser | Self::Ip => "created_at",
            Self::Idle => "last_seen_at",
            Self::Expires => "expires_at",
            Self::Reserved => "reserved_until",
            Self::Ended => "ended_at",
        }
    }

    fn is_of_unended(self) -> bool {
        matches!(self, Self::Live | Self::Idle | Self::Expires)
    }

    /// How PostgreSQL's index begins, the same of this realm, and the condition under which a row is in it.
    fn spelling(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::User => ("realm", "{realm}", ""),
            Self::Newest => ("realm || ' newest'", "{realm} || ' newest'", ""),
            Self::Live => (
                "CASE WHEN ended_at IS NULL THEN realm || ' live' END",
                "{realm} || ' live'",
                "CASE WHEN ended_at IS NULL THEN realm || ' live' END IS NOT NULL AND ",
            ),
            Self::ActingUser => (
                "realm || ' acting'",
                "{realm} || ' acting'",
                "acting_user IS NOT NULL AND ",
            ),
            Self::Ip => ("realm || ' ip'", "{realm} || ' ip'", "ip IS NOT NULL AND "),
            Self::Idle => (
                "CASE WHEN ended_at IS NULL THEN realm || ' idle' END",
                "{realm} || ' idle'",
                "CASE WHEN ended_at IS NULL THEN realm || ' idle' END IS NOT NULL AND ",
            ),
            Self::Expires => (
                "CASE WHEN ended_at IS NULL THEN realm || ' expires' END",
                "{realm} || ' expires'",
                "CASE WHEN ended_at IS NULL THEN realm || ' expires' END IS NOT NULL AND ",
            ),
            Self::Reserved => (
                "realm || ' reserved'",
                "{realm} || ' reserved'",
                "reserved_until IS NOT NULL AND ",
            ),
            Self::Ended => (
                "realm || ' ended'",
                "{realm} || ' ended'",
                "ended_at IS NOT NULL AND ",
            ),
        }
    }
}

/// A part of an index: what it has of one realm, and of one user, administrator or address where it goes by these; between
/// bounds of its time.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) index: Index,
    name: Option<Bind>,
    bounds: Vec<Bound>,
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

    /// FROM, WHERE and ORDER BY, with the parameters. More conditions do not belong here: see [`super::walk`].
    pub(super) fn rows(&self, dialect: Dialect, order: Order) -> (String, Vec<Bind>) {
        match dialect {
            Dialect::Sqlite => self.by_name(dialect, "INDEXED BY ", "", order),
            Dialect::MySql => self.by_name(dialect, "FORCE INDEX (", ")", order),
            Dialect::Postgres => self.by_spelling(order),
        }
    }

    fn has_id(&self) -> bool {
        self.index.time() == "created_at"
    }

    fn by_name(
        &self,
        dialect: Dialect,
        before: &str,
        after: &str,
        order: Order,
    ) -> (String, Vec<Bind>) {
        let (name, time) = (self.index.name(dialect), self.index.time());
        let mut sql = format!("FROM countersign_sessions {before}{name}{after} WHERE {{in_realm}}");
        let mut binds = Vec::new();
        if self.index.is_of_unended() {
            sql.push_str(" AND ended_at IS NULL");
        }
        if let Some(column) = self.index.names() {
            sql.push_str(&format!(" AND {column} = {{?text}}"));
            binds.extend(self.name.clone());
        }
        for bound in &self.bounds {
            let (than, (edge, edge_binds)) = (bound.comparison, &bound.time);
            let condition = match (&bound.id, dialect) {
                (None, _) => format!("{time} {than} {edge}"),
                // MariaDB finds no part of an index in a comparison of rows.
                (Some(_), Dialect::MySql) => {
                    binds.extend(edge_binds.iter().cloned());
                    format!("({time} {than} {edge} OR ({time} = {edge} AND id {than} {{?uuid}}))")
                }
                (Some(_), _) => format!("({time}, id) {than} ({edge}, {{?uuid}})"),
            };
            sql.push_str(&format!(" AND {condition}"));
            binds.extend(edge_binds.iter().cloned());
            binds.extend(bound.id.clone());
        }
        sql.push_str(&format!(" ORDER BY {time} {}", order.word()));
        if self.has_id() {
            sql.push_str(&format!(", id {}", order.word()));
        }
        (sql, binds)
    }

    fn by_spelling(&self, order: Order) -> (String, Vec<Bind>) {
        let (start, of_realm, is_in) = self.index.spelling();
        let time = self.index.time();
        let mut sorted = vec![start];
        sorted.extend(self.index.names());
        sorted.push(time);
        if self.has_id() {
            sorted.push("id");
        }
        let sorted: Vec<_> = sorted
            .iter()
            .map(|column| format!("{column} {}", order.word()))
            .collect();
        let (conditions, binds) = match self.index.names() {
            Some(column) => self.of_name(start, of_realm, column),
            None => self.of_realm(start, of_realm),
        };
        let sql = format!(
            "FROM countersign_sessions WHERE {is_in}{} ORDER BY {}",
            conditions.join(" AND "),
            sorted.join(", ")
        );
        (sql, binds)
    }

    fn of_name(&self, start: &str, of_realm: &str, column: &str) -> (Vec<String>, Vec<Bind>) {
        let time = self.index.time();
        let mut conditions = vec![format!("{start} = {of_realm} AND {column} = {{?text}}")];
        let mut binds: Vec<_> = self.name.iter().cloned().collect();
        for bound in &self.bounds {
            let (than, edge) = (bound.comparison, &bound.time.0);
            conditions.push(match bound.id {
                Some(_) => format!("({time}, id) {than} ({edge}, {{?uuid}})"),
                None => format!("{time} {than} {edge}"),
            });
            binds.extend(bound.time.1.iter().cloned());
            binds.extend(bound.id.clone());
        }
        (conditions, binds)
    }

    fn of_realm(&self, start: &str, of_realm: &str) -> (Vec<String>, Vec<Bind>) {
        let time = self.index.time();
        let mut bounds = vec![
            Bound::new(">=", "timestamptz '-infinity'".into(), Vec::new()),
            Bound::new("<=", "timestamptz 'infinity'".into(), Vec::new()),
        ];
        // A side that has a bound of its own needs no other.
        bounds.retain(|end| {
            let mut own = self.bounds.iter().map(|bound| bound.comparison);
            !own.any(|own| own.starts_with(end.comparison.trim_end_matches('=')))
        });
        bounds.extend(self.bounds.iter().cloned());
        let mut binds = Vec::new();
        let conditions = bounds.iter().map(|bound| {
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
        });
        (conditions.collect(), binds)
    }
}
