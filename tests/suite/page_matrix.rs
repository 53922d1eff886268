//! Who may do what on the pages: everybody × every page and form, with the exact status, and the database unchanged row
//! by row where a request was refused.

use std::collections::{BTreeSet, VecDeque};

use axum::Router;
use countersign::{Sessions, account, admin, uuid::Uuid};
use http::{Method, StatusCode};

use crate::support::{
    Answer, on_every_database,
    pages::assert_page,
    people::{Line, PEOPLE, World, table},
};

/// A form without fields is written as `-`.
const TABLE: &str = r#"
                                                                anonymous user other reader revoker admin acting as-admin stranger neighbour disabled ended stale
GET  /admin/sessions                       |                   | 401  403  403   200    403     200   403    200      401      200       401      401   403  |
GET  /admin/sessions?user_id=9&state=all   |                   | 401  403  403   200    403     200   403    200      401      200       401      401   403  |
GET  /admin/sessions/{target}              |                   | 401  403  403   200    403     200   403    200      401      404       401      401   403  |
GET  /admin/sessions/{target-past}         |                   | 401  403  403   200    403     200   403    200      401      404       401      401   403  |
GET  /admin/sessions/{unknown}             |                   | 401  403  403   404    403     404   403    404      401      404       401      401   403  |
GET  /admin/sessions/{target}/end          |                   | 401  403  403   403    403     200   403    403      401      404       401      401   403  |
GET  /admin/sessions/{target-past}/end     |                   | 401  403  403   403    403     404   403    403      401      404       401      401   403  |
GET  /admin/sessions/{current}/end         |                   | 401  403  403   403    403     200   403    403      401      404       401      401   403  |
POST /admin/sessions/{target}/end          | -                 | 401  403  403   403    303     303   403    403      401      404       401      401   403  | target
POST /admin/sessions/{target-past}/end     | -                 | 401  403  403   403    404     404   403    403      401      404       401      401   403  |
POST /admin/sessions/{unknown}/end         | -                 | 401  403  403   403    404     404   403    403      401      404       401      401   403  |
POST /admin/sessions/{current}/end         | -                 | 401  403  403   403    409     409   403    403      401      404       401      401   403  |
POST /admin/sessions/{current}/end         | include_current=true | 401  403  403   403    303     303   403    403      401      404       401      401   403  | current
GET  /admin/sessions/end?user_id=9         |                   | 401  403  403   403    403     200   403    403      401      200       401      401   403  |
GET  /admin/sessions/end                   |                   | 401  403  403   403    403     200   403    403      401      200       401      401   403  |
POST /admin/sessions/end                   | user_id=9         | 401  403  403   403    303     303   403    403      401      303       401      401   403  | target target-2
POST /admin/sessions/end                   | everybody=true    | 401  403  403   403    303     303   403    403      401      303       401      401   403  | all
POST /admin/sessions/end                   | -                 | 401  403  403   403    403     400   403    403      401      400       401      401   403  |
GET  /admin/sessions/users/9               |                   | 401  403  403   200    403     200   403    200      401      200       401      401   403  |
GET  /admin/sessions/users/9/end           |                   | 401  403  403   403    403     200   403    403      401      200       401      401   403  |
POST /admin/sessions/users/9/end           | -                 | 401  403  403   403    303     303   403    403      401      303       401      401   403  | target target-2
POST /admin/sessions/users/9/limit         | limit=unlimited   | 401  403  403   403    303     303   403    403      401      303       401      401   403  | limit
POST /admin/sessions/users/9/limit         | limit=odd         | 401  403  403   403    400     400   403    403      401      400       401      401   403  |
POST /admin/sessions/users/9/limit         | limit=at-most&max_sessions=x | 401  403  403   403    403     400   403    403      401      400       401      401   403  |
GET  /account/sessions                     |                   | 401  200  200   200    200     200   200    200      401      200       401      401   200  |
GET  /account/sessions/{user-2}            |                   | 401  200  404   404    404     404   200    404      401      404       401      401   200  |
GET  /account/sessions/{target}            |                   | 401  404  404   404    404     404   404    404      401      404       401      401   404  |
POST /account/sessions/{user-2}/end        | -                 | 401  303  404   404    404     404   401    401      401      404       401      401   401  | user-2
POST /account/sessions/{other-2}/end       | -                 | 401  404  303   404    404     404   401    401      401      404       401      401   401  | other-2
POST /account/sessions/{target}/end        | -                 | 401  404  404   404    404     404   401    401      401      404       401      401   401  |
POST /account/sessions/{current}/end       | -                 | 401  409  409   409    409     409   401    401      401      404       401      401   401  |
POST /account/sessions/others/end          | -                 | 401  303  303   303    303     303   401    401      401      303       401      401   401  | others
"#;

