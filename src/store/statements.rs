//! Every statement that is ever sent, but for those about what a filter means: see [`super::walk`]. No statement clears `ended_at`: what has
//! ended cannot come back.

use super::{
    application::{self, ApplicationSql},
    dialect::Dialect,
    display_name,
    fragments::Fragments,
    index::{Index, Order},
    judging,
    part::{Bound, Part},
    statement::Statement,
    value::CellKind::{self, Id, Int, Text},
};

/// The columns of a listing, in the order in which [`super::listing`] reads them.
pub(crate) const INFO_COLUMNS: [CellKind; 16] = [
    Text, Text, Int, Int, Int, Int, Int, Text, Text, Int, Int, Text, Text, Int, Text, Int,
];
pub(crate) const INFO: &str = "{id:id}, user_id, {flag:live}, {micros:created_at}, {micros:authenticated_at}, \
     {micros:last_seen_at}, {micros:expires_at}, ip, user_agent, {flag:remembered}, {micros:ended_at}, \
     ended_reason, ended_by, {expired_at_micros}, acting_user, {flag:bearer}";

#[derive(Clone, Debug)]
pub(crate) struct Statements {
    pub(crate) verify: Statement,
    pub(crate) due_for_touch: Option<Statement>,
    pub(crate) touch: Statement,
    pub(crate) lock_sessions: Option<Statement>,
    pub(crate) insert_user: Statement,
    pub(crate) lock_user: Statement,
    pub(crate) standing: Option<Statement>,
    pub(crate) user_limit: Statement,
    pub(crate) set_user_limit: Statement,
    pub(crate) insert: Statement,
    pub(crate) insert_acting: Statement,
    pub(crate) find_token: Statement,
    pub(crate) rivals: Statement,
    pub(crate) siblings: Statement,
    /// How many parameters of these two, in a row, are the user's id.
    pub(crate) user_named: usize,
    pub(crate) activate: Statement,
    pub(crate) activate_acting: Statement,
    /// For a session that concerns no other. `None` where the application sets maximums, in rows that are not ours to lock.
    pub(crate) activate_alone: Option<Statement>,
    pub(crate) release: Statement,
    pub(crate) rotate: Statement,
    pub(crate) rotate_reauthenticated: Statement,
    pub(crate) rotated: Statement,
    pub(crate) undo_rotation: Statement,
    pub(crate) end_ids: Statement,
    pub(crate) end_reserved: Statement,
    pub(crate) end_live: Statement,
    pub(crate) prove: Statement,
    pub(crate) sweep: [SweepStep; 5],
    pub(crate) ended_among: Statement,
    pub(crate) stamped: Option<Statement>,
    pub(crate) ended_recently: Statement,
    pub(crate) display_names: Option<Statement>,
}

/// A batch of the sweeper: which rows are due, and what to do to those that still are.
#[derive(Clone, Debug)]
pub(crate) struct SweepStep {
    pub(crate) due: Due,
    pub(crate) act: Statement,
}

/// What is due to be swept: the condition, the index by which it is found, and how much of that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) condition: &'static str,
    index: Index,
    until: &'static str,
}

impl Due {
    pub(crate) const IDLE: Self = Self {
        condition: "{idle}",
        index: Index::Idle,
        until: "{idle_since}",
    };
    pub(crate) const KEPT: Self = Self {
        condition: "{idle}",
        index: Index::Kept,
        until: "{kept_since}",
    };
    pub(crate) const OVERDUE: Self = Self {
        condition: "{overdue}",
        index: Index::Expires,
        until: "{now}",
    };
    pub(crate) const LAPSED: Self = Self {
        condition: "{lapsed}",
        index: Index::Reserved,
        until: "{now}",
    };
    pub(crate) const FORGETTABLE: Self = Self {
        condition: "{forgettable}",
        index: Index::Ended,
        until: "{forget_until}",
    };

    /// So many rows of its part of the index, the longest overdue first.
    pub(crate) fn rows(self, dialect: Dialect, limit: &str) -> String {
        let until = Bound::new("<=", self.until.into(), Vec::new());
        let part = Part::of(self.index).bounded(Some(until));
        let rows = part.rows(dialect, Order::OldestFirst);
        format!(
            "(SELECT * FROM (SELECT id, realm, reserved_until, ended_at, last_seen_at, expires_at, remembered {} LIMIT {limit}) \
             countersign_read{}) countersign_due",
            rows.sql, rows.within
        )
    }
}

