//! What the pages change: endings and limits, by whom, and after which questions.

use countersign::{Filter, MaxSessions, Page, SignedIn, UserId, admin::Authorization, uuid::Uuid};
use http::StatusCode;

use crate::support::{
    Answer, App, Client,
    control::sign_in,
    on_every_database,
    pages::{assert_leads_to, assert_page, ended_by, pages, with_pages},
};

/// The message on the page, which is there once.
async fn message(client: &mut Client, app: &App, path: &str) -> String {
    let page = client.get(&app.router, path).await;
    assert_page(&page, StatusCode::OK);
    let found = page.tags().into_iter().find(|tag| {
        tag.get("class")
            .is_some_and(|class| class.starts_with("message success"))
    });
    let again = client.get(&app.router, path).await;
    assert!(!again.body.contains("message success"), "{}", again.body);
    assert!(
        page.tags()
            .iter()
            .any(|tag| tag.get("role") == Some("status"))
    );
    found.map(|tag| tag.text).unwrap_or_default()
}

async fn live_ids(app: &App, filter: &Filter) -> Vec<Uuid> {
    let live = filter.clone().state(countersign::SessionState::Live);
    let page = app.sessions.list(&live, Page::first(1000)).await.unwrap();
    page.sessions.iter().map(|session| session.id).collect()
}

