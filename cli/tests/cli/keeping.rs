//! `migrate` and `sweep`: the tables, and expired sessions.

use serde_json::json;

use crate::{
    program::{cli, json as json_of, leave_behind},
    support::{App, Client, eventually, on_every_database},
};

on_every_database! {
    async fn tables_are_made_once_whoever_comes_first(database: Database) {
        for arguments in [&["list"][..], &["stats"], &["revoke", "user", "2"], &["sweep"], &["limit", "show", "2"]] {
            let missing = cli(&database, arguments).await;
            assert_eq!(missing.code, 4, "{missing:?}");
            assert!(missing.stderr.contains("countersign migrate"), "{missing:?}");
        }
        let migrate = ["migrate", "--format", "json"];
        let (one, two, three) = tokio::join!(cli(&database, &migrate), cli(&database, &migrate), cli(&database, &migrate));
        let version = one.json()["to"].as_i64().unwrap();
        for other in [two, three] {
            assert_eq!(other.code, 0, "{other:?}");
            assert_eq!(other.json()["to"], version);
        }
        assert_eq!(json_of(&database, &["migrate"]).await, json!({"from": version, "to": version}));
        assert_eq!(cli(&database, &["migrate"]).await.done(), format!("nothing to do, the tables are of version {version}\n"));
        assert_eq!(cli(&database, &["list"]).await.code, 1);
    }

    async fn the_first_migration_says_what_it_did(database: Database) {
        let made = cli(&database, &["migrate"]).await.done();
        assert!(made.starts_with("the tables are made, version "), "{made}");
    }

    async fn tables_of_a_newer_version_are_left_alone(database: Database) {
        App::new(&database).await;
        database.execute("UPDATE _countersign_migrations SET version = 9000").await;
        for arguments in [&["list"][..], &["revoke", "user", "2"], &["migrate"]] {
            let newer = cli(&database, arguments).await;
            assert_eq!((newer.code, newer.stdout.as_str()), (4, ""), "{newer:?}");
        }
    }

    async fn a_sweep_ends_nobody_whom_the_application_still_accepts(database: Database) {
        let app = App::new(&database).await;
        let browser = app.signed_in("2").await;
        app.signed_in("3").await;
        database.execute("UPDATE countersign_sessions SET reserved_until = created_at WHERE user_id = '3'").await;
        database.age("last_seen_at", 25 * 60).await;
        leave_behind(&database, 300).await;
        let mut leaving = app.signed_in("1").await;
        leaving.post(&app.router, "/logout").await;
        let due = json_of(&database, &["sweep", "--dry-run"]).await;
        assert_eq!(due, json!({"expired": 300, "lapsed": 1, "deleted": 0, "incomplete": false}));
        assert_eq!(json_of(&database, &["sweep"]).await, due);
        assert_eq!(json_of(&database, &["sweep"]).await, json!({"expired": 0, "lapsed": 0, "deleted": 0, "incomplete": false}));

        // A node that accepts the session writes `last_seen_at` a moment later. Then the session is made idle again.
        let seen_and_idle_again = async || {
            assert_eq!(app.who(&browser).await, "2");
            let idle = "SELECT count(*) FROM countersign_sessions WHERE ended_at IS NULL AND reserved_until IS NULL AND last_seen_at < created_at";
            eventually("the session is marked as seen", async || database.count(idle).await == 0).await;
            database.age("last_seen_at", 25 * 60).await;
        };
        seen_and_idle_again().await;
        let idle = json_of(&database, &["sweep", "--idle-timeout", "20m", "--dry-run"]).await;
        assert_eq!(idle["expired"], 1);
        seen_and_idle_again().await;
        assert_eq!(json_of(&database, &["sweep", "--idle-timeout", "20m"]).await["expired"], 1);
        assert_eq!(app.who(&browser).await, "anonymous expired");
    }

    async fn a_remembered_session_is_idle_only_if_the_application_says_when(database: Database) {
        let app = App::new(&database).await;
        let mut browser = Client::new();
        browser.post(&app.router, "/remember/2").await;
        database.age("last_seen_at", 25 * 60).await;
        let due = async |arguments: &[&str]| {
            json_of(&database, &[&["sweep", "--dry-run"], arguments].concat()).await["expired"].clone()
        };
        assert_eq!(due(&["--idle-timeout", "20m"]).await, 0);
        assert_eq!(due(&["--idle-timeout", "20m", "--remembered-idle-timeout", "30m"]).await, 0);
        assert_eq!(due(&["--idle-timeout", "20m", "--remembered-idle-timeout", "20m"]).await, 1);
        let alone = cli(&database, &["sweep", "--remembered-idle-timeout", "20m"]).await;
        assert!(alone.code == 2 && alone.stderr.contains("--idle-timeout"), "{alone:?}");
        let shorter = cli(&database, &["sweep", "--idle-timeout", "20m", "--remembered-idle-timeout", "10m"]).await;
        assert!(shorter.code == 2 && shorter.stderr.contains("at least the idle timeout"), "{shorter:?}");
    }

    async fn what_ended_is_kept_unless_the_retention_is_given(database: Database) {
        let app = App::new(&database).await;
        let mut leaving = app.signed_in("2").await;
        leaving.post(&app.router, "/logout").await;
        database.age("ended_at", 40 * 24 * 60 * 60).await;
        leave_behind(&database, 5).await;
        let rows = async || database.count("SELECT count(*) FROM countersign_sessions").await;

        let kept = cli(&database, &["sweep"]).await;
        assert!(kept.stderr.contains("--retention"), "{kept:?}");
        assert_eq!((kept.done(), rows().await), ("5 expired, 0 lapsed, 0 deleted\n".into(), 6));
        let due = json_of(&database, &["sweep", "--retention", "41days", "--dry-run"]).await;
        assert_eq!((&due["deleted"], rows().await), (&json!(5), 6));
        assert_eq!(json_of(&database, &["sweep", "--retention", "30days"]).await["deleted"], 6);
        assert_eq!(rows().await, 0);
    }

    async fn a_preview_of_a_sweep_counts_what_is_marked_and_forgotten_at_once(database: Database) {
        App::new(&database).await;
        leave_behind(&database, 3).await;
        let both = json!({"expired": 3, "lapsed": 0, "deleted": 3, "incomplete": false});
        assert_eq!(json_of(&database, &["sweep", "--retention", "30days", "--dry-run"]).await, both);
        assert_eq!(json_of(&database, &["sweep", "--retention", "30days"]).await, both);
    }
}
