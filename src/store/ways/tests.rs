//! The plans of all statements that find sessions by a key or by their user: on each database, for lists of every length,
//! without statistics, with fresh ones, and with such as were true of another table.
//!
//! A plan that reads the table is right while the table is empty, so nothing is asked of it then.

use std::{sync::Arc, time::Duration};

use super::super::{
    application::ApplicationSql,
    dialect::Dialect,
    fragments::{Fragments, Timings},
    statement::{MAX_LIST, Statement},
    statements::Statements,
};

const ROWS: u32 = 100_000;

/// By which indexes a statement may find sessions; PostgreSQL and SQLite call the primary key otherwise.
type Allowed = &'static [&'static str];

const BY_TOKEN: Allowed = &["token_hash", "previous_token_hash", "PRIMARY"];
const BY_ID: Allowed = &["PRIMARY"];
const BY_USER: Allowed = &["user", "PRIMARY"];
const BY_EXPIRY: Allowed = &["expires"];

fn statements(dialect: Dialect) -> Statements {
    let minute = Duration::from_secs(60);
    let fragments = Fragments {
        dialect,
        realm: Arc::from("default"),
        timings: Timings {
            idle_timeout: minute * 30,
            absolute_timeout: minute * 60,
            touch_interval: minute,
            rotation_grace: minute,
            reservation_timeout: minute,
            acting_timeout: minute * 10,
            retention: minute * 60,
        },
    };
    let users = "users WHERE id = {user:int}";
    let application = ApplicationSql {
        account: Some(users.to_owned()),
        permissions: vec![(
            "name".to_owned(),
            "grants WHERE user_id = {user:int}".to_owned(),
        )],
        limit: None,
        stamp: Some(("stamp".to_owned(), users.to_owned())),
    };
    Statements::new(&fragments, &application)
}

/// Every statement of a request, of signing in and out, of open connections and of keeping stamps.
fn all(statements: &Statements) -> Vec<(&'static str, &Statement, Allowed)> {
    let mut all = vec![
        ("verify", &statements.verify, BY_TOKEN),
        ("ended_among", &statements.ended_among, BY_ID),
        ("touch", &statements.touch, BY_ID),
        ("find_token", &statements.find_token, BY_TOKEN),
        ("rivals", &statements.rivals, BY_USER),
        ("siblings", &statements.siblings, BY_USER),
        ("insert", &statements.insert, BY_ID),
        ("insert_acting", &statements.insert_acting, BY_ID),
        ("activate", &statements.activate, BY_ID),
        ("activate_acting", &statements.activate_acting, BY_ID),
        ("release", &statements.release, BY_ID),
        ("rotate", &statements.rotate, BY_ID),
        (
            "rotate_reauthenticated",
            &statements.rotate_reauthenticated,
            BY_ID,
        ),
        ("rotated", &statements.rotated, BY_ID),
        ("undo_rotation", &statements.undo_rotation, BY_ID),
        ("prove", &statements.prove, BY_ID),
        ("end_ids", &statements.end_ids, BY_ID),
        ("end_live", &statements.end_live, BY_ID),
        ("end_reserved", &statements.end_reserved, BY_ID),
    ];
    let optional = [
        ("due_for_touch", &statements.due_for_touch, BY_ID),
        ("lock_sessions", &statements.lock_sessions, BY_ID),
        ("stamped", &statements.stamped, BY_EXPIRY),
    ];
    all.extend(
        optional
            .into_iter()
            .filter_map(|(name, statement, allowed)| Some((name, statement.as_ref()?, allowed))),
    );
    all
}

fn lengths() -> impl Iterator<Item = usize> {
    (0..=MAX_LIST.ilog2()).map(|power| 1 << power)
}

/// The application's tables, and ours.
fn tables(schema: &str) -> String {
    format!(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, stamp BIGINT); \
         CREATE TABLE grants (user_id BIGINT, name VARCHAR(64), PRIMARY KEY (user_id, name)); {schema}"
    )
}

/// `index` is one of those that are allowed, whatever this database calls it.
fn is_allowed(index: &str, allowed: Allowed) -> bool {
    allowed.iter().any(|name| {
        let ours = format!("countersign_sessions_{name}");
        let primary = [
            "PRIMARY",
            "countersign_sessions_pkey",
            "sqlite_autoindex_countersign_sessions_1",
        ];
        index == ours || (*name == "PRIMARY" && primary.contains(&index))
    })
}

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
