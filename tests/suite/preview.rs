//! The list is the preview of the revocation: for whatever sessions there are and whatever filter there is, what is listed
//! as live is what ends, and nothing else is touched.
//!
//! A few lines of plain Rust say which sessions a filter means, so that listing and ending are not merely equally wrong.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use countersign::{Filter, Page, SessionInfo, SessionState, time::OffsetDateTime, uuid::Uuid};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any},
    prop_oneof,
    sample::{Index, select},
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use tokio::runtime::Handle;

use crate::support::{
    App, Database, on_every_database,
    rows::{Dump, Fate, NewRow},
};

const USERS: &[&str] = &[
    "2", "02", "22", "Ada", "ada", "ADA", "ä", "a\u{308}", "x y", "%", "_", "x'y", "\\",
];
const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.10",
    "110.0.0.1",
    "2001:db8::1",
    "fe80::1%eth0",
];
/// Nobody signed in from there, however close it looks.
const STRANGE_ADDRESSES: &[&str] = &[
    "",
    " ",
    "10.0.0.1 ",
    " 10.0.0.1",
    "10.0.0.%",
    "10.0.0._",
    "2001:DB8::1",
    "10.0.0.\u{ff11}",
    "' OR '1'='1",
];
/// What user agents are made of here: each pair of these has been mistaken for one another by some comparison.
const PIECES: &[&str] = &[
    "Firefox",
    "firefox",
    "FIREFOX",
    "%",
    "_",
    "'",
    "''",
    "\"",
    "\\",
    "\\\\",
    "ä",
    "a\u{308}",
    "a",
    "ß",
    "ss",
    "\u{1e9e}",
    "İ",
    "i",
    "ı",
    "I",
    "K",
    "\u{212a}",
    "\u{1f980}",
    " ",
    "  ",
    "\u{a0}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "?",
    "$1",
    ":a",
    "{live}",
    "{?text}",
    "--",
    "/*",
    ";",
    "<b>",
    "&amp;",
    "\t",
    "\u{7f}",
];
const CREATED: i64 = 1_767_225_600_000;

fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..4).prop_map(|pieces| pieces.concat())
}

fn row() -> impl Strategy<Value = NewRow> {
    let fate = prop_oneof![
        6 => Just(Fate::Live),
        1 => Just(Fate::Ended),
        1 => Just(Fate::Idle),
        1 => Just(Fate::Overdue),
        1 => Just(Fate::Reserved),
        1 => Just(Fate::Lapsed),
        1 => Just(Fate::ReservedAndEnded),
    ];
    (
        (1..u128::MAX, any::<[u8; 32]>()),
        prop_oneof![5 => Just("default"), 1 => Just("other")],
        prop_oneof![Just("2"), Just("Ada"), select(USERS)],
        option::weighted(0.2, select(USERS)),
        option::of(select(ADDRESSES)),
        option::weighted(0.9, text()),
        -3_i64..4,
        fate,
    )
        .prop_map(
            |((id, token), realm, user_id, acting, ip, user_agent, moment, fate)| NewRow {
                realm,
                id: Uuid::from_u128(id),
                token,
                user_id: user_id.to_owned(),
                acting_user: acting.map(str::to_owned),
                ip: ip.map(str::to_owned),
                user_agent,
                created_at: CREATED + moment,
                fate,
                ..NewRow::live("")
            },
        )
}

/// A filter, before it is known which sessions there are.
#[derive(Clone, Debug)]
struct Draft {
    user: Option<Pick>,
    acting: Option<Pick>,
    state: Option<SessionState>,
    ip: Option<Pick>,
    agent: Option<(Pick, Index, Index, Near)>,
    after: Option<i64>,
    before: Option<i64>,
    page_size: u32,
}

/// The text that a session has, or one that a comparison which is not letter for letter takes for it.
#[derive(Clone, Copy, Debug)]
enum Near {
    Exact,
    Upper,
    Lower,
    AnyLetter,
    AnyLetters,
}

impl Near {
    fn of(self, text: &str) -> String {
        let joker = |joker: &str| {
            let mut letters = text.chars();
            letters.next();
            format!("{joker}{}", letters.as_str())
        };
        match self {
            Self::Exact => text.to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::AnyLetter => joker("_"),
            Self::AnyLetters => joker("%"),
        }
    }
}

