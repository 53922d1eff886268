//! The application's own SQL, and the statements that it is part of.
//!
//! All names that the application's SQL can see of ours are long ones: a column that its table lacks would otherwise
//! be taken from our row, and `user_id = {user:text}` would compare that row with itself, for every row of the table.

use super::{
    dialect::UserCast,
    fragments::Fragments,
    statement::Statement,
    value::CellKind::{self, Bytes, Int, Text},
};

const SESSION: &str = "countersign_session";
const USER: &str = "countersign_owner";

/// The columns whose user the application's SQL is about: whose session it is, who acts as that user, whose limit it is.
const OWNER: &str = "countersign_session.countersign_user";
const ACTING: &str = "countersign_session.countersign_acting";
const LIMITED: &str = "countersign_owner.countersign_user";

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

/// What a session's row says, as a number: the fourth column of [`verify`].
pub(crate) mod verdict {
    pub(crate) const NOT_LIVE: i64 = 0;
    pub(crate) const ACCOUNT_REFUSED: i64 = 1;
    pub(crate) const LIVE: i64 = 2;
    pub(crate) const LIVE_TOUCH_DUE: i64 = 3;
    pub(crate) const RESERVED: i64 = 4;
}

/// The columns of [`verify`] before the permissions.
pub(crate) const VERIFY_COLUMNS: [CellKind; 7] = [Bytes, Text, Text, Int, Text, Int, Text];

/// The one statement of a request: sessions by token digest, whether they are live, whether their accounts may be
/// used, and their permissions.
pub(super) fn verify(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let verdict = verdict_of(fragments, application);
    let permissions: String = application
        .permissions
        .iter()
        .map(|(column, from)| {
            let from = with_user(fragments, from, OWNER);
            format!(", {}", fragments.dialect.json_array(column, &from))
        })
        .collect();
    let template = format!(
        "SELECT {SESSION}.countersign_token, {SESSION}.countersign_id, {SESSION}.countersign_user, {{verdict}}, \
         {SESSION}.countersign_reason, {SESSION}.countersign_age, {SESSION}.countersign_acting{{permissions}} FROM (\
         SELECT token_hash AS countersign_token, {COLUMNS} FROM countersign_sessions \
         WHERE token_hash {{?hashes}} AND {{in_realm}} \
         UNION ALL SELECT previous_token_hash, {COLUMNS} FROM countersign_sessions \
         WHERE previous_token_hash {{?hashes}} AND previous_until > {{now}} AND {{in_realm}}) {SESSION}"
    );
    let mut kinds = VERIFY_COLUMNS.to_vec();
    kinds.extend(application.permissions.iter().map(|_| Text));
    Statement::over_list(fragments.dialect, &template, &kinds, |tag| match tag {
        "verdict" => Some(verdict.clone()),
        "permissions" => Some(permissions.clone()),
        "state" => Some(state(fragments)),
        _ => fragments.resolve(tag),
    })
}

/// Of many sessions those that are over. One that is not there any more has no verdict of its own.
pub(super) fn ended_among(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let verdict = verdict_of(fragments, application);
    let (list, id) = fragments.dialect.each_id();
    let template = format!(
        "SELECT countersign_watched.countersign_id, \
         CASE WHEN {SESSION}.countersign_id IS NULL THEN {{integer:{gone}}} ELSE {{verdict}} END, \
         {SESSION}.countersign_reason \
         FROM (SELECT {id} AS countersign_id FROM {list}) countersign_watched \
         LEFT JOIN (SELECT id AS countersign_key, {COLUMNS} FROM countersign_sessions) {SESSION} \
         ON {SESSION}.countersign_key = {{watched}} \
         WHERE {SESSION}.countersign_id IS NULL OR {{verdict}} NOT IN ({live}, {due})",
        gone = verdict::NOT_LIVE,
        live = verdict::LIVE,
        due = verdict::LIVE_TOUCH_DUE,
    );
    Statement::new(
        fragments.dialect,
        &template,
        &[Text, Int, Text],
        |tag| match tag {
            "verdict" => Some(verdict.clone()),
            "state" => Some(state(fragments)),
            "watched" => Some(fragments.dialect.key("countersign_watched.countersign_id")),
            _ => fragments.resolve(tag),
        },
    )
}

/// The application's query for a user's maximum, standing on our row of the user, which is locked.
pub(super) fn limit(fragments: &Fragments, query: &str) -> Statement {
    let limit = fragments
        .dialect
        .number(&with_user(fragments, query, LIMITED));
    let template = format!(
        "SELECT {{limit}} FROM (SELECT user_id AS countersign_user FROM countersign_users \
         WHERE {{in_realm}} AND user_id = {{?text}}) {USER}"
    );
    Statement::new(fragments.dialect, &template, &[Int], |tag| match tag {
        "limit" => Some(limit.clone()),
        _ => fragments.resolve(tag),
    })
}

/// What the application's SQL sees of a session's row.
const COLUMNS: &str = "{id:id} AS countersign_id, user_id AS countersign_user, {state} AS countersign_state, \
    acting_user AS countersign_acting, ended_reason AS countersign_reason, \
    {micros_since:authenticated_at} AS countersign_age";

/// The [`verdict`] as far as the session alone is concerned.
fn state(fragments: &Fragments) -> String {
    let resolve = |tag: &str| fragments.resolve(tag).unwrap_or_default();
    format!(
        "CASE WHEN {} THEN {} WHEN NOT {} THEN {} WHEN {} THEN {} ELSE {} END",
        resolve("reserved"),
        verdict::RESERVED,
        resolve("live"),
        verdict::NOT_LIVE,
        resolve("touch_due"),
        verdict::LIVE_TOUCH_DUE,
        verdict::LIVE,
    )
}

/// The [`verdict`] on the session of the surrounding statement. Accounts of sessions that are not live are not asked
/// about. Whoever acts as a user needs an account as well: dismissing an administrator ends that too.
fn verdict_of(fragments: &Fragments, application: &ApplicationSql) -> String {
    let account = application.account.as_deref().map(|from| {
        let refused = verdict::ACCOUNT_REFUSED;
        let owner = with_user(fragments, from, OWNER);
        let acting = with_user(fragments, from, ACTING);
        format!(
            "WHEN NOT EXISTS (SELECT 1 FROM {owner}) THEN {refused} \
             WHEN {ACTING} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {acting}) THEN {refused}"
        )
    });
    fragments.dialect.integer(&format!(
        "CASE WHEN {SESSION}.countersign_state IN ({}, {}) THEN {SESSION}.countersign_state {} \
         ELSE {SESSION}.countersign_state END",
        verdict::RESERVED,
        verdict::NOT_LIVE,
        account.unwrap_or_default(),
    ))
}

/// The application's SQL with a user's id, a column of ours, in its place.
fn with_user(fragments: &Fragments, sql: &str, column: &str) -> String {
    UserCast::ALL.iter().fold(sql.to_owned(), |sql, cast| {
        sql.replace(cast.placeholder(), &fragments.dialect.user(*cast, column))
    })
}
