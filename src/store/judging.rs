//! The statements that judge sessions: the one of each request, and the one of open connections.
//!
//! A session is found by its digest or by its id alone. Realm, times and state come along as columns and
//! are judged afterwards, so that no planner can take them for a way to the row, whatever its statistics say.
//! Each answer names everything that was asked: what is missing from it was lost on the way, and is not known.
// docs/decisions/50-cut-answers-are-unknown.md

use super::{
    application::{ACTING, ApplicationSql, OWNER, SESSION},
    fragments::Fragments,
    index::{Index, Order},
    part::{Bound, Part},
    statement::{MAX_LIST, Statement},
    value::{
        Bind,
        CellKind::{self, Bytes, Id, Int, Text, Texts},
    },
};

/// What a session's row says, as a number: the fourth column of [`verify`].
pub(crate) mod verdict {
    pub(crate) const NOT_LIVE: i64 = 0;
    pub(crate) const ACCOUNT_REFUSED: i64 = 1;
    pub(crate) const LIVE: i64 = 2;
    pub(crate) const LIVE_TOUCH_DUE: i64 = 3;
    pub(crate) const RESERVED: i64 = 4;
    /// Another realm's, or found by an old token whose grace is over: to this request it does not exist.
    pub(crate) const UNKNOWN: i64 = 5;
    /// One token on two rows.
    pub(crate) const AMBIGUOUS: i64 = 6;
}

/// The columns of [`verify`] before what the application adds.
pub(crate) const VERIFY_COLUMNS: [CellKind; 8] = [Int, Id, Text, Int, Text, Int, Int, Text];

/// The one statement of a request: sessions by token digest, whether they are live, whether their accounts may be
/// used, their security stamps and their permissions. One row for each token that was asked, numbered from 1.
pub(super) fn verify(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let verdict = verdict_of(fragments, application);
    let mut kinds = VERIFY_COLUMNS.to_vec();
    let mut facts = String::new();
    let mut fact = |expression: &str, kind| {
        facts.push_str(", ");
        facts.push_str(expression);
        kinds.push(kind);
    };
    for (expression, kind) in stamp_columns(fragments, application) {
        fact(&expression, kind);
    }
    for list in application.permissions_of(fragments, OWNER) {
        fact(&if_live(&list), Texts);
    }
    if let Some(profile) = &application.profile {
        fact(&if_live(&profile.row(fragments)), Text);
    }
    let template = format!(
        "SELECT {SESSION}.countersign_number, {SESSION}.countersign_id, {SESSION}.countersign_user, {{verdict}}, \
         {SESSION}.countersign_reason, {SESSION}.countersign_proved, {{instant_now}}, {SESSION}.countersign_acting{{facts}} \
         FROM ({}) {SESSION}",
        fragments
            .dialect
            .find_by_token(COLUMNS, verdict::UNKNOWN, verdict::AMBIGUOUS)
    );
    Statement::over_list(fragments.dialect, &template, &kinds, |tag| match tag {
        "verdict" => Some(verdict.clone()),
        "facts" => Some(facts.clone()),
        _ => resolve(fragments, tag),
    })
}

/// The columns of [`ended_among`] before what the application adds.
pub(crate) const WATCHED_COLUMNS: [CellKind; 5] = [Int, Id, Int, Text, Text];

/// Of many sessions those that are over, and with a security stamp all of them. One that is not there any more has no
/// verdict of its own. Each row says how many rows there are, and a first one without a session is always there.
pub(super) fn ended_among(fragments: &Fragments, application: &ApplicationSql) -> Statement {
    let dialect = fragments.dialect;
    let verdict = verdict_of(fragments, application);
    let (mut kinds, mut none, mut names, mut facts) = (
        WATCHED_COLUMNS.to_vec(),
        String::new(),
        String::new(),
        String::new(),
    );
    let stamps = stamp_columns(fragments, application);
    for (number, (expression, kind)) in stamps.iter().enumerate() {
        facts.push_str(&format!(", {expression} AS countersign_fact_{number}"));
        names.push_str(&format!(", countersign_fact_{number}"));
        none.push_str(&format!(
            ", {} AS countersign_fact_{number}",
            dialect.null(*kind)
        ));
        kinds.push(*kind);
    }
    // What a stamp is compared with is known here alone, so nothing can be left out by the database.
    let over = match stamps.is_empty() {
        true => format!(
            "WHERE countersign_verdict NOT IN ({}, {})",
            verdict::LIVE,
            verdict::LIVE_TOUCH_DUE
        ),
        false => String::new(),
    };
    let template = format!(
        "SELECT {{integer:count(*) OVER ()}}, countersign_id, countersign_verdict, countersign_reason, countersign_acting{{names}} FROM (\
         SELECT {} AS countersign_id, {} AS countersign_verdict, {} AS countersign_reason, {} AS countersign_acting{{none}} UNION ALL \
         SELECT countersign_id, countersign_verdict, countersign_reason, countersign_acting{{names}} FROM (\
         SELECT {SESSION}.countersign_key AS countersign_id, {{verdict}} AS countersign_verdict, \
         {SESSION}.countersign_reason, {SESSION}.countersign_acting{{facts}} \
         FROM ({}) {SESSION}) countersign_judged {over}) countersign_answer",
        dialect.null(Id),
        dialect.null(Int),
        dialect.null(Text),
        dialect.null(Text),
        dialect.find_by_id(COLUMNS),
    );
    Statement::new(dialect, &template, &kinds, |tag| match tag {
        "verdict" => Some(verdict.clone()),
        "facts" => Some(facts.clone()),
        "names" => Some(names.clone()),
        "none" => Some(none.clone()),
        _ => resolve(fragments, tag),
    })
}

