//! The program and the routers return the same JSON.

use http::Method;
use serde_json::{Value, json};

use crate::{
    program::json as json_of,
    support::{App, control, on_every_database},
};

on_every_database! {
    async fn json_is_that_of_the_http_api(database: Database) {
        let app = control::with_routers(App::new(&database).await);
        let (mut admin, _) = control::sign_in(&app, "1", "10.0.0.9", "curl/8").await;
        for user in ["2", "3", "3"] {
            control::sign_in(&app, user, "10.0.0.1", "Zoë's <b>\"browser\"</b>\t\\").await;
        }
        app.sessions.revoke_user(3, "incident 42").await.unwrap();

        for (path, arguments) in [
            ("sessions?user_id=2", &["list", "--user", "2"][..]),
            ("sessions?user_id=3", &["list", "--user", "3"]),
            ("sessions?state=ended", &["list", "--state", "ended"]),
            ("users/2/limit", &["limit", "show", "2"]),
        ] {
            let answer = admin.get(&app.router, &format!("/api/admin/{path}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let said: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(json_of(&database, arguments).await, said, "{path}");
            assert!(said["sessions"].as_array().is_none_or(|sessions| !sessions.is_empty()), "{path}");
        }
        let answer = admin.send(&app.router, Method::DELETE, "/api/admin/users/3/sessions").await;
        let none: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((json_of(&database, &["revoke", "user", "3"]).await, none), (json!({"revoked": 0, "kept": 0, "incomplete": false}), json!({"revoked": 0, "kept": 0, "incomplete": false})));
        for max in [json!(3), json!("unlimited")] {
            let set = max.as_str().map_or_else(|| max.to_string(), str::to_owned);
            json_of(&database, &["limit", "set", "2", &set]).await;
            let answer = admin.get(&app.router, "/api/admin/users/2/limit").await;
            assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), json!({"max_sessions": max}));
        }
    }
}