/// Something that one of the sessions has, or else this.
#[derive(Clone, Debug)]
struct Pick(Option<Index>, String);

fn pick(other: impl Strategy<Value = String>) -> impl Strategy<Value = Pick> {
    (option::weighted(0.7, any::<Index>()), other).prop_map(|(index, other)| Pick(index, other))
}

fn draft() -> impl Strategy<Value = Draft> {
    let users = || select(USERS).prop_map(str::to_owned);
    let addresses =
        prop_oneof![select(ADDRESSES), select(STRANGE_ADDRESSES)].prop_map(str::to_owned);
    // Around the times of the sessions, to the millisecond, and as far away as a time can be.
    let moment = || {
        let far = select(vec![
            i64::MIN,
            -CREATED - 1,
            -CREATED,
            8_000_000_000_000_000,
            i64::MAX,
        ]);
        prop_oneof![6 => -4_i64..5, 1 => far]
    };
    let near = || {
        let other = select(vec![
            Near::Upper,
            Near::Lower,
            Near::AnyLetter,
            Near::AnyLetters,
        ]);
        prop_oneof![Just(Near::Exact), other]
    };
    (
        option::weighted(0.3, pick(users())),
        option::weighted(0.15, pick(users())),
        prop_oneof![
            3 => Just(None),
            2 => Just(Some(SessionState::Live)),
            1 => Just(Some(SessionState::Ended)),
        ],
        option::weighted(0.3, pick(addresses)),
        option::weighted(0.6, (pick(text()), any::<Index>(), any::<Index>(), near())),
        option::weighted(0.2, moment()),
        option::weighted(0.2, moment()),
        prop_oneof![1_u32..6, Just(1000)],
    )
        .prop_map(
            |(user, acting, state, ip, agent, after, before, page_size)| Draft {
                user,
                acting,
                state,
                ip,
                agent,
                after,
                before,
                page_size,
            },
        )
}

impl Pick {
    fn text(&self, rows: &[NewRow], of: impl Fn(&NewRow) -> Option<&String>) -> String {
        match self.0 {
            Some(index) if !rows.is_empty() => of(index.get(rows)).unwrap_or(&self.1).clone(),
            _ => self.1.clone(),
        }
    }
}

/// Which sessions are meant, in plain Rust.
#[derive(Clone, Debug)]
struct Wanted {
    user_id: Option<String>,
    acting_user: Option<String>,
    state: Option<SessionState>,
    ip: Option<String>,
    user_agent: Option<String>,
    after: Option<i64>,
    before: Option<i64>,
}

impl Wanted {
    fn from(draft: &Draft, rows: &[NewRow]) -> Self {
        let time = |moment: i64| moment.saturating_add(CREATED);
        Self {
            user_id: draft
                .user
                .as_ref()
                .map(|pick| pick.text(rows, |row| Some(&row.user_id))),
            acting_user: draft
                .acting
                .as_ref()
                .map(|pick| pick.text(rows, |row| row.acting_user.as_ref())),
            state: draft.state,
            ip: draft
                .ip
                .as_ref()
                .map(|pick| pick.text(rows, |row| row.ip.as_ref())),
            user_agent: draft.agent.as_ref().map(|(pick, from, to, near)| {
                let whole: Vec<_> = pick
                    .text(rows, |row| row.user_agent.as_ref())
                    .chars()
                    .collect();
                let (from, to) = (from.index(whole.len() + 1), to.index(whole.len() + 1));
                near.of(&String::from_iter(&whole[from.min(to)..from.max(to)]))
            }),
            after: draft.after.map(time),
            before: draft.before.map(time),
        }
    }

    fn filter(&self) -> Filter {
        let mut filter = match &self.user_id {
            Some(user_id) => Filter::user(user_id.as_str()),
            None => Filter::all(),
        };
        if let Some(user_id) = &self.acting_user {
            filter = filter.acting_user(user_id.as_str());
        }
        if let Some(state) = self.state {
            filter = filter.state(state);
        }
        if let Some(ip) = &self.ip {
            filter = filter.ip(ip);
        }
        if let Some(part) = &self.user_agent {
            filter = filter.user_agent(part);
        }
        if let Some(time) = self.after {
            filter = filter.created_after(moment(time));
        }
        if let Some(time) = self.before {
            filter = filter.created_before(moment(time));
        }
        filter
    }

