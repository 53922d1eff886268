//! Who may do what over the JSON routers: everybody × every route and method, with the exact status, and the database
//! unchanged row by row where a request was refused.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use countersign::{Sessions, account, admin, openapi};
use http::Method;

use crate::support::{
    Answer,
    control::{assert_headers, assert_problem},
    on_every_database,
    people::{Line, PEOPLE, World, table},
};

/// A 401 is `signed-out`, one with an `r` is `recent-sign-in-required`.
const TABLE: &str = r#"
                                                                anonymous user other reader revoker admin acting as-admin stranger neighbour disabled ended stale
GET    /api/admin/sessions                 |                   | 401  403  403   200    403     200   403    200      401      200       401      401   403  |
GET    /api/admin/sessions?user_id=9       |                   | 401  403  403   200    403     200   403    200      401      200       401      401   403  |
GET    /api/admin/sessions/{target}        |                   | 401  403  403   200    403     200   403    200      401      404       401      401   403  |
GET    /api/admin/sessions/{target-past}   |                   | 401  403  403   200    403     200   403    200      401      404       401      401   403  |
GET    /api/admin/sessions/{unknown}       |                   | 401  403  403   404    403     404   403    404      401      404       401      401   403  |
DELETE /api/admin/sessions/{target}        |                   | 401  403  403   403    204     204   403    403      401      404       401      401   403  | target
DELETE /api/admin/sessions/{target-past}   |                   | 401  403  403   403    404     404   403    403      401      404       401      401   403  |
DELETE /api/admin/sessions/{unknown}       |                   | 401  403  403   403    404     404   403    403      401      404       401      401   403  |
DELETE /api/admin/sessions/{current}       |                   | 401  403  403   403    409     409   403    403      401      404       401      401   403  |
DELETE /api/admin/sessions/{current}?include_current=true |    | 401  403  403   403    204     204   403    403      401      404       401      401   403  | current
DELETE /api/admin/users/9/sessions         |                   | 401  403  403   403    200     200   403    403      401      200       401      401   403  | target target-2
POST   /api/admin/sessions/revoke          | {"user_id": "9"}  | 401  403  403   403    200     200   403    403      401      200       401      401   403  | target target-2
POST   /api/admin/sessions/revoke          | {"everybody":true}| 401  403  403   403    200     200   403    403      401      200       401      401   403  | all
POST   /api/admin/sessions/revoke          | {"user_id": "9", "dry_run": true} | 401  403  403   403    200     200   403    403      401      200       401      401   403  |
POST   /api/admin/sessions/revoke          | {}                | 401  403  403   403    400     400   403    403      401      400       401      401   403  |
GET    /api/admin/users/9/limit            |                   | 401  403  403   200    403     200   403    200      401      200       401      401   403  |
PUT    /api/admin/users/9/limit            | {"max_sessions":3}| 401  403  403   403    200     200   403    403      401      200       401      401   403  | limit
GET    /api/account/sessions               |                   | 401  200  200   200    200     200   200    200      401      200       401      401   200  |
DELETE /api/account/sessions/{user-2}      |                   | 401  204  404   404    404     404   401r   401r     401      404       401      401   401r | user-2
DELETE /api/account/sessions/{other-2}     |                   | 401  404  204   404    404     404   401r   401r     401      404       401      401   401r | other-2
DELETE /api/account/sessions/{target}      |                   | 401  404  404   404    404     404   401r   401r     401      404       401      401   401r |
DELETE /api/account/sessions/{unknown}     |                   | 401  404  404   404    404     404   401r   401r     401      404       401      401   401r |
DELETE /api/account/sessions/{current}     |                   | 401  409  409   409    409     409   401r   401r     401      404       401      401   401r |
DELETE /api/account/sessions               |                   | 401  200  200   200    200     200   401r   401r     401      200       401      401   401r | others
"#;

/// What each address takes, in the order in which `Allow` may have it.
const OFFERED: &[(&str, &[&str])] = &[
    ("/api/admin/sessions", &["GET", "HEAD"]),
    ("/api/admin/sessions/revoke", &["POST"]),
    ("/api/admin/sessions/{id}", &["DELETE", "GET", "HEAD"]),
    ("/api/admin/users/{user_id}/sessions", &["DELETE"]),
    ("/api/admin/users/{user_id}/limit", &["GET", "HEAD", "PUT"]),
    ("/api/account/sessions", &["DELETE", "GET", "HEAD"]),
    ("/api/account/sessions/{id}", &["DELETE"]),
];

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE",
];

fn lines() -> Vec<Line<'static>> {
    // The first line says who is who.
    let (people, rows) = TABLE.trim().split_once('\n').unwrap();
    assert_eq!(people.split_whitespace().collect::<Vec<_>>(), PEOPLE);
    table(rows)
}