/// What each address takes.
const OFFERED: &[(&str, &[&str])] = &[
    ("/admin/sessions", &["GET", "HEAD"]),
    ("/admin/sessions/{id}", &["GET", "HEAD"]),
    ("/admin/sessions/{id}/end", &["GET", "HEAD", "POST"]),
    ("/admin/sessions/end", &["GET", "HEAD", "POST"]),
    ("/admin/sessions/users/{user_id}", &["GET", "HEAD"]),
    (
        "/admin/sessions/users/{user_id}/end",
        &["GET", "HEAD", "POST"],
    ),
    ("/admin/sessions/users/{user_id}/limit", &["POST"]),
    ("/account/sessions", &["GET", "HEAD"]),
    ("/account/sessions/{id}", &["GET", "HEAD"]),
    ("/account/sessions/{id}/end", &["POST"]),
    ("/account/sessions/others/end", &["POST"]),
];

const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE",
];

fn lines() -> Vec<Line<'static>> {
    let (people, rows) = TABLE.trim().split_once('\n').unwrap();
    assert_eq!(people.split_whitespace().collect::<Vec<_>>(), PEOPLE);
    table(rows)
}

fn pages(sessions: &Sessions) -> Router {
    Router::new()
        .nest("/admin/sessions", admin::pages(sessions).build())
        .nest("/account/sessions", account::pages(sessions).build())
}

#[track_caller]
fn assert_answer(answer: &Answer, expected: &str) {
    let status: StatusCode = expected.parse().unwrap();
    if status != StatusCode::SEE_OTHER {
        assert_page(answer, status);
        // The messages of a page that was shown are gone; nothing else is ever set.
        return assert!(answer.session_cookie().is_none());
    }
    assert_eq!(answer.status, status, "{}", answer.body);
    let next = answer.header("location").unwrap();
    assert!(
        next.starts_with("/admin/sessions") || next.starts_with("/account/sessions"),
        "{next}"
    );
    assert!(answer.session_cookie().is_none());
}

