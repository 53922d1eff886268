//! Each statement about sessions reads only what its index leads to: whatever the database believes of its
//! rows, and for lists of every length.

use super::{
    explain::Access,
    table::{Statistics, Table},
    walks,
};
use crate::store::{
    Bind,
    dialect::Dialect,
    index::Index,
    statement::Statement,
    statements::{Statements, SweepStep},
    stats,
};

/// What a statement may read the sessions by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The primary key.
    Id,
    /// The primary key, or the digest of a token: both are unique.
    IdOrToken,
    /// The digest of a token, and then the row.
    Token,
    /// The primary key, for as many as a list has, which are then put into their order.
    IdsInOrder,
    /// The user's sessions, and one more by its id.
    UserAndId,
    One(Index),
    /// It has nothing to do with sessions, or inserts one.
    Nothing,
}

impl By {
    fn names(self, dialect: Dialect) -> Vec<&'static str> {
        match (self, dialect) {
            (Self::Id, Dialect::Sqlite) => vec!["sqlite_autoindex_countersign_sessions_1"],
            (Self::Id, Dialect::Postgres) => vec!["countersign_sessions_pkey"],
            (Self::Id, Dialect::MySql) => vec!["PRIMARY"],
            (Self::IdOrToken, _) => {
                let mut names = Self::Id.names(dialect);
                names.push("countersign_sessions_token_hash");
                names
            }
            (Self::Token, _) => vec![
                "countersign_sessions_token_hash",
                "countersign_sessions_previous_token_hash",
                "rowid",
                "PRIMARY",
            ],
            (Self::IdsInOrder, _) => Self::Id.names(dialect),
            (Self::UserAndId, _) => {
                let mut names = Self::Id.names(dialect);
                names.push(Index::User.name(dialect));
                names
            }
            (Self::One(index), _) => vec![index.name(dialect)],
            (Self::Nothing, _) => Vec::new(),
        }
    }
}

/// Every statement that is prepared once. A new one does not compile until it has its line here.
fn prepared(statements: &Statements) -> Vec<(&'static str, Option<&Statement>, By)> {
    let Statements {
        verify,
        due_for_touch,
        touch,
        lock_sessions,
        insert_user,
        lock_user,
        standing,
        user_limit,
        set_user_limit,
        insert,
        insert_acting,
        find_token,
        rivals,
        siblings,
        user_named: _,
        activate,
        activate_acting,
        activate_alone,
        release,
        rotate,
        rotate_reauthenticated,
        rotated,
        undo_rotation,
        end_ids,
        end_reserved,
        end_live,
        prove,
        sweep,
        ended_among,
        stamped,
        ended_recently,
        display_names,
    } = statements;
    let mut all = vec![
        ("verify", Some(verify), By::Token),
        ("due_for_touch", due_for_touch.as_ref(), By::IdsInOrder),
        ("touch", Some(touch), By::Id),
        ("lock_sessions", lock_sessions.as_ref(), By::IdsInOrder),
        ("insert_user", Some(insert_user), By::Nothing),
        ("lock_user", Some(lock_user), By::Nothing),
        ("standing", standing.as_ref(), By::Nothing),
        ("user_limit", Some(user_limit), By::Nothing),
        ("set_user_limit", Some(set_user_limit), By::Nothing),
        ("insert", Some(insert), By::Nothing),
        ("insert_acting", Some(insert_acting), By::Nothing),
        ("find_token", Some(find_token), By::Token),
        ("rivals", Some(rivals), By::UserAndId),
        ("siblings", Some(siblings), By::UserAndId),
        ("activate", Some(activate), By::Id),
        ("activate_acting", Some(activate_acting), By::Id),
        ("activate_alone", activate_alone.as_ref(), By::Id),
        ("release", Some(release), By::Id),
        ("rotate", Some(rotate), By::IdOrToken),
        (
            "reauthenticated",
            Some(rotate_reauthenticated),
            By::IdOrToken,
        ),
        ("rotated", Some(rotated), By::Id),
        ("undo_rotation", Some(undo_rotation), By::IdOrToken),
        ("end_ids", Some(end_ids), By::Id),
        ("end_reserved", Some(end_reserved), By::Id),
        ("end_live", Some(end_live), By::Id),
        ("prove", Some(prove), By::Id),
        ("ended_among", Some(ended_among), By::Id),
        ("stamped", stamped.as_ref(), By::One(Index::Expires)),
        ("display_names", display_names.as_ref(), By::Id),
        (
            "ended_recently",
            Some(ended_recently),
            By::One(Index::Ended),
        ),
    ];
    for SweepStep { due: _, act } in sweep {
        all.push(("sweep", Some(act), By::Id));
    }
    all
}

