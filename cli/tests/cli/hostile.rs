//! What clients send stays text: it neither moves a cursor nor breaks the JSON.

use crate::{
    program::{cli, json as json_of, sign_in},
    support::{App, Database, on_every_database},
};

/// Clears the screen, sets the title, sets a colour by C1, reverses text, hides text, and imitates another line.
const AGENT: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}txt.exe\u{200b}\r\n11111111 2 live \\u{1b} \"'";
const SHOWN: &str = "\\u{1b}[2J\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}txt.exe\\u{200b}\\u{d}\\u{a}11111111 2 live \\\\u{1b} \"'";

/// An SQL literal of the text that each of the databases reads correctly.
fn literal(database: &Database, text: &str) -> String {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    match &database.pool {
        #[cfg(feature = "sqlite")]
        crate::support::Pool::Sqlite(_) => format!("CAST(X'{hex}' AS TEXT)"),
        #[cfg(feature = "postgres")]
        crate::support::Pool::Postgres(_) => format!("convert_from('\\x{hex}'::bytea, 'UTF8')"),
        #[cfg(feature = "mysql")]
        crate::support::Pool::MySql(_) => format!("CONVERT(X'{hex}' USING utf8mb4)"),
    }
}

on_every_database! {
    async fn control_characters_reach_no_terminal(database: Database) {
        let app = App::new(&database).await;
        let id = sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string();
        // A row that another program wrote must not do it either.
        let text = literal(&database, AGENT);
        database.execute(&format!(
            "UPDATE countersign_sessions SET user_agent = {text}, ended_by = {text}, user_id = {text}, \
             acting_user = {text}, ended_reason = 'revoked', ended_at = created_at"
        )).await;
        for arguments in [&["list"][..], &["show", &id], &["list", "--format", "json"], &["show", &id, "--format", "json"]] {
            let ran = cli(&database, arguments).await;
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
            let unsafe_to_show = |character: char| {
                (character.is_control() && character != '\n') || matches!(character, '\u{202e}' | '\u{200b}')
            };
            assert!(!ran.stdout.contains(unsafe_to_show), "{ran:?}");
        }
        let table = cli(&database, &["list"]).await.done();
        assert_eq!(table.lines().count(), 2, "{table}");
        assert_eq!(table.matches(SHOWN).count(), 4, "{table}");
        let shown = json_of(&database, &["show", &id]).await;
        for field in ["user_agent", "user_id", "acting_user", "ended_by"] {
            assert_eq!(shown[field], AGENT);
        }
    }

    async fn arguments_are_text_and_never_sql(database: Database) {
        let app = App::new(&database).await;
        app.signed_in("2").await;
        for text in ["' OR '1'='1", "2'; DROP TABLE countersign_sessions; --", "%", "\\"] {
            for arguments in [["list", "--user", text], ["list", "--user-agent", text], ["revoke", "user", text]] {
                assert_eq!(cli(&database, &arguments).await.code, 1, "{arguments:?}");
            }
            assert_eq!(cli(&database, &["list", "--realm", text]).await.code, 2);
        }
        assert_eq!(database.live().await, 1);
    }

    async fn messages_quote_nothing_that_a_terminal_obeys(database: Database) {
        App::new(&database).await;
        for arguments in [
            &["list", "--realm", "\u{1b}[2J"][..],
            &["show", "\u{1b}[2J"],
            &["\u{1b}[2J"],
        ] {
            let ran = cli(&database, arguments).await;
            assert_eq!(ran.code, 2);
            assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
        }
    }
}
