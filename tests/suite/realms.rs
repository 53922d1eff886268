//! Several applications in one database: none sees, counts, ends or sweeps anything of another.

use std::{collections::BTreeSet, time::Duration};

use countersign::{
    BuildError, Filter, Limit, MaxSessions, Page, SessionState, SessionsBuilder, uuid::Uuid,
};

use super::streams::watched;
use crate::support::{
    App, Client, Database, on_every_database,
    rows::{Dump, Fate, NewRow},
};

const FATES: [Fate; 7] = [
    Fate::Live,
    Fate::Ended,
    Fate::Idle,
    Fate::Overdue,
    Fate::Reserved,
    Fate::Lapsed,
    Fate::ReservedAndEnded,
];

fn realm(name: &'static str) -> impl FnOnce(SessionsBuilder) -> SessionsBuilder {
    move |builder| builder.realm(name)
}

/// Sessions of every kind and of each user, live ones several times; some of them administrators'.
fn some_of_everything(realm: &'static str) -> Vec<NewRow> {
    let mut rows = Vec::new();
    for user in ["1", "2", "3"] {
        for fate in FATES.into_iter().chain([Fate::Live, Fate::Live]) {
            rows.push(NewRow {
                realm,
                fate,
                ip: Some("10.0.0.1".into()),
                ..NewRow::live(user)
            });
        }
    }
    let acting_user = Some("1".to_owned());
    rows.push(NewRow {
        realm,
        acting_user,
        ..NewRow::live("2")
    });
    rows
}

/// All that is another's: the rows of both tables.
async fn everything_of(database: &Database, realm: &str) -> [Dump; 2] {
    let condition = format!("realm = '{realm}'");
    [
        database
            .dump_where("countersign_sessions", &condition)
            .await,
        database.dump_where("countersign_users", &condition).await,
    ]
}

async fn listed(app: &App, filter: &Filter) -> BTreeSet<Uuid> {
    let page = app.sessions.list(filter, Page::first(1000)).await.unwrap();
    page.sessions.iter().map(|session| session.id).collect()
}

