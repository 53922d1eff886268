//! A page that one user saw is not carried out in the name of another who signed in with the same browser meanwhile.

use std::collections::BTreeSet;

use http::StatusCode;

use crate::support::{
    Answer, App, Client,
    control::sign_in,
    html::Form,
    on_every_database,
    pages::{assert_leads_to, assert_page, ended_by, with_pages},
};

/// Sends the form as the page has it.
async fn press(browser: &mut Client, app: &App, form: &Form) -> Answer {
    let fields = form
        .fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let fields = fields.collect::<Vec<_>>().join("&");
    browser
        .submit_only(&app.router, &form.action, &fields)
        .await
}

on_every_database! {
    async fn an_open_page_of_one_user_ends_nothing_of_the_next(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut browser, _) = sign_in(&app, "2", "192.0.2.7", "").await;
        let (_, alices_other) = sign_in(&app, "2", "192.0.2.8", "").await;
        let (_, bobs_other) = sign_in(&app, "3", "192.0.2.9", "").await;
        let open = browser.get(&app.router, "/account/sessions").await;
        assert_page(&open, StatusCode::OK);
        assert!(open.words().contains("Signed in as 2"));
        let forms = open.forms();
        assert_eq!(forms.len(), 2, "{forms:?}");

        browser.post(&app.router, "/login/3").await;
        for form in &forms {
            let answer = press(&mut browser, &app, form).await;
            assert_page(&answer, StatusCode::CONFLICT);
            assert!(answer.words().contains("Nothing was changed"), "{}", answer.words());
            assert_eq!(answer.link("Back to Your devices").as_deref(), Some("/account/sessions"));
        }
        for id in [alices_other, bobs_other] {
            assert_eq!(ended_by(&app, id).await, None);
        }

        // Whoever signs in again as the same user may go on.
        browser.post(&app.router, "/login/2").await;
        for form in &forms {
            assert_leads_to(&press(&mut browser, &app, form).await, "/account/sessions");
        }
        assert_eq!(ended_by(&app, alices_other).await.as_deref(), Some("2"));
        assert_eq!(ended_by(&app, bobs_other).await, None);
    }

    async fn an_open_page_of_one_administrator_ends_nothing_for_the_next(database: Database) {
        let app = with_pages(App::new(&database).await);
        database.execute("INSERT INTO user_permissions VALUES (3, 'sessions:read'), (3, 'sessions:revoke')").await;
        let (_, alices) = sign_in(&app, "2", "192.0.2.7", "").await;
        let (mut browser, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        let mut forms = Vec::new();
        for path in [
            format!("/admin/sessions/{alices}/end"), "/admin/sessions/users/2".into(), "/admin/sessions/users/2/end".into(),
            "/admin/sessions/end?user_id=2".into(), "/admin/sessions/end".into(),
        ] {
            let page = browser.get(&app.router, &path).await;
            assert_page(&page, StatusCode::OK);
            forms.extend(page.forms());
        }
        let actions: BTreeSet<_> = forms.iter().map(|form| form.action.as_str()).collect();
        assert_eq!((forms.len(), actions.len()), (5, 4), "{forms:?}");

        browser.post(&app.router, "/login/3").await;
        for form in &forms {
            let answer = press(&mut browser, &app, form).await;
            assert_page(&answer, StatusCode::CONFLICT);
            assert!(answer.words().contains("Another user is signed in now"), "{}", answer.words());
        }
        assert_eq!(ended_by(&app, alices).await, None);
    }

    async fn whoever_acts_as_a_user_is_offered_no_form_and_sees_who_acts(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (_, alices) = sign_in(&app, "2", "192.0.2.7", "").await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        admin.post(&app.router, "/act-as/2").await;
        for path in ["/account/sessions".to_owned(), format!("/account/sessions/{alices}")] {
            let page = admin.get(&app.router, &path).await;
            assert_page(&page, StatusCode::OK);
            assert!(page.words().contains("Signed in as 2 , 1 acting"), "{}", page.words());
            assert!(page.forms().is_empty(), "{}", page.body);
        }
    }
}
