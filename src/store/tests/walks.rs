//! The steps of walks and sweeps, whose statements are made for each filter: by which index they read, and how much.

use super::plans::By;
#[cfg(feature = "postgres")]
use super::{
    plans::fault_of,
    table::{Statistics, Table},
};
use crate::store::{
    Bind, Cursor, Filter, SessionState, Store,
    dialect::Dialect,
    index::Index,
    statements::Due,
    walk::WINDOW,
    window::{Looking, Path, Shape},
};

/// A moment in the midst of the table.
fn day() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc() - std::time::Duration::from_secs(24 * 60 * 60)
}

/// A filter, and the index that it must be found by when it lists and when it ends.
fn filters() -> Vec<(Filter, By, By)> {
    let all = Filter::all;
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

/// Each statement of a walk or a sweep: its text, parameters, the index that it must read by, and its name.
pub(super) fn statements(store: &Store) -> Vec<(String, Vec<Bind>, By, String)> {
    let mut all = steps(store);
    for (due, index) in [
        (Due::IDLE, Index::Idle),
        (Due::KEPT, Index::Kept),
        (Due::OVERDUE, Index::Expires),
        (Due::LAPSED, Index::Reserved),
        (Due::FORGETTABLE, Index::Ended),
    ] {
        for limit in ["256 OFFSET 0", "256 OFFSET 512", "1024 OFFSET 0"] {
            let rows = due.rows(store.fragments.dialect, limit);
            let text = store.compile(&format!("SELECT count(*) FROM {rows}"), &[]);
            let what = format!("{} {limit}", due.condition);
            all.push((
                text.texts()[0].to_string(),
                Vec::new(),
                By::One(index),
                what,
            ));
        }
    }
    all
}

fn steps(store: &Store) -> Vec<(String, Vec<Bind>, By, String)> {
    let dialect = store.fragments.dialect;
    let cursor = match dialect {
        Dialect::Sqlite => Cursor::of("2026-01-31 23:59:59.123"),
        Dialect::Postgres | Dialect::MySql => {
            Cursor::of(&(day().unix_timestamp_nanos() / 1000).to_string())
        }
    };
    let mut all = Vec::new();
    for (filter, listed, ended) in filters() {
        for looking in [Looking::Listed, Looking::Endable, Looking::Live] {
            let by = match looking {
                Looking::Listed => listed,
                Looking::Endable | Looking::Live => ended,
            };
            let route = filter.route(dialect, looking);
            let after = match route.path {
                Path::One(_) => vec![None],
                Path::By(_) => vec![None, Some(&cursor)],
            };
            for after in after {
                for window in [2, 64, WINDOW] {
                    for shape in shapes(looking, window) {
                        let (template, binds) = route
                            .select(dialect, looking, &shape, after, window)
                            .unwrap();
                        let text = store.compile(&template, &[]);
                        let what = format!("{filter:?} {looking:?} {after:?} {window}");
                        all.push((text.texts()[0].to_string(), binds, by, what));
                    }
                }
            }
        }
    }
    all
}

fn shapes(looking: Looking, window: usize) -> Vec<Shape> {
    let rows = Shape::Rows {
        columns: "user_id",
        limit: window,
    };
    match looking {
        Looking::Listed => vec![rows, Shape::Count, Shape::States],
        Looking::Endable | Looking::Live => vec![rows, Shape::Count],
    }
}

/// Without statistics PostgreSQL goes by the size of the table alone.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_goes_by_the_index_in_tables_of_any_size() {
    for sessions in [5_000, 10_000, 20_000, 50_000] {
        let table = Table::postgres_of(sessions).await;
        let mut faults = Vec::new();
        for (text, binds, by, what) in statements(&table.store()) {
            // One session is found by the key, and of a few a sort costs nothing.
            let By::One(Index::Newest | Index::Live | Index::Idle | Index::Kept | Index::Expires) =
                by
            else {
                continue;
            };
            let (accesses, plan) = table.accesses(&text, &binds).await;
            if let Some(fault) = fault_of(&accesses, &plan, by, Dialect::Postgres) {
                faults.push(format!("{sessions}: {what}: {fault}"));
            }
        }
        table.gone().await;
        assert!(
            faults.is_empty(),
            "{}: {}",
            faults.len(),
            faults.join("\n\n")
        );
    }
}

#[test]
fn each_index_is_of_use() {
    let mut used: Vec<Index> = vec![
        Index::Idle,
        Index::Kept,
        Index::Expires,
        Index::Reserved,
        Index::Ended,
    ];
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
    let all = Filter::all;
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