/// What the statements see of a session's row. The names are long ones, since the application's SQL can see them too.
const COLUMNS: &str = "id AS countersign_id, user_id AS countersign_user, {state} AS countersign_state, \
    acting_user AS countersign_acting, ended_reason AS countersign_reason, \
    {instant:authenticated_at} AS countersign_proved, stamp_hash AS countersign_stamp, \
    {flag:in_grace} AS countersign_in_grace";

/// The columns of [`stamped`] before the stamps.
pub(crate) const STAMPED_COLUMNS: [CellKind; 4] = [Id, Int, Int, Text];

/// Sessions that have not ended, from a time of expiry on, with their stamps as they were and are: for the sweeper, batch
/// after batch. `None` without a security stamp.
pub(super) fn stamped(fragments: &Fragments, application: &ApplicationSql) -> Option<Statement> {
    let stamps = stamp_columns(fragments, application);
    let mut kinds = STAMPED_COLUMNS.to_vec();
    kinds.extend(stamps.iter().map(|(_, kind)| *kind));
    let facts = stamps
        .iter()
        .map(|(expression, _)| format!(", {expression}"));
    let facts = String::from_iter(facts);
    let from = fragments.dialect.time("{?int}");
    let from = Bound::new(">=", from, vec![Bind::Int(0)]);
    let part = Part::of(Index::Expires).bounded(Some(from));
    let rows = part.rows(fragments.dialect, Order::OldestFirst).sql;
    let template = format!(
        "SELECT {SESSION}.countersign_id, {{integer:{SESSION}.countersign_state}}, {SESSION}.countersign_expires, \
         {SESSION}.countersign_acting{{facts}} FROM (\
         SELECT {COLUMNS}, {{micros:expires_at}} AS countersign_expires {rows} LIMIT {MAX_LIST}) {SESSION}",
    );
    (!stamps.is_empty()).then(|| {
        Statement::new(fragments.dialect, &template, &kinds, |tag| match tag {
            "facts" => Some(facts.clone()),
            _ => resolve(fragments, tag),
        })
    })
}

fn resolve(fragments: &Fragments, tag: &str) -> Option<String> {
    match tag {
        "state" => Some(state(fragments)),
        _ => fragments.resolve(tag),
    }
}

/// The [`verdict`] as far as the session alone is concerned.
fn state(fragments: &Fragments) -> String {
    let resolve = |tag: &str| fragments.resolve(tag).unwrap_or_default();
    let state = format!(
        "CASE WHEN NOT {} THEN {} WHEN {} THEN {} WHEN NOT {} THEN {} WHEN {} THEN {} ELSE {} END",
        resolve("in_realm"),
        verdict::UNKNOWN,
        resolve("reserved"),
        verdict::RESERVED,
        resolve("live"),
        verdict::NOT_LIVE,
        resolve("touch_due"),
        verdict::LIVE_TOUCH_DUE,
        verdict::LIVE,
    );
    // The same moments for all rows.
    let (dialect, timings) = (fragments.dialect, &fragments.timings);
    let mut moments = vec![
        dialect.now(),
        dialect.ago(timings.idle_timeout),
        dialect.ago(timings.remembered_idle_timeout),
        dialect.ago(timings.touch_interval),
    ];
    moments.sort_unstable();
    moments.dedup();
    let once = |state: String, moment: &String| state.replace(moment, &dialect.once(moment));
    moments.iter().fold(state, once)
}

/// The [`verdict`] on the session of the surrounding statement. Accounts of sessions that are not live are not asked
/// about. An administrator who acts as a user needs an account as well: dismissing an administrator ends that too.
fn verdict_of(fragments: &Fragments, application: &ApplicationSql) -> String {
    let refused = |user| {
        let refuses = application.refuses(fragments, user);
        refuses.map(|refuses| (refuses, verdict::ACCOUNT_REFUSED))
    };
    let owner = refused(OWNER).map(|(refuses, refused)| format!("WHEN {refuses} THEN {refused} "));
    let acting = refused(ACTING).map(|(refuses, refused)| {
        format!("WHEN {ACTING} IS NOT NULL AND {refuses} THEN {refused} ")
    });
    // A row without a session has no state: to this statement it is unknown.
    fragments.dialect.integer(&format!(
        "CASE WHEN {SESSION}.countersign_state IS NULL THEN {} \
         WHEN {SESSION}.countersign_state NOT IN ({}, {}) THEN {SESSION}.countersign_state \
         {}{}ELSE {SESSION}.countersign_state END",
        verdict::UNKNOWN,
        verdict::LIVE,
        verdict::LIVE_TOUCH_DUE,
        owner.unwrap_or_default(),
        acting.unwrap_or_default(),
    ))
}

/// What a session's stamp was at sign-in, and what those of its user and of an acting administrator are now.
fn stamp_columns(fragments: &Fragments, application: &ApplicationSql) -> Vec<(String, CellKind)> {
    let (Some(owner), Some(acting)) = (
        application.stamp_of(fragments, OWNER),
        application.stamp_of(fragments, ACTING),
    ) else {
        return Vec::new();
    };
    vec![
        (format!("{SESSION}.countersign_stamp"), Bytes),
        (if_live(&owner), Texts),
        (if_live(&acting), Texts),
    ]
}

fn if_live(expression: &str) -> String {
    format!(
        "CASE WHEN {SESSION}.countersign_state IN ({}, {}) THEN {expression} END",
        verdict::LIVE,
        verdict::LIVE_TOUCH_DUE,
    )
}
