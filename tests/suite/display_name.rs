//! What people call a user: shown to whoever looks at sessions, beside the id, and good for nothing else.

use std::error::Error as _;

use countersign::{Error, ErrorKind, Filter, Page, SessionsBuilder};
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    App,
    control::{assert_problem, revoke, sign_in, with_routers},
    on_every_database,
    pages::{assert_page, listed, with_pages},
    rows::NewRow,
    usual,
};

const USERS: &str = "users WHERE id = {user:int}";

fn named(builder: SessionsBuilder) -> SessionsBuilder {
    builder.display_name("name", USERS)
}

async fn names(app: &App, filter: &Filter) -> Vec<(String, Option<String>)> {
    let page = app.sessions.list(filter, Page::first(100)).await.unwrap();
    let sessions = page.sessions.into_iter();
    sessions
        .map(|session| (session.user_id.to_string(), session.display_name))
        .collect()
}

fn why(error: &Error) -> String {
    error.source().unwrap().to_string()
}

fn some(id: &str, name: &str) -> (String, Option<String>) {
    (id.to_owned(), Some(name.to_owned()))
}

on_every_database! {
    async fn a_list_says_who_it_is(database: Database) {
        let app = App::with(&database, named).await;
        let alice = app.signed_in("2").await;
        app.signed_in("3").await;
        assert_eq!(names(&app, &Filter::all()).await, [some("3", "bob"), some("2", "alice")]);
        // As it is now, and not as it was at sign-in.
        database.execute("UPDATE users SET name = 'Älice ß' WHERE id = 2").await;
        database.execute("UPDATE users SET name = '' WHERE id = 3").await;
        assert_eq!(names(&app, &Filter::all()).await, [("3".into(), None), some("2", "Älice ß")]);
        // Whose account is gone has a session, which can be ended, and no name.
        database.execute("DELETE FROM user_permissions WHERE user_id = 2").await;
        database.execute("DELETE FROM users WHERE id = 2").await;
        assert_eq!(names(&app, &Filter::user(2)).await, [("2".into(), None)]);
        assert_eq!(app.sessions.revoke_user(2, "test").await.unwrap(), 1);
        assert_eq!(app.who(&alice).await, "anonymous revoked");
    }

    async fn of_several_names_none_is_shown(database: Database) {
        let both = |builder: SessionsBuilder| builder.display_name("name", "users WHERE id IN ({user:int}, 1)");
        let app = App::with(&database, both).await;
        app.signed_in("2").await;
        app.signed_in("1").await;
        assert_eq!(names(&app, &Filter::all()).await, [some("1", "admin"), ("2".into(), None)]);
    }

    async fn an_administrator_who_acts_has_a_name_too(database: Database) {
        let app = with_routers(App::with(&database, named).await);
        let mut admin = app.signed_in("1").await;
        admin.post(&app.router, "/act-as/2").await;
        let page = app.sessions.list(&Filter::user(2), Page::first(1)).await.unwrap();
        assert_eq!(page.sessions[0].display_name.as_deref(), Some("alice"));
        assert_eq!(page.sessions[0].acting_display_name.as_deref(), Some("admin"));

        let mut other = app.signed_in("1").await;
        let id = page.sessions[0].id;
        let json = other.get(&app.router, &format!("/api/admin/sessions/{id}")).await.json();
        assert_eq!(
            (&json["user_id"], &json["display_name"], &json["acting_user"], &json["acting_display_name"]),
            (&json!("2"), &json!("alice"), &json!("1"), &json!("admin"))
        );
    }

    async fn a_part_of_the_name_finds_sessions(database: Database) {
        let app = with_routers(App::with(&database, named).await);
        database.execute("UPDATE users SET name = 'Zoë van Ålen' WHERE id = 3").await;
        app.signed_in("2").await;
        app.signed_in("3").await;
        let mut admin = app.signed_in("1").await;
        let part = |part: &str| Filter::all().display_name(part);
        for (filter, expected) in [
            (part("ali"), vec![some("2", "alice")]),
            (part("ALICE"), vec![some("2", "alice")]),
            (part("zoË VAN å"), vec![some("3", "Zoë van Ålen")]),
            (part("a"), vec![some("1", "admin"), some("3", "Zoë van Ålen"), some("2", "alice")]),
            (part("%"), vec![]),
            (part("a").ip("192.0.2.99"), vec![]),
            (Filter::user(2).display_name("ali"), vec![some("2", "alice")]),
            (Filter::user(3).display_name("ali"), vec![]),
        ] {
            assert_eq!(names(&app, &filter).await, expected, "{filter:?}");
        }
        let found = admin.get(&app.router, "/api/admin/sessions?display_name=ALI").await.json();
        let ids: Vec<&Value> = found["sessions"].as_array().unwrap().iter().map(|session| &session["user_id"]).collect();
        assert_eq!(ids, [&json!("2")]);
        for refused in ["", &"x".repeat(256)] {
            let answer = admin.get(&app.router, &format!("/api/admin/sessions?display_name={refused}")).await;
            assert_problem(&answer, 400, "invalid-parameter");
        }
    }

    async fn pages_by_name_leave_nobody_out(database: Database) {
        let app = App::with(&database, named).await;
        // More than one step of the walk, and one in five of them is meant.
        let rows: Vec<_> = (0..2500).map(|number| NewRow::live(if number % 5 == 0 { "2" } else { "3" })).collect();
        database.insert(&rows).await;
        let filter = Filter::all().display_name("alice");
        let (mut next, mut seen) = (None, std::collections::HashSet::new());
        loop {
            let page = match next {
                None => Page::first(7),
                Some(cursor) => Page::first(7).after(cursor),
            };
            let page = app.sessions.list(&filter, page).await.unwrap();
            for session in page.sessions {
                assert_eq!(session.user_id.as_str(), "2");
                assert!(seen.insert(session.id), "listed twice");
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 500);
    }

    async fn nothing_ends_by_a_name(database: Database) {
        let app = with_routers(App::with(&database, named).await);
        app.signed_in("2").await;
        let mut admin = app.signed_in("1").await;
        let filter = Filter::all().display_name("alice");
        for outcome in [
            app.sessions.revoke_where(&filter, "test").await,
            app.sessions.revoke_where_dry_run(&filter).await,
        ] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(why(&error).contains("name the user by the id"), "{error:?}");
        }
        let body = json!({ "display_name": "alice" });
        let answer = revoke(&mut admin, &app.router, body).await;
        assert_problem(&answer, 400, "invalid-parameter");
        assert_eq!(database.live().await, 2);
    }

    async fn without_names_there_is_nothing_to_find(database: Database) {
        let app = with_routers(App::new(&database).await);
        let mut admin = app.signed_in("1").await;
        let error = app.sessions.list(&Filter::all().display_name("a"), Page::first(1)).await.unwrap_err();
        assert!(why(&error).contains("`.display_name`"), "{error:?}");
        let answer = admin.get(&app.router, "/api/admin/sessions?display_name=a").await;
        assert_problem(&answer, 400, "invalid-parameter");
        assert_eq!(answer.json()["parameter"], "display_name");
        assert_eq!(names(&app, &Filter::all()).await, [("1".into(), None)]);
    }

    async fn what_prevents_the_names_hides_no_session(database: Database) {
        database.execute("CREATE TABLE labels (user_id BIGINT, label VARCHAR(20))").await;
        database.execute("INSERT INTO labels VALUES (1, 'the boss')").await;
        let app = with_routers(App::with(&database, |builder| {
            builder.display_name("label", "labels WHERE user_id = {user:int}")
        }).await);
        let mut admin = app.signed_in("1").await;
        assert_eq!(names(&app, &Filter::all()).await, [some("1", "the boss")]);
        database.execute("DROP TABLE labels").await;
        assert_eq!(names(&app, &Filter::all()).await, [("1".into(), None)]);
        assert_eq!(admin.get(&app.router, "/api/admin/sessions").await.json()["sessions"][0]["display_name"], Value::Null);
        // Whoever looks for a name is told, instead of shown that there is none.
        let error = app.sessions.list(&Filter::all().display_name("boss"), Page::first(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
    }

    async fn a_column_that_is_not_there_fails_at_the_start(database: Database) {
        database.pool.migrate().await.unwrap();
        let refused = usual(database.builder()).display_name("nome", USERS)
            .build()
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("nome"), "{refused}");
    }

    async fn pages_show_the_name_and_the_id(database: Database) {
        let app = with_pages(App::with(&database, named).await);
        let (_, alice) = sign_in(&app, "2", "192.0.2.7", "curl/8").await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "curl/8").await;
        let list = admin.get(&app.router, "/admin/sessions").await;
        assert_page(&list, StatusCode::OK);
        for expected in ["alice 2", "admin 1", "Signed in as admin", "Name contains"] {
            assert!(list.words().contains(expected), "{expected}: {}", list.words());
        }
        let found = admin.get(&app.router, "/admin/sessions?display_name=ALI").await;
        assert_eq!(listed(&found), [alice]);
        assert!(found.link("Clear filters").is_some());
        assert!(found.link("End these sessions…").is_none(), "nothing ends by a name");
        for (path, expected) in [
            (format!("/admin/sessions/{alice}"), "Session of user alice ( 2 )"),
            (format!("/admin/sessions/{alice}/end"), "User alice (2)"),
            ("/admin/sessions/users/2".into(), "User alice (2)"),
            ("/admin/sessions/users/2/end".into(), "End all sessions of user alice ( 2 )?"),
            ("/account/sessions".into(), "Signed in as admin"),
        ] {
            let page = admin.get(&app.router, &path).await;
            assert_page(&page, StatusCode::OK);
            assert!(page.words().contains(expected), "{path}: {}", page.words());
        }
        // A name is text, whatever it looks like.
        database.execute("UPDATE users SET name = '<b>admin</b> (1)' WHERE id = 2").await;
        let list = admin.get(&app.router, "/admin/sessions").await;
        assert_page(&list, StatusCode::OK);
        assert!(list.words().contains("<b>admin</b> (1) 2"), "{}", list.words());
    }
}
