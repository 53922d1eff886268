//! Sessions can be seen and ended by those who run the application; the list is the preview of the revocation.

use std::{collections::HashSet, time::Duration};

use countersign::{
    Cursor, EndedReason, ErrorKind, Filter, Page, SessionInfo, SessionState, UserId,
    time::{Date, Month, OffsetDateTime, Time},
    uuid::Uuid,
};
use http::{HeaderValue, header};

use crate::support::{
    App, Client, on_every_database,
    rows::{Fate, NewRow},
};

async fn sign_in(app: &App, user: &str, address: &str, agent: &str) -> Uuid {
    let mut client = Client::new();
    client.peer = Some(format!("{address}:1234").parse().unwrap());
    let agent = HeaderValue::from_bytes(agent.as_bytes()).unwrap();
    client.headers.insert(header::USER_AGENT, agent);
    app.login(&mut client, user).await.body.parse().unwrap()
}

async fn list(app: &App, filter: &Filter) -> Vec<SessionInfo> {
    let page = app.sessions.list(filter, Page::first(1000)).await.unwrap();
    assert_eq!(page.next, None);
    page.sessions
}

fn ids(sessions: &[SessionInfo]) -> Vec<Uuid> {
    sessions.iter().map(|session| session.id).collect()
}

fn year(number: i32) -> OffsetDateTime {
    let date = Date::from_calendar_date(number, Month::January, 1).unwrap();
    OffsetDateTime::new_utc(date, Time::MIDNIGHT)
}

