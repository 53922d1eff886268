//! `revoke` and `limit`: what ends, what does not, and what is recorded.

use std::time::Duration;

use countersign::Limit;
use http::StatusCode;
use serde_json::json;

use crate::{
    program::{cli, command, ids, json as json_of, ran, sign_in},
    support::{App, Client, on_every_database},
};

on_every_database! {
    async fn an_account_is_shut_out_while_the_application_is_down(database: Database) {
        let app = App::new(&database).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        assert_eq!((app.who(&alice).await, app.who(&bob).await), ("2".into(), "3".into()));
        database.pool.close().await;
        assert_eq!(app.who(&alice).await, "unavailable");
        drop(app);

        let ended = cli(&database, &["revoke", "user", "2"]).await.done();
        assert_eq!(ended, "1 session: ended\n");
        let back = App::on(&database.second_pool().await, |builder| builder).await;
        assert_eq!((back.who(&alice).await, back.who(&bob).await), ("anonymous revoked".into(), "3".into()));
        let listed = cli(&database, &["list", "--user", "2"]).await.done();
        assert!(listed.contains("revoked by cli:jane"), "{listed}");
    }

    async fn sessions_that_only_another_idle_timeout_keeps_are_ended_too(database: Database) {
        let patient = |builder: countersign::SessionsBuilder| builder.idle_timeout(Duration::from_secs(9 * 60 * 60));
        let app = App::with(&database, patient).await;
        let (alice, bob) = (app.signed_in("2").await, app.signed_in("3").await);
        database.age("last_seen_at", 8 * 60 * 60).await;
        assert_eq!(cli(&database, &["revoke", "user", "2"]).await.done(), "1 session: ended\n");
        assert_eq!((app.who(&alice).await, app.who(&bob).await), ("anonymous revoked".into(), "3".into()));
    }

    async fn sign_ins_under_way_do_not_slip_through(database: Database) {
        let app = App::new(&database).await;
        app.signed_in("2").await;
        database.execute("UPDATE countersign_sessions SET reserved_until = expires_at").await;
        let none = cli(&database, &["revoke", "user", "2"]).await;
        assert_eq!((none.code, none.stdout.as_str()), (1, "0 sessions: ended\n"));
        database.execute("UPDATE countersign_sessions SET reserved_until = NULL").await;
        assert!(ids(&database, &["--state", "live"]).await.is_empty());
    }

    async fn whoever_acts_as_somebody_is_shut_out_of_that_as_well(database: Database) {
        let app = App::new(&database).await;
        let mut browser = app.signed_in("1").await;
        assert_eq!(browser.post(&app.router, "/act-as/2").await.status, StatusCode::OK);
        app.signed_in("1").await;
        let acting = ids(&database, &["--acting-user", "1"]).await;
        assert_eq!((acting.len(), &acting), (1, &ids(&database, &["--user", "2"]).await));
        let table = cli(&database, &["list", "--user", "2"]).await.done();
        assert!(table.contains(" 2 by 1 "), "{table}");

        let preview = json_of(&database, &["revoke", "user", "1", "--dry-run"]).await;
        assert_eq!(preview, json!({"revoked": 2, "kept": 0, "incomplete": false}));
        assert_eq!(app.who(&browser).await, "2");
        let ended = json_of(&database, &["revoke", "user", "1"]).await;
        assert_eq!(ended, preview);
        assert_eq!(app.who(&browser).await, "anonymous revoked");
    }

    async fn sessions_end_one_by_one(database: Database) {
        let app = App::new(&database).await;
        let mut named = Vec::new();
        for _ in 0..3 {
            named.push(sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string());
        }
        let [one, two, kept] = [&named[0], &named[1], &named[2]];
        let ended = cli(&database, &["revoke", "session", one, two, "--by", "incident 42"]).await.done();
        assert_eq!(ended, "2 sessions: ended\n");
        let shown = json_of(&database, &["show", one]).await;
        assert_eq!([&shown["ended_reason"], &shown["ended_by"]], ["revoked", "incident 42"]);

        let again = cli(&database, &["revoke", "session", one]).await;
        assert_eq!((again.code, again.stdout.as_str()), (1, "0 sessions: ended\n"));
        assert!(again.stderr.contains(one), "{again:?}");
        assert_eq!(json_of(&database, &["show", kept]).await["state"], "live");
        let some = cli(&database, &["revoke", "session", one, kept]).await;
        assert_eq!((some.code, some.stdout.as_str()), (1, "1 session: ended\n"));
    }

    async fn what_the_list_shows_is_what_ends(database: Database) {
        let app = App::new(&database).await;
        for (user, address) in [("2", "10.0.0.1"), ("3", "10.0.0.1"), ("3", "10.0.0.2")] {
            sign_in(&app, user, address, "curl/8").await;
        }
        let condition = ["--ip", "10.0.0.1"];
        let shown = ids(&database, &[&condition[..], &["--state", "live"]].concat()).await;
        let revoke = [&["revoke", "where"], &condition[..]].concat();
        let preview = json_of(&database, &[&revoke[..], &["--dry-run"]].concat()).await;
        assert_eq!((preview, shown.len()), (json!({"revoked": 2, "kept": 0, "incomplete": false}), 2));
        assert!(ids(&database, &["--state", "ended"]).await.is_empty());

        let unasked = cli(&database, &revoke).await;
        assert_eq!((unasked.code, unasked.stdout.as_str()), (5, ""));
        assert!(unasked.stderr.contains("--yes"), "{unasked:?}");
        assert!(ids(&database, &["--state", "ended"]).await.is_empty());

        assert_eq!(cli(&database, &[&revoke[..], &["--yes"]].concat()).await.done(), "2 sessions: ended\n");
        assert_eq!(ids(&database, &["--state", "ended"]).await, shown);
        assert_eq!(cli(&database, &[&revoke[..], &["--yes"]].concat()).await.code, 1);
        assert_eq!(cli(&database, &[&revoke[..], &["--dry-run"]].concat()).await.code, 1);
    }

    async fn everybody_is_signed_out_only_when_it_is_said(database: Database) {
        let app = App::new(&database).await;
        for user in ["1", "2", "3"] {
            app.signed_in(user).await;
        }
        for arguments in [
            &["revoke", "where", "--yes"][..],
            &["revoke", "where", "--yes", "--everybody", "--user", "2"],
            &["revoke", "where", "--yes", "--everybody", "--dry-run"],
        ] {
            assert_eq!(cli(&database, arguments).await.code, 2, "{arguments:?}");
        }
        assert_eq!(ids(&database, &["--state", "live"]).await.len(), 3);
        assert_eq!(cli(&database, &["revoke", "where", "--everybody", "--yes"]).await.done(), "3 sessions: ended\n");
    }

    async fn who_did_it_is_the_systems_user_unless_it_is_said(database: Database) {
        let app = App::new(&database).await;
        for (variable, by) in [("USER", "cli:joe"), ("LOGNAME", "cli:joe"), ("NOTHING", "cli")] {
            let id = sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string();
            let mut revoke = command(&database.url(), &["revoke", "user", "2"]);
            ran(revoke.env_remove("USER").env(variable, "joe")).await.done();
            assert_eq!(json_of(&database, &["show", &id]).await["ended_by"], by);
        }
        let forged = cli(&database, &["revoke", "user", "2", "--by", "a\nb"]).await;
        assert_eq!(forged.code, 2, "{forged:?}");
    }

    async fn limits_are_set_shown_and_taken_back(database: Database) {
        let app = App::with(&database, |builder| builder.limit(Limit::refuse(2))).await;
        let show = ["limit", "show", "2"];
        assert_eq!(cli(&database, &show).await.code, 1);
        assert_eq!(json_of(&database, &show).await, json!({"max_sessions": null}));

        assert_eq!(json_of(&database, &["limit", "set", "2", "1"]).await, json!({"max_sessions": 1}));
        assert_eq!(cli(&database, &show).await.done(), "at most 1 session\n");
        app.signed_in("2").await;
        let refused = app.login(&mut Client::new(), "2").await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);

        assert_eq!(json_of(&database, &["limit", "set", "2", "unlimited"]).await, json!({"max_sessions": "unlimited"}));
        app.signed_in("2").await;
        app.signed_in("2").await;
        assert_eq!(json_of(&database, &["limit", "unset", "2"]).await, json!({"max_sessions": null}));
        assert_eq!(cli(&database, &show).await.code, 1);
        assert_eq!(app.login(&mut Client::new(), "2").await.status, StatusCode::CONFLICT);
        assert_eq!(
            cli(&database, &["limit", "set", "3", "0"]).await.done(),
            "at most 0 sessions: the user cannot sign in\n"
        );
        assert_eq!(app.login(&mut Client::new(), "3").await.status, StatusCode::CONFLICT);
        for max in ["-1", "many", "4294967296", ""] {
            assert_eq!(cli(&database, &["limit", "set", "2", max]).await.code, 2, "{max}");
        }
    }
}
