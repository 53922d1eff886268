//! Several applications in one database.

use serde_json::json;

use crate::{
    program::{cli, command, ids, json as json_of, ran},
    support::{App, on_every_database},
};

on_every_database! {
    async fn a_command_is_about_one_realm_and_says_where_else_there_are_sessions(database: Database) {
        let shop = App::with(&database, |builder| builder.realm("shop")).await;
        let blog = App::beside(&database, |builder| builder.realm("blog")).await;
        let (buyer, writer) = (shop.signed_in("2").await, blog.signed_in("2").await);

        for arguments in [&["list"][..], &["revoke", "user", "2"]] {
            let nothing = cli(&database, arguments).await;
            assert_eq!(nothing.code, 1);
            assert!(nothing.stderr.contains("blog, shop"), "{nothing:?}");
        }
        assert_eq!(ids(&database, &["--realm", "shop"]).await.len(), 1);
        cli(&database, &["limit", "set", "2", "1", "--realm", "shop"]).await.done();
        assert_eq!(cli(&database, &["limit", "show", "2", "--realm", "blog"]).await.code, 1);
        let mut revoke = command(&database.url(), &["revoke", "user", "2"]);
        assert_eq!(ran(revoke.env("COUNTERSIGN_REALM", "shop")).await.done(), "1 session: ended\n");
        assert_eq!((shop.who(&buyer).await, blog.who(&writer).await), ("anonymous revoked".into(), "2".into()));
        assert_eq!(cli(&database, &["list", "--realm", "No Such"]).await.code, 2);
    }

    async fn stats_are_of_all_realms_unless_one_is_named(database: Database) {
        let shop = App::with(&database, |builder| builder.realm("shop")).await;
        let app = App::beside(&database, |builder| builder).await;
        shop.signed_in("2").await;
        app.signed_in("2").await;
        app.signed_in("3").await;
        let live = |stats: serde_json::Value| -> Vec<(String, u64)> {
            let realms = stats["realms"].as_array().unwrap().iter();
            realms.map(|realm| (realm["realm"].as_str().unwrap().to_owned(), realm["live"].as_u64().unwrap())).collect()
        };
        assert_eq!(live(json_of(&database, &["stats"]).await), [("default".into(), 2), ("shop".into(), 1)]);
        assert_eq!(live(json_of(&database, &["stats", "--realm", "shop"]).await), [("shop".into(), 1)]);
        assert_eq!(app.sessions.realms().await.unwrap(), ["default", "shop"]);
        assert_eq!(json_of(&database, &["stats", "--realm", "blog"]).await["realms"][0]["ended"], json!({}));
    }
}