fn routers(sessions: &Sessions) -> Router {
    Router::new()
        .nest("/api/admin", admin::router(sessions).build())
        .nest("/api/account", account::router(sessions).build())
}

/// The status, and the code that goes with it.
#[track_caller]
fn assert_answer(answer: &Answer, expected: &str) {
    let (status, code) = match expected {
        "400" => (400, "invalid-parameter"),
        "401" => (401, "signed-out"),
        "401r" => (401, "recent-sign-in-required"),
        "403" => (403, "forbidden"),
        "404" => (404, "not-found"),
        "409" => (409, "current-session"),
        "503" => (503, "unavailable"),
        success => {
            assert_eq!(answer.status.as_str(), success, "{}", answer.body);
            assert_headers(answer);
            return assert_eq!(answer.set_cookies(), Vec::<String>::new());
        }
    };
    assert_problem(answer, status, code);
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
}

on_every_database! {
    async fn everybody_is_answered_as_the_table_says_and_a_refusal_changes_nothing(database: Database) {
        let mut world = World::new(database, routers).await;
        for line in lines() {
            for (who, expected) in PEOPLE.into_iter().zip(&line.answers) {
                println!("{} {} {who}", line.method, line.path);
                let answer = world.ask(&line, who, &[]).await;
                assert_answer(&answer, expected);
                match answer.status.is_success() && !line.is_safe() {
                    true => world.has_ended(&line, who).await,
                    false => world.is_unchanged(&format!("{line:?} {who}")).await,
                }
                if answer.status.is_success() && who == "neighbour" {
                    assert!(world.ids().filter(|id| *id != world.id("stranger").to_string()).all(|id| !answer.body.contains(&id)));
                }
            }
        }
    }

    async fn what_is_listed_is_what_whoever_asks_may_see(database: Database) {
        let world = World::new(database, routers).await;
        let all: BTreeSet<_> = world.ids().filter(|id| *id != world.id("stranger").to_string()).collect();
        for (who, path, expected) in [
            ("admin", "admin", None),
            ("reader", "admin", None),
            ("as-admin", "admin", None),
            ("neighbour", "admin", Some(&["stranger"][..])),
            ("user", "account", Some(&["user", "user-2", "acting", "stale"])),
            ("acting", "account", Some(&["user", "user-2", "acting", "stale"])),
            ("other", "account", Some(&["other", "other-2"])),
            ("admin", "account", Some(&["admin", "admin-2", "as-admin", "ended"])),
            ("neighbour", "account", Some(&["stranger"])),
        ] {
            let answer = world.client(who).get(world.router(who), &format!("/api/{path}/sessions?page_size=1000")).await;
            let json = answer.json();
            let listed: BTreeSet<_> = json["sessions"].as_array().unwrap().iter()
                .map(|session| session["id"].as_str().unwrap().to_owned()).collect();
            let expected = match expected {
                Some(names) => names.iter().map(|name| world.id(name).to_string()).collect(),
                None => all.clone(),
            };
            assert_eq!(listed, expected, "{who} {path}");
        }
    }

    async fn while_accounts_cannot_be_verified_nobody_is_let_in_or_signed_out(database: Database) {
        let world = World::new(database, routers).await;
        world.without_accounts(async {
            for line in lines() {
                for who in PEOPLE {
                    let answer = world.ask(&line, who, &[]).await;
                    // Without a cookie there is nothing to ask.
                    assert_answer(&answer, match who { "anonymous" => "401", _ => "503" });
                    assert_eq!(answer.header("retry-after").is_some(), who != "anonymous");
                }
            }
        }).await;
        world.is_unchanged("an outage").await;
    }

    async fn other_sites_change_nothing_whoever_is_signed_in(database: Database) {
        let world = World::new(database, routers).await;
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
                    match who {
                        "anonymous" | "stranger" | "disabled" | "ended" => assert_answer(&answer, "401"),
                        _ => assert_problem(&answer, 403, "cross-site"),
                    }
                }
            }
        }
        world.is_unchanged("requests of other sites").await;
    }

    async fn under_the_layer_of_another_application_no_route_works(database: Database) {
        let world = World::new(database, routers).await;
        let misplaced = world.misplaced(routers);
        for line in lines() {
            for who in PEOPLE {
                let answer = world.ask_at(&misplaced, &line, who, None, &[]).await;
                assert_problem(&answer, 500, "internal");
            }
        }
        world.is_unchanged("routes under another application's layer").await;
    }

    async fn a_request_that_names_another_user_changes_nothing(database: Database) {
        let mut world = World::new(database, routers).await;
        for line in lines().iter().filter(|line| !line.is_safe()) {
            for (who, expected) in PEOPLE.into_iter().zip(&line.answers) {
                let named = |user: &str| {
                    let mark = if line.path.contains('?') { '&' } else { '?' };
                    format!("{}{mark}signed_in_as={user}", line.path)
                };
                let (other, own) = (named("8"), named(world.user(who).unwrap_or_default()));
                let of = |path| Line { path, method: line.method.clone(), answers: line.answers.clone(), ends: line.ends.clone(), ..*line };
                let answer = world.ask(&of(&other), who, &[]).await;
                match *expected {
                    "401" | "401r" | "403" => assert_answer(&answer, expected),
                    _ => assert_problem(&answer, 409, "user-changed"),
                }
                world.is_unchanged(&format!("{line:?} {who}")).await;

                let answer = world.ask(&of(&own), who, &[]).await;
                assert_answer(&answer, expected);
                match answer.status.is_success() {
                    true => world.has_ended(line, who).await,
                    false => world.is_unchanged(&format!("{line:?} {who}")).await,
                }
            }
        }
        // What changes nothing has nothing to name.
        for path in ["/api/admin/sessions?signed_in_as=1", "/api/account/sessions?signed_in_as=1"] {
            let answer = world.client("admin").get(world.router("admin"), path).await;
            assert_problem(&answer, 400, "invalid-parameter");
        }
    }

    async fn methods_that_are_not_offered_are_refused_and_change_nothing(database: Database) {
        let world = World::new(database, routers).await;
        for line in lines() {
            let (_, offered) = OFFERED.iter().find(|(route, _)| *route == line.route()).unwrap();
            for method in METHODS.into_iter().filter(|method| !offered.contains(method)) {
                let other = Line { method: method.parse().unwrap(), answers: Vec::new(), ends: Vec::new(), ..line };
                for who in ["anonymous", "user", "reader", "revoker", "admin", "stranger"] {
                    let answer = world.ask(&other, who, &[]).await;
                    assert_eq!(answer.status, 405, "{other:?} {who}");
                    let allow = answer.header("allow").unwrap_or_default();
                    let allow: BTreeSet<_> = allow.split(',').map(str::trim).collect();
                    assert_eq!(allow, offered.iter().copied().collect(), "{other:?}");
                    match other.method == Method::HEAD {
                        true => assert_eq!(answer.body, ""),
                        false => assert_problem(&answer, 405, "method-not-allowed"),
                    }
                }
            }
            if offered.contains(&"HEAD") && line.method == Method::GET {
                let head = Line { method: Method::HEAD, answers: line.answers.clone(), ends: Vec::new(), ..line };
                for (who, expected) in PEOPLE.into_iter().zip(&line.answers) {
                    let answer = world.ask(&head, who, &[]).await;
                    assert_eq!((answer.status.as_str(), answer.body.as_str()), (&expected[..3], ""), "{head:?} {who}");
                }
            }
        }
        world.is_unchanged("methods that are not offered").await;
    }

    async fn addresses_that_are_none_say_so_to_everybody(database: Database) {
        let world = World::new(database, routers).await;
        let id = world.id("target");
        for path in [
            "/api/admin", "/api/admin/", "/api/admin/sessions/", "/api/admin/users", "/api/admin/users/9",
            "/api/admin/sessions/revoke/", "/api/admin//sessions", "/api/admin/Sessions", "/api/account/users/9/limit",
            "/api/account/", "/api/account/sessions/revoke/x",
            &format!("/api/admin/sessions/{id}/"), &format!("/api/admin/sessions/{id}/x"),
            &format!("/api/admin/users/9/sessions/{id}"),
        ] {
            for who in ["anonymous", "user", "admin"] {
                for method in [Method::GET, Method::DELETE, Method::POST, Method::PUT] {
                    let answer = world.client(who).send(world.router(who), method.clone(), path).await;
                    assert_eq!(answer.status, 404, "{method} {path} {who}: {}", answer.body);
                }
            }
        }
        world.is_unchanged("addresses that are none").await;
    }

    async fn the_table_has_every_route_there_is(database: Database) {
        let world = World::new(database, routers).await;
        let document = openapi::document(world.sessions()).admin("/api/admin").account("/api/account");
        let document = serde_json::to_value(document.build()).unwrap();
        let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase());
            documented.insert(path.clone(), methods.collect());
        }
        let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in lines() {
            listed.entry(line.route()).or_default().insert(line.method.to_string());
        }
        assert_eq!(listed, documented);
        // And with every method that it answers.
        for (path, offered) in OFFERED {
            let offered: BTreeSet<_> = offered.iter().filter(|method| **method != "HEAD").map(|method| (*method).to_owned()).collect();
            assert_eq!(listed[*path], offered, "{path}");
        }
        assert_eq!(listed.len(), OFFERED.len());
    }
}