on_every_database! {
    async fn every_condition_counts_alone_and_together(database: Database) {
        let app = App::new(&database).await;
        let all = [
            sign_in(&app, "2", "10.0.0.1", "Firefox on Linux").await,
            sign_in(&app, "2", "10.0.0.2", "Chrome on Linux").await,
            sign_in(&app, "3", "10.0.0.2", "Firefox on Windows").await,
            sign_in(&app, "3", "10.0.0.1", "Firefox on Linux").await,
        ];
        assert!(app.sessions.revoke(all[3], "1").await.unwrap());
        database.execute(&format!(
            "UPDATE countersign_sessions SET created_at = '2020-06-01 00:00:00.000' WHERE id = '{}'", all[0]
        )).await;
        let everybody = Filter::all();
        let (live, ended) = (SessionState::Live, SessionState::Ended);
        let cases: [(Filter, &[usize]); 14] = [
            (everybody.clone(), &[3, 2, 1, 0]),
            (Filter::user(2), &[1, 0]),
            (Filter::user("3"), &[3, 2]),
            (everybody.clone().state(live), &[2, 1, 0]),
            (everybody.clone().state(ended), &[3]),
            (everybody.clone().ip("10.0.0.2"), &[2, 1]),
            (everybody.clone().user_agent("Firefox"), &[3, 2, 0]),
            (everybody.clone().user_agent("firefox"), &[]),
            (everybody.clone().created_before(year(2021)), &[0]),
            (everybody.clone().created_after(year(2021)), &[3, 2, 1]),
            (Filter::user(3).state(live).ip("10.0.0.2").user_agent("Windows").created_after(year(2021)), &[2]),
            (Filter::user(3).state(live).ip("10.0.0.1"), &[]),
            (everybody.clone().created_after(year(2020)).created_before(year(2021)).user_agent("Linux"), &[0]),
            (Filter::user(9), &[]),
        ];
        for (filter, expected) in cases {
            let found = list(&app, &filter).await;
            let expected: Vec<_> = expected.iter().map(|number| all[*number]).collect();
            assert_eq!(ids(&found), expected, "{filter:?}");
            let live = found.iter().filter(|session| session.state == SessionState::Live).count() as u64;
            assert_eq!(app.sessions.revoke_where_dry_run(&filter).await.unwrap(), live, "{filter:?}");
            // The list was the preview: those end, nobody else does, and they can be brought back for the next case.
            let before = database.live().await;
            assert_eq!(app.sessions.revoke_where(&filter, "preview").await.unwrap(), live, "{filter:?}");
            assert_eq!(database.live().await, before - live as i64);
            assert_eq!(app.sessions.revoke_where_dry_run(&filter).await.unwrap(), 0);
            database.execute(
                "UPDATE countersign_sessions SET ended_at = NULL, ended_reason = NULL WHERE ended_by = 'preview'"
            ).await;
        }
    }

    async fn a_session_is_shown_as_it_is(database: Database) {
        let app = App::new(&database).await;
        let id = sign_in(&app, "2", "192.0.2.7", "Browser/1.0").await;
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!((info.id, &info.user_id, info.state), (id, &UserId::from(2), SessionState::Live));
        assert_eq!((info.ip.as_deref(), info.user_agent.as_deref()), (Some("192.0.2.7"), Some("Browser/1.0")));
        assert_eq!((info.remembered, info.ended_at, info.ended_reason, &info.ended_by), (false, None, None, &None));
        // The proof was given before the handler called `login`, and the session is real when it has answered.
        assert_eq!(info.created_at, info.last_seen_at);
        assert!(info.authenticated_at <= info.created_at);
        assert_eq!(info.expires_at - info.created_at, Duration::from_secs(30 * 24 * 60 * 60));
        let age = OffsetDateTime::now_utc() - info.created_at;
        assert!(age.abs() < Duration::from_secs(600), "{age}");

        assert!(app.sessions.revoke(id, &UserId::from(1)).await.unwrap());
        let ended = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!((ended.state, ended.ended_reason), (SessionState::Ended, Some(EndedReason::Revoked)));
        assert_eq!(ended.ended_by.as_deref(), Some("1"));
        assert!(ended.ended_at.unwrap() >= ended.created_at);
        for _ in 0..2 {
            assert!(!app.sessions.revoke(id, "somebody else").await.unwrap());
        }
        assert_eq!(app.sessions.get(id).await.unwrap().unwrap(), ended);
        assert_eq!(app.sessions.get(Uuid::now_v7()).await.unwrap(), None);
        assert!(!app.sessions.revoke(Uuid::nil(), "1").await.unwrap());
    }

    async fn who_ended_a_session_is_written_down(database: Database) {
        let app = App::new(&database).await;
        let mut client = app.signed_in("2").await;
        client.post(&app.router, "/logout").await;
        let mut again = app.signed_in("2").await;
        app.login(&mut again, "3").await;
        app.sessions.revoke_user(3, "nightly job").await.unwrap();
        let mut told: Vec<_> = list(&app, &Filter::all()).await.into_iter()
            .map(|session| (session.ended_reason.unwrap().as_str(), session.ended_by.unwrap()))
            .collect();
        told.sort();
        let told: Vec<_> = told.iter().map(|(reason, by)| (*reason, by.as_str())).collect();
        assert_eq!(told, [("logout", "2"), ("replaced", "3"), ("revoked", "nightly job")]);
    }

    async fn paging_meets_everybody_once_while_others_come_and_go(database: Database) {
        let app = App::new(&database).await;
        let mut original = HashSet::new();
        for _ in 0..14 {
            original.insert(sign_in(&app, "2", "10.0.0.1", "").await);
        }
        for size in [0, 1, 4, 13, 14] {
            let mut met = Vec::new();
            let mut page = Page::first(size);
            loop {
                let part = app.sessions.list(&Filter::user(2), page).await.unwrap();
                assert!(part.sessions.len() <= size.max(1) as usize);
                met.extend(ids(&part.sessions));
                // Somebody comes, and somebody who has been met goes for good.
                let newcomer = sign_in(&app, "2", "10.0.0.1", "").await;
                database.execute(&format!("DELETE FROM countersign_sessions WHERE id = '{newcomer}'")).await;
                sign_in(&app, "2", "10.0.0.1", "").await;
                match part.next {
                    Some(next) => page = Page::first(size).after(next),
                    None => break,
                }
            }
            assert!(met.is_sorted_by(|one, other| one > other), "newest first, nobody twice");
            let met: HashSet<_> = met.into_iter().collect();
            assert!(met.is_superset(&original), "nobody is left out");
        }
    }

    async fn whatever_a_filter_says_it_is_only_text(database: Database) {
        let app = App::new(&database).await;
        sign_in(&app, "2", "10.0.0.1", "plain").await;
        let hostile = [
            "'", "\"", "%", "_", "\\", "?", "$1", "{live}", "{?text}", ":name", "--", "/*", "\u{1f980}", "ä",
            "' OR '1'='1", "'; DROP TABLE countersign_sessions; --", "100%_\\'\"",
        ];
        for text in hostile {
            let id = sign_in(&app, "3", "10.0.0.1", &format!("a {text} b")).await;
            let found = list(&app, &Filter::all().user_agent(text)).await;
            assert!(ids(&found).contains(&id), "{text}");
            assert!(found.iter().all(|session| session.user_agent.as_ref().unwrap().contains(text)), "{text}");
            for filter in [Filter::user(text), Filter::all().ip(text)] {
                assert_eq!(list(&app, &filter).await, [], "{text}");
                assert_eq!(app.sessions.revoke_where(&filter, text).await.unwrap(), 0, "{text}");
            }
        }
        let long = "x".repeat(100_000);
        assert_eq!(list(&app, &Filter::all().user_agent(&long)).await, []);
        assert_eq!(list(&app, &Filter::all().ip(&long)).await, []);
        assert_eq!(database.live().await, 1 + hostile.len() as i64);
    }

    async fn what_cannot_be_right_is_refused_and_ends_nobody(database: Database) {
        let app = App::new(&database).await;
        app.signed_in("2").await;
        let long = "x".repeat(256);
        let filters = [
            Filter::all().ip("\0"),
            Filter::all().user_agent("a\0b"),
            Filter::user("\0"),
            Filter::user(""),
            Filter::user(long.as_str()),
        ];
        for filter in filters {
            let listed = app.sessions.list(&filter, Page::first(1)).await.unwrap_err();
            let counted = app.sessions.revoke_where_dry_run(&filter).await.unwrap_err();
            let ended = app.sessions.revoke_where(&filter, "1").await.unwrap_err();
            for error in [listed, counted, ended] {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{filter:?}");
            }
        }
        for actor in ["", "\0", "line\nbreak", &long] {
            let error = app.sessions.revoke_user(2, actor).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{actor:?}");
        }
        assert_eq!(database.live().await, 1);
    }

    async fn a_list_is_in_the_order_of_the_databases_clock(database: Database) {
        let app = App::new(&database).await;
        // Their ids, which the nodes' clocks make, say the opposite. The last two were made at one moment.
        let mut rows: Vec<_> = (0..5).map(|_| NewRow::live("2")).collect();
        for (number, row) in rows.iter_mut().enumerate() {
            row.created_at -= number.min(3) as i64 * 1000;
        }
        database.insert(&rows).await;
        let expected: Vec<_> = [0, 1, 2, 4, 3].map(|number: usize| rows[number].id).into();
        let filters = [
            Filter::all(), Filter::user(2), Filter::all().state(SessionState::Live),
            Filter::all().created_after(year(2020)).created_before(year(2030)),
        ];
        for (filter, size) in filters.iter().flat_map(|filter| [1, 2, 4, 5].map(|size| (filter, size))) {
            let (mut met, mut page) = (Vec::new(), Page::first(size));
            loop {
                let part = app.sessions.list(filter, page).await.unwrap();
                assert!(!part.incomplete);
                met.extend(ids(&part.sessions));
                let Some(next) = part.next else { break };
                // It can be written down and read again.
                page = Page::first(size).after(next.to_string().parse().unwrap());
            }
            assert_eq!(met, expected, "{filter:?} in pages of {size}");
        }
    }

    async fn a_cursor_that_was_made_up_is_refused(database: Database) {
        let app = App::new(&database).await;
        sign_in(&app, "2", "10.0.0.1", "").await;
        // A time that is none, and an id that is none: SQLite compares them as texts, like any others.
        let cursor: Cursor = "AXgAeA".parse().unwrap();
        let page = Page::first(1).after(cursor);
        match app.sessions.list(&Filter::all(), page).await {
            Ok(page) => assert_eq!(page.sessions.len(), 1),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
        }
    }

    async fn any_time_can_be_asked_for(database: Database) {
        let app = App::new(&database).await;
        let id = sign_in(&app, "2", "10.0.0.1", "").await;
        for early in [-9999, -1, 0, 1, 1969, 1970] {
            let after = Filter::all().created_after(year(early));
            assert_eq!(ids(&list(&app, &after).await), [id], "{early}");
            assert_eq!(list(&app, &Filter::all().created_before(year(early))).await, [], "{early}");
        }
        for late in [2300, 9999] {
            let before = Filter::all().created_before(year(late));
            assert_eq!(ids(&list(&app, &before).await), [id], "{late}");
            assert_eq!(list(&app, &Filter::all().created_after(year(late))).await, [], "{late}");
        }
        // To the last digit that the database keeps.
        let created = app.sessions.get(id).await.unwrap().unwrap().created_at;
        assert_eq!(ids(&list(&app, &Filter::all().created_after(created)).await), [id]);
        assert_eq!(list(&app, &Filter::all().created_before(created)).await, []);
    }
}

