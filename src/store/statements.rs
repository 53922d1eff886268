//! Every statement that is ever sent, but for the filters of listings. No statement clears `ended_at`: what has
//! ended cannot come back.

use super::{
    dialect::UserCast,
    fragments::Fragments,
    statement::Statement,
    value::CellKind::{self, Bytes, Int, Text},
};

/// Where the application keeps its facts, in SQL of its own with the user's id in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplicationSql {
    /// FROM part: a row means that the account may be used. `None`: every account may.
    pub(crate) account: Option<String>,
    /// Column and FROM part.
    pub(crate) permissions: Vec<(String, String)>,
    /// A query for the user's own maximum of sessions.
    pub(crate) limit: Option<String>,
}

impl ApplicationSql {
    /// Whether any part wants the user's id in this form.
    pub(crate) fn uses(&self, cast: UserCast) -> bool {
        let permissions = self.permissions.iter().map(|(_, from)| from);
        self.account
            .iter()
            .chain(permissions)
            .chain(&self.limit)
            .any(|sql| sql.contains(cast.placeholder()))
    }
}

/// What a session's row says, as a number: the fourth column of [`Statements::verify`].
pub(crate) mod verdict {
    pub(crate) const NOT_LIVE: i64 = 0;
    pub(crate) const ACCOUNT_REFUSED: i64 = 1;
    pub(crate) const LIVE: i64 = 2;
    pub(crate) const LIVE_TOUCH_DUE: i64 = 3;
    pub(crate) const RESERVED: i64 = 4;
}

/// The columns of [`Statements::verify`] before the permissions.
pub(crate) const VERIFY_COLUMNS: [CellKind; 6] = [Bytes, Text, Text, Int, Text, Int];

/// The columns of a listing, in the order in which [`super::listing`] reads them.
pub(crate) const INFO_COLUMNS: [CellKind; 14] = [
    Text, Text, Int, Int, Int, Int, Int, Text, Text, Int, Int, Text, Text, Int,
];
pub(crate) const INFO_SELECT: &str = "SELECT {id:id}, user_id, {flag:live}, {micros:created_at}, {micros:authenticated_at}, \
     {micros:last_seen_at}, {micros:expires_at}, ip, user_agent, {flag:remembered}, {micros:ended_at}, \
     ended_reason, ended_by, {expired_at_micros} FROM countersign_sessions";

#[derive(Clone, Debug)]
pub(crate) struct Statements {
    pub(crate) verify: Statement,
    pub(crate) touch: Statement,
    pub(crate) insert_user: Statement,
    pub(crate) lock_user: Statement,
    pub(crate) application_limit: Option<Statement>,
    pub(crate) user_limit: Statement,
    pub(crate) set_user_limit: Statement,
    pub(crate) insert: Statement,
    pub(crate) rivals: Statement,
    pub(crate) activate: Statement,
    pub(crate) release: Statement,
    pub(crate) rotate: Statement,
    pub(crate) rotate_reauthenticated: Statement,
    pub(crate) rotated: Statement,
    pub(crate) undo_rotation: Statement,
    pub(crate) end_ids: Statement,
    pub(crate) end_token: Statement,
    pub(crate) sweep: [SweepStep; 4],
    pub(crate) schema_version: Statement,
}

/// A batch of the sweeper: which rows are due, and what to do to those that still are.
#[derive(Clone, Debug)]
pub(crate) struct SweepStep {
    pub(crate) due: Statement,
    pub(crate) act: Statement,
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
        let sweep_step = |due: &str, act: &str| SweepStep {
            due: one(
                &format!(
                    "SELECT {{id:id}} FROM countersign_sessions WHERE {due} LIMIT {}",
                    super::statement::MAX_LIST
                ),
                &[Text],
            ),
            act: list(act),
        };
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
            verify: verify(fragments, application),
            touch: list(
                "UPDATE countersign_sessions SET last_seen_at = {now} WHERE id {?uuids} AND {live} AND {touch_due}",
            ),
            insert_user: one(fragments.dialect.insert_user_if_absent(), &[]),
            lock_user: one(
                "SELECT max_sessions FROM countersign_users WHERE user_id = {?text} {lock}",
                &[Int],
            ),
            application_limit: application
                .limit
                .as_deref()
                .map(|query| application_limit(fragments, query)),
            user_limit: one(
                "SELECT max_sessions FROM countersign_users WHERE user_id = {?text}",
                &[Int],
            ),
            set_user_limit: one(
                // A negative number stands for "none of its own" below -1, so that no parameter has to be NULL.
                "UPDATE countersign_users SET max_sessions = NULLIF({?int}, -2) WHERE user_id = {?text}",
                &[],
            ),
            insert: one(
                "INSERT INTO countersign_sessions (id, user_id, token_hash, created_at, authenticated_at, last_seen_at, \
                 expires_at, reserved_until, remembered, ip, user_agent) VALUES ({?uuid}, {?text}, {?bytes}, {now}, {now}, \
                 {now}, {absolute_end}, {reservation_end}, {?int} = 1, {?text}, {?text})",
                &[],
            ),
            rivals: one(
                "SELECT {id:id}, {micros:created_at}, {micros:last_seen_at}, {flag:reserved}, \
                 CASE WHEN token_hash = {?bytes} OR \
                 (previous_token_hash = {?bytes} AND previous_until > {now}) THEN {integer:1} ELSE {integer:0} END FROM countersign_sessions WHERE user_id = {?text} AND id <> {?uuid} AND ({live} OR {reserved})",
                &[Text, Int, Int, Int, Int],
            ),
            activate: one(
                "UPDATE countersign_sessions SET reserved_until = NULL WHERE id = {?uuid} AND {reserved}",
                &[],
            ),
            release: one(
                "DELETE FROM countersign_sessions WHERE id = {?uuid} AND reserved_until IS NOT NULL",
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
                 previous_until = NULL WHERE id = {?uuid} AND token_hash = {?bytes} AND previous_token_hash IS NOT NULL",
                &[],
            ),
            end_ids: list(
                "UPDATE countersign_sessions SET ended_at = {now}, ended_reason = {?text}, ended_by = {?text} \
                 WHERE id {?uuids} AND ended_at IS NULL",
            ),
            end_token: one(
                "UPDATE countersign_sessions SET ended_at = {now}, ended_reason = {?text}, ended_by = {?text} \
                 WHERE (token_hash = {?bytes} OR (previous_token_hash = {?bytes} AND previous_until > {now})) \
                 AND ended_at IS NULL",
                &[],
            ),
            sweep: [
                sweep_step(
                    "{idle}",
                    "UPDATE countersign_sessions SET ended_at = {expired_at}, ended_reason = 'expired' WHERE id {?uuids} AND {idle}",
                ),
                sweep_step(
                    "{overdue}",
                    "UPDATE countersign_sessions SET ended_at = {expired_at}, ended_reason = 'expired' WHERE id {?uuids} AND {overdue}",
                ),
                sweep_step(
                    "{lapsed}",
                    "DELETE FROM countersign_sessions WHERE id {?uuids} AND {lapsed}",
                ),
                sweep_step(
                    "{forgettable}",
                    "DELETE FROM countersign_sessions WHERE id {?uuids} AND {forgettable}",
                ),
            ],
            schema_version: one(
                "SELECT {integer:max(version)} FROM _countersign_migrations",
                &[Int],
            ),
        }
    }
}

