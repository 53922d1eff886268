//! The application's own SQL, and the statements that it is part of.
//!
//! The aliases of our tables are long because the application's own stand inside their scope: a short one that the
//! application also uses would turn `user_id = …user_id` into a comparison of a column with itself.

use super::{
    dialect::UserCast,
    fragments::Fragments,
    statement::Statement,
    value::CellKind::{self, Bytes, Int, Text},
};

const SESSION: &str = "countersign_session";
const USER: &str = "countersign_user";

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
pub(crate) const VERIFY_COLUMNS: [CellKind; 6] = [Bytes, Text, Text, Int, Text, Int];

/// The one statement of a request: sessions by token digest, whether they are live, whether their accounts may be
/// used, and their permissions.
pub(super) fn verify(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let columns = "id, user_id, ended_at, ended_reason, reserved_until, authenticated_at, last_seen_at, expires_at";
    let verdict = verdict_of(fragments, application);
    let permissions: String = application
        .permissions
        .iter()
        .map(|(column, from)| {
            let from = with_user(fragments, from, SESSION);
            format!(", {}", fragments.dialect.json_array(column, &from))
        })
        .collect();
    let template = format!(
        "SELECT {SESSION}.lookup, {{id:{SESSION}.id}}, {SESSION}.user_id, {{verdict}}, {SESSION}.ended_reason, \
         {{micros_since:{SESSION}.authenticated_at}}{{permissions}} FROM (\
         SELECT token_hash AS lookup, {columns} FROM countersign_sessions WHERE token_hash {{?hashes}} \
         UNION ALL SELECT previous_token_hash, {columns} FROM countersign_sessions \
         WHERE previous_token_hash {{?hashes}} AND previous_until > {{now}}) {SESSION}"
    );
    let mut kinds = VERIFY_COLUMNS.to_vec();
    kinds.extend(application.permissions.iter().map(|_| Text));
    Statement::over_list(fragments.dialect, &template, &kinds, |tag| match tag {
        "verdict" => Some(verdict.clone()),
        "permissions" => Some(permissions.clone()),
        _ => fragments.resolve(tag),
    })
}

/// Of many sessions those that are over. One that is not there any more has no verdict of its own.
pub(super) fn ended_among(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let (watched_id, each_id) = fragments.dialect.each_id(SESSION);
    let verdict = verdict_of(fragments, application);
    let template = format!(
        "SELECT {{watched_id}}, CASE WHEN {SESSION}.id IS NULL THEN {{integer:{gone}}} ELSE {{verdict}} END, \
         {SESSION}.ended_reason FROM {each_id} \
         WHERE {SESSION}.id IS NULL OR {{verdict}} NOT IN ({live}, {due})",
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
            "watched_id" => Some(watched_id.to_owned()),
            _ => fragments.resolve(tag),
        },
    )
}

/// The application's query for a user's maximum, standing on our row of the user, which is locked.
pub(super) fn limit(fragments: &Fragments, query: &str) -> Statement {
    let query = with_user(fragments, query, USER);
    let template =
        format!("SELECT {{limit}} FROM countersign_users {USER} WHERE {USER}.user_id = {{?text}}");
    let limit = fragments.dialect.integer(&format!("({query})"));
    Statement::new(fragments.dialect, &template, &[Int], |tag| match tag {
        "limit" => Some(limit.clone()),
        _ => fragments.resolve(tag),
    })
}

/// The [`verdict`] on the session of the surrounding statement.
fn verdict_of(fragments: &Fragments, application: &ApplicationSql) -> String {
    let account = application.account.as_deref().map(|from| {
        let from = with_user(fragments, from, SESSION);
        format!(
            "WHEN NOT EXISTS (SELECT 1 FROM {from}) THEN {}",
            verdict::ACCOUNT_REFUSED
        )
    });
    fragments.dialect.integer(&format!(
        "CASE WHEN {} THEN {} WHEN NOT {} THEN {} {} WHEN {} THEN {} ELSE {} END",
        fragments.resolve("reserved").unwrap_or_default(),
        verdict::RESERVED,
        fragments.resolve("live").unwrap_or_default(),
        verdict::NOT_LIVE,
        account.unwrap_or_default(),
        fragments.resolve("touch_due").unwrap_or_default(),
        verdict::LIVE_TOUCH_DUE,
        verdict::LIVE,
    ))
}

/// The application's SQL with the user's id of our table in its place.
fn with_user(fragments: &Fragments, sql: &str, table: &str) -> String {
    let column = format!("{table}.user_id");
    UserCast::ALL.iter().fold(sql.to_owned(), |sql, cast| {
        sql.replace(cast.placeholder(), &fragments.dialect.user(*cast, &column))
    })
}
