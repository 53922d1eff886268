//! Several applications in one database: none sees, counts, ends or sweeps anything of another.

use countersign::{Filter, Page, UserId};

use crate::support::{App, on_every_database};

on_every_database! {
    async fn a_session_belongs_to_its_realm(database: Database) {
        let shop = App::with(&database, |builder| builder.realm("shop")).await;
        let blog = App::beside(&database, |builder| builder.realm("blog")).await;
        let browser = shop.signed_in("2").await;
        assert_eq!((shop.who(&browser).await, blog.who(&browser).await), ("2".into(), "anonymous".into()));
        assert_eq!(blog.sessions.list(&Filter::everybody(), Page::first(10)).await.unwrap().sessions, []);
        assert_eq!(blog.sessions.revoke_user(&UserId::from(2), "test").await.unwrap(), 0);
        assert_eq!(shop.sessions.revoke_user(&UserId::from(2), "test").await.unwrap(), 1);
    }
}