/// The one statement of a request: sessions by token digest, whether they are live, whether their accounts may be
/// used, and their permissions.
///
/// All names that the application's SQL can see of ours are long ones: a column that its table lacks would otherwise
/// be taken from our row, and `user_id = {user:text}` would compare that row with itself, for every row of the table.
fn verify(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let session = "countersign_session";
    let fill = |sql: &str| with_user(fragments, sql, &format!("{session}.countersign_user"));
    let resolve = |tag: &str| fragments.resolve(tag).unwrap_or_default();

    let state = format!(
        "CASE WHEN {} THEN {} WHEN NOT {} THEN {} WHEN {} THEN {} ELSE {} END",
        resolve("reserved"),
        verdict::RESERVED,
        resolve("live"),
        verdict::NOT_LIVE,
        resolve("touch_due"),
        verdict::LIVE_TOUCH_DUE,
        verdict::LIVE,
    );
    let account = application.account.as_deref().map(|from| {
        format!(
            "WHEN NOT EXISTS (SELECT 1 FROM {}) THEN {}",
            fill(from),
            verdict::ACCOUNT_REFUSED
        )
    });
    // Accounts of sessions that are not live are not asked about.
    let verdict = fragments.dialect.integer(&format!(
        "CASE WHEN {session}.countersign_state IN ({}, {}) THEN {session}.countersign_state {} ELSE {session}.countersign_state END",
        verdict::RESERVED,
        verdict::NOT_LIVE,
        account.unwrap_or_default(),
    ));
    let permissions: String = application
        .permissions
        .iter()
        .map(|(column, from)| format!(", {}", fragments.dialect.json_array(column, &fill(from))))
        .collect();

    let columns = "{id:id} AS countersign_id, user_id AS countersign_user, {state} AS countersign_state, \
         ended_reason AS countersign_reason, {micros_since:authenticated_at} AS countersign_age";
    let template = format!(
        "SELECT {session}.countersign_token, {session}.countersign_id, {session}.countersign_user, {{verdict}}, \
         {session}.countersign_reason, {session}.countersign_age{{permissions}} FROM (\
         SELECT token_hash AS countersign_token, {columns} FROM countersign_sessions WHERE token_hash {{?hashes}} \
         UNION ALL SELECT previous_token_hash, {columns} FROM countersign_sessions \
         WHERE previous_token_hash {{?hashes}} AND previous_until > {{now}}) {session}"
    );
    let mut kinds = VERIFY_COLUMNS.to_vec();
    kinds.extend(application.permissions.iter().map(|_| Text));
    Statement::over_list(fragments.dialect, &template, &kinds, |tag| match tag {
        "verdict" => Some(verdict.clone()),
        "permissions" => Some(permissions.clone()),
        "state" => Some(state.clone()),
        _ => fragments.resolve(tag),
    })
}

/// The application's query for a user's maximum, standing on our row of the user, which is locked.
fn application_limit(fragments: &Fragments, query: &str) -> Statement {
    let user = "countersign_user";
    let query = with_user(fragments, query, &format!("{user}.countersign_user"));
    let template = format!(
        "SELECT {{limit}} FROM (SELECT user_id AS countersign_user FROM countersign_users WHERE user_id = {{?text}}) {user}"
    );
    let limit = fragments.dialect.integer(&format!("({query})"));
    Statement::new(fragments.dialect, &template, &[Int], |tag| match tag {
        "limit" => Some(limit.clone()),
        _ => fragments.resolve(tag),
    })
}

fn with_user(fragments: &Fragments, sql: &str, column: &str) -> String {
    UserCast::ALL.iter().fold(sql.to_owned(), |sql, cast| {
        sql.replace(cast.placeholder(), &fragments.dialect.user(*cast, column))
    })
}
