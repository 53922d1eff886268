//! The application's own SQL, as it is put into statements of ours.
//!
//! All names that the application's SQL can see of ours are long ones: a column that its table lacks would otherwise
//! be taken from our row, and `user_id = {user:text}` would compare that row with itself, for every row of the table.
// docs/decisions/19-long-names-for-our-columns.md

use super::{
    dialect::UserCast,
    fragments::Fragments,
    profile::ProfileSql,
    statement::Statement,
    value::CellKind::{Int, Texts},
};

/// The derived tables of ours that the application's SQL stands on: a session, and the user who signs in.
pub(super) const SESSION: &str = "countersign_session";
const USER: &str = "countersign_owner";

/// The columns whose user the application's SQL is about: whose session it is, who acts as that user, who signs in.
pub(super) const OWNER: &str = "countersign_session.countersign_user";
pub(super) const ACTING: &str = "countersign_session.countersign_acting";
const SIGNS_IN: &str = "countersign_owner.countersign_user";

/// Where the application keeps its facts, in SQL of its own with the user's id in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplicationSql {
    /// FROM part: a row means that the account may be used. `None`: every account may.
    pub(crate) account: Option<String>,
    /// Column and FROM part.
    pub(crate) permissions: Vec<(String, String)>,
    /// A query for the user's own maximum of sessions.
    pub(crate) limit: Option<String>,
    /// Column and FROM part: what must stay as it was at sign-in.
    pub(crate) stamp: Option<(String, String)>,
    /// What handlers want to know of the user.
    pub(crate) profile: Option<ProfileSql>,
    /// Column and FROM part: what people call the user.
    pub(crate) display_name: Option<(String, String)>,
}

/// SQL that names the user, and the builder's call that took it.
pub(crate) struct SqlPart<'a> {
    pub(crate) call: &'static str,
    pub(crate) sql: &'a String,
    pub(crate) shape: SqlShape,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SqlShape {
    From,
    /// An aggregate stands on it.
    AggregatedFrom,
    Query,
}

impl ApplicationSql {
    /// Every part that names the user.
    pub(crate) fn parts(&self) -> impl Iterator<Item = SqlPart<'_>> {
        let part = |call, shape| move |sql| SqlPart { call, sql, shape };
        let account = self.account.iter().map(part("account", SqlShape::From));
        let permissions = self.permissions.iter().map(|(_, from)| from);
        let stamp = self.stamp.iter().map(|(_, from)| from);
        let profile = self.profile.iter().map(|profile| &profile.from);
        let display_name = self.display_name.iter().map(|(_, from)| from);
        let limit = self.limit.iter().map(part("limit_query", SqlShape::Query));
        account
            .chain(permissions.map(part("permissions", SqlShape::AggregatedFrom)))
            .chain(limit)
            .chain(stamp.map(part("security_stamp", SqlShape::AggregatedFrom)))
            .chain(profile.map(part("profile", SqlShape::AggregatedFrom)))
            .chain(display_name.map(part("display_name", SqlShape::AggregatedFrom)))
    }

    /// Whether any part wants the user's id in this form.
    pub(crate) fn uses(&self, cast: UserCast) -> bool {
        self.parts()
            .any(|part| part.sql.contains(cast.placeholder()))
    }

    /// A condition: the account of the user in this column of ours may not be used. `None`: every account may.
    pub(super) fn refuses(&self, fragments: &Fragments, user: &str) -> Option<String> {
        let from = with_user(fragments, self.account.as_deref()?, user);
        Some(fragments.dialect.absent(&from))
    }

    /// The security stamp of the user in this column of ours, as a list: of none where the account is gone.
    pub(super) fn stamp_of(&self, fragments: &Fragments, user: &str) -> Option<String> {
        let (column, from) = self.stamp.as_ref()?;
        let from = with_user(fragments, from, user);
        Some(fragments.dialect.texts(column, &from))
    }

    /// What people call the user in this column of ours, as a list: of none where the application says nothing.
    pub(super) fn display_name_of(&self, fragments: &Fragments, user: &str) -> Option<String> {
        let (column, from) = self.display_name.as_ref()?;
        let from = with_user(fragments, from, user);
        Some(fragments.dialect.texts(column, &from))
    }

    /// The lists of permissions of the user in this column of ours.
    pub(super) fn permissions_of(&self, fragments: &Fragments, user: &str) -> Vec<String> {
        let lists = self.permissions.iter().map(|(column, from)| {
            let from = with_user(fragments, from, user);
            fragments.dialect.texts(column, &from)
        });
        lists.collect()
    }
}

/// What the application says of a user who signs in, standing on our row of that user: whether the account may not be used,
/// the user's own maximum by our row and by the application, and the security stamp. `None` where the application says
/// nothing.
pub(super) fn standing(fragments: &Fragments, application: &ApplicationSql) -> Option<Statement> {
    let refused = application.refuses(fragments, SIGNS_IN);
    let limit = application.limit.as_deref().map(|query| {
        let query = with_user(fragments, query, SIGNS_IN);
        fragments.dialect.number(&query)
    });
    let stamp = application.stamp_of(fragments, SIGNS_IN);
    if refused.is_none() && limit.is_none() && stamp.is_none() {
        return None;
    }
    let refused = fragments
        .dialect
        .boolean(refused.as_deref().unwrap_or("1 = 0"));
    let limit = limit.unwrap_or_else(|| fragments.dialect.number("NULL"));
    let template = format!(
        "SELECT {{refused}}, {USER}.countersign_max, {{limit}}{{stamp}} FROM (SELECT user_id AS countersign_user, \
         max_sessions AS countersign_max FROM countersign_users WHERE {{in_realm}} AND user_id = {{?text}}) {USER}"
    );
    let mut columns = vec![Int, Int, Int];
    columns.extend(stamp.iter().map(|_| Texts));
    let stamp = stamp.map_or_else(String::new, |stamp| format!(", {stamp}"));
    Some(Statement::new(
        fragments.dialect,
        &template,
        &columns,
        |tag| match tag {
            "refused" => Some(refused.clone()),
            "limit" => Some(limit.clone()),
            "stamp" => Some(stamp.clone()),
            _ => fragments.resolve(tag),
        },
    ))
}

/// The application's SQL with a user's id, a column of ours, in its place.
pub(super) fn with_user(fragments: &Fragments, sql: &str, column: &str) -> String {
    UserCast::ALL.iter().fold(sql.to_owned(), |sql, cast| {
        sql.replace(cast.placeholder(), &fragments.dialect.user(*cast, column))
    })
}
