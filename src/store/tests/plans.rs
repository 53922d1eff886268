//! Each statement about sessions reads what its index leads to, and nothing else: whatever the database believes of its
//! rows, and for lists of every length.

use super::{
    explain::Access,
    table::{Statistics, Table},
};
use crate::store::{
    Bind, Cursor, Filter, SessionState,
    dialect::Dialect,
    index::Index,
    statement::Statement,
    statements::{Due, Statements, SweepStep},
    stats,
    walk::WINDOW,
    window::{Looking, Path, Shape},
};

/// What a statement may read the sessions by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
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

/// A moment in the midst of the table.
fn day() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc() - std::time::Duration::from_secs(24 * 60 * 60)
}

/// A filter, and the index that it has to be found by when it lists and when it ends.
fn filters() -> Vec<(Filter, By, By)> {
    let all = Filter::everybody;
    let day = day();
    let (newest, live) = (By::One(Index::Newest), By::One(Index::Live));
    let (user, acting, ip) = (
        By::One(Index::User),
        By::One(Index::ActingUser),
        By::One(Index::Ip),
    );
    vec![
        (all(), newest, live),
        (all().state(SessionState::Live), live, live),
        (all().state(SessionState::Ended), newest, live),
        (all().user_agent("rare"), newest, live),
        (all().created_after(day), newest, live),
        (all().created_before(day), newest, live),
        (all().created_after(day).created_before(day), newest, live),
        (all().ip("10.0.0.7"), ip, ip),
        (
            all().ip("10.0.0.7").created_after(day).user_agent("x"),
            ip,
            ip,
        ),
        (all().acting_user("a7"), acting, acting),
        (Filter::user("u7"), user, user),
        (Filter::user("u7").state(SessionState::Live), user, user),
        (Filter::user("u7").created_after(day), user, user),
        (
            Filter::user("u7").ip("10.0.0.7").acting_user("a7"),
            user,
            user,
        ),
        (Filter::user("u7").except(uuid::Uuid::nil()), user, user),
        (Filter::id(uuid::Uuid::nil()), By::Id, By::Id),
        (Filter::user("u7").only(uuid::Uuid::nil()), By::Id, By::Id),
    ]
}

/// What is wrong with a plan.
fn fault_of(accesses: &[Access], plan: &str, by: By, dialect: Dialect) -> Option<String> {
    let names = by.names(dialect);
    // MariaDB looks one row up by a unique key, and one window, before it makes a plan.
    if plan.contains("const table") {
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
        for (filter, listed, ended) in filters() {
            for looking in [Looking::Listed, Looking::Endable, Looking::Live] {
                let by = match looking {
                    Looking::Listed => listed,
                    Looking::Endable | Looking::Live => ended,
                };
                let route = filter.route(dialect, looking);
                let cursor = match dialect {
                    Dialect::Sqlite => Cursor::of("2026-01-31 23:59:59.123"),
                    Dialect::Postgres | Dialect::MySql => {
                        Cursor::of(&(day().unix_timestamp_nanos() / 1000).to_string())
                    }
                };
                let after = match route.path {
                    Path::One(_) => vec![None],
                    Path::By(_) => vec![None, Some(&cursor)],
                };
                for after in after {
                    for window in [2, 64, WINDOW] {
                        let rows = Shape::Rows {
                            columns: "user_id",
                            limit: window,
                        };
                        let mut shapes = vec![rows, Shape::Count];
                        if looking == Looking::Listed {
                            shapes.push(Shape::States);
                        }
                        for shape in shapes {
                            let (template, binds) = route
                                .select(dialect, looking, &shape, after, window)
                                .unwrap();
                            let text = store.compile(&template, &[]);
                            let what = format!("{filter:?} {looking:?} {after:?} {window}");
                            check(&text.texts()[0], &binds, by, &what).await;
                        }
                    }
                }
            }
        }
        for (due, index) in [
            (Due::IDLE, Index::Idle),
            (Due::OVERDUE, Index::Expires),
            (Due::LAPSED, Index::Reserved),
            (Due::FORGETTABLE, Index::Ended),
        ] {
            for limit in ["256 OFFSET 0", "256 OFFSET 512"] {
                let text = format!("SELECT count(*) FROM {}", due.rows(dialect, limit));
                let text = store.compile(&text, &[]);
                check(&text.texts()[0], &[], By::One(index), due.condition).await;
            }
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

#[test]
fn each_index_is_of_use() {
    let mut used: Vec<Index> = vec![Index::Idle, Index::Expires, Index::Reserved, Index::Ended];
    for (_, listed, ended) in filters() {
        for by in [listed, ended] {
            if let By::One(index) = by {
                used.push(index);
            }
        }
    }
    assert!(Index::ALL.iter().all(|index| used.contains(index)));
}

/// A plan can name the right index and read the rest of it. Each of these has a hundred sessions, and nothing is overdue.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_stops_where_what_it_looks_for_ends() {
    let table = Table::postgres().await;
    let store = table.store();
    let all = Filter::everybody;
    let now = time::OffsetDateTime::now_utc();
    let ago = |seconds| now - std::time::Duration::from_secs(seconds);
    for statistics in [Statistics::None, Statistics::Fresh] {
        table.believe(statistics).await;
        let overdue = format!(
            "SELECT count(*) FROM {}",
            Due::OVERDUE.rows(Dialect::Postgres, "1024 OFFSET 0")
        );
        let overdue = store.compile(&overdue, &[]);
        let pages = table.pages_read(&overdue.texts()[0], &[]).await;
        assert!(pages < 200, "{pages} pages for nothing, {statistics:?}");
        for filter in [
            all().created_after(ago(100)),
            all().created_before(ago(99_900)),
            all().created_after(ago(50_100)).created_before(ago(50_000)),
            Filter::user("u1"),
            Filter::user("u998"),
            all().ip("10.0.0.1"),
            all().ip("10.0.0.998"),
            all().acting_user("a50"),
        ] {
            for looking in [Looking::Listed, Looking::Endable, Looking::Live] {
                let route = filter.route(Dialect::Postgres, looking);
                let (template, binds) = route
                    .select(Dialect::Postgres, looking, &Shape::Count, None, WINDOW)
                    .unwrap();
                let text = store.compile(&template, &[]);
                let pages = table.pages_read(&text.texts()[0], &binds).await;
                assert!(
                    pages < 200,
                    "{pages} pages for {filter:?}, {looking:?}, {statistics:?}"
                );
            }
        }
    }
    table.gone().await;
}