/// What is wrong with a plan.
pub(super) fn fault_of(
    accesses: &[Access],
    plan: &str,
    by: By,
    dialect: Dialect,
) -> Option<String> {
    let names = by.names(dialect);
    // MariaDB looks one row up by a unique key, one window, and a maximum of sessions, before it makes a plan.
    if plan.contains("const table") || plan.contains("Impossible WHERE") {
        return None;
    }
    let wrong = accesses.iter().find(|access| {
        let index = access.index.as_deref();
        // A few rows whose number a limit or a list bounds may be sorted.
        let is_sorted = access.is_sorted && !matches!(by, By::IdsInOrder | By::UserAndId);
        is_sorted || !index.is_some_and(|index| names.contains(&index))
    });
    match wrong {
        Some(wrong) => Some(format!("{wrong:?} and not {names:?}\n{plan}")),
        None if accesses.is_empty() => Some(format!("no access at all\n{plan}")),
        None => None,
    }
}

async fn every_plan_is_as_it_should_be(table: Table) {
    let (store, dialect) = (table.store(), table.dialect());
    // All of them before any failure: one change often has several.
    let faults = std::cell::RefCell::new(Vec::new());
    for statistics in Statistics::ALL {
        table.believe(statistics).await;
        let check = async |text: &str, binds: &[Bind], by: By, what: &str| {
            let (accesses, plan) = table.accesses(text, binds).await;
            if let Some(fault) = fault_of(&accesses, &plan, by, dialect) {
                let what = format!("{what} with statistics {statistics:?}");
                faults.borrow_mut().push(format!("{what}: {fault}"));
            }
        };
        for (name, statement, by) in prepared(&store.statements) {
            // What MariaDB makes of an INSERT or a DELETE is not worth explaining.
            for text in statement.iter().flat_map(|statement| statement.texts()) {
                // Where all sessions are one user's, PostgreSQL's plan for any user reads the table. It goes by the plan for the
                // user at hand, which costs less.
                let is_all_alike = by == By::UserAndId
                    && (dialect, statistics) == (Dialect::Postgres, Statistics::Misleading);
                if by != By::Nothing && !is_all_alike {
                    check(text, &[], by, name).await;
                }
            }
        }
        for (text, binds, by, what) in walks::statements(&store) {
            check(&text, &binds, by, &what).await;
        }
    }
    // It looks for one row, in whichever index begins with the realm.
    if dialect != Dialect::MySql {
        let text = store.compile(stats::NEXT_REALM, &[]);
        let (accesses, plan) = table.accesses(&text.texts()[0], &[]).await;
        assert!(
            accesses.iter().all(|access| access.index.is_some()),
            "{plan}"
        );
    }
    table.gone().await;
    let faults = faults.into_inner();
    assert!(
        faults.is_empty(),
        "{}: {}",
        faults.len(),
        faults.join("\n\n")
    );
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn every_plan_of_sqlite_is_as_it_should_be() {
    every_plan_is_as_it_should_be(Table::sqlite().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn every_plan_of_postgres_is_as_it_should_be() {
    every_plan_is_as_it_should_be(Table::postgres().await).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn every_plan_of_mysql_is_as_it_should_be() {
    every_plan_is_as_it_should_be(Table::mysql().await).await;
}
