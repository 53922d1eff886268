//! An administrator acts as a user: with the user's permissions, visibly, and only as long as both may.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    routing::{get, post},
};
use countersign::{
    Access, BuildError, EndedReason, Filter, Limit, LoginError, Page, PermissionSource,
    Permissions, Session, SessionInfo, SessionState, SignedIn, SourceFuture, UserId,
};
use http::StatusCode;

use super::streams::watched;
use crate::support::{
    Answer, App, Client, Gate, eventually, on_every_database,
    rows::NewRow,
    secret::{sealed, unsealed},
};

const LIVE: &str = "SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL";

/// A browser in which user 1 acts as user 2.
async fn acting(app: &App) -> Client {
    let mut browser = app.signed_in("1").await;
    let answer = browser.post(&app.router, "/act-as/2").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    browser
}

async fn list(app: &App, filter: &Filter) -> Vec<SessionInfo> {
    app.sessions
        .list(filter, Page::first(100))
        .await
        .unwrap()
        .sessions
}

async fn live(app: &App, filter: Filter) -> Vec<SessionInfo> {
    list(app, &filter.state(SessionState::Live)).await
}

fn assert_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(
        answer.body.contains(&format!("\"code\":\"{code}\"")),
        "{}",
        answer.body
    );
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
}

/// A route that acts as user 2 and then waits at a gate before it answers.
fn gated(app: &App, gate: &Gate) -> Router {
    let gate = gate.clone();
    let handler = async move |session: Session| -> Result<(), LoginError> {
        session.login_as(2).await?;
        gate.pass().await;
        Ok(())
    };
    Router::new()
        .route("/act-slowly", post(handler))
        .layer(app.sessions.layer())
}

