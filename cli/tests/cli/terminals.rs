//! What the program asks and shows on a terminal.

use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    program::{PATH, ids, leave_behind, sign_in},
    support::{App, Database, on_every_database},
};

/// Runs the program with a terminal as its stdin and stderr. Types the answer as soon as the program asks. Returns the
/// exit code, the result, and everything that the terminal showed.
async fn at_a_terminal(
    database: &Database,
    arguments: &[&str],
    answer: &str,
) -> (i32, String, String) {
    let (mut terminal, line) = pty_process::open().unwrap();
    let mut program = pty_process::Command::new(PATH)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .env("USER", "jane")
        .env("TERM", "xterm")
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn(line)
        .unwrap();
    let mut stdout = program.stdout.take().unwrap();
    let (mut shown, mut answered) = (Vec::new(), false);
    let mut chunk = [0; 4096];
    // When the program ends, the terminal closes, which is an error here.
    while let Ok(length @ 1..) = terminal.read(&mut chunk).await {
        shown.extend_from_slice(&chunk[..length]);
        if !answered && String::from_utf8_lossy(&shown).contains("Type yes to go on: ") {
            terminal.write_all(answer.as_bytes()).await.unwrap();
            answered = true;
        }
    }
    let mut result = String::new();
    stdout.read_to_string(&mut result).await.unwrap();
    let code = program.wait().await.unwrap().code().unwrap();
    (code, result, String::from_utf8_lossy(&shown).into_owned())
}

on_every_database! {
    async fn only_yes_is_yes(database: Database) {
        let app = App::new(&database).await;
        let mut signed_in = Vec::new();
        for number in 0..12 {
            signed_in.push(sign_in(&app, "2", &format!("10.0.0.{number}"), "curl/8").await);
        }
        let other = sign_in(&app, "3", "10.0.0.1", "curl/8").await;
        let revoke = ["revoke", "where", "--user", "2"];
        for answer in ["no\n", "y\n", "\n", "YES\n", "yes please\n", "\u{4}"] {
            let (code, result, shown) = at_a_terminal(&database, &revoke, answer).await;
            assert_eq!((code, result.as_str()), (5, ""), "{answer:?}: {shown}");
            assert!(shown.contains("End 12 sessions"), "{shown}");
        }
        assert!(ids(&database, &["--state", "ended"]).await.is_empty());

        let (code, result, shown) = at_a_terminal(&database, &revoke, "yes\n").await;
        assert_eq!((code, result.as_str()), (0, "12 sessions: ended\n"), "{shown}");
        for (id, is_shown) in signed_in.iter().zip([false, false].into_iter().chain([true; 10])) {
            assert_eq!(shown.contains(&id.to_string()), is_shown, "{shown}");
        }
        assert!(shown.contains("the 10 newest of 12"), "{shown}");
        assert_eq!(ids(&database, &["--state", "live"]).await, [other]);
    }

    async fn a_sweep_shows_how_far_it_is(database: Database) {
        App::new(&database).await;
        leave_behind(&database, 600).await;
        let (code, result, shown) = at_a_terminal(&database, &["sweep"], "").await;
        assert_eq!((code, result.as_str()), (0, "600 expired, 0 lapsed, 0 deleted\n"));
        assert!(shown.contains("/600"), "{shown:?}");
    }
}
