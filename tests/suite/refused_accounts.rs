//! An account that may not be used signs in nowhere, and its browser learns why.

use std::sync::{Arc, Mutex};

use countersign::{Access, Key, Limit, PermissionSource, Permissions, SourceFuture, UserId};
use http::StatusCode;

use crate::support::{App, Client, KEY, heard::Heard, on_every_database};

on_every_database! {
    async fn a_sign_in_to_it_is_refused_without_a_trace_of_a_session(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder).limit(Limit::refuse(1))).await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 3").await;
        for user in ["3", "99"] {
            for _ in 0..3 {
                let mut client = Client::new();
                let answer = app.login(&mut client, user).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{user} {}", answer.body);
                assert!(answer.body.contains("\"code\":\"account-refused\""), "{}", answer.body);
                assert_eq!(client.session_cookie(), None);
            }
            let told = heard.told(&app).await;
            assert_eq!(told, vec![format!("sign-in-refused(account-refused) user={user}"); 3]);
        }
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, 0);
        database.execute("UPDATE users SET disabled = FALSE WHERE id = 3").await;
        // None of the attempts takes the one place.
        let bob = app.signed_in("3").await;
        assert_eq!(app.who(&bob).await, "3");
    }

    async fn a_refused_sign_in_leaves_the_browsers_session_as_it_was(database: Database) {
        let app = App::new(&database).await;
        let mut alice = app.signed_in("2").await;
        assert_eq!(app.login(&mut alice, "99").await.status, StatusCode::FORBIDDEN);
        assert_eq!(app.who(&alice).await, "2");
    }

    async fn its_browser_learns_why_it_is_anonymous(database: Database) {
        let app = App::new(&database).await;
        let alice = app.signed_in("2").await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 2").await;
        assert_eq!(app.who(&alice).await, "anonymous account-refused");
        database.execute("UPDATE users SET disabled = FALSE WHERE id = 2").await;
        assert_eq!(app.who(&alice).await, "2");
    }

    async fn nobody_acts_as_an_account_that_may_not_be_used(database: Database) {
        let app = App::new(&database).await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 3").await;
        let mut admin = app.signed_in("1").await;
        for user in ["3", "99"] {
            let answer = admin.post(&app.router, &format!("/act-as/{user}")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
            assert!(answer.body.contains("\"code\":\"account-refused\""), "{}", answer.body);
        }
        assert_eq!(app.who(&admin).await, "1");
    }

    async fn a_permission_source_is_asked_at_sign_in_as_well(database: Database) {
        database.pool.migrate().await.unwrap();
        let says = Directory::default();
        let builder = database.builder().key(Key::from_base64(KEY).unwrap());
        let app = App::of(builder.permission_source(says.clone()).build().await.unwrap());
        let mut client = Client::new();
        assert_eq!(app.login(&mut client, "2").await.status, StatusCode::FORBIDDEN);
        *says.0.lock().unwrap() = Some(Access::Granted(Permissions::default()));
        assert_eq!(app.login(&mut client, "2").await.status, StatusCode::OK);
        assert_eq!(app.who(&client).await, "2");
        *says.0.lock().unwrap() = Some(Access::Denied);
        assert_eq!(app.who(&client).await, "anonymous account-refused");
    }
}

/// Says this of everybody; at first, that nobody may.
#[derive(Clone, Default)]
struct Directory(Arc<Mutex<Option<Access>>>);

impl PermissionSource for Directory {
    fn access<'a>(&'a self, _: &'a UserId) -> SourceFuture<'a> {
        let says = self.0.lock().unwrap().clone().unwrap_or(Access::Denied);
        Box::pin(async move { Ok(says) })
    }
}
