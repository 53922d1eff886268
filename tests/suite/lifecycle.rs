//! Sign in, be verified, sign out.

use http::StatusCode;

use crate::support::{App, Client, on_every_database};

on_every_database! {
    async fn a_user_signs_in_is_recognised_and_signs_out(database: Database) {
        let app = App::new(&database).await;
        let mut client = Client::new();
        assert_eq!(client.get(&app.router, "/me").await.status, StatusCode::UNAUTHORIZED);

        assert_eq!(app.login(&mut client, "2").await.status, StatusCode::OK);
        assert_eq!(client.get(&app.router, "/me").await.body, "2");
        assert_eq!(client.get(&app.router, "/permissions").await.body, "articles:edit articles:read");

        let copy = client.clone();
        assert_eq!(client.post(&app.router, "/logout").await.status, StatusCode::OK);
        assert_eq!(client.session_cookie(), None);
        assert_eq!(app.who(&client).await, "anonymous");
        assert_eq!(app.who(&copy).await, "anonymous logout");
    }
}
