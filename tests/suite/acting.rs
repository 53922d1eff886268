//! An administrator acts as a user: with the user's permissions, visibly, and only as long as both may.

use countersign::{EndedReason, Filter, Page, SessionState, UserId};
use http::StatusCode;

use crate::support::{App, on_every_database};

on_every_database! {
    async fn acting_is_recorded_and_takes_the_place_of_the_own_session(database: Database) {
        let app = App::new(&database).await;
        let mut browser = app.signed_in("1").await;
        let answer = browser.post(&app.router, "/act-as/2").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(app.who(&browser).await, "2");

        let sessions = app.sessions.list(&Filter::everybody(), Page::first(10)).await.unwrap().sessions;
        let [acting, own] = sessions.as_slice() else { panic!("{sessions:?}") };
        assert_eq!((&acting.user_id, &acting.acting_user), (&UserId::from(2), &Some(UserId::from(1))));
        assert_eq!((acting.state, own.state), (SessionState::Live, SessionState::Ended));
        assert_eq!((own.ended_reason, own.ended_by.as_deref()), (Some(EndedReason::Replaced), Some("1")));

        let ended = app.sessions.revoke_user(&UserId::from(1), "test").await.unwrap();
        assert_eq!(ended, 1);
        assert_eq!(app.who(&browser).await, "anonymous revoked");
    }
}
