//! How it fails: exit codes and messages.

use std::{fs::File, process::Stdio};

use countersign::uuid::Uuid;
use tokio::net::TcpListener;

use crate::{
    program::{PATH, cli, cli_at, command, ran, sign_in},
    support::{App, on_every_database},
};

const PASSWORD: &str = "hunter2-secret";

on_every_database! {
    async fn exit_codes_tell_what_was_wrong(database: Database) {
        let app = App::new(&database).await;
        let live = sign_in(&app, "2", "10.0.0.1", "curl/8").await.to_string();
        let unknown = Uuid::now_v7().to_string();
        let cases: [(&[&str], i32); 14] = [
            (&["show", &live], 0),
            (&["show", &unknown], 1),
            (&["show", "2"], 2),
            (&["revoke", "session", &unknown], 1),
            (&["revoke", "session"], 2),
            (&["revoke", "user", "4"], 1),
            (&["revoke", "user", " 2"], 2),
            (&["revoke"], 2),
            (&["list", "--user", "4"], 1),
            (&["list", "--ip", "localhost"], 2),
            (&["list", "--created-after", "yesterday"], 2),
            (&["list", "--limit", "0"], 2),
            (&["list", "--idle-timeout", "100years"], 2),
            (&["stats", "--timeout", "0s"], 2),
        ];
        for (arguments, code) in cases {
            let ran = cli(&database, arguments).await;
            assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
            assert!(code != 2 || ran.stdout.is_empty(), "{ran:?}");
        }
        database.execute("ALTER TABLE countersign_users RENAME TO elsewhere").await;
        let refused = cli(&database, &["limit", "show", "2"]).await;
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("countersign_users is missing"), "{refused:?}");
    }

    async fn a_result_that_cannot_be_written_is_a_failure(database: Database) {
        App::new(&database).await;
        #[cfg(target_os = "linux")]
        for arguments in [&["stats"][..], &["list", "--format", "json"], &["migrate"]] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let status = command(&database.url(), arguments).stdout(full)
                .stderr(Stdio::null()).status().await.unwrap();
            assert_eq!(status.code(), Some(6), "{arguments:?}");
        }
    }
}

/// The address of a server that does not exist.
async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Databases with servers that are built in.
const SERVERS: &[&str] = &[
    #[cfg(feature = "postgres")]
    "postgres",
    #[cfg(feature = "mysql")]
    "mysql",
];

#[tokio::test]
async fn a_database_that_is_away_is_said_to_be_away() {
    let port = closed_port().await;
    for scheme in SERVERS {
        let url = format!("{scheme}://u:{PASSWORD}@127.0.0.1:{port}/name");
        for arguments in [&["list"][..], &["revoke", "user", "2"], &["migrate"]] {
            let away = cli_at(&url, arguments).await;
            assert_eq!((away.code, away.stdout.as_str()), (3, ""), "{away:?}");
            assert!(!away.stderr.contains(PASSWORD), "{away:?}");
        }
    }
}

#[tokio::test]
async fn a_database_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for scheme in SERVERS {
        let url = format!("{scheme}://u:{PASSWORD}@127.0.0.1:{port}/name");
        let program = cli_at(&url, &["list", "--timeout", "200ms"]);
        let silence = tokio::time::timeout(crate::support::PATIENCE, program)
            .await
            .unwrap();
        assert_eq!(silence.code, 3, "{silence:?}");
        assert!(silence.stderr.contains("--timeout"), "{silence:?}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_mistyped_name_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.db");
    let url = format!("sqlite:{}?mode=rwc", file.display());
    assert_eq!(cli_at(&url, &["list"]).await.code, 3);
    assert!(!file.exists());
    cli_at(&url, &["migrate"]).await.done();
    assert!(file.exists());
}

#[tokio::test]
async fn the_password_is_in_no_output() {
    let port = closed_port().await;
    let mut addresses = vec![
        format!("oracle://u:{PASSWORD}@127.0.0.1:{port}/name"),
        format!("u:{PASSWORD}@127.0.0.1:{port}/name"),
        format!("://u:{PASSWORD}@127.0.0.1/name"),
        format!("sqlite:/nowhere/app.db?key={PASSWORD}"),
        format!("sqlite:/nowhere/app.db?mode={PASSWORD}"),
        PASSWORD.to_owned(),
    ];
    for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
        addresses.extend([
            format!("{scheme}://u:{PASSWORD}@127.0.0.1:{port}/name"),
            format!("{scheme}://u:/{PASSWORD}@127.0.0.1:{port}/name"),
            format!("{scheme}://u:{PASSWORD}@127.0.0.1:{PASSWORD}/name"),
            format!("{scheme}://u@127.0.0.1:{port}/name?password={PASSWORD}"),
            format!("{scheme}://u@127.0.0.1:{port}/name?sslmode={PASSWORD}&ssl-mode={PASSWORD}"),
        ]);
    }
    for url in &addresses {
        for arguments in [
            &["list"][..],
            &["migrate", "--format", "json"],
            &["--help"],
            &["revoke", "where", "--help"],
            &["list", "--no-such-option"],
        ] {
            let ran = cli_at(url, arguments).await;
            assert!(
                !ran.stdout.contains(PASSWORD) && !ran.stderr.contains(PASSWORD),
                "{url}: {ran:?}"
            );
        }
        let given = cli_at("", &["list", "--database-url", url]).await;
        assert!([2, 3].contains(&given.code), "{url}: {given:?}");
        assert!(!given.stderr.contains(PASSWORD), "{given:?}");
    }
    // An address in the place of another argument.
    for arguments in [
        &["postgres://u:hunter2-secret@h/name"][..],
        &["list", "postgres://u:hunter2-secret@h/name"],
        &["list", "--limit", "postgres://u:hunter2-secret@h/name"],
        &["list", "--databaseurl=postgres://u:hunter2-secret@h/name"],
    ] {
        let misplaced = cli_at("", arguments).await;
        assert_eq!(misplaced.code, 2, "{misplaced:?}");
        assert!(misplaced.stderr.contains("--database-url"), "{misplaced:?}");
        assert!(!misplaced.stderr.contains(PASSWORD), "{misplaced:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_built_in_is_named_with_its_feature() {
    for (scheme, feature, built_in) in [
        ("sqlite", "sqlite", cfg!(feature = "sqlite")),
        ("postgresql", "postgres", cfg!(feature = "postgres")),
        ("mariadb", "mysql", cfg!(feature = "mysql")),
    ] {
        if built_in {
            continue;
        }
        let missing = cli_at(
            &format!("{scheme}://u:{PASSWORD}@127.0.0.1/name"),
            &["list"],
        )
        .await;
        assert_eq!(missing.code, 2, "{missing:?}");
        assert!(
            missing.stderr.contains(&format!("--features {feature}\n")),
            "{missing:?}"
        );
    }
}

#[tokio::test]
async fn help_lists_the_exit_codes_and_is_plain_text_in_a_pipe() {
    let help = ran(tokio::process::Command::new(PATH).env_clear().arg("--help"))
        .await
        .done();
    for code in 0..=6 {
        assert!(
            help.lines()
                .any(|line| line.starts_with(&format!("  {code}  "))),
            "{help}"
        );
    }
    assert!(!help.contains('\u{1b}'), "{help:?}");
    let nothing = ran(tokio::process::Command::new(PATH).env_clear().arg("list")).await;
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("DATABASE_URL"), "{nothing:?}");
}
