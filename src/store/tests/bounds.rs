//! A walk that runs out of time says how far it got, and what comes after goes on from there.

use std::{collections::HashSet, time::Duration};

use super::table::Table;
use crate::store::{
    EndedReason, Extent, Filter, Page, SessionState, Store,
    ending::{Tally, Unrestricted},
};

/// As if the first step of each walk had taken all its time.
async fn hurried(table: &Table) -> Store {
    let mut store = table.store();
    store.walk_budget = Duration::ZERO;
    store
}

async fn nothing_is_lost_where_time_runs_out(table: Table) {
    let (store, hurried) = (table.store(), hurried(&table).await);
    let count = async |store: &Store, filter: &Filter, extent| {
        store.count_live_where(filter, extent).await.unwrap()
    };
    let rare = Filter::user("u1").user_agent("rare");
    let common = Filter::all().user_agent("curl");

    // Numbers of all rows, in windows that cut through users and reasons.
    let stats = hurried.stats().await.unwrap();
    assert_eq!((stats.live, stats.users), (49_000, 490));
    assert_eq!((stats.reserved, stats.lapsed), (0, 1_000));
    assert_eq!(stats.ended, [(EndedReason::Logout, 50_000)]);

    // Of a filter that nothing fulfils: empty pages, each of which goes on.
    let mut page = Page::first(10);
    let mut pages = 0;
    let none = Filter::all()
        .user_agent("rare")
        .created_after(time::OffsetDateTime::now_utc() - Duration::from_secs(5000));
    loop {
        let found = hurried.list(&none, page).await.unwrap();
        assert_eq!(found.sessions, []);
        assert_eq!(found.incomplete, found.next.is_some());
        pages += 1;
        match found.next {
            Some(next) => page = Page::first(10).after(next),
            None => break,
        }
    }
    assert!((4..=8).contains(&pages), "{pages}");
    assert!(!store.list(&rare, Page::first(10)).await.unwrap().incomplete);

    // Pages of one filter are the same, in a hurry or not.
    let some = Filter::all().ip("10.0.0.7").state(SessionState::Ended);
    let all = |sessions: Vec<crate::store::SessionInfo>| {
        sessions
            .into_iter()
            .map(|session| session.id)
            .collect::<Vec<_>>()
    };
    let whole = all(store.list(&some, Page::first(1000)).await.unwrap().sessions);
    let (mut met, mut page) = (Vec::new(), Page::first(7));
    loop {
        let found = hurried.list(&some, page).await.unwrap();
        assert!(!found.incomplete || found.sessions.len() < 7);
        met.extend(all(found.sessions));
        match found.next {
            Some(next) => page = Page::first(7).after(next),
            None => break,
        }
    }
    assert_eq!(met, whole);
    assert_eq!(met.iter().collect::<HashSet<_>>().len(), met.len());

    // What is counted is counted, and more may be there.
    let live = count(&store, &common, Extent::WithinBudget).await;
    assert!(!live.incomplete && live.sessions > 40_000, "{live:?}");
    let part = count(&hurried, &common, Extent::WithinBudget).await;
    assert!(part.incomplete && part.sessions <= 1024, "{part:?}");
    assert_eq!(count(&hurried, &common, Extent::ToTheEnd).await, live);

    // Ending goes on where it is asked to again, until nothing is left.
    let mut ended = 0;
    let user =
        Filter::all().created_before(time::OffsetDateTime::now_utc() - Duration::from_secs(98_000));
    let there = count(&store, &user, Extent::ToTheEnd).await.sessions;
    assert!(there > 500, "{there}");
    loop {
        let mut tally = Tally::default();
        let ending = hurried.end_where(
            &user,
            EndedReason::Revoked,
            "test",
            &Unrestricted,
            Extent::WithinBudget,
            &mut tally,
        );
        ending.await.unwrap();
        ended += tally.ended;
        if !tally.incomplete {
            break;
        }
        assert!(tally.ended > 0, "it makes progress");
    }
    assert_eq!(ended, there);
    assert_eq!(count(&store, &user, Extent::ToTheEnd).await.sessions, 0);
    table.gone().await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite() {
    nothing_is_lost_where_time_runs_out(Table::sqlite().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres() {
    nothing_is_lost_where_time_runs_out(Table::postgres().await).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mysql() {
    nothing_is_lost_where_time_runs_out(Table::mysql().await).await;
}