on_every_database! {
    async fn a_session_belongs_to_its_realm(database: Database) {
        let shop = App::with(&database, realm("shop")).await;
        let blog = App::beside(&database, realm("blog")).await;
        let mut browser = shop.signed_in("2").await;
        let before = browser.clone();
        // With the token of now, and with that of before a rotation.
        browser.post(&shop.router, "/rotate").await;
        for browser in [&browser, &before] {
            assert_eq!((shop.who(browser).await, blog.who(browser).await), ("2".into(), "anonymous".into()));
        }
        assert_eq!(blog.sessions.list(&Filter::all(), Page::first(10)).await.unwrap().sessions, []);
        assert_eq!(blog.sessions.revoke_user(2, "test").await.unwrap(), 0);
        assert_eq!(shop.sessions.revoke_user(2, "test").await.unwrap(), 1);
    }

    /// Everything that a handle can do, with another realm's rows held against what they were.
    async fn whatever_one_realm_does_no_row_of_another_changes(database: Database) {
        let configure = |builder: SessionsBuilder| {
            builder
                .realm("shop")
                .limit(Limit::end_oldest(1))
                .idle_timeout(Duration::from_secs(5))
                .touch_interval(Duration::from_millis(1))
                .retention(Duration::from_secs(1))
        };
        let shop = App::with(&database, configure).await;
        let others: Vec<_> = ["blog", "default", "shop2", "sho"].map(some_of_everything).concat();
        database.insert(&others).await;
        let blog = App::beside(&database, realm("blog")).await;
        blog.sessions.set_limit(2, Some(MaxSessions::AtMost(7)), "test").await.unwrap();
        let in_blog = blog.signed_in("2").await;
        blog.sessions.close().await;
        let not_ours = "realm <> 'shop'";
        let tables = ["countersign_sessions", "countersign_users"];
        let before = [
            database.dump_where(tables[0], not_ours).await,
            database.dump_where(tables[1], not_ours).await,
        ];

        let sessions = &shop.sessions;
        assert_eq!(listed(&shop, &Filter::all()).await, BTreeSet::new());
        for row in &others {
            assert_eq!(sessions.get(row.id).await.unwrap(), None);
            assert!(!sessions.revoke(row.id, "test").await.unwrap());
        }
        // A browser that brings the other application's cookie along: the names and the keys are the same.
        for row in others.iter().filter(|row| row.fate == Fate::Live) {
            let mut client = row.client();
            assert_eq!(shop.who(&client).await, "anonymous");
            for path in ["/rotate", "/reauthenticated", "/revoke-others", "/act-as/3", "/logout", "/login/2/500", "/login/2"] {
                let mut copy = client.clone();
                copy.post(&shop.router, path).await;
            }
            shop.login(&mut client, "2").await;
            assert_eq!(shop.who(&client).await, "2");
        }
        for filter in [
            Filter::all(),
            Filter::user(2),
            Filter::all().state(SessionState::Live).ip("10.0.0.1"),
            Filter::all().acting_user(1),
        ] {
            let own = sessions.revoke_where_dry_run(&filter).await.unwrap();
            assert_eq!(sessions.revoke_where(&filter, "test").await.unwrap(), own);
            assert!(own <= 3, "one for each user at the most");
        }
        let mut administrator = shop.signed_in("1").await;
        administrator.post(&shop.router, "/act-as/2").await;
        sessions.revoke_user(1, "test").await.unwrap();
        sessions.revoke_user(2, "test").await.unwrap();
        assert_eq!(sessions.limit(2).await.unwrap(), None);
        sessions.set_limit(2, Some(MaxSessions::AtMost(1)), "test").await.unwrap();
        sessions.set_limit(2, None, "test").await.unwrap();
        database.execute("UPDATE countersign_sessions SET ended_at = '2020-01-01 00:00:00' WHERE realm = 'shop' AND ended_at IS NOT NULL").await;
        let swept = sessions.sweep().await.unwrap();
        assert!(swept.deleted > 0, "{swept:?}");
        sessions.close().await;

        let after = [
            database.dump_where(tables[0], not_ours).await,
            database.dump_where(tables[1], not_ours).await,
        ];
        assert_eq!(before, after);
        assert_eq!(blog.who(&in_blog).await, "2");
    }

    async fn each_lists_its_own_and_ends_its_own(database: Database) {
        let shop = App::with(&database, realm("shop")).await;
        let blog = App::beside(&database, realm("blog")).await;
        let (in_shop, in_blog) = (some_of_everything("shop"), some_of_everything("blog"));
        database.insert(&[in_shop.clone(), in_blog.clone()].concat()).await;
        let shown = |rows: &[NewRow]| {
            let listed = |row: &&NewRow| !matches!(row.fate, Fate::Reserved | Fate::Lapsed | Fate::ReservedAndEnded);
            rows.iter().filter(listed).map(|row| row.id).collect::<BTreeSet<_>>()
        };
        assert_eq!(listed(&shop, &Filter::all()).await, shown(&in_shop));
        assert_eq!(listed(&blog, &Filter::all()).await, shown(&in_blog));
        let before = everything_of(&database, "blog").await;
        // Three live ones for each of three users, and one in which the administrator acts as somebody.
        assert_eq!(shop.sessions.revoke_where(&Filter::all(), "test").await.unwrap(), 10);
        assert_eq!(everything_of(&database, "blog").await, before);
        assert_eq!(blog.sessions.revoke_where_dry_run(&Filter::all()).await.unwrap(), 10);
        assert_eq!(blog.sessions.revoke_user(1, "test").await.unwrap(), 4);
    }

    async fn limits_count_and_end_within_a_realm(database: Database) {
        let strict = |name: &'static str| move |builder: SessionsBuilder| builder.realm(name).limit(Limit::refuse(1));
        let shop = App::with(&database, strict("shop")).await;
        let blog = App::beside(&database, strict("blog")).await;
        let (in_shop, in_blog) = (shop.signed_in("2").await, blog.signed_in("2").await);
        for app in [&shop, &blog] {
            assert_eq!(app.login(&mut Client::new(), "2").await.status, 409);
        }
        // The same browser: the other realm's session takes no place here, and is not replaced.
        assert_eq!(blog.login(&mut in_shop.clone(), "2").await.status, 409);
        assert_eq!((shop.who(&in_shop).await, blog.who(&in_blog).await), ("2".into(), "2".into()));

        shop.sessions.set_limit(2, Some(MaxSessions::Unlimited), "test").await.unwrap();
        assert_eq!(shop.sessions.limit(2).await.unwrap(), Some(MaxSessions::Unlimited));
        assert_eq!(blog.sessions.limit(2).await.unwrap(), None);
        assert_eq!(shop.login(&mut Client::new(), "2").await.status, 200);
        assert_eq!(blog.login(&mut Client::new(), "2").await.status, 409);
    }

    async fn the_sweeper_of_one_realm_goes_by_its_own_timeouts_and_rows(database: Database) {
        let short = |builder: SessionsBuilder| {
            builder.realm("shop").idle_timeout(Duration::from_secs(5)).retention(Duration::from_secs(1))
        };
        let shop = App::with(&database, short).await;
        let blog = App::beside(&database, realm("blog")).await;
        let rows = [some_of_everything("shop"), some_of_everything("blog")].concat();
        database.insert(&rows).await;
        let before = everything_of(&database, "blog").await;
        shop.sessions.sweep().await.unwrap();
        assert_eq!(everything_of(&database, "blog").await, before);
        // Seen half a minute ago: run out there, live here.
        assert_eq!(listed(&shop, &Filter::all().state(SessionState::Live)).await, BTreeSet::new());
        assert_eq!(listed(&blog, &Filter::all().state(SessionState::Live)).await.len(), 10);
        let before = everything_of(&database, "shop").await;
        let swept = blog.sessions.sweep().await.unwrap();
        // Idle and overdue, of each user; a lapsed sign-in of each.
        assert_eq!((swept.expired, swept.lapsed), (6, 3), "{swept:?}");
        assert_eq!(everything_of(&database, "shop").await, before);
    }

    async fn open_connections_end_with_their_own_realm(database: Database) {
        let quick = |name: &'static str| {
            move |builder: SessionsBuilder| builder.realm(name).watch_interval(Duration::from_millis(50))
        };
        let shop = App::with(&database, quick("shop")).await;
        let blog = App::beside(&database, quick("blog")).await;
        let (in_shop, in_blog) = (shop.signed_in("2").await, blog.signed_in("2").await);
        let mut goes_on = watched(&shop, &in_shop).await;
        let ends = watched(&blog, &in_blog).await;
        // There is nothing to watch about the other realm's cookie.
        let mut nothing = watched(&shop, &in_blog).await;
        blog.sessions.revoke_where(&Filter::all(), "test").await.unwrap();
        assert_eq!(tokio::time::timeout(crate::support::PATIENCE, ends).await.unwrap().as_str(), "revoked");
        // Rounds and wakes have gone by here as well when another session of this realm is seen to end.
        let other = shop.signed_in("3").await;
        let ended = watched(&shop, &other).await;
        shop.sessions.revoke_user(3, "test").await.unwrap();
        assert_eq!(tokio::time::timeout(crate::support::PATIENCE, ended).await.unwrap().as_str(), "revoked");
        assert!(futures::poll!(&mut goes_on).is_pending() && futures::poll!(&mut nothing).is_pending());
        shop.sessions.revoke_user(2, "test").await.unwrap();
        assert_eq!(tokio::time::timeout(crate::support::PATIENCE, goes_on).await.unwrap().as_str(), "revoked");
    }

    /// What cannot be verified is ended by its token alone, so that a logout holds; not in another realm.
    async fn a_logout_that_knows_only_the_token_ends_nothing_of_another_realm(database: Database) {
        let shop = App::with(&database, realm("shop")).await;
        let blog = App::beside(&database, realm("blog")).await;
        let (in_shop, in_blog) = (shop.signed_in("2").await, blog.signed_in("2").await);
        database.execute("ALTER TABLE users RENAME TO away").await;
        for client in [&in_shop, &in_blog] {
            assert_eq!(shop.who(client).await, "unavailable");
            assert_eq!(client.clone().post(&shop.router, "/logout").await.status, 200);
        }
        database.execute("ALTER TABLE away RENAME TO users").await;
        assert_eq!(shop.who(&in_shop).await, "anonymous logout");
        assert_eq!(blog.who(&in_blog).await, "2");
    }

    async fn a_realm_of_another_name_is_another_realm_and_an_odd_name_is_refused(database: Database) {
        let shop = App::with(&database, realm("shop")).await;
        let browser = shop.signed_in("2").await;
        assert_eq!(shop.sessions.realm(), "shop");
        for name in ["sho", "shop-", "shop2", "sh_p", "default"] {
            let app = App::with(&database, realm(name)).await;
            assert_eq!((app.sessions.realm(), app.who(&browser).await.as_str()), (name, "anonymous"));
        }
        for name in ["", "Shop", "SHOP", " shop", "shop ", "sh%p", "shop'", "shop\0", "shöp", "{realm}"] {
            let builder = crate::support::app::usual(database.builder()).realm(name);
            let error = builder.build().await.unwrap_err();
            assert!(matches!(&error, BuildError::Realm { realm } if realm == name), "{name:?}: {error}");
        }
        assert_eq!(shop.who(&browser).await, "2");
        assert_eq!(App::new(&database).await.sessions.realm(), "default");
    }
}
