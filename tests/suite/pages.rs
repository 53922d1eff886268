//! The pages: what they show, what leads where, and how filters stay.

use std::collections::BTreeSet;

use axum::Router;
use countersign::{EndedReason, PageLook, admin, uuid::Uuid};
use http::StatusCode;

use crate::support::{
    App, Client,
    control::sign_in,
    on_every_database,
    pages::{assert_page, crawl, in_query, listed, with_pages},
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

on_every_database! {
    async fn whoever_acts_as_somebody_elsewhere_is_told_and_can_end_it(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", FIREFOX).await;
        let page = admin.get(&app.router, "/account/sessions").await;
        assert!(page.words().contains("You are signed in nowhere else."));
        assert!(!page.words().contains("acting as another user"));

        let (mut stolen, _) = sign_in(&app, "1", "203.0.113.5", "curl/8").await;
        stolen.post(&app.router, "/act-as/2").await;
        let page = admin.get(&app.router, "/account/sessions").await;
        assert_page(&page, StatusCode::OK);
        assert!(!page.words().contains("You are signed in nowhere else."), "{}", page.words());
        assert!(page.words().contains("acting as another user"), "{}", page.words());
        assert_eq!(page.all("form", "action"), ["/account/sessions/others/end"]);
        admin.submit(&app.router, "/account/sessions/others/end", "").await;
        assert_eq!(app.who(&stolen).await, "anonymous revoked");
    }

    async fn the_list_shows_live_sessions_with_devices_and_exact_times(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (_, ended) = sign_in(&app, "3", "192.0.2.9", "curl/8.5.0").await;
        app.sessions.revoke(ended, "1").await.unwrap();
        let (_, iphone) = sign_in(&app, "2", "2001:db8::7", IPHONE).await;
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.1", FIREFOX).await;
        let page = admin.get(&app.router, "/admin/sessions").await;
        assert_page(&page, StatusCode::OK);
        assert_eq!(listed(&page), [own, iphone], "live ones alone, newest first");
        let words = page.words();
        for expected in ["Firefox on Linux", "This session", "Safari on iPhone", "2001:db8::7", "just now", "Signed in as 1"] {
            assert!(words.contains(expected), "{expected}: {words}");
        }
        assert!(page.body.contains("<title>Sessions · Example Shop</title>"));
        let times = page.all("time", "datetime");
        assert!(times.len() == 4 && times.iter().all(|time| time.ends_with('Z')), "{times:?}");
        assert!(page.all("time", "title").iter().all(|title| title.ends_with("UTC")));

        let all = admin.get(&app.router, "/admin/sessions?state=all").await;
        assert_eq!(listed(&all), [own, iphone, ended]);
        assert!(all.words().contains("Ended revoked"));
        let over = admin.get(&app.router, "/admin/sessions?state=ended").await;
        assert_eq!(listed(&over), [ended]);
        assert!(over.link("End these sessions…").is_none(), "there is nothing to end");
        assert_page(&admin.get(&app.router, "/admin/sessions?user_id=99").await, StatusCode::OK);
    }

    async fn each_page_leads_out(database: Database) {
        let app = App::new(&database).await;
        let look = PageLook::new("Example Shop").home("/shop").sign_out("/logout");
        let admin = admin::pages(&app.sessions).look(look);
        let router = app.router.clone().merge(Router::new().nest("/admin/sessions", admin.build()).layer(app.sessions.layer()));
        let mut admin = app.signed_in("1").await;
        let page = admin.get(&router, "/admin/sessions").await;
        assert_page(&page, StatusCode::OK);
        assert_eq!(page.link("Example Shop").as_deref(), Some("/shop"));
        assert!(page.all("form", "action").contains(&"/logout".to_owned()), "{}", page.body);
        assert!(page.words().contains("Sign out"), "{}", page.words());
        // Nobody is offered to sign out who is not signed in.
        let page = Client::new().get(&router, "/admin/sessions").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert!(!page.words().contains("Sign out"), "{}", page.words());
    }

    async fn a_session_has_a_history(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut alice, id) = sign_in(&app, "2", "192.0.2.7", FIREFOX).await;
        database.age("created_at", 3600).await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        let page = admin.get(&app.router, &format!("/admin/sessions/{id}")).await;
        assert_page(&page, StatusCode::OK);
        let words = page.words();
        for expected in ["Session of user 2", FIREFOX, "192.0.2.7", "Signed in", "1 hour ago", "Proved again who they are", "Last seen", "Ends at the latest", "in 4 weeks"] {
            assert!(words.contains(expected), "{expected}: {words}");
        }
        alice.post(&app.router, "/logout").await;
        let words = admin.get(&app.router, &format!("/admin/sessions/{id}")).await.words();
        assert!(words.contains("Signed out by 2") && !words.contains("End this session"), "{words}");
        let info = app.sessions.get(id).await.unwrap().unwrap();
        assert_eq!(info.ended_reason, Some(EndedReason::Logout));
    }

    async fn sessions_in_which_an_administrator_acts_say_so(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", FIREFOX).await;
        let (mut acting, _) = sign_in(&app, "1", "192.0.2.1", IPHONE).await;
        let id: Uuid = acting.post(&app.router, "/act-as/2").await.body.parse().unwrap();
        let page = admin.get(&app.router, "/admin/sessions?acting_user=1").await;
        assert_eq!(listed(&page), [id]);
        assert!(page.words().contains("user 1 acting"), "{}", page.words());
        let words = admin.get(&app.router, &format!("/admin/sessions/{id}")).await.words();
        assert!(words.contains("User 1 began to act as user 2") && words.contains("Acting user 1"), "{words}");
        // The user is told, and the administrator may end nobody's session as the user: that takes the user's own proof.
        let devices = acting.get(&app.router, "/account/sessions").await;
        assert_page(&devices, StatusCode::OK);
        assert!(devices.words().contains("An administrator is acting as you here"), "{}", devices.words());
        let answer = acting.submit(&app.router, "/account/sessions/others/end", "").await;
        assert_page(&answer, StatusCode::UNAUTHORIZED);
    }

    async fn every_link_and_form_leads_somewhere(database: Database) {
        let app = with_pages(App::new(&database).await);
        for user in ["2", "2", "3"] {
            sign_in(&app, user, "192.0.2.7", IPHONE).await;
        }
        let (_, ended) = sign_in(&app, "3", "192.0.2.7", FIREFOX).await;
        app.sessions.revoke(ended, "1").await.unwrap();
        let (mut admin, own) = sign_in(&app, "1", "192.0.2.1", FIREFOX).await;

        let (links, forms) = crawl(&app.router, &mut admin, "/admin/sessions?state=all").await;
        for expected in [format!("/admin/sessions/{own}/end"), "/admin/sessions/users/2/end".into(), "/admin/sessions/end".into()] {
            assert!(links.contains(&expected) && forms.contains(&expected), "{expected}: {links:?} {forms:?}");
        }
        assert!(links.iter().any(|link| link.starts_with("/admin/sessions/style-")), "{links:?}");
        let (mut alice, _) = sign_in(&app, "2", "192.0.2.7", FIREFOX).await;
        let (_, own_forms) = crawl(&app.router, &mut alice, "/account/sessions").await;
        assert!(own_forms.contains("/account/sessions/others/end"), "{own_forms:?}");
        for form in forms.iter().chain(&own_forms) {
            let answer = Client::new().submit(&app.router, form, "").await;
            assert_page(&answer, StatusCode::UNAUTHORIZED);
        }
    }

    async fn links_follow_the_router_wherever_it_is_nested(database: Database) {
        let app = App::new(&database).await;
        let router = axum::Router::new()
            .nest("/{tenant}/ops", axum::Router::new().nest("/who", admin::pages(&app.sessions).build()))
            .layer(app.sessions.layer());
        let (_, id) = sign_in(&app, "2", "192.0.2.7", IPHONE).await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", FIREFOX).await;
        let (links, forms) = crawl(&router, &mut admin, "/a%20b/ops/who").await;
        assert!(links.iter().chain(&forms).all(|link| link.starts_with("/a%20b/ops/who")), "{links:?}");
        let end = format!("/a%20b/ops/who/{id}/end");
        assert!(forms.contains(&end));
        let answer = admin.submit(&router, &end, "").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some(&*format!("/a%20b/ops/who/{id}"))));
    }

    async fn filters_stay_while_pages_are_turned(database: Database) {
        let app = with_pages(App::new(&database).await);
        let mut expected = BTreeSet::new();
        for number in 0..5 {
            expected.insert(sign_in(&app, "2", "192.0.2.7", &format!("A&B=\"<{number}> c+d")).await.1);
            sign_in(&app, "2", "192.0.2.8", "A&B").await;
            sign_in(&app, "3", "192.0.2.7", "A&B").await;
        }
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        let query = "?user_id=2&acting_user=&state=all&ip=192.0.2.7&user_agent=A%26B%3D%22%3C&created_after=2020-01-01T00%3A00&created_before=2100-01-01T00%3A00%3A00&page_size=2";
        let (mut address, mut seen, mut turned) = (format!("/admin/sessions{query}"), BTreeSet::new(), 0);
        loop {
            let page = admin.get(&app.router, &address).await;
            assert_page(&page, StatusCode::OK);
            assert_eq!(page.field("user_id").unwrap(), "2");
            assert_eq!(page.field("ip").unwrap(), "192.0.2.7");
            assert_eq!(page.field("user_agent").unwrap(), "A&B=\"<");
            assert_eq!(page.field("created_after").unwrap(), "2020-01-01T00:00:00");
            let end = page.link("End these sessions…").unwrap();
            assert_eq!((in_query(&end, "user_agent").unwrap(), in_query(&end, "state")), ("A&B=\"<".into(), None));
            seen.extend(listed(&page));
            match page.link("Older sessions") {
                Some(next) => address = next,
                None => break,
            }
            turned += 1;
        }
        assert_eq!((seen, turned), (expected, 2));
        let last = admin.get(&app.router, &address).await;
        let first = last.link("Newest sessions").unwrap();
        assert_eq!(listed(&admin.get(&app.router, &first).await).len(), 2);
        // A token is of use for its own filter alone.
        let token = in_query(&address, "page_token").unwrap();
        let answer = admin.get(&app.router, &format!("/admin/sessions?page_token={token}")).await;
        assert_page(&answer, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn the_look_can_be_changed() {
    let app = App::new(&crate::support::Database::any().await).await;
    let router = |look| {
        axum::Router::new()
            .nest("/a", admin::pages(&app.sessions).look(look).build())
            .layer(app.sessions.layer())
    };
    let mut admin = app.signed_in("1").await;
    let page = admin.get(&router(PageLook::default()), "/a").await;
    let own = page.all("link", "href");
    assert_eq!((own.len(), own[0].as_str()), (2, "data:,"));
    let style = Client::new()
        .get(&router(PageLook::default()), &own[1])
        .await;
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert_eq!(
        style.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(style.header("vary"), None);

    let look = PageLook::new("A & B")
        .home("/home")
        .icon("/i.svg")
        .stylesheet("/1.css")
        .stylesheet("/2.css");
    let page = admin.get(&router(look.clone()), "/a").await;
    assert_eq!(
        page.all("link", "href"),
        ["/i.svg", &own[1], "/1.css", "/2.css"]
    );
    assert_eq!(page.link("A & B").unwrap(), "/home");
    let page = admin
        .get(&router(look.without_own_stylesheet()), "/a")
        .await;
    assert_eq!(page.all("link", "href"), ["/i.svg", "/1.css", "/2.css"]);
}