    /// Whatever has become of it.
    fn means(&self, row: &NewRow) -> bool {
        let user = self.user_id.as_ref().is_none_or(|id| *id == row.user_id);
        let acting = self.acting_user.is_none() || self.acting_user == row.acting_user;
        let ip = self.ip.is_none() || self.ip == row.ip;
        let agent = self.user_agent.as_ref().is_none_or(|part| {
            row.user_agent
                .as_ref()
                .is_some_and(|agent| agent.contains(part.as_str()))
        });
        let after = self.after.is_none_or(|time| row.created_at >= time);
        let before = self.before.is_none_or(|time| row.created_at < time);
        row.realm == "default" && user && acting && ip && agent && after && before
    }

    fn lists(&self, row: &NewRow) -> bool {
        let state = match row.fate {
            Fate::Live => SessionState::Live,
            Fate::Ended | Fate::Idle | Fate::Overdue => SessionState::Ended,
            Fate::Reserved | Fate::Lapsed | Fate::ReservedAndEnded => return false,
        };
        self.means(row) && self.state.is_none_or(|wanted| wanted == state)
    }

    /// Live sessions, and sign-ins under way; unless the filter is about what has ended.
    fn ends(&self, row: &NewRow) -> bool {
        let over = self.state == Some(SessionState::Ended);
        !over && self.means(row) && matches!(row.fate, Fate::Live | Fate::Reserved)
    }
}

/// As near as a time can be.
fn moment(millis: i64) -> OffsetDateTime {
    let nanos = i128::from(millis) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(match millis {
        ..0 => OffsetDateTime::from_unix_timestamp(-377_705_116_800).unwrap(), // the year -9999
        // The end of 9999, to the last digit.
        _ => OffsetDateTime::from_unix_timestamp_nanos(253_402_300_799_999_999_999).unwrap(),
    })
}

/// All pages, one after the other.
async fn all_pages(app: &App, filter: &Filter, size: u32) -> Vec<SessionInfo> {
    let (mut sessions, mut page) = (Vec::new(), Page::first(size));
    loop {
        let part = app.sessions.list(filter, page).await.unwrap();
        sessions.extend(part.sessions);
        match part.next {
            Some(next) => page = Page::first(size).after(next),
            None => return sessions,
        }
    }
}

fn live_ids(sessions: &[SessionInfo]) -> BTreeSet<Uuid> {
    let live = sessions
        .iter()
        .filter(|session| session.state == SessionState::Live);
    live.map(|session| session.id).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: T, expected: T) -> Result<(), String> {
    match seen == expected {
        true => Ok(()),
        false => Err(format!("{what}: {seen:?} instead of {expected:?}")),
    }
}

/// The rows that differ, and how they have ended.
fn changed(before: &Dump, after: &Dump) -> Result<BTreeSet<Uuid>, String> {
    same("rows", after.len(), before.len())?;
    let mut changed = BTreeSet::new();
    for (id, line) in before {
        let now = &after[id];
        if now == line {
            continue;
        }
        let id: Uuid = id.parse().unwrap();
        changed.insert(id);
        for (column, value) in now {
            let value = value.as_deref();
            match column.as_str() {
                "ended_at" => same("ended before", line[column].as_deref(), None)?,
                "ended_reason" => same("reason", value, Some("revoked"))?,
                "ended_by" => same("by", value, Some("preview"))?,
                other => same(other, value, line[other].as_deref())?,
            }
        }
    }
    Ok(changed)
}

/// How many there were in all, so that the test cannot pass because nothing ever matched.
#[derive(Debug, Default)]
struct Seen {
    ended: AtomicUsize,
    spared: AtomicUsize,
    sign_ins: AtomicUsize,
}