on_every_database! {
    async fn one_session_ends_after_a_question(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (alice, id) = sign_in(&app, "2", "192.0.2.7", "curl/8").await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        let question = admin.get(&app.router, &format!("/admin/sessions/{id}/end")).await;
        assert_page(&question, StatusCode::OK);
        assert!(question.words().contains("End this session?"));
        assert_eq!(app.who(&alice).await, "2", "asking ends nothing");

        let form = format!("/admin/sessions/{id}/end");
        assert!(question.all("form", "action").contains(&form));
        assert_leads_to(&admin.submit(&app.router, &form, "").await, &format!("/admin/sessions/{id}"));
        assert_eq!(message(&mut admin, &app, &format!("/admin/sessions/{id}")).await, "The session has ended.");
        assert_eq!(app.who(&alice).await, "anonymous revoked");
        assert_eq!(ended_by(&app, id).await.as_deref(), Some("1"));
        let words = admin.get(&app.router, &format!("/admin/sessions/{id}")).await.words();
        assert!(words.contains("Ended by 1"), "{words}");
        for answer in [admin.get(&app.router, &form).await, admin.submit(&app.router, &form, "").await] {
            assert_page(&answer, StatusCode::NOT_FOUND);
        }
    }

    async fn nobody_ends_the_own_session_by_accident(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.1", "").await;
        let form = format!("/admin/sessions/{own}/end");
        assert_page(&admin.submit(&app.router, &form, "").await, StatusCode::CONFLICT);
        assert_eq!(app.who(&admin).await, "1");
        let question = admin.get(&app.router, &form).await;
        assert!(question.words().contains("ending it signs you out"), "{}", question.words());
        assert_eq!(question.field("include_current").unwrap(), "true");
        let answer = admin.submit(&app.router, &form, "include_current=true").await;
        assert_leads_to(&answer, &format!("/admin/sessions/{own}"));
        assert_eq!(app.who(&admin).await, "anonymous revoked");
    }

    async fn all_sessions_of_a_user_end(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (_, first) = sign_in(&app, "1", "192.0.2.1", "").await;
        let (mut acting, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        let acting: Uuid = acting.post(&app.router, "/act-as/3").await.body.parse().unwrap();
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.1", "").await;
        sign_in(&app, "2", "192.0.2.7", "").await;
        let question = admin.get(&app.router, "/admin/sessions/users/1/end").await;
        assert_page(&question, StatusCode::OK);
        let words = question.words();
        assert!(words.contains("End 2 sessions") && words.contains("One more session stays") && words.contains("In one of them"), "{words}");
        let answer = admin.submit(&app.router, "/admin/sessions/users/1/end", "").await;
        assert_leads_to(&answer, "/admin/sessions/users/1");
        let said = message(&mut admin, &app, "/admin/sessions/users/1").await;
        assert!(said.starts_with("2 sessions have ended. 1 session stays"), "{said}");
        assert_eq!(live_ids(&app, &Filter::user(1)).await, [own]);
        for id in [first, acting] {
            assert_eq!(ended_by(&app, id).await.as_deref(), Some("1"));
        }
        assert_eq!(live_ids(&app, &Filter::user(2)).await.len(), 1);
    }

    async fn a_filter_ends_exactly_what_its_preview_shows(database: Database) {
        let app = App::new(&database).await;
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let asking = asked.clone();
        let protects_bob = move |_: SignedIn, user: UserId| {
            asking.lock().unwrap().push(user.to_string());
            std::future::ready(Ok(match user.as_str() {
                "3" => Authorization::Refused,
                _ => Authorization::Granted,
            }))
        };
        let router = app.router.clone().merge(pages(&app, |admin| admin.authorize(protects_bob), |account| account));
        let app = App { router, ..app };
        let mut due = Vec::new();
        for _ in 0..3 {
            due.push(sign_in(&app, "2", "192.0.2.7", "").await.1);
            sign_in(&app, "3", "192.0.2.7", "").await;
            sign_in(&app, "2", "192.0.2.8", "").await;
        }
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.7", "").await;
        let list = admin.get(&app.router, "/admin/sessions?ip=192.0.2.7").await;
        let preview = admin.get(&app.router, &list.link("End these sessions…").unwrap()).await;
        assert_page(&preview, StatusCode::OK);
        asked.lock().unwrap().sort();
        assert_eq!(*asked.lock().unwrap(), ["2", "3"], "once about each user, for the number and for what is shown");
        assert!(preview.words().contains("3 sessions end at once") && preview.words().contains("4 more sessions stay"), "{}", preview.words());
        let mut shown: Vec<Uuid> = preview.all("a", "href").iter()
            .filter_map(|link| link.strip_prefix("/admin/sessions/")?.parse().ok())
            .collect();
        shown.sort();
        assert_eq!(shown, due);
        assert_eq!(preview.field("ip").unwrap(), "192.0.2.7");
        assert_eq!(preview.field("everybody"), None);
        assert_eq!(live_ids(&app, &Filter::all()).await.len(), 10, "a preview ends nothing");

        let answer = admin.submit(&app.router, "/admin/sessions/end", "ip=192.0.2.7&user_id=").await;
        assert_leads_to(&answer, "/admin/sessions?ip=192.0.2.7");
        let said = message(&mut admin, &app, "/admin/sessions?ip=192.0.2.7").await;
        assert!(said.starts_with("3 sessions have ended. 4 sessions stay"), "{said}");
        for id in due {
            assert_eq!(ended_by(&app, id).await.as_deref(), Some("1"));
        }
        let left = live_ids(&app, &Filter::all()).await;
        assert!(left.len() == 7 && left.contains(&own));
        let bobs = live_ids(&app, &Filter::user(3)).await[0];
        assert_page(&admin.submit(&app.router, &format!("/admin/sessions/{bobs}/end"), "").await, StatusCode::FORBIDDEN);
        assert_page(&admin.submit(&app.router, "/admin/sessions/users/3/limit", "limit=unlimited").await, StatusCode::FORBIDDEN);
        assert_eq!(ended_by(&app, bobs).await, None);
    }

    async fn nobody_ends_everybody_by_accident(database: Database) {
        let app = with_pages(App::new(&database).await);
        for user in ["2", "3"] {
            sign_in(&app, user, "192.0.2.7", "").await;
        }
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.1", "").await;
        for form in ["", "user_id=&state=live", "everybody=false"] {
            let answer = admin.submit(&app.router, "/admin/sessions/end", form).await;
            assert_page(&answer, StatusCode::BAD_REQUEST);
            assert!(answer.words().contains("confirm that you mean the sessions of all users"), "{}", answer.words());
        }
        for form in ["everybody=true&user_id=2", "usr_id=2", "user_id=2&user_id=3", "ip=x&everybody=true", "state=all&user_id=2", "user_id=2&x=y"] {
            assert_page(&admin.submit(&app.router, "/admin/sessions/end", form).await, StatusCode::BAD_REQUEST);
        }
        assert_eq!(live_ids(&app, &Filter::all()).await.len(), 3);
        let preview = admin.get(&app.router, "/admin/sessions/end").await;
        assert_eq!(preview.field("everybody").unwrap(), "true");
        let answer = admin.submit(&app.router, "/admin/sessions/end", "everybody=true").await;
        assert_leads_to(&answer, "/admin/sessions");
        assert_eq!(live_ids(&app, &Filter::all()).await, [own]);
    }

    async fn a_limit_is_set_and_taken_back(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        let alice = UserId::from(2);
        let checked = |page: &Answer| {
            let choices = page.tags().into_iter().filter(|tag| tag.get("name") == Some("limit"));
            let mut checked = choices.filter(|tag| tag.get("checked").is_some());
            checked.next().map(|tag| tag.get("value").unwrap().to_owned()).unwrap()
        };
        for (form, limit, choice, number) in [
            ("limit=at-most&max_sessions=3", Some(MaxSessions::AtMost(3)), "at-most", "3"),
            ("limit=unlimited&max_sessions=3", Some(MaxSessions::Unlimited), "unlimited", ""),
            ("limit=at-most&max_sessions=0", Some(MaxSessions::AtMost(0)), "at-most", "0"),
            ("limit=usual&max_sessions=", None, "usual", ""),
        ] {
            let answer = admin.submit(&app.router, "/admin/sessions/users/2/limit", form).await;
            assert_leads_to(&answer, "/admin/sessions/users/2");
            assert_eq!(app.sessions.limit(&alice).await.unwrap(), limit);
            let page = admin.get(&app.router, "/admin/sessions/users/2").await;
            assert_page(&page, StatusCode::OK);
            assert_eq!((checked(&page).as_str(), page.field("max_sessions").unwrap().as_str()), (choice, number));
        }
        app.sessions.set_limit(&alice, Some(MaxSessions::AtMost(7)), "test").await.unwrap();
        for number in ["", "-1", "%2B1", "1.5", "many", "4294967296", "%22%3E"] {
            let form = format!("limit=at-most&max_sessions={number}");
            let page = admin.submit(&app.router, "/admin/sessions/users/2/limit", &form).await;
            assert_page(&page, StatusCode::BAD_REQUEST);
            assert!(page.words().contains("Number of sessions must be a whole number"), "{}", page.words());
            assert_eq!(checked(&page), "at-most", "what was chosen is still there");
        }
        for form in ["", "limit=none", "limit=usual&limit=usual", "limit=usual&x=y"] {
            assert_page(&admin.submit(&app.router, "/admin/sessions/users/2/limit", form).await, StatusCode::BAD_REQUEST);
        }
        assert_eq!(app.sessions.limit(&alice).await.unwrap(), Some(MaxSessions::AtMost(7)));
    }

    async fn users_sign_their_devices_out(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut alice, own) = sign_in(&app, "2", "192.0.2.1", "").await;
        let (other, id) = sign_in(&app, "2", "192.0.2.2", "curl/8").await;
        let (bob, foreign) = sign_in(&app, "3", "192.0.2.3", "").await;
        let devices = alice.get(&app.router, "/account/sessions").await;
        assert_page(&devices, StatusCode::OK);
        assert!(devices.words().contains("This device") && !devices.body.contains("192.0.2.3"));
        assert_eq!(devices.all("form", "action"), [format!("/account/sessions/{id}/end"), "/account/sessions/others/end".into()]);
        assert!(devices.all("button", "aria-label").contains(&"Sign out curl".to_owned()));

        for (id, status) in [(foreign, StatusCode::NOT_FOUND), (Uuid::now_v7(), StatusCode::NOT_FOUND), (own, StatusCode::CONFLICT)] {
            assert_page(&alice.submit(&app.router, &format!("/account/sessions/{id}/end"), "").await, status);
        }
        assert_page(&alice.get(&app.router, &format!("/account/sessions/{foreign}")).await, StatusCode::NOT_FOUND);
        assert_eq!((app.who(&other).await, app.who(&bob).await), ("2".into(), "3".into()));
        let answer = alice.submit(&app.router, &format!("/account/sessions/{id}/end"), "").await;
        assert_leads_to(&answer, "/account/sessions");
        assert_eq!(message(&mut alice, &app, "/account/sessions").await, "That device is signed out.");
        assert_eq!(app.who(&other).await, "anonymous revoked");
        assert_eq!(ended_by(&app, id).await.as_deref(), Some("2"));

        for _ in 0..2 {
            sign_in(&app, "2", "192.0.2.2", "").await;
        }
        assert_leads_to(&alice.submit(&app.router, "/account/sessions/others/end", "").await, "/account/sessions");
        assert_eq!(message(&mut alice, &app, "/account/sessions").await, "2 other devices are signed out.");
        assert_eq!(live_ids(&app, &Filter::user(2)).await, [own]);
        let alone = alice.get(&app.router, "/account/sessions").await;
        assert!(alone.words().contains("You are signed in nowhere else.") && alone.all("form", "action").is_empty());
        assert_eq!(app.who(&bob).await, "3");
    }

    async fn signing_out_asks_for_a_recent_sign_in(database: Database) {
        let app = with_pages(App::with(&database, |builder| builder.sign_in_page("/login")).await);
        let (mut alice, _) = sign_in(&app, "2", "192.0.2.1", "").await;
        let (_, id) = sign_in(&app, "2", "192.0.2.2", "").await;
        database.age("authenticated_at", 16 * 60).await;
        let devices = alice.get(&app.router, "/account/sessions").await;
        assert_page(&devices, StatusCode::OK);
        assert!(devices.words().contains("you must sign in again first"));
        for form in [format!("/account/sessions/{id}/end"), "/account/sessions/others/end".into()] {
            let answer = alice.submit(&app.router, &form, "").await;
            assert_page(&answer, StatusCode::UNAUTHORIZED);
            assert!(answer.words().contains("Please sign in again"));
            assert_eq!(answer.link("Sign in").unwrap(), "/login?next=%2Faccount%2Fsessions");
            assert_eq!(answer.header("www-authenticate"), Some("Cookie"));
        }
        assert_eq!(ended_by(&app, id).await, None);
        let lenient = pages(&app, |admin| admin, |account| account.insecure_any_sign_in_age());
        assert_leads_to(&alice.submit(&lenient, "/account/sessions/others/end", "").await, "/account/sessions");
        assert_eq!(ended_by(&app, id).await.as_deref(), Some("2"));
    }
}
