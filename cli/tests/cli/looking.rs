//! `list`, `show`, `stats`: what they print, and where.

use std::process::Stdio;

use countersign::uuid::Uuid;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::{
    program::{cli, command, ids, json as json_of, leave_behind, sign_in},
    support::{App, on_every_database},
};

on_every_database! {
    async fn every_condition_counts_alone_and_together(database: Database) {
        let app = App::new(&database).await;
        let all = [
            sign_in(&app, "2", "10.0.0.1", "Firefox on Linux").await,
            sign_in(&app, "2", "10.0.0.2", "Chrome on Linux").await,
            sign_in(&app, "3", "10.0.0.2", "Firefox on Windows").await,
            sign_in(&app, "3", "10.0.0.1", "Firefox on Linux").await,
        ];
        assert!(app.sessions.revoke(all[3], "1").await.unwrap());
        database.execute(&format!(
            "UPDATE countersign_sessions SET created_at = '2020-06-01 00:00:00.000' WHERE id = '{}'", all[0]
        )).await;
        let cases: [(&[&str], &[usize]); 11] = [
            (&[], &[3, 2, 1, 0]),
            (&["--user", "2"], &[1, 0]),
            (&["--state", "live"], &[2, 1, 0]),
            (&["--state", "ended"], &[3]),
            (&["--ip", "10.0.0.2"], &[2, 1]),
            (&["--ip", "::ffff:10.0.0.2"], &[2, 1]),
            (&["--user-agent", "Firefox"], &[3, 2, 0]),
            (&["--created-after", "2021-01-01T00:00:00Z"], &[3, 2, 1]),
            (&["--created-before", "2021-01-01T00:00:00+02:00"], &[0]),
            (&["--user", "2", "--user-agent", "Chrome", "--ip", "10.0.0.1"], &[]),
            (&["--acting-user", "2"], &[]),
        ];
        for (arguments, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|index| all[*index]).collect();
            assert_eq!(ids(&database, arguments).await, expected, "{arguments:?}");
            let table = cli(&database, &[&["list"], arguments].concat()).await;
            let shown: Vec<Uuid> = table.stdout.lines().skip(1)
                .map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
            assert_eq!(shown, expected, "{arguments:?}");
            assert_eq!(table.code, i32::from(expected.is_empty()), "{table:?}");
        }
    }

    async fn a_session_has_the_fields_of_the_http_api(database: Database) {
        let app = App::new(&database).await;
        let id = sign_in(&app, "2", "10.0.0.1", "curl/8").await;
        let live = json_of(&database, &["show", &id.to_string()]).await;
        let info = app.sessions.get(id).await.unwrap().unwrap();
        let time = |time: countersign::time::OffsetDateTime| {
            time.format(&countersign::time::format_description::well_known::Rfc3339).unwrap()
        };
        assert_eq!(live, json!({
            "id": id.to_string(), "user_id": "2", "display_name": null, "acting_user": null, "acting_display_name": null, "state": "live", "current": false,
            "created_at": time(info.created_at), "last_seen_at": time(info.last_seen_at),
            "expires_at": time(info.expires_at), "authenticated_at": time(info.authenticated_at),
            "ip": "10.0.0.1", "user_agent": "curl/8", "remembered": false, "bearer": false, "ended_at": null, "ended_reason": null, "ended_by": null,
        }));
        assert!(live["created_at"].as_str().unwrap().ends_with('Z'), "{live}");
        assert_eq!(json_of(&database, &["list"]).await, json!({"sessions": [live], "next_page_token": null, "incomplete": false}));

        app.sessions.revoke(id, "1").await.unwrap();
        let ended = json_of(&database, &["show", &id.to_string()]).await;
        let at = time(app.sessions.get(id).await.unwrap().unwrap().ended_at.unwrap());
        assert_eq!(
            [&ended["state"], &ended["ended_reason"], &ended["ended_by"], &ended["ended_at"]],
            [&json!("ended"), &json!("revoked"), &json!("1"), &json!(at)]
        );
        let table = cli(&database, &["show", &id.to_string()]).await.done();
        for part in [&format!("id                   {id}"), "ended_reason         revoked", &at] {
            assert!(table.contains(part), "{table}");
        }
    }

    async fn users_have_names_where_the_application_says_so(database: Database) {
        let app = App::new(&database).await;
        let alice = sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string();
        sign_in(&app, "3", "10.0.0.1", "curl/8").await;
        const NAME: &str = "name from users WHERE id = {user:int}";
        let with_names = |more: &[&'static str]| [&["list", "--display-name", NAME], more].concat();
        let table = cli(&database, &with_names(&[])).await.done();
        assert!(table.contains("alice (2)") && table.contains("bob (3)"), "{table}");
        let found = json_of(&database, &with_names(&["--name", "ALI"])).await;
        assert_eq!(found["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(found["sessions"][0]["id"], json!(alice));
        assert_eq!(found["sessions"][0]["display_name"], "alice");
        let shown = cli(&database, &["show", &alice, "--display-name", NAME]).await.done();
        assert!(shown.lines().any(|line| line.split_whitespace().eq(["display_name", "alice"])), "{shown}");

        let alone = cli(&database, &["list", "--name", "ali"]).await;
        assert!(alone.code == 2 && alone.stderr.contains("--display-name"), "{alone:?}");
        let wrong = cli(&database, &["list", "--display-name", "name"]).await;
        assert!(wrong.code == 2 && wrong.stderr.contains("FROM"), "{wrong:?}");
        let missing = cli(&database, &["list", "--display-name", "nome FROM users WHERE id = {user:int}"]).await;
        assert!(missing.code != 0 && missing.stderr.contains("nome"), "{missing:?}");
    }

    async fn a_list_goes_on_where_the_page_before_ended(database: Database) {
        let app = App::new(&database).await;
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string());
        }
        all.reverse();
        let shown = |page: &serde_json::Value| -> Vec<String> {
            let sessions = page["sessions"].as_array().unwrap().iter();
            sessions.map(|session| session["id"].as_str().unwrap().to_owned()).collect()
        };
        let first = json_of(&database, &["list", "--limit", "2"]).await;
        assert_eq!(shown(&first), all[..2]);
        let token = first["next_page_token"].as_str().unwrap();
        let second = json_of(&database, &["list", "--limit", "2", "--page-token", token]).await;
        assert_eq!((shown(&second), &second["next_page_token"]), (all[2..].to_vec(), &json!(null)));

        let table = cli(&database, &["list", "--limit", "2"]).await;
        assert!(table.stderr.contains(&format!("--page-token {token}")), "{table:?}");
        assert_eq!(table.done().lines().count(), 3);
    }

    async fn all_of_very_many_are_listed_and_a_reader_may_leave_early(database: Database) {
        App::new(&database).await;
        leave_behind(&database, 2500).await;
        assert_eq!(ids(&database, &[]).await.len(), 2500);
        let limited = json_of(&database, &["list", "--limit", "1700"]).await;
        assert_eq!(limited["sessions"].as_array().unwrap().len(), 1700);
        assert_eq!(cli(&database, &["list", "--all"]).await.done().lines().count(), 2501);

        for arguments in [["list", "--all", "--format", "table"], ["list", "--all", "--format", "json"]] {
            let mut program = command(&database.url(), &arguments)
                .stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut output = BufReader::new(program.stdout.take().unwrap());
            output.read_line(&mut String::new()).await.unwrap();
            drop(output);
            let mut said = String::new();
            program.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
            assert_eq!((program.wait().await.unwrap().code(), said.as_str()), (Some(0), ""));
        }
    }

    async fn whoever_is_idle_counts_as_live_unless_the_idle_timeout_is_given(database: Database) {
        let app = App::new(&database).await;
        let id = sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string();
        database.age("last_seen_at", 45 * 60).await;
        for (timeout, state) in [(None, "live"), (Some("30m"), "ended"), (Some("1h"), "live")] {
            let idle = timeout.map_or(vec![], |timeout| vec!["--idle-timeout", timeout]);
            let shown = json_of(&database, &[&["show", &id], idle.as_slice()].concat()).await;
            assert_eq!(shown["state"], state, "{timeout:?}");
            let live = ids(&database, &[&["--state", "live"], idle.as_slice()].concat()).await;
            assert_eq!(live.len(), usize::from(state == "live"), "{timeout:?}");
            let stats = json_of(&database, &[&["stats"], idle.as_slice()].concat()).await;
            assert_eq!(stats["realms"][0]["live"], u32::from(state == "live"), "{timeout:?}");
        }
    }

    async fn stats_count_each_kind(database: Database) {
        let app = App::new(&database).await;
        let empty = json!({"realm": "default", "live": 0, "users": 0, "reserved": 0, "lapsed": 0, "ended": {}});
        assert_eq!(json_of(&database, &["stats"]).await, json!({"realms": [empty]}));

        let mut leaving = app.signed_in("2").await;
        leaving.post(&app.router, "/logout").await;
        for user in ["1", "2", "2", "3"] {
            app.signed_in(user).await;
        }
        let revoked = sign_in(&app, "3", "10.0.0.1", "curl/8").await;
        app.sessions.revoke(revoked, "1").await.unwrap();
        leave_behind(&database, 3).await;
        for until in ["expires_at", "created_at"] {
            let id = sign_in(&app, "3", "10.0.0.1", "curl/8").await;
            database.execute(&format!(
                "UPDATE countersign_sessions SET reserved_until = {until} WHERE id = '{id}'"
            )).await;
        }
        let stats = json_of(&database, &["stats"]).await;
        assert_eq!(stats, json!({"realms": [{
            "realm": "default", "live": 4, "users": 3, "reserved": 1, "lapsed": 1,
            "ended": {"expired": 3, "logout": 1, "revoked": 1},
        }]}));
        let table = cli(&database, &["stats"]).await.done();
        assert!(table.lines().any(|line| line == "default  users with a live session      3"), "{table}");
        assert!(table.lines().any(|line| line == "default  ended: expired                 3"), "{table}");
    }
}