impl Statements {
    pub(crate) fn new(fragments: &Fragments, application: &ApplicationSql) -> Self {
        let one = |template: &str, columns: &[CellKind]| {
            Statement::new(fragments.dialect, template, columns, |tag| {
                fragments.resolve(tag)
            })
        };
        let list = |template: &str| {
            Statement::over_list(fragments.dialect, template, &[], |tag| {
                fragments.resolve(tag)
            })
        };
        let sweep_step = |due: Due, act: &str| SweepStep {
            due,
            act: list(act),
        };
        let read_list = |template: &str| {
            Statement::over_list(fragments.dialect, template, &[Id], |tag| {
                fragments.resolve(tag)
            })
        };
        // A statement that waits for a row has read the clock before. What keeps alive or grants must not judge by that
        // time, so the rows are locked first, by a statement of their own.
        let where_rows_are_waited_for = |template: &str| {
            fragments
                .dialect
                .waits_for_rows()
                .then(|| read_list(template))
        };
        let insert = |end: &str, from: &str| {
            one(
                &format!(
                    "INSERT INTO countersign_sessions (realm, id, user_id, acting_user, token_hash, created_at, \
                     authenticated_at, last_seen_at, expires_at, reserved_until, remembered, bearer, ip, user_agent, stamp_hash, family) \
                     SELECT {{realm}}, {{?uuid}}, {{?text}}, {{?text}}, {{?bytes}}, {{now}}, {{now}}, {{now}}, {end}, \
                     {{reservation_end}}, {{?int}} = 1, {{?int}} = 1, {{?text}}, {{?text}}, {{?bytes}}, \
                     COALESCE(previous.family, previous.id) FROM {from}"
                ),
                &[],
            )
        };
        // Through the user's own sessions, and never through what has run out or ended. Nothing is left out here, so a
        // comparison of rows would have PostgreSQL expect half of the table; the realm alone leads to no other index.
        let (of_user, named) = match fragments.dialect {
            Dialect::Postgres => (
                "FROM countersign_sessions WHERE {in_realm} AND user_id = {?text} OFFSET 0"
                    .to_owned(),
                1,
            ),
            Dialect::Sqlite | Dialect::MySql => {
                let user = Part::of(Index::User).named(&"");
                let rows = user.rows(fragments.dialect, Order::OldestFirst);
                (rows.sql, rows.binds.len())
            }
        };
        let of_user = format!(
            "SELECT id, created_at, last_seen_at, expires_at, remembered, reserved_until, ended_at, acting_user, family {of_user}"
        );
        let since = Bound::new(">=", "{lately}".into(), Vec::new());
        let lately = Part::of(Index::Ended).bounded(Some(since));
        let rotate = |also: &str| {
            one(
                // The old digest is moved before it is overwritten: MySQL assigns from left to right.
                &format!(
                    "UPDATE countersign_sessions SET previous_token_hash = token_hash, previous_until = {{grace_end}}{also}, \
                     token_hash = {{?bytes}} WHERE id = {{?uuid}} AND token_hash = {{?bytes}} AND {{live}}"
                ),
                &[],
            )
        };
        Self {
            verify: judging::verify(fragments, application),
            // Those that are locked are being changed by another: a touch waits for nothing.
            due_for_touch: where_rows_are_waited_for(
                "SELECT id FROM countersign_sessions WHERE id {?uuids} AND {live} AND {touch_due} ORDER BY id {lock_free}",
            ),
            lock_sessions: where_rows_are_waited_for(
                "SELECT id FROM countersign_sessions WHERE id {?uuids} ORDER BY id {lock}",
            ),
            touch: list(
                "UPDATE countersign_sessions{by_id} SET last_seen_at = {now} WHERE id {?uuids} AND {live} AND {touch_due}",
            ),
            insert_user: one(fragments.dialect.insert_user_if_absent(), &[]),
            lock_user: one(
                "SELECT max_sessions FROM countersign_users WHERE {in_realm} AND user_id = {?text} {lock}",
                &[Int],
            ),
            standing: application::standing(fragments, application),
            user_limit: one(
                "SELECT max_sessions FROM countersign_users WHERE {in_realm} AND user_id = {?text}",
                &[Int],
            ),
            set_user_limit: one(
                // A negative number stands for "none of its own" below -1, so that no parameter is NULL.
                "UPDATE countersign_users SET max_sessions = NULLIF({?int}, -2) \
                 WHERE {in_realm} AND user_id = {?text}",
                &[],
            ),
            insert: insert(
                "{absolute_end}",
                "(SELECT 1 AS one) one LEFT JOIN countersign_sessions previous ON previous.id = {?uuid}",
            ),
            // No longer than the administrator's own session could last; and where that is over, not at all.
            insert_acting: insert(
                "previous.expires_at",
                "countersign_sessions previous WHERE id = {?uuid} AND {live}",
            ),
            // Two look-ups, each by an index of its own. An OR over both would be a reason to read the whole table.
            find_token: one(
                "SELECT id FROM countersign_sessions WHERE token_hash = {?bytes} AND {in_realm} UNION ALL \
                 SELECT id FROM countersign_sessions WHERE previous_token_hash = {?bytes} AND {in_grace} AND {in_realm}",
                &[Id],
            ),
            rivals: one(
                &format!(
                    "SELECT id, {{micros:created_at}}, {{micros:last_seen_at}}, {{flag:reserved}}, \
                     CASE WHEN id = {{?uuid}} OR family = (SELECT new.family FROM countersign_sessions new WHERE new.id = {{?uuid}}) \
                     THEN {{integer:1}} ELSE {{integer:0}} END, {{integer:count(*) OVER ()}} FROM ({of_user}) mine \
                     WHERE acting_user IS NULL AND id <> {{?uuid}} AND ({{live}} OR {{reserved}})"
                ),
                &[Id, Int, Int, Int, Int, Int],
            ),
            // The user's other sessions of the same browser.
            siblings: one(
                &format!(
                    "SELECT id, {{integer:count(*) OVER ()}} FROM ({of_user}) mine WHERE id <> {{?uuid}} AND {{live}} \
                     AND family = (SELECT new.family FROM countersign_sessions new WHERE new.id = {{?uuid}})"
                ),
                &[Id, Int],
            ),
            user_named: named,
            // The clocks of a session start when it is real: what the handler took is not the user's.
            activate: one(
                "UPDATE countersign_sessions SET reserved_until = NULL, created_at = {now}, last_seen_at = {now}, \
                 expires_at = {absolute_end} WHERE id = {?uuid} AND {flag:reserved} = 1",
                &[],
            ),
            activate_acting: one(
                "UPDATE countersign_sessions SET reserved_until = NULL, created_at = {now}, last_seen_at = {now}, \
                 expires_at = {acting_end} WHERE id = {?uuid} AND {flag:reserved} = 1",
                &[],
            ),
            // It may wait for the user's row after it has read the clock, and locks nothing first.
            activate_alone: application.limit.is_none().then(|| {
                one(
                    "UPDATE countersign_sessions SET reserved_until = NULL, created_at = {now}, last_seen_at = {now}, \
                     expires_at = {absolute_end} WHERE id = {?uuid} AND {flag:reserved_beyond_budget} = 1 AND EXISTS (SELECT 1 \
                     FROM countersign_users WHERE {in_realm} AND user_id = {?text} AND max_sessions IS NULL {lock})",
                    &[],
                )
            }),
            release: one(
                "DELETE FROM countersign_sessions WHERE id = {?uuid} AND {flag:reserved_until IS NOT NULL} = 1",
                &[],
            ),
            rotate: rotate(""),
            rotate_reauthenticated: rotate(", authenticated_at = {now}"),
            rotated: one(
                "SELECT {flag:remembered}, {micros_until:expires_at} FROM countersign_sessions WHERE id = {?uuid}",
                &[Int, Int],
            ),
            undo_rotation: one(
                "UPDATE countersign_sessions SET token_hash = previous_token_hash, previous_token_hash = NULL, \
                 previous_until = NULL WHERE id = {?uuid} AND token_hash = {?bytes} AND {flag:previous_token_hash IS NOT NULL} = 1",
                &[],
            ),
            end_ids: list(
                "UPDATE countersign_sessions{by_id} SET ended_at = {now}, ended_reason = {?text}, ended_by = {?text} \
                 WHERE id {?uuids} AND ended_at IS NULL",
            ),
            end_reserved: list(
                "UPDATE countersign_sessions{by_id} SET ended_at = {now}, ended_reason = {?text}, ended_by = {?text} \
                 WHERE id {?uuids} AND {flag:reserved} = 1",
            ),
            end_live: list(
                "UPDATE countersign_sessions{by_id} SET ended_at = {now}, ended_reason = {?text}, ended_by = {?text} \
                 WHERE id {?uuids} AND {live}",
            ),
            prove: one(
                "UPDATE countersign_sessions SET authenticated_at = {now} WHERE id = {?uuid} AND {live}",
                &[],
            ),
            // Rows that were found before, by their ids. What else must hold is a flag, which no index can serve: a planner
            // would otherwise read all that is reserved, or has ended, to find them.
            sweep: [
                sweep_step(
                    Due::IDLE,
                    "UPDATE countersign_sessions{by_id} SET ended_at = COALESCE({expired_at}, {now}), ended_reason = 'expired' WHERE id {?uuids} AND {flag:idle} = 1",
                ),
                sweep_step(
                    Due::KEPT,
                    "UPDATE countersign_sessions{by_id} SET ended_at = COALESCE({expired_at}, {now}), ended_reason = 'expired' WHERE id {?uuids} AND {flag:idle} = 1",
                ),
                sweep_step(
                    Due::OVERDUE,
                    "UPDATE countersign_sessions{by_id} SET ended_at = COALESCE({expired_at}, {now}), ended_reason = 'expired' WHERE id {?uuids} AND {flag:overdue} = 1",
                ),
                sweep_step(
                    Due::LAPSED,
                    "DELETE FROM countersign_sessions{by_id} WHERE id {?uuids} AND {flag:lapsed} = 1",
                ),
                sweep_step(
                    Due::FORGETTABLE,
                    "DELETE FROM countersign_sessions{by_id} WHERE id {?uuids} AND {flag:forgettable} = 1",
                ),
            ],
            ended_among: judging::ended_among(fragments, application),
            stamped: judging::stamped(fragments, application),
            display_names: display_name::display_names(fragments, application),
            // Long enough for a transaction to become visible after the time it wrote.
            ended_recently: one(
                &format!(
                    "SELECT {{id:id}}, ended_reason {} LIMIT {}",
                    lately.rows(fragments.dialect, Order::OldestFirst).sql,
                    super::statement::MAX_LIST + 1
                ),
                &[Text, Text],
            ),
        }
    }
}