/// The address as the table has it.
fn route(address: &str) -> String {
    let path = address.split('?').next().unwrap();
    let mut after_users = false;
    let parts = path.split('/').map(|part| {
        let user = std::mem::replace(&mut after_users, part == "users");
        match part.parse::<Uuid>() {
            _ if user => "{user_id}",
            Ok(_) => "{id}",
            Err(_) => part,
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Every address that the pages below `start` lead to, with its method.
async fn reachable(world: &World, who: &str, start: &str) -> BTreeSet<(Method, String)> {
    let mut client = world.client(who);
    let mut found = BTreeSet::from([("GET".to_owned(), route(start))]);
    let (mut met, mut due) = (BTreeSet::new(), VecDeque::from([start.to_owned()]));
    while let Some(address) = due.pop_front() {
        if !met.insert(address.clone()) {
            continue;
        }
        let answer = client.get(world.router(who), &address).await;
        assert_page(&answer, StatusCode::OK);
        for tag in answer.tags() {
            let (method, address) = match tag.name.as_str() {
                "a" => ("GET", tag.get("href")),
                "form" if tag.get("method") == Some("post") => ("POST", tag.get("action")),
                "form" => ("GET", tag.get("action")),
                _ => continue,
            };
            let Some(address) = address.filter(|address| address.starts_with(start)) else {
                continue;
            };
            found.insert((method.to_owned(), route(address)));
            if method == "GET" {
                due.push_back(address.to_owned());
            }
        }
    }
    found
        .into_iter()
        .map(|(method, path)| (method.parse().unwrap(), path))
        .collect()
}

on_every_database! {
    async fn everybody_is_answered_as_the_table_says_and_a_refusal_changes_nothing(database: Database) {
        let mut world = World::new(database, pages).await;
        for line in lines() {
            for (who, expected) in PEOPLE.into_iter().zip(&line.answers) {
                println!("{} {} {who}", line.method, line.path);
                let answer = world.ask(&line, who, &[]).await;
                assert_answer(&answer, expected);
                match answer.status == StatusCode::SEE_OTHER {
                    true => world.has_ended(&line, who).await,
                    false => world.is_unchanged(&format!("{line:?} {who}")).await,
                }
                if who == "neighbour" {
                    let own = world.id("stranger").to_string();
                    let asked = world.address(&line, who);
                    let others = |id: &String| *id != own && !asked.contains(id);
                    assert!(world.ids().filter(others).all(|id| !answer.body.contains(&id)));
                }
            }
        }
    }

    async fn while_accounts_cannot_be_verified_a_page_says_so(database: Database) {
        let world = World::new(database, pages).await;
        world.without_accounts(async {
            for line in lines() {
                for who in PEOPLE {
                    let answer = world.ask(&line, who, &[]).await;
                    assert_answer(&answer, match who { "anonymous" => "401", _ => "503" });
                }
            }
        }).await;
        world.is_unchanged("an outage").await;
    }

    async fn forms_of_other_sites_change_nothing(database: Database) {
        let world = World::new(database, pages).await;
        let foreign: [&[(&str, &str)]; 4] = [
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("host", "here.example"), ("origin", "https://there.example")],
            &[("host", "here.example"), ("origin", "null")],
        ];
        for line in lines().iter().filter(|line| !line.is_safe()) {
            for headers in foreign {
                for who in PEOPLE {
                    let answer = world.ask(line, who, headers).await;
                    assert_answer(&answer, match who {
                        "anonymous" | "stranger" | "disabled" | "ended" => "401",
                        _ => "403",
                    });
                }
            }
        }
        world.is_unchanged("forms of other sites").await;
    }

    async fn methods_that_are_not_offered_are_refused_and_change_nothing(database: Database) {
        let world = World::new(database, pages).await;
        for line in lines() {
            let (_, offered) = OFFERED.iter().find(|(route, _)| *route == line.route()).unwrap();
            for method in METHODS.into_iter().filter(|method| !offered.contains(method)) {
                let other = Line { method: method.parse().unwrap(), answers: Vec::new(), ends: Vec::new(), ..line };
                for who in ["anonymous", "user", "admin"] {
                    let answer = world.ask(&other, who, &[]).await;
                    assert_page(&answer, StatusCode::METHOD_NOT_ALLOWED);
                    let allow = answer.header("allow").unwrap_or_default();
                    let allow: BTreeSet<_> = allow.split(',').map(str::trim).collect();
                    assert_eq!(allow, offered.iter().copied().collect(), "{other:?}");
                }
            }
        }
        world.is_unchanged("methods that are not offered").await;
    }

    async fn under_the_layer_of_another_application_no_page_works(database: Database) {
        let world = World::new(database, pages).await;
        let misplaced = world.misplaced(pages);
        for line in lines() {
            for who in PEOPLE {
                let answer = world.ask_at(&misplaced, &line, who, world.user(who), &[]).await;
                assert_answer(&answer, "500");
                assert!(world.ids().all(|id| !answer.body.contains(&id)), "{line:?} {who}");
            }
        }
        world.is_unchanged("pages under another application's layer").await;
    }

    async fn a_form_that_was_made_for_another_user_changes_nothing(database: Database) {
        let world = World::new(database, pages).await;
        for line in lines().iter().filter(|line| !line.is_safe()) {
            for (who, expected) in PEOPLE.into_iter().zip(&line.answers) {
                // Made for another user, for none, for one who is none, and for two.
                let user = world.user(who).unwrap_or_default();
                let twice = format!("{user}&signed_in_as={user}");
                for (made_for, refused) in [(Some("8"), "409"), (None, "409"), (Some(""), "409"), (Some("%20"), "400"), (Some(&twice), "400")] {
                    let answer = world.ask_at(world.router(who), line, who, made_for, &[]).await;
                    match *expected {
                        "401" => assert_answer(&answer, expected),
                        // Whoever may end without reading is refused only by a page that would be shown again.
                        "403" if who != "revoker" => assert_answer(&answer, expected),
                        _ => assert_answer(&answer, refused),
                    }
                    if answer.status == StatusCode::CONFLICT {
                        assert!(answer.words().contains("Another user is signed in now"), "{}", answer.words());
                        assert!(answer.words().contains(&format!("Signed in as {user}")), "{}", answer.words());
                    }
                }
            }
        }
        world.is_unchanged("forms that were made for others").await;
    }

    /// Whatever a page links to or sends a form to is a line of the table, and the other way round.
    async fn the_table_has_every_page_and_form_there_is(database: Database) {
        let world = World::new(database, pages).await;
        let mut found = reachable(&world, "admin", "/admin/sessions").await;
        found.extend(reachable(&world, "user", "/account/sessions").await);
        let found: BTreeSet<_> = found.iter().map(|(method, path)| format!("{method} {path}")).collect();
        let listed: BTreeSet<_> = lines().iter().map(|line| format!("{} {}", line.method, line.route())).collect();
        assert_eq!(found, listed);
        let offered = OFFERED.iter().flat_map(|(path, methods)| {
            methods.iter().filter(|method| **method != "HEAD").map(move |method| format!("{method} {path}"))
        });
        assert_eq!(offered.collect::<BTreeSet<_>>(), listed);
    }
}