/// Where ids are texts, a row made by hand can hold anything: more of them than fit into a batch.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
async fn rows_that_cannot_be_read_stop_no_ending_and_no_sweep(database: crate::support::Database) {
    let app = App::new(&database).await;
    for (fate, expected) in [(Fate::Live, [3, 0]), (Fate::Idle, [0, 3])] {
        let mut rows: Vec<_> = (0..600).map(|_| NewRow::live("2")).collect();
        rows.iter_mut().for_each(|row| row.fate = fate);
        database.insert(&rows).await;
        let broken =
            "UPDATE countersign_sessions SET id = REPLACE(id, '-', 'x') WHERE ended_at IS NULL";
        assert_eq!(database.execute(broken).await, 600);
        let mut behind: Vec<_> = (0..3).map(|_| NewRow::live("2")).collect();
        for row in &mut behind {
            row.fate = fate;
            row.created_at += 1000;
        }
        database.insert(&behind).await;
        let ended = app.sessions.revoke_where(&Filter::all(), "1").await;
        let swept = app.sessions.sweep().await.unwrap().expired;
        assert_eq!([ended.unwrap(), swept], expected, "{fate:?}");
        let gone = "DELETE FROM countersign_sessions WHERE ended_at IS NULL";
        assert_eq!(database.execute(gone).await, 600);
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn unreadable_rows_of_sqlite_stop_nothing() {
    rows_that_cannot_be_read_stop_no_ending_and_no_sweep(crate::support::Database::sqlite().await)
        .await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn unreadable_rows_of_mysql_stop_nothing() {
    rows_that_cannot_be_read_stop_no_ending_and_no_sweep(crate::support::Database::mysql().await)
        .await;
}

/// Where columns have no types, a row made by hand can hold anything.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out_and_the_others_are_listed() {
    let database = crate::support::Database::sqlite().await;
    let app = App::new(&database).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(sign_in(&app, "2", "10.0.0.1", "").await);
    }
    for broken in [made.remove(4), made.remove(2), made.remove(0)] {
        let sql = format!("UPDATE countersign_sessions SET created_at = 'x' WHERE id = '{broken}'");
        assert_eq!(database.execute(&sql).await, 1);
    }
    made.reverse();
    for size in [1, 2, 3, 5] {
        let (mut listed, mut page) = (Vec::new(), Page::first(size));
        loop {
            let part = app.sessions.list(&Filter::user(2), page).await.unwrap();
            listed.extend(ids(&part.sessions));
            match part.next {
                Some(next) => page = Page::first(size).after(next),
                None => break,
            }
        }
        assert_eq!(listed, made, "pages of {size}");
    }
    assert_eq!(app.sessions.revoke_user(2, "1").await.unwrap(), 5);
}