async fn compare(
    database: &Database,
    app: &App,
    seen: &Seen,
    mut rows: Vec<NewRow>,
    drafts: Vec<Draft>,
) -> Result<(), String> {
    database.execute("DELETE FROM countersign_sessions").await;
    database.insert(&rows).await;
    for draft in drafts {
        let wanted = Wanted::from(&draft, &rows);
        let ids = |meant: &dyn Fn(&NewRow) -> bool| -> BTreeSet<Uuid> {
            let meant = rows.iter().filter(|row| meant(row));
            meant.map(|row| row.id).collect()
        };
        let filter = wanted.filter();
        let listed = all_pages(app, &filter, draft.page_size).await;
        let place = |what: &str| format!("{what} of {wanted:?}");

        let order: Vec<_> = listed.iter().map(|session| session.id).collect();
        let mut newest: Vec<_> = rows.iter().filter(|row| wanted.lists(row)).collect();
        newest.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
        let expected: Vec<_> = newest.into_iter().map(|row| row.id).collect();
        same(&place("list"), order, expected)?;
        let preview = live_ids(&listed);
        let live = ids(&|row| wanted.ends(row) && row.fate == Fate::Live);
        same(&place("live"), &preview, &live)?;
        let dry = app.sessions.revoke_where_dry_run(&filter).await.unwrap();
        same(&place("dry run"), dry, preview.len() as u64)?;

        let before = database.dump("countersign_sessions").await;
        let revoked = app.sessions.revoke_where(&filter, "preview").await.unwrap();
        same(&place("revoked"), revoked, preview.len() as u64)?;
        let after = database.dump("countersign_sessions").await;
        let ends = ids(&|row| wanted.ends(row));
        same(&place("ended"), &changed(&before, &after)?, &ends)?;

        seen.ended.fetch_add(live.len(), Ordering::Relaxed);
        seen.sign_ins
            .fetch_add(ends.len() - live.len(), Ordering::Relaxed);
        for row in &mut rows {
            row.fate = match row.fate {
                Fate::Live if live.contains(&row.id) => Fate::Ended,
                Fate::Reserved if ends.contains(&row.id) => Fate::ReservedAndEnded,
                Fate::Live => {
                    seen.spared.fetch_add(1, Ordering::Relaxed);
                    Fate::Live
                }
                fate => fate,
            };
        }
        let rest = all_pages(app, &filter, draft.page_size).await;
        same(&place("left"), live_ids(&rest), BTreeSet::new())?;
        same(
            &place("second dry run"),
            app.sessions.revoke_where_dry_run(&filter).await.unwrap(),
            0,
        )?;
    }
    Ok(())
}

on_every_database! {
    async fn what_is_listed_as_live_is_what_ends(database: Database) {
        let app = App::new(&database).await;
        let seen = Seen::default();
        let config = Config { cases: 96, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
        let cases = (vec(row(), 0..24), vec(draft(), 1..5));
        let outcome = tokio::task::block_in_place(|| {
            TestRunner::new(config).run(&cases, |(rows, drafts)| {
                Handle::current()
                    .block_on(compare(&database, &app, &seen, rows, drafts))
                    .map_err(TestCaseError::fail)
            })
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:#?}"),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
        let many = |counter: &AtomicUsize| counter.load(Ordering::Relaxed) > 20;
        assert!(many(&seen.ended) && many(&seen.spared) && seen.sign_ins.into_inner() > 0);
    }

    async fn so_it_is_with_more_than_fit_into_a_page_or_a_batch(database: Database) {
        let app = App::new(&database).await;
        let rows: Vec<_> = (0..1700).map(|number| NewRow {
            fate: [Fate::Live, Fate::Live, Fate::Reserved, Fate::Idle][number % 4],
            ..NewRow::live(["2", "3", "4"][number % 3])
        }).collect();
        database.insert(&rows).await;
        let meant = |row: &&NewRow| row.user_id == "2" && row.fate == Fate::Live;
        let expected: BTreeSet<_> = rows.iter().filter(meant).map(|row| row.id).collect();
        let filter = Filter::user(2).state(SessionState::Live);
        for size in [1, 7, 256, u32::MAX] {
            assert_eq!(live_ids(&all_pages(&app, &filter, size).await), expected);
        }
        assert_eq!(app.sessions.revoke_where_dry_run(&filter).await.unwrap(), expected.len() as u64);
        let before = database.dump("countersign_sessions").await;
        assert_eq!(app.sessions.revoke_where(&filter, "preview").await.unwrap(), expected.len() as u64);
        let after = database.dump("countersign_sessions").await;
        let reserved = |row: &&NewRow| row.user_id == "2" && row.fate == Fate::Reserved;
        let expected = rows.iter().filter(|row| meant(row) || reserved(row)).map(|row| row.id).collect();
        assert_eq!(changed(&before, &after), Ok(expected));
    }
}