on_every_database! {
    async fn acting_is_recorded_and_takes_the_place_of_the_own_session(database: Database) {
        let app = App::new(&database).await;
        let mut browser = app.signed_in("1").await;
        let before = browser.clone();
        let answer = browser.post(&app.router, "/act-as/2").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(app.who(&browser).await, "2");
        assert_eq!(app.who(&before).await, "anonymous replaced");

        let sessions = list(&app, &Filter::all()).await;
        let [acting, own] = sessions.as_slice() else { panic!("{sessions:?}") };
        assert_eq!((&acting.user_id, &acting.acting_user), (&UserId::from(2), &Some(UserId::from(1))));
        assert_eq!((&own.user_id, &own.acting_user), (&UserId::from(1), &None));
        assert_eq!((acting.state, own.state), (SessionState::Live, SessionState::Ended));
        assert_eq!((own.ended_reason, own.ended_by.as_deref()), (Some(EndedReason::Replaced), Some("1")));
        // It is the user's to see, and can be looked for by who acts.
        for filter in [Filter::user(2), Filter::all().acting_user(1), Filter::user(2).acting_user(1)] {
            assert_eq!(list(&app, &filter).await, std::slice::from_ref(acting));
        }
        for filter in [Filter::user(1).acting_user(1), Filter::all().acting_user(2)] {
            assert_eq!(list(&app, &filter).await, []);
        }
        assert_eq!(app.sessions.get(acting.id).await.unwrap(), Some(acting.clone()));

        let ended = app.sessions.revoke_user(1, "test").await.unwrap();
        assert_eq!(ended, 1);
        assert_eq!(app.who(&browser).await, "anonymous revoked");
    }

    async fn what_is_done_in_it_is_the_administrators_doing(database: Database) {
        let app = App::new(&database).await;
        for (leave, reason) in [("/logout", "logout"), ("/login/3", "replaced")] {
            let mut browser = acting(&app).await;
            let id = live(&app, Filter::all().acting_user(1)).await[0].id;
            browser.post(&app.router, leave).await;
            let ended = app.sessions.get(id).await.unwrap().unwrap();
            assert_eq!(ended.ended_reason.map(EndedReason::as_str), Some(reason));
            let by = match leave { "/logout" => "1", _ => "3" };
            assert_eq!(ended.ended_by.as_deref(), Some(by), "{leave}");
        }
        assert_eq!(live(&app, Filter::all().acting_user(1)).await, []);
    }

    async fn it_has_the_users_permissions_and_none_of_the_administrators(database: Database) {
        database.execute("INSERT INTO user_permissions VALUES (1, 'only:admin'), (2, 'only:alice')").await;
        let app = App::new(&database).await;
        let alice = app.signed_in("2").await.get(&app.router, "/permissions").await.body;
        assert!(alice.contains("only:alice"));
        let mut browser = acting(&app).await;
        assert_eq!(browser.get(&app.router, "/permissions").await.body, alice);
        // They are read anew for every request; the administrator's make no difference.
        database.execute("DELETE FROM user_permissions WHERE user_id = 2").await;
        assert_eq!(browser.get(&app.router, "/permissions").await.body, "");
        assert_eq!(browser.get(&app.router, "/edit").await.status, StatusCode::FORBIDDEN);
        database.execute("INSERT INTO user_permissions VALUES (2, 'articles:edit')").await;
        database.execute("DELETE FROM user_permissions WHERE user_id = 1").await;
        assert_eq!(browser.get(&app.router, "/permissions").await.body, "articles:edit");
        assert_eq!(browser.get(&app.router, "/edit").await.status, StatusCode::OK);
    }

    async fn it_has_a_short_timeout_of_its_own_that_nothing_extends(database: Database) {
        let timeout = Duration::from_secs(600);
        let app = App::with(&database, |builder| builder.acting_timeout(timeout)).await;
        let mut browser = acting(&app).await;
        let ends = |session: &SessionInfo| session.expires_at - session.created_at;
        let session = live(&app, Filter::all()).await.remove(0);
        assert_eq!(ends(&session), timeout);
        for path in ["/rotate", "/reauthenticated", "/rotate"] {
            let answer = browser.post(&app.router, path).await;
            let cookie = answer.session_cookie().unwrap();
            assert!(!cookie.to_lowercase().contains("max-age"), "{cookie}");
            assert_eq!(ends(&live(&app, Filter::all()).await[0]), timeout, "{path}");
        }
        assert_eq!(app.who(&browser).await, "2");
        database.age("expires_at", 601).await;
        assert_eq!(app.who(&browser).await, "anonymous expired");

        let browser = acting(&app).await;
        database.age("last_seen_at", 30 * 60 + 1).await;
        assert_eq!(app.who(&browser).await, "anonymous expired");
    }

    async fn it_is_never_recent(database: Database) {
        let app = App::new(&database).await;
        let mut browser = acting(&app).await;
        for path in ["/flash/x", "/rotate", "/reauthenticated"] {
            browser.post(&app.router, path).await;
            let answer = browser.get(&app.router, "/recent").await;
            assert_problem(&answer, StatusCode::UNAUTHORIZED, "recent-sign-in-required");
        }
        assert_eq!(app.signed_in("2").await.get(&app.router, "/recent").await.status, StatusCode::OK);
    }

    async fn disabling_either_account_stops_it_at_the_next_request(database: Database) {
        let app = App::new(&database).await;
        let browser = acting(&app).await;
        for user in [1, 2] {
            database.execute(&format!("UPDATE users SET disabled = TRUE WHERE id = {user}")).await;
            assert_eq!(app.who(&browser).await, "anonymous account-refused", "{user}");
            for path in ["/me", "/edit", "/recent"] {
                assert_eq!(browser.clone().get(&app.router, path).await.status, StatusCode::UNAUTHORIZED);
            }
            database.execute(&format!("UPDATE users SET disabled = FALSE WHERE id = {user}")).await;
            assert_eq!(app.who(&browser).await, "2");
        }
        // Somebody else's account is no part of it.
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 3").await;
        assert_eq!(app.who(&browser).await, "2");
        database.execute("DELETE FROM users WHERE id = 1").await;
        assert_eq!(app.who(&browser).await, "anonymous account-refused");
    }

    async fn revoking_either_ends_it_for_good(database: Database) {
        let app = App::new(&database).await;
        for user in [1, 2] {
            let browser = acting(&app).await;
            assert_eq!(app.sessions.revoke_user(user, "test").await.unwrap(), 1);
            assert_eq!(app.who(&browser).await, "anonymous revoked", "{user}");
        }
        // From another browser: the administrator's other sessions, and the user's.
        for user in ["1", "2"] {
            let browser = acting(&app).await;
            let mut other = app.signed_in(user).await;
            assert_eq!(other.post(&app.router, "/revoke-others").await.body, "1");
            assert_eq!(app.who(&browser).await, "anonymous revoked", "{user}");
            assert_eq!(app.who(&other).await, user);
            other.post(&app.router, "/logout").await;
        }
        let browser = acting(&app).await;
        let bystander = app.signed_in("3").await;
        assert_eq!(app.sessions.revoke_user(3, "test").await.unwrap(), 1);
        assert_eq!((app.who(&browser).await, app.who(&bystander).await), ("2".into(), "anonymous revoked".into()));
    }

    async fn open_connections_end_with_either(database: Database) {
        let app = App::with(&database, |builder| builder.watch_interval(Duration::from_millis(50))).await;
        let patience = crate::support::PATIENCE;
        let ended = watched(&app, &acting(&app).await).await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 1").await;
        assert_eq!(tokio::time::timeout(patience, ended).await.unwrap().as_str(), "account-refused");
        database.execute("UPDATE users SET disabled = FALSE WHERE id = 1").await;

        let ended = watched(&app, &acting(&app).await).await;
        app.sessions.revoke_user(1, "test").await.unwrap();
        assert_eq!(tokio::time::timeout(patience, ended).await.unwrap().as_str(), "revoked");
    }

    async fn it_counts_for_nobody_and_ends_nobodys_session(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::refuse(1))).await;
        // Anybody may sign in while administrators act as them, as often as ever.
        let several = [acting(&app).await, acting(&app).await, acting(&app).await];
        let alice = app.signed_in("2").await;
        assert_problem(&app.login(&mut Client::new(), "2").await, StatusCode::CONFLICT, "limit-reached");
        // And the other way round.
        let one_more = acting(&app).await;
        for browser in several.iter().chain([&alice, &one_more]) {
            assert_eq!(app.who(browser).await, "2");
        }
        // The administrator's own place is free again.
        let own = app.signed_in("1").await;
        assert_problem(&app.login(&mut Client::new(), "1").await, StatusCode::CONFLICT, "limit-reached");

        for limit in [Limit::end_oldest(1), Limit::end_least_recently_seen(1)] {
            let app = App::beside(&database, |builder| builder.limit(limit)).await;
            app.signed_in("2").await;
            app.signed_in("1").await;
            assert_eq!(live(&app, Filter::user(2).acting_user(1)).await.len(), 4);
        }
        assert_eq!(app.who(&alice).await, "anonymous limit");
        assert_eq!(app.who(&own).await, "anonymous limit");
    }

    async fn a_user_who_may_not_sign_in_at_all_can_be_acted_as(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::refuse(1))).await;
        app.sessions.set_limit(2, Some(countersign::MaxSessions::AtMost(0)), "test").await.unwrap();
        let browser = acting(&app).await;
        assert_eq!(app.who(&browser).await, "2");
        assert_eq!(app.login(&mut Client::new(), "2").await.status, StatusCode::CONFLICT);
    }

    async fn nobody_acts_from_within_acting_nor_as_themselves_nor_signed_out(database: Database) {
        let app = App::new(&database).await;
        let mut browser = acting(&app).await;
        let mut administrator = app.signed_in("1").await;
        let before = database.dump_all().await;
        for user in ["3", "2", "1"] {
            let answer = browser.post(&app.router, &format!("/act-as/{user}")).await;
            assert_problem(&answer, StatusCode::FORBIDDEN, "acting");
        }
        assert_problem(&administrator.post(&app.router, "/act-as/1").await, StatusCode::FORBIDDEN, "acting");
        let answer = Client::new().post(&app.router, "/act-as/2").await;
        assert_problem(&answer, StatusCode::UNAUTHORIZED, "signed-out");
        for id in ["02", "two", "%20", "2%202", "+2", "2abc"] {
            let answer = administrator.post(&app.router, &format!("/act-as/{id}")).await;
            assert_problem(&answer, StatusCode::INTERNAL_SERVER_ERROR, "internal");
        }
        assert_eq!(database.dump_all().await, before);
        assert_eq!((app.who(&browser).await, app.who(&administrator).await), ("2".into(), "1".into()));

        database.execute("UPDATE users SET disabled = TRUE WHERE id = 1").await;
        let answer = administrator.post(&app.router, "/act-as/2").await;
        assert_problem(&answer, StatusCode::UNAUTHORIZED, "signed-out");
        database.execute("UPDATE users SET disabled = FALSE WHERE id = 1").await;
        app.sessions.revoke_user(1, "test").await.unwrap();
        let answer = administrator.post(&app.router, "/act-as/2").await;
        assert_problem(&answer, StatusCode::UNAUTHORIZED, "signed-out");
        assert_eq!(database.live().await, 0);
    }

    async fn no_age_of_it_is_the_users_proof(database: Database) {
        let app = App::new(&database).await;
        let router = Router::new()
            .route("/age", get(async |user: SignedIn| (user.age() < Duration::from_secs(3600)).to_string()))
            .layer(app.sessions.layer());
        let (mut alice, mut browser) = (app.signed_in("2").await, acting(&app).await);
        assert_eq!(alice.get(&router, "/age").await.body, "true");
        assert_eq!(browser.get(&router, "/age").await.body, "false");
        browser.post(&app.router, "/reauthenticated").await;
        assert_eq!(browser.get(&router, "/age").await.body, "false");
    }

    async fn signing_out_first_leaves_nobody_to_act(database: Database) {
        let app = App::new(&database).await;
        let handler = async |session: Session| -> Result<(), LoginError> {
            session.logout().await.map_err(LoginError::Unavailable)?;
            session.login_as(2).await.map(drop)
        };
        let router = Router::new().route("/out-and-act", post(handler)).layer(app.sessions.layer());
        let mut browser = app.signed_in("1").await;
        assert_eq!(browser.post(&router, "/out-and-act").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(database.count(LIVE).await, 0);
        // Nor does a sign-in whose response is still to come.
        let handler = async |session: Session| -> Result<(), LoginError> {
            session.login(1).await?;
            session.login_as(2).await.map(drop)
        };
        let router = Router::new().route("/in-and-act", post(handler)).layer(app.sessions.layer());
        assert_eq!(Client::new().post(&router, "/in-and-act").await.status, StatusCode::UNAUTHORIZED);
        eventually("nothing is left", || async { database.count(LIVE).await == 0 }).await;
    }

    async fn a_handler_that_fails_changes_nothing(database: Database) {
        let app = App::new(&database).await;
        let mut browser = app.signed_in("1").await;
        for status in [400, 401, 404, 500, 503] {
            let answer = browser.post(&app.router, &format!("/act-as/2/{status}")).await;
            assert_eq!((answer.status.as_u16(), answer.session_cookie()), (status, None));
            assert_eq!(app.who(&browser).await, "1");
        }
        eventually("no half-made session is left", || async { database.count(LIVE).await == 1 }).await;
        let answer = browser.post(&app.router, "/act-as/2/303").await;
        assert_eq!(answer.status.as_u16(), 303);
        assert_eq!(app.who(&browser).await, "2");
    }

    async fn whatever_ends_the_administrator_meanwhile_leaves_nothing_live(database: Database) {
        let app = App::new(&database).await;
        let other = App::beside(&database, |builder| builder).await;
        for ending in ["user", "filter", "everybody", "session", "logout", "replaced", "time"] {
            let gate = Gate::closed();
            let (mut browser, router) = (app.signed_in("1").await, gated(&app, &gate));
            let mut copy = browser.clone();
            let own = live(&app, Filter::user(1)).await[0].id;
            let slow = tokio::spawn(async move {
                let answer = browser.post(&router, "/act-slowly").await;
                (browser, answer)
            });
            gate.reached().await;
            let sessions = &other.sessions;
            match ending {
                "user" => drop(sessions.revoke_user(1, "test").await.unwrap()),
                "filter" => drop(sessions.revoke_where(&Filter::user(1), "test").await.unwrap()),
                "everybody" => drop(sessions.revoke_where(&Filter::all(), "test").await.unwrap()),
                "session" => assert!(sessions.revoke(own, "test").await.unwrap()),
                "logout" => drop(copy.post(&other.router, "/logout").await),
                "replaced" => drop(copy.post(&other.router, "/act-as/3").await),
                _ => {
                    let then = database.ago(60);
                    let sql = format!("UPDATE countersign_sessions SET expires_at = {then} WHERE id = '{own}'");
                    database.execute(&sql).await;
                }
            }
            gate.open();
            let (browser, answer) = slow.await.unwrap();
            assert_eq!((answer.status, answer.session_cookie()), (StatusCode::SERVICE_UNAVAILABLE, None), "{ending}");
            assert!(app.who(&browser).await.starts_with("anonymous"), "{ending}");
            eventually("nothing is left", || async {
                database.count(&format!("{LIVE} AND user_id = '2'")).await == 0
            }).await;
            sessions.revoke_where(&Filter::all(), "test").await.unwrap();
        }
    }

    async fn disabling_the_administrator_meanwhile_lets_nobody_in(database: Database) {
        let app = App::new(&database).await;
        let gate = Gate::closed();
        let (mut browser, router) = (app.signed_in("1").await, gated(&app, &gate));
        let slow = tokio::spawn(async move {
            browser.post(&router, "/act-slowly").await;
            browser
        });
        gate.reached().await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 1").await;
        gate.open();
        assert_eq!(app.who(&slow.await.unwrap()).await, "anonymous account-refused");
        let acting = Filter::all().acting_user(1).state(SessionState::Live);
        assert_eq!(list(&app, &acting).await, []);
    }

    /// Without gates: the revocation may fall before, between or after any of the statements.
    async fn a_revocation_of_the_administrator_is_never_outrun(database: Database) {
        let app = App::new(&database).await;
        let other = App::beside(&database, |builder| builder).await;
        for round in 0..40 {
            let mut browser = app.signed_in("1").await;
            let router = app.router.clone();
            let acts = tokio::spawn(async move {
                browser.post(&router, "/act-as/2").await;
                browser
            });
            let sessions = other.sessions.clone();
            let revokes = tokio::spawn(async move {
                for _ in 0..round { tokio::task::yield_now().await; }
                sessions.revoke_user(1, "test").await.unwrap()
            });
            let (browser, revoked) = (acts.await.unwrap(), revokes.await.unwrap());
            assert!(revoked <= 2, "{revoked}");
            assert!(app.who(&browser).await.starts_with("anonymous"));
            assert_eq!(live(&app, Filter::all()).await, []);
        }
    }

    async fn two_requests_that_act_leave_one_acting_session(database: Database) {
        let app = App::new(&database).await;
        for _ in 0..10 {
            let browser = app.signed_in("1").await;
            let acts = ["/act-as/2", "/act-as/3", "/act-as/2", "/act-as/3"].map(|path| {
                let (mut browser, router) = (browser.clone(), app.router.clone());
                tokio::spawn(async move { browser.post(&router, path).await.status })
            });
            let answers = futures::future::try_join_all(acts).await.unwrap();
            let granted = answers.iter().filter(|status| status.is_success()).count();
            assert_eq!(granted, 1, "{answers:?}");
            assert_eq!(live(&app, Filter::all().acting_user(1)).await.len(), 1);
            app.sessions.revoke_where(&Filter::all(), "test").await.unwrap();
        }
    }

    async fn the_token_opens_the_users_account_and_not_the_administrators(database: Database) {
        let app = App::new(&database).await;
        let mut browser = acting(&app).await;
        let name = "__Host-session";
        let text = unsealed(name, browser.session_cookie().unwrap()).unwrap();
        let forged = format!("{}1", text.strip_suffix('2').unwrap());
        browser.jar.insert(name.to_owned(), sealed(name, &forged));
        assert_eq!(app.who(&browser).await, "anonymous");
    }

    async fn a_row_whose_administrator_cannot_be_read_lets_nobody_in(database: Database) {
        let app = App::new(&database).await;
        for acting_user in ["", " ", "01", "1 ", " 1", "+1", "1abc", "nobody", "1.0", "1e0"] {
            let row = NewRow { acting_user: Some(acting_user.to_owned()), ..NewRow::live("2") };
            database.insert(std::slice::from_ref(&row)).await;
            let who = app.who(&row.client()).await;
            assert!(matches!(who.as_str(), "unavailable" | "anonymous"), "{acting_user:?}: {who}");
        }
        let row = NewRow { acting_user: Some("1".to_owned()), ..NewRow::live("2") };
        database.insert(std::slice::from_ref(&row)).await;
        assert_eq!(app.who(&row.client()).await, "2");
    }

    async fn during_an_outage_nobody_acts(database: Database) {
        let app = App::new(&database).await;
        let mut browser = app.signed_in("1").await;
        let before = database.dump_all().await;
        database.execute("ALTER TABLE users RENAME TO away").await;
        let answer = browser.post(&app.router, "/act-as/2").await;
        assert_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        database.execute("ALTER TABLE away RENAME TO users").await;
        assert_eq!(database.dump_all().await, before);
        assert_eq!(app.who(&browser).await, "1");
    }

    async fn a_permission_source_is_asked_about_both(database: Database) {
        database.pool.migrate().await.unwrap();
        let source = Source(Arc::new(AtomicBool::new(true)));
        let builder = database.builder().key(countersign::Key::generate()).permission_source(source.clone());
        let app = App::of(builder.build().await.unwrap());
        let mut browser = acting(&app).await;
        assert_eq!(browser.get(&app.router, "/permissions").await.body, "of:2");
        source.0.store(false, Ordering::SeqCst);
        assert_eq!(app.who(&browser).await, "anonymous account-refused");
    }

    async fn its_timeout_is_a_time_and_no_longer_than_the_absolute_one(database: Database) {
        database.pool.migrate().await.unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        for timeout in [Duration::ZERO, day + Duration::from_secs(1), Duration::MAX] {
            let builder = crate::support::app::usual(database.builder());
            let error = builder.absolute_timeout(day).acting_timeout(timeout).build().await.unwrap_err();
            assert!(matches!(error, BuildError::Duration { setting: "acting_timeout", .. }), "{error}");
        }
        // The default gives way to a shorter absolute timeout.
        let minutes = Duration::from_secs(40 * 60);
        let app = App::with(&database, |builder| builder.absolute_timeout(minutes)).await;
        let mut browser = app.signed_in("1").await;
        let own = live(&app, Filter::all()).await.remove(0);
        assert_eq!(own.expires_at - own.created_at, minutes);
        browser.post(&app.router, "/act-as/2").await;
        // Which has begun before.
        let session = live(&app, Filter::all()).await.remove(0);
        assert_eq!((session.acting_user.is_some(), session.expires_at), (true, own.expires_at));
    }
}

/// Lets everybody in but user 1, where it has been told to.
#[derive(Clone)]
struct Source(Arc<AtomicBool>);

impl PermissionSource for Source {
    fn access<'a>(&'a self, user_id: &'a UserId) -> SourceFuture<'a> {
        let admits = user_id.as_str() != "1" || self.0.load(Ordering::SeqCst);
        Box::pin(async move {
            Ok(match admits {
                true => Access::Granted(Permissions::from_iter([format!("of:{user_id}")])),
                false => Access::Denied,
            })
        })
    }
}
